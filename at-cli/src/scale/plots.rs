//! Double-logarithmic pictures of a sweep over sizes.

use super::output::{Results, Row, memory};
use crate::export::chart::{Axis, Chart, Curve, Interval, Level, Mark};
use crate::export::figures::Figures;
use crate::export::look::Look;
use crate::export::picture;
use anyhow::Result;
use std::path::Path;

/// A quantity against modes.
struct Quantity {
    file: &'static str,
    label: &'static str,
    unit: &'static str,
    of: fn(&Row) -> Option<f64>,
}

const QUANTITIES: [Quantity; 4] = [
    Quantity { file: "time", label: "time per step", unit: "s", of: |row| Some(row.measured.seconds) },
    Quantity { file: "samples", label: "samples per second", unit: "", of: |row| Some(row.samples_per_second) },
    Quantity { file: "rate", label: "effective rate", unit: "FLOP/s", of: |row| Some(1e9 * row.effective_gflops) },
    Quantity {
        file: "memory",
        label: "memory beside the samples",
        unit: "B",
        of: |row| memory(&row.measured).map(|bytes| bytes as f64),
    },
];

/// Writes the pictures of all quantities that were measured; gives their names.
pub fn write(folder: &Path, results: &Results, figures: &Figures) -> Result<Vec<&'static str>> {
    let mut names = Vec::new();
    for quantity in &QUANTITIES {
        if results.rows.iter().any(|row| (quantity.of)(row).is_some_and(|value| value > 0.0)) {
            picture::write(folder, quantity.file, &chart(quantity, results).svg(figures.sheet), figures)?;
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
        let (label, look) = (series.label(&all), Look::numbered(index));
        Curve { label, look, mark: Mark::Filled, points, interval: Interval::None }
    };
    let peaks = results.peaks.iter().filter(|_| quantity.file == "rate").map(|(engine, peak)| {
        let rate = peak.matrix_product_flops;
        Level {
            label: format!("{} matrix product on {}: {:.0} GFLOP/s", peak.matrix_product, engine.as_str(), 1e-9 * rate),
            low: rate,
            high: rate,
        }
    });
    let sizes = results.rows.iter().map(|row| row.case.modes as f64).collect();
    Chart {
        x: Axis::logarithmic("modes").labelled(sizes),
        y: Axis::logarithmic(quantity.label).in_unit(quantity.unit),
        curves: all.iter().enumerate().map(curve).collect(),
        levels: peaks.collect(),
        ..Chart::default()
    }
}
