//! Ideal backpropagation: the gradient of the true chip, from an oracle that knows every imperfection. The upper line.
//!
//! ```text
//! Θ ← Θ − η·BP_chip(e_chip)
//! ```
//!
//! Only a simulator can do this: the oracle is built from the chip's own fabrication. It follows the controls as the chip does,
//! update errors included, so its gradient is the true derivative with respect to what is written. Its digital work is that of
//! ordinary backpropagation.

use super::room::backpropagation;
use super::{Dash, Descent, Gradient, Ingredients, Marker, Method, MethodFacts, MethodName, Model, Reach, Room};
use crate::Result;
use crate::engine::Loss;
use crate::propagator::{Adjoint, Buffer, Propagator, Simulator};
use crate::training::{Batch, Parameters};

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
    let maker = Ideal::new(from.engine, from.oracle()?, &controls.values, settings.loss, settings.batch_size)?;
    Ok(Box::new(Descent::new(from.engine, controls, maker)))
}

/// The gradient of the oracle.
pub struct Ideal<M: Adjoint> {
    oracle: M,
    room: Room<M>,
}

impl<M: Adjoint> Ideal<M> {
    /// At the `initial` controls, from which the `oracle` counts update errors, for batches of up to `capacity`.
    pub fn new(engine: &M::Engine, mut oracle: M, initial: &Buffer<M>, loss: Loss, capacity: usize) -> Result<Self> {
        oracle.program(initial)?;
        let room = Room::new(engine, &oracle, loss, capacity)?;
        Ok(Ideal { oracle, room })
    }
}

impl<M: Adjoint, C: Propagator<Engine = M::Engine>> Gradient<C> for Ideal<M> {
    fn facts(&self) -> &'static MethodFacts {
        &FACTS
    }

    fn gradient(
        &mut self,
        _chip: &mut C,
        controls: &Parameters<C::Engine>,
        batch: &Batch<C::Engine>,
        tally: &mut Buffer<C>,
    ) -> Result<&Buffer<C>> {
        let Ideal { oracle, room } = self;
        backpropagation(oracle, &controls.values, batch, room, tally)?;
        Ok(&room.gradient)
    }
}
