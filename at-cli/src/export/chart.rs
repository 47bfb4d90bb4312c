//! Line charts with labelled axes, with or without intervals, small enough that their texts are legible on a phone.

pub use super::axis::Axis;
use super::axis::Places;
use super::look::Look;
use super::thin;
use crate::terminal::visible;
use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Width and height without the legend, in units of the picture.
const SIZE: (u32, u32) = (560, 380);
/// Height of a line of the legend.
const LINE: i32 = 23;
const FONT: (&str, i32) = ("sans-serif", 17);
/// Characters of a title's line.
const TITLE: usize = 64;

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
    /// How sure they are.
    pub interval: Interval,
}

/// Intervals around the points of a line: (lower end, upper end) of each.
#[derive(Clone, Debug, PartialEq)]
pub enum Interval {
    /// None are known.
    None,
    /// A band along the line, where it has a width.
    Band(Vec<(f64, f64)>),
    /// A bar at every point.
    Bars(Vec<(f64, f64)>),
}

impl Interval {
    fn ends(&self) -> &[(f64, f64)] {
        match self {
            Interval::None => &[],
            Interval::Band(ends) | Interval::Bars(ends) => ends,
        }
    }
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
        let title = lines(&self.title);
        let above = if title.is_empty() { 0 } else { 8 + LINE as u32 * title.len() as u32 };
        let height = above + SIZE.1 + LINE as u32 * entries + 10;
        let area = SVGBackend::with_string(svg, (SIZE.0, height)).into_drawing_area();
        area.fill(&WHITE)?;
        let (heading, below) = area.split_vertically(above);
        let centre = Pos::new(HPos::Center, VPos::Top);
        for (row, line) in title.into_iter().enumerate() {
            let place = (SIZE.0 as i32 / 2, 6 + LINE * row as i32);
            heading.draw(&Text::new(line, place, FONT.into_text_style(&heading).pos(centre)))?;
        }
        let (upper, legend) = below.split_vertically(SIZE.1);

        let points = || self.curves.iter().flat_map(|curve| curve.points.iter().copied());
        let levels = self.levels.iter().flat_map(|level| [level.low, level.high]);
        let (left, right) = self.x.ends(points().map(|point| point.0));
        let intervals = self.curves.iter().flat_map(|curve| curve.interval.ends()).flat_map(|&(low, high)| [low, high]);
        let (bottom, top) = self.y.ends(points().map(|point| point.1).chain(levels).chain(intervals));
        let mut builder = ChartBuilder::on(&upper);
        builder.margin(12).margin_right(30).x_label_area_size(48).y_label_area_size(70);
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
        let place = |x: f64, y: f64| Some((self.x.place(x)?, self.y.place(y)?.clamp(bottom, top)));
        let curves: Vec<Curve> = self.curves.iter().map(|curve| self.thinned(curve, (left, right))).collect();
        for Curve { look, points, interval, .. } in &curves {
            let ends = points
                .iter()
                .zip(interval.ends())
                .filter_map(|(&(x, _), &(low, high))| Some([place(x, low)?, place(x, high)?]));
            let ends: Vec<_> = ends.collect();
            match interval {
                Interval::None => {}
                Interval::Band(_) if ends.iter().all(|[low, high]| low.1 >= high.1) => {}
                Interval::Band(_) => {
                    let upper = ends.iter().map(|ends| ends[1]);
                    let outline: Vec<_> = upper.chain(ends.iter().rev().map(|ends| ends[0])).collect();
                    chart.draw_series([Polygon::new(outline, look.colour.mix(0.18))])?;
                }
                Interval::Bars(_) => {
                    chart.draw_series(ends.iter().map(|&bar| PathElement::new(bar, look.colour.stroke_width(2))))?;
                }
            }
        }
        for curve in &curves {
            let place = |&(x, y): &(f64, f64)| Some((self.x.place(x)?, self.y.place(y)?));
            let points: Vec<_> = curve.points.iter().filter_map(place).collect();
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

    /// Those points of a curve, and of its band, that make its picture between these ends of the axis below.
    fn thinned(&self, curve: &Curve, ends: (f64, f64)) -> Curve {
        let shown = |&at: &usize| {
            let (x, y) = curve.points[at];
            self.x.place(x).is_some() && self.y.place(y).is_some()
        };
        let band = match &curve.interval {
            Interval::None => None,
            Interval::Band(band) => Some(band),
            Interval::Bars(_) => return curve.clone(),
        };
        let shown: Vec<usize> = (0..curve.points.len()).filter(shown).collect();
        let all = |value: &dyn Fn(usize) -> f64| shown.iter().map(|&at| value(at)).collect::<Vec<f64>>();
        let places = all(&|at| self.x.place(curve.points[at].0).unwrap_or_default());
        let mut heights = vec![all(&|at| curve.points[at].1)];
        if let Some(band) = band {
            heights.extend([all(&|at| band[at].0), all(&|at| band[at].1)]);
        }
        let heights: Vec<&[f64]> = heights.iter().map(Vec::as_slice).collect();
        let kept: Vec<usize> = thin::kept(&places, ends, &heights).into_iter().map(|at| shown[at]).collect();
        let interval = band.map(|band| Interval::Band(kept.iter().map(|&at| band[at]).collect()));
        let points = kept.iter().map(|&at| curve.points[at]).collect();
        Curve { points, interval: interval.unwrap_or(Interval::None), label: curve.label.clone(), ..*curve }
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

/// A title's lines, broken between words.
fn lines(title: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in title.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < TITLE => *line += &format!(" {word}"),
            Some(_) | None => lines.push(word.to_string()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use at_core::training::MethodName;

    #[test]
    fn a_curve_of_very_many_epochs_makes_no_picture_of_as_many_points() {
        let of = |epochs: u32| {
            let point = |epoch| (f64::from(epoch), if epoch == 77_777 { 99.0 } else { f64::from(epoch % 7) });
            let curve = Curve {
                label: "at".into(),
                look: MethodName::At.into(),
                mark: Mark::Last,
                points: (1..=epochs).map(point).collect(),
                interval: Interval::Band((1..=epochs).map(point).map(|(_, y)| (y - 1.0, y + 1.0)).collect()),
            };
            let y = Axis::linear("accuracy").within(0.0, 100.0);
            Chart { title: String::new(), x: Axis::linear("epoch"), y, curves: vec![curve], levels: Vec::new() }
        };
        let [long, endless] = [100_000, 300_000].map(|epochs| of(epochs).svg().unwrap());
        assert!(
            endless.len() < long.len() + 5000 && long.len() < 150_000,
            "{} and {} bytes",
            long.len(),
            endless.len()
        );
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
            interval: Interval::None,
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

    #[test]
    fn long_titles_are_broken_between_words() {
        assert_eq!(lines("short"), ["short"]);
        let long = lines(&"word ".repeat(20));
        assert_eq!(long.len(), 2);
        assert!(long.iter().all(|line| line.chars().count() <= TITLE));
    }

    #[test]
    fn charts_with_intervals_have_their_axes_and_lines_and_survive_odd_points() {
        let names = vec!["small".to_string(), "large".to_string()];
        type Around = fn(Vec<(f64, f64)>) -> Interval;
        let chart = |x: &Axis, points: &[(f64, f64)], around: Around| Chart {
            title: "title".into(),
            x: x.clone(),
            y: Axis::linear("beside (%)").within(0.0, 100.0),
            curves: vec![Curve {
                label: "at".into(),
                look: BLACK.into(),
                mark: Mark::Last,
                points: points.to_vec(),
                interval: around(points.iter().map(|point| (point.1 - 1.0, point.1 + 1.0)).collect()),
            }],
            levels: Vec::new(),
        };
        let odd: [&[(f64, f64)]; 5] = [
            &[],
            &[(0.0, 0.0)],
            &[(5e-9, 50.0)],
            &[(1.0, 10.0), (f64::INFINITY, 20.0), (f64::NAN, 30.0)],
            &[(1e-300, 1.0), (1e300, 2.0)],
        ];
        for x in [Axis::linear("below"), Axis::logarithmic("below").in_unit("s"), Axis::names("below", names.clone())] {
            let plain = chart(&x, &[(1.0, 10.0), (2.0, 20.0)], |_| Interval::None).svg().unwrap();
            for around in [Interval::Band as Around, Interval::Bars] {
                let svg = chart(&x, &[(1.0, 10.0), (2.0, 20.0)], around).svg().unwrap();
                for part in ["title", "below", "beside (%)", "at", "</svg>"] {
                    assert!(svg.contains(part), "{part} is not in {svg}");
                }
                assert!(svg.len() > plain.len(), "the intervals are not drawn");
                for points in odd {
                    let svg = chart(&x, points, around).svg().unwrap();
                    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
                }
            }
        }
        let named = chart(&Axis::names("below", names), &[(0.0, 10.0), (1.0, 20.0)], Interval::Bars);
        assert!(named.svg().unwrap().contains("large"));
    }
}
