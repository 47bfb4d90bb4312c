//! An earlier run of `asyt scale`, beside which another one is shown.

use super::case::Case;
use super::depth::Depth;
use super::output::Row;
use anyhow::{Context, Result, ensure};
use at_core::files::whole::read_text;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Longest file (bytes), of some hundred thousand cases.
const LONGEST: u64 = 1 << 28;

/// What is kept of it.
#[derive(Clone, Debug, Serialize)]
pub struct Earlier {
    /// Its file.
    pub file: String,
    /// Of the program that measured it.
    pub version: String,
    /// Its measurements.
    #[serde(skip)]
    pub rows: Vec<Row>,
    /// The depths that were asked for.
    #[serde(skip)]
    pub depths: Vec<Depth>,
}

/// As much of `scale.json` as is compared.
#[derive(Deserialize)]
struct Kept {
    version: String,
    rows: Vec<Row>,
    /// Files before November 2026 do not say.
    #[serde(default)]
    depths: Option<Vec<Depth>>,
}

impl Earlier {
    /// The run in `path`: its folder, or its `scale.json`.
    pub fn read(path: &Path) -> Result<Self> {
        let path = if path.is_dir() { path.join("scale.json") } else { path.to_path_buf() };
        let file = path.display().to_string();
        let why = || format!("--compare {file} is no scale.json of asyt scale");
        let Kept { version, rows, depths } = serde_json::from_str(&read_text(&path, LONGEST)?).with_context(why)?;
        let depths = depths.unwrap_or_else(|| Depth::of_cases(&rows.iter().map(|row| row.case).collect::<Vec<Case>>()));
        for row in &rows {
            let positive = |value: f64| value.is_finite() && value > 0.0;
            let case = &row.case;
            let sizes = [case.modes, case.depth, case.layers, case.batch, case.chips, case.ranks];
            let right =
                positive(row.measured.seconds) && positive(row.samples_per_second) && positive(row.effective_gflops);
            let right = right && sizes.iter().all(|&size| size > 0);
            let right = right && depths.iter().any(|depth| depth.of(case.modes) == case.depth);
            ensure!(right, "--compare {file}: a number is not valid in {}", case.describe());
        }
        Ok(Earlier { file, version, rows, depths })
    }

    /// The time of the same case.
    pub fn seconds(&self, row: &Row) -> Option<f64> {
        self.rows.iter().find(|own| own.case == row.case).map(|own| own.measured.seconds)
    }
}
