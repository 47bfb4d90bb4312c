//! Direct feedback alignment on tapped signals: a fixed random projection of the output's error goes straight to every hidden layer.
//!
//! ```text
//! x_{l+1} = chip_l(x_l)                    read by taps; the light goes on
//! δ_l = B_l e_p  (hidden),  δ_L = e_p      B_l fixed, random
//! g_Θ_l = J_Θ model_l(x_l)ᵀ δ_l            only the layer's own inside is modelled, around its measured input
//! Θ ← Θ − η·g_Θ
//! ```
//!
//! δ_l stands at the output of layer l, behind its nonlinearity: for weights and a rectifier this is the published
//! `(B_l e)∘f'(z_l)·x_lᵀ`. A complex hidden field takes two rows of B_l per mode and two readings.
//!
//! Source: Nøkland, NIPS (2016); in photonics Filipovich et al., Optica 9, 1323 (2022), arXiv 2111.06862.

use super::feedback::Feedback;
use super::{Dash, Descent, Gradient, Ingredients, Marker, Method, MethodFacts, MethodName, Model, Reach, Room};
use crate::Result;
use crate::engine::{Engine, Loss};
use crate::propagator::{Adjoint, Buffer, Simulator, TapAccess};
use crate::training::{Batch, Parameters};

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("dfa"),
    title: "direct feedback alignment",
    uses: "every layer, tapped",
    reach: Reach::Taps,
    summary: "direct feedback: the output's error goes to every layer through random matrices",
    manner: "taps every layer of the chip",
    colour: [15, 0, 135],
    dash: Dash::Dashed,
    marker: Marker::Square,
    model: Model::DataSheet,
    needs_classes: false,
    options: &[],
    passes: MethodFacts::one_pass,
    check: MethodFacts::any_network,
};

/// The method from its parts.
pub fn build<E: Simulator, C: TapAccess<Engine = E> + 'static>(
    from: &Ingredients<'_, E>,
) -> Result<Box<dyn Method<C>>> {
    let (controls, settings) = (from.controls()?, from.settings);
    let (model, feedback) = (from.nominal()?, Feedback::of(from)?);
    let maker = Dfa::new(from.engine, model, feedback, &controls.values, settings.loss, settings.batch_size)?;
    Ok(Box::new(Descent::new(from.engine, controls, maker)))
}

/// Fills `room.gradient` with the update above; `taps` gets the hidden layers' outputs, `tally` the chip's loss.
pub fn direct_feedback<C: TapAccess, M: Adjoint<Engine = C::Engine>>(
    chip: &mut C,
    model: &mut M,
    controls: &Buffer<C>,
    batch: &Batch<C::Engine>,
    feedback: &mut Feedback<C::Engine>,
    taps: &mut [Buffer<C>],
    room: &mut Room<M>,
    tally: &mut Buffer<C>,
) -> Result<()> {
    let Room { engine, loss, trace, readout, error, gradient } = room;
    let size = batch.size();
    chip.program(controls)?;
    chip.propagate_tapped(batch.signals(), size, taps, readout)?;
    engine.loss(loss, readout, chip.outputs(), batch.targets(), size, Some(error), tally)?;
    model.program(controls)?;
    for (layer, input) in std::iter::once(batch.signals()).chain(&*taps).enumerate() {
        model.record_layer(layer, input, size, trace)?;
    }
    feedback.backpropagate(model, trace, error, size, gradient)
}

/// The gradient with its model.
pub struct Dfa<M: Adjoint> {
    model: M,
    feedback: Feedback<M::Engine>,
    taps: Vec<Buffer<M>>,
    room: Room<M>,
}

impl<M: Adjoint> Dfa<M> {
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
        let hidden = 0..model.layers() - 1;
        let taps = hidden.map(|layer| engine.zeros(model.layer_outputs(layer) * capacity)).collect::<Result<_>>()?;
        let room = Room::new(engine, &model, loss, capacity)?;
        Ok(Dfa { model, feedback, taps, room })
    }
}

impl<M: Adjoint, C: TapAccess<Engine = M::Engine>> Gradient<C> for Dfa<M> {
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
        let Dfa { model, feedback, taps, room } = self;
        direct_feedback(chip, model, &controls.values, batch, feedback, taps, room, tally)?;
        Ok(&room.gradient)
    }
}
