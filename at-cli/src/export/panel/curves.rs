//! Curves in a frame, with their bands and error bars.

use super::super::canvas::{CURVE, Canvas, Stroke};
use super::super::chart::{Chart, Curve, Interval, Mark};
use super::super::thin;
use super::Frame;
use at_core::training::methods::Dash;

/// Half the width of the caps of error bars, the width of their lines, and how far those of one place stand apart.
const CAP: f64 = 1.7;
const BAR: f64 = 0.8;
const DODGE: f64 = 4.6;

/// How far each curve stands aside, so that error bars of one place do not lie on each other.
pub(super) fn dodged(curves: &[Curve], frame: &Frame) -> Vec<f64> {
    let named = !frame.x.names.is_empty();
    let aside = |curve: &Curve| named || matches!(curve.interval, Interval::Bars(_));
    let count = curves.iter().filter(|curve| aside(curve)).count();
    let mut places: Vec<f64> = curves
        .iter()
        .flat_map(|curve| &curve.points)
        .filter_map(|point| Some(frame.across(frame.x.place(point.0)?)))
        .collect();
    places.sort_by(f64::total_cmp);
    let gaps = places.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > 0.01);
    let gap = gaps.fold(if named { f64::INFINITY } else { frame.right - frame.left }, f64::min);
    let slot = if named { (frame.right - frame.left) / frame.x.names.len() as f64 } else { gap };
    let step = DODGE.min(0.7 * slot / count.max(1) as f64);
    let mut index = 0.0;
    let mut shift = |curve: &Curve| {
        if count < 2 || !aside(curve) {
            return 0.0;
        }
        index += 1.0;
        step * (index - 0.5 * (count as f64 + 1.0))
    };
    curves.iter().map(&mut shift).collect()
}

/// Draws what a curve's points are surrounded by.
pub(super) fn draw_interval(canvas: &mut Canvas, frame: &Frame, curve: &Curve, shift: f64) {
    let colour = curve.look.colour;
    let ends: Vec<(f64, f64, f64)> = curve
        .points
        .iter()
        .zip(curve.interval.ends())
        .filter_map(|(&(x, y), &(low, high))| {
            frame.at((x, y))?;
            Some((frame.across(frame.x.place(x)?) + shift, frame.height(low), frame.height(high)))
        })
        .collect();
    match curve.interval {
        Interval::None => {}
        Interval::Band(_) if ends.iter().all(|(_, low, high)| low <= high) => {}
        Interval::Band(_) => {
            let upper = ends.iter().map(|&(x, _, high)| (x, high));
            let outline: Vec<_> = upper.chain(ends.iter().rev().map(|&(x, low, _)| (x, low))).collect();
            canvas.polygon(&outline, colour, 0.11);
        }
        Interval::Bars(_) => {
            let stroke = Stroke::solid(colour, BAR);
            for (x, low, high) in ends {
                canvas.line(&[(x, low), (x, high)], &stroke);
                canvas.line(&[(x - CAP, low), (x + CAP, low)], &stroke);
                canvas.line(&[(x - CAP, high), (x + CAP, high)], &stroke);
            }
        }
    }
}

/// The numbers of the curves in the order in which they are drawn: where two run together, the dashes of one lie on the line of the other,
/// and points without a line lie on both.
pub(super) fn layered(curves: &[Curve]) -> Vec<usize> {
    let layer = |curve: &Curve| match (curve.mark, curve.look.dash) {
        (Mark::Points, _) => 3,
        (_, Dash::Solid) => 0,
        (_, Dash::Dashed) => 1,
        (_, Dash::Dotted | Dash::DashDotted) => 2,
    };
    let mut order: Vec<usize> = (0..curves.len()).collect();
    order.sort_by_key(|&index| layer(&curves[index]));
    order
}

/// Draws the line and its marks; gives its last point.
pub(super) fn draw_curve(canvas: &mut Canvas, frame: &Frame, curve: &Curve, shift: f64) -> Option<(f64, f64)> {
    let points: Vec<(f64, f64)> =
        curve.points.iter().filter_map(|&point| frame.at(point)).map(|(x, y)| (x + shift, y)).collect();
    let inside = |&&(_, y): &&(f64, f64)| (frame.top - 0.01..=frame.bottom + 0.01).contains(&y);
    if frame.x.names.is_empty() && curve.mark != Mark::Points {
        for piece in clipped(&points, frame.top, frame.bottom) {
            canvas.line(&piece, &curve.look.stroke(CURVE));
        }
    }
    let mark = if points.len() == 1 && curve.mark == Mark::None { Mark::Filled } else { curve.mark };
    let marked = match mark {
        Mark::None => &points[..0],
        Mark::Last => &points[points.len().saturating_sub(1)..],
        Mark::Filled | Mark::Hollow | Mark::Points => &points[..],
    };
    marked.iter().filter(inside).for_each(|&at| curve.look.mark(canvas, at, mark != Mark::Hollow));
    points.last().map(|&(x, y)| (x, y.clamp(frame.top, frame.bottom)))
}

/// The pieces of a line between two heights.
fn clipped(points: &[(f64, f64)], top: f64, bottom: f64) -> Vec<Vec<(f64, f64)>> {
    let mut pieces: Vec<Vec<(f64, f64)>> = Vec::new();
    for pair in points.windows(2) {
        let [(x0, y0), (x1, y1)] = [pair[0], pair[1]];
        let share = |height: f64| if y1 == y0 { 0.0 } else { (height - y0) / (y1 - y0) };
        let (mut from, mut to) = (0.0_f64, 1.0_f64);
        for (edge, outside_first, outside_last) in [(top, y0 < top, y1 < top), (bottom, y0 > bottom, y1 > bottom)] {
            match (outside_first, outside_last) {
                (true, true) => to = -1.0,
                (true, false) => from = from.max(share(edge)),
                (false, true) => to = to.min(share(edge)),
                (false, false) => {}
            }
        }
        if from > to {
            continue;
        }
        let at = |share: f64| (x0 + share * (x1 - x0), y0 + share * (y1 - y0));
        match pieces.last_mut().filter(|piece| from == 0.0 && piece.last() == Some(&(x0, y0))) {
            Some(piece) => piece.push(at(to)),
            None => pieces.push(vec![at(from), at(to)]),
        }
    }
    pieces
}

/// Those points of a curve, and of its band, that make its picture between these ends of the axis below.
pub(super) fn thinned(chart: &Chart, curve: &Curve, ends: (f64, f64)) -> Curve {
    let shown = |&at: &usize| {
        let (x, y) = curve.points[at];
        chart.x.place(x).is_some() && chart.y.place(y).is_some()
    };
    let band = match &curve.interval {
        Interval::None => None,
        Interval::Band(band) => Some(band),
        Interval::Bars(_) => return curve.clone(),
    };
    let shown: Vec<usize> = (0..curve.points.len()).filter(shown).collect();
    let all = |value: &dyn Fn(usize) -> f64| shown.iter().map(|&at| value(at)).collect::<Vec<f64>>();
    let places = all(&|at| chart.x.place(curve.points[at].0).unwrap_or_default());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_leaves_the_frame_ends_at_its_edge() {
        let points = [(0.0, 5.0), (1.0, 15.0), (2.0, 5.0), (3.0, 5.0)];
        let pieces = clipped(&points, 0.0, 10.0);
        assert_eq!(pieces, [vec![(0.0, 5.0), (0.5, 10.0)], vec![(1.5, 10.0), (2.0, 5.0), (3.0, 5.0)]]);
        assert_eq!(clipped(&[(0.0, -1.0), (1.0, -2.0)], 0.0, 10.0), Vec::<Vec<_>>::new());
        assert_eq!(clipped(&[(0.0, -10.0), (1.0, 20.0)], 0.0, 10.0).len(), 1);
    }
}
