//! The inner loops of an ideal mesh: MZIs as a phase and a real rotation, waveguides shared by neighbours in registers.
//!
//! An ideal MZI is `M = i e^{iθ/2} R diag(e^{iφ}, 1)` with the real `R = [[s, c], [c, -s]]`, s = sin θ/2, c = cos θ/2. The
//! phase `i e^{iθ/2}`, common to both its outputs, is pushed through the MZIs behind it as far as the mesh's outputs: light
//! on waveguide k is `e^{iσ_k}` times what the loops hold, with a screen of phases σ known from the controls alone. An MZI
//! then turns by `φ + σ_0 - σ_1` and mixes by R: 18 operations where a general 2×2 matrix takes 28.
//!
//! Fields and adjoints carry the same screen, so it falls out of every gradient. With y, a at an MZI's outputs and x, b at
//! its inputs, P_k = Im b_k* x_k or Im a_k* y_k:
//!
//! ```text
//! dL/dφ = -2 Σ P_0(in)        dL/dθ = Σ Re(a_0* y_1 - a_1* y_0) - Σ (P_0 + P_1)(out)
//! ```
//!
//! Lossless MZIs keep P_0 + P_1, so the loops sum only Re(…) and P_0(in) of every MZI, and P_0 + P_1 follows from these by
//! walking back from the outputs once per batch.
//!
//! MZIs come in [`Sweep`]s down the diagonals of some columns: each shares a waveguide with the one before it.

use crate::Real;
use pulp::Simd;

/// Columns that a sweep crosses. Fields, adjoints and coefficients on its way stay in the first-level cache.
pub const BLOCK: usize = 16;

/// One MZI as the loops need it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Rotation<T> {
    /// `cos, sin` of the phase of its upper input.
    pub turn: [T; 2],
    /// `sin θ/2, cos θ/2`.
    pub split: [T; 2],
}

/// What the loops sum up of one MZI with ideal couplers: `Re(a_0* y_1 - a_1* y_0)` at its outputs, `Im b_0* x_0` at its inputs.
pub const IDEAL: usize = 2;

/// That, and `Im(a_0* y_1 + a_1* y_0)` at its outputs, where couplers have angles of their own ([`super::mesh_couplers`]).
pub const COUPLED: usize = 3;

/// MZIs that follow each other in memory and stand at rows `row, row - 1, …`, all but the first on neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// Upper row of the first.
    pub row: u32,
    /// Its lower row.
    pub lower: u32,
    /// How many.
    pub count: u32,
}

/// Real and imaginary parts of the samples in `W` registers, on one waveguide.
type Field<T, S, const W: usize> = [[<T as crate::lanes::Lanes>::Register<S>; W]; 2];

/// Sends a tile, `[waveguide, re or im, W]`, through every MZI.
#[inline(always)]
pub fn forward<T: Real, S: Simd, const W: usize>(
    simd: S,
    sweeps: &[Sweep],
    mut rotations: &[Rotation<T>],
    tile: &mut [T::Register<S>],
) {
    for sweep in sweeps {
        let (mine, rest) = rotations.split_at(sweep.count as usize);
        rotations = rest;
        let (mut row, mut below) = (sweep.row as usize, sweep.lower as usize);
        let mut shared: Field<T, S, W> = load::<T, S, W>(tile, below);
        for rotation in mine {
            let upper = load::<T, S, W>(tile, row);
            let (upper, lower) = cross::<T, S, W>(simd, rotation, upper, shared);
            store::<T, S, W>(tile, below, lower);
            shared = upper;
            below = row;
            row = row.wrapping_sub(1);
        }
        store::<T, S, W>(tile, below, shared);
    }
}

/// Carries fields and adjoints from the outputs back to the inputs and adds up the slopes of every MZI.
#[inline(always)]
pub fn backward<T: Real, S: Simd, const W: usize, const SLOPES: usize>(
    simd: S,
    sweeps: &[Sweep],
    mut rotations: &[Rotation<T>],
    mut slopes: &mut [[T; SLOPES]],
    fields: &mut [T::Register<S>],
    adjoints: &mut [T::Register<S>],
) {
    for sweep in sweeps.iter().rev() {
        let count = sweep.count as usize;
        let (rest, mine) = rotations.split_at(rotations.len() - count);
        let (rest_slopes, my_slopes) = slopes.split_at_mut(rest.len());
        (rotations, slopes) = (rest, rest_slopes);
        let mut row = sweep.row as usize + 1 - count;
        let mut field: Field<T, S, W> = load::<T, S, W>(fields, row);
        let mut adjoint: Field<T, S, W> = load::<T, S, W>(adjoints, row);
        for (rotation, slope) in mine.iter().zip(my_slopes).rev() {
            let below = if row == sweep.row as usize { sweep.lower as usize } else { row + 1 };
            let lower_field = load::<T, S, W>(fields, below);
            let lower_adjoint = load::<T, S, W>(adjoints, below);
            let mixed = difference::<T, S, W>(simd, field, lower_field, adjoint, lower_adjoint);
            if SLOPES == COUPLED {
                slope[2] += swapped::<T, S, W>(simd, field, lower_field, adjoint, lower_adjoint);
            }
            let (x, next_field) = uncross::<T, S, W>(simd, rotation, field, lower_field);
            let (b, next_adjoint) = uncross::<T, S, W>(simd, rotation, adjoint, lower_adjoint);
            slope[0] += mixed;
            slope[1] += phase_slope::<T, S, W>(simd, x, b);
            store::<T, S, W>(fields, row, x);
            store::<T, S, W>(adjoints, row, b);
            (field, adjoint) = (next_field, next_adjoint);
            row = below;
        }
        store::<T, S, W>(fields, row, field);
        store::<T, S, W>(adjoints, row, adjoint);
    }
}

/// `Σ Im a* y` of one waveguide.
#[inline(always)]
pub fn phase_slope<T: Real, S: Simd, const W: usize>(simd: S, y: Field<T, S, W>, a: Field<T, S, W>) -> T {
    let mut sum = T::splat(simd, T::zero());
    for w in 0..W {
        sum = T::multiply_add(simd, a[0][w], y[1][w], sum);
        sum = T::subtract_product(simd, sum, a[1][w], y[0][w]);
    }
    T::sum_lanes(simd, sum)
}

/// `Σ Re(a_0* y_1 - a_1* y_0)`.
#[inline(always)]
fn difference<T: Real, S: Simd, const W: usize>(
    simd: S,
    y0: Field<T, S, W>,
    y1: Field<T, S, W>,
    a0: Field<T, S, W>,
    a1: Field<T, S, W>,
) -> T {
    let mut sum = T::splat(simd, T::zero());
    for w in 0..W {
        for part in 0..2 {
            sum = T::multiply_add(simd, a0[part][w], y1[part][w], sum);
            sum = T::subtract_product(simd, sum, a1[part][w], y0[part][w]);
        }
    }
    T::sum_lanes(simd, sum)
}

/// `Σ Im(a_0* y_1 + a_1* y_0)`.
#[inline(always)]
fn swapped<T: Real, S: Simd, const W: usize>(
    simd: S,
    y0: Field<T, S, W>,
    y1: Field<T, S, W>,
    a0: Field<T, S, W>,
    a1: Field<T, S, W>,
) -> T {
    let mut sum = T::splat(simd, T::zero());
    for w in 0..W {
        for (a, y) in [(a0, y1), (a1, y0)] {
            sum = T::multiply_add(simd, a[0][w], y[1][w], sum);
            sum = T::subtract_product(simd, sum, a[1][w], y[0][w]);
        }
    }
    T::sum_lanes(simd, sum)
}

/// What is on a waveguide.
#[inline(always)]
pub fn load<T: Real, S: Simd, const W: usize>(tile: &[T::Register<S>], waveguide: usize) -> Field<T, S, W> {
    let parts = &tile[2 * W * waveguide..][..2 * W];
    [std::array::from_fn(|w| parts[w]), std::array::from_fn(|w| parts[W + w])]
}

#[inline(always)]
fn store<T: Real, S: Simd, const W: usize>(tile: &mut [T::Register<S>], waveguide: usize, field: Field<T, S, W>) {
    let (re, im) = tile[2 * W * waveguide..][..2 * W].split_at_mut(W);
    re.copy_from_slice(&field[0]);
    im.copy_from_slice(&field[1]);
}

/// `R diag(e^{iφ}, 1)` on (upper, lower).
#[inline(always)]
fn cross<T: Real, S: Simd, const W: usize>(
    simd: S,
    rotation: &Rotation<T>,
    upper: Field<T, S, W>,
    lower: Field<T, S, W>,
) -> (Field<T, S, W>, Field<T, S, W>) {
    let [cos, sin] = rotation.turn.map(|value| T::splat(simd, value));
    let [s, c] = rotation.split.map(|value| T::splat(simd, value));
    let (mut above, mut below) = (upper, lower);
    for w in 0..W {
        let turned = [
            T::subtract_product(simd, T::multiply(simd, upper[0][w], cos), upper[1][w], sin),
            T::multiply_add(simd, upper[1][w], cos, T::multiply(simd, upper[0][w], sin)),
        ];
        for part in 0..2 {
            above[part][w] = T::multiply_add(simd, c, lower[part][w], T::multiply(simd, s, turned[part]));
            below[part][w] = T::subtract_product(simd, T::multiply(simd, c, turned[part]), s, lower[part][w]);
        }
    }
    (above, below)
}

/// `diag(e^{-iφ}, 1) R` on (upper, lower): the inverse and the adjoint of [`cross`].
#[inline(always)]
fn uncross<T: Real, S: Simd, const W: usize>(
    simd: S,
    rotation: &Rotation<T>,
    upper: Field<T, S, W>,
    lower: Field<T, S, W>,
) -> (Field<T, S, W>, Field<T, S, W>) {
    let [cos, sin] = rotation.turn.map(|value| T::splat(simd, value));
    let [s, c] = rotation.split.map(|value| T::splat(simd, value));
    let (mut above, mut below) = (upper, lower);
    for w in 0..W {
        let mut turned = [upper[0][w]; 2];
        for part in 0..2 {
            turned[part] = T::multiply_add(simd, c, lower[part][w], T::multiply(simd, s, upper[part][w]));
            below[part][w] = T::subtract_product(simd, T::multiply(simd, c, upper[part][w]), s, lower[part][w]);
        }
        above[0][w] = T::multiply_add(simd, turned[1], sin, T::multiply(simd, turned[0], cos));
        above[1][w] = T::subtract_product(simd, T::multiply(simd, turned[1], cos), turned[0], sin);
    }
    (above, below)
}
