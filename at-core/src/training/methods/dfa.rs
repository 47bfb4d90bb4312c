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
use super::{Method, MethodName, Room};
use crate::Result;
use crate::propagator::{Adjoint, Buffer, Engine, TapAccess};
use crate::training::{Batch, Loss, Optimizer, Parameters};

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
    engine.loss(loss, readout, chip.outputs(), batch.labels(), size, Some(error), tally)?;
    model.program(controls)?;
    for (layer, input) in std::iter::once(batch.signals()).chain(&*taps).enumerate() {
        model.record_layer(layer, input, size, trace)?;
    }
    feedback.backpropagate(model, trace, error, size, gradient)
}

/// The method with its model.
pub struct Dfa<M: Adjoint> {
    model: M,
    controls: Parameters<M::Engine>,
    feedback: Feedback<M::Engine>,
    taps: Vec<Buffer<M>>,
    room: Room<M>,
}

impl<M: Adjoint> Dfa<M> {
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
        let hidden = 0..model.layers() - 1;
        let taps = hidden.map(|layer| engine.zeros(model.layer_outputs(layer) * capacity)).collect::<Result<_>>()?;
        let room = Room::new(engine, &model, loss, capacity)?;
        Ok(Dfa { model, controls, feedback, taps, room })
    }
}

impl<M: Adjoint, C: TapAccess<Engine = M::Engine>> Method<C> for Dfa<M> {
    fn name(&self) -> MethodName {
        MethodName::Dfa
    }

    fn step(
        &mut self,
        chip: &mut C,
        batch: &Batch<C::Engine>,
        learning_rate: f64,
        tally: &mut Buffer<C>,
    ) -> Result<()> {
        let Dfa { model, controls, feedback, taps, room } = self;
        direct_feedback(chip, model, &controls.values, batch, feedback, taps, room, tally)?;
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
