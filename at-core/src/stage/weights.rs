//! What matrices, weight banks, ring banks and phase-change crossbars have in common: a real matrix with bias `y = Wx + b`, of which every entry of
//! `[W row-major [output, input], b]` is a function of its own control.

use super::{ControlArray, Flops, Place};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// One entry.
#[derive(Clone, Copy)]
pub struct Entry {
    /// w, what the signal is multiplied by.
    pub weight: f64,
    /// dw/dc.
    pub slope: f64,
}

/// The size of a matrix.
#[derive(Clone, Copy)]
pub struct Weights {
    pub inputs: usize,
    pub outputs: usize,
}

impl Weights {
    /// Entries, the bias among them.
    pub fn count(self) -> usize {
        self.outputs * (self.inputs + 1)
    }

    /// `weight [output, input]`, then `bias [output]`.
    pub fn arrays(self) -> Vec<ControlArray> {
        let Weights { inputs, outputs } = self;
        vec![ControlArray::new("weight", [outputs, inputs]), ControlArray::new("bias", [outputs])]
    }

    /// `weight[output,input]`, then `bias[output]`.
    pub fn names(self) -> Vec<String> {
        let Weights { inputs, outputs } = self;
        let weights = (0..outputs).flat_map(|output| (0..inputs).map(move |input| format!("weight[{output},{input}]")));
        weights.chain((0..outputs).map(|output| format!("bias[{output}]"))).collect()
    }

    /// Of the weights.
    pub fn flops(self) -> Flops {
        let weights = (self.inputs * self.outputs) as u64;
        Flops { forward: 2 * weights, backward: 4 * weights }
    }

    /// First weights, then biases, with these standard deviations.
    pub fn first(self, random: &mut impl Rng, (weight, bias): (f64, f64)) -> impl Iterator<Item = f64> {
        let weights = self.outputs * self.inputs;
        (0..self.count()).map(move |index| {
            let draw: f64 = StandardNormal.sample(random);
            draw * if index < weights { weight } else { bias }
        })
    }

    /// Cells on a square grid, rows are outputs, the biases last.
    pub fn places(self) -> Vec<Option<Place>> {
        let Weights { inputs, outputs } = self;
        let cells = (0..outputs).flat_map(|row| (0..inputs).map(move |column| (column, row)));
        let all = cells.chain((0..outputs).map(|row| (inputs, row)));
        all.map(|(along, across)| Some(Place::on_one_die(along, across))).collect()
    }

    /// For every cell the one of the first block that does its work. A module has a column of biases of its own.
    pub fn cells(self, module: usize) -> Vec<usize> {
        let Weights { inputs, outputs } = self;
        let weights = inputs * outputs;
        let cell = |k: usize| match k < weights {
            true => k / inputs % module * inputs + k % inputs % module,
            false => weights + (k - weights) % module,
        };
        (0..self.count()).map(cell).collect()
    }

    /// `y = Wx + b`, `[batch, outputs]`.
    pub fn forward(self, entries: &[Entry], signal: &[f64]) -> Vec<f64> {
        let Weights { inputs, outputs } = self;
        let (weights, bias) = entries.split_at(outputs * inputs);
        let mut output = Vec::new();
        for x in signal.chunks_exact(inputs) {
            for row in 0..outputs {
                let products = (0..inputs).map(|column| weights[row * inputs + column].weight * x[column]);
                output.push(products.sum::<f64>() + bias[row].weight);
            }
        }
        output
    }

    /// `Wᵀe`, and `e·xᵀ` and e times the entries' slopes added to the gradient.
    pub fn backward(self, entries: &[Entry], signal: &[f64], error: &[f64], gradient: &mut [f64]) -> Vec<f64> {
        let Weights { inputs, outputs } = self;
        let mut carried = vec![0.0; signal.len()];
        let samples = signal.chunks_exact(inputs).zip(error.chunks_exact(outputs));
        for (carried, (x, e)) in carried.chunks_exact_mut(inputs).zip(samples) {
            for (row, e) in e.iter().enumerate() {
                for column in 0..inputs {
                    let index = row * inputs + column;
                    carried[column] += entries[index].weight * e;
                    gradient[index] += e * x[column] * entries[index].slope;
                }
                let index = outputs * inputs + row;
                gradient[index] += e * entries[index].slope;
            }
        }
        carried
    }
}
