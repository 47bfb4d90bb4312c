//! Pooling.

use super::memory::Held;
use super::stage::{CpuStage, OnCpu, Recorded, Slopes};
use crate::stage::{Pool, Pooling, StageErrors};
use crate::{Real, Result};
use rayon::prelude::*;

/// Channels that one thread takes at a time.
const CHANNELS: usize = 16;

/// The mean or the maximum of every patch.
struct PoolingStage {
    page: Pooling,
    /// Features of a channel, and patches.
    features: usize,
    counts: [usize; 2],
}

impl OnCpu for Pooling {
    fn on_cpu<T: Real>(&self, _: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        let patches = self.patches();
        Ok(Box::new(PoolingStage { page: *self, features: patches.image.features(), counts: patches.counts() }))
    }

    fn bytes(&self, _held: &Held) -> usize {
        0
    }
}

impl PoolingStage {
    /// Where the patches of a channel begin, in their order.
    fn corners(&self) -> impl Iterator<Item = usize> {
        let (Pooling { image, stride, .. }, [rows, columns]) = (self.page, self.counts);
        (0..rows).flat_map(move |row| (0..columns).map(move |column| (row * image.width + column) * stride))
    }

    /// Distances of a patch's features from its corner.
    fn offsets(&self) -> Vec<usize> {
        let Pooling { image, size, .. } = self.page;
        (0..size).flat_map(|row| (0..size).map(move |column| row * image.width + column)).collect()
    }
}

/// Which of a patch's features is its maximum: the first of equal ones, and a NaN before all.
fn greatest<T: Real>(channel: &[T], corner: usize, offsets: &[usize]) -> usize {
    let (mut place, mut best) = (corner, channel[corner]);
    for &offset in offsets {
        let value = channel[corner + offset];
        if value > best || (value.is_nan() && !best.is_nan()) {
            (place, best) = (corner + offset, value);
        }
    }
    place
}

/// The greater of both: the first of equal ones, and a NaN before all.
fn greater<T: Real>(one: T, other: T) -> T {
    // both sides are worked out, so that nothing branches
    if (other > one) | other.is_nan() { other } else { one }
}

/// The maxima of patches of 2 × 2 that touch, as [`greatest`] finds them.
fn maxima<T: Real>(channel: &[T], width: usize, columns: usize, output: &mut [T]) {
    for (slots, pair) in output.chunks_exact_mut(columns).zip(channel.chunks_exact(2 * width)) {
        let (top, bottom) = pair.split_at(width);
        for (slot, (top, bottom)) in slots.iter_mut().zip(top.chunks_exact(2).zip(bottom.chunks_exact(2))) {
            *slot = greater(greater(greater(top[0], top[1]), bottom[0]), bottom[1]);
        }
    }
}

impl<T: Real> CpuStage<T> for PoolingStage {
    fn program(&mut self, _controls: &[T]) {}

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        let (channels, patches, offsets) =
            (batch * self.page.image.channels, self.counts[0] * self.counts[1], self.offsets());
        let share = T::of(1.0 / offsets.len() as f64);
        let signals = output[..channels * patches].par_chunks_exact_mut(patches);
        let signals = signals.zip(input[..channels * self.features].par_chunks_exact(self.features));
        let Pooling { image, size, stride, pool } = self.page;
        let touching = pool == Pool::Max && size == 2 && stride == 2;
        signals.with_min_len(CHANNELS).for_each(|(output, input)| {
            if touching {
                return maxima(input, image.width, self.counts[1], output);
            }
            for (slot, corner) in output.iter_mut().zip(self.corners()) {
                *slot = match pool {
                    Pool::Average | Pool::Detectors => {
                        share * offsets.iter().map(|offset| input[corner + offset]).sum::<T>()
                    }
                    Pool::Max => input[greatest(input, corner, &offsets)],
                };
            }
        });
    }

    /// A mean is carried back without what entered.
    fn reads_input(&self, _kept: &super::stage::Kept<T>) -> bool {
        self.page.pool == Pool::Max
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let Recorded { input, adjoint, batch, .. } = *pass;
        let (channels, patches, offsets) =
            (batch * self.page.image.channels, self.counts[0] * self.counts[1], self.offsets());
        let share = T::of(1.0 / offsets.len() as f64);
        let signals = slopes.adjoint_in[..channels * self.features].par_chunks_exact_mut(self.features);
        let signals = signals
            .zip(input[..channels * self.features].par_chunks_exact(self.features))
            .zip(adjoint[..channels * patches].par_chunks_exact(patches));
        signals.with_min_len(CHANNELS).for_each(|((slots, input), adjoint)| {
            slots.fill(T::zero());
            for (&error, corner) in adjoint.iter().zip(self.corners()) {
                match self.page.pool {
                    Pool::Average | Pool::Detectors => {
                        offsets.iter().for_each(|offset| slots[corner + offset] += share * error)
                    }
                    Pool::Max => slots[greatest(input, corner, &offsets)] += error,
                }
            }
        });
    }
}
