//! How far controls can go before a training has diverged.

use super::{Network, Stage};
use crate::stage::Meaning;

/// A phase that training has driven beyond this (radians) is one of no use: 32 bits tell 1e-3 rad apart there.
pub const MOST_PHASE: f64 = 1e4;

/// The same of a weight or gain, which grows only where training diverges.
pub const MOST_WEIGHT: f64 = 1e6;

/// Which controls of a network are phases: what a training that diverges is told by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Controls in a row, and whether they are phases.
    runs: Vec<(usize, bool)>,
}

impl Bounds {
    /// Of the controls of `network`.
    pub fn of(network: &Network) -> Self {
        let all = network.stages().flat_map(Stage::runs);
        let runs = all.map(|run| (run.count, matches!(run.meaning, Meaning::Phase { .. }))).collect();
        Bounds { runs }
    }

    /// The first control that no useful training reaches, in words: one that is not finite, a phase beyond [`MOST_PHASE`], a
    /// weight beyond [`MOST_WEIGHT`].
    pub fn passed(&self, controls: &[f64]) -> Option<String> {
        let kinds = self.runs.iter().flat_map(|&(count, phase)| std::iter::repeat_n(phase, count));
        let mut all = controls.iter().zip(kinds).enumerate();
        all.find_map(|(number, (&value, phase))| match phase {
            true if value.is_nan() || value.abs() > MOST_PHASE => Some(stands(number, value, " rad")),
            false if value.is_nan() || value.abs() > MOST_WEIGHT => Some(stands(number, value, "")),
            true | false => None,
        })
    }
}

/// Where a control is, in words.
pub(crate) fn stands(number: usize, value: f64, unit: &str) -> String {
    format!("control {number} stands at {value:.1e}{unit}")
}
