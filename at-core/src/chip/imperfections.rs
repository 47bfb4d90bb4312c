//! The statistics from which chips are drawn.

use super::control::Control;
use super::random::site;
use super::{Drift, Fabrication, Noise, StageErrors};
use crate::network::{Network, Stage};
use crate::{Error, Result};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// Spreads of a chip's static imperfections; all default to 0. One seed draws one chip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Imperfections {
    /// Meshes: standard deviation of the couplers' angle errors δ (radians), both couplers independent.
    pub splitter_angle: f64,
    /// Meshes: standard deviation of the static phase error of θ and φ (radians).
    pub phase: f64,
    /// Meshes: insertion loss per waveguide and column (dB of power).
    pub loss_db: f64,
    /// Meshes: standard deviation of that loss between waveguides (dB of power); a negative draw counts as no loss.
    pub loss_spread_db: f64,
    /// Matrices: standard deviation of the relative deviation of every entry.
    pub parameter_spread: f64,
    /// Weight banks: standard deviation of the relative deviation of a cell's amplitude.
    pub response_amplitude: f64,
    /// Weight banks: standard deviation of the relative deviation of a cell's slope.
    pub response_slope: f64,
    /// Weight banks: standard deviation of a cell's phase offset (radians).
    pub response_offset: f64,
    /// All: standard deviation of the relative error with which the chip follows updates of a control.
    pub update_error: f64,
    /// Phase shifters: how controls become phases.
    pub control: Control,
    /// All: slow drift, of the chip alone.
    pub drift: Drift,
    /// All: fast noise, of the chip alone.
    pub noise: Noise,
}

/// Errs where a value is negative or not finite.
pub(super) fn not_negative(values: &[(&'static str, f64)]) -> Result<()> {
    match values.iter().find(|(_, value)| !(value.is_finite() && *value >= 0.0)) {
        Some((name, value)) => Err(Error::invalid(name, value, "must be finite and not negative")),
        None => Ok(()),
    }
}

impl Imperfections {
    /// A chip as designed.
    pub const NONE: Imperfections = Imperfections {
        splitter_angle: 0.0,
        phase: 0.0,
        loss_db: 0.0,
        loss_spread_db: 0.0,
        parameter_spread: 0.0,
        response_amplitude: 0.0,
        response_slope: 0.0,
        response_offset: 0.0,
        update_error: 0.0,
        control: Control::NONE,
        drift: Drift::NONE,
        noise: Noise::NONE,
    };

    /// Errs where a spread is negative or not finite.
    pub fn validate(&self) -> Result<()> {
        let spreads = [
            ("splitter-angle", self.splitter_angle),
            ("phase", self.phase),
            ("loss-db", self.loss_db),
            ("loss-spread-db", self.loss_spread_db),
            ("parameter-spread", self.parameter_spread),
            ("response-amplitude", self.response_amplitude),
            ("response-slope", self.response_slope),
            ("response-offset", self.response_offset),
            ("update-error", self.update_error),
        ];
        not_negative(&spreads)?;
        self.control.validate()?;
        self.drift.validate()?;
        self.noise.validate()
    }

    /// Draws the chip number `seed`. Every stage and the update error have their own stream, so that a change of one
    /// spread scales that error and leaves the others as they were.
    pub fn fabricate(&self, network: &Network, seed: u64) -> Result<Fabrication> {
        self.validate()?;
        let stages = network
            .stages()
            .enumerate()
            .map(|(index, stage)| {
                let mut stream = 16 * (index as u64 + 1);
                let mut normal = |count: usize, mean: f64, deviation: f64| {
                    stream += 1;
                    normal_draws(seed, stream, count, mean, deviation)
                };
                match stage {
                    Stage::Mesh(mesh) => {
                        let mzis = mesh.mzis();
                        let first_coupler = normal(mzis, 0.0, self.splitter_angle);
                        let second_coupler = normal(mzis, 0.0, self.splitter_angle);
                        let mut phases = normal(2 * mzis, 0.0, self.phase);
                        phases.resize(mesh.controls(), 0.0);
                        let mut loss_db =
                            normal(mesh.columns().len() * mesh.modes(), self.loss_db, self.loss_spread_db);
                        loss_db.iter_mut().for_each(|loss| *loss = loss.max(0.0));
                        StageErrors::Mesh { first_coupler, second_coupler, phases, loss_db }
                    }
                    Stage::Matrix { .. } => {
                        StageErrors::Matrix { spread: normal(stage.controls(), 0.0, self.parameter_spread) }
                    }
                    Stage::WeightBank { .. } => StageErrors::WeightBank {
                        amplitude: normal(stage.controls(), 0.0, self.response_amplitude),
                        slope: normal(stage.controls(), 0.0, self.response_slope),
                        offset: normal(stage.controls(), 0.0, self.response_offset),
                    },
                    _ => StageErrors::None,
                }
            })
            .collect();
        let update_error = match self.update_error {
            0.0 => Vec::new(),
            deviation => normal_draws(seed, 0, network.controls(), 0.0, deviation),
        };
        let control = self.control.fabricate(network, seed, site::SHIFTERS);
        Ok(Fabrication { stages, update_error, control, drift: self.drift, noise: self.noise, seed })
    }
}

/// `count` draws of N(mean, deviation²) from stream `stream` of `seed`.
fn normal_draws(seed: u64, stream: u64, count: usize, mean: f64, deviation: f64) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream);
    (0..count)
        .map(|_| {
            let draw: f64 = StandardNormal.sample(&mut random);
            mean + deviation * draw
        })
        .collect()
}
