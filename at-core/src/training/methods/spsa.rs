//! Simultaneous perturbation: the chip's loss at two points along a random direction, and no model at all.
//!
//! ```text
//! Δ_i = ±1, each with probability ½, drawn anew q times per step
//! ĝ = mean over the draws of (L(Θ + cΔ) − L(Θ − cΔ))/(2c) · Δ          E ĝ = ∇L + O(c²),  E|ĝ|² ≈ D|∇L|²/q
//! Θ ← Θ − η·ĝ
//! ```
//!
//! Per step 2q passes, readouts of P values each, and (2q + 1)·D control writes: the last leave the chip at the new controls.
//!
//! Source: Spall, IEEE Trans. Autom. Control 37, 332 (1992); on a photonic chip Bandyopadhyay et al., Nat. Photon. (2024),
//! doi 10.1038/s41566-024-01567-z.

use super::probe::Probe;
use super::{Method, MethodName};
use crate::propagator::{Buffer, Engine, Propagator};
use crate::training::draws::{Purpose, stream};
use crate::training::{Batch, Loss, Optimizer, Parameters};
use crate::{Error, Result};
use rand::RngExt;

/// How a method without a model probes the chip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probing {
    /// Directions per step, q or Q.
    pub draws: usize,
    /// How far the controls are moved along them, c or μ.
    pub step: f64,
    /// Of the directions.
    pub seed: u64,
}

impl Probing {
    /// Errs unless there is a direction and a positive step.
    pub fn validate(&self) -> Result<()> {
        if self.draws == 0 {
            return Err(Error::invalid("probe-draws", 0, "must be at least 1"));
        }
        if !(self.step.is_finite() && self.step > 0.0) {
            return Err(Error::invalid("probe-step", self.step, "must be positive"));
        }
        Ok(())
    }
}

/// The method.
pub struct Spsa<E: Engine> {
    probing: Probing,
    controls: Parameters<E>,
    probe: Probe<E>,
    moved: E::Buffer,
    gradient: E::Buffer,
}

impl<E: Engine> Spsa<E> {
    /// Starts from the `initial` values, on a chip with `outputs` readouts.
    pub fn new(
        engine: &E,
        outputs: usize,
        probing: Probing,
        initial: &[f64],
        optimizer: Optimizer,
        loss: Loss,
        capacity: usize,
    ) -> Result<Self> {
        probing.validate()?;
        Ok(Spsa {
            probing,
            controls: Parameters::new(engine, optimizer, initial)?,
            probe: Probe::new(engine, outputs, loss, capacity)?,
            moved: engine.zeros(initial.len())?,
            gradient: engine.zeros(initial.len())?,
        })
    }
}

impl<E: Engine, C: Propagator<Engine = E>> Method<C> for Spsa<E> {
    fn name(&self) -> MethodName {
        MethodName::Spsa
    }

    fn step(
        &mut self,
        chip: &mut C,
        batch: &Batch<C::Engine>,
        learning_rate: f64,
        tally: &mut Buffer<C>,
    ) -> Result<()> {
        let Spsa { probing, controls, probe, moved, gradient } = self;
        let engine = probe.engine.clone();
        let mut random = stream(probing.seed, Purpose::Directions, controls.memory.step);
        for draw in 0..probing.draws {
            let signs: Vec<f64> = (0..controls.len()).map(|_| if random.random() { 1.0 } else { -1.0 }).collect();
            let direction = engine.upload(&signs)?;
            let mut loss_at = |step| {
                engine.combine(1.0, &controls.values, 0.0, moved)?;
                engine.combine(step, &direction, 1.0, moved)?;
                chip.program(moved)?;
                probe.measure(chip, batch, tally)
            };
            let difference = loss_at(probing.step)? - loss_at(-probing.step)?;
            let slope = difference / (2.0 * probing.step * probing.draws as f64);
            engine.combine(slope, &direction, if draw == 0 { 0.0 } else { 1.0 }, gradient)?;
        }
        controls.descend(&engine, learning_rate, gradient)?;
        chip.program(&controls.values)
    }

    fn controls(&self) -> &Buffer<C> {
        &self.controls.values
    }

    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)> {
        vec![("controls", &self.controls)]
    }

    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)> {
        vec![("controls", &mut self.controls)]
    }
}
