//! Heat maps: a value per cell as a colour, with a scale beside it.

use crate::terminal::visible;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Steps of a colour scale.
const STEPS: usize = 64;
/// Longest side of the map, and the sides of its cells (units of the picture).
const LONGEST: f64 = 300.0;
const CELL: (f64, f64) = (1.0, 34.0);
/// Room left of and above the map.
const ORIGIN: (f64, f64) = (58.0, 34.0);
/// Width of a letter of a name beside the map, and how many are shown of it.
const LETTER: f64 = 7.4;
const MOST_LETTERS: usize = 16;

/// The most cells of a picture, and of one of its rows or columns. A cell takes some 17 bytes.
pub const MOST_CELLS: usize = 1 << 18;
const LONGEST_ROW: usize = 1200;

/// How values become colours. All scales keep their order for colour-blind eyes and in grey.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Colours {
    /// From dark to bright.
    Sequential {
        /// The value of the darkest colour.
        low: f64,
        /// The value of the brightest colour.
        high: f64,
    },
    /// White at 0, blue below, orange above.
    Diverging {
        /// The greatest magnitude.
        limit: f64,
    },
    /// The same colour at 0 and 2π; dark in the middle.
    Phase,
}

type Rgb = [f64; 3];
const VIRIDIS: [Rgb; 5] =
    [[68.0, 1.0, 84.0], [59.0, 82.0, 139.0], [33.0, 145.0, 140.0], [94.0, 201.0, 98.0], [253.0, 231.0, 37.0]];
const BLUE_ORANGE: [Rgb; 5] =
    [[0.0, 63.0, 120.0], [90.0, 165.0, 215.0], [248.0, 248.0, 248.0], [240.0, 155.0, 70.0], [150.0, 60.0, 0.0]];
const CYCLE: [Rgb; 5] =
    [[226.0, 217.0, 226.0], [105.0, 142.0, 191.0], [47.0, 20.0, 54.0], [176.0, 90.0, 86.0], [226.0, 217.0, 226.0]];

impl Colours {
    /// White at 0, as far as the greatest magnitude among `values`.
    pub fn diverging(values: impl IntoIterator<Item = f64>) -> Self {
        let limit = values.into_iter().map(f64::abs).fold(0.0, f64::max);
        Colours::Diverging { limit: if limit > 0.0 { limit } else { 1.0 } }
    }

    fn ends(self) -> (f64, f64) {
        match self {
            Colours::Sequential { low, high } => (low, high),
            Colours::Diverging { limit } => (-limit, limit),
            Colours::Phase => (0.0, std::f64::consts::TAU),
        }
    }

    /// The step of a value, clamped to the scale; phases are wrapped.
    fn step(self, value: f64) -> usize {
        let (low, high) = self.ends();
        let value = if self == Colours::Phase { value.rem_euclid(high) } else { value };
        let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
        ((share * STEPS as f64) as usize).min(STEPS - 1)
    }

    fn colour(self, step: usize) -> String {
        let anchors = match self {
            Colours::Sequential { .. } => VIRIDIS,
            Colours::Diverging { .. } => BLUE_ORANGE,
            Colours::Phase => CYCLE,
        };
        let place = (step as f64 + 0.5) / STEPS as f64 * (anchors.len() - 1) as f64;
        let (index, part) = (place as usize, place.fract());
        let mix = |k: usize| (anchors[index][k] * (1.0 - part) + anchors[index + 1][k] * part).round() as u8;
        format!("#{:02x}{:02x}{:02x}", mix(0), mix(1), mix(2))
    }

    /// Texts beside the scale: value and label.
    fn marks(self) -> Vec<(f64, String)> {
        let (low, high) = self.ends();
        if self == Colours::Phase {
            return vec![(low, "0".into()), (0.5 * high, "π".into()), (high, "2π".into())];
        }
        let text = |value: f64| {
            let digits = (1.0 - (high - low).log10().floor()).clamp(0.0, 6.0) as usize;
            format!("{value:.digits$}")
        };
        [low, 0.5 * (low + high), high].map(|value| (value, text(value))).to_vec()
    }
}

/// A map of `rows` × `columns` cells.
#[derive(Clone, Debug)]
pub struct HeatMap {
    /// Above it.
    pub title: String,
    /// Under it.
    pub x_label: String,
    /// To its left.
    pub y_label: String,
    /// What the colours show, with its unit.
    pub scale_label: String,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// `[row, column]`; none stays grey.
    pub values: Vec<Option<f64>>,
    /// The scale.
    pub colours: Colours,
    /// Values are also written into their cells, as whole numbers.
    pub numbers: bool,
    /// What rows and columns alike are called instead of by their index, where they have names.
    pub names: Option<Vec<String>>,
    /// Rows and columns that one cell stands for, each way; 1 where nothing was put together.
    pub block: usize,
}

/// Rows and columns that one cell has to stand for, each way, so that a picture of so many does not grow too large.
pub fn block(rows: usize, columns: usize) -> usize {
    let fits = |block: usize| {
        let (rows, columns) = (rows.div_ceil(block), columns.div_ceil(block));
        rows.max(columns) <= LONGEST_ROW && rows * columns <= MOST_CELLS
    };
    (1..).find(|&block| fits(block)).expect("one cell fits")
}

impl HeatMap {
    /// The same map with few enough cells for a picture, each the mean of a square of those that were too many; on a scale with
    /// two signs the one that is farthest from 0, which a mean would hide.
    pub fn drawable(self) -> HeatMap {
        let block = block(self.rows, self.columns);
        if block == 1 {
            return self;
        }
        let (rows, columns) = (self.rows.div_ceil(block), self.columns.div_ceil(block));
        let cell = |index: usize| {
            let (top, left) = (index / columns * block, index % columns * block);
            let inside = (top..(top + block).min(self.rows))
                .flat_map(|row| (left..(left + block).min(self.columns)).map(move |column| row * self.columns + column))
                .filter_map(|place| self.values[place]);
            match self.colours {
                Colours::Diverging { .. } => inside.max_by(|a, b| a.abs().total_cmp(&b.abs())),
                Colours::Sequential { .. } | Colours::Phase => {
                    let (sum, count) = inside.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
                    (count > 0).then(|| sum / f64::from(count))
                }
            }
        };
        let values = (0..rows * columns).map(cell).collect();
        HeatMap { rows, columns, values, numbers: false, names: None, block: self.block * block, ..self }
    }

    /// Names with few enough letters to stand beside the map, if there are as many as rows and columns.
    fn short_names(&self) -> Option<Vec<String>> {
        let names = self.names.as_ref().filter(|names| names.len() == self.rows && self.rows == self.columns)?;
        let short = |name: &String| match name.char_indices().nth(MOST_LETTERS) {
            Some((end, _)) => format!("{}…", &name[..end]),
            None => name.clone(),
        };
        Some(names.iter().map(short).collect())
    }

    /// The map as an SVG picture.
    pub fn svg(&self) -> String {
        let names = self.short_names();
        let letters = names.iter().flatten().map(|name| name.chars().count()).max().unwrap_or_default();
        let room = LETTER * letters as f64;
        let side = |count: usize| (LONGEST / count as f64).clamp(CELL.0, CELL.1);
        let (cell_width, cell_height) = (side(self.columns), side(self.rows));
        let (width, height) = (cell_width * self.columns as f64, cell_height * self.rows as f64);
        let (left, top) = (ORIGIN.0.max(34.0 + room), ORIGIN.1);
        let below = (room - 20.0).max(0.0); // names under the map stand upright
        let total = ((left + width + 96.0).max(230.0), top + height.max(60.0) + 52.0 + below);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{:.0}\" height=\"{:.0}\" viewBox=\"0 0 {0:.0} {1:.0}\" \
             font-family=\"sans-serif\" font-size=\"13\" fill=\"#000\"><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>",
            total.0, total.1
        );
        text(&mut svg, (left, 20.0), "start", &format!("font-size=\"15\">{}", escape(&self.title)));
        let _ = write!(
            svg,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{width:.2}\" height=\"{height:.2}\" fill=\"#e4e4e4\"/>\
             <g shape-rendering=\"crispEdges\" transform=\"translate({left} {top}) scale({cell_width:.5} {cell_height:.5})\">"
        );
        let mut paths: BTreeMap<usize, String> = BTreeMap::new();
        for (index, value) in self.values.iter().enumerate() {
            if let Some(value) = value.filter(|value| value.is_finite()) {
                let path = paths.entry(self.colours.step(value)).or_default();
                let _ = write!(path, "M{} {}h1v1h-1z", index % self.columns, index / self.columns);
            }
        }
        for (step, path) in paths {
            let _ = write!(svg, "<path fill=\"{}\" d=\"{path}\"/>", self.colours.colour(step));
        }
        svg += "</g>";
        if self.numbers {
            self.write_numbers(&mut svg, left, cell_width, cell_height);
        }
        for column in ticks(self.columns) {
            let x = left + (column as f64 + 0.5) * cell_width;
            match &names {
                None => text(&mut svg, (x, top + height + 16.0), "middle", &format!(">{}", column * self.block)),
                Some(names) => {
                    let (x, y) = (x + 4.5, top + height + 6.0);
                    let upright = format!("transform=\"rotate(-90 {x:.1} {y:.1})\">{}", escape(&names[column]));
                    text(&mut svg, (x, y), "end", &upright);
                }
            }
        }
        for row in ticks(self.rows) {
            let y = top + (row as f64 + 0.5) * cell_height + 4.5;
            let label = names.as_ref().map_or_else(|| (row * self.block).to_string(), |names| escape(&names[row]));
            text(&mut svg, (left - 6.0, y), "end", &format!(">{label}"));
        }
        let x_label = format!("font-size=\"14\">{}", escape(&self.x_label));
        text(&mut svg, (left + 0.5 * width, top + height + 38.0 + below), "middle", &x_label);
        let middle = top + 0.5 * height;
        let y_label = format!("font-size=\"14\" transform=\"rotate(-90 16 {middle:.1})\">{}", escape(&self.y_label));
        text(&mut svg, (16.0, middle), "middle", &y_label);
        self.write_scale(&mut svg, left + width + 14.0, height.max(60.0));
        svg + "</svg>\n"
    }

    fn write_numbers(&self, svg: &mut String, left: f64, cell_width: f64, cell_height: f64) {
        for (index, value) in self.values.iter().enumerate() {
            let Some(value) = value.filter(|value| value.round() != 0.0) else { continue };
            let x = left + ((index % self.columns) as f64 + 0.5) * cell_width;
            let y = ORIGIN.1 + ((index / self.columns) as f64 + 0.5) * cell_height + 4.0;
            let bright = self.colours.step(value) > STEPS * 6 / 10;
            let fill = if bright { "#000" } else { "#fff" };
            text(svg, (x, y), "middle", &format!("font-size=\"12\" fill=\"{fill}\">{value:.0}"));
        }
    }

    fn write_scale(&self, svg: &mut String, left: f64, height: f64) {
        let top = ORIGIN.1;
        let step = height / STEPS as f64;
        for k in 0..STEPS {
            let (y, colour) = (top + height - (k + 1) as f64 * step, self.colours.colour(k));
            let high = step + 0.3; // a little overlap, or gaps shine through
            let _ =
                write!(svg, "<rect x=\"{left:.1}\" y=\"{y:.2}\" width=\"12\" height=\"{high:.2}\" fill=\"{colour}\"/>");
        }
        let (low, high) = self.colours.ends();
        for (value, label) in self.colours.marks() {
            let y = top + height * (1.0 - (value - low) / (high - low)) + 4.5;
            text(svg, (left + 16.0, y), "start", &format!(">{label}"));
        }
        let (x, middle) = (left + 74.0, top + 0.5 * height);
        let label =
            format!("font-size=\"14\" transform=\"rotate(-90 {x:.1} {middle:.1})\">{}", escape(&self.scale_label));
        text(svg, (x, middle), "middle", &label);
    }
}

/// A text at a place; `rest` are further attributes, `>` and the text itself.
fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, rest: &str) {
    let _ = write!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" {rest}</text>");
}

/// Indices with a label: at most nine, evenly spaced.
fn ticks(count: usize) -> impl Iterator<Item = usize> {
    let step =
        (0..).flat_map(|power| [1, 2, 5].map(|k| k * 10_usize.pow(power))).find(|step| count.div_ceil(*step) <= 10);
    (0..count).step_by(step.unwrap_or(1))
}

/// A text as it stands in XML and HTML.
pub fn escape(text: &str) -> String {
    visible(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(values: Vec<Option<f64>>, colours: Colours) -> HeatMap {
        HeatMap {
            title: "a < b".into(),
            x_label: "column".into(),
            y_label: "mode".into(),
            scale_label: "power (dB)".into(),
            rows: 2,
            columns: values.len() / 2,
            values,
            colours,
            numbers: true,
            names: None,
            block: 1,
        }
    }

    #[test]
    fn a_picture_has_a_largest_number_of_cells() {
        for (rows, columns) in [(4096, 4096), (1, 1_000_000), (5000, 3), (65_536, 65_536)] {
            let block = block(rows, columns);
            let (fewer_rows, fewer_columns) = (rows.div_ceil(block), columns.div_ceil(block));
            assert!(fewer_rows * fewer_columns <= MOST_CELLS && fewer_rows.max(fewer_columns) <= LONGEST_ROW);
            assert!(block > 1, "{rows} x {columns}");
        }
        assert_eq!(block(784, 256), 1);
        let cells = (0..2 * 2401).map(|index| Some(f64::from(index % 2401)));
        let many = HeatMap { numbers: false, ..map(cells.collect(), Colours::Sequential { low: 0.0, high: 2400.0 }) };
        let few = many.clone().drawable();
        assert_eq!((few.rows, few.columns, few.block), (1, 801, 3));
        assert_eq!((few.values[0], few.values[800]), (Some(1.0), Some(2400.0)));
        assert!(few.svg().contains(">1500<"), "columns keep their numbers");
        let errors = HeatMap { colours: Colours::diverging([2400.0]), ..many };
        assert_eq!(errors.drawable().values[1], Some(5.0));
        let small = map(vec![None; 4], Colours::Phase);
        assert_eq!(small.clone().drawable().svg(), small.svg());
    }

    #[test]
    fn names_stand_beside_the_map_escaped_and_short() {
        let names = Some(vec!["a<b\u{1b}".to_string(), "a name that is longer than the room".to_string()]);
        let svg = HeatMap { names, ..map(vec![Some(1.0); 4], Colours::Phase) }.svg();
        assert_eq!(svg.matches("a&lt;b").count(), 2);
        assert_eq!(svg.matches(">a name that is l…<").count(), 2);
        assert!(crate::export::picture::png(&svg).is_ok(), "a control character is no XML");
    }

    #[test]
    fn cells_are_drawn_once_where_they_belong() {
        let svg = map(vec![Some(0.0), Some(1.0), None, Some(1.0)], Colours::Sequential { low: 0.0, high: 1.0 }).svg();
        for part in ["a &lt; b", "column", "mode", "power (dB)", "d=\"M0 0h1v1h-1z\"", "d=\"M1 0h1v1h-1zM1 1h1v1h-1z\""]
        {
            assert!(svg.contains(part), "{part}");
        }
        assert_eq!(svg.matches("h1v1h-1z").count(), 3);
        assert!(crate::export::picture::png(&svg).is_ok());
    }

    #[test]
    fn phases_wrap_and_errors_are_white_at_zero() {
        let tau = std::f64::consts::TAU;
        assert_eq!(Colours::Phase.step(-0.1), Colours::Phase.step(tau - 0.1));
        let errors = Colours::diverging([0.1, -0.3]);
        assert_eq!(errors, Colours::Diverging { limit: 0.3 });
        assert_eq!((errors.step(-0.3), errors.step(0.0), errors.step(0.4)), (0, STEPS / 2, STEPS - 1));
        assert_eq!(Colours::diverging([0.0]), Colours::Diverging { limit: 1.0 });
    }

    #[test]
    fn labels_are_few_and_round() {
        assert_eq!(ticks(5).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!(ticks(64).collect::<Vec<_>>(), [0, 10, 20, 30, 40, 50, 60]);
        assert_eq!(ticks(1024).count(), 6);
    }
}
