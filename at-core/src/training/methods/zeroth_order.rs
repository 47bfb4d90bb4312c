//! Zeroth-order gradient: the chip's loss at the controls and at random points around them, and no model at all.
//!
//! ```text
//! u ~ N(0, I), drawn anew Q times per step
//! ĝ = mean over the draws of (L(Θ + μu) − L(Θ))/μ · u                 E ĝ = ∇L + O(μ)
//! Θ ← Θ − η·ĝ
//! ```
//!
//! Per step Q + 1 passes, readouts of P values each, and (Q + 1)·D control writes. The published method draws u ~ N(0, σ²I) and
//! so has its ĝ scaled by σ²; here σ is part of μ, so that the learning rate means what it means for a gradient.
//!
//! Source: Gu et al., "FLOPS: efficient on-chip learning for optical neural networks through stochastic zeroth-order
//! optimization", DAC (2020).

use super::probe::{Explorer, PROBE_DRAWS, PROBE_STEP};
use super::{Dash, Gradient, Ingredients, Marker, Method, MethodFacts, MethodName, Model, Reach};
use crate::Result;
use crate::engine::Engine;
use crate::propagator::{Buffer, Propagator, Simulator};
use crate::training::draws::{Purpose, normals, stream};
use crate::training::{Batch, Parameters};

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("zeroth-order"),
    title: "zeroth-order training",
    uses: "its output",
    reach: Reach::Output,
    summary: "no model: differences of the loss along random directions, one way",
    manner: super::facts::WITHOUT_MODEL,
    colour: [90, 60, 60],
    dash: Dash::Dotted,
    marker: Marker::Square,
    model: Model::None,
    needs_classes: false,
    options: &[PROBE_DRAWS, PROBE_STEP],
    passes: |options, _| options.probe_draws as f64,
    check: MethodFacts::any_network,
};

/// The method from its parts.
pub fn build<E: Simulator, C: Propagator<Engine = E> + 'static>(
    from: &Ingredients<'_, E>,
) -> Result<Box<dyn Method<C>>> {
    Ok(Box::new(from.descent(ZerothOrder(Explorer::of(from)?))?))
}

/// The gradient.
pub struct ZerothOrder<E: Engine>(pub Explorer<E>);

impl<E: Engine, C: Propagator<Engine = E>> Gradient<C> for ZerothOrder<E> {
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
        let mut random = stream(explorer.probing.seed, Purpose::Directions, controls.memory.step);
        chip.program(&controls.values)?;
        let here = explorer.probe.measure(chip, batch, tally)?;
        let direction = || normals(&mut random, controls.len(), 1.0);
        explorer.one_way(chip, &controls.values, batch, (here, 1.0), direction, tally)?;
        Ok(&explorer.gradient)
    }
}
