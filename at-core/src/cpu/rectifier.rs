//! Rectification.

use super::memory::Held;
use super::stage::{CpuStage, OnCpu, PIECE, Recorded, Slopes};
use crate::stage::{Rectifier, StageErrors};
use crate::{Real, Result};
use rayon::prelude::*;

/// `max(x - threshold, 0)`.
struct RectifierStage<T> {
    /// Number of modes.
    modes: usize,
    /// What is subtracted first.
    threshold: T,
}

impl OnCpu for Rectifier {
    fn on_cpu<T: Real>(&self, _: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        Ok(Box::new(RectifierStage { modes: self.modes, threshold: T::of(self.threshold) }))
    }

    fn bytes(&self, _held: &Held) -> usize {
        0
    }
}

impl<T: Real> CpuStage<T> for RectifierStage<T> {
    fn program(&mut self, _controls: &[T]) {}

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        let (length, threshold) = (batch * self.modes, self.threshold);
        output[..length].par_chunks_mut(PIECE).zip(input[..length].par_chunks(PIECE)).for_each(|(output, input)| {
            for (slot, &x) in output.iter_mut().zip(input) {
                // A comparison, not max(): NaN must travel on to the divergence check.
                *slot = if x <= threshold { T::zero() } else { x - threshold };
            }
        });
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let Recorded { input, adjoint, batch, .. } = *pass;
        let Slopes { adjoint_in, .. } = slopes;
        let (length, threshold) = (batch * self.modes, self.threshold);
        adjoint_in[..length]
            .par_chunks_mut(PIECE)
            .zip(input[..length].par_chunks(PIECE))
            .zip(adjoint[..length].par_chunks(PIECE))
            .for_each(|((slots, input), adjoint)| {
                for (slot, (&x, &a)) in slots.iter_mut().zip(input.iter().zip(adjoint)) {
                    *slot = if x <= threshold { T::zero() } else { a };
                }
            });
    }
}
