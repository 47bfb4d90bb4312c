//! The memory of one pass through a model and back, and the backpropagation that methods share.

use super::{Gradient, MethodFacts};
use crate::Result;
use crate::engine::{Engine, Loss};
use crate::propagator::{Adjoint, Buffer, Propagator};
use crate::training::{Batch, Parameters};

/// What a step needs besides the chip, the model and the parameters. Taken once, used for every batch.
pub struct Room<M: Adjoint> {
    /// Where the vectors live.
    pub engine: M::Engine,
    /// The loss that is descended.
    pub loss: Loss,
    /// The model's forward pass.
    pub trace: M::Trace,
    /// A readout, `[batch, outputs]`.
    pub readout: Buffer<M>,
    /// The error of a readout, `[batch, outputs]`.
    pub error: Buffer<M>,
    /// The gradient with respect to the model's parameters.
    pub gradient: Buffer<M>,
}

impl<M: Adjoint> Room<M> {
    /// Room for batches of up to `capacity` samples through `model`.
    pub fn new(engine: &M::Engine, model: &M, loss: Loss, capacity: usize) -> Result<Self> {
        loss.check(model.outputs())?;
        Ok(Room {
            engine: engine.clone(),
            loss,
            trace: model.trace(capacity)?,
            readout: engine.zeros(model.outputs() * capacity)?,
            error: engine.zeros(model.outputs() * capacity)?,
            gradient: engine.zeros(model.controls())?,
        })
    }
}

/// `room.gradient ← BP(e)`: the gradient of the model's own loss, e = ∂L/∂readout, at `parameters`.
pub fn backpropagation<M: Adjoint>(
    model: &mut M,
    parameters: &Buffer<M>,
    batch: &Batch<M::Engine>,
    room: &mut Room<M>,
    tally: &mut Buffer<M>,
) -> Result<()> {
    let Room { engine, loss, trace, readout, error, gradient } = room;
    model.program(parameters)?;
    model.record(batch.signals(), batch.size(), trace, readout)?;
    engine.loss(loss, readout, model.outputs(), batch.targets(), batch.size(), Some(error), tally)?;
    model.backpropagate(trace, error, gradient)
}

/// The gradient of a model's own loss, whatever the chip does.
pub struct Modelled<M: Adjoint> {
    facts: &'static MethodFacts,
    model: M,
    room: Room<M>,
}

impl<M: Adjoint> Modelled<M> {
    /// That of the method with these `facts`, at the `initial` controls, for batches of up to `capacity`.
    pub fn new(
        facts: &'static MethodFacts,
        engine: &M::Engine,
        mut model: M,
        initial: &Buffer<M>,
        loss: Loss,
        capacity: usize,
    ) -> Result<Self> {
        model.program(initial)?;
        let room = Room::new(engine, &model, loss, capacity)?;
        Ok(Modelled { facts, model, room })
    }
}

impl<M: Adjoint, C: Propagator<Engine = M::Engine>> Gradient<C> for Modelled<M> {
    fn facts(&self) -> &'static MethodFacts {
        self.facts
    }

    fn gradient(
        &mut self,
        _chip: &mut C,
        controls: &Parameters<C::Engine>,
        batch: &Batch<C::Engine>,
        tally: &mut Buffer<C>,
    ) -> Result<&Buffer<C>> {
        let Modelled { model, room, .. } = self;
        backpropagation(model, &controls.values, batch, room, tally)?;
        Ok(&room.gradient)
    }
}
