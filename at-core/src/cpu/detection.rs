//! Photodetection.

use super::memory::Held;
use super::stage::{CpuStage, OnCpu, Recorded, Slopes};
use crate::stage::{Detection, Photodetection, StageErrors};
use crate::{Real, Result};
use num_complex::Complex;
use pulp::{Simd, WithSimd};

/// Photodetection.
struct DetectionStage {
    /// Modes that enter.
    modes: usize,
    /// How they are detected.
    detection: Detection,
}

impl OnCpu for Photodetection {
    fn on_cpu<T: Real>(&self, _: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        Ok(Box::new(DetectionStage { modes: self.modes, detection: self.detection }))
    }

    fn bytes(&self, _held: &Held) -> usize {
        0
    }
}

impl<T: Real> CpuStage<T> for DetectionStage {
    fn program(&mut self, _controls: &[T]) {}

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        let fields = input[..2 * batch * self.modes].chunks_exact(2).map(|z| Complex::new(z[0], z[1]));
        match self.detection {
            Detection::Intensity => {
                pulp::Arch::new().dispatch(Powers { fields: &input[..2 * batch * self.modes], powers: output });
            }
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
        match self.detection {
            Detection::Intensity => {
                let (fields, fields_in) = (&input[..length], &mut adjoint_in[..length]);
                pulp::Arch::new().dispatch(PowerSlopes { fields, slopes: adjoint, adjoint_in: fields_in });
            }
            Detection::Amplitude => {
                for ((slot, z), &slope) in slots(adjoint_in, input, length).zip(adjoint) {
                    let modulus = (z[0] * z[0] + z[1] * z[1]).sqrt();
                    let factor = if modulus > T::zero() { half * slope / modulus } else { T::zero() };
                    (slot[0], slot[1]) = (factor * z[0], factor * z[1]);
                }
            }
            Detection::Homodyne { phase } => {
                let (sin, cos) = phase.sin_cos();
                let (sin, cos) = (half * T::of(sin), half * T::of(cos));
                for ((slot, _), &slope) in slots(adjoint_in, input, length).zip(adjoint) {
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

/// Every field before detection and where its adjoint goes, as pairs (re, im).
fn slots<'a, T: Real>(
    adjoint_in: &'a mut [T],
    input: &'a [T],
    length: usize,
) -> impl Iterator<Item = (&'a mut [T], &'a [T])> {
    adjoint_in[..length].chunks_exact_mut(2).zip(input[..length].chunks_exact(2))
}

/// `I = |z|²`, the detection that nearly all light meets, by whichever vector instructions there are.
struct Powers<'a, T> {
    fields: &'a [T],
    powers: &'a mut [T],
}

impl<T: Real> WithSimd for Powers<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (slot, z) in self.powers.iter_mut().zip(self.fields.chunks_exact(2)) {
            *slot = z[0] * z[0] + z[1] * z[1];
        }
    }
}

/// Its way back.
struct PowerSlopes<'a, T> {
    fields: &'a [T],
    slopes: &'a [T],
    adjoint_in: &'a mut [T],
}

impl<T: Real> WithSimd for PowerSlopes<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let slots = self.adjoint_in.chunks_exact_mut(2).zip(self.fields.chunks_exact(2));
        for ((slot, z), &slope) in slots.zip(self.slopes) {
            (slot[0], slot[1]) = (slope * z[0], slope * z[1]);
        }
    }
}
