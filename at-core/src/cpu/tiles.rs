//! Tiles: some samples side by side, one waveguide after the other, as the mesh kernels want them.

use crate::Real;
use pulp::Simd;

/// Most samples in a tile.
pub const TILE: usize = 32;

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

/// What fields are multiplied by on their way into a tile or out of it: of every waveguide its phase, `(cos, sin)`, and `scale`.
#[derive(Clone, Copy)]
pub struct Factors<'a, T> {
    /// Of every waveguide.
    pub phases: &'a [[T; 2]],
    /// Of all.
    pub scale: T,
    /// Whether phases are taken back.
    pub conjugate: bool,
}

impl<T: Real> Factors<'_, T> {
    #[inline(always)]
    fn of(&self, waveguide: usize) -> [T; 2] {
        let [cos, sin] = self.phases[waveguide].map(|part| part * self.scale);
        [cos, if self.conjugate { -sin } else { sin }]
    }
}

/// `tile [width, lanes] ← samples [sample, width]` times their `factors`, zero where there is no sample; lanes are those of `W` registers.
#[inline(always)]
pub fn fill<T: Real, S: Simd, const W: usize>(
    simd: S,
    samples: &[T],
    width: usize,
    factors: Option<Factors<T>>,
    tile: &mut [T],
) {
    match T::count::<S>() {
        16 => fill_by::<T, S, W, 16>(simd, samples, width, factors, tile),
        8 => fill_by::<T, S, W, 8>(simd, samples, width, factors, tile),
        4 => fill_by::<T, S, W, 4>(simd, samples, width, factors, tile),
        2 => fill_by::<T, S, W, 2>(simd, samples, width, factors, tile),
        _ => fill_singly(samples, width, 0, W * T::count::<S>(), factors, tile),
    }
}

/// By squares of `N` samples and as many reals.
#[inline(always)]
fn fill_by<T: Real, S: Simd, const W: usize, const N: usize>(
    simd: S,
    samples: &[T],
    width: usize,
    factors: Option<Factors<T>>,
    tile: &mut [T],
) {
    let squares = width / N;
    let registers = &mut T::registers_mut::<S>(tile)[..width * W];
    for w in 0..W {
        let samples = &samples[(w * N * width).min(samples.len())..];
        for square in 0..squares {
            let mut rows = [T::splat(simd, T::zero()); N];
            for (lane, row) in rows.iter_mut().enumerate() {
                let from = lane * width + square * N;
                if let Some(reals) = samples.get(from..from + N) {
                    *row = T::registers::<S>(reals)[0];
                }
            }
            let mut columns = turned_over::<T, S, N>(simd, rows);
            if let Some(factors) = factors {
                multiply::<T, S, N>(simd, &mut columns, factors, square * N / 2);
            }
            let own = &mut registers[square * N * W..][..N * W];
            for column in 0..N {
                own[column * W + w] = columns[column];
            }
        }
    }
    fill_singly(samples, width, squares * N, W * N, factors, tile);
}

/// From real `from` on, one by one.
#[inline(always)]
fn fill_singly<T: Real>(
    samples: &[T],
    width: usize,
    from: usize,
    lanes: usize,
    factors: Option<Factors<T>>,
    tile: &mut [T],
) {
    for (waveguide, pair) in tile[..width * lanes].chunks_exact_mut(2 * lanes).enumerate().skip(from / 2) {
        let [cos, sin] = factors.map_or([T::one(), T::zero()], |factors| factors.of(waveguide));
        pair.fill(T::zero());
        for (lane, sample) in samples.chunks_exact(width).enumerate() {
            let (re, im) = (sample[2 * waveguide], sample[2 * waveguide + 1]);
            (pair[lane], pair[lanes + lane]) = (re * cos - im * sin, re * sin + im * cos);
        }
    }
}

/// `samples [sample, width] ← tile [width, lanes]` times its `factors`; lanes are those of `W` registers.
#[inline(always)]
pub fn empty<T: Real, S: Simd, const W: usize>(
    simd: S,
    tile: &[T],
    width: usize,
    factors: Option<Factors<T>>,
    samples: &mut [T],
) {
    match T::count::<S>() {
        16 => empty_by::<T, S, W, 16>(simd, tile, width, factors, samples),
        8 => empty_by::<T, S, W, 8>(simd, tile, width, factors, samples),
        4 => empty_by::<T, S, W, 4>(simd, tile, width, factors, samples),
        2 => empty_by::<T, S, W, 2>(simd, tile, width, factors, samples),
        _ => empty_singly(tile, width, 0, W * T::count::<S>(), factors, samples),
    }
}

/// By squares of `N` samples and as many reals.
#[inline(always)]
fn empty_by<T: Real, S: Simd, const W: usize, const N: usize>(
    simd: S,
    tile: &[T],
    width: usize,
    factors: Option<Factors<T>>,
    samples: &mut [T],
) {
    let squares = width / N;
    let registers = &T::registers::<S>(tile)[..width * W];
    for w in 0..W {
        let first = (w * N * width).min(samples.len());
        let samples = &mut samples[first..];
        for square in 0..squares {
            let mut columns = [T::splat(simd, T::zero()); N];
            let own = &registers[square * N * W..][..N * W];
            for column in 0..N {
                columns[column] = own[column * W + w];
            }
            if let Some(factors) = factors {
                multiply::<T, S, N>(simd, &mut columns, factors, square * N / 2);
            }
            let rows = turned_over::<T, S, N>(simd, columns);
            for (lane, row) in rows.into_iter().enumerate() {
                let from = lane * width + square * N;
                if let Some(reals) = samples.get_mut(from..from + N) {
                    T::registers_mut::<S>(reals)[0] = row;
                }
            }
        }
    }
    empty_singly(tile, width, squares * N, W * N, factors, samples);
}

/// From real `from` on, one by one.
#[inline(always)]
fn empty_singly<T: Real>(
    tile: &[T],
    width: usize,
    from: usize,
    lanes: usize,
    factors: Option<Factors<T>>,
    samples: &mut [T],
) {
    for (waveguide, pair) in tile[..width * lanes].chunks_exact(2 * lanes).enumerate().skip(from / 2) {
        let [cos, sin] = factors.map_or([T::one(), T::zero()], |factors| factors.of(waveguide));
        for (lane, sample) in samples.chunks_exact_mut(width).enumerate() {
            let (re, im) = (pair[lane], pair[lanes + lane]);
            (sample[2 * waveguide], sample[2 * waveguide + 1]) = (re * cos - im * sin, re * sin + im * cos);
        }
    }
}

/// The transpose of `N` registers of `N` scalars: those of the first half interleaved with those of the second, log₂ N times. Written without loops,
/// which would keep the registers in memory.
#[inline(always)]
fn turned_over<T: Real, S: Simd, const N: usize>(simd: S, rows: [T::Register<S>; N]) -> [T::Register<S>; N] {
    match N {
        16 => {
            let rows = interleaved::<T, S, N>(simd, rows);
            let rows = interleaved::<T, S, N>(simd, rows);
            let rows = interleaved::<T, S, N>(simd, rows);
            interleaved::<T, S, N>(simd, rows)
        }
        8 => {
            let rows = interleaved::<T, S, N>(simd, rows);
            let rows = interleaved::<T, S, N>(simd, rows);
            interleaved::<T, S, N>(simd, rows)
        }
        4 => {
            let rows = interleaved::<T, S, N>(simd, rows);
            interleaved::<T, S, N>(simd, rows)
        }
        2 => interleaved::<T, S, N>(simd, rows),
        _ => unreachable!("registers of {N} scalars"),
    }
}

#[inline(always)]
fn interleaved<T: Real, S: Simd, const N: usize>(simd: S, rows: [T::Register<S>; N]) -> [T::Register<S>; N] {
    let mut next = rows;
    let mut pair = |k: usize| {
        if k < N / 2 {
            [next[2 * k], next[2 * k + 1]] = T::interleave(simd, rows[k], rows[k + N / 2]);
        }
    };
    pair(0);
    pair(1);
    pair(2);
    pair(3);
    pair(4);
    pair(5);
    pair(6);
    pair(7);
    next
}

/// Multiplies pairs (re, im) of registers by the factors of the waveguides from `first` on.
#[inline(always)]
fn multiply<T: Real, S: Simd, const N: usize>(
    simd: S,
    pairs: &mut [T::Register<S>; N],
    factors: Factors<T>,
    first: usize,
) {
    for pair in 0..N / 2 {
        let [cos, sin] = factors.of(first + pair).map(|part| T::splat(simd, part));
        let (re, im) = (pairs[2 * pair], pairs[2 * pair + 1]);
        pairs[2 * pair] = T::subtract_product(simd, T::multiply(simd, re, cos), im, sin);
        pairs[2 * pair + 1] = T::multiply_add(simd, im, cos, T::multiply(simd, re, sin));
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
    use pulp::{Scalar, WithSimd};

    struct ThereAndBack {
        count: usize,
        width: usize,
    }

    /// Every value is where it belongs in the tile, what is no sample is zero, and what is undone on the way back comes back.
    impl ThereAndBack {
        fn run<T: Real, S: Simd, const W: usize>(&self, simd: S) {
            let ThereAndBack { count, width } = *self;
            let lanes = W * T::count::<S>();
            if count > lanes {
                return;
            }
            let samples: Vec<T> = (0..count * width).map(|k| T::of((k % 97) as f64 - 40.5)).collect();
            let quarter = vec![[T::zero(), T::one()]; width / 2];
            let mut tile = Tile::default();
            let tile = &mut tile.room(width)[..width * lanes];
            tile.fill(T::of(7.0));
            fill::<T, S, W>(simd, &samples, width, None, tile);
            for (at, &value) in tile.iter().enumerate() {
                let (row, lane) = (at / lanes, at % lanes);
                let expected = if lane < count { samples[lane * width + row] } else { T::zero() };
                assert_eq!(value, expected, "{count} samples of {width}, real {row}, lane {lane} of {lanes}");
            }
            let factors = Factors { phases: &quarter, scale: T::of(2.0), conjugate: false };
            fill::<T, S, W>(simd, &samples, width, Some(factors), tile);
            assert_eq!(tile[0], -(samples[1] + samples[1]), "2 i z");
            let back = Factors { scale: T::of(0.5), conjugate: true, ..factors };
            let mut found = vec![T::zero(); samples.len()];
            empty::<T, S, W>(simd, tile, width, Some(back), &mut found);
            assert_eq!(found, samples);
        }
    }

    impl WithSimd for ThereAndBack {
        type Output = ();

        fn with_simd<S: Simd>(self, simd: S) {
            self.run::<f32, S, 1>(simd);
            self.run::<f32, S, 2>(simd);
            self.run::<f64, S, 1>(simd);
            self.run::<f64, S, 2>(simd);
        }
    }

    #[test]
    fn tiles_are_samples_turned_over_by_every_instruction_set() {
        for width in [2, 6, 16, 32, 34, 130] {
            for count in [1, 2, 7, 8, 15, 16, 31, 32] {
                let job = || ThereAndBack { count, width };
                job().with_simd(Scalar);
                #[cfg(target_arch = "x86_64")]
                {
                    use pulp::x86::{V3, V4};
                    V3::try_new().inspect(|v3| Simd::vectorize(*v3, job()));
                    V4::try_new().inspect(|v4| Simd::vectorize(*v4, job()));
                }
                pulp::Arch::new().dispatch(job());
            }
        }
    }
}
