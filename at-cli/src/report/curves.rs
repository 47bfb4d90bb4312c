//! Learning curves of a run.

use crate::export::chart::{Axis, Chart, Curve, Interval, Mark};
use crate::session::metrics::Row;
use crate::session::plot::{self, Training, trainings};
use at_core::training::{MethodName, Score};

/// A chart of one value of the rows over another, a curve per method; points where either is no number have no place.
fn chart(methods: &[MethodName], rows: &[Row], x: Axis, y: Axis, point: impl Fn(&Row) -> (f64, f64)) -> Chart {
    let curve = |own: Training| {
        let points = rows.iter().filter(|row| own.has(row)).map(&point).collect();
        Curve { label: own.label, look: own.look, mark: Mark::Last, points, interval: Interval::None }
    };
    let curves = trainings(methods, rows).into_iter().map(curve).collect();
    Chart { x, y, curves, ..Chart::default() }
}

fn epochs(rows: &[Row]) -> Axis {
    plot::epochs(rows.iter().map(|row| row.epoch).max().unwrap_or(1))
}

fn score_axis(score: Score, rows: &[Row]) -> Axis {
    plot::axis(score, rows.iter().map(|row| score.in_unit(row.test_score)))
}

/// Training loss over the epochs, without those that measured the chip.
pub fn loss(methods: &[MethodName], rows: &[Row]) -> Chart {
    let losses: Vec<f64> = rows.iter().filter(|row| !row.measuring).map(|row| row.train_loss).collect();
    chart(methods, rows, epochs(rows), Axis::spanning("training loss", &losses), |row| {
        (row.epoch as f64, if row.measuring { f64::NAN } else { row.train_loss })
    })
}

/// The score over the values that crossed the chip's interface on the way to it: read and injected. Methods that have not met the chip
/// have no curve.
pub fn interface(score: Score, methods: &[MethodName], rows: &[Row]) -> Chart {
    let met: Vec<Row> = rows.iter().filter(|row| crossed(row) > 0.0).cloned().collect();
    let values: Vec<f64> = met.iter().map(crossed).collect();
    let x = Axis::spanning("values read from and written into the chip", &values);
    chart(methods, &met, x.in_unit(""), score_axis(score, &met), |row| (crossed(row), score.in_unit(row.test_score)))
}

fn crossed(row: &Row) -> f64 {
    row.chip_reads.saturating_add(row.chip_injections) as f64
}
