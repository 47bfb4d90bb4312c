//! What methods are made of: the task that all have, and the parts that several of them share.

use super::{Descent, DigitalStep, MethodOptions};
use crate::Result;
use crate::chip::Meter;
use crate::fabrication::Fabrication;
use crate::network::Network;
use crate::propagator::Simulator;
use crate::training::{Digital, Parameters, Settings};

/// The task of a method, and makers of its parts.
pub struct Ingredients<'a, E: Simulator> {
    /// Where the vectors live.
    pub engine: &'a E,
    /// The chip's design.
    pub network: &'a Network,
    /// The first controls.
    pub initial: &'a [f64],
    /// What all methods share.
    pub settings: &'a Settings,
    /// What is particular to some.
    pub options: &'a MethodOptions,
    /// Counts digital work.
    pub meter: &'a Meter,
    /// The chip itself, which only [`Ingredients::oracle`] and [`Ingredients::update_mask`] look at.
    pub(super) fabrication: &'a Fabrication,
}

impl<E: Simulator> Ingredients<'_, E> {
    /// A model of what [`MethodOptions::known`] says, whose work is counted.
    pub fn nominal(&self) -> Result<Digital<E::Network>> {
        self.model(&self.options.known(self.network)?)
    }

    /// The chip itself as a model.
    pub(super) fn oracle(&self) -> Result<Digital<E::Network>> {
        self.model(self.fabrication)
    }

    fn model(&self, fabrication: &Fabrication) -> Result<Digital<E::Network>> {
        Ok(Digital::new(self.engine.build(self.network, fabrication)?, self.network, self.meter))
    }

    /// Nominal stages of any network, whose work the method counts itself.
    pub fn stages(&self, network: &Network) -> Result<E::Network> {
        self.engine.build(network, &self.options.known(network)?)
    }

    /// Factors 1 + E on the model's updates, where [`DigitalStep::AsPublished`] is chosen and the chip has update errors E.
    pub(super) fn update_mask(&self) -> Result<Option<E::Buffer>> {
        let errors = &self.fabrication.update_error;
        match self.options.digital_step {
            DigitalStep::AsPublished if !errors.is_empty() => {
                let factors: Vec<f64> = errors.iter().map(|error| 1.0 + error).collect();
                self.engine.upload(&factors).map(Some)
            }
            DigitalStep::AsPublished | DigitalStep::Matched => Ok(None),
        }
    }

    /// The first controls, ready to be trained.
    pub fn controls(&self) -> Result<Parameters<E>> {
        Parameters::new(self.engine, self.settings.optimizer, self.initial)
    }

    /// The method that descends the gradient that `maker` makes, from the first controls on.
    pub fn descent<G>(&self, maker: G) -> Result<Descent<E, G>> {
        Ok(Descent::new(self.engine, self.controls()?, maker))
    }
}
