//! The passive optics of tiled layers: splitters and combiners, which are transposes of one another.

use super::stage::{CpuStage, Kept, Recorded, Slopes};
use crate::Real;
use crate::real::SERIAL;
use rayon::prelude::*;

/// Even division of blocks of modes into copies.
#[derive(Clone, Copy, Debug)]
struct Division<T> {
    /// Reals of a block.
    width: usize,
    copies: usize,
    /// `1/√copies`.
    share: T,
}

impl<T: Real> Division<T> {
    fn new(modes: usize, copies: usize) -> Self {
        Division { width: 2 * modes, copies, share: T::of(1.0 / (copies as f64).sqrt()) }
    }

    /// `split [block, copy, real] ← share·whole [block, real]`.
    fn split(self, whole: &[T], split: &mut [T]) {
        let Division { width, copies, share } = self;
        let blocks = split.par_chunks_exact_mut(width * copies).zip(whole.par_chunks_exact(width));
        blocks.with_min_len(SERIAL.div_ceil(width * copies)).for_each(|(split, whole)| {
            for copy in split.chunks_exact_mut(width) {
                copy.iter_mut().zip(whole).for_each(|(slot, x)| *slot = share * *x);
            }
        });
    }

    /// `whole [block, real] ← share·Σ_copy split [block, copy, real]`.
    fn merge(self, split: &[T], whole: &mut [T]) {
        let Division { width, copies, share } = self;
        let blocks = whole.par_chunks_exact_mut(width).zip(split.par_chunks_exact(width * copies));
        blocks.with_min_len(SERIAL.div_ceil(width * copies)).for_each(|(whole, split)| {
            let mut parts = split.chunks_exact(width);
            whole.copy_from_slice(parts.next().unwrap_or_default());
            for part in parts {
                whole.iter_mut().zip(part).for_each(|(slot, x)| *slot += *x);
            }
            whole.iter_mut().for_each(|slot| *slot *= share);
        });
    }
}

/// `y[c·inputs + m] = x[m]/√copies`.
pub struct SplitterStage<T>(Division<T>);

impl<T: Real> SplitterStage<T> {
    /// Splitters of `inputs` modes.
    pub fn new(inputs: usize, copies: usize) -> Self {
        SplitterStage(Division::new(inputs, copies))
    }
}

impl<T: Real> CpuStage<T> for SplitterStage<T> {
    fn program(&mut self, _controls: &[T]) {}

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        let width = self.0.width;
        self.0.split(&input[..batch * width], &mut output[..batch * width * self.0.copies]);
    }

    fn reads_input(&self, _kept: &Kept<T>) -> bool {
        false
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let width = pass.batch * self.0.width;
        self.0.merge(&pass.adjoint[..width * self.0.copies], &mut slopes.adjoint_in[..width]);
    }
}

/// `y[b·block + m] = Σ_c x[(b·parts + c)·block + m]/√parts`.
pub struct CombinerStage<T> {
    division: Division<T>,
    /// Reals per sample that leave.
    width: usize,
}

impl<T: Real> CombinerStage<T> {
    /// Combiners to `outputs` modes.
    pub fn new(outputs: usize, parts: usize, block: usize) -> Self {
        CombinerStage { division: Division::new(block, parts), width: 2 * outputs }
    }
}

impl<T: Real> CpuStage<T> for CombinerStage<T> {
    fn program(&mut self, _controls: &[T]) {}

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        let width = batch * self.width;
        self.division.merge(&input[..width * self.division.copies], &mut output[..width]);
    }

    fn reads_input(&self, _kept: &Kept<T>) -> bool {
        false
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let width = pass.batch * self.width;
        self.division.split(&pass.adjoint[..width], &mut slopes.adjoint_in[..width * self.division.copies]);
    }
}
