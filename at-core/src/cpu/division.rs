//! Even division of light: what splitters and combiners, which are transposes of one another, have in common.

use crate::Real;
use crate::real::SERIAL;
use rayon::prelude::*;

/// Even division of blocks of modes into copies.
#[derive(Clone, Copy, Debug)]
pub struct Division<T> {
    /// Reals of a block.
    pub width: usize,
    /// Copies C.
    pub copies: usize,
    /// `1/√copies`.
    share: T,
}

impl<T: Real> Division<T> {
    /// Blocks of `modes` modes into `copies`.
    pub fn new(modes: usize, copies: usize) -> Self {
        Division { width: 2 * modes, copies, share: T::of(1.0 / (copies as f64).sqrt()) }
    }

    /// `split [block, copy, real] ← share·whole [block, real]`.
    pub fn split(self, whole: &[T], split: &mut [T]) {
        let Division { width, copies, share } = self;
        let blocks = split.par_chunks_exact_mut(width * copies).zip(whole.par_chunks_exact(width));
        blocks.with_min_len(SERIAL.div_ceil(width * copies)).for_each(|(split, whole)| {
            for copy in split.chunks_exact_mut(width) {
                copy.iter_mut().zip(whole).for_each(|(slot, x)| *slot = share * *x);
            }
        });
    }

    /// `whole [block, real] ← share·Σ_copy split [block, copy, real]`.
    pub fn merge(self, split: &[T], whole: &mut [T]) {
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
