//! A mask of pixels.

use super::memory::Held;
use super::stage::{CpuStage, OnCpu, Recorded, Slopes};
use crate::real::SERIAL;
use crate::stage::{Mask, StageErrors};
use crate::{Real, Result};
use num_complex::Complex;
use rayon::prelude::*;

/// Pixels whose gradients one thread sums over the batch: whole cache lines of every sample.
const TILE: usize = 256;

/// `y_p = t_p·x_p`.
struct MaskStage<T> {
    mask: Mask,
    /// Phase errors of the pixels; none where empty.
    errors: Vec<f64>,
    /// `(t, dt/dθ)` of every pixel.
    pixels: Vec<[Complex<T>; 2]>,
}

impl OnCpu for Mask {
    fn on_cpu<T: Real>(&self, errors: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        let errors = errors.get(["phase"]).map_or(Vec::new(), |[phase]| phase.to_vec());
        let zero = Complex::new(T::zero(), T::zero());
        Ok(Box::new(MaskStage { mask: *self, errors, pixels: vec![[zero; 2]; self.pixels()] }))
    }

    /// A transmission and its slope of every pixel, and its error.
    fn bytes(&self, held: &Held) -> usize {
        held.real * 5 * self.pixels()
    }
}

impl<T: Real> CpuStage<T> for MaskStage<T> {
    fn program(&mut self, controls: &[T]) {
        let (mask, errors) = (&self.mask, &self.errors);
        let controls: Vec<f64> = controls.iter().map(|control| control.wide()).collect();
        let round = |value: Complex<f64>| Complex::new(T::of(value.re), T::of(value.im));
        self.pixels.par_iter_mut().enumerate().with_min_len(1024).for_each(|(pixel, slot)| {
            let (value, slope) = mask.pixel(*errors.get(pixel).unwrap_or(&0.0), &controls, pixel);
            *slot = [round(value), round(slope)];
        });
    }

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        let width = 2 * self.pixels.len();
        let samples = output[..batch * width].par_chunks_exact_mut(width).zip(input.par_chunks_exact(width));
        samples.with_min_len(SERIAL.div_ceil(width)).for_each(|(y, x)| {
            for ((y, x), [t, _]) in y.chunks_exact_mut(2).zip(x.chunks_exact(2)).zip(&self.pixels) {
                (y[0], y[1]) = (t.re * x[0] - t.im * x[1], t.re * x[1] + t.im * x[0]);
            }
        });
    }

    /// `a_x = t* a`; `dL/dφ = dL/de = 2 Re Σ a* i t x`, `dL/dθ = 2 Re Σ a* (dt/dθ) x`.
    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let Recorded { input, adjoint, batch, .. } = *pass;
        let Slopes { adjoint_in, all_the_way, gradient, imperfections } = slopes;
        let (count, pixels) = (self.pixels.len(), &self.pixels);
        let width = 2 * count;
        if all_the_way {
            let samples = adjoint_in[..batch * width].par_chunks_exact_mut(width).zip(adjoint.par_chunks_exact(width));
            samples.with_min_len(SERIAL.div_ceil(width)).for_each(|(slot, a)| {
                for ((slot, a), [t, _]) in slot.chunks_exact_mut(2).zip(a.chunks_exact(2)).zip(pixels) {
                    (slot[0], slot[1]) = (t.re * a[0] + t.im * a[1], t.re * a[1] - t.im * a[0]);
                }
            });
        }
        // Σ a* x of every pixel, from which all slopes follow
        let mut products = vec![Complex::new(T::zero(), T::zero()); count];
        let least = (SERIAL / (TILE * batch.max(1))).max(1);
        products.par_chunks_mut(TILE).enumerate().with_min_len(least).for_each(|(tile, products)| {
            for sample in 0..batch {
                let start = sample * width + 2 * tile * TILE;
                let pairs = input[start..].chunks_exact(2).zip(adjoint[start..].chunks_exact(2));
                for (product, (x, a)) in products.iter_mut().zip(pairs) {
                    product.re += a[0] * x[0] + a[1] * x[1];
                    product.im += a[0] * x[1] - a[1] * x[0];
                }
            }
        });
        let two = T::one() + T::one();
        // Re(i t p) = -Im(t p)
        let by_phase = |pixel: usize| {
            let (t, p) = (pixels[pixel][0], products[pixel]);
            -two * (t.re * p.im + t.im * p.re)
        };
        let by_angle = |pixel: usize| {
            let (t, p) = (pixels[pixel][1], products[pixel]);
            two * (t.re * p.re - t.im * p.im)
        };
        let [has_phases, has_angles] = self.mask.transmission.has();
        let (phases, angles) = gradient.split_at_mut(if has_phases { count } else { 0 });
        phases.iter_mut().enumerate().for_each(|(pixel, slot)| *slot = by_phase(pixel));
        if has_angles {
            angles.iter_mut().enumerate().for_each(|(pixel, slot)| *slot = by_angle(pixel));
        }
        if let Some(imperfections) = imperfections {
            imperfections.iter_mut().enumerate().for_each(|(pixel, slot)| *slot = by_phase(pixel));
        }
    }

    fn set_imperfections(&mut self, estimate: &[T]) {
        self.errors.clear();
        self.errors.extend(estimate.iter().map(|error| error.wide()));
    }
}
