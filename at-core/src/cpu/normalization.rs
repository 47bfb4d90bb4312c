//! Normalisation of images.

use super::memory::Held;
use super::stage::{CpuStage, OnCpu, Recorded, Slopes};
use crate::stage::{Normalization, StageErrors};
use crate::{Real, Result};
use rayon::prelude::*;

/// Samples whose sums for the gradient one thread adds up, whatever the number of threads.
const SAMPLES: usize = 8;

/// `y = g·(x − μ)/√(v + ε) + b`.
struct NormalizationStage<T> {
    page: Normalization,
    /// `[gain, offset]`.
    controls: Vec<T>,
}

impl OnCpu for Normalization {
    fn on_cpu<T: Real>(&self, _: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        Ok(Box::new(NormalizationStage { page: *self, controls: vec![T::zero(); 2 * self.image.channels] }))
    }

    fn bytes(&self, _held: &Held) -> usize {
        0
    }
}

impl<T: Real> NormalizationStage<T> {
    /// Mean, and `1/√(v + ε)`, of a group.
    fn statistics(values: &[T]) -> [T; 2] {
        let count = T::of(values.len() as f64);
        let mean = values.iter().copied().sum::<T>() / count;
        let variance = values.iter().map(|&x| (x - mean) * (x - mean)).sum::<T>() / count;
        [mean, (variance + T::of(Normalization::LEAST_VARIANCE)).sqrt().recip()]
    }

    /// The channels of a group: their numbers.
    fn channels(&self, group: usize) -> std::ops::Range<usize> {
        let per = self.page.image.channels / self.page.groups;
        group * per..(group + 1) * per
    }
}

impl<T: Real> CpuStage<T> for NormalizationStage<T> {
    fn program(&mut self, controls: &[T]) {
        self.controls.copy_from_slice(controls);
    }

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        let (length, size, area) = (batch * self.page.image.features(), self.page.group(), self.page.area());
        let (gain, offset) = self.controls.split_at(self.page.image.channels);
        let groups = output[..length].par_chunks_exact_mut(size).zip(input[..length].par_chunks_exact(size));
        groups.enumerate().for_each(|(number, (output, input))| {
            let [mean, scale] = Self::statistics(input);
            let channels = output.chunks_exact_mut(area).zip(input.chunks_exact(area));
            for (channel, (output, input)) in self.channels(number % self.page.groups).zip(channels) {
                let (gain, offset) = (gain[channel] * scale, offset[channel]);
                output.iter_mut().zip(input).for_each(|(slot, &x)| *slot = gain * (x - mean) + offset);
            }
        });
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let Recorded { input, adjoint, batch, .. } = *pass;
        let Slopes { adjoint_in, gradient, .. } = slopes;
        let (features, size, area) = (self.page.image.features(), self.page.group(), self.page.area());
        let (length, channels, count) = (batch * features, self.page.image.channels, T::of(size as f64));
        let pieces = adjoint_in[..length]
            .par_chunks_mut(SAMPLES * features)
            .zip(input[..length].par_chunks(SAMPLES * features))
            .zip(adjoint[..length].par_chunks(SAMPLES * features));
        let sums = pieces.map(|((slots, input), adjoint)| {
            let mut sums = vec![T::zero(); 2 * channels];
            let groups = slots.chunks_exact_mut(size).zip(input.chunks_exact(size)).zip(adjoint.chunks_exact(size));
            for (number, ((slots, input), adjoint)) in groups.enumerate() {
                let [mean, scale] = Self::statistics(input);
                let own = self.channels(number % self.page.groups);
                let (mut sum, mut product) = (T::zero(), T::zero());
                for (channel, (input, adjoint)) in
                    own.clone().zip(input.chunks_exact(area).zip(adjoint.chunks_exact(area)))
                {
                    let error = adjoint.iter().copied().sum::<T>();
                    let along = scale * input.iter().zip(adjoint).map(|(&x, &a)| (x - mean) * a).sum::<T>();
                    sums[channel] += along;
                    sums[channels + channel] += error;
                    sum += self.controls[channel] * error;
                    product += self.controls[channel] * along;
                }
                let (sum, product) = (sum / count, product / count);
                let parts = slots.chunks_exact_mut(area).zip(input.chunks_exact(area)).zip(adjoint.chunks_exact(area));
                for (channel, ((slots, input), adjoint)) in own.zip(parts) {
                    let gain = self.controls[channel];
                    for ((slot, &x), &a) in slots.iter_mut().zip(input).zip(adjoint) {
                        *slot = scale * (gain * a - sum - scale * (x - mean) * product);
                    }
                }
            }
            sums
        });
        let sums: Vec<Vec<T>> = sums.collect();
        for (k, slot) in gradient.iter_mut().enumerate() {
            *slot = sums.iter().map(|piece| piece[k]).sum();
        }
    }
}
