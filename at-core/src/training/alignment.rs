//! How well a method's steps point down the true slope: an oracle's judgement, which only a simulator can give.
//!
//! ```text
//! alignment = ⟨Θ − Θ′, g⟩ / (‖Θ − Θ′‖·‖g‖)      g = ∇L of the true chip at Θ
//! ```
//!
//! Θ are the controls before the first step of an epoch, Θ′ those after it, and g the oracle's gradient on that step's own
//! batch: the order of samples follows from the seed alone, so the batch is the same for all methods and chips. With plain
//! gradient descent `ideal` has the alignment 1, and what others lack is their error and not the sampling of batches. An
//! optimizer with a memory turns the step away from the gradient, `ideal`'s as well.
//!
//! The oracle is the chip as it was fabricated, update errors included, and knows neither its noise nor its drift.

use super::Batch;
use super::methods::{Room, backpropagation};
use crate::Result;
use crate::engine::{Engine, Loss};
use crate::fabrication::Fabrication;
use crate::network::Network;
use crate::propagator::{Propagator, Simulator};

/// Judges the first step of every epoch ([`super::Record::alignment`]).
pub trait Oracle<E: Engine> {
    /// The `controls` that the chip is programmed with first: from them on it counts update errors.
    fn begin(&mut self, controls: &E::Buffer) -> Result<()>;

    /// The `controls` before a step on `batch`.
    fn before(&mut self, controls: &E::Buffer, batch: &Batch<E>) -> Result<()>;

    /// The alignment of the step that led to `controls`; 0 where the step or the gradient is 0.
    fn after(&mut self, controls: &E::Buffer) -> Result<f64>;
}

/// The oracle of a simulated chip, with its memory.
pub struct Alignment<E: Simulator> {
    oracle: E::Network,
    room: Room<E::Network>,
    before: E::Buffer,
    tally: E::Buffer,
}

impl<E: Simulator> Alignment<E> {
    /// An oracle for the chip with this `fabrication`, for batches of up to `capacity` samples.
    pub fn new(engine: &E, network: &Network, fabrication: &Fabrication, loss: Loss, capacity: usize) -> Result<Self> {
        let oracle = engine.build(network, fabrication)?;
        let room = Room::new(engine, &oracle, loss, capacity)?;
        let before = engine.zeros(network.controls())?;
        Ok(Alignment { oracle, room, before, tally: engine.zeros(3)? })
    }
}

impl<E: Simulator> Oracle<E> for Alignment<E> {
    fn begin(&mut self, controls: &E::Buffer) -> Result<()> {
        self.oracle.program(controls)
    }

    fn before(&mut self, controls: &E::Buffer, batch: &Batch<E>) -> Result<()> {
        self.room.engine.combine(1.0, controls, 0.0, &mut self.before)?;
        backpropagation(&mut self.oracle, controls, batch, &mut self.room, &mut self.tally)
    }

    fn after(&mut self, controls: &E::Buffer) -> Result<f64> {
        let engine = &self.room.engine;
        engine.combine(-1.0, controls, 1.0, &mut self.before)?;
        Ok(cosine(&engine.download(&self.before)?, &engine.download(&self.room.gradient)?))
    }
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let scale = (product(a, a) * product(b, b)).sqrt();
    if scale == 0.0 { 0.0 } else { product(a, b) / scale }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosines_are_those_of_the_angle() {
        assert!((cosine(&[1.0, 1.0], &[1.0, 0.0]) - 0.5_f64.sqrt()).abs() < 1e-15);
        assert_eq!(cosine(&[2.0, 0.0], &[-3.0, 0.0]), -1.0);
        assert_eq!(cosine(&[0.0, 0.0], &[1.0, 0.0]), 0.0);
    }
}
