//! Learning curves of a run.

use crate::export::chart::{Axis, Chart, Curve, Interval, Mark};
use crate::session::metrics::Row;
use crate::session::plot::{self, trainings};
use at_core::training::{MethodName, Score};

/// A chart of one value of the rows over another, a curve per method.
fn chart(methods: &[MethodName], rows: &[Row], x: Axis, y: Axis, point: impl Fn(&Row) -> (f64, f64)) -> Chart {
    let curve = |(method, chip, label)| {
        let points = rows.iter().filter(|row| (row.method, row.chip_seed) == (method, chip)).map(&point).collect();
        Curve { label, look: method.into(), mark: Mark::Last, points, interval: Interval::None }
    };
    let curves = trainings(methods, rows).into_iter().map(curve).collect();
    Chart { title: String::new(), x, y, curves, levels: Vec::new() }
}

/// The score over the epochs.
pub fn scores(score: Score, methods: &[MethodName], rows: &[Row]) -> Chart {
    let point = |row: &Row| (row.epoch as f64, score.in_unit(row.test_score));
    chart(methods, rows, Axis::linear("epoch"), plot::axis(score, rows), point)
}

/// Training loss over the epochs, without those that measured the chip.
pub fn loss(methods: &[MethodName], rows: &[Row]) -> Chart {
    chart(methods, rows, Axis::linear("epoch"), Axis::logarithmic("training loss"), |row| {
        (row.epoch as f64, if row.measuring { f64::NAN } else { row.train_loss }) // no number has no place
    })
}

/// The score over the values that crossed the chip's interface on the way to it: read and injected.
pub fn interface(score: Score, methods: &[MethodName], rows: &[Row]) -> Chart {
    let x = Axis::logarithmic("values read from and written into the chip");
    chart(methods, rows, x, plot::axis(score, rows), |row| {
        (row.chip_reads.saturating_add(row.chip_injections) as f64, score.in_unit(row.test_score))
    })
}
