//! `accuracy.svg`, or the picture of another score: the chip's on the test samples over the epochs, all methods.

use super::metrics::Row;
use crate::export::chart::{Axis, Chart, Curve, Interval, Mark};
use crate::export::look::Look;
use at_core::training::{MethodName, Score};

/// A training that has a curve.
pub struct Training {
    /// Its method.
    pub method: MethodName,
    /// Its chip.
    pub chip: u64,
    /// What it is called: with its chip where a method has several.
    pub label: String,
    /// The method's, with dashes and marks by the chip where a method has several.
    pub look: Look,
}

impl Training {
    /// Whether this is a row of it.
    pub fn has(&self, row: &Row) -> bool {
        (row.method, row.chip_seed) == (self.method, self.chip)
    }
}

/// Every training in `rows`.
pub fn trainings(methods: &[MethodName], rows: &[Row]) -> Vec<Training> {
    let of = |&method: &MethodName| {
        let first = rows.iter().filter(|row| row.method == method && row.epoch == 1);
        let chips: Vec<u64> = first.map(|row| row.chip_seed).collect();
        let alone = chips.len() == 1;
        chips.into_iter().enumerate().map(move |(index, chip)| {
            let own = Look::from(method);
            let (label, look) = match alone {
                true => (method.to_string(), own),
                false => (format!("{method}, chip {chip}"), Look { colour: own.colour, ..Look::nth(index) }),
            };
            Training { method, chip, label, look }
        })
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

/// The axis of `score` for these values, in its unit: an accuracy from 0 to 100 only where it spans most of that, R² up to 1, and an
/// error logarithmic where it spans decades.
pub fn axis(score: Score, values: impl Iterator<Item = f64>) -> Axis {
    let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    let axis = Axis::linear(axis_name(score));
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low > high {
        return axis;
    }
    match score {
        Score::Accuracy => {
            let (low, high) = accuracies(low, high);
            axis.within(low, high)
        }
        // far below 0 nothing is learned, and one such point would flatten all others
        Score::RSquared => {
            let low = if high > -1.0 { low.max(-1.0) } else { low }; // where nothing is learned at all, that is shown
            let top = high.max(low) + 0.05 * (high - low).max(0.02);
            axis.within(low - 0.05 * (high - low).max(0.02), top.min(1.005))
        }
        Score::MeanSquareError => match Axis::spanning(axis_name(score), &values) {
            axis if axis.logarithmic => axis,
            axis => axis.within(0.0, (1.05 * high).max(f64::MIN_POSITIVE)),
        },
    }
}

/// The ends of an axis that shows accuracies from `low` to `high` (%).
fn accuracies(low: f64, high: f64) -> (f64, f64) {
    /// Accuracies that span so much, or reach so low, are shown with all that there can be.
    const MOST: f64 = 60.0;
    /// What they span at least.
    const LEAST: f64 = 2.0;
    if high - low > MOST {
        return (0.0, 100.0);
    }
    let margin = 0.07 * (high - low).max(LEAST);
    ((low - margin).max(0.0), (high + margin).min(100.5))
}

/// The picture of the rows of `methods`.
pub fn scores(title: &str, score: Score, methods: &[MethodName], rows: &[Row]) -> Chart {
    let curve = |own: Training| {
        let points = rows.iter().filter(|row| own.has(row));
        let points = points.map(|row| (row.epoch as f64, score.in_unit(row.test_score))).collect();
        Curve { label: own.label, look: own.look, mark: Mark::Last, points, interval: Interval::None }
    };
    let last = rows.iter().map(|row| row.epoch).max().unwrap_or(1);
    Chart {
        title: title.to_string(),
        x: epochs(last),
        y: axis(score, rows.iter().map(|row| score.in_unit(row.test_score))),
        curves: trainings(methods, rows).into_iter().map(curve).collect(),
        ..Chart::default()
    }
}

/// The axis of so many epochs.
pub fn epochs(last: usize) -> Axis {
    Axis { whole: true, ..Axis::linear("epoch").within(0.0, 1.02 * last.max(1) as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use at_core::training::Record;

    fn range(score: Score, values: &[f64]) -> (f64, f64) {
        axis(score, values.iter().copied()).range.unwrap()
    }

    #[test]
    fn axes_show_the_data_and_all_that_there_can_be_only_where_the_data_do() {
        let (low, high) = range(Score::Accuracy, &[91.0, 97.0]);
        assert!(low > 85.0 && low < 91.0 && high > 97.0 && high <= 100.5, "{low} to {high}");
        assert_eq!(range(Score::Accuracy, &[10.0, 97.0]), (0.0, 100.0));
        let (low, high) = range(Score::Accuracy, &[100.0, 100.0]);
        assert!(low < 100.0 && high > 100.0);
        let (low, high) = range(Score::RSquared, &[-80.0, 0.9]);
        assert!(low > -2.0 && high >= 0.9);
        let (low, high) = range(Score::RSquared, &[-80.0, -20.0]);
        assert!(low <= -80.0 && high >= -20.0, "curves that are all far below 0 are shown: {low} to {high}");
        assert!(axis(Score::MeanSquareError, [1e-4, 1.0].into_iter()).logarithmic);
        assert_eq!(range(Score::MeanSquareError, &[0.1, 0.2]).0, 0.0);
        assert_eq!(axis(Score::Accuracy, [f64::NAN].into_iter()).range, None);
    }

    #[test]
    fn chips_that_share_a_model_are_told_apart_in_pictures() {
        let record = |chip| Record { chip, epoch: 1, ..crate::session::metrics::tests::record() };
        let rows: Vec<Row> = (0..3).map(|chip| Row::new(&record(chip), 7, 0.0)).collect();
        let found = trainings(&[MethodName::At], &rows);
        let labels: Vec<&str> = found.iter().map(|own| own.label.as_str()).collect();
        assert_eq!(labels, ["at, chip 7", "at, chip 8", "at, chip 9"]);
        for (index, one) in found.iter().enumerate() {
            assert_eq!(one.look.colour, Look::from(MethodName::At).colour);
            assert!(found[..index].iter().all(|other| other.look.dash != one.look.dash), "{}", one.label);
        }
        assert_eq!(trainings(&[MethodName::At], &rows[..1])[0].look, MethodName::At.into());
    }
}
