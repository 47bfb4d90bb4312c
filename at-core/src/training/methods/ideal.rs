//! Ideal backpropagation: the gradient of the true chip, from an oracle that knows every imperfection. The upper line.
//!
//! ```text
//! Θ ← Θ − η·BP_chip(e_chip)
//! ```
//!
//! Only a simulator can do this: the oracle is built from the chip's own fabrication. It follows the controls as the chip does,
//! update errors included, so its gradient is the true derivative with respect to what is written. Its digital work is that of
//! ordinary backpropagation.

use super::room::backpropagation;
use super::{Method, MethodName, Room};
use crate::Result;
use crate::propagator::{Adjoint, Buffer, Propagator};
use crate::training::{Batch, Loss, Optimizer, Parameters};

/// The method with its oracle.
pub struct Ideal<M: Adjoint> {
    oracle: M,
    controls: Parameters<M::Engine>,
    room: Room<M>,
}

impl<M: Adjoint> Ideal<M> {
    /// Starts from the `initial` values, from which the `oracle` counts update errors.
    pub fn new(
        engine: &M::Engine,
        mut oracle: M,
        initial: &[f64],
        optimizer: Optimizer,
        loss: Loss,
        capacity: usize,
    ) -> Result<Self> {
        let controls = Parameters::new(engine, optimizer, initial)?;
        oracle.program(&controls.values)?;
        let room = Room::new(engine, &oracle, loss, capacity)?;
        Ok(Ideal { oracle, controls, room })
    }
}

impl<M: Adjoint, C: Propagator<Engine = M::Engine>> Method<C> for Ideal<M> {
    fn name(&self) -> MethodName {
        MethodName::Ideal
    }

    fn step(
        &mut self,
        _chip: &mut C,
        batch: &Batch<C::Engine>,
        learning_rate: f64,
        tally: &mut Buffer<C>,
    ) -> Result<()> {
        let Ideal { oracle, controls, room } = self;
        backpropagation(oracle, &controls.values, batch, room, tally)?;
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
