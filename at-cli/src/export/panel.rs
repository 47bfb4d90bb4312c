//! One chart on a canvas: its layout from the widths of its texts, and what is drawn in which order.

mod curves;

use super::axis::Axis;
use super::canvas::{AXIS, Anchor, Canvas, FAINT, GREY, HAIR, INK, LINE, SIZE, Stroke};
use super::chart::{Chart, Curve, Zone};
use super::font;
use super::legend::{self, End, Entry, Sample};
use curves::{dodged, draw_curve, draw_interval, layered, thinned};

/// Room at the edges, and from labels to axes (points).
pub(super) const EDGE: f64 = 5.0;
const TICK: f64 = 2.5;
const GAP: f64 = 2.5;

/// Height of the plot for its sheet's width, and its ends.
const SLENDER: f64 = 0.53;
const HEIGHTS: (f64, f64) = (100.0, 215.0);

/// Names under an axis that would meet are broken into no more than so many lines. Where that is not enough they are written upwards, and
/// are no longer than this then.
const BROKEN: usize = 3;
const UPRIGHT: f64 = 92.0;

/// Where values lie on the canvas.
pub(super) struct Frame<'a> {
    x: &'a Axis,
    y: &'a Axis,
    /// Ends of the axes, as places.
    xs: (f64, f64),
    ys: (f64, f64),
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Frame<'_> {
    fn across(&self, place: f64) -> f64 {
        self.left + (place - self.xs.0) / (self.xs.1 - self.xs.0) * (self.right - self.left)
    }

    fn up(&self, place: f64) -> f64 {
        self.bottom - (place - self.ys.0) / (self.ys.1 - self.ys.0) * (self.bottom - self.top)
    }

    /// The same for a value, kept within the frame; an infinite one lies at its edge.
    fn height(&self, value: f64) -> f64 {
        let edge = if value > 0.0 { self.ys.1 } else { self.ys.0 };
        self.up(self.y.place(value).unwrap_or(edge).clamp(self.ys.0, self.ys.1))
    }

    fn at(&self, (x, y): (f64, f64)) -> Option<(f64, f64)> {
        Some((self.across(self.x.place(x)?), self.up(self.y.place(y)?)))
    }
}

/// Draws the chart from `top` on; gives where it ends.
pub(super) fn draw(canvas: &mut Canvas, chart: &Chart, top: f64) -> f64 {
    let width = canvas.width;
    let mut y = top + EDGE;
    for line in font::lines(&chart.title, SIZE, width - 2.0 * EDGE) {
        canvas.text((0.5 * width, y + font::CAPITAL * SIZE), Anchor::Middle, INK, &line);
        y += LINE;
    }
    y += if chart.title.is_empty() { 2.0 } else { 4.0 };

    let shown =
        |curve: &&Curve| curve.points.iter().any(|&(x, y)| chart.x.place(x).is_some() && chart.y.place(y).is_some());
    let curves: Vec<&Curve> = chart.curves.iter().filter(shown).collect();
    let (xs, ys) = ends(chart, &curves);
    let plot = (SLENDER * width).clamp(HEIGHTS.0, HEIGHTS.1);

    let side = font::lines(&chart.y.label, SIZE, plot + 2.0 * LINE);
    let y_ticks = spaced(&chart.y, ys, plot, |_| LINE);
    let widest = y_ticks.iter().map(|(_, text)| font::width(text, SIZE)).fold(0.0, f64::max);
    let left = EDGE + LINE * side.len() as f64 + widest + TICK + 2.0 * GAP;
    let direct = legend::direct(chart, &curves, xs, plot, width - left);
    let right = width - direct.unwrap_or(EDGE + 4.0);
    let frame = Frame { x: &chart.x, y: &chart.y, xs, ys, left, right, top: y, bottom: y + plot };

    let thinned: Vec<Curve> = curves.iter().map(|curve| thinned(chart, curve, xs)).collect();
    chart.levels.iter().filter(|level| level.high > level.low).for_each(|level| {
        canvas.rectangle([left, frame.height(level.high), right, frame.height(level.low)], INK, 0.10);
    });
    let below = axes(canvas, &frame, &y_ticks, &side);
    chart.zones.iter().enumerate().for_each(|(index, zone)| draw_zone(canvas, &frame, zone, &chart.zone_edge(index)));
    for level in chart.levels.iter().filter(|level| level.high <= level.low) {
        if (ys.0..=ys.1).contains(&chart.y.place(level.low).unwrap_or(f64::NAN)) {
            let at = frame.height(level.low);
            canvas.line(&[(left, at), (right, at)], &Stroke { colour: GREY, width: AXIS, dashes: &[3.0, 2.0] });
        }
    }
    let shifts = dodged(&thinned, &frame);
    for (curve, &shift) in thinned.iter().zip(&shifts) {
        draw_interval(canvas, &frame, curve, shift);
    }
    let mut last: Vec<Option<End>> = thinned.iter().map(|_| None).collect();
    for index in layered(&thinned) {
        let curve = &thinned[index];
        last[index] = draw_curve(canvas, &frame, curve, shifts[index]).map(|at| End { curve, at });
    }
    let last: Vec<End> = last.into_iter().flatten().collect();

    let mut entries = Vec::new();
    match direct {
        Some(_) => legend::at_ends(canvas, &last, (frame.top, frame.bottom), right),
        None => entries.extend(thinned.iter().map(|curve| {
            let sample = Sample::Curve(curve, chart.x.names.is_empty());
            Entry { label: &curve.label, sample }
        })),
    }
    entries.extend(chart.levels.iter().map(|level| Entry { label: &level.label, sample: Sample::Level(level) }));
    entries.extend(chart.zones.iter().enumerate().map(|(index, zone)| {
        let sample = Sample::Zone(zone, chart.zone_edge(index));
        Entry { label: &zone.label, sample }
    }));
    legend::below(canvas, &entries, below + 3.0) + EDGE
}

/// The ends of both axes, as places.
fn ends(chart: &Chart, curves: &[&Curve]) -> ((f64, f64), (f64, f64)) {
    let points = || curves.iter().flat_map(|curve| curve.points.iter().copied());
    let both = |(low, high): (f64, f64)| [low, high];
    let levels = chart.levels.iter().flat_map(|level| [level.low, level.high]);
    let intervals = curves.iter().flat_map(|curve| curve.interval.ends()).copied().flat_map(both);
    let zones = || chart.zones.iter().flat_map(|zone| &zone.pieces);
    let xs = chart.x.ends(points().map(|point| point.0).chain(zones().map(|piece| piece.0)));
    let expected = zones().flat_map(|piece| [piece.1, piece.2]);
    (xs, chart.y.ends(points().map(|point| point.1).chain(levels).chain(intervals).chain(expected)))
}

/// The labels of an axis that is so long, as far as they do not meet.
fn spaced(axis: &Axis, ends: (f64, f64), length: f64, size: impl Fn(&str) -> f64) -> Vec<(f64, String)> {
    let mut kept: Vec<(f64, String)> = Vec::new();
    let mut free = f64::NEG_INFINITY;
    for place in axis.ticks(ends) {
        let text = axis.text(place, ends.1 - ends.0);
        let (at, half) = ((place - ends.0) / (ends.1 - ends.0) * length, 0.5 * size(&text));
        if at - half >= free {
            free = at + half + GAP;
            kept.push((place, text));
        }
    }
    kept
}

/// Axes with their labels, and faint lines behind; gives where the labels end.
fn axes(canvas: &mut Canvas, frame: &Frame, y_ticks: &[(f64, String)], side: &[String]) -> f64 {
    let Frame { left, right, top, bottom, .. } = *frame;
    let (ink, faint) = (Stroke::solid(INK, AXIS), Stroke::solid(FAINT, HAIR));
    for (place, text) in y_ticks {
        let y = frame.up(*place);
        canvas.line(&[(left, y), (right, y)], &faint);
        canvas.line(&[(left - TICK, y), (left, y)], &ink);
        canvas.text((left - TICK - GAP, y + 0.5 * font::CAPITAL * SIZE), Anchor::End, INK, text);
    }
    let length = right - left;
    let named = !frame.x.names.is_empty();
    let slot = length / frame.x.names.len().max(1) as f64;
    let widest = frame.x.names.iter().map(|name| font::width(name, SIZE)).fold(0.0, f64::max);
    let broken = |name: &str| font::broken(name, SIZE, slot - GAP).filter(|lines| lines.len() <= BROKEN);
    let upright = named && frame.x.names.iter().any(|name| broken(name).is_none());
    let x_ticks = match (named, upright) {
        (true, false) => spaced(frame.x, frame.xs, length, |_| 0.0), // each within its place
        (true, true) => spaced(frame.x, frame.xs, length, |_| LINE),
        (false, _) => spaced(frame.x, frame.xs, length, |text| font::width(text, SIZE)),
    };
    let mut rows = 1;
    let mut below = bottom + TICK + GAP;
    for (place, text) in &x_ticks {
        let x = frame.across(*place);
        if !named {
            canvas.line(&[(x, top), (x, bottom)], &faint);
        }
        canvas.line(&[(x, bottom), (x, bottom + TICK)], &ink);
        if upright {
            let short = font::shortened(text, SIZE, UPRIGHT);
            canvas.upwards((x + 0.5 * font::CAPITAL * SIZE, below), Anchor::End, &short);
        } else {
            let lines = if named { broken(text).unwrap_or_default() } else { vec![text.clone()] };
            for (row, line) in lines.iter().enumerate() {
                let half = 0.5 * font::width(line, SIZE);
                let middle = x.min(canvas.width - half - 1.0).max(half + 1.0); // not beyond the picture
                let at = (middle, below + font::CAPITAL * SIZE + LINE * row as f64);
                canvas.text(at, Anchor::Middle, INK, line);
            }
            rows = rows.max(lines.len());
        }
    }
    below += if upright { widest.min(UPRIGHT) + GAP } else { LINE * rows as f64 };
    canvas.line(&[(left, top), (left, bottom), (right, bottom)], &ink);
    for line in font::lines(&frame.x.label, SIZE, canvas.width - 2.0 * EDGE) {
        // beside the plot where that is wide enough, else on the whole sheet
        let half = 0.5 * font::width(&line, SIZE);
        let middle = (0.5 * (left + right)).clamp(EDGE + half, (canvas.width - EDGE - half).max(EDGE + half));
        canvas.text((middle, below + font::CAPITAL * SIZE), Anchor::Middle, INK, &line);
        below += LINE;
    }
    for (row, line) in side.iter().enumerate() {
        let half = 0.5 * font::width(line, SIZE);
        let middle = (0.5 * (top + bottom)).max(top - LINE + half);
        let x = EDGE + font::CAPITAL * SIZE + LINE * row as f64;
        canvas.upwards((x, middle), Anchor::Middle, line);
    }
    below
}

fn draw_zone(canvas: &mut Canvas, frame: &Frame, zone: &Zone, edge: &Stroke) {
    let places: Vec<(f64, f64, f64)> = zone
        .pieces
        .iter()
        .filter_map(|&(x, low, high)| Some((frame.across(frame.x.place(x)?), frame.height(low), frame.height(high))))
        .collect();
    let bounded = |value: fn(&(f64, f64, f64)) -> f64| zone.pieces.iter().any(|piece| value(piece).is_finite());
    let (has_low, has_high) = (bounded(|piece| piece.1), bounded(|piece| piece.2));
    let apart = frame.x.names.is_empty() && places.len() > 1;
    let mut fill = |low: &[(f64, f64)], high: &[(f64, f64)]| {
        let outline: Vec<_> = low.iter().copied().chain(high.iter().rev().copied()).collect();
        canvas.polygon(&outline, zone.colour, 0.13);
        if has_low {
            canvas.line(low, edge);
        }
        if has_high {
            canvas.line(high, edge);
        }
    };
    if apart {
        let low: Vec<_> = places.iter().map(|&(x, low, _)| (x, low)).collect();
        let high: Vec<_> = places.iter().map(|&(x, _, high)| (x, high)).collect();
        return fill(&low, &high);
    }
    let half = match frame.x.names.len() {
        0 => 0.03 * (frame.right - frame.left),
        count => 0.42 * (frame.right - frame.left) / count as f64,
    };
    for (x, low, high) in places {
        let (from, to) = ((x - half).max(frame.left), (x + half).min(frame.right));
        fill(&[(from, low), (to, low)], &[(from, high), (to, high)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_would_meet_are_left_out() {
        let axis = Axis::linear("").labelled((0..100).map(f64::from).collect());
        let kept = spaced(&axis, (0.0, 99.0), 100.0, |text| font::width(text, SIZE));
        assert!((3..20).contains(&kept.len()), "{kept:?}");
    }
}
