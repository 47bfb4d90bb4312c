//! One chip's individual imperfections, as numbers, and how they are drawn. Only what simulates the chip, and the oracle, may have
//! them.

pub mod control;
pub mod copies;
pub mod coupling;
mod data_sheet;
mod demonstration;
mod disagreement;
pub mod drift;
mod measured;
pub mod noise;
mod of_meshes;
pub mod perturbation;
mod room;
pub mod side_by_side;
mod validity;

pub use control::ControlPath;
pub use demonstration::demonstration;
pub use disagreement::disagreements;
pub use measured::Measurements;
pub use noise::Receiver;

use crate::Result;
use crate::imperfections::random::site;
use crate::imperfections::{Draws, Drift, Imperfections, Noise, normal_draws};
use crate::network::{Network, Stage};
use crate::stage::{Meaning, StageErrors};
use copies::{hardware, share, share_stages};
use perturbation::matrix;

/// One chip: the errors of each of its stages, and of the way it follows its controls.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fabrication {
    /// Per stage; empty means that all are as designed.
    pub stages: Vec<StageErrors>,
    /// The chip follows its controls c from the first programmed ones c₀ as `c₀ + (1 + E)∘(c - c₀)`: an uncalibrated slope, the
    /// published "projection error". Per control; empty means none.
    pub update_error: Vec<f64>,
    /// Per layer, what its output is multiplied by: a real matrix `[width, width]` ([`perturbation`]), or empty. No layer:
    /// none has one.
    pub perturbation: Vec<Vec<f64>>,
    /// Amplifiers behind its meshes make up for their nominal loss, already subtracted from the losses. Only then may a mesh gain
    /// light.
    pub amplified: bool,
    /// How its controls become phases.
    pub control: ControlPath,
    /// The fast noise of its signals, which engines do not know: [`crate::chip::Chip`] adds it.
    pub noise: Noise,
    /// How fast it drifts, which engines do not know either.
    pub drift: Drift,
    /// σ of its phase-change cells, which engines do not know either.
    pub write_noise: f64,
    /// σ_c of its phase-change cells, likewise.
    pub cycle_spread: f64,
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

/// Of every control whether it is a number of digital electronics.
pub(crate) fn digital(network: &Network) -> impl Iterator<Item = bool> + '_ {
    let runs = network.stages().flat_map(Stage::runs);
    runs.flat_map(|run| std::iter::repeat_n(run.meaning == Meaning::Digital, run.count))
}

impl Imperfections {
    /// Draws the chip number `seed`. Every stage and the update error have their own stream, so that a change of one
    /// spread scales that error and leaves the others as they were.
    pub fn fabricate(&self, network: &Network, seed: u64) -> Result<Fabrication> {
        self.build(network, seed, |stage, index| Draws::new(self, stage, index, seed))
    }

    /// The same, where the errors of stages come from `draws`.
    pub(super) fn build<'a>(
        &'a self,
        network: &'a Network,
        seed: u64,
        draws: impl Fn(&'a Stage, usize) -> Draws<'a>,
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
        for (error, digital) in update_error.iter_mut().zip(digital(network)) {
            *error = if digital { 0.0 } else { *error };
        }
        let mut control =
            self.control.fabricate(network, seed, site::SHIFTERS, self.memory.pcm_levels, self.planes.mask_levels);
        if self.module > 0 {
            let hardware = hardware(network, self.module);
            share(&mut update_error, &hardware);
            share(&mut control.shifters, &hardware);
            share_stages(network, &mut stages, self.module);
        }
        let perturbation = self.perturbations(network, seed);
        let (drift, noise) = (self.drift, self.noise);
        let amplified = self.passive.amplified;
        let (write_noise, cycle_spread) = (self.memory.pcm_write_noise, self.memory.pcm_cycle_spread);
        Ok(Fabrication {
            stages,
            update_error,
            perturbation,
            amplified,
            control,
            drift,
            noise,
            write_noise,
            cycle_spread,
            seed,
        })
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
