//! Noise-aware training: in-silico, on a model whose imperfections are drawn anew from known statistics; the chip gets the result
//! once, at the end.
//!
//! ```text
//! F ~ the statistics of the chip's kind, drawn anew every k batches
//! Θ ← Θ − η·BP_F(e_F)
//! ```
//!
//! It knows how large imperfections are, and not which ones the chip has. Without spread it is in-silico training.
//!
//! Source: common practice, for example the variation-aware training of TorchONN (Gu et al.) and of AnalogVNN.

use super::room::backpropagation;
use super::{Method, MethodName, Room};
use crate::chip::{Fabrication, Imperfections, Meter};
use crate::network::Network;
use crate::propagator::{Buffer, Propagator, Simulator};
use crate::training::draws::{Purpose, stream};
use crate::training::{Batch, Digital, Loss, Optimizer, Parameters};
use crate::{Error, Result};
use rand::Rng;

/// What is drawn, how often, and from which seed.
#[derive(Clone, Copy, Debug)]
pub struct Redrawn {
    /// The statistics.
    pub imperfections: Imperfections,
    /// Batches between two draws.
    pub every: usize,
    /// Of the draws.
    pub seed: u64,
}

/// The method with its model.
pub struct NoiseAware<E: Simulator> {
    network: Network,
    redrawn: Redrawn,
    meter: Meter,
    /// The number of the draw that the model has.
    drawn: Option<u64>,
    model: Digital<E::Network>,
    /// From where update errors count.
    first: E::Buffer,
    controls: Parameters<E>,
    room: Room<Digital<E::Network>>,
}

impl<E: Simulator> NoiseAware<E> {
    /// Starts from the `initial` values; the models of `network` are counted on `meter`.
    pub fn new(
        engine: &E,
        network: &Network,
        redrawn: Redrawn,
        initial: &[f64],
        optimizer: Optimizer,
        loss: Loss,
        capacity: usize,
        meter: &Meter,
    ) -> Result<Self> {
        if redrawn.every == 0 {
            return Err(Error::invalid("redraw-every", 0, "must be at least 1"));
        }
        redrawn.imperfections.validate()?;
        let model = Digital::new(engine.build(network, &Fabrication::ideal())?, network, meter);
        Ok(NoiseAware {
            network: network.clone(),
            redrawn,
            meter: meter.clone(),
            drawn: None,
            first: engine.upload(initial)?,
            controls: Parameters::new(engine, optimizer, initial)?,
            room: Room::new(engine, &model, loss, capacity)?,
            model,
        })
    }

    /// Sees to it that the model has the imperfections of this step.
    fn redraw(&mut self) -> Result<()> {
        let Redrawn { imperfections, every, seed } = &self.redrawn;
        let draw = self.controls.memory.step / *every as u64;
        if self.drawn != Some(draw) {
            let individual = stream(*seed, Purpose::Imperfections, draw).next_u64();
            let known = Imperfections { perturbation: 0.0, ..*imperfections }; // no model has that one
            let fabrication = known.fabricate(&self.network, individual)?;
            let model = self.room.engine.build(&self.network, &fabrication)?;
            self.model = Digital::new(model, &self.network, &self.meter);
            self.model.program(&self.first)?;
            self.drawn = Some(draw);
        }
        Ok(())
    }
}

impl<E: Simulator, C: Propagator<Engine = E>> Method<C> for NoiseAware<E> {
    fn name(&self) -> MethodName {
        MethodName::NoiseAware
    }

    fn step(
        &mut self,
        _chip: &mut C,
        batch: &Batch<C::Engine>,
        learning_rate: f64,
        tally: &mut Buffer<C>,
    ) -> Result<()> {
        self.redraw()?;
        let NoiseAware { model, controls, room, .. } = self;
        backpropagation(model, &controls.values, batch, room, tally)?;
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
