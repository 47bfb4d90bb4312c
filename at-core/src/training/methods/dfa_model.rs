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
use super::{Dash, Descent, Gradient, Ingredients, Marker, Method, MethodFacts, MethodName, Model, Reach, Room};
use crate::Result;
use crate::engine::{Engine, Loss};
use crate::propagator::{Adjoint, Buffer, Propagator, Simulator};
use crate::training::{Batch, Parameters};

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("dfa-model"),
    title: "direct feedback alignment on modelled signals",
    uses: "its output",
    reach: Reach::Output,
    summary: "the same with the model's hidden signals",
    manner: super::facts::OUTPUT_ONLY,
    colour: [0, 180, 60],
    dash: Dash::Dashed,
    marker: Marker::Triangle,
    model: Model::DataSheet,
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
    let (model, feedback) = (from.nominal()?, Feedback::of(from)?);
    let maker = DfaModel::new(from.engine, model, feedback, &controls.values, settings.loss, settings.batch_size)?;
    Ok(Box::new(Descent::new(from.engine, controls, maker)))
}

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
    engine.loss(loss, readout, chip.outputs(), batch.targets(), size, Some(error), tally)?;
    feedback.backpropagate(model, trace, error, size, gradient)
}

/// The gradient with its model.
pub struct DfaModel<M: Adjoint> {
    model: M,
    feedback: Feedback<M::Engine>,
    room: Room<M>,
}

impl<M: Adjoint> DfaModel<M> {
    /// At the `initial` controls, for batches of up to `capacity`.
    pub fn new(
        engine: &M::Engine,
        mut model: M,
        feedback: Feedback<M::Engine>,
        initial: &Buffer<M>,
        loss: Loss,
        capacity: usize,
    ) -> Result<Self> {
        model.program(initial)?;
        let room = Room::new(engine, &model, loss, capacity)?;
        Ok(DfaModel { model, feedback, room })
    }
}

impl<M: Adjoint, C: Propagator<Engine = M::Engine>> Gradient<C> for DfaModel<M> {
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
        let DfaModel { model, feedback, room } = self;
        modelled_feedback(chip, model, &controls.values, batch, feedback, room, tally)?;
        Ok(&room.gradient)
    }
}
