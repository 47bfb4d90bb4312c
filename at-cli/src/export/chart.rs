//! Line charts with labelled axes, linear or logarithmic, small enough that their texts are legible on a phone.

use super::look::Look;
use super::thin;
use crate::terminal::visible;
use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::prelude::*;

/// Width and height without the legend, in units of the picture.
const SIZE: (u32, u32) = (560, 380);
/// Height of a line of the legend.
const LINE: i32 = 23;
const FONT: (&str, i32) = ("sans-serif", 17);
/// More labels than round numbers on an axis; whatever its ends are.
const MOST_TICKS: u32 = 20;

/// One axis.
#[derive(Clone, Debug)]
pub struct Axis {
    /// What it shows, with its unit.
    pub label: String,
    /// Equal factors are equally far apart.
    pub logarithmic: bool,
    /// Its ends; by default just around the values.
    pub range: Option<(f64, f64)>,
    /// Names at 0, 1, … instead of numbers.
    pub names: Vec<String>,
}

impl Axis {
    /// A linear axis.
    pub fn linear(label: impl Into<String>) -> Self {
        Axis { label: label.into(), logarithmic: false, range: None, names: Vec::new() }
    }

    /// A logarithmic axis; values that are not positive are left out.
    pub fn logarithmic(label: impl Into<String>) -> Self {
        Axis { label: label.into(), logarithmic: true, range: None, names: Vec::new() }
    }

    /// An axis with a place for each of these names.
    pub fn names(label: impl Into<String>, names: Vec<String>) -> Self {
        let range = Some((-0.5, names.len() as f64 - 0.5));
        Axis { range, names, ..Axis::linear(label) }
    }

    /// The same with these ends.
    pub fn within(self, low: f64, high: f64) -> Self {
        Axis { range: Some((low, high)), ..self }
    }

    /// Where a value lies; none where the axis does not show it.
    fn place(&self, value: f64) -> Option<f64> {
        let place = if self.logarithmic { value.log10() } else { value };
        place.is_finite().then_some(place)
    }

    /// The ends as places.
    fn ends(&self, values: impl Iterator<Item = f64>) -> (f64, f64) {
        if let Some((low, high)) = self.range
            && let (Some(low), Some(high)) = (self.place(low), self.place(high))
        {
            return (low, high);
        }
        let start = (f64::INFINITY, f64::NEG_INFINITY);
        let places = values.filter_map(|value| self.place(value));
        let (low, high) = places.fold(start, |(low, high), place| (low.min(place), high.max(place)));
        if low > high {
            return (0.0, 1.0);
        }
        let margin = match high - low {
            span if span > 1e-9 => 0.05 * span,
            _ if self.logarithmic => 0.2,
            _ => (0.1 * high.abs()).max(0.1),
        };
        (low - margin, high + margin)
    }

    /// Places of the labels between two ends.
    fn ticks(&self, (low, high): (f64, f64)) -> Vec<f64> {
        if !self.names.is_empty() {
            return (0..self.names.len()).map(|rank| rank as f64).collect();
        }
        if self.logarithmic {
            let decades = low.floor() as i32..=high.ceil() as i32;
            let steps: &[f64] = match high - low {
                span if span > 3.0 => &[1.0],
                span if span > 1.2 => &[1.0, 3.0],
                span if span > 0.5 => &[1.0, 2.0, 5.0],
                _ => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
            };
            let every = if high - low > 12.0 { 3 } else { 1 };
            let of = |decade: i32| steps.iter().map(move |step| f64::from(decade) + step.log10());
            let ticks = decades.filter(|decade| decade % every == 0).flat_map(of);
            return ticks.filter(|tick| (low..=high).contains(tick)).collect();
        }
        let raw = (high - low) / 5.0;
        let power = 10_f64.powf(raw.log10().floor());
        let step = power * [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| step * power >= raw).unwrap_or(10.0);
        let first = (low / step).ceil();
        let ticks = (0..MOST_TICKS).map(|k| (first + f64::from(k)) * step);
        ticks.take_while(|tick| *tick <= high + 1e-9 * step).collect()
    }

    fn text(&self, place: f64) -> String {
        if let Some(name) = self.names.get(place.round().max(0.0) as usize) {
            return name.clone();
        }
        number(if self.logarithmic { 10_f64.powf(place) } else { place })
    }
}

/// `0.01`, `20`, `1e6`.
fn number(value: f64) -> String {
    if value == 0.0 || (1e-3..1e5).contains(&value.abs()) {
        return format!("{}", (value * 1e6).round() / 1e6);
    }
    let exponent = value.abs().log10().floor();
    let digits = (value / 10_f64.powf(exponent) * 10.0).round() / 10.0;
    format!("{digits}e{exponent}")
}

/// Places on an axis, with those that have a label.
struct Places {
    ends: (f64, f64),
    ticks: Vec<f64>,
}

impl Ranged for Places {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, (first, last): (i32, i32)) -> i32 {
        let share = (place - self.ends.0) / (self.ends.1 - self.ends.0);
        first + (share * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.ends.0..self.ends.1
    }
}

/// A line through points.
#[derive(Clone, Debug)]
pub struct Curve {
    /// What it is, in the legend.
    pub label: String,
    /// Its colour, dashes and shape of marks.
    pub look: Look,
    /// Marks on its points.
    pub mark: Mark,
    /// (x, y), in the order of the line.
    pub points: Vec<(f64, f64)>,
}

/// How points are marked. A single point is always marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Not at all.
    None,
    /// Only the last one, filled.
    Last,
    /// Filled.
    Filled,
    /// Hollow.
    Hollow,
}

/// A value of y that is drawn across the chart.
#[derive(Clone, Debug)]
pub struct Level {
    /// What it is, in the legend.
    pub label: String,
    /// Its lower end.
    pub low: f64,
    /// Its upper end; the same for a dashed line, more for a grey band.
    pub high: f64,
}

/// A chart.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Above it; may be empty.
    pub title: String,
    /// To the right.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
    /// The lines.
    pub curves: Vec<Curve>,
    /// What they are compared with.
    pub levels: Vec<Level>,
}

impl Chart {
    /// The chart as an SVG picture.
    pub fn svg(&self) -> Result<String> {
        let mut svg = String::new();
        self.draw(&mut svg).map_err(|error| anyhow!("the chart {:?}: {error}", self.y.label))?;
        Ok(visible(&svg).into_owned()) // XML has no control characters
    }

    fn draw(&self, svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
        let entries = (self.curves.len() + self.levels.len()) as u32;
        let title = if self.title.is_empty() { 0 } else { 30 };
        let height = SIZE.1 + title;
        let area = SVGBackend::with_string(svg, (SIZE.0, height + LINE as u32 * entries + 10)).into_drawing_area();
        area.fill(&WHITE)?;
        let (upper, legend) = area.split_vertically(height);

        let points = || self.curves.iter().flat_map(|curve| curve.points.iter().copied());
        let levels = self.levels.iter().flat_map(|level| [level.low, level.high]);
        let (left, right) = self.x.ends(points().map(|point| point.0));
        let (bottom, top) = self.y.ends(points().map(|point| point.1).chain(levels));
        let mut builder = ChartBuilder::on(&upper);
        builder.margin(12).margin_right(22).x_label_area_size(48).y_label_area_size(70);
        if title > 0 {
            builder.caption(&self.title, ("sans-serif", 17));
        }
        let places = |axis: &Axis, ends| Places { ends, ticks: axis.ticks(ends) };
        let mut chart = builder.build_cartesian_2d(places(&self.x, (left, right)), places(&self.y, (bottom, top)))?;
        for level in self.levels.iter().filter(|level| level.high > level.low) {
            if let (Some(low), Some(high)) = (self.y.place(level.low), self.y.place(level.high)) {
                let (low, high) = (low.max(bottom), high.min(top));
                chart.draw_series([Rectangle::new([(left, low), (right, high)], BLACK.mix(0.10).filled())])?;
            }
        }
        chart
            .configure_mesh()
            .x_desc(&self.x.label)
            .y_desc(&self.y.label)
            .x_label_formatter(&|place| self.x.text(*place))
            .y_label_formatter(&|place| self.y.text(*place))
            .label_style(FONT)
            .axis_desc_style(FONT)
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .draw()?;
        for level in self.levels.iter().filter(|level| level.high <= level.low) {
            if let Some(y) = self.y.place(level.low) {
                let line = [(left, y), (right, y)];
                chart.draw_series(DashedLineSeries::new(line, 6, 4, BLACK.mix(0.7).stroke_width(1)))?;
            }
        }
        for curve in &self.curves {
            let place = |&(x, y): &(f64, f64)| Some((self.x.place(x)?, self.y.place(y)?));
            let (places, heights): (Vec<f64>, Vec<f64>) = curve.points.iter().filter_map(place).unzip();
            let kept = thin::kept(&places, (left, right), &[&heights]);
            let points: Vec<_> = kept.into_iter().map(|at| (places[at], heights[at])).collect();
            let mark = if points.len() == 1 && curve.mark == Mark::None { Mark::Filled } else { curve.mark };
            let marked = match mark {
                Mark::None => &points[..0],
                Mark::Last => &points[points.len().saturating_sub(1)..],
                Mark::Filled | Mark::Hollow => &points[..],
            };
            chart.draw_series(marked.iter().map(|&at| curve.look.mark(at, mark != Mark::Hollow)))?;
            chart.draw_series([curve.look.line(points, 2)])?;
        }
        self.legend(&legend)?;
        area.present()?;
        Ok(())
    }

    fn legend<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Box<dyn std::error::Error>>
    where
        B::ErrorType: 'static,
    {
        let mut y = LINE / 2;
        let mut entry = |label: &str| -> Result<i32, Box<dyn std::error::Error>> {
            area.draw(&Text::new(label.to_string(), (116, y - 9), FONT))?;
            y += LINE;
            Ok(y - LINE)
        };
        for curve in &self.curves {
            let y = entry(&curve.label)?;
            area.draw(&curve.look.line(vec![(76, y), (108, y)], 2))?;
            if curve.mark != Mark::None {
                area.draw(&curve.look.mark((92, y), curve.mark != Mark::Hollow))?;
            }
        }
        for level in &self.levels {
            let y = entry(&level.label)?;
            if level.high > level.low {
                area.draw(&Rectangle::new([(76, y - 6), (108, y + 6)], BLACK.mix(0.10).filled()))?;
            } else {
                for x in [76, 87, 98] {
                    area.draw(&PathElement::new([(x, y), (x + 7, y)], BLACK.mix(0.7).stroke_width(1)))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use at_core::training::MethodName;

    #[test]
    fn ticks_are_round_and_lie_on_the_axis() {
        let linear = |low, high| Axis::linear("").ticks((low, high));
        assert_eq!(linear(0.0, 100.0), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(linear(-1.0, 1.4).len(), 5);
        for (low, high) in [(0.0, f64::INFINITY), (1e300, 1.01e300), (-1.7e308, 1.7e308), (0.0, 0.0), (0.0, f64::NAN)] {
            assert!(linear(low, high).len() <= MOST_TICKS as usize, "{low} to {high}");
        }
        let axis = Axis::logarithmic("");
        let texts = |low: f64, high: f64| {
            let ticks = axis.ticks((low.log10(), high.log10()));
            ticks.into_iter().map(|tick| axis.text(tick)).collect::<Vec<_>>()
        };
        assert_eq!(texts(9.0, 1100.0), ["10", "30", "100", "300", "1000"]);
        assert_eq!(texts(1e-6, 1e-1).first().map(String::as_str), Some("1e-6"));
        assert_eq!(texts(14.0, 20.0), ["15", "20"]);
    }

    #[test]
    fn a_curve_of_very_many_epochs_makes_no_picture_of_as_many_points() {
        let of = |epochs: u32| {
            let point = |epoch| (f64::from(epoch), if epoch == 77_777 { 99.0 } else { f64::from(epoch % 7) });
            let curve = Curve {
                label: "at".into(),
                look: MethodName::At.into(),
                mark: Mark::Last,
                points: (1..=epochs).map(point).collect(),
            };
            let y = Axis::linear("accuracy").within(0.0, 100.0);
            Chart { title: String::new(), x: Axis::linear("epoch"), y, curves: vec![curve], levels: Vec::new() }
        };
        let [long, endless] = [100_000, 300_000].map(|epochs| of(epochs).svg().unwrap());
        assert!(endless.len() < long.len() + 5000 && long.len() < 60_000, "{} and {} bytes", long.len(), endless.len());
        let without = |mut chart: Chart| {
            chart.curves[0].points.iter_mut().for_each(|point| point.1 = point.1.min(6.0));
            chart.svg().unwrap()
        };
        assert_ne!(long, without(of(100_000)), "one epoch that stands out is seen");
    }

    #[test]
    fn everything_that_is_said_is_in_the_picture() {
        let curve = Curve {
            label: "at, measured".into(),
            look: BLACK.into(),
            mark: Mark::Hollow,
            points: vec![(1.0, 1e-3), (10.0, 1.0), (100.0, 0.0)],
        };
        let level = |high| Level { label: format!("up to {high}"), low: 0.1, high };
        let chart = Chart {
            title: "a title".into(),
            x: Axis::linear("epoch"),
            y: Axis::logarithmic("time (s)"),
            curves: vec![curve],
            levels: vec![level(0.1), level(0.4)],
        };
        let svg = chart.svg().unwrap();
        for text in ["a title", "epoch", "time (s)", "at, measured", "up to 0.1", "up to 0.4", "<circle"] {
            assert!(svg.contains(text), "{text}");
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }
}
