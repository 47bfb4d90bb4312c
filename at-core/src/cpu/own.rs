//! An element of one's own ([`crate::stage::Own`]): its plain meaning in f64, a piece of the batch after the other on all threads.

use super::memory::Held;
use super::stage::{CpuStage, OnCpu, Recorded, Slopes};
use crate::stage::{Element, Own, StageErrors};
use crate::{Real, Result};
use rayon::prelude::*;

/// Samples of a piece, whatever the number of threads: sums over a batch are then the same on every machine.
const PIECE: usize = 16;

/// An element with its errors and effective controls.
struct OwnStage {
    element: Own,
    errors: StageErrors,
    controls: Vec<f64>,
    inputs: usize,
    outputs: usize,
}

impl OnCpu for Own {
    fn on_cpu<T: Real>(&self, errors: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        let (element, inputs, outputs) = (self.clone(), self.input().width(), self.output().width());
        Ok(Box::new(OwnStage { element, errors: errors.clone(), controls: Vec::new(), inputs, outputs }))
    }

    /// Its page tells nothing of its own of; of its errors, all.
    fn bytes(&self, held: &Held) -> usize {
        held.real * self.imperfect().map_or(0, |own| own.errors().iter().map(|vector| vector.length).sum())
    }
}

impl<T: Real> CpuStage<T> for OwnStage {
    fn program(&mut self, controls: &[T]) {
        self.controls = wide(controls);
    }

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        let OwnStage { element, errors, controls, inputs, outputs } = self;
        let pieces = output[..batch * *outputs].par_chunks_mut(PIECE * *outputs);
        pieces.zip(input[..batch * *inputs].par_chunks(PIECE * *inputs)).for_each(|(output, input)| {
            narrow(&element.forward(errors, controls, &wide(input)), output);
        });
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let OwnStage { element, errors, controls, inputs, outputs } = self;
        let Recorded { input, adjoint, batch, .. } = *pass;
        let Slopes { adjoint_in, gradient, .. } = slopes;
        let pieces = adjoint_in[..batch * *inputs]
            .par_chunks_mut(PIECE * *inputs)
            .zip(input[..batch * *inputs].par_chunks(PIECE * *inputs))
            .zip(adjoint[..batch * *outputs].par_chunks(PIECE * *outputs));
        let gradients = pieces.map(|((adjoint_in, input), adjoint)| {
            let mut gradient = vec![0.0; controls.len()];
            narrow(&element.backward(errors, controls, &wide(input), &wide(adjoint), &mut gradient), adjoint_in);
            gradient
        });
        let gradients: Vec<Vec<f64>> = gradients.collect();
        for (k, slot) in gradient.iter_mut().enumerate() {
            *slot = T::of(gradients.iter().map(|piece| piece[k]).sum());
        }
    }
}

fn wide<T: Real>(values: &[T]) -> Vec<f64> {
    values.iter().map(|value| value.wide()).collect()
}

/// # Panics
/// Where an element, which has been tried when its network was made, gives another number of values all of a sudden.
fn narrow<T: Real>(values: &[f64], target: &mut [T]) {
    assert_eq!(values.len(), target.len(), "values that an element of one's own gives");
    target.iter_mut().zip(values).for_each(|(slot, &value)| *slot = T::of(value));
}
