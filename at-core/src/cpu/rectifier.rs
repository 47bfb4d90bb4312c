//! Rectification.

use super::stage::{CpuStage, PIECE, Recorded, Slopes};
use crate::Real;
use rayon::prelude::*;

/// `max(x - threshold, 0)`.
pub struct RectifierStage<T> {
    /// Number of modes.
    pub modes: usize,
    /// What is subtracted first.
    pub threshold: T,
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
