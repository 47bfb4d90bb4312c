//! The statistics from which chips are drawn.

use super::control::Control;
use super::copies::{hardware, share, share_stages};
use super::floorplan::{Place, places};
use super::perturbation::matrix;
use super::process::field;
use super::random::site;
use super::ranges::{coupler_angles, not_negative};
use super::{Drift, Fabrication, Noise, Passive, Process, StageErrors};
use crate::Result;
use crate::network::{Network, Stage};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

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
        self.validate()?;
        let mut stages: Vec<StageErrors> =
            network.stages().enumerate().map(|(index, stage)| self.stage(stage, index, seed)).collect();
        let mut update_error = match self.update_error {
            0.0 => Vec::new(),
            deviation => normal_draws(seed, 0, network.controls(), 0.0, deviation),
        };
        let mut control = self.control.fabricate(network, seed, site::SHIFTERS);
        if self.module > 0 {
            let hardware = hardware(network, self.module);
            share(&mut update_error, &hardware);
            share(&mut control.shifters, &hardware);
            share_stages(network, &mut stages, &hardware);
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

    /// The errors of stage number `index`.
    fn stage(&self, stage: &Stage, index: usize, seed: u64) -> StageErrors {
        let stream = |number: u64| 16 * (index as u64 + 1) + number;
        let normal = |number: u64, count, mean, deviation| normal_draws(seed, stream(number), count, mean, deviation);
        let uniform = |number: u64, count| uniform_draws(seed, stream(number), count);
        let heaters: Vec<Place> = places(stage).into_iter().flatten().collect();
        // what neighbours share: at every heater, in units of one deviation s, with its die's own mean
        let shared = |number: u64, deviation: f64, die: f64| {
            let mut values = vec![0.0; heaters.len()];
            if deviation == 0.0 && die == 0.0 {
                return values;
            }
            let mut dies: Vec<Vec<usize>> = Vec::new();
            for (heater, place) in heaters.iter().enumerate() {
                dies.resize_with(dies.len().max(place.die + 1), Vec::new);
                dies[place.die].push(heater);
            }
            let length = self.process.process_length / self.control.pitch;
            let mut source = normal_stream(seed, stream(number + 1), 0.0, deviation);
            for (here, mean) in dies.iter().zip(normal(number, dies.len(), 0.0, die)) {
                let places: Vec<[f64; 2]> = here.iter().map(|&heater| heaters[heater].at).collect();
                let own = field(&places, length, &mut |count| source.by_ref().take(count).collect());
                here.iter().zip(own).for_each(|(&heater, value)| values[heater] = mean + value);
            }
            values
        };
        match stage {
            Stage::Mesh(mesh) => {
                let mzis = mesh.mzis();
                let near = shared(8, self.process.process_splitter, self.process.die_splitter);
                // the first coupler lies behind φ, the second behind θ
                let coupler = |angles: u64, splits: u64, places: &[f64]| {
                    let angles = normal(angles, mzis, self.passive.splitter_mean, self.splitter_angle);
                    let splits = normal(splits, mzis, 0.0, self.passive.splitter_split);
                    let errors = angles.into_iter().zip(splits).zip(places);
                    errors.map(|((angle, split), near)| angle - 0.5 * split.clamp(-1.0, 1.0).asin() + near).collect()
                };
                let first_coupler: Vec<f64> = coupler(1, 5, &near[mzis..2 * mzis]);
                let second_coupler = match self.passive.splitter_equal {
                    true => first_coupler.clone(),
                    false => coupler(2, 6, &near[..mzis]),
                };
                let mut phases = normal(3, 2 * mzis, 0.0, self.phase);
                phases.resize(mesh.controls(), 0.0);
                add(&mut phases, &shared(10, self.process.process_phase, self.process.die_phase));
                if self.passive.uncalibrated {
                    add(&mut phases, &uniform(12, mesh.controls()).map(|u| TAU * u).collect::<Vec<_>>());
                }
                let places = mesh.columns().len() * mesh.modes();
                let column_cm = 2.0 * self.control.pitch * 1e-4;
                let mean = self.loss_db + self.passive.propagation_db_cm * column_cm;
                let facets = 2.0 * self.passive.facet_db / mesh.columns().len() as f64;
                let loss_db = normal(4, places, mean, self.loss_spread_db).into_iter().zip(uniform(7, places));
                let imbalance = |u: f64| 1.0 + self.passive.path_imbalance * (2.0 * u - 1.0);
                let made_up = if self.passive.amplified { mean + facets } else { 0.0 };
                let loss_db = loss_db.map(|(loss, u)| loss.max(0.0) * imbalance(u) + facets - made_up).collect();
                StageErrors::Mesh { first_coupler, second_coupler, phases, loss_db }
            }
            Stage::Matrix { .. } => {
                StageErrors::Matrix { spread: normal(1, stage.controls(), 0.0, self.parameter_spread) }
            }
            Stage::WeightBank { .. } => {
                let cells = stage.controls();
                let mut offset = normal(3, cells, 0.0, self.response_offset);
                add(&mut offset, &shared(10, self.process.process_phase, self.process.die_phase));
                if self.passive.uncalibrated {
                    add(&mut offset, &uniform(12, cells).map(|u| TAU * u).collect::<Vec<_>>());
                }
                StageErrors::WeightBank {
                    amplitude: normal(1, cells, 0.0, self.response_amplitude),
                    slope: normal(2, cells, 0.0, self.response_slope),
                    offset,
                }
            }
            _ => StageErrors::None,
        }
    }
}

fn add(values: &mut [f64], more: &[f64]) {
    values.iter_mut().zip(more).for_each(|(value, more)| *value += more);
}

/// `count` uniform draws in [0, 1) from stream `stream` of `seed`.
fn uniform_draws(seed: u64, stream: u64, count: usize) -> impl Iterator<Item = f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream);
    (0..count).map(move |_| random.random::<f64>())
}

/// `count` draws of N(mean, deviation²) from stream `stream` of `seed`.
pub(super) fn normal_draws(seed: u64, stream: u64, count: usize, mean: f64, deviation: f64) -> Vec<f64> {
    normal_stream(seed, stream, mean, deviation).take(count).collect()
}

/// Draws of N(mean, deviation²) from stream `stream` of `seed`, without end.
fn normal_stream(seed: u64, stream: u64, mean: f64, deviation: f64) -> impl Iterator<Item = f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream);
    std::iter::repeat_with(move || {
        let draw: f64 = StandardNormal.sample(&mut random);
        mean + deviation * draw
    })
}
