//! `accuracy.svg`: the chip's test accuracy over the epochs, all methods.

use super::metrics::Row;
use crate::export::chart::{Axis, Chart, Curve, Interval, Mark};
use anyhow::Result;
use at_core::training::MethodName;

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

/// Draws the rows of `methods` as an SVG picture.
pub fn accuracy(title: &str, methods: &[MethodName], rows: &[Row]) -> Result<String> {
    let curve = |(method, chip, label)| {
        let points = rows.iter().filter(|row| (row.method, row.chip_seed) == (method, chip));
        let points = points.map(|row| (row.epoch as f64, 100.0 * row.test_accuracy)).collect();
        Curve { label, look: method.into(), mark: Mark::Last, points, interval: Interval::None }
    };
    let last = rows.iter().map(|row| row.epoch).max().unwrap_or(1);
    let chart = Chart {
        title: title.to_string(),
        x: Axis::linear("epoch").within(0.0, 1.02 * last as f64),
        y: Axis::linear("test accuracy of the chip (%)").within(0.0, 100.0),
        curves: trainings(methods, rows).into_iter().map(curve).collect(),
        levels: Vec::new(),
    };
    chart.svg()
}
