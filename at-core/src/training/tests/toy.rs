//! The closed form of a toy: `n` layers x ← 2·x^1.1, which the model takes for 2.01·x^1.1 (Physics-Aware-Training, example 3).
//!
//! At x = 1 the model's gradient is wrong by the factor 1.005^((1.1^n - 1)/0.1), doubly exponential in n, for its hidden signals
//! drift away; at measured hidden signals only by 1.005^n.

use crate::cpu::Cpu;
use crate::engine::{Engine, Loss, LossKind};
use crate::propagator::{Adjoint, LayerAccess, Layered, Propagator};
use crate::training::methods::{Room, backpropagation, pat::physics_aware};
use crate::training::{Batch, Split};
use crate::{Result, error::same_size};

const EXPONENT: f64 = 1.1;

/// Layers `x ← factor·x^1.1` after a first `x ← control·field`.
struct Tower {
    factor: f64,
    layers: usize,
    control: f64,
}

impl Tower {
    /// What enters the power of `layer`.
    fn base(&self, layer: usize, input: f64) -> f64 {
        if layer == 0 { self.control * input } else { input }
    }
}

impl Propagator for Tower {
    type Engine = Cpu<f64>;

    fn controls(&self) -> usize {
        1
    }

    fn inputs(&self) -> usize {
        1
    }

    fn outputs(&self) -> usize {
        1
    }

    fn program(&mut self, controls: &Vec<f64>) -> Result<()> {
        self.control = controls[0];
        Ok(())
    }

    fn propagate(&mut self, fields: &Vec<f64>, batch: usize, readout: &mut Vec<f64>) -> Result<()> {
        readout.clone_from(fields);
        for layer in 0..self.layers {
            let input = readout.clone();
            self.propagate_layer(layer, &input, batch, readout)?;
        }
        Ok(())
    }
}

impl Layered for Tower {
    fn layers(&self) -> usize {
        self.layers
    }

    fn layer_outputs(&self, _layer: usize) -> usize {
        1
    }
}

impl LayerAccess for Tower {
    fn propagate_layer(&mut self, layer: usize, input: &Vec<f64>, batch: usize, output: &mut Vec<f64>) -> Result<()> {
        same_size("samples", 1, batch)?;
        output[0] = self.factor * self.base(layer, input[0]).powf(EXPONENT);
        Ok(())
    }
}

impl Adjoint for Tower {
    /// The input of every layer.
    type Trace = Vec<f64>;

    fn trace(&self, _batch: usize) -> Result<Vec<f64>> {
        Ok(vec![0.0; self.layers])
    }

    fn record(&mut self, fields: &Vec<f64>, batch: usize, trace: &mut Vec<f64>, readout: &mut Vec<f64>) -> Result<()> {
        readout.clone_from(fields);
        for layer in 0..self.layers {
            let input = readout.clone();
            self.record_layer(layer, &input, batch, trace)?;
            self.propagate_layer(layer, &input, batch, readout)?;
        }
        Ok(())
    }

    fn record_layer(&mut self, layer: usize, input: &Vec<f64>, _batch: usize, trace: &mut Vec<f64>) -> Result<()> {
        trace[layer] = input[0];
        Ok(())
    }

    fn recorded_output(&self, layer: usize, trace: &Vec<f64>, output: &mut Vec<f64>) -> Result<()> {
        output[0] = self.factor * self.base(layer, trace[layer]).powf(EXPONENT);
        Ok(())
    }

    fn backpropagate(&mut self, trace: &Vec<f64>, readout_error: &Vec<f64>, gradient: &mut Vec<f64>) -> Result<()> {
        let mut error = readout_error.clone();
        for layer in (0..self.layers).rev() {
            let output_error = error.clone();
            self.backpropagate_layer(layer, trace, &output_error, Some(&mut error), gradient)?;
        }
        Ok(())
    }

    fn backpropagate_layer(
        &mut self,
        layer: usize,
        trace: &Vec<f64>,
        output_error: &Vec<f64>,
        input_error: Option<&mut Vec<f64>>,
        gradient: &mut Vec<f64>,
    ) -> Result<()> {
        let slope = output_error[0] * self.factor * EXPONENT * self.base(layer, trace[layer]).powf(EXPONENT - 1.0);
        if layer == 0 {
            gradient[0] = slope * trace[0];
        }
        if let Some(input_error) = input_error {
            input_error[0] = if layer == 0 { slope * self.control } else { slope };
        }
        Ok(())
    }
}

#[test]
fn measured_hidden_signals_turn_a_doubly_exponential_gap_into_an_exponential_one() {
    let engine = Cpu::<f64>::new();
    let split = Split::new(&engine, &[1.0], &[0]).unwrap();
    let mut batch = Batch::new(&engine, 1, 1).unwrap();
    batch.gather(&engine, &split, split.in_order(), 0, 1).unwrap();
    let loss = Loss { kind: LossKind::MeanSquare, ..Loss::cross_entropy(1) };
    let (controls, mut tally) = (vec![1.0], engine.zeros(3).unwrap());
    for layers in [1, 5, 10, 20, 24] {
        let tower = |factor| Tower { factor, layers, control: 0.0 };
        let (mut chip, mut model) = (tower(2.0), tower(2.01));
        let mut room = Room::new(&engine, &model, loss, 1).unwrap();
        // the derivative of the readout: each gradient is that of its own loss
        let slope = |room: &Room<Tower>| room.gradient[0] / room.error[0];
        backpropagation(&mut chip, &controls, &batch, &mut room, &mut tally).unwrap();
        let truth = slope(&room);
        backpropagation(&mut model, &controls, &batch, &mut room, &mut tally).unwrap();
        let in_silico = slope(&room) / truth - 1.0;
        let mut measured = vec![vec![0.0]; layers];
        physics_aware(&mut chip, &mut model, &controls, &batch, &mut measured, &mut room, &mut tally).unwrap();
        let pat = slope(&room) / truth - 1.0;
        let exponents = (EXPONENT.powi(layers as i32) - 1.0) / 0.1;
        assert!((in_silico - (1.005_f64.powf(exponents) - 1.0)).abs() < 1e-10, "{layers}: {in_silico}");
        assert!((pat - (1.005_f64.powi(layers as i32) - 1.0)).abs() < 1e-10, "{layers}: {pat}");
    }
}
