//! In-silico training: backpropagation through the nominal model alone; the chip gets the result once, at the end.
//!
//! ```text
//! Θ ← Θ − η·BP(e_d)
//! ```
//!
//! The published demonstration also distorts the updates of the model, as the chip would: there the model follows
//! `Θd ← Θd − η·(1+E)∘g` while the controls follow `Θc ← Θc − η·g`, both with g = BP(e_d) at Θd. A mask (1+E) chooses that.
//!
//! Source: common practice; the variant: AsymmetricalTrainingDemo, atCode.py.

use super::room::backpropagation;
use super::{Dash, Ingredients, Marker, Method, MethodFacts, MethodName, Model, Reach, Room, at};
use crate::Result;
use crate::engine::{Engine, Loss, Optimizer};
use crate::propagator::{Adjoint, Buffer, Propagator, Simulator};
use crate::training::{Batch, Parameters};

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("in-silico"),
    title: "in-silico training",
    uses: "nothing",
    reach: Reach::Output,
    summary: "backpropagation through the nominal model, then deployment",
    manner: "never reads the chip",
    colour: [0, 114, 178],
    dash: Dash::Solid,
    marker: Marker::Triangle,
    model: Model::DataSheet,
    needs_classes: false,
    options: &[at::DIGITAL_STEP],
    passes: MethodFacts::one_pass,
    check: MethodFacts::any_network,
};

/// The method from its parts.
pub fn build<E: Simulator, C: Propagator<Engine = E> + 'static>(
    from: &Ingredients<'_, E>,
) -> Result<Box<dyn Method<C>>> {
    let (mask, settings) = (from.update_mask()?, from.settings);
    let (optimizer, loss, capacity) = (settings.optimizer, settings.loss, settings.batch_size);
    Ok(Box::new(InSilico::new(from.engine, from.nominal()?, mask, from.initial, optimizer, loss, capacity)?))
}

/// The method with its model.
pub struct InSilico<M: Adjoint> {
    model: M,
    controls: Parameters<M::Engine>,
    distorted: Option<Distorted<M>>,
    room: Room<M>,
}

/// A model whose updates are distorted.
struct Distorted<M: Adjoint> {
    mask: Buffer<M>,
    parameters: Parameters<M::Engine>,
}

impl<M: Adjoint> InSilico<M> {
    /// Starts `model` from the `initial` values; `mask` multiplies the model's updates entry by entry.
    pub fn new(
        engine: &M::Engine,
        mut model: M,
        mask: Option<Buffer<M>>,
        initial: &[f64],
        optimizer: Optimizer,
        loss: Loss,
        capacity: usize,
    ) -> Result<Self> {
        let controls = Parameters::new(engine, optimizer, initial)?;
        model.program(&controls.values)?;
        let room = Room::new(engine, &model, loss, capacity)?;
        let distorted = match mask {
            Some(mask) => Some(Distorted { mask, parameters: Parameters::new(engine, optimizer, initial)? }),
            None => None,
        };
        Ok(InSilico { model, controls, distorted, room })
    }
}

impl<M: Adjoint, C: Propagator<Engine = M::Engine>> Method<C> for InSilico<M> {
    fn facts(&self) -> &'static MethodFacts {
        &FACTS
    }

    fn step(
        &mut self,
        _chip: &mut C,
        batch: &Batch<C::Engine>,
        learning_rate: f64,
        tally: &mut Buffer<C>,
    ) -> Result<()> {
        let InSilico { model, controls, distorted, room } = self;
        let values = distorted.as_ref().map_or(&controls.values, |distorted| &distorted.parameters.values);
        backpropagation(model, values, batch, room, tally)?;
        controls.descend(&room.engine, learning_rate, &room.gradient)?;
        if let Some(Distorted { mask, parameters }) = distorted {
            room.engine.multiply(mask, &mut room.gradient)?;
            parameters.descend(&room.engine, learning_rate, &room.gradient)?;
        }
        Ok(())
    }

    fn controls(&self) -> &Buffer<C> {
        &self.controls.values
    }

    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)> {
        let model = self.distorted.as_ref().map(|distorted| ("model", &distorted.parameters));
        [("controls", &self.controls)].into_iter().chain(model).collect()
    }

    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)> {
        let model = self.distorted.as_mut().map(|distorted| ("model", &mut distorted.parameters));
        [("controls", &mut self.controls)].into_iter().chain(model).collect()
    }
}
