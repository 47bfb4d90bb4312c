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

use super::probe::Explorer;
use super::{Method, MethodName};
use crate::Result;
use crate::propagator::{Buffer, Engine, Propagator};
use crate::training::draws::{Purpose, stream};
use crate::training::{Batch, Parameters};
use rand::RngExt;

/// The method.
pub struct Spsa<E: Engine>(pub Explorer<E>);

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
        let explorer = &mut self.0;
        let (engine, probing) = (explorer.probe.engine.clone(), explorer.probing);
        let mut random = stream(probing.seed, Purpose::Directions, explorer.controls.memory.step);
        for draw in 0..probing.draws {
            let signs: Vec<f64> =
                (0..explorer.controls.len()).map(|_| if random.random() { 1.0 } else { -1.0 }).collect();
            let direction = engine.upload(&signs)?;
            let mut loss_at = |step| explorer.loss_along(chip, batch, &direction, step, tally);
            let difference = loss_at(probing.step)? - loss_at(-probing.step)?;
            let slope = difference / (2.0 * probing.step * probing.draws as f64);
            explorer.add(draw, slope, &direction)?;
        }
        explorer.descend(learning_rate)?;
        chip.program(&explorer.controls.values)
    }

    fn controls(&self) -> &Buffer<C> {
        &self.0.controls.values
    }

    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)> {
        vec![("controls", &self.0.controls)]
    }

    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)> {
        vec![("controls", &mut self.0.controls)]
    }
}
