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

use super::probe::{Explorer, PROBE_DRAWS, PROBE_STEP};
use super::{Dash, Gradient, Ingredients, Marker, Method, MethodFacts, MethodName, Model, Reach};
use crate::Result;
use crate::engine::Engine;
use crate::propagator::{Buffer, Propagator, Simulator};
use crate::training::draws::{Purpose, stream};
use crate::training::{Batch, Parameters};
use rand::RngExt;

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("spsa"),
    title: "simultaneous perturbation",
    uses: "its output",
    reach: Reach::Output,
    summary: "no model: differences of the loss along random directions, both ways",
    manner: super::facts::WITHOUT_MODEL,
    colour: [90, 30, 0],
    dash: Dash::Dotted,
    marker: Marker::Circle,
    model: Model::None,
    needs_classes: false,
    options: &[PROBE_DRAWS, PROBE_STEP],
    passes: |options, _| 2.0 * options.probe_draws as f64,
    check: MethodFacts::any_network,
};

/// The method from its parts.
pub fn build<E: Simulator, C: Propagator<Engine = E> + 'static>(
    from: &Ingredients<'_, E>,
) -> Result<Box<dyn Method<C>>> {
    Ok(Box::new(from.descent(Spsa(Explorer::of(from)?))?))
}

/// The gradient.
pub struct Spsa<E: Engine>(pub Explorer<E>);

impl<E: Engine, C: Propagator<Engine = E>> Gradient<C> for Spsa<E> {
    fn facts(&self) -> &'static MethodFacts {
        &FACTS
    }

    fn gradient(
        &mut self,
        chip: &mut C,
        controls: &Parameters<C::Engine>,
        batch: &Batch<C::Engine>,
        tally: &mut Buffer<C>,
    ) -> Result<&Buffer<C>> {
        let explorer = &mut self.0;
        let (engine, probing) = (explorer.probe.engine.clone(), explorer.probing);
        let mut random = stream(probing.seed, Purpose::Directions, controls.memory.step);
        for draw in 0..probing.draws {
            let signs: Vec<f64> = (0..controls.len()).map(|_| if random.random() { 1.0 } else { -1.0 }).collect();
            let direction = engine.upload(&signs)?;
            let mut loss_at = |step| explorer.loss_along(chip, &controls.values, batch, &direction, step, tally);
            let difference = loss_at(probing.step)? - loss_at(-probing.step)?;
            let slope = difference / (2.0 * probing.step * probing.draws as f64);
            explorer.add(draw, slope, &direction)?;
        }
        Ok(&explorer.gradient)
    }

    fn stepped(&mut self, chip: &mut C, controls: &Parameters<C::Engine>) -> Result<()> {
        chip.program(&controls.values)
    }
}
