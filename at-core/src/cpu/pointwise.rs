//! Stages that treat every mode by itself: nonlinearities, detection, modulation, rectification.

use super::stage::{CpuStage, Recorded, Slopes};
use crate::Real;
use crate::network::Detection;
use crate::optics::Activation;
use num_complex::Complex;
use rayon::prelude::*;

/// Reals per parallel piece; even, so that complex pairs stay together.
const PIECE: usize = 8192;

/// An optical nonlinearity.
pub struct ActivationStage {
    /// Reals per sample.
    pub width: usize,
    /// The nonlinearity.
    pub activation: Activation,
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

/// Photodetection.
pub struct DetectionStage {
    /// Modes that enter.
    pub modes: usize,
    /// How they are detected.
    pub detection: Detection,
}

impl<T: Real> CpuStage<T> for DetectionStage {
    fn program(&mut self, _controls: &[T]) {}

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        let fields = input[..2 * batch * self.modes].chunks_exact(2).map(|z| Complex::new(z[0], z[1]));
        match self.detection {
            Detection::Intensity => output.iter_mut().zip(fields).for_each(|(slot, z)| *slot = z.norm_sqr()),
            Detection::Amplitude => output.iter_mut().zip(fields).for_each(|(slot, z)| *slot = z.norm_sqr().sqrt()),
            Detection::Homodyne { phase } => {
                let (sin, cos) = phase.sin_cos();
                let (sin, cos) = (T::of(sin), T::of(cos));
                output.iter_mut().zip(fields).for_each(|(slot, z)| *slot = z.re * cos + z.im * sin);
            }
            Detection::Balanced => {
                for (slot, pair) in output.iter_mut().zip(input[..2 * batch * self.modes].chunks_exact(4)) {
                    *slot = pair[0] * pair[0] + pair[1] * pair[1] - pair[2] * pair[2] - pair[3] * pair[3];
                }
            }
        }
    }

    /// `a_z = (dL/dI) z` for a power, `(dL/du) z/(2|z|)` for an amplitude, `½(dL/du) e^{iφ}` for a homodyne signal.
    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let Recorded { input, adjoint, batch, .. } = *pass;
        let Slopes { adjoint_in, .. } = slopes;
        let length = 2 * batch * self.modes;
        let half = T::of(0.5);
        let slots = adjoint_in[..length].chunks_exact_mut(2).zip(input[..length].chunks_exact(2));
        match self.detection {
            Detection::Intensity => {
                for ((slot, z), &slope) in slots.zip(adjoint) {
                    (slot[0], slot[1]) = (slope * z[0], slope * z[1]);
                }
            }
            Detection::Amplitude => {
                for ((slot, z), &slope) in slots.zip(adjoint) {
                    let modulus = (z[0] * z[0] + z[1] * z[1]).sqrt();
                    let factor = if modulus > T::zero() { half * slope / modulus } else { T::zero() };
                    (slot[0], slot[1]) = (factor * z[0], factor * z[1]);
                }
            }
            Detection::Homodyne { phase } => {
                let (sin, cos) = phase.sin_cos();
                let (sin, cos) = (half * T::of(sin), half * T::of(cos));
                for ((slot, _), &slope) in slots.zip(adjoint) {
                    (slot[0], slot[1]) = (slope * cos, slope * sin);
                }
            }
            Detection::Balanced => {
                let pairs = adjoint_in[..length].chunks_exact_mut(4).zip(input[..length].chunks_exact(4));
                for ((slot, z), &slope) in pairs.zip(adjoint) {
                    (slot[0], slot[1]) = (slope * z[0], slope * z[1]);
                    (slot[2], slot[3]) = (-slope * z[2], -slope * z[3]);
                }
            }
        }
    }
}

/// Real numbers onto field amplitudes.
pub struct ModulationStage {
    /// Number of modes.
    pub modes: usize,
}

impl<T: Real> CpuStage<T> for ModulationStage {
    fn program(&mut self, _controls: &[T]) {}

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        for (slot, &x) in output.chunks_exact_mut(2).zip(&input[..batch * self.modes]) {
            (slot[0], slot[1]) = (x, T::zero());
        }
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let Recorded { adjoint, batch, .. } = *pass;
        let Slopes { adjoint_in, .. } = slopes;
        let two = T::one() + T::one();
        for (slot, a) in adjoint_in[..batch * self.modes].iter_mut().zip(adjoint.chunks_exact(2)) {
            *slot = two * a[0];
        }
    }
}

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
