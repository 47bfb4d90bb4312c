//! Detectors of square regions of a grid.

use super::memory::Held;
use super::stage::{CpuStage, OnCpu, Recorded, Slopes};
use crate::stage::{Regions, StageErrors};
use crate::{Real, Result};

/// `I_k = (1/s²)·Σ |z_p|²`.
struct RegionStage {
    pixels: usize,
    /// The pixels of every region.
    regions: Vec<Vec<usize>>,
    /// `1/s²`.
    share: f64,
}

impl OnCpu for Regions {
    fn on_cpu<T: Real>(&self, _: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        let (pixels, share) = (self.rows * self.columns, 1.0 / (self.side * self.side) as f64);
        Ok(Box::new(RegionStage { pixels, regions: self.pixels(), share }))
    }

    /// The indices of their pixels.
    fn bytes(&self, held: &Held) -> usize {
        held.real * 2 * self.count * self.side * self.side
    }
}

impl<T: Real> CpuStage<T> for RegionStage {
    fn program(&mut self, _controls: &[T]) {}

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        let (samples, share) = (input.chunks_exact(2 * self.pixels), T::of(self.share));
        for (powers, field) in output.chunks_exact_mut(self.regions.len()).zip(samples).take(batch) {
            for (power, region) in powers.iter_mut().zip(&self.regions) {
                let of =
                    |&pixel: &usize| field[2 * pixel] * field[2 * pixel] + field[2 * pixel + 1] * field[2 * pixel + 1];
                *power = share * region.iter().map(of).sum::<T>();
            }
        }
    }

    /// `a = (1/s²)·(dL/dI_k)·z` within region k.
    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let Recorded { input, adjoint, batch, .. } = *pass;
        let (width, share) = (2 * self.pixels, T::of(self.share));
        let samples = input.chunks_exact(width).zip(adjoint.chunks_exact(self.regions.len()));
        for (slots, (field, errors)) in slopes.adjoint_in.chunks_exact_mut(width).zip(samples).take(batch) {
            slots.fill(T::zero());
            for (region, &error) in self.regions.iter().zip(errors) {
                for real in region.iter().flat_map(|&pixel| [2 * pixel, 2 * pixel + 1]) {
                    slots[real] = share * error * field[real];
                }
            }
        }
    }
}
