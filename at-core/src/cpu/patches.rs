//! Patches of images: taken from them, and brought back into them.

use crate::Real;
use crate::image_shape::ImageShape;
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
            for (patch, place) in patches.chunks_exact_mut(self.patches.entries()).zip(self.places()) {
                match (self.corner(place), self.patches.kernel[1]) {
                    (Some(corner), 3) => self.copy::<T, 3>(&image[corner..], patch),
                    (Some(corner), 5) => self.copy::<T, 5>(&image[corner..], patch),
                    _ => self.rows(place, |row, at| {
                        let target = &mut patch[row];
                        match at {
                            Row::Inside(first) => target.copy_from_slice(&image[first..][..target.len()]),
                            Row::Across { first, inside: Range { start, end } } => {
                                target[..start].fill(T::zero());
                                target[start..end].copy_from_slice(&image[first..first + end - start]);
                                target[end..].fill(T::zero());
                            }
                            Row::Outside => target.fill(T::zero()),
                        }
                    }),
                }
            }
        });
    }

    /// `images [sample, feature] ← Σ` of what of `patches [sample, position, entry]` was taken from there.
    pub fn bring_back<T: Real>(&self, patches: &[T], images: &mut [T]) {
        let samples = images.par_chunks_exact_mut(self.features).zip(patches.par_chunks_exact(self.entries));
        samples.for_each(|(image, patches)| {
            image.fill(T::zero());
            for (patch, place) in patches.chunks_exact(self.patches.entries()).zip(self.places()) {
                match (self.corner(place), self.patches.kernel[1]) {
                    (Some(corner), 3) => self.add::<T, 3>(patch, &mut image[corner..]),
                    (Some(corner), 5) => self.add::<T, 5>(patch, &mut image[corner..]),
                    _ => self.rows(place, |row, at| match at {
                        Row::Inside(first) => add(&patch[row], &mut image[first..]),
                        Row::Across { first, inside } => add(&patch[row][inside], &mut image[first..]),
                        Row::Outside => {}
                    }),
                }
            }
        });
    }

    /// Row and column of every position, in their order.
    fn places(&self) -> impl Iterator<Item = [usize; 2]> {
        let [rows, columns] = self.counts;
        (0..rows).flat_map(move |down| (0..columns).map(move |across| [down, across]))
    }

    /// The first feature of the patch at this place, where all of it lies inside the image.
    fn corner(&self, [down, across]: [usize; 2]) -> Option<usize> {
        let Patches { image, kernel: [rows, columns], stride, padding } = self.patches;
        let (row, column) = ((down * stride).checked_sub(padding)?, (across * stride).checked_sub(padding)?);
        (row + rows <= image.height && column + columns <= image.width).then(|| row * image.width + column)
    }

    /// `patch ← image`, which begins at the corner of a whole patch with rows of `N` entries.
    fn copy<T: Real, const N: usize>(&self, image: &[T], patch: &mut [T]) {
        let Patches { image: ImageShape { height, width, .. }, kernel: [rows, _], .. } = self.patches;
        for (channel, part) in patch.chunks_exact_mut(rows * N).enumerate() {
            let image = &image[channel * height * width..];
            for (row, slots) in part.chunks_exact_mut(N).enumerate() {
                slots.copy_from_slice(&image[row * width..][..N]);
            }
        }
    }

    /// `image += patch`, likewise.
    fn add<T: Real, const N: usize>(&self, patch: &[T], image: &mut [T]) {
        let Patches { image: ImageShape { height, width, .. }, kernel: [rows, _], .. } = self.patches;
        for (channel, part) in patch.chunks_exact(rows * N).enumerate() {
            for (row, values) in part.chunks_exact(N).enumerate() {
                add(values, &mut image[channel * height * width + row * width..][..N]);
            }
        }
    }

    /// Every row of the patch at this place: which entries it is, and where they lie.
    fn rows(&self, [down, across]: [usize; 2], mut row: impl FnMut(Range<usize>, Row)) {
        let Patches { image, kernel: [kernel_rows, columns], stride, padding } = self.patches;
        let left = across * stride; // of the padded image
        let inside = padding.saturating_sub(left)..(image.width + padding).saturating_sub(left).min(columns);
        let first_column = (left + inside.start) - padding;
        let mut start = 0;
        for channel in 0..image.channels {
            for offset in 0..kernel_rows {
                let place = (down * stride + offset).checked_sub(padding).filter(|&place| place < image.height);
                let at = place.map_or(Row::Outside, |place| {
                    let first = (channel * image.height + place) * image.width + first_column;
                    match inside.len() == columns {
                        true => Row::Inside(first),
                        false => Row::Across { first, inside: inside.clone() },
                    }
                });
                row(start..start + columns, at);
                start += columns;
            }
        }
    }
}

/// Where a row of a patch lies in its image.
enum Row {
    /// From this feature on.
    Inside(usize),
    /// Partly in the padding: these of its entries are `inside`, and begin at feature `first`.
    Across { first: usize, inside: Range<usize> },
    /// In the padding.
    Outside,
}

/// `slots += values`, of the first slots.
fn add<T: Real>(values: &[T], slots: &mut [T]) {
    slots.iter_mut().zip(values).for_each(|(slot, &value)| *slot += value);
}
