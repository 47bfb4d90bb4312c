//! The statistics from which chips are drawn.

use super::control::Control;
use super::copies::{hardware, share, share_stages};
use super::draws::normal_draws;
use super::perturbation::matrix;
use super::random::site;
use super::ranges::{coupler_angles, not_negative};
use super::{Draws, Drift, Fabrication, Noise, Passive, Process, StageErrors};
use crate::Result;
use crate::network::{Network, Stage};
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
    /// Networks with hidden layers: relative strength of the mixing of their signals ([`super::perturbation`]).
    pub perturbation: f64,
    /// Meshes: what else light meets.
    pub passive: Passive,
    /// Meshes and weight banks: variation that neighbours share.
    pub process: Process,
    /// Side of the physical module that does the work of larger layers, and of all layers of one shape, in turn, as
    /// [`super::copies`] says; 0 for hardware of its own everywhere.
    pub module: usize,
    /// Phase shifters: how controls become phases.
    pub control: Control,
    /// All: slow drift, of the chip alone.
    pub drift: Drift,
    /// All: fast noise, of the chip alone.
    pub noise: Noise,
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
        perturbation: 0.0,
        passive: Passive::NONE,
        process: Process::NONE,
        module: 0,
        control: Control::NONE,
        drift: Drift::NONE,
        noise: Noise::NONE,
    };

    /// Errs where a value has no physical meaning.
    pub fn validate(&self) -> Result<()> {
        coupler_angles(&[("splitter-angle", self.splitter_angle)])?;
        let spreads = [
            ("phase", self.phase),
            ("loss-db", self.loss_db),
            ("loss-spread-db", self.loss_spread_db),
            ("parameter-spread", self.parameter_spread),
            ("response-amplitude", self.response_amplitude),
            ("response-slope", self.response_slope),
            ("response-offset", self.response_offset),
            ("update-error", self.update_error),
            ("perturbation", self.perturbation),
        ];
        not_negative(&spreads)?;
        self.passive.validate()?;
        self.process.validate()?;
        self.control.validate()?;
        self.drift.validate()?;
        self.noise.validate()
    }

    /// Draws the chip number `seed`. Every stage and the update error have their own stream, so that a change of one
    /// spread scales that error and leaves the others as they were.
    pub fn fabricate(&self, network: &Network, seed: u64) -> Result<Fabrication> {
        self.build(network, seed, |stage, index| Draws::new(self, stage, index, seed))
    }

    /// The same, where the errors of stages come from `draws`.
    pub(super) fn build<'a>(
        &'a self,
        network: &Network,
        seed: u64,
        draws: impl Fn(&Stage, usize) -> Draws<'a>,
    ) -> Result<Fabrication> {
        self.validate()?;
        let stages = network.stages().enumerate().map(|(index, stage)| match stage.element().imperfect() {
            Some(own) => StageErrors::new(own, own.draw(&draws(stage, index))),
            None => StageErrors::NONE,
        });
        let mut stages: Vec<StageErrors> = stages.collect();
        let mut update_error = match self.update_error {
            0.0 => Vec::new(),
            deviation => normal_draws(seed, 0, network.controls(), 0.0, deviation),
        };
        let mut control = self.control.fabricate(network, seed, site::SHIFTERS);
        if self.module > 0 {
            let hardware = hardware(network, self.module);
            share(&mut update_error, &hardware);
            share(&mut control.shifters, &hardware);
            share_stages(network, &mut stages, self.module);
        }
        let perturbation = self.perturbations(network, seed);
        let (drift, noise) = (self.drift, self.noise);
        let amplified = self.passive.amplified;
        Ok(Fabrication { stages, update_error, perturbation, amplified, control, drift, noise, seed })
    }

    /// What every hidden layer's output is multiplied by.
    fn perturbations(&self, network: &Network, seed: u64) -> Vec<Vec<f64>> {
        let hidden = network.layers().len() - 1;
        if self.perturbation == 0.0 || hidden == 0 {
            return Vec::new();
        }
        let mut stages = 0;
        let drawn = |(layer, all): (usize, &Vec<Stage>)| {
            stages += all.len() as u64; // stream 14 of the layer's last stage
            match layer < hidden {
                true => matrix(network.layer_output(layer), self.perturbation, seed, 16 * stages + 14),
                false => Vec::new(),
            }
        };
        network.layers().iter().enumerate().map(drawn).collect()
    }
}
