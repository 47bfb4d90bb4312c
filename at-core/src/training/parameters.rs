//! A vector that is trained, with what its optimizer remembers.

use crate::Result;
use crate::engine::{Engine, Optimizer, OptimizerState};

/// Trained values and their optimizer: all that outlives a step.
pub struct Parameters<E: Engine> {
    /// The values.
    pub values: E::Buffer,
    /// What the optimizer remembers of earlier gradients.
    pub memory: OptimizerState<E>,
    optimizer: Optimizer,
    len: usize,
}

impl<E: Engine> Parameters<E> {
    /// `initial` values, which no step has changed.
    pub fn new(engine: &E, optimizer: Optimizer, initial: &[f64]) -> Result<Self> {
        Ok(Parameters {
            values: engine.upload(initial)?,
            memory: OptimizerState::new(engine, &optimizer, initial.len())?,
            optimizer,
            len: initial.len(),
        })
    }

    /// One optimizer step against `gradient`.
    pub fn descend(&mut self, engine: &E, learning_rate: f64, gradient: &E::Buffer) -> Result<()> {
        engine.optimize(&self.optimizer, learning_rate, gradient, &mut self.memory, &mut self.values)
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.len
    }

    /// There is no value.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}
