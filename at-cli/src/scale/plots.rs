//! Double-logarithmic pictures of a sweep over sizes.

use super::output::{Results, Row, memory};
use crate::export::chart::{Axis, Chart, Curve, Interval, Level, Mark};
use crate::export::picture::{self, PALETTE};
use anyhow::Result;
use std::path::Path;

/// A quantity against modes.
struct Quantity {
    file: &'static str,
    label: &'static str,
    of: fn(&Row) -> Option<f64>,
}

const QUANTITIES: [Quantity; 4] = [
    Quantity { file: "time", label: "time per step (s)", of: |row| Some(row.measured.seconds) },
    Quantity { file: "samples", label: "samples per second", of: |row| Some(row.samples_per_second) },
    Quantity { file: "rate", label: "effective rate (GFLOP/s)", of: |row| Some(row.effective_gflops) },
    Quantity {
        file: "memory",
        label: "memory beside the samples (MB)",
        of: |row| memory(&row.measured).map(|bytes| 1e-6 * bytes as f64),
    },
];

/// Writes the pictures of all quantities that were measured; gives their names.
pub fn write(folder: &Path, results: &Results) -> Result<Vec<&'static str>> {
    let mut names = Vec::new();
    for quantity in &QUANTITIES {
        if results.rows.iter().any(|row| (quantity.of)(row).is_some_and(|value| value > 0.0)) {
            picture::write(folder, quantity.file, &chart(quantity, results).svg()?)?;
            names.push(quantity.file);
        }
    }
    Ok(names)
}

fn chart(quantity: &Quantity, results: &Results) -> Chart {
    let all = results.series();
    let curve = |(index, series): (usize, &super::output::Series)| {
        let rows = results.rows.iter().filter(|row| row.series() == *series);
        let points = rows.filter_map(|row| Some((row.case.modes as f64, (quantity.of)(row)?))).collect();
        // marks become hollow where the colours begin anew
        let mark = if (index / PALETTE.len()).is_multiple_of(2) { Mark::Filled } else { Mark::Hollow };
        Curve {
            label: series.label(&all),
            look: PALETTE[index % PALETTE.len()].into(),
            mark,
            points,
            interval: Interval::None,
        }
    };
    let peaks = results.peaks.iter().filter(|_| quantity.file == "rate").map(|(engine, peak)| {
        let rate = 1e-9 * peak.matrix_product_flops;
        Level {
            label: format!("{} matrix product on {}: {rate:.0}", peak.matrix_product, engine.as_str()),
            low: rate,
            high: rate,
        }
    });
    Chart {
        title: String::new(),
        x: Axis::logarithmic("modes"),
        y: Axis::logarithmic(quantity.label),
        curves: all.iter().enumerate().map(curve).collect(),
        levels: peaks.collect(),
    }
}
