//! One chip's individual imperfections, as numbers. Only what simulates the chip, and the oracle, may have them.

use super::{ControlPath, Drift, Noise};
use crate::stage::StageErrors;

/// One chip: the errors of each of its stages, and of the way it follows its controls.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fabrication {
    /// Per stage; empty means that all are as designed.
    pub stages: Vec<StageErrors>,
    /// The chip follows its controls c from the first programmed ones c₀ as `c₀ + (1 + E)∘(c - c₀)`: an uncalibrated slope, the
    /// published "projection error". Per control; empty means none.
    pub update_error: Vec<f64>,
    /// Per layer, what its output is multiplied by: a real matrix `[width, width]` ([`super::perturbation`]), or empty. No layer:
    /// none has one.
    pub perturbation: Vec<Vec<f64>>,
    /// Amplifiers behind its meshes make up for their nominal loss, already subtracted from the losses. Only then may a mesh gain
    /// light.
    pub amplified: bool,
    /// How its controls become phases.
    pub control: ControlPath,
    /// The fast noise of its signals, which engines do not know: [`super::Chip`] adds it.
    pub noise: Noise,
    /// How fast it drifts, which engines do not know either.
    pub drift: Drift,
    /// The individual: key of everything that it draws while it works.
    pub seed: u64,
}

impl Fabrication {
    /// No imperfection.
    pub fn ideal() -> Self {
        Self::default()
    }

    /// The errors of stage `index`.
    pub fn stage(&self, index: usize) -> &StageErrors {
        self.stages.get(index).unwrap_or(const { &StageErrors::NONE })
    }

    /// The perturbation behind layer `layer`, empty where there is none.
    pub fn perturbation(&self, layer: usize) -> &[f64] {
        self.perturbation.get(layer).map_or(&[], Vec::as_slice)
    }
}
