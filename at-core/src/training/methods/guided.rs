//! Zeroth-order training in a learned subspace: random directions lie mostly in the span of the latest estimates of the gradient.
//!
//! ```text
//! U spans the k latest ĝ;  ĝ = guided estimate of ∇L ([`super::guide`])
//! Θ ← Θ − η·ĝ
//! ```
//!
//! What was found in earlier steps is looked for again, and the rest of each direction finds what is new. Costs are those of
//! [`super::zeroth_order`]: Q + 1 passes, readouts of P values each, and (Q + 1)·D control writes per step. No model.
//!
//! Source: Liu et al., "Self-guided evolution strategies with historical estimated gradients", IJCAI (2020), with a fixed share.

use super::guide::{GUIDE_DIRECTIONS, GUIDE_SHARE, Guide};
use super::probe::{Explorer, PROBE_DRAWS, PROBE_STEP};
use super::{Dash, Gradient, Ingredients, Marker, Method, MethodFacts, MethodName, Model, Reach};
use crate::Result;
use crate::engine::Engine;
use crate::propagator::{Buffer, Propagator, Simulator};
use crate::training::{Batch, Parameters};

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("guided"),
    title: "guided zeroth-order training",
    uses: "its output",
    reach: Reach::Output,
    summary: "as zeroth-order, in directions mostly between those that were found last",
    manner: super::facts::WITHOUT_MODEL,
    colour: [255, 135, 255],
    dash: Dash::DashDotted,
    marker: Marker::Diamond,
    model: Model::None,
    needs_classes: false,
    options: &[PROBE_DRAWS, PROBE_STEP, GUIDE_DIRECTIONS, GUIDE_SHARE],
    passes: |options, _| options.probe_draws as f64,
    check: MethodFacts::any_network,
};

/// The method from its parts.
pub fn build<E: Simulator, C: Propagator<Engine = E> + 'static>(
    from: &Ingredients<'_, E>,
) -> Result<Box<dyn Method<C>>> {
    let maker = Guided { explorer: Explorer::of(from)?, guide: Guide::of(from)? };
    Ok(Box::new(from.descent(maker)?))
}

/// The gradient.
pub struct Guided<E: Engine> {
    explorer: Explorer<E>,
    guide: Guide<E>,
}

impl<E: Engine, C: Propagator<Engine = E>> Gradient<C> for Guided<E> {
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
        let Guided { explorer, guide } = self;
        chip.program(&controls.values)?;
        let here = explorer.probe.measure(chip, batch, tally)?;
        guide.explore(explorer, chip, controls, batch, here, tally)?;
        guide.keep(&explorer.probe.engine, &explorer.gradient)?;
        Ok(&explorer.gradient)
    }

    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)> {
        vec![self.guide.parameters()]
    }

    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)> {
        vec![self.guide.parameters_mut()]
    }
}
