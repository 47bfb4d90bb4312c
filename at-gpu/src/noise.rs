//! A chip's noise and drift on a GPU: one dispatch per signal or programming, every draw by its counter.

use crate::engine::Gpu;
use crate::layout::{Disturb, Drift};
use crate::vectors::{Vector, check_range, count};
use at_core::Result;
use at_core::fabrication::drift::DriftStep;
use at_core::fabrication::noise::{Draw, SignalNoise};
use at_shaders::Kernel;
use std::f64::consts::FRAC_1_SQRT_2;

impl Gpu {
    /// One step of a chip's drift.
    pub(crate) fn drift(&self, step: &DriftStep, drift: &Vector) -> Result<()> {
        let [_, time, _, site] = step.counter(0);
        let [key_low, key_high] = step.key;
        let [keep, own, shared_step] = [step.keep, step.own, step.common].map(|value| value as f32);
        let len = count(drift.len)?;
        let parameters = Drift { len, key_low, key_high, time, site, keep, own, shared_step };
        self.each(Kernel::Drift, &parameters, &[&drift.buffer], drift.len)
    }

    /// What `noise` makes of `signal [batch, mode]`.
    pub(crate) fn add_noise(&self, noise: &SignalNoise, draw: &Draw, batch: usize, signal: &Vector) -> Result<()> {
        let modes = noise.signal.modes;
        check_range("signals to disturb", signal.len, 0, batch * noise.signal.width())?;
        let share = if noise.signal.complex { FRAC_1_SQRT_2 } else { 1.0 };
        let [_, first_sample, pass_number, site] = draw.counter(0, 0);
        let converter = noise.converter.map_or([0.0; 3], |c| [c.low, c.step, c.codes - 1.0]);
        let [low, step, top] = converter.map(|value| value as f32);
        let parameters = Disturb {
            len: count(batch * modes)?,
            modes: count(modes)?,
            is_complex: u32::from(noise.signal.complex),
            per_mode: u32::from(noise.per_mode()),
            key_low: draw.key[0],
            key_high: draw.key[1],
            pass_number,
            site,
            gain: (1.0 + noise.gain * draw.of_pass()) as f32,
            sample_gain: noise.sample as f32,
            relative: (share * noise.relative) as f32,
            absolute: (share * noise.absolute) as f32,
            shot: noise.shot as f32,
            low,
            step,
            top,
            first_sample,
        };
        self.each(Kernel::Disturb, &parameters, &[&signal.buffer], batch * modes)
    }
}
