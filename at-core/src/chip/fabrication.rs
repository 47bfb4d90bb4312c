//! One chip's individual imperfections, as numbers. Only what simulates the chip, and the oracle, may have them.

use super::{ControlPath, Drift, Noise};
use crate::error::same_size;
use crate::network::{Network, Stage};
use crate::optics::Mesh;
use crate::{Error, Result};

/// Gains below this (dB) are sums of zeros that were rounded.
const ROUNDING_DB: f64 = 1e-9;

/// The imperfections of one stage. Vectors are ordered as the stage's controls.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum StageErrors {
    /// As designed.
    #[default]
    None,
    /// A mesh.
    Mesh {
        /// Angle error δ1 of the coupler that light meets first, per MZI (radians).
        first_coupler: Vec<f64>,
        /// Angle error δ2 of the second coupler, per MZI (radians).
        second_coupler: Vec<f64>,
        /// Phase added to every control `[θ, φ, γ]` (radians).
        phases: Vec<f64>,
        /// Insertion loss of every waveguide in every column, `[column, mode]` (dB of power).
        loss_db: Vec<f64>,
    },
    /// A matrix: every entry is multiplied by `1 + spread`.
    Matrix {
        /// Relative deviation of every entry.
        spread: Vec<f64>,
    },
    /// A weight bank: cell k answers `(1 + amplitude_k)·sin((1 + slope_k)·φ + offset_k)`.
    WeightBank {
        /// Relative deviation of the response's amplitude.
        amplitude: Vec<f64>,
        /// Relative deviation of its slope.
        slope: Vec<f64>,
        /// Phase offset (radians).
        offset: Vec<f64>,
    },
}

impl StageErrors {
    /// A mesh with all errors zero, to be filled in.
    pub fn mesh(mesh: &Mesh) -> Self {
        StageErrors::Mesh {
            first_coupler: vec![0.0; mesh.mzis()],
            second_coupler: vec![0.0; mesh.mzis()],
            phases: vec![0.0; mesh.controls()],
            loss_db: vec![0.0; mesh.columns().len() * mesh.modes()],
        }
    }
}

/// Mean loss (dB of power) from end to end of every die of a mesh.
fn die_losses(mesh: &Mesh, loss_db: &[f64]) -> Vec<f64> {
    let modes = mesh.die_modes();
    let mut losses = vec![0.0; mesh.dies()];
    for column in loss_db.chunks_exact(mesh.modes()) {
        for (sum, own) in losses.iter_mut().zip(column.chunks_exact(modes)) {
            *sum += own.iter().sum::<f64>() / modes as f64;
        }
    }
    losses
}

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
        self.stages.get(index).unwrap_or(&StageErrors::None)
    }

    /// The perturbation behind layer `layer`, empty where there is none.
    pub fn perturbation(&self, layer: usize) -> &[f64] {
        self.perturbation.get(layer).map_or(&[], Vec::as_slice)
    }

    /// Errs where a vector does not have the size that `network` needs, and where a mesh without amplifiers would gain light.
    pub fn check(&self, network: &Network) -> Result<()> {
        if !self.stages.is_empty() {
            same_size("stages with errors", network.stages().count(), self.stages.len())?;
        }
        if !self.update_error.is_empty() {
            same_size("update errors", network.controls(), self.update_error.len())?;
        }
        if !self.perturbation.is_empty() {
            same_size("layers with perturbations", network.layers().len(), self.perturbation.len())?;
        }
        for (layer, matrix) in self.perturbation.iter().enumerate().filter(|(_, matrix)| !matrix.is_empty()) {
            let width = network.layer_output(layer).width();
            same_size(&format!("entries of the perturbation of layer {layer}"), width * width, matrix.len())?;
        }
        let ControlPath { shifters, coupling, .. } = &self.control;
        if !shifters.is_empty() {
            same_size("shifters", network.controls(), shifters.len())?;
        }
        if !coupling.starts.is_empty() {
            same_size("shifters of a chip with crosstalk", network.controls(), shifters.len())?;
            same_size("rows of the crosstalk", network.controls() + 1, coupling.starts.len())?;
        }
        for (index, (stage, errors)) in network.stages().zip(&self.stages).enumerate() {
            let check = |what: &str, expected, got| same_size(&format!("{what} of stage {index}"), expected, got);
            let controls = stage.controls();
            match (stage, errors) {
                (_, StageErrors::None) => {}
                (Stage::Mesh(mesh), StageErrors::Mesh { first_coupler, second_coupler, phases, loss_db }) => {
                    check("first coupler errors", mesh.mzis(), first_coupler.len())?;
                    check("second coupler errors", mesh.mzis(), second_coupler.len())?;
                    check("phase errors", controls, phases.len())?;
                    check("losses", mesh.columns().len() * mesh.modes(), loss_db.len())?;
                    let least = die_losses(mesh, loss_db).into_iter().fold(f64::INFINITY, f64::min);
                    if least < -ROUNDING_DB && !self.amplified {
                        let value = format!("{least} dB in the mesh of stage {index}");
                        let reason = "a mesh without amplifiers creates no power: its mean loss is not negative";
                        return Err(Error::invalid("loss-db", value, reason));
                    }
                }
                (Stage::Matrix { .. }, StageErrors::Matrix { spread }) => check("spreads", controls, spread.len())?,
                (Stage::WeightBank { .. }, StageErrors::WeightBank { amplitude, slope, offset }) => {
                    check("amplitude errors", controls, amplitude.len())?;
                    check("slope errors", controls, slope.len())?;
                    check("offset errors", controls, offset.len())?;
                }
                _ => {
                    return Err(Error::invalid(
                        "fabrication",
                        format!("stage {index}"),
                        "its errors belong to another kind of stage",
                    ));
                }
            }
        }
        Ok(())
    }
}
