//! `accuracy.svg`, or the picture of another score: the chip's on the test samples over the epochs, all methods.

use super::metrics::Row;
use crate::export::chart::{Axis, Chart, Curve, Interval, Mark};
use anyhow::Result;
use at_core::training::{MethodName, Score};

/// Every training in `rows`: its method, its chip, and what it is called where a method has several chips.
pub fn trainings(methods: &[MethodName], rows: &[Row]) -> Vec<(MethodName, u64, String)> {
    let of = |&method: &MethodName| {
        let first = rows.iter().filter(|row| row.method == method && row.epoch == 1);
        let chips: Vec<u64> = first.map(|row| row.chip_seed).collect();
        let alone = chips.len() == 1;
        let label = move |chip| if alone { method.to_string() } else { format!("{method}, chip {chip}") };
        chips.into_iter().map(move |chip| (method, chip, label(chip)))
    };
    methods.iter().flat_map(of).collect()
}

/// The file of the picture of `score`.
pub fn file(score: Score) -> &'static str {
    match score {
        Score::Accuracy => "accuracy.svg",
        Score::RSquared => "r-squared.svg",
        Score::MeanSquareError => "mean-square-error.svg",
    }
}

/// What stands beside the axis of `score`.
pub fn axis_name(score: Score) -> &'static str {
    match score {
        Score::Accuracy => "test accuracy of the chip (%)",
        Score::RSquared => "R² of the chip on test samples",
        Score::MeanSquareError => "mean square error of the chip on test samples",
    }
}

/// The ends of that axis, in its unit, around these values: an accuracy has its own, R² ends at 1, an error is seldom worse than
/// at first.
pub fn ends(score: Score, values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|value| value.is_finite());
    match score {
        Score::Accuracy => (0.0, 100.0),
        // far below 0 nothing is learned, and one such point would flatten all others
        Score::RSquared => (finite.fold(0.0, f64::min).max(-1.0), 1.0),
        Score::MeanSquareError => (0.0, finite.fold(0.0, f64::max).max(f64::MIN_POSITIVE) * 1.05),
    }
}

/// The axis of `score` for these rows.
pub fn axis(score: Score, rows: &[Row]) -> Axis {
    let (low, high) = ends(score, rows.iter().map(|row| score.in_unit(row.test_score)));
    Axis::linear(axis_name(score)).within(low, high)
}

/// Draws the rows of `methods` as an SVG picture.
pub fn scores(title: &str, score: Score, methods: &[MethodName], rows: &[Row]) -> Result<String> {
    let curve = |(method, chip, label)| {
        let points = rows.iter().filter(|row| (row.method, row.chip_seed) == (method, chip));
        let points = points.map(|row| (row.epoch as f64, score.in_unit(row.test_score))).collect();
        Curve { label, look: method.into(), mark: Mark::Last, points, interval: Interval::None }
    };
    let last = rows.iter().map(|row| row.epoch).max().unwrap_or(1);
    let chart = Chart {
        title: title.to_string(),
        x: Axis::linear("epoch").within(0.0, 1.02 * last as f64),
        y: axis(score, rows),
        curves: trainings(methods, rows).into_iter().map(curve).collect(),
        levels: Vec::new(),
    };
    chart.svg()
}
