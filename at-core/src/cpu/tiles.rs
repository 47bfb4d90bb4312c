//! Tiles: some samples side by side, one waveguide after the other, as the mesh kernels want them.

use crate::Real;

/// Most samples in a tile.
pub const TILE: usize = 32;

/// Samples that are turned over together. Vector instructions interleave so many well; single values with strides between them take three times as long.
const ABREAST: usize = 4;

/// Values of each of them, so that they stay in the first-level cache.
const STRIP: usize = 64;

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
    let mut strip = [[T::zero(); ABREAST]; STRIP];
    for (start, rows) in (0..width).step_by(STRIP).zip(tile[..width * lanes].chunks_mut(STRIP * lanes)) {
        let values = start..width.min(start + STRIP);
        for (lane, samples) in (0..lanes).step_by(ABREAST).zip(samples.chunks(ABREAST * width)) {
            if samples.len() < ABREAST * width {
                for (lane, sample) in (lane..lanes).zip(samples.chunks_exact(width)) {
                    let row = rows.chunks_exact_mut(lanes);
                    row.zip(&sample[values.clone()]).for_each(|(row, &value)| row[lane] = value);
                }
                continue;
            }
            let [a, b, c, d] = std::array::from_fn(|k| &samples[k * width..][values.clone()]);
            for ((((piece, &a), &b), &c), &d) in strip.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                *piece = [a, b, c, d];
            }
            for (row, piece) in rows.chunks_exact_mut(lanes).zip(&strip) {
                row[lane..lane + ABREAST].copy_from_slice(piece);
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
    let mut strip = [[T::zero(); ABREAST]; STRIP];
    for (start, rows) in (0..width).step_by(STRIP).zip(tile[..width * lanes].chunks(STRIP * lanes)) {
        let values = start..width.min(start + STRIP);
        for (lane, samples) in (0..lanes).step_by(ABREAST).zip(samples.chunks_mut(ABREAST * width)) {
            if samples.len() < ABREAST * width {
                for (lane, sample) in (lane..lanes).zip(samples.chunks_exact_mut(width)) {
                    let row = rows.chunks_exact(lanes);
                    sample[values.clone()].iter_mut().zip(row).for_each(|(slot, row)| *slot = row[lane]);
                }
                continue;
            }
            for (piece, row) in strip.iter_mut().zip(rows.chunks_exact(lanes)) {
                piece.copy_from_slice(&row[lane..lane + ABREAST]);
            }
            let (front, back) = samples.split_at_mut(2 * width);
            let ((a, b), (c, d)) = (front.split_at_mut(width), back.split_at_mut(width));
            let [a, b, c, d] = [a, b, c, d].map(|sample| &mut sample[values.clone()]);
            for ((((piece, a), b), c), d) in strip.iter().zip(a).zip(b).zip(c).zip(d) {
                [*a, *b, *c, *d] = *piece;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_return_from_tiles() {
        for (width, count, lanes) in [(2, 1, 8), (130, 5, 8), (64, 8, 8), (10, 16, 16), (6, 19, 32), (192, 32, 32)] {
            let samples: Vec<f32> = (0..width * count).map(|value| value as f32).collect();
            let mut tile = vec![f32::NAN; width * lanes];
            fill(&samples, width, lanes, &mut tile);
            for (value, row) in tile.chunks_exact(lanes).enumerate() {
                let expected = |lane: usize| if lane < count { samples[lane * width + value] } else { 0.0 };
                assert!((0..lanes).all(|lane| row[lane] == expected(lane)), "{width} {count} {lanes}");
            }
            let mut returned = vec![f32::NAN; width * count];
            empty(&tile, width, lanes, &mut returned);
            assert_eq!(returned, samples);
        }
    }
}
