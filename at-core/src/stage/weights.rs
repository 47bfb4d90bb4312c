//! What matrices, weight banks, ring banks and phase-change crossbars have in common: a real matrix with bias `y = Wx + b`, of which every entry of
//! `[W row-major [output, input], b]` is a function of its own control.

use super::{ControlArray, Flops, Map, Place, Span, StageErrors};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// What pages of [`Weights`] answer alike, spelled out in their `impl Element`; with the function that makes their entries also how signals cross
/// them, where an entry follows its own control alone.
macro_rules! element_of_weights {
    () => {
        fn input(&self) -> $crate::stage::Signal {
            $crate::stage::Signal::reals(self.inputs)
        }

        fn output(&self) -> $crate::stage::Signal {
            $crate::stage::Signal::reals(self.outputs)
        }

        fn signed(&self) -> bool {
            true
        }

        fn flops(&self) -> $crate::stage::Flops {
            self.weights().flops()
        }

        fn controlled(&self) -> Option<&dyn $crate::stage::Controlled> {
            Some(self)
        }

        fn imperfect(&self) -> Option<&dyn $crate::stage::Imperfect> {
            Some(self)
        }

        fn sines(&self) -> Option<$crate::stage::Sines> {
            Some($crate::stage::Sines::Broken("controls that are no phases of a mesh"))
        }

        fn drawn(&self) -> Option<&dyn $crate::stage::Drawn> {
            Some(self)
        }

        fn beside(&self, _: usize) -> $crate::Result<Option<$crate::stage::Beside>> {
            Ok(None)
        }
    };
    ($entries:ident) => {
        element_of_weights!();

        fn validate(&self) -> $crate::Result<()> {
            Ok(())
        }

        fn forward(&self, errors: &$crate::stage::StageErrors, controls: &[f64], signal: &[f64]) -> Vec<f64> {
            self.weights().forward(&$entries(errors, controls), signal)
        }

        fn backward(
            &self,
            errors: &$crate::stage::StageErrors,
            controls: &[f64],
            signal: &[f64],
            error: &[f64],
            gradient: &mut [f64],
        ) -> Vec<f64> {
            self.weights().backward(&$entries(errors, controls), signal, error, gradient)
        }
    };
}

/// The same in the `impl Controlled` of the page `$kind`.
macro_rules! controlled_of_weights {
    ($kind:ident) => {
        /// `weight [output, input]`, then `bias [output]`.
        fn arrays(&self) -> Vec<$crate::stage::ControlArray> {
            self.weights().arrays()
        }

        /// `weight[output,input]`, then `bias[output]`.
        fn names(&self) -> Vec<String> {
            self.weights().names()
        }

        /// Equal ones are one module, used again.
        fn shares(&self, other: &$crate::stage::Stage, module: usize) -> Option<Vec<usize>> {
            (*other == $crate::stage::Stage::$kind(*self)).then(|| self.weights().cells(module))
        }
    };
}

pub(super) use {controlled_of_weights, element_of_weights};

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

/// Maps of the errors of every weight that `errors` have: of each the error's name, then name and title of the map, the scale of its numbers and the caption. None where
/// there are no such errors. Biases are left out.
pub(super) fn error_maps<const N: usize>(
    weights: Weights,
    errors: &StageErrors,
    texts: [(&'static str, [&'static str; 4]); N],
) -> Vec<Map> {
    let Some(all) = errors.get(texts.map(|own| own.0)) else { return Vec::new() };
    let map = |((_, [name, title, scale, caption]), values): ((&'static str, [&'static str; 4]), &[f64])| {
        let values = values[..weights.inputs * weights.outputs].to_vec();
        Map { name, title, scale, caption, span: Span::around_zero(&values), values }
    };
    texts.into_iter().zip(all).map(map).collect()
}
