//! A chip of one's own, which nobody simulates: what a driver of an instrument would be.

use at_core::Result;
use at_core::cpu::Cpu;
use at_core::error::same_size;
use at_core::propagator::Propagator;

/// A board of weights `y = tanh(Θ + offset)·x`, `[outputs, inputs]`, whose offsets nobody knows.
pub struct Board {
    inputs: usize,
    offsets: Vec<f64>,
    weights: Vec<f64>,
}

impl Board {
    /// A board as it came from the factory.
    pub fn new(inputs: usize, outputs: usize) -> Self {
        let offsets: Vec<f64> = (0..inputs * outputs).map(|index| 0.4 * (2.3 * index as f64).sin()).collect();
        Board { inputs, weights: vec![0.0; offsets.len()], offsets }
    }
}

impl Propagator for Board {
    type Engine = Cpu<f64>;

    fn controls(&self) -> usize {
        self.offsets.len()
    }

    fn inputs(&self) -> usize {
        self.inputs
    }

    fn outputs(&self) -> usize {
        self.offsets.len() / self.inputs
    }

    fn program(&mut self, controls: &Vec<f64>) -> Result<()> {
        same_size("controls of the board", self.offsets.len(), controls.len())?;
        let values = controls.iter().zip(&self.offsets);
        self.weights = values.map(|(control, offset)| (control + offset).tanh()).collect();
        Ok(())
    }

    fn propagate(&mut self, fields: &Vec<f64>, batch: usize, readout: &mut Vec<f64>) -> Result<()> {
        let samples = fields.chunks_exact(self.inputs).zip(readout.chunks_exact_mut(self.outputs())).take(batch);
        for (x, y) in samples {
            for (y, row) in y.iter_mut().zip(self.weights.chunks_exact(self.inputs)) {
                *y = row.iter().zip(x).map(|(weight, x)| weight * x).sum();
            }
        }
        Ok(())
    }
}
