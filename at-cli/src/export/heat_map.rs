//! Heat maps: a value per cell as a colour, with a scale beside it.

use super::canvas::{AXIS, Anchor, Canvas, Colour, INK, LINE, SIZE, Stroke};
use super::chart::angle;
use super::font;
use super::marks::Picture;
use super::sheet::Sheet;
use std::collections::BTreeMap;

/// Steps of a colour scale: more than eyes tell apart, so that slow changes show no bands.
const STEPS: usize = 256;
/// Room at the edges of the picture, between map and texts, and the width of the scale (points).
const EDGE: f64 = 5.0;
const GAP: f64 = 3.0;
const SCALE: f64 = 7.0;
/// The largest cell, the height of a map for its width, and the longest name beside it (points).
const CELL: f64 = 30.0;
const SLENDER: f64 = 0.62;
const NAME: f64 = 60.0;
/// By how much a cell reaches under its right and lower neighbours, so that no gap shines through (points, and as a share of a cell).
const OVERLAP: (f64, f64) = (0.08, 0.5);
/// Frames: seen on the darkest and on the brightest colour of every scale.
const FRAME: Colour = [255, 60, 60];
/// What has no value.
const EMPTY: Colour = [228, 228, 228];

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

    fn colour(self, step: usize) -> Colour {
        let anchors = match self {
            Colours::Sequential { .. } => VIRIDIS,
            Colours::Diverging { .. } => BLUE_ORANGE,
            Colours::Phase => CYCLE,
        };
        let place = (step as f64 + 0.5) / STEPS as f64 * (anchors.len() - 1) as f64;
        let (index, part) = (place as usize, place.fract());
        let mix = |k: usize| (anchors[index][k] * (1.0 - part) + anchors[index + 1][k] * part).round() as u8;
        [mix(0), mix(1), mix(2)]
    }

    /// Texts beside the scale: value and label.
    fn marks(self) -> Vec<(f64, String)> {
        let (low, high) = self.ends();
        if self == Colours::Phase {
            return [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| (share * high, angle(share * high))).to_vec();
        }
        let text = |value: f64| {
            let digits = (1.0 - (high - low).log10().floor()).clamp(0.0, 6.0) as usize;
            format!("{value:.digits$}").replace('-', "−")
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
    /// Frames around parts of the map: `[left, top, right, bottom]`, in cells from its upper left corner.
    pub frames: Vec<[f64; 4]>,
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
        let frames = self.frames.iter().map(|frame| frame.map(|side| side / block as f64)).collect();
        HeatMap { rows, columns, values, numbers: false, names: None, block: self.block * block, frames, ..self }
    }

    /// Names that are short enough to stand beside the map, if there are as many as rows and columns.
    fn short_names(&self) -> Option<Vec<String>> {
        let names = self.names.as_ref().filter(|names| names.len() == self.rows && self.rows == self.columns)?;
        Some(names.iter().map(|name| font::shortened(name, SIZE, NAME)).collect())
    }

    /// The map as a picture.
    pub fn picture(&self, sheet: Sheet) -> Picture {
        let names = self.short_names();
        let mut canvas = Canvas::new(sheet.width);
        let widest =
            |texts: &mut dyn Iterator<Item = String>| texts.map(|text| font::width(&text, SIZE)).fold(0.0, f64::max);
        let label = |index: usize| match &names {
            Some(names) => names[index].clone(),
            None => (index * self.block).to_string(),
        };
        let rows: Vec<usize> = ticks(self.rows).collect();
        let side = widest(&mut rows.iter().map(|&row| label(row)));
        let marks = self.colours.marks();
        let left = EDGE + LINE + side + 2.0 * GAP;
        let scale = SCALE + 3.0 * GAP + widest(&mut marks.iter().map(|mark| mark.1.clone())) + LINE;
        let (across, down) = (sheet.width - left - scale - EDGE - GAP, SLENDER * sheet.width);
        let [mut cell_width, mut cell_height] =
            [across / self.columns as f64, down / self.rows as f64].map(|side| side.min(CELL));
        if (0.5..=2.0).contains(&(cell_width / cell_height)) {
            cell_width = cell_width.min(cell_height); // squares, where that costs little
            cell_height = cell_width;
        }
        let (width, height) = (cell_width * self.columns as f64, cell_height * self.rows as f64);

        let mut top = EDGE;
        for line in font::lines(&self.title, SIZE, sheet.width - 2.0 * EDGE) {
            canvas.text((EDGE, top + font::CAPITAL * SIZE), Anchor::Start, INK, &line);
            top += LINE;
        }
        top += GAP;
        canvas.rectangle([left, top, left + width, top + height], EMPTY, 1.0);
        self.draw_cells(&mut canvas, (left, top), (cell_width, cell_height));
        if self.numbers {
            self.write_numbers(&mut canvas, (left, top), (cell_width, cell_height));
        }
        for &[from, above, to, below] in &self.frames {
            let corner = |x: f64, y: f64| (left + x * cell_width, top + y * cell_height);
            let around = [corner(from, above), corner(to, above), corner(to, below), corner(from, below)];
            let [first, ..] = around;
            canvas.line(&[&around[..], &[first]].concat(), &Stroke::solid(FRAME, AXIS));
        }
        let half = 0.5 * font::CAPITAL * SIZE;
        let mut free = f64::NEG_INFINITY;
        let columns: Vec<usize> = ticks(self.columns).collect();
        let under = widest(&mut columns.iter().map(|&column| label(column)));
        let upright = names.is_some() && under > cell_width - GAP;
        for column in columns {
            let (x, text) = (left + (column as f64 + 0.5) * cell_width, label(column));
            let own = if upright { LINE } else { font::width(&text, SIZE) };
            if x - 0.5 * own < free {
                continue;
            }
            free = x + 0.5 * own + 1.0;
            match upright {
                true => canvas.upwards((x + half, top + height + GAP), Anchor::End, &text),
                false => canvas.text((x, top + height + GAP + 2.0 * half), Anchor::Middle, INK, &text),
            }
        }
        let mut free = f64::NEG_INFINITY;
        for row in rows {
            let y = top + (row as f64 + 0.5) * cell_height;
            if y >= free {
                free = y + 0.9 * LINE;
                canvas.text((left - GAP, y + half), Anchor::End, INK, &label(row));
            }
        }
        let tall = height.max(6.0 * LINE).max(font::width(&self.scale_label, SIZE) - 0.5 * top);
        let mut below = top + height + GAP + if upright { under + GAP } else { LINE };
        for line in font::lines(&self.x_label, SIZE, (width + left).max(0.5 * sheet.width)) {
            let own = 0.5 * font::width(&line, SIZE);
            let middle = (left + 0.5 * width).max(EDGE + own);
            canvas.text((middle, below + 2.0 * half), Anchor::Middle, INK, &line);
            below += LINE;
        }
        let y_label = font::shortened(&self.y_label, SIZE, tall + top);
        let own = 0.5 * font::width(&y_label, SIZE);
        canvas.upwards((EDGE + 2.0 * half, (top + 0.5 * height).max(EDGE + own)), Anchor::Middle, &y_label);
        let bottom = self.write_scale(&mut canvas, left + width + 3.0 * GAP, top, tall);
        canvas.finish(below.max(bottom) + EDGE, sheet)
    }

    fn draw_cells(&self, canvas: &mut Canvas, (left, top): (f64, f64), (width, height): (f64, f64)) {
        let mut steps: BTreeMap<usize, Vec<[f64; 4]>> = BTreeMap::new();
        for (index, value) in self.values.iter().enumerate() {
            if let Some(value) = value.filter(|value| value.is_finite()) {
                let (row, column) = (index / self.columns, index % self.columns);
                // not beyond the map, where nothing would cover it
                let side = |index: usize, count: usize, cell: f64| match index + 1 < count {
                    true => (1e4 * (1.0 + (OVERLAP.0 / cell).min(OVERLAP.1))).round() / 1e4,
                    false => 1.0,
                };
                let (across, down) = (side(column, self.columns, width), side(row, self.rows, height));
                steps.entry(self.colours.step(value)).or_default().push([column as f64, row as f64, across, down]);
            }
        }
        let cells = steps.into_iter().map(|(step, cells)| (self.colours.colour(step), cells));
        canvas.cells((left, top), (width, height), cells.collect());
    }

    fn write_numbers(&self, canvas: &mut Canvas, (left, top): (f64, f64), (width, height): (f64, f64)) {
        for (index, value) in self.values.iter().enumerate() {
            let Some(value) = value.filter(|value| value.round() != 0.0) else { continue };
            let text = format!("{value:.0}");
            if font::width(&text, SIZE) > width - 1.0 || height < LINE {
                continue;
            }
            let x = left + ((index % self.columns) as f64 + 0.5) * width;
            let y = top + ((index / self.columns) as f64 + 0.5) * height + 0.5 * font::CAPITAL * SIZE;
            let bright = self.colours.step(value) > STEPS * 6 / 10;
            canvas.text((x, y), Anchor::Middle, if bright { INK } else { [255; 3] }, &text);
        }
    }

    /// The scale beside the map; gives where it ends.
    fn write_scale(&self, canvas: &mut Canvas, left: f64, top: f64, height: f64) -> f64 {
        let step = |k: usize| {
            let reach = if k == 0 { 1.0 } else { 1.9 }; // under the one below it, or gaps shine through
            (self.colours.colour(k), vec![[0.0, (STEPS - 1 - k) as f64, 1.0, reach]])
        };
        canvas.cells((left, top), (SCALE, height / STEPS as f64), (0..STEPS).rev().map(step).collect());
        let (low, high) = self.colours.ends();
        let marks = self.colours.marks();
        let half = 0.5 * font::CAPITAL * SIZE;
        let widest = marks.iter().map(|mark| font::width(&mark.1, SIZE)).fold(0.0, f64::max);
        for (value, label) in marks {
            let y = top + height * (1.0 - (value - low) / (high - low));
            canvas.line(&[(left + SCALE, y), (left + SCALE + 1.5, y)], &Stroke::solid(INK, AXIS));
            // those at the ends stay beside the scale
            let at = (y + half).clamp(top + 2.0 * half, top + height);
            canvas.text((left + SCALE + GAP, at), Anchor::Start, INK, &label);
        }
        let label = font::shortened(&self.scale_label, SIZE, height + top);
        let own = 0.5 * font::width(&label, SIZE);
        let x = left + SCALE + 2.0 * GAP + widest + 2.0 * half;
        canvas.upwards((x, (top + 0.5 * height).max(EDGE + own)), Anchor::Middle, &label);
        top + height
    }
}

/// Indices with a label: at most nine, evenly spaced.
fn ticks(count: usize) -> impl Iterator<Item = usize> {
    let step =
        (0..).flat_map(|power| [1, 2, 5].map(|k| k * 10_usize.pow(power))).find(|step| count.div_ceil(*step) <= 10);
    (0..count).step_by(step.unwrap_or(1))
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
            frames: Vec::new(),
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
        assert!(few.picture(Sheet::default()).svg().contains(">1500<"), "columns keep their numbers");
        let errors = HeatMap { colours: Colours::diverging([2400.0]), ..many };
        assert_eq!(errors.drawable().values[1], Some(5.0));
        let small = map(vec![None; 4], Colours::Phase);
        assert_eq!(small.clone().drawable().picture(Sheet::default()).svg(), small.picture(Sheet::default()).svg());
    }

    /// A reader that is not ours understands it.
    fn is_xml(svg: &str) -> bool {
        resvg::usvg::Tree::from_str(svg, &resvg::usvg::Options::default()).is_ok()
    }

    #[test]
    fn names_stand_beside_the_map_escaped_and_short() {
        let names = Some(vec!["a<b\u{1b}".to_string(), "a name that is longer than the room".to_string()]);
        let svg = HeatMap { names, ..map(vec![Some(1.0); 4], Colours::Phase) }.picture(Sheet::default()).svg();
        assert_eq!(svg.matches("a&lt;b").count(), 2);
        assert_eq!(svg.matches(">a name that is longer than the room<").count(), 0);
        assert_eq!(svg.matches("…<").count(), 2);
        assert!(is_xml(&svg), "a control character is none");
    }

    #[test]
    fn cells_are_drawn_once_where_they_belong() {
        let svg = map(vec![Some(0.0), Some(1.0), None, Some(1.0)], Colours::Sequential { low: 0.0, high: 1.0 })
            .picture(Sheet::default())
            .svg();
        for part in ["a &lt; b", "column", "mode", "power (dB)", "d=\"M0 0h1.0", "d=\"M1 0h1v1.0", "h-1zM1 1h1v1h-1z\""]
        {
            assert!(svg.contains(part), "{part}");
        }
        let map = svg.split("<g ").nth(1).unwrap();
        assert_eq!(map.matches('M').count(), 3);
        assert!(is_xml(&svg));
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

    #[test]
    fn frames_lie_around_their_cells_also_where_cells_are_put_together() {
        let colours = Colours::Sequential { low: 0.0, high: 1.0 };
        let framed = HeatMap { frames: vec![[1.0, 0.0, 2.0, 1.0]], ..map(vec![Some(1.0); 4], colours) };
        let plain = HeatMap { frames: Vec::new(), ..framed.clone() };
        let count = |map: &HeatMap| map.picture(Sheet::default()).svg().matches("stroke=\"#ff3c3c\"").count();
        assert_eq!((count(&framed), count(&plain)), (1, 0));
        let side = 2 * LONGEST_ROW;
        let large = HeatMap {
            rows: side,
            columns: side,
            values: vec![Some(0.5); side * side],
            frames: vec![[200.0, 100.0, 400.0, 300.0]],
            ..plain
        };
        let drawn = large.drawable();
        let block = drawn.block as f64;
        assert!(block > 1.0);
        assert_eq!(drawn.frames, [[200.0 / block, 100.0 / block, 400.0 / block, 300.0 / block]]);
    }
}
