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
use super::{
    Dash, Gradient, Ingredients, Marker, Method, MethodFacts, MethodName, MethodOption, Model, OptionRange, Reach, Room,
};
use crate::Result;
use crate::chip::Meter;
use crate::engine::Loss;
use crate::fabrication::Fabrication;
use crate::imperfections::Imperfections;
use crate::network::Network;
use crate::propagator::{Buffer, Propagator, Simulator};
use crate::training::draws::{Purpose, stream};
use crate::training::{Batch, Digital, Parameters};
use rand::Rng;

/// Batches between two draws.
pub const REDRAW_EVERY: MethodOption = MethodOption {
    name: "redraw-every",
    help: "batches between two draws of imperfections [default: 1]",
    range: OptionRange::AtLeastOne,
    read: |options| Some(options.redraw_every as f64),
    multiplies_passes: false,
};

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("noise-aware"),
    title: "noise-aware training",
    uses: "nothing but its statistics",
    reach: Reach::Output,
    summary: "as in-silico, with imperfections drawn anew from the chip's statistics",
    manner: "never reads the chip, and knows how much chips vary",
    colour: [60, 75, 240],
    dash: Dash::Dashed,
    marker: Marker::Circle,
    model: Model::Statistics,
    needs_classes: false,
    options: &[REDRAW_EVERY],
    passes: MethodFacts::one_pass,
    check: MethodFacts::any_network,
};

/// The method from its parts.
pub fn build<E: Simulator, C: Propagator<Engine = E> + 'static>(
    from: &Ingredients<'_, E>,
) -> Result<Box<dyn Method<C>>> {
    let settings = from.settings;
    let (imperfections, every) = (from.options.imperfections, from.options.redraw_every);
    let redrawn = Redrawn { imperfections, every, seed: settings.seed };
    let (loss, capacity) = (settings.loss, settings.batch_size);
    from.descent(NoiseAware::new(from.engine, from.network, redrawn, from.initial, loss, capacity, from.meter)?)
        .map(|method| Box::new(method) as _)
}

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

/// The gradient with its model.
pub struct NoiseAware<E: Simulator> {
    network: Network,
    redrawn: Redrawn,
    meter: Meter,
    /// The number of the draw that the model has.
    drawn: Option<u64>,
    model: Digital<E::Network>,
    /// From where update errors count.
    first: E::Buffer,
    room: Room<Digital<E::Network>>,
}

impl<E: Simulator> NoiseAware<E> {
    /// At the `initial` controls, for batches of up to `capacity`; the models of `network` are counted on `meter`.
    pub fn new(
        engine: &E,
        network: &Network,
        redrawn: Redrawn,
        initial: &[f64],
        loss: Loss,
        capacity: usize,
        meter: &Meter,
    ) -> Result<Self> {
        REDRAW_EVERY.check(redrawn.every as f64)?;
        redrawn.imperfections.validate()?;
        let model = Digital::new(engine.build(network, &Fabrication::ideal())?, network, meter);
        Ok(NoiseAware {
            network: network.clone(),
            redrawn,
            meter: meter.clone(),
            drawn: None,
            first: engine.upload(initial)?,
            room: Room::new(engine, &model, loss, capacity)?,
            model,
        })
    }

    /// Sees to it that the model has the imperfections of step number `step`.
    fn redraw(&mut self, step: u64) -> Result<()> {
        let Redrawn { imperfections, every, seed } = &self.redrawn;
        let draw = step / *every as u64;
        if self.drawn != Some(draw) {
            let individual = stream(*seed, Purpose::Imperfections, draw).next_u64();
            let fabrication = imperfections.modelled().fabricate(&self.network, individual)?;
            let model = self.room.engine.build(&self.network, &fabrication)?;
            self.model = Digital::new(model, &self.network, &self.meter);
            self.model.program(&self.first)?;
            self.drawn = Some(draw);
        }
        Ok(())
    }
}

impl<E: Simulator, C: Propagator<Engine = E>> Gradient<C> for NoiseAware<E> {
    fn facts(&self) -> &'static MethodFacts {
        &FACTS
    }

    fn gradient(
        &mut self,
        _chip: &mut C,
        controls: &Parameters<C::Engine>,
        batch: &Batch<C::Engine>,
        tally: &mut Buffer<C>,
    ) -> Result<&Buffer<C>> {
        self.redraw(controls.memory.step)?;
        let NoiseAware { model, room, .. } = self;
        backpropagation(model, &controls.values, batch, room, tally)?;
        Ok(&room.gradient)
    }
}
