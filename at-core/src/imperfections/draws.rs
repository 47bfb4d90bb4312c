//! Where the errors of a stage come from: streams of random numbers of its own, and what neighbours on its die share.

use super::process::field;
use super::{FloorPlan, Imperfections};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use std::f64::consts::TAU;

/// The draws of one stage of one chip. A stage has 16 streams; what it draws from one does not depend on the others, so a change
/// of one spread scales that error and leaves the others as they were.
pub struct Draws<'a> {
    /// The statistics.
    pub imperfections: &'a Imperfections,
    seed: u64,
    first_stream: u64,
    /// Where its heaters stand, whose neighbours share something.
    plan: &'a dyn FloorPlan,
    /// No individual but the mean of all: every draw is the mean of its distribution.
    typical: bool,
}

impl<'a> Draws<'a> {
    /// Of the stage with this `plan`, which is number `index` of chip number `seed`.
    pub fn new(imperfections: &'a Imperfections, plan: &'a dyn FloorPlan, index: usize, seed: u64) -> Self {
        Draws { imperfections, seed, first_stream: 16 * (index as u64 + 1), plan, typical: false }
    }

    /// Of the stage of a chip that is no individual: whatever a page draws, it gets the mean, so that no spread reaches a digital model.
    pub(crate) fn typical(imperfections: &'a Imperfections, plan: &'a dyn FloorPlan, index: usize) -> Self {
        Draws { typical: true, ..Draws::new(imperfections, plan, index, 0) }
    }

    /// Those of the stage with this `plan`, which is number `part` inside this one: streams that no other stage has.
    pub(crate) fn inside(&self, part: usize, plan: &'a dyn FloorPlan) -> Self {
        let mixed = mix(self.first_stream ^ mix(part as u64 + 1));
        Draws { first_stream: (mixed | 1 << 63) & !15, plan, ..*self }
    }

    /// `count` draws of N(mean, deviation²) from one of the stage's streams.
    pub fn normal(&self, stream: u64, count: usize, mean: f64, deviation: f64) -> Vec<f64> {
        if self.typical {
            return vec![mean; count];
        }
        normal_draws(self.seed, self.first_stream + stream, count, mean, deviation)
    }

    /// `count` uniform draws in [0, 1) from one of the stage's streams.
    pub fn uniform(&self, stream: u64, count: usize) -> Vec<f64> {
        if self.typical {
            return vec![0.5; count];
        }
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(self.first_stream + stream);
        (0..count).map(|_| random.random::<f64>()).collect()
    }

    /// What neighbours share (`imperfections::process`), at every heater: a field with this `deviation`, and one mean per die with the
    /// deviation `die`. Takes two streams. Behind the heaters there may be zeros.
    pub fn shared(&self, stream: u64, deviation: f64, die: f64) -> Vec<f64> {
        let mut values = vec![0.0; self.plan.controls()];
        if self.typical || (deviation == 0.0 && die == 0.0) {
            return values; // the floor plan takes more room than all errors
        }
        let heaters = self.plan.heaters();
        let mut dies: Vec<Vec<usize>> = Vec::new();
        for (heater, place) in heaters.iter().enumerate() {
            dies.resize_with(dies.len().max(place.die + 1), Vec::new);
            dies[place.die].push(heater);
        }
        let length = self.imperfections.process.process_length / self.imperfections.control.pitch;
        let mut source = normal_stream(self.seed, self.first_stream + stream + 1, 0.0, deviation);
        for (here, mean) in dies.iter().zip(self.normal(stream, dies.len(), 0.0, die)) {
            let places: Vec<[f64; 2]> = here.iter().map(|&heater| heaters[heater].at).collect();
            let own = field(&places, length, &mut |count| source.by_ref().take(count).collect());
            here.iter().zip(own).for_each(|(&heater, value)| values[heater] = mean + value);
        }
        values
    }

    /// Adds to the phase errors of all heaters, in their order, what the process makes of them and what was never calibrated.
    pub fn add_phases(&self, phases: &mut [f64]) {
        let process = &self.imperfections.process;
        add(phases, self.shared(10, process.process_phase, process.die_phase));
        if self.imperfections.passive.uncalibrated {
            add(phases, self.uniform(12, phases.len()).into_iter().map(|u| TAU * u));
        }
    }
}

/// A bijection of 64 bits in which every bit depends on all (Steele, Lea and Flood, OOPSLA, 453 (2014)).
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn add(values: &mut [f64], more: impl IntoIterator<Item = f64>) {
    values.iter_mut().zip(more).for_each(|(value, more)| *value += more);
}

/// `count` draws of N(mean, deviation²) from stream `stream` of `seed`.
pub(crate) fn normal_draws(seed: u64, stream: u64, count: usize, mean: f64, deviation: f64) -> Vec<f64> {
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
