//! The memory of one pass through a model and back, and the backpropagation that methods share.

use crate::Result;
use crate::engine::{Engine, Loss};
use crate::propagator::{Adjoint, Buffer};
use crate::training::Batch;

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
