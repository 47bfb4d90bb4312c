//! Results of a sweep over sizes: `scale.csv`, `scale.json`, and the table for a person.

use super::case::{Case, EngineName};
use super::fit::PowerLaw;
use super::measure::{Care, Measurement};
use super::peak::Peak;
use crate::export::columns::{TERMINAL, align, fitting, wrapped};
use anyhow::{Context, Result};
use at_core::files::own;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::Path;

/// One case, measured.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What was measured.
    #[serde(flatten)]
    pub case: Case,
    /// What it took.
    #[serde(flatten)]
    pub measured: Measurement,
    /// Batch per time.
    pub samples_per_second: f64,
    /// [`super::case::Pass::operations`] per time.
    pub effective_gflops: f64,
    /// That rate against the device's own matrix product.
    pub fraction_of_peak: Option<f64>,
}

impl Row {
    /// The rates that follow from `measured`.
    pub fn new(case: Case, measured: Measurement, peak: Option<&Peak>) -> Self {
        let operations = case.pass.operations() * (measured.mzis * case.batch) as f64;
        let rate = operations / measured.seconds;
        Row {
            case,
            measured,
            samples_per_second: case.batch as f64 / measured.seconds,
            effective_gflops: 1e-9 * rate,
            fraction_of_peak: peak.map(|peak| rate / peak.matrix_product_flops),
        }
    }

    /// All but the number of modes: rows with the same series lie on one curve.
    pub fn series(&self) -> Series {
        let Case { engine, pass, modes, depth, layers, batch } = self.case;
        Series { engine, pass, depth: (depth != modes).then_some(depth), layers, batch }
    }
}

/// What is the same along a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Series {
    /// The engine.
    pub engine: EngineName,
    /// The pass.
    pub pass: super::case::Pass,
    /// Columns, where they are not as many as modes.
    pub depth: Option<usize>,
    /// Meshes.
    pub layers: usize,
    /// Samples.
    pub batch: usize,
}

impl Series {
    /// As a legend says it; `all` tells what needs to be said.
    pub fn label(&self, all: &[Series]) -> String {
        let mut label = format!("{} {}", self.engine.as_str(), self.pass.as_str());
        if all.iter().any(|other| other.depth != self.depth) {
            label += &self.depth.map_or(", depth = modes".to_string(), |depth| format!(", depth {depth}"));
        }
        if all.iter().any(|other| other.layers != self.layers) {
            label += &format!(", {} layers", self.layers);
        }
        if all.iter().any(|other| other.batch != self.batch) {
            label += &format!(", batch {}", self.batch);
        }
        label
    }
}

/// The law that the times of a curve follow.
#[derive(Clone, Debug, Serialize)]
pub struct Fit {
    /// The curve.
    #[serde(flatten)]
    pub series: Series,
    /// Seconds per step against modes.
    #[serde(flatten)]
    pub law: PowerLaw,
}

/// All of a sweep.
#[derive(Clone, Debug, Serialize)]
pub struct Results {
    /// Of this program.
    pub version: &'static str,
    /// How it was measured.
    pub effort: Care,
    /// What the memory columns count on each engine.
    pub memory: Vec<String>,
    /// What the devices can do.
    pub peaks: Vec<(EngineName, Peak)>,
    /// The measurements.
    pub rows: Vec<Row>,
    /// The fits.
    pub fits: Vec<Fit>,
}

impl Results {
    /// The curves, in the order of their first rows.
    pub fn series(&self) -> Vec<Series> {
        let mut all = Vec::new();
        for series in self.rows.iter().map(Row::series) {
            if !all.contains(&series) {
                all.push(series);
            }
        }
        all
    }

    /// Fits every curve with at least two sizes.
    pub fn fit(&mut self) {
        let fit = |series: Series| {
            let rows = self.rows.iter().filter(|row| row.series() == series);
            let points: Vec<_> = rows.map(|row| (row.case.modes as f64, row.measured.seconds)).collect();
            Some(Fit { series, law: PowerLaw::fit(&points)? })
        };
        self.fits = self.series().into_iter().filter_map(fit).collect();
    }

    /// As text, ending with a line feed.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("results are strings and numbers") + "\n"
    }

    /// One row per case.
    pub fn write_csv(&self, path: &Path) -> Result<()> {
        own::write(path, |draft| {
            let mut csv = csv::Writer::from_writer(draft);
            csv.write_record(COLUMNS)?;
            self.rows.iter().try_for_each(|row| csv.write_record(fields(row)))?;
            csv.flush()
        })
        .context("the table of measurements")
    }
}

const COLUMNS: [&str; 17] = [
    "engine",
    "pass",
    "modes",
    "depth",
    "layers",
    "batch",
    "mzis",
    "controls",
    "seconds",
    "shortest_seconds",
    "longest_seconds",
    "samples_per_second",
    "effective_gflops",
    "fraction_of_peak",
    "network_bytes",
    "signal_bytes",
    "memory_bytes",
];

fn fields(row: &Row) -> [String; 17] {
    let Row { case, measured, .. } = row;
    let bytes = |bytes: Option<u64>| bytes.map_or(String::new(), |bytes| bytes.to_string());
    [
        case.engine.as_str().into(),
        case.pass.as_str().into(),
        case.modes.to_string(),
        case.depth.to_string(),
        case.layers.to_string(),
        case.batch.to_string(),
        measured.mzis.to_string(),
        measured.controls.to_string(),
        measured.seconds.to_string(),
        measured.shortest_seconds.to_string(),
        measured.longest_seconds.to_string(),
        row.samples_per_second.to_string(),
        row.effective_gflops.to_string(),
        row.fraction_of_peak.map_or(String::new(), |fraction| fraction.to_string()),
        bytes(measured.network_bytes),
        bytes(measured.signal_bytes),
        bytes(memory(measured)),
    ]
}

/// Memory of a step beside the samples.
pub fn memory(measured: &Measurement) -> Option<u64> {
    measured.network_bytes.zip(measured.signal_bytes).map(|(network, signals)| network + signals)
}

/// The columns of the table and their ranks: what matters most has the lowest.
const TABLE: [(&str, u8); 11] = [
    ("engine", 0),
    ("pass", 0),
    ("modes", 0),
    ("depth", 5),
    ("layers", 6),
    ("batch", 4),
    ("time", 0),
    ("samples/s", 7),
    ("GFLOP/s", 1),
    ("of peak", 2),
    ("memory", 3),
];

/// The table with what the fits say and what the device can do: all columns where it is `wide`, else those that fit a terminal.
pub fn table(results: &Results, wide: bool) -> String {
    let mut rows = vec![TABLE.map(|column| column.0.to_string()).to_vec()];
    rows.extend(results.rows.iter().map(|row| cells(row).to_vec()));
    let (rows, left_out) = fitting(&rows, &TABLE.map(|column| column.1), if wide { usize::MAX } else { TERMINAL });
    let more = match &left_out[..] {
        [] => String::new(),
        names => format!("more with --wide: {}\n", names.join(", ")),
    };
    align(&rows, 2) + "\n" + &wrapped(&(footing(results) + &more), 2)
}

fn cells(row: &Row) -> [String; 11] {
    let Case { engine, pass, modes, depth, layers, batch } = row.case;
    let peak = row.fraction_of_peak.map_or("-".to_string(), |fraction| format!("{:.0} %", 100.0 * fraction));
    let memory = memory(&row.measured).map_or("-".to_string(), |bytes| crate::memory::size(bytes as f64));
    [
        engine.as_str().to_string(),
        pass.as_str().to_string(),
        modes.to_string(),
        depth.to_string(),
        layers.to_string(),
        batch.to_string(),
        time(row.measured.seconds),
        format!("{:.4e}", row.samples_per_second),
        format!("{:.2}", row.effective_gflops),
        peak,
        memory,
    ]
}

/// Three digits and a unit.
pub fn time(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.2} ms", 1e3 * s),
        s => format!("{:.2} us", 1e6 * s),
    }
}

/// What the fits say, and what the device can do.
fn footing(results: &Results) -> String {
    let all = results.series();
    let mut text = String::new();
    for fit in &results.fits {
        let PowerLaw { exponent, greatest_deviation, .. } = fit.law;
        let label = fit.series.label(&all);
        let off = 100.0 * greatest_deviation;
        let _ = writeln!(text, "{label}: time grows as modes^{exponent:.2}, no size is more than {off:.0} % off");
    }
    for (engine, peak) in &results.peaks {
        let (product, copy) = (1e-9 * peak.matrix_product_flops, 1e-9 * peak.copy_bandwidth);
        let _ = writeln!(
            text,
            "{} can do {product:.0} GFLOP/s in {} matrix products and copies {copy:.1} GB/s ({})",
            engine.as_str(),
            peak.matrix_product,
            peak.device
        );
    }
    text + &results.memory.join("\n") + "\n"
}
