//! Output-only physics-aware training: the chip's error at the output, carried back through the nominal model.
//!
//! ```text
//! Θ ← Θ − η·BP(e_p)        model and chip share Θ; hidden signals are the model's
//! ```
//!
//! Source: the `pat` option of the DAT_MPNN repository (Zheng et al., Nat. Mach. Intell. 2023), which differs from Wright et
//! al.'s layer-wise method ([`super::pat`]): hidden signals are not measured.

use super::{Dash, Gradient, Ingredients, Marker, Method, MethodFacts, MethodName, Model, Reach, Room};
use crate::Result;
use crate::engine::{Engine, Loss};
use crate::propagator::{Adjoint, Buffer, Propagator, Simulator};
use crate::training::{Batch, Digital, Parameters};

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("pat-output"),
    title: "output-only physics-aware training",
    uses: "its output",
    reach: Reach::Output,
    summary: "physics-aware training with the chip's error at the output only",
    manner: super::facts::OUTPUT_ONLY,
    colour: [204, 121, 167],
    dash: Dash::Solid,
    marker: Marker::Cross,
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
    Ok(Box::new(from.descent(maker(from)?)?))
}

/// Its gradient, from the same parts.
pub(super) fn maker<E: Simulator>(from: &Ingredients<'_, E>) -> Result<PatOutput<Digital<E::Network>>> {
    let (settings, initial) = (from.settings, from.engine.upload(from.initial)?);
    PatOutput::new(from.engine, from.nominal()?, &initial, settings.loss, settings.batch_size)
}

/// Fills `room.gradient ← BP(e_p)`; `tally` takes the chip's loss.
pub fn output_aware<C: Propagator, M: Adjoint<Engine = C::Engine>>(
    chip: &mut C,
    model: &mut M,
    controls: &Buffer<C>,
    batch: &Batch<C::Engine>,
    room: &mut Room<M>,
    tally: &mut Buffer<C>,
) -> Result<()> {
    chip.program(controls)?;
    carried_back(chip, model, controls, batch, room, tally)
}

/// The same with a chip that stands at `controls` already.
pub(super) fn carried_back<C: Propagator, M: Adjoint<Engine = C::Engine>>(
    chip: &mut C,
    model: &mut M,
    controls: &Buffer<C>,
    batch: &Batch<C::Engine>,
    room: &mut Room<M>,
    tally: &mut Buffer<C>,
) -> Result<()> {
    let Room { engine, loss, trace, readout, error, gradient } = room;
    model.program(controls)?;
    model.record(batch.signals(), batch.size(), trace, readout)?;
    chip.propagate(batch.signals(), batch.size(), readout)?;
    engine.loss(loss, readout, chip.outputs(), batch.targets(), batch.size(), Some(error), tally)?;
    model.backpropagate(trace, error, gradient)
}

/// The gradient with its model.
pub struct PatOutput<M: Adjoint> {
    model: M,
    room: Room<M>,
}

impl<M: Adjoint> PatOutput<M> {
    /// At the `initial` controls, for batches of up to `capacity`.
    pub fn new(engine: &M::Engine, mut model: M, initial: &Buffer<M>, loss: Loss, capacity: usize) -> Result<Self> {
        model.program(initial)?;
        let room = Room::new(engine, &model, loss, capacity)?;
        Ok(PatOutput { model, room })
    }
}

impl<M: Adjoint, C: Propagator<Engine = M::Engine>> Gradient<C> for PatOutput<M> {
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
        let PatOutput { model, room } = self;
        output_aware(chip, model, &controls.values, batch, room, tally)?;
        Ok(&room.gradient)
    }
}
