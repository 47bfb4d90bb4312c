//! Double-logarithmic pictures of a sweep over sizes.

use super::case::Variable;
use super::output::{Results, Row, Series, memory};
use crate::export::canvas::GREY;
use crate::export::chart::{Axis, Chart, Curve, Interval, Level, Mark};
use crate::export::figures::Figures;
use crate::export::look::Look;
use crate::export::picture;
use anyhow::Result;
use at_core::training::methods::Dash;
use std::path::Path;

/// A quantity against what grows.
struct Quantity {
    file: &'static str,
    label: &'static str,
    unit: &'static str,
    of: fn(&Row) -> Option<f64>,
}

const QUANTITIES: [Quantity; 6] = [
    Quantity { file: "time", label: "time per step", unit: "s", of: |row| Some(row.measured.seconds) },
    Quantity { file: "samples", label: "samples per second", unit: "", of: |row| Some(row.samples_per_second) },
    Quantity { file: "rate", label: "effective rate", unit: "FLOP/s", of: |row| Some(1e9 * row.effective_gflops) },
    Quantity {
        file: "memory",
        label: "memory beside the samples",
        unit: "B",
        of: |row| memory(&row.measured).map(|bytes| bytes as f64),
    },
    Quantity {
        file: "exchange",
        label: "time of exchanges in a step",
        unit: "s",
        of: |row| row.measured.exchange.map(|own| own.exchange_seconds),
    },
    Quantity { file: "efficiency", label: "efficiency of ranks", unit: "", of: |row| row.efficiency },
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
    let (all, along) = (results.series(), results.along());
    let points = |rows: &[Row], series: &Series| {
        let rows = rows.iter().filter(|row| row.series(along) == *series);
        let point = |row: &Row| Some((along.value(&row.case) as f64, (quantity.of)(row).filter(|&value| value > 0.0)?));
        rows.filter_map(point).collect::<Vec<_>>()
    };
    let own = all.iter().enumerate().map(|(index, series)| Curve {
        label: series.label(&all),
        look: Look::numbered(index),
        mark: Mark::Filled,
        points: points(&results.rows, series),
        interval: Interval::None,
    });
    let mut curves: Vec<Curve> = own.collect();
    curves.extend(earlier(results, &all, points));
    if matches!(quantity.file, "time" | "samples") {
        curves.extend(limits(quantity, results, along));
    }
    let peaks = results.peaks.iter().filter(|_| quantity.file == "rate").map(|(engine, peak)| {
        let rate = peak.matrix_product_flops;
        Level {
            label: format!("{} matrix product on {}: {:.0} GFLOP/s", peak.matrix_product, engine.as_str(), 1e-9 * rate),
            low: rate,
            high: rate,
        }
    });
    let sizes = results.rows.iter().map(|row| along.value(&row.case) as f64).collect();
    Chart {
        x: Axis::logarithmic(along.as_str()).labelled(sizes),
        y: Axis::logarithmic(quantity.label).in_unit(quantity.unit),
        curves,
        levels: peaks.collect(),
        ..Chart::default()
    }
}

/// The curves of the run that is compared: in the colour of the same curve of this one, dashed and hollow.
fn earlier(results: &Results, all: &[Series], points: impl Fn(&[Row], &Series) -> Vec<(f64, f64)>) -> Vec<Curve> {
    let Some(earlier) = &results.earlier else { return Vec::new() };
    let mut theirs: Vec<Series> = Vec::new();
    for series in earlier.rows.iter().map(|row| row.series(results.along())) {
        if !theirs.contains(&series) {
            theirs.push(series);
        }
    }
    let both: Vec<Series> = all.iter().chain(theirs.iter().filter(|series| !all.contains(series))).copied().collect();
    let curve = |series: &Series| {
        let index = both.iter().position(|own| own == series).unwrap_or_default();
        Curve {
            label: format!("{}, earlier", series.label(&both)),
            look: Look { dash: Dash::Dashed, ..Look::numbered(index) },
            mark: Mark::Hollow,
            points: points(&earlier.rows, series),
            interval: Interval::None,
        }
    };
    theirs.iter().map(curve).collect()
}

/// What the devices allow the heaviest pass that was measured on each: its operations at the rate of matrix products, and the fields of its
/// layers read and written at the rate of copies.
fn limits(quantity: &Quantity, results: &Results, along: Variable) -> Vec<Curve> {
    let mut curves = Vec::new();
    for (engine, peak) in &results.peaks {
        let rows = || results.rows.iter().filter(|row| row.case.engine == *engine);
        let Some(heaviest) = rows().max_by(|a, b| a.case.pass.operations().total_cmp(&b.case.pass.operations())) else {
            continue;
        };
        let pass = heaviest.case.pass;
        let series = rows().find(|row| row.case.pass == pass).map(|row| row.series(along));
        let rows: Vec<&Row> = rows().filter(|row| Some(row.series(along)) == series).collect();
        let products = |row: &Row| 1e9 * row.effective_gflops * row.measured.seconds / peak.matrix_product_flops;
        let copies = |row: &Row| row.case.traffic() / peak.copy_bandwidth;
        let mut limit = |what: &str, dash: Dash, seconds: &dyn Fn(&Row) -> f64| {
            let at = |row: &&Row| {
                let samples = (row.case.batch * row.case.chips) as f64;
                let value = if quantity.file == "time" { seconds(row) } else { samples / seconds(row) };
                (along.value(&row.case) as f64, value)
            };
            curves.push(Curve {
                label: format!("{} {} at the rate of {what}", engine.as_str(), pass.as_str()),
                look: Look { dash, ..Look::from(GREY) },
                mark: Mark::None,
                points: rows.iter().map(at).collect(),
                interval: Interval::None,
            });
        };
        limit("matrix products", Dash::Dashed, &products);
        limit("copies", Dash::Dotted, &copies);
    }
    curves
}
