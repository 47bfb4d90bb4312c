//! Physics-aware training: every layer's output is measured and injected into the next; the nominal model carries the error
//! back, each layer linearised at its measured input.
//!
//! ```text
//! x_{l+1} = chip_l(x_l)                        read, then injected
//! g_x_l   = J_x model_l(x_l)ᵀ g_x_{l+1}        from e_p, the error of the measured output
//! g_Θ_l   = J_Θ model_l(x_l)ᵀ g_x_{l+1}
//! Θ ← Θ − η·g_Θ
//! ```
//!
//! Complex hidden fields are measured and injected as such, two values per mode.
//!
//! Source: Wright et al., Nature 601, 549 (2022), and pat.py of its repository.

use super::{Method, MethodName, Room};
use crate::Result;
use crate::propagator::{Adjoint, Buffer, Engine, LayerAccess};
use crate::training::{Batch, Loss, Optimizer, Parameters};

/// Fills `room.gradient ← BP(e_p)` at the measured signals, which it leaves in `layers`, one buffer per layer's output; `tally`
/// takes the chip's loss.
pub fn physics_aware<C: LayerAccess, M: Adjoint<Engine = C::Engine>>(
    chip: &mut C,
    model: &mut M,
    controls: &Buffer<C>,
    batch: &Batch<C::Engine>,
    layers: &mut [Buffer<C>],
    room: &mut Room<M>,
    tally: &mut Buffer<C>,
) -> Result<()> {
    let Room { engine, loss, trace, error, gradient, .. } = room;
    let size = batch.size();
    chip.program(controls)?;
    model.program(controls)?;
    for layer in 0..layers.len() {
        let (measured, next) = layers.split_at_mut(layer);
        let input = measured.last().unwrap_or(batch.signals());
        chip.propagate_layer(layer, input, size, &mut next[0])?;
        model.record_layer(layer, input, size, trace)?;
    }
    let readout = layers.last().expect("a network has at least one layer");
    engine.loss(loss, readout, chip.outputs(), batch.labels(), size, Some(error), tally)?;
    model.backpropagate(trace, error, gradient)
}

/// The method with its model.
pub struct Pat<M: Adjoint> {
    model: M,
    controls: Parameters<M::Engine>,
    layers: Vec<Buffer<M>>,
    room: Room<M>,
}

impl<M: Adjoint> Pat<M> {
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
        let layers = (0..model.layers())
            .map(|layer| engine.zeros(model.layer_outputs(layer) * capacity))
            .collect::<Result<_>>()?;
        let room = Room::new(engine, &model, loss, capacity)?;
        Ok(Pat { model, controls, layers, room })
    }
}

impl<M: Adjoint, C: LayerAccess<Engine = M::Engine>> Method<C> for Pat<M> {
    fn name(&self) -> MethodName {
        MethodName::Pat
    }

    fn step(
        &mut self,
        chip: &mut C,
        batch: &Batch<C::Engine>,
        learning_rate: f64,
        tally: &mut Buffer<C>,
    ) -> Result<()> {
        let Pat { model, controls, layers, room } = self;
        physics_aware(chip, model, &controls.values, batch, layers, room, tally)?;
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
