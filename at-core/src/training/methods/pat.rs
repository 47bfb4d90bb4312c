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

use super::{Dash, Descent, Gradient, Ingredients, Marker, Method, MethodFacts, MethodName, Model, Reach, Room};
use crate::Result;
use crate::engine::{Engine, Loss};
use crate::propagator::{Adjoint, Buffer, LayerAccess, Simulator};
use crate::training::{Batch, Parameters};

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("pat"),
    title: "physics-aware training",
    uses: "every layer, read and injected",
    reach: Reach::Layers,
    summary: "physics-aware training, layer by layer",
    manner: "measures every layer of the chip",
    colour: [0, 158, 115],
    dash: Dash::Solid,
    marker: Marker::Wedge,
    model: Model::DataSheet,
    needs_classes: false,
    options: &[],
    passes: MethodFacts::one_pass,
    check: MethodFacts::any_network,
};

/// The method from its parts.
pub fn build<E: Simulator, C: LayerAccess<Engine = E> + 'static>(
    from: &Ingredients<'_, E>,
) -> Result<Box<dyn Method<C>>> {
    let (controls, settings) = (from.controls()?, from.settings);
    let maker = Pat::new(from.engine, from.nominal()?, &controls.values, settings.loss, settings.batch_size)?;
    Ok(Box::new(Descent::new(from.engine, controls, maker)))
}

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
    engine.loss(loss, readout, chip.outputs(), batch.targets(), size, Some(error), tally)?;
    model.backpropagate(trace, error, gradient)
}

/// The gradient with its model.
pub struct Pat<M: Adjoint> {
    model: M,
    layers: Vec<Buffer<M>>,
    room: Room<M>,
}

impl<M: Adjoint> Pat<M> {
    /// At the `initial` controls, for batches of up to `capacity`.
    pub fn new(engine: &M::Engine, mut model: M, initial: &Buffer<M>, loss: Loss, capacity: usize) -> Result<Self> {
        model.program(initial)?;
        let layers = (0..model.layers())
            .map(|layer| engine.zeros(model.layer_outputs(layer) * capacity))
            .collect::<Result<_>>()?;
        let room = Room::new(engine, &model, loss, capacity)?;
        Ok(Pat { model, layers, room })
    }
}

impl<M: Adjoint, C: LayerAccess<Engine = M::Engine>> Gradient<C> for Pat<M> {
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
        let Pat { model, layers, room } = self;
        physics_aware(chip, model, &controls.values, batch, layers, room, tally)?;
        Ok(&room.gradient)
    }
}
