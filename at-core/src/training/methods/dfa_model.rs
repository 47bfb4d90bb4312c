//! Direct feedback alignment on an encapsulated chip: the error is the chip's, hidden signals are the digital model's.
//!
//! ```text
//! δ_l = B_l e_p  (hidden),  δ_L = e_p      B_l fixed, random
//! g_Θ_l = J_Θ model_l(x_l)ᵀ δ_l            x_l the model's own hidden signals; model and chip share Θ
//! Θ ← Θ − η·g_Θ
//! ```
//!
//! It is output-only physics-aware training ([`super::pat_output`]) with random feedback in the place of the model's weights.
//!
//! Source: as [`super::dfa`]; the variant with modelled signals is the natural one where nothing hidden can be read.

use super::feedback::Feedback;
use super::{Method, MethodName, Room};
use crate::Result;
use crate::propagator::{Adjoint, Buffer, Engine, Propagator};
use crate::training::{Batch, Loss, Optimizer, Parameters};

/// Fills `room.gradient` with the update above; `tally` takes the chip's loss.
pub fn modelled_feedback<C: Propagator, M: Adjoint<Engine = C::Engine>>(
    chip: &mut C,
    model: &mut M,
    controls: &Buffer<C>,
    batch: &Batch<C::Engine>,
    feedback: &mut Feedback<C::Engine>,
    room: &mut Room<M>,
    tally: &mut Buffer<C>,
) -> Result<()> {
    let Room { engine, loss, trace, readout, error, gradient } = room;
    let size = batch.size();
    model.program(controls)?;
    model.record(batch.signals(), size, trace, readout)?;
    chip.program(controls)?;
    chip.propagate(batch.signals(), size, readout)?;
    engine.loss(loss, readout, chip.outputs(), batch.labels(), size, Some(error), tally)?;
    feedback.backpropagate(model, trace, error, size, gradient)
}

/// The method with its model.
pub struct DfaModel<M: Adjoint> {
    model: M,
    controls: Parameters<M::Engine>,
    feedback: Feedback<M::Engine>,
    room: Room<M>,
}

impl<M: Adjoint> DfaModel<M> {
    /// Starts from the `initial` values.
    pub fn new(
        engine: &M::Engine,
        mut model: M,
        feedback: Feedback<M::Engine>,
        initial: &[f64],
        optimizer: Optimizer,
        loss: Loss,
        capacity: usize,
    ) -> Result<Self> {
        let controls = Parameters::new(engine, optimizer, initial)?;
        model.program(&controls.values)?;
        let room = Room::new(engine, &model, loss, capacity)?;
        Ok(DfaModel { model, controls, feedback, room })
    }
}

impl<M: Adjoint, C: Propagator<Engine = M::Engine>> Method<C> for DfaModel<M> {
    fn name(&self) -> MethodName {
        MethodName::DfaModel
    }

    fn step(
        &mut self,
        chip: &mut C,
        batch: &Batch<C::Engine>,
        learning_rate: f64,
        tally: &mut Buffer<C>,
    ) -> Result<()> {
        let DfaModel { model, controls, feedback, room } = self;
        modelled_feedback(chip, model, &controls.values, batch, feedback, room, tally)?;
        controls.descend(&room.engine, learning_rate, &room.gradient)
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
