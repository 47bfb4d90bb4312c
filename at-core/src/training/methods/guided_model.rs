//! Zeroth-order training in the subspace of a model's gradients: random directions lie mostly in the span of what output-only
//! physics-aware training would descend.
//!
//! ```text
//! U spans the k latest BP(e_p), that of this batch among them;  ĝ = guided estimate of ∇L ([`super::guide`])
//! Θ ← Θ − η·ĝ
//! ```
//!
//! The model proposes and the chip decides: how far each guide is a slope of the chip, and with which sign, is measured, so that a
//! model that is wrong costs draws and misleads nobody. Costs at the chip are those of [`super::zeroth_order`], whose pass at Θ gives e_p too;
//! beside it one pass through the model and back.
//!
//! Source: Maheswaranathan et al., ICML (2019), arXiv 1806.10230, whose surrogate gradient is here that of [`super::pat_output`].

use super::guide::{GUIDE_DIRECTIONS, GUIDE_SHARE, Guide};
use super::pat_output::{self, PatOutput};
use super::probe::{Explorer, PROBE_DRAWS, PROBE_STEP};
use super::{Dash, Gradient, Ingredients, Marker, Method, MethodFacts, MethodName, Model, Reach};
use crate::Result;
use crate::engine::Engine;
use crate::propagator::{Adjoint, Buffer, Propagator, Simulator};
use crate::training::{Batch, Parameters};

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("guided-model"),
    title: "zeroth-order training guided by a model",
    uses: "its output",
    reach: Reach::Output,
    summary: "as zeroth-order, in directions mostly between those that a model proposes",
    manner: "reads the chip's output again and again, where its model proposes to",
    colour: [130, 120, 0],
    dash: Dash::DashDotted,
    marker: Marker::Wedge,
    model: Model::DataSheet,
    needs_classes: false,
    options: &[PROBE_DRAWS, PROBE_STEP, GUIDE_DIRECTIONS, GUIDE_SHARE],
    passes: |options, _| options.probe_draws as f64,
    check: MethodFacts::any_network,
};

/// The method from its parts.
pub fn build<E: Simulator, C: Propagator<Engine = E> + 'static>(
    from: &Ingredients<'_, E>,
) -> Result<Box<dyn Method<C>>> {
    let (explorer, guide) = (Explorer::of(from)?, Guide::of(from)?);
    Ok(Box::new(from.descent(GuidedByModel { explorer, guide, surrogate: pat_output::maker(from)? })?))
}

/// The gradient, and what proposes it.
pub struct GuidedByModel<M: Adjoint> {
    explorer: Explorer<M::Engine>,
    guide: Guide<M::Engine>,
    surrogate: PatOutput<M>,
}

impl<M: Adjoint, C: Propagator<Engine = M::Engine>> Gradient<C> for GuidedByModel<M> {
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
        let GuidedByModel { explorer, guide, surrogate } = self;
        let engine = explorer.probe.engine.clone();
        let mut sums = engine.zeros(3)?;
        let proposed = surrogate.gradient(chip, controls, batch, &mut sums)?;
        guide.keep(&engine, proposed)?;
        let here = explorer.probe.taken(batch, &sums, tally)?;
        guide.explore(explorer, chip, controls, batch, here, tally)?;
        Ok(&explorer.gradient)
    }

    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)> {
        vec![self.guide.parameters()]
    }

    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)> {
        vec![self.guide.parameters_mut()]
    }
}
