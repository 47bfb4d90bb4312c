//! Results of a sweep over sizes: `scale.csv` and `scale.json`.

use super::case::{Case, EngineName, Variable};
use super::depth::Depth;
use super::earlier::Earlier;
use super::fit::PowerLaw;
use super::measure::{Care, Measurement};
use super::peak::Peak;
use super::predict::Prediction;
use anyhow::{Context, Result};
use at_core::files::own;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One case, measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// What was measured.
    #[serde(flatten)]
    pub case: Case,
    /// What it took.
    #[serde(flatten)]
    pub measured: Measurement,
    /// Samples per time, of all chips.
    pub samples_per_second: f64,
    /// [`super::case::Pass::operations`] per time.
    pub effective_gflops: f64,
    /// That rate against the device's own matrix product.
    pub fraction_of_peak: Option<f64>,
    /// The time on one rank over that on several, times their number, where both were measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub efficiency: Option<f64>,
    /// What the same took in an earlier run, where one is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_seconds: Option<f64>,
}

impl Row {
    /// The rates that follow from `measured`.
    pub fn new(case: Case, measured: Measurement, peak: Option<&Peak>) -> Self {
        let samples = case.batch * case.chips;
        let operations = case.pass.operations() * (measured.mzis * samples) as f64;
        let rate = operations / measured.seconds;
        Row {
            case,
            measured,
            samples_per_second: samples as f64 / measured.seconds,
            effective_gflops: 1e-9 * rate,
            fraction_of_peak: peak.map(|peak| rate / peak.matrix_product_flops),
            efficiency: None,
            earlier_seconds: None,
        }
    }

    /// All but what grows: rows with the same series lie on one curve along it. Where `asked` for a depth and for as many columns as modes, a mesh
    /// that is both lies on two curves along the modes.
    pub fn series(&self, along: Variable, asked: &[Depth]) -> Vec<Series> {
        let Case { engine, pass, modes, depth, layers, batch, chips, ranks } = self.case;
        let other = |own: Variable, value: usize| (own != along).then_some(value);
        let with = |depth: Option<usize>| Series {
            engine,
            pass,
            modes: other(Variable::Modes, modes),
            depth,
            layers: other(Variable::Layers, layers),
            batch: other(Variable::Batch, batch),
            chips: other(Variable::Chips, chips),
            ranks: other(Variable::Ranks, ranks),
        };
        if along != Variable::Modes {
            return vec![with(other(Variable::Depth, depth))];
        }
        let of_this = asked.iter().filter(|own| own.of(modes) == depth);
        of_this.map(|own| with(if let Depth::Columns(columns) = *own { Some(columns) } else { None })).collect()
    }
}

/// What is the same along a curve; what grows is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Series {
    /// The engine.
    pub engine: EngineName,
    /// The pass.
    pub pass: super::case::Pass,
    /// Waveguides.
    pub modes: Option<usize>,
    /// Columns; none along the modes where they are as many.
    pub depth: Option<usize>,
    /// Meshes.
    pub layers: Option<usize>,
    /// Samples.
    pub batch: Option<usize>,
    /// Chips at once.
    pub chips: Option<usize>,
    /// Ranks.
    pub ranks: Option<usize>,
}

impl Series {
    /// As a legend says it; `all` tells what needs to be said.
    pub fn label(&self, all: &[Series]) -> String {
        let mut label = format!("{} {}", self.engine.as_str(), self.pass.as_str());
        let differs = |of: fn(&Series) -> Option<usize>| all.iter().any(|other| of(other) != of(self));
        if let Some(modes) = self.modes.filter(|_| differs(|own| own.modes)) {
            label += &format!(", {modes} modes");
        }
        if differs(|own| own.depth) {
            label += &self.depth.map_or(", depth = modes".to_string(), |depth| format!(", depth {depth}"));
        }
        if let Some(layers) = self.layers.filter(|_| differs(|own| own.layers)) {
            label += &format!(", {layers} layers");
        }
        if let Some(batch) = self.batch.filter(|_| differs(|own| own.batch)) {
            label += &format!(", batch {batch}");
        }
        if let Some(chips) = self.chips.filter(|&chips| chips > 1 && differs(|own| own.chips)) {
            label += &format!(", {chips} chips");
        }
        if let Some(ranks) = self.ranks.filter(|&ranks| ranks > 1 && differs(|own| own.ranks)) {
            label += &format!(", {ranks} ranks");
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
    /// What grows along it.
    pub along: Variable,
    /// How many different values of that there are.
    pub sizes: usize,
    /// Seconds per step against that.
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
    /// The depths that were asked for.
    pub depths: Vec<Depth>,
    /// What the memory columns count on each engine.
    pub memory: Vec<String>,
    /// What the devices can do.
    pub peaks: Vec<(EngineName, Peak)>,
    /// The measurements.
    pub rows: Vec<Row>,
    /// The fits.
    pub fits: Vec<Fit>,
    /// What is predicted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub predictions: Vec<Prediction>,
    /// What is compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Earlier>,
}

impl Results {
    /// What grows along the curves.
    pub fn along(&self) -> Variable {
        Variable::of(&self.rows.iter().map(|row| row.case).collect::<Vec<_>>())
    }

    /// The curves, in the order of their first rows.
    pub fn series(&self) -> Vec<Series> {
        curves(&self.rows, self.along(), &self.depths)
    }

    /// Fits every curve with at least two sizes, and finds the efficiency of ranks.
    pub fn fit(&mut self) {
        let alone = |case: &Case| self.rows.iter().find(|row| row.case == Case { ranks: 1, ..*case });
        let efficiency = |row: &Row| {
            let one = alone(&row.case).filter(|_| row.case.ranks > 1)?;
            Some(one.measured.seconds / (row.case.ranks as f64 * row.measured.seconds))
        };
        let found: Vec<_> = self.rows.iter().map(efficiency).collect();
        self.rows.iter_mut().zip(found).for_each(|(row, found)| row.efficiency = found);
        let along = self.along();
        let fit = |series: Series| {
            let rows = self.rows.iter().filter(|row| row.series(along, &self.depths).contains(&series));
            let points: Vec<_> = rows.map(|row| (along.value(&row.case) as f64, row.measured.seconds)).collect();
            let mut sizes: Vec<f64> = points.iter().map(|point| point.0).collect();
            sizes.sort_by(f64::total_cmp);
            sizes.dedup();
            Some(Fit { series, along, sizes: sizes.len(), law: PowerLaw::fit(&points)? })
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

/// The curves on which `rows` lie, in the order of their first rows.
pub fn curves(rows: &[Row], along: Variable, asked: &[Depth]) -> Vec<Series> {
    let mut all = Vec::new();
    for series in rows.iter().flat_map(|row| row.series(along, asked)) {
        if !all.contains(&series) {
            all.push(series);
        }
    }
    all
}

const COLUMNS: [&str; 24] = [
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
    "chips",
    "earlier_seconds",
    "ranks",
    "exchanged_values",
    "exchange_seconds",
    "copy_seconds",
    "efficiency",
];

fn fields(row: &Row) -> [String; 24] {
    let Row { case, measured, .. } = row;
    let bytes = |bytes: Option<u64>| bytes.map_or(String::new(), |bytes| bytes.to_string());
    let number = |number: Option<f64>| number.map_or(String::new(), |number| number.to_string());
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
        number(row.fraction_of_peak),
        bytes(measured.network_bytes),
        bytes(measured.signal_bytes),
        bytes(memory(measured)),
        case.chips.to_string(),
        number(row.earlier_seconds),
        case.ranks.to_string(),
        number(measured.exchange.map(|own| own.exchanged_values)),
        number(measured.exchange.map(|own| own.exchange_seconds)),
        number(measured.exchange.map(|own| own.copy_seconds)),
        number(row.efficiency),
    ]
}

/// Memory of a step beside the samples.
pub fn memory(measured: &Measurement) -> Option<u64> {
    measured.network_bytes.zip(measured.signal_bytes).map(|(network, signals)| network + signals)
}
