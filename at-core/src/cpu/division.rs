//! Even division of light: what splitters and combiners, which are transposes of one another, have in common.

use crate::Real;
use crate::real::SERIAL;
use crate::stage::Part;
use rayon::prelude::*;

/// Even division of blocks of modes into copies.
#[derive(Clone, Copy, Debug)]
pub struct Division<T> {
    /// Reals of a block.
    width: usize,
    /// Copies C.
    copies: usize,
    /// Reals of a sample, undivided.
    pub whole: usize,
    /// Reals of a sample's copies that are there.
    pub divided: usize,
    /// How many there are in front of them.
    before: usize,
    /// `1/√copies`.
    share: T,
}

impl<T: Real> Division<T> {
    /// `blocks` of `modes` modes into `copies` each, of which `part` is there.
    pub fn new(modes: usize, copies: usize, blocks: usize, part: Part) -> Self {
        let width = 2 * modes;
        let [divided, before] = [part.modes, part.first].map(|modes| 2 * modes);
        let share = T::of(1.0 / (copies as f64).sqrt());
        Division { width, copies, whole: width * blocks, divided, before, share }
    }

    fn is_all(&self) -> bool {
        self.divided == self.whole * self.copies
    }

    /// Runs of reals of a sample's copies, each as its place among those that are there, that in its block, and its length.
    fn runs(self) -> impl Iterator<Item = [usize; 3]> {
        let Division { width, copies, divided, before, .. } = self;
        let mut at = before;
        std::iter::from_fn(move || {
            let end = before + divided;
            if at == end {
                return None;
            }
            let real = at % width;
            let run = [at - before, at / (width * copies) * width + real, (width - real).min(end - at)];
            at += run[2];
            Some(run)
        })
    }

    /// `split [block, copy, real] ← share·whole [block, real]`.
    pub fn split(self, whole: &[T], split: &mut [T]) {
        let Division { width, copies, share, .. } = self;
        if !self.is_all() {
            let samples = split.par_chunks_exact_mut(self.divided).zip(whole.par_chunks_exact(self.whole));
            return samples.with_min_len(SERIAL.div_ceil(self.divided)).for_each(|(split, whole)| {
                for [to, from, len] in self.runs() {
                    let copied = split[to..to + len].iter_mut().zip(&whole[from..from + len]);
                    copied.for_each(|(slot, x)| *slot = share * *x);
                }
            });
        }
        let blocks = split.par_chunks_exact_mut(width * copies).zip(whole.par_chunks_exact(width));
        blocks.with_min_len(SERIAL.div_ceil(width * copies)).for_each(|(split, whole)| {
            for copy in split.chunks_exact_mut(width) {
                copy.iter_mut().zip(whole).for_each(|(slot, x)| *slot = share * *x);
            }
        });
    }

    /// `whole [block, real] ← share·Σ_copy split [block, copy, real]`.
    pub fn merge(self, split: &[T], whole: &mut [T]) {
        let Division { width, copies, share, .. } = self;
        if !self.is_all() {
            let samples = whole.par_chunks_exact_mut(self.whole).zip(split.par_chunks_exact(self.divided));
            return samples.with_min_len(SERIAL.div_ceil(self.divided)).for_each(|(whole, split)| {
                whole.fill(T::zero());
                for [from, to, len] in self.runs() {
                    let added = whole[to..to + len].iter_mut().zip(&split[from..from + len]);
                    added.for_each(|(slot, x)| *slot += *x);
                }
                whole.iter_mut().for_each(|slot| *slot *= share);
            });
        }
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
