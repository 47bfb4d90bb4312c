//! Patches of images: taken from them, and brought back into them.

use crate::Real;
use crate::stage::Patches;
use rayon::prelude::*;
use std::ops::Range;

/// The geometry of [`Patches`], ready for loops.
#[derive(Clone, Copy, Debug)]
pub struct Windows {
    patches: Patches,
    counts: [usize; 2],
    /// Features of an image.
    pub features: usize,
    /// Entries of all patches of an image.
    pub entries: usize,
}

impl Windows {
    /// Of these patches.
    pub fn new(patches: Patches) -> Self {
        let entries = patches.positions() * patches.entries();
        Windows { patches, counts: patches.counts(), features: patches.image.features(), entries }
    }

    /// `target [sample, position, entry] ← images [sample, feature]`, zeros where a patch lies outside.
    pub fn take<T: Real>(&self, images: &[T], target: &mut [T]) {
        let samples = target.par_chunks_exact_mut(self.entries).zip(images.par_chunks_exact(self.features));
        samples.for_each(|(patches, image)| {
            self.rows(|row, at| {
                let target = &mut patches[row.clone()];
                match at {
                    Row::Inside(first) => copy(&image[first..first + row.len()], target),
                    Row::Across { first, zeros } => {
                        let Range { start, end } = zeros.inside;
                        target[..start].fill(T::zero());
                        target[start..end].copy_from_slice(&image[first..first + end - start]);
                        target[end..].fill(T::zero());
                    }
                    Row::Outside => target.fill(T::zero()),
                }
            });
        });
    }

    /// `images [sample, feature] ← Σ` of what of `patches [sample, position, entry]` was taken from there.
    pub fn bring_back<T: Real>(&self, patches: &[T], images: &mut [T]) {
        let samples = images.par_chunks_exact_mut(self.features).zip(patches.par_chunks_exact(self.entries));
        samples.for_each(|(image, patches)| {
            image.fill(T::zero());
            self.rows(|row, at| match at {
                Row::Inside(first) => {
                    let slots = image[first..first + row.len()].iter_mut();
                    slots.zip(&patches[row]).for_each(|(slot, &value)| *slot += value);
                }
                Row::Across { first, zeros } => {
                    let Range { start, end } = zeros.inside;
                    let values = &patches[row.start + start..row.start + end];
                    image[first..].iter_mut().zip(values).for_each(|(slot, &value)| *slot += value);
                }
                Row::Outside => {}
            });
        });
    }

    /// Every row of every patch of an image: which entries it is, and where they lie.
    fn rows(&self, mut row: impl FnMut(Range<usize>, Row)) {
        let Patches { image, kernel: [kernel_rows, columns], stride, padding } = self.patches;
        let mut start = 0;
        for (down, across) in (0..self.counts[0]).flat_map(|down| (0..self.counts[1]).map(move |across| (down, across)))
        {
            let left = across * stride; // of the padded image
            let inside = padding.saturating_sub(left)..(image.width + padding).saturating_sub(left).min(columns);
            let first_column = (left + inside.start) - padding;
            for channel in 0..image.channels {
                for offset in 0..kernel_rows {
                    let place = (down * stride + offset).checked_sub(padding).filter(|&place| place < image.height);
                    let at = place.map_or(Row::Outside, |place| {
                        let first = (channel * image.height + place) * image.width + first_column;
                        match inside.len() == columns {
                            true => Row::Inside(first),
                            false => Row::Across { first, zeros: Zeros { inside: inside.clone() } },
                        }
                    });
                    row(start..start + columns, at);
                    start += columns;
                }
            }
        }
    }
}

/// Where a row of a patch lies in its image.
enum Row {
    /// From this feature on.
    Inside(usize),
    /// Partly in the padding; what is inside begins at feature `first`.
    Across { first: usize, zeros: Zeros },
    /// In the padding.
    Outside,
}

struct Zeros {
    /// Which entries of the row are inside.
    inside: Range<usize>,
}

/// Rows of the usual kernels, without a call.
fn copy<T: Real>(from: &[T], to: &mut [T]) {
    match from.len() {
        3 => to[..3].copy_from_slice(&from[..3]),
        5 => to[..5].copy_from_slice(&from[..5]),
        _ => to.copy_from_slice(from),
    }
}
