//! Optical nonlinearities.

use super::memory::Held;
use super::stage::{CpuStage, OnCpu, PIECE, Recorded, Slopes};
use crate::optics::Activation;
use crate::stage::{Nonlinearity, StageErrors};
use crate::{Real, Result};
use num_complex::Complex;
use rayon::prelude::*;

/// An optical nonlinearity.
struct ActivationStage {
    /// Reals per sample.
    width: usize,
    /// The nonlinearity.
    activation: Activation,
}

impl OnCpu for Nonlinearity {
    fn on_cpu<T: Real>(&self, _: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        Ok(Box::new(ActivationStage { width: 2 * self.modes, activation: self.activation }))
    }

    fn bytes(&self, _held: &Held) -> usize {
        0
    }
}

impl<T: Real> CpuStage<T> for ActivationStage {
    fn program(&mut self, _controls: &[T]) {}

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        let (length, activation) = (batch * self.width, self.activation);
        output[..length].par_chunks_mut(PIECE).zip(input[..length].par_chunks(PIECE)).for_each(|(output, input)| {
            for (y, z) in output.chunks_exact_mut(2).zip(input.chunks_exact(2)) {
                let value = activation.value(Complex::new(z[0], z[1]));
                (y[0], y[1]) = (value.re, value.im);
            }
        });
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let Recorded { input, adjoint, batch, .. } = *pass;
        let Slopes { adjoint_in, .. } = slopes;
        let (length, activation) = (batch * self.width, self.activation);
        adjoint_in[..length]
            .par_chunks_mut(PIECE)
            .zip(input[..length].par_chunks(PIECE))
            .zip(adjoint[..length].par_chunks(PIECE))
            .for_each(|((slots, input), adjoint)| {
                let signals = input.chunks_exact(2).zip(adjoint.chunks_exact(2));
                for (slot, (z, a)) in slots.chunks_exact_mut(2).zip(signals) {
                    let value = activation.backward(Complex::new(z[0], z[1]), Complex::new(a[0], a[1]));
                    (slot[0], slot[1]) = (value.re, value.im);
                }
            });
    }
}
