//! An earlier run of `asyt scale`, beside which another one is shown.

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
}

/// As much of `scale.json` as is compared.
#[derive(Deserialize)]
struct Kept {
    version: String,
    rows: Vec<Row>,
}

impl Earlier {
    /// The run in `path`: its folder, or its `scale.json`.
    pub fn read(path: &Path) -> Result<Self> {
        let path = if path.is_dir() { path.join("scale.json") } else { path.to_path_buf() };
        let file = path.display().to_string();
        let why = || format!("--compare {file} is no scale.json of asyt scale");
        let Kept { version, rows } = serde_json::from_str(&read_text(&path, LONGEST)?).with_context(why)?;
        for row in &rows {
            let positive = |value: f64| value.is_finite() && value > 0.0;
            let case = &row.case;
            let sizes = [case.modes, case.depth, case.layers, case.batch, case.chips, case.ranks];
            let right =
                positive(row.measured.seconds) && positive(row.samples_per_second) && positive(row.effective_gflops);
            let right = right && sizes.iter().all(|&size| size > 0);
            ensure!(right, "--compare {file}: a number is not valid in {}", case.describe());
        }
        Ok(Earlier { file, version, rows })
    }

    /// The time of the same case.
    pub fn seconds(&self, row: &Row) -> Option<f64> {
        self.rows.iter().find(|own| own.case == row.case).map(|own| own.measured.seconds)
    }
}
