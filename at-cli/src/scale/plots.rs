//! Double-logarithmic pictures of a sweep over sizes.

use super::case::Variable;
use super::depth::Depth;
use super::output::{Results, Row, Series, curves, memory};
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
            picture::write(folder, quantity.file, &chart(quantity, results).picture(figures.sheet), figures)?;
            names.push(quantity.file);
        }
    }
    Ok(names)
}

fn chart(quantity: &Quantity, results: &Results) -> Chart {
    let (all, along) = (results.series(), results.along());
    let points = |rows: &[Row], asked: &[Depth], series: &Series| {
        let rows = rows.iter().filter(|row| row.series(along, asked).contains(series));
        let point = |row: &Row| Some((along.value(&row.case) as f64, (quantity.of)(row).filter(|&value| value > 0.0)?));
        rows.filter_map(point).collect::<Vec<_>>()
    };
    let own = all.iter().enumerate().map(|(index, series)| Curve {
        label: series.label(&all),
        look: Look::numbered(index),
        mark: Mark::Filled,
        points: points(&results.rows, &results.depths, series),
        interval: Interval::None,
    });
    let mut drawn: Vec<Curve> = own.collect();
    drawn.extend(earlier(results, &all, points));
    if matches!(quantity.file, "time" | "samples") {
        drawn.extend(limits(quantity, results, along));
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
        curves: drawn,
        levels: peaks.collect(),
        ..Chart::default()
    }
}

/// The curves of the run that is compared: in the colour of the same curve of this one, dashed and hollow.
fn earlier(
    results: &Results,
    all: &[Series],
    points: impl Fn(&[Row], &[Depth], &Series) -> Vec<(f64, f64)>,
) -> Vec<Curve> {
    let Some(earlier) = &results.earlier else { return Vec::new() };
    let theirs = curves(&earlier.rows, results.along(), &earlier.depths);
    let both: Vec<Series> = all.iter().chain(theirs.iter().filter(|series| !all.contains(series))).copied().collect();
    let curve = |series: &Series| {
        let index = both.iter().position(|own| own == series).unwrap_or_default();
        Curve {
            label: format!("{}, earlier", series.label(&both)),
            look: Look { dash: Dash::Dashed, ..Look::numbered(index) },
            mark: Mark::Hollow,
            points: points(&earlier.rows, &earlier.depths, series),
            interval: Interval::None,
        }
    };
    theirs.iter().map(curve).collect()
}

/// What the devices allow the longest curve of the heaviest pass that was measured on each: its operations at the rate of matrix products, and
/// the fields of its layers read and written at the rate of copies.
fn limits(quantity: &Quantity, results: &Results, along: Variable) -> Vec<Curve> {
    let mut lines = Vec::new();
    for (engine, peak) in &results.peaks {
        let rows = || results.rows.iter().filter(|row| row.case.engine == *engine);
        let Some(heaviest) = rows().max_by(|a, b| a.case.pass.operations().total_cmp(&b.case.pass.operations())) else {
            continue;
        };
        let pass = heaviest.case.pass;
        let on = |series: &Series| -> Vec<&Row> {
            rows().filter(|row| row.series(along, &results.depths).contains(series)).collect()
        };
        let all = results.series();
        let curves = all.iter().filter(|series| (series.engine, series.pass) == (*engine, pass)).map(on);
        // of several as long, the first
        let longest = curves.reduce(|first, next| if next.len() > first.len() { next } else { first });
        let rows = longest.unwrap_or_default();
        let products = |row: &Row| 1e9 * row.effective_gflops * row.measured.seconds / peak.matrix_product_flops;
        let copies = |row: &Row| row.case.traffic() / peak.copy_bandwidth;
        let mut limit = |what: &str, dash: Dash, seconds: &dyn Fn(&Row) -> f64| {
            let at = |row: &&Row| {
                let samples = (row.case.batch * row.case.chips) as f64;
                let value = if quantity.file == "time" { seconds(row) } else { samples / seconds(row) };
                (along.value(&row.case) as f64, value)
            };
            lines.push(Curve {
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
    lines
}

#[cfg(test)]
mod tests {
    use super::super::case::{Case, EngineName, Pass};
    use super::super::measure::{Care, Measurement};
    use super::super::peak::Peak;
    use super::*;

    fn row(modes: usize, depth: usize) -> Row {
        let case =
            Case { engine: EngineName::Cpu, pass: Pass::Step, modes, depth, layers: 1, batch: 2, chips: 1, ranks: 1 };
        let measured = Measurement {
            mzis: modes * depth / 2,
            controls: modes * depth,
            seconds: 1e-3,
            shortest_seconds: 1e-3,
            longest_seconds: 1e-3,
            network_bytes: None,
            signal_bytes: None,
            exchange: None,
        };
        Row::new(case, measured, None)
    }

    #[test]
    fn limits_are_those_of_the_longest_curve() {
        let peak = Peak {
            device: "some".to_string(),
            matrix_product: "real f32",
            matrix_product_flops: 1e10,
            copy_bandwidth: 1e10,
        };
        let mut results = Results {
            version: "0",
            effort: Care { warm_up: 1, repeats: 1 },
            depths: vec![Depth::Columns(8)],
            memory: Vec::new(),
            peaks: vec![(EngineName::Cpu, peak)],
            rows: [8, 12, 16, 20].map(|modes| row(modes, 8)).to_vec(),
            fits: Vec::new(),
            predictions: Vec::new(),
            earlier: None,
        };
        let sizes = |results: &Results| -> Vec<Vec<f64>> {
            let lines = limits(&QUANTITIES[0], results, results.along());
            lines.into_iter().map(|line| line.points.into_iter().map(|point| point.0).collect()).collect()
        };
        assert_eq!(sizes(&results), vec![vec![8.0, 12.0, 16.0, 20.0]; 2]);
        // the first curve has one mesh
        results.depths = vec![Depth::Columns(4), Depth::Modes];
        results.rows = vec![row(12, 4), row(8, 8), row(12, 12)];
        assert_eq!(sizes(&results), vec![vec![8.0, 12.0]; 2]);
    }
}
