//! Output-only physics-aware training: the chip's error at the output, carried back through the nominal model.
//!
//! ```text
//! Θ ← Θ − η·BP(e_p)        model and chip share Θ; hidden signals are the model's
//! ```
//!
//! Source: the `pat` option of the DAT_MPNN repository (Zheng et al., Nat. Mach. Intell. 2023), which differs from Wright et
//! al.'s layer-wise method ([`super::pat`]): hidden signals are not measured.

use super::{Method, MethodName, Room};
use crate::Result;
use crate::propagator::{Adjoint, Buffer, Engine, Propagator};
use crate::training::{Batch, Loss, Optimizer, Parameters};

/// Fills `room.gradient ← BP(e_p)`; `tally` takes the chip's loss.
pub fn output_aware<C: Propagator, M: Adjoint<Engine = C::Engine>>(
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
    chip.program(controls)?;
    chip.propagate(batch.signals(), batch.size(), readout)?;
    engine.loss(loss, readout, chip.outputs(), batch.labels(), batch.size(), Some(error), tally)?;
    model.backpropagate(trace, error, gradient)
}

/// The method with its model.
pub struct PatOutput<M: Adjoint> {
    model: M,
    controls: Parameters<M::Engine>,
    room: Room<M>,
}

impl<M: Adjoint> PatOutput<M> {
    /// Starts from the `initial` values.
    pub fn new(
        engine: &M::Engine,
        mut model: M,
        initial: &[f64],
        optimizer: Optimizer,
        loss: Loss,
        capacity: usize,
    ) -> Result<Self> {
        let controls = Parameters::new(engine, optimizer, initial)?;
        model.program(&controls.values)?;
        let room = Room::new(engine, &model, loss, capacity)?;
        Ok(PatOutput { model, controls, room })
    }
}

impl<M: Adjoint, C: Propagator<Engine = M::Engine>> Method<C> for PatOutput<M> {
    fn name(&self) -> MethodName {
        MethodName::PatOutput
    }

    fn step(
        &mut self,
        chip: &mut C,
        batch: &Batch<C::Engine>,
        learning_rate: f64,
        tally: &mut Buffer<C>,
    ) -> Result<()> {
        let PatOutput { model, controls, room } = self;
        output_aware(chip, model, &controls.values, batch, room, tally)?;
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
