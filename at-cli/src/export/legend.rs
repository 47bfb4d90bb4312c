//! What curves are called: at their ends where there is room, else below the chart.

use super::canvas::{AXIS, Anchor, CURVE, Canvas, GREY, INK, LINE, SIZE, Stroke};
use super::chart::{Chart, Curve, Level, Mark, Zone};
use super::font;
use super::panel::EDGE;

/// Length of the line in front of a name, and room behind both (points).
const SAMPLE: f64 = 14.0;
const GAP: f64 = 4.0;
const APART: f64 = 10.0;

/// Names at the ends of curves take no more than this share of the width, and are no more than so many.
const SHARE: f64 = 0.34;
const MOST: usize = 8;

/// Curves end together where their ends differ by no more than this share of the axis.
const TOGETHER: f64 = 0.1;

/// From name to name at the ends of curves.
const STEP: f64 = 0.92 * LINE;

/// A line of the legend.
pub(super) struct Entry<'a> {
    pub label: &'a str,
    pub sample: Sample<'a>,
}

/// What stands in front of a name.
pub(super) enum Sample<'a> {
    /// With its line, where there is one.
    Curve(&'a Curve, bool),
    Level(&'a Level),
    /// With the line at its ends.
    Zone(&'a Zone, Stroke),
}

/// Where a curve ends on the canvas.
pub(super) struct End<'a> {
    pub curve: &'a Curve,
    pub at: (f64, f64),
}

/// The room for names at the ends of `curves`, if they can stand there: few short names, and curves that end together.
pub(super) fn direct(chart: &Chart, curves: &[&Curve], xs: (f64, f64), height: f64, width: f64) -> Option<f64> {
    let widest = curves.iter().map(|curve| font::width(&curve.label, SIZE)).fold(0.0, f64::max);
    let lasts = || {
        let shown = |curve: &&&Curve| {
            let places = curve.points.iter().filter(|point| chart.y.place(point.1).is_some());
            places.filter_map(|point| chart.x.place(point.0)).next_back()
        };
        curves.iter().filter_map(move |curve| shown(&curve))
    };
    let (first, last) = lasts().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let span = xs.1 - xs.0;
    let fits = chart.x.names.is_empty()
        && !curves.is_empty()
        && curves.len() <= MOST.min((height / STEP) as usize)
        && widest + GAP <= SHARE * width
        && xs.1 - first <= TOGETHER * span
        && last - first <= TOGETHER * span;
    fits.then_some(widest + GAP + EDGE + 3.0)
}

/// Names at the ends of curves, moved apart where they would meet.
pub(super) fn at_ends(canvas: &mut Canvas, ends: &[End], (top, bottom): (f64, f64), right: f64) {
    let mut order: Vec<usize> = (0..ends.len()).collect();
    order.sort_by(|&a, &b| ends[a].at.1.total_cmp(&ends[b].at.1));
    let wished: Vec<f64> = order.iter().map(|&index| ends[index].at.1).collect();
    for (&index, y) in order.iter().zip(apart(&wished, STEP, (top, bottom))) {
        let End { curve, at } = &ends[index];
        let from = right + 3.0;
        if (y - at.1).abs() > 2.0 || from - at.0 > 8.0 {
            let thread = Stroke { dashes: &[0.6, 1.0], ..Stroke::solid(curve.look.colour, 0.4) };
            canvas.line(&[(at.0 + 2.5, at.1), (from - 0.5, y)], &thread);
        }
        canvas.text((from, y + 0.5 * font::CAPITAL * SIZE), Anchor::Start, legible(curve), &curve.label);
    }
}

/// The colour of a curve where a text of it can be read on white.
fn legible(curve: &Curve) -> super::canvas::Colour {
    let [red, green, blue] = curve.look.colour.map(f64::from);
    let bright = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    if bright < 165.0 { curve.look.colour } else { INK }
}

/// Places near `wished` ones, which are in order, that are `step` apart and within these ends where there is room.
fn apart(wished: &[f64], step: f64, (low, high): (f64, f64)) -> Vec<f64> {
    // groups of names that touch, each at the mean of what its names wish
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for &wish in wished {
        groups.push((wish, 1));
        while let [.., (above, many), (below, few)] = groups[..] {
            if below - above >= 0.5 * step * (many + few) as f64 {
                break;
            }
            let (many_f, few_f) = (many as f64, few as f64);
            groups.pop();
            groups.pop();
            groups.push(((many_f * above + few_f * below) / (many_f + few_f), many + few));
        }
    }
    let mut places: Vec<f64> = Vec::new();
    for (middle, count) in groups {
        let half = 0.5 * step * (count - 1) as f64;
        let middle = middle.clamp((low + half).min(high - half), (high - half).max(low + half));
        places.extend((0..count).map(|k| middle - half + step * k as f64));
    }
    for k in 1..places.len() {
        places[k] = places[k].max(places[k - 1] + step);
    }
    places
}

/// The legend below a chart, in as many rows as it takes; gives where it ends.
pub(super) fn below(canvas: &mut Canvas, entries: &[Entry], top: f64) -> f64 {
    let most = canvas.width - 2.0 * EDGE;
    let (mut x, mut y) = (EDGE + GAP, top);
    let start = x;
    for Entry { label, sample } in entries {
        let lines = font::lines(label, SIZE, most - SAMPLE - 2.0 * GAP);
        let width = SAMPLE + GAP + lines.iter().map(|line| font::width(line, SIZE)).fold(0.0, f64::max);
        if x > start && x + width > EDGE + most {
            (x, y) = (start, y + LINE);
        }
        let middle = y + 0.5 * font::CAPITAL * SIZE;
        draw_sample(canvas, sample, (x, middle));
        for (row, line) in lines.iter().enumerate() {
            let at = (x + SAMPLE + GAP, y + font::CAPITAL * SIZE + LINE * row as f64);
            canvas.text(at, Anchor::Start, INK, line);
        }
        if lines.len() > 1 {
            (x, y) = (start, y + LINE * lines.len() as f64);
        } else {
            x += width + APART;
        }
    }
    if x > start { y + LINE } else { y }
}

fn draw_sample(canvas: &mut Canvas, sample: &Sample, (x, y): (f64, f64)) {
    match sample {
        Sample::Curve(curve, joined) => {
            if *joined && curve.mark != Mark::Points {
                canvas.line(&[(x, y), (x + SAMPLE, y)], &curve.look.stroke(CURVE));
            }
            if curve.mark != Mark::None || !joined {
                curve.look.mark(canvas, (x + 0.5 * SAMPLE, y), curve.mark != Mark::Hollow);
            }
        }
        Sample::Level(level) if level.high > level.low => {
            canvas.rectangle([x, y - 2.5, x + SAMPLE, y + 2.5], INK, 0.10);
        }
        Sample::Level(_) => {
            canvas.line(&[(x, y), (x + SAMPLE, y)], &Stroke { colour: GREY, width: AXIS, dashes: &[3.0, 2.0] });
        }
        Sample::Zone(zone, edge) => {
            let wide = zone.pieces.iter().any(|(_, low, high)| low < high);
            if wide {
                canvas.rectangle([x, y - 2.5, x + SAMPLE, y + 2.5], zone.colour, 0.13);
            }
            let at = if wide { y + 2.5 } else { y };
            canvas.line(&[(x, at), (x + SAMPLE, at)], edge);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_meet_move_apart_and_stay_near_their_curves() {
        assert_eq!(apart(&[10.0, 50.0], 8.0, (0.0, 100.0)), [10.0, 50.0]);
        assert_eq!(apart(&[50.0, 50.0, 50.0], 8.0, (0.0, 100.0)), [42.0, 50.0, 58.0]);
        for wished in [&[0.0, 0.0, 1.0][..], &[99.0, 99.5, 100.0, 100.0], &[3.0, 40.0, 41.0, 90.0], &[]] {
            let places = apart(wished, 8.0, (0.0, 100.0));
            assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= 8.0 - 1e-9), "{places:?}");
            assert!(places.iter().all(|place| (0.0..=100.0).contains(place)), "{places:?}");
        }
    }
}
