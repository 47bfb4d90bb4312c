//! The inner loops of a mesh on the CPU: a tile of samples crosses every column while it stays in the nearest cache.
//!
//! Lossless columns are crossed in skewed sweeps: in sweep s, the column at distance d from the first of its block treats
//! the MZI at row s - d, whose neighbours the column before it has just treated. One load of a waveguide then serves
//! [`BLOCK`] columns.

use crate::Real;
use crate::optics::Column;
use pulp::{Simd, WithSimd};

/// Samples in a tile: two AVX2 or one AVX-512 register of `f32`.
pub const LANES: usize = 16;

/// Columns that one sweep crosses: the waveguides between them fit in 5 kB.
const BLOCK: usize = 8;

/// The fields of one waveguide, one lane per sample.
#[derive(Clone, Copy, Debug, bytemuck::Zeroable)]
#[repr(C, align(64))]
pub struct Waveguide<T> {
    /// Real parts.
    pub re: [T; LANES],
    /// Imaginary parts.
    pub im: [T; LANES],
}

impl<T: Real> Default for Waveguide<T> {
    fn default() -> Self {
        Waveguide { re: [T::zero(); LANES], im: [T::zero(); LANES] }
    }
}

/// What the kernels know of a mesh.
#[derive(Clone, Copy)]
pub struct MeshView<'a, T> {
    /// The columns.
    pub columns: &'a [Column],
    /// `M00, M01, M10, M11` of every MZI as (re, im) pairs, without loss.
    pub transfer: &'a [[T; 8]],
    /// `cos², sin², cos·sin` of every MZI's second coupler angle.
    pub second_coupler: &'a [[T; 3]],
    /// Field transmission of every waveguide in every column relative to the column's mean, `[column, mode]`; `None` where
    /// all are 1.
    pub imbalance: Option<&'a [T]>,
}

/// Sends a tile through every column.
pub fn forward<T: Real>(mesh: MeshView<T>, fields: &mut [Waveguide<T>]) {
    struct Job<'a, T>(MeshView<'a, T>, &'a mut [Waveguide<T>]);
    impl<T: Real> WithSimd for Job<'_, T> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            if S::IS_SCALAR {
                forward_tile::<T, false>(self.0, self.1)
            } else {
                forward_tile::<T, true>(self.0, self.1)
            }
        }
    }
    pulp::Arch::new().dispatch(Job(mesh, fields));
}

/// Carries the fields that left the mesh and their adjoints back through every column, and adds
/// `dL/dθ` and `dL/dφ` of the tile to `theta` and `phi`.
pub fn backward<T: Real>(
    mesh: MeshView<T>,
    fields: &mut [Waveguide<T>],
    adjoints: &mut [Waveguide<T>],
    theta: &mut [T],
    phi: &mut [T],
) {
    struct Job<'a, T>(MeshView<'a, T>, &'a mut [Waveguide<T>], &'a mut [Waveguide<T>], &'a mut [T], &'a mut [T]);
    impl<T: Real> WithSimd for Job<'_, T> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            let Job(mesh, fields, adjoints, theta, phi) = self;
            if S::IS_SCALAR {
                backward_tile::<T, false>(mesh, fields, adjoints, theta, phi);
            } else {
                backward_tile::<T, true>(mesh, fields, adjoints, theta, phi);
            }
        }
    }
    pulp::Arch::new().dispatch(Job(mesh, fields, adjoints, theta, phi));
}

#[inline(always)]
fn forward_tile<T: Real, const FMA: bool>(mesh: MeshView<T>, fields: &mut [Waveguide<T>]) {
    if let Some(imbalance) = mesh.imbalance {
        for (column, transmission) in mesh.columns.iter().zip(imbalance.chunks_exact(fields.len())) {
            for k in 0..column.count {
                let (upper, lower) = pair(fields, column.first_row + 2 * k);
                cross::<T, FMA>(&mesh.transfer[column.first_mzi + k], upper, lower);
            }
            scale(fields, transmission, |t| t);
        }
        return;
    }
    for block in mesh.columns.chunks(BLOCK) {
        let mut sweep = block[0].first_row;
        while sweep < fields.len() + block.len() {
            for (distance, column) in block.iter().enumerate() {
                if let Some((row, mzi)) = place(column, sweep, distance) {
                    let (upper, lower) = pair(fields, row);
                    cross::<T, FMA>(&mesh.transfer[mzi], upper, lower);
                }
            }
            sweep += 2;
        }
    }
}

#[inline(always)]
fn backward_tile<T: Real, const FMA: bool>(
    mesh: MeshView<T>,
    fields: &mut [Waveguide<T>],
    adjoints: &mut [Waveguide<T>],
    theta: &mut [T],
    phi: &mut [T],
) {
    if let Some(imbalance) = mesh.imbalance {
        for (column, transmission) in mesh.columns.iter().zip(imbalance.chunks_exact(fields.len())).rev() {
            scale(fields, transmission, T::recip);
            scale(adjoints, transmission, |t| t);
            for k in 0..column.count {
                let mzi = column.first_mzi + k;
                uncross_both::<T, FMA>(mesh, mzi, column.first_row + 2 * k, fields, adjoints, theta, phi);
            }
        }
        return;
    }
    for block in mesh.columns.chunks(BLOCK).rev() {
        let mut sweep = block[block.len() - 1].first_row;
        while sweep < fields.len() + block.len() {
            for (distance, column) in block.iter().rev().enumerate() {
                if let Some((row, mzi)) = place(column, sweep, distance) {
                    uncross_both::<T, FMA>(mesh, mzi, row, fields, adjoints, theta, phi);
                }
            }
            sweep += 2;
        }
    }
}

/// The row and index of the MZI that `column` treats in this sweep, if it has one there.
#[inline(always)]
fn place(column: &Column, sweep: usize, distance: usize) -> Option<(usize, usize)> {
    let row = sweep.checked_sub(distance)?;
    let offset = row.checked_sub(column.first_row)?;
    (offset < 2 * column.count).then_some((row, column.first_mzi + offset / 2))
}

#[inline(always)]
fn pair<T>(fields: &mut [Waveguide<T>], row: usize) -> (&mut Waveguide<T>, &mut Waveguide<T>) {
    let (above, below) = fields.split_at_mut(row + 1);
    (&mut above[row], &mut below[0])
}

#[inline(always)]
fn scale<T: Real>(fields: &mut [Waveguide<T>], transmission: &[T], factor: impl Fn(T) -> T) {
    for (field, &t) in fields.iter_mut().zip(transmission) {
        let t = factor(t);
        for lane in 0..LANES {
            field.re[lane] *= t;
            field.im[lane] *= t;
        }
    }
}

#[inline(always)]
fn fma<T: Real, const FMA: bool>(a: T, b: T, c: T) -> T {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// `(upper, lower) ← M·(upper, lower)`.
#[inline(always)]
fn cross<T: Real, const FMA: bool>(m: &[T; 8], upper: &mut Waveguide<T>, lower: &mut Waveguide<T>) {
    for lane in 0..LANES {
        let (ar, ai) = (upper.re[lane], upper.im[lane]);
        let (br, bi) = (lower.re[lane], lower.im[lane]);
        upper.re[lane] = fma::<T, FMA>(m[0], ar, fma::<T, FMA>(-m[1], ai, fma::<T, FMA>(m[2], br, -m[3] * bi)));
        upper.im[lane] = fma::<T, FMA>(m[0], ai, fma::<T, FMA>(m[1], ar, fma::<T, FMA>(m[2], bi, m[3] * br)));
        lower.re[lane] = fma::<T, FMA>(m[4], ar, fma::<T, FMA>(-m[5], ai, fma::<T, FMA>(m[6], br, -m[7] * bi)));
        lower.im[lane] = fma::<T, FMA>(m[4], ai, fma::<T, FMA>(m[5], ar, fma::<T, FMA>(m[6], bi, m[7] * br)));
    }
}

/// `(upper, lower) ← Mᴴ·(upper, lower)`.
#[inline(always)]
fn uncross<T: Real, const FMA: bool>(m: &[T; 8], upper: &mut Waveguide<T>, lower: &mut Waveguide<T>) {
    let adjoint = [m[0], -m[1], m[4], -m[5], m[2], -m[3], m[6], -m[7]];
    cross::<T, FMA>(&adjoint, upper, lower);
}

/// One MZI backwards: gradient at its second coupler's input, field and adjoint to its inputs, gradient at its φ.
///
/// With v0 = c y0 - is y1 and α0 likewise behind the second coupler, `dL/dθ = -2 Im Σ α0* v0`, where
/// `Im α0* v0 = c² Im(a0* y0) + s² Im(a1* y1) + cs Re(a1* y0 - a0* y1)`.
#[inline(always)]
fn uncross_both<T: Real, const FMA: bool>(
    mesh: MeshView<T>,
    mzi: usize,
    row: usize,
    fields: &mut [Waveguide<T>],
    adjoints: &mut [Waveguide<T>],
    theta: &mut [T],
    phi: &mut [T],
) {
    let (y0, y1) = pair(fields, row);
    let (a0, a1) = pair(adjoints, row);
    let mut upper = [T::zero(); LANES];
    let mut lower = [T::zero(); LANES];
    let mut mixed = [T::zero(); LANES];
    for lane in 0..LANES {
        upper[lane] = fma::<T, FMA>(a0.re[lane], y0.im[lane], -(a0.im[lane] * y0.re[lane]));
        lower[lane] = fma::<T, FMA>(a1.re[lane], y1.im[lane], -(a1.im[lane] * y1.re[lane]));
        let plus = fma::<T, FMA>(a1.re[lane], y0.re[lane], a1.im[lane] * y0.im[lane]);
        mixed[lane] = plus - fma::<T, FMA>(a0.re[lane], y1.re[lane], a0.im[lane] * y1.im[lane]);
    }
    let [cc, ss, cs] = mesh.second_coupler[mzi];
    let mut slope = [T::zero(); LANES];
    for lane in 0..LANES {
        slope[lane] = fma::<T, FMA>(cc, upper[lane], fma::<T, FMA>(ss, lower[lane], cs * mixed[lane]));
    }
    let two = T::one() + T::one();
    theta[mzi] -= two * sum(slope);
    let m = &mesh.transfer[mzi];
    uncross::<T, FMA>(m, y0, y1);
    uncross::<T, FMA>(m, a0, a1);
    for lane in 0..LANES {
        slope[lane] = fma::<T, FMA>(a0.re[lane], y0.im[lane], -(a0.im[lane] * y0.re[lane]));
    }
    phi[mzi] -= two * sum(slope);
}

/// Sum over the lanes by halves, which vectorises where a running sum does not.
#[inline(always)]
fn sum<T: Real>(mut lanes: [T; LANES]) -> T {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}
