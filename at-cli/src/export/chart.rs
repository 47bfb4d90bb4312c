//! Charts with labelled axes: curves with or without intervals, names in a row, and what both are compared with.

pub use super::axis::{Axis, angle};
use super::canvas::{AXIS, Canvas, Colour, Stroke};
use super::look::Look;
use super::marks::Picture;
use super::panel;
use super::sheet::Sheet;

/// A line through points.
#[derive(Clone, Debug)]
pub struct Curve {
    /// What it is, at its end or in the legend.
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
    pub(super) fn ends(&self) -> &[(f64, f64)] {
        match self {
            Interval::None => &[],
            Interval::Band(ends) | Interval::Bars(ends) => ends,
        }
    }
}

/// How points are marked, and whether a line joins them. A single point is always marked; names in a row are never joined.
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
    /// Filled, without a line.
    Points,
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

/// Where values are expected: a range at every x. An infinite end is that of the axis.
#[derive(Clone, Debug)]
pub struct Zone {
    /// What it is, in the legend.
    pub label: String,
    /// Of what is expected there.
    pub colour: Colour,
    /// x, and the ends of its range.
    pub pieces: Vec<(f64, f64, f64)>,
}

/// A chart.
#[derive(Clone, Debug, Default)]
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
    /// Where they are expected.
    pub zones: Vec<Zone>,
}

impl Chart {
    /// How the ends of zone number `index` are drawn: those of one colour are told apart by their dashes.
    pub(super) fn zone_edge(&self, index: usize) -> Stroke {
        const DASHES: [&[f64]; 5] = [&[1.2, 1.6], &[4.5, 1.8], &[4.5, 1.4, 1.2, 1.4], &[8.0, 2.0], &[]];
        let zone = &self.zones[index];
        let before = self.zones[..index].iter().filter(|other| other.colour == zone.colour).count();
        Stroke { colour: zone.colour, width: AXIS, dashes: DASHES[before % DASHES.len()] }
    }

    /// The chart as a picture.
    pub fn picture(&self, sheet: Sheet) -> Picture {
        stacked(std::slice::from_ref(self), sheet)
    }
}

/// Charts below each other as one picture.
pub fn stacked(charts: &[Chart], sheet: Sheet) -> Picture {
    let mut canvas = Canvas::new(sheet.width);
    let height = charts.iter().fold(0.0, |top, chart| panel::draw(&mut canvas, chart, top));
    canvas.finish(height, sheet)
}

#[cfg(test)]
mod tests {
    use super::super::canvas::INK;
    use super::*;
    use at_core::training::MethodName;
    use at_core::training::methods::Dash;

    fn drawn(chart: &Chart) -> String {
        chart.picture(Sheet::default()).svg()
    }

    fn curve(label: &str, mark: Mark, points: &[(f64, f64)]) -> Curve {
        let label = label.to_string();
        Curve { label, look: INK.into(), mark, points: points.to_vec(), interval: Interval::None }
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
                interval: Interval::Band((1..=epochs).map(point).map(|(_, y)| (y - 1.0, y + 1.0)).collect()),
            };
            let y = Axis::linear("accuracy").within(0.0, 100.0);
            Chart { x: Axis::linear("epoch"), y, curves: vec![curve], ..Chart::default() }
        };
        let [long, endless] = [100_000, 300_000].map(|epochs| drawn(&of(epochs)));
        assert!(
            endless.len() < long.len() + 5000 && long.len() < 150_000,
            "{} and {} bytes",
            long.len(),
            endless.len()
        );
        let without = |mut chart: Chart| {
            chart.curves[0].points.iter_mut().for_each(|point| point.1 = point.1.min(6.0));
            drawn(&chart)
        };
        assert_ne!(long, without(of(100_000)), "one epoch that stands out is seen");
    }

    #[test]
    fn everything_that_is_said_is_in_the_picture() {
        let level = |high| Level { label: format!("up to {high}"), low: 0.1, high };
        let chart = Chart {
            title: "a title".into(),
            x: Axis::linear("epoch"),
            y: Axis::logarithmic("time (s)"),
            curves: vec![curve("at, measured", Mark::Hollow, &[(1.0, 1e-3), (10.0, 1.0), (100.0, 0.0)])],
            levels: vec![level(0.1), level(0.4)],
            zones: vec![Zone { label: "expected".into(), colour: INK, pieces: vec![(10.0, 0.5, f64::INFINITY)] }],
        };
        let svg = drawn(&chart);
        for text in ["a title", "epoch", "time (s)", "at, measured", "up to 0.1", "up to 0.4", "expected", "<circle"] {
            assert!(svg.contains(text), "{text}");
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }

    #[test]
    fn the_legend_names_what_is_drawn_and_nothing_else() {
        let never = curve("never read", Mark::Last, &[(0.0, 1.0), (f64::NAN, 2.0)]);
        let read = curve("read", Mark::Last, &[(1.0, 1.0), (10.0, 2.0)]);
        let x = Axis::logarithmic("values read");
        let svg = drawn(&Chart { x, y: Axis::linear("accuracy"), curves: vec![never, read], ..Chart::default() });
        assert!(svg.contains(">read<") && !svg.contains("never read"), "{svg}");
    }

    #[test]
    fn slow_curves_have_no_stairs() {
        let slow =
            curve("slow", Mark::None, &(0..200).map(|k| (f64::from(k), f64::from(k) * 1e-3)).collect::<Vec<_>>());
        let y = Axis::linear("y").within(0.0, 4.0);
        let svg = drawn(&Chart { x: Axis::linear("x"), y, curves: vec![slow], ..Chart::default() });
        let line = svg.split("d=\"").filter(|path| path.matches('L').count() > 100).last().unwrap();
        let heights: std::collections::BTreeSet<&str> = line
            .split('"')
            .next()
            .unwrap()
            .split(['M', 'L'])
            .skip(1)
            .filter_map(|point| point.split(' ').nth(1))
            .collect();
        assert!(heights.len() > 150, "{} heights on the way of 200 points", heights.len());
    }

    #[test]
    fn error_bars_have_caps_and_do_not_lie_on_each_other() {
        let bars = |label: &str| Curve {
            interval: Interval::Bars(vec![(1.0, 3.0), (2.0, 4.0)]),
            ..curve(label, Mark::Filled, &[(0.0, 2.0), (1.0, 3.0)])
        };
        let both = vec![bars("one"), bars("other")];
        let svg = drawn(&Chart { x: Axis::linear("x"), y: Axis::linear("y"), curves: both, ..Chart::default() });
        let vertical = svg.split("<path d=\"M").skip(1).filter_map(|path| {
            let points: Vec<&str> = path.split('"').next()?.split('L').collect();
            let [from, to] = points[..] else { return None };
            let (x, other) = (from.split(' ').next()?, to.split(' ').next()?);
            (x == other && path.contains("stroke-width=\"0.8\"")).then(|| x.to_string())
        });
        let places: Vec<String> = vertical.collect();
        let distinct: std::collections::BTreeSet<&String> = places.iter().collect();
        assert_eq!((places.len(), distinct.len()), (4, 4), "{places:?} in {svg}");
        let caps = svg.split("<path d=\"M").filter(|path| path.matches('L').count() == 1).count();
        assert!(caps >= 3 * 4, "a bar has a cap at each end");
    }

    #[test]
    fn two_ranges_that_are_expected_of_one_method_do_not_look_alike() {
        let zone = |label: &str, low| Zone {
            label: label.to_string(),
            colour: [213, 94, 0],
            pieces: vec![(0.0, low, f64::INFINITY), (1.0, low, f64::INFINITY)],
        };
        let zones = vec![zone("within 2 points", 1.0), zone("above the other", 1.5)];
        let curves = vec![curve("at", Mark::None, &[(0.0, 1.0), (1.0, 2.0)])];
        let chart = Chart { x: Axis::linear("x"), y: Axis::linear("y"), curves, zones, ..Chart::default() };
        let svg = drawn(&chart);
        for dashes in ["1.2 1.6", "4.5 1.8"] {
            let edge = format!(
                "stroke=\"#d55e00\" stroke-width=\"0.6\" stroke-linejoin=\"round\" stroke-dasharray=\"{dashes}\""
            );
            assert_eq!(svg.matches(&edge).count(), 2, "once in the chart and once in its legend: {svg}");
        }
    }

    #[test]
    fn a_range_without_width_is_a_line_in_the_legend_too() {
        let of = |high| {
            let zone = Zone { label: "expected".to_string(), colour: [0, 0, 255], pieces: vec![(0.0, 1.0, high)] };
            let curves = vec![curve("at", Mark::Filled, &[(0.0, 1.0)])];
            drawn(&Chart { x: Axis::linear("x"), y: Axis::linear("y"), curves, zones: vec![zone], ..Chart::default() })
        };
        let filled = |svg: &str| svg.matches("<rect").count();
        assert_eq!(filled(&of(2.0)), filled(&of(1.0)) + 1);
    }

    #[test]
    fn dashes_lie_on_the_line_that_they_run_together_with() {
        let both = [(0.0, 1.0), (1.0, 2.0)];
        let of = |dash| Curve { look: Look { dash, ..INK.into() }, ..curve("c", Mark::None, &both) };
        let curves = [Dash::Dotted, Dash::Dashed, Dash::Solid].map(of).to_vec();
        let svg = drawn(&Chart { x: Axis::linear("x"), y: Axis::linear("y"), curves, ..Chart::default() });
        let plot = &svg[..svg.find(">c</text>").unwrap_or(svg.len())];
        let lines: Vec<&str> = plot.split("<path").filter(|path| path.contains("stroke-width=\"1.1\"")).collect();
        let dashes = |line: &&str| line.contains("stroke-dasharray");
        assert_eq!(lines.iter().take(3).map(dashes).collect::<Vec<_>>(), [false, true, true], "{lines:?}");
        assert!(lines[1].contains("\"4.5 2.2\"") && lines[2].contains("\"1.2 1.6\""), "{lines:?}");
    }

    #[test]
    fn names_that_are_too_long_for_their_place_are_broken_before_they_stand_upright() {
        let chart = |names: &[&str]| Chart {
            x: Axis::names("network", names.iter().map(|name| (*name).to_string()).collect()),
            y: Axis::linear("y"),
            curves: vec![curve("at", Mark::Filled, &[(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)])],
            ..Chart::default()
        };
        let broken = drawn(&chart(&["bank:in-64-out", "bank:in-64-64-out", "matrix:in-64-64-64-64-64-out"]));
        assert!(broken.contains(">bank:in-64-out<") && !broken.contains(">matrix:in-64-64-64-64-64-out<"), "{broken}");
        assert_eq!(broken.matches("rotate(-90").count(), 1, "only the name of the axis stands upright: {broken}");
        let upright = drawn(&chart(&["averylongnamewithoutanyplacetobreak", "b", "c"]));
        assert_eq!(upright.matches("rotate(-90").count(), 4, "{upright}");
    }

    #[test]
    fn categories_are_points_and_not_a_line() {
        let names = ["small", "middle", "large"].map(String::from).to_vec();
        let points = [(0.0, 10.0), (1.0, 20.0), (2.0, 15.0)];
        let chart =
            |x| Chart { x, y: Axis::linear("y"), curves: vec![curve("at", Mark::Filled, &points)], ..Chart::default() };
        let joined = |svg: &str| svg.contains("stroke-width=\"1.1\"");
        let named = drawn(&chart(Axis::names("size", names)));
        assert!(named.contains("large") && !joined(&named), "{named}");
        assert!(joined(&drawn(&chart(Axis::linear("size")))));
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
                interval: around(points.iter().map(|point| (point.1 - 1.0, point.1 + 1.0)).collect()),
                ..curve("at", Mark::Last, points)
            }],
            ..Chart::default()
        };
        let odd: [&[(f64, f64)]; 5] = [
            &[],
            &[(0.0, 0.0)],
            &[(5e-9, 50.0)],
            &[(1.0, 10.0), (f64::INFINITY, 20.0), (f64::NAN, 30.0)],
            &[(1e-300, 1.0), (1e300, 2.0)],
        ];
        for x in [Axis::linear("below"), Axis::logarithmic("below").in_unit("s"), Axis::names("below", names.clone())] {
            let plain = drawn(&chart(&x, &[(1.0, 10.0), (2.0, 20.0)], |_| Interval::None));
            for around in [Interval::Band as Around, Interval::Bars] {
                let svg = drawn(&chart(&x, &[(1.0, 10.0), (2.0, 20.0)], around));
                for part in ["title", "below", "beside (%)", "at", "</svg>"] {
                    assert!(svg.contains(part), "{part} is not in {svg}");
                }
                assert!(svg.len() > plain.len(), "the intervals are not drawn");
                for points in odd {
                    let svg = drawn(&chart(&x, points, around));
                    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
                }
            }
        }
    }
}
