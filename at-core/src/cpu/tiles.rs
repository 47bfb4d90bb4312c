//! Tiles: some samples side by side, one waveguide after the other, as the mesh kernels want them.

use crate::Real;

/// Most samples in a tile.
pub const TILE: usize = 32;

/// Values that are turned over together: two cache lines of `f32`.
const EDGE: usize = 16;

/// Memory of a tile, kept from use to use.
#[derive(Debug, Default)]
pub struct Tile<T> {
    memory: Vec<T>,
}

impl<T: Real> Tile<T> {
    /// Room for [`TILE`] samples of `width` reals, aligned to cache lines.
    #[inline(always)]
    pub fn room(&mut self, width: usize) -> &mut [T] {
        const LINE: usize = 64;
        let spare = LINE / size_of::<T>();
        if self.memory.len() < width * TILE + spare {
            self.memory.resize(width * TILE + spare, T::zero());
        }
        let offset = self.memory.as_ptr().align_offset(LINE).min(spare);
        &mut self.memory[offset..offset + width * TILE]
    }
}

/// `tile [width, lanes] ← samples [sample, width]`, zero where there is no sample.
#[inline(always)]
pub fn fill<T: Real>(samples: &[T], width: usize, lanes: usize, tile: &mut [T]) {
    let count = samples.len() / width;
    for (block, rows) in tile[..width * lanes].chunks_mut(EDGE * lanes).enumerate() {
        for lane in 0..count {
            let sample = &samples[lane * width + block * EDGE..][..rows.len() / lanes];
            for (row, &value) in rows.chunks_exact_mut(lanes).zip(sample) {
                row[lane] = value;
            }
        }
        if count < lanes {
            rows.chunks_exact_mut(lanes).for_each(|row| row[count..].fill(T::zero()));
        }
    }
}

/// `samples [sample, width] ← tile [width, lanes]`.
#[inline(always)]
pub fn empty<T: Real>(tile: &[T], width: usize, lanes: usize, samples: &mut [T]) {
    let count = samples.len() / width;
    for (block, rows) in tile[..width * lanes].chunks(EDGE * lanes).enumerate() {
        for lane in 0..count {
            let sample = &mut samples[lane * width + block * EDGE..][..rows.len() / lanes];
            for (row, slot) in rows.chunks_exact(lanes).zip(sample) {
                *slot = row[lane];
            }
        }
    }
}

/// Multiplies the field on every waveguide of `tile [waveguide, re or im, lanes]` by that waveguide's (re, im).
#[inline(always)]
pub fn multiply<T: Real>(tile: &mut [T], lanes: usize, factors: impl Iterator<Item = [T; 2]>) {
    for (waveguide, [c, s]) in tile.chunks_exact_mut(2 * lanes).zip(factors) {
        let (re, im) = waveguide.split_at_mut(lanes);
        for (re, im) in re.iter_mut().zip(im) {
            (*re, *im) = (*re * c - *im * s, *re * s + *im * c);
        }
    }
}

/// Samples of each of the parts that threads take: whole tiles, evenly, for at most `parts` parts.
pub fn share(batch: usize, parts: usize) -> usize {
    // Two half tiles on two threads are faster than a whole one.
    let unit = if batch > TILE { TILE } else { TILE / 2 };
    batch.div_ceil(unit).div_ceil(parts) * unit
}
