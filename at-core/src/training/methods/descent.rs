//! The method that is nothing but the gradient that it makes: one vector of controls, one optimizer, one step.

use super::{Method, MethodFacts};
use crate::Result;
use crate::engine::Engine;
use crate::propagator::{Buffer, Propagator};
use crate::training::{Batch, Parameters};

/// Makes the gradient along which [`Descent`] trains the controls of `C`.
pub trait Gradient<C: Propagator> {
    /// What there is to say of the method.
    fn facts(&self) -> &'static MethodFacts;

    /// `∂L/∂Θ` of `batch` at the `controls` Θ, one entry per control, which lasts until the next call. Adds the loss to `tally`
    /// as [`Method::step`] says. Whatever the chip is to be measured at, it programs itself.
    fn gradient(
        &mut self,
        chip: &mut C,
        controls: &Parameters<C::Engine>,
        batch: &Batch<C::Engine>,
        tally: &mut Buffer<C>,
    ) -> Result<&Buffer<C>>;

    /// The step is done, and the controls are these. Does nothing unless a method must leave the chip at them.
    fn stepped(&mut self, chip: &mut C, controls: &Parameters<C::Engine>) -> Result<()> {
        let _ = (chip, controls);
        Ok(())
    }

    /// What the next gradient depends on beside the controls, by name.
    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)> {
        Vec::new()
    }

    /// The same, to be restored.
    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)> {
        Vec::new()
    }
}

/// `Θ ← Θ − η·direction(gradient)`, with the gradient that `G` makes.
pub struct Descent<E: Engine, G> {
    engine: E,
    controls: Parameters<E>,
    maker: G,
}

impl<E: Engine, G> Descent<E, G> {
    /// Trains `controls` along the gradient that `maker` makes.
    pub fn new(engine: &E, controls: Parameters<E>, maker: G) -> Self {
        Descent { engine: engine.clone(), controls, maker }
    }
}

impl<E: Engine, C: Propagator<Engine = E>, G: Gradient<C>> Method<C> for Descent<E, G> {
    fn facts(&self) -> &'static MethodFacts {
        self.maker.facts()
    }

    fn step(
        &mut self,
        chip: &mut C,
        batch: &Batch<C::Engine>,
        learning_rate: f64,
        tally: &mut Buffer<C>,
    ) -> Result<()> {
        let Descent { engine, controls, maker } = self;
        let gradient = maker.gradient(chip, controls, batch, tally)?;
        controls.descend(engine, learning_rate, gradient)?;
        maker.stepped(chip, controls)
    }

    fn controls(&self) -> &Buffer<C> {
        &self.controls.values
    }

    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)> {
        [("controls", &self.controls)].into_iter().chain(self.maker.parameters()).collect()
    }

    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)> {
        [("controls", &mut self.controls)].into_iter().chain(self.maker.parameters_mut()).collect()
    }
}
