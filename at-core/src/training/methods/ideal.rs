//! Ideal backpropagation: the gradient of the true chip, from an oracle that knows every imperfection. The upper line.
//!
//! ```text
//! Θ ← Θ − η·BP_chip(e_chip)
//! ```
//!
//! Only a simulator can do this: the oracle is built from the chip's own fabrication. It follows the controls as the chip does,
//! update errors included, so its gradient is the true derivative with respect to what is written. Its digital work is that of
//! ordinary backpropagation.

use super::{Dash, Descent, Ingredients, Marker, Method, MethodFacts, MethodName, Model, Modelled, Reach};
use crate::Result;
use crate::propagator::{Propagator, Simulator};

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("ideal"),
    title: "the oracle",
    uses: "everything: an oracle",
    reach: Reach::Output,
    summary: "backpropagation through the true chip, which only a simulator knows: the upper line",
    manner: "knows the chip",
    colour: [0, 0, 0],
    dash: Dash::Solid,
    marker: Marker::Diamond,
    model: Model::Oracle,
    needs_classes: false,
    options: &[],
    passes: MethodFacts::one_pass,
    check: MethodFacts::any_network,
};

/// The method from its parts.
pub fn build<E: Simulator, C: Propagator<Engine = E> + 'static>(
    from: &Ingredients<'_, E>,
) -> Result<Box<dyn Method<C>>> {
    let (controls, settings) = (from.controls()?, from.settings);
    // from the initial controls the oracle counts update errors
    let (oracle, loss, capacity) = (from.oracle()?, settings.loss, settings.batch_size);
    let maker = Modelled::new(&FACTS, from.engine, oracle, &controls.values, loss, capacity)?;
    Ok(Box::new(Descent::new(from.engine, controls, maker)))
}
