//! The inner loops of a mesh on the CPU: a tile of samples crosses every column while it stays in the nearest cache.
//!
//! MZIs are treated in the order of a [`super::mesh_order::schedule`], not column by column: skewed sweeps cross [`BLOCK`] columns at once, so
//! that one load of a waveguide serves all of them. Coefficients and gradients lie in that order too: the loops read and
//! write them in one stream each, whereas columns of 2^k MZIs would fall on the same cache sets.

use crate::Real;
use pulp::{Simd, WithSimd};

/// Samples in a tile: two AVX2 or one AVX-512 register of `f32`.
pub const LANES: usize = 16;

/// Columns that one sweep crosses: the waveguides between them fit in 5 kB.
pub const BLOCK: usize = 8;

/// Slopes per MZI of a plain backward pass: `dL/dθ, dL/dφ`.
pub const PHASES: usize = 2;

/// Slopes per MZI where the errors of its couplers are estimated: `dL/dθ, dL/dφ, dL/dδ1, dL/dδ2`.
pub const COUPLERS_TOO: usize = 4;

/// The same where losses are estimated, too, and `Σ Re a0* f0` of field and adjoint in front of φ behind them.
pub const LOSSES_TOO: usize = 5;

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

/// One MZI as the loops need it.
#[derive(Clone, Copy, Debug)]
pub struct Element<T> {
    /// `M00, M01, M10, M11` as (re, im) pairs, without loss.
    pub transfer: [T; 8],
    /// `cos², sin², cos·sin` of the second coupler's angle.
    pub second_coupler: [T; 3],
    /// Its upper and its lower waveguide.
    pub rows: [u32; 2],
}

/// What the kernels know of a mesh.
#[derive(Clone, Copy)]
pub struct MeshView<'a, T> {
    /// Every MZI, in the order of the [`super::mesh_order::schedule`].
    pub elements: &'a [Element<T>],
    /// `(cos φ, sin φ)` of every element, which slopes of [`COUPLERS_TOO`] and more need; may be empty otherwise.
    pub external: &'a [[T; 2]],
    /// Where waveguides of a column differ in loss; the schedule then goes column by column.
    pub imbalance: Option<Imbalance<'a, T>>,
}

/// Loss that differs between the waveguides of a column.
#[derive(Clone, Copy)]
pub struct Imbalance<'a, T> {
    /// MZIs in each column.
    pub counts: &'a [usize],
    /// Field transmission relative to the column's mean, `[column, mode]`.
    pub transmission: &'a [T],
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

/// Carries the fields that left the mesh and their adjoints back through every column, and adds the slopes of the tile to
/// `slopes`, in the order of the schedule: [`PHASES`], [`COUPLERS_TOO`] or [`LOSSES_TOO`] per MZI.
pub fn backward<T: Real, const SLOPES: usize>(
    mesh: MeshView<T>,
    fields: &mut [Waveguide<T>],
    adjoints: &mut [Waveguide<T>],
    slopes: &mut [[T; SLOPES]],
) {
    struct Job<'a, T, const SLOPES: usize>(
        MeshView<'a, T>,
        &'a mut [Waveguide<T>],
        &'a mut [Waveguide<T>],
        &'a mut [[T; SLOPES]],
    );
    impl<T: Real, const SLOPES: usize> WithSimd for Job<'_, T, SLOPES> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            let Job(mesh, fields, adjoints, slopes) = self;
            if S::IS_SCALAR {
                backward_tile::<T, false, SLOPES>(mesh, fields, adjoints, slopes);
            } else {
                backward_tile::<T, true, SLOPES>(mesh, fields, adjoints, slopes);
            }
        }
    }
    pulp::Arch::new().dispatch(Job(mesh, fields, adjoints, slopes));
}

#[inline(always)]
fn forward_tile<T: Real, const FMA: bool>(mesh: MeshView<T>, fields: &mut [Waveguide<T>]) {
    let mut elements = mesh.elements;
    if let Some(Imbalance { counts, transmission }) = mesh.imbalance {
        for (&count, transmission) in counts.iter().zip(transmission.chunks_exact(fields.len())) {
            let (column, rest) = elements.split_at(count);
            for element in column {
                cross_at::<T, FMA>(element, fields);
            }
            scale(fields, transmission, |t| t);
            elements = rest;
        }
    } else {
        for element in elements {
            cross_at::<T, FMA>(element, fields);
        }
    }
}

#[inline(always)]
fn backward_tile<T: Real, const FMA: bool, const SLOPES: usize>(
    mesh: MeshView<T>,
    fields: &mut [Waveguide<T>],
    adjoints: &mut [Waveguide<T>],
    slopes: &mut [[T; SLOPES]],
) {
    let Some(Imbalance { counts, transmission }) = mesh.imbalance else {
        return uncross_all::<T, FMA, SLOPES>(mesh.elements, mesh.external, fields, adjoints, slopes);
    };
    let mut end = slopes.len();
    for (&count, transmission) in counts.iter().zip(transmission.chunks_exact(fields.len())).rev() {
        scale(fields, transmission, T::recip);
        scale(adjoints, transmission, |t| t);
        let column = end - count..end;
        end -= count;
        let external = if SLOPES >= COUPLERS_TOO { &mesh.external[column.clone()] } else { &[] };
        uncross_all::<T, FMA, SLOPES>(&mesh.elements[column.clone()], external, fields, adjoints, &mut slopes[column]);
    }
}

// Not a closure: one would not be compiled with the caller's vector instructions.
#[inline(always)]
fn uncross_all<T: Real, const FMA: bool, const SLOPES: usize>(
    elements: &[Element<T>],
    external: &[[T; 2]],
    fields: &mut [Waveguide<T>],
    adjoints: &mut [Waveguide<T>],
    slopes: &mut [[T; SLOPES]],
) {
    if SLOPES >= COUPLERS_TOO {
        for ((element, slope), &phase) in elements.iter().zip(slopes).zip(external).rev() {
            let rows = element.rows;
            slope[3] += second_coupler_slope::<T, FMA>(rows, fields, adjoints);
            uncross_at::<T, FMA>(element, fields, adjoints, slope);
            slope[2] += first_coupler_slope::<T, FMA>(rows, phase, fields, adjoints);
            if SLOPES == LOSSES_TOO {
                slope[4] += in_phase::<T, FMA>(&fields[rows[0] as usize], &adjoints[rows[0] as usize]);
            }
        }
    } else {
        for (element, slope) in elements.iter().zip(slopes).rev() {
            uncross_at::<T, FMA>(element, fields, adjoints, slope);
        }
    }
}

#[inline(always)]
fn cross_at<T: Real, const FMA: bool>(element: &Element<T>, fields: &mut [Waveguide<T>]) {
    let (upper, lower) = pair(fields, element.rows);
    cross::<T, FMA>(&element.transfer, upper, lower);
}

#[inline(always)]
pub(super) fn pair<T>(fields: &mut [Waveguide<T>], rows: [u32; 2]) -> (&mut Waveguide<T>, &mut Waveguide<T>) {
    let [upper, lower] = rows.map(|row| row as usize);
    let (above, below) = fields.split_at_mut(lower);
    (&mut above[upper], &mut below[0])
}

#[inline(always)]
pub(super) fn scale<T: Real>(fields: &mut [Waveguide<T>], transmission: &[T], factor: impl Fn(T) -> T) {
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
pub(super) fn cross<T: Real, const FMA: bool>(m: &[T; 8], upper: &mut Waveguide<T>, lower: &mut Waveguide<T>) {
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
#[expect(clippy::needless_range_loop, reason = "all arrays run over the same lanes")]
fn uncross_at<T: Real, const FMA: bool>(
    element: &Element<T>,
    fields: &mut [Waveguide<T>],
    adjoints: &mut [Waveguide<T>],
    slopes: &mut [T],
) {
    let (y0, y1) = pair(fields, element.rows);
    let (a0, a1) = pair(adjoints, element.rows);
    let mut upper = [T::zero(); LANES];
    let mut lower = [T::zero(); LANES];
    let mut mixed = [T::zero(); LANES];
    for lane in 0..LANES {
        upper[lane] = fma::<T, FMA>(a0.re[lane], y0.im[lane], -(a0.im[lane] * y0.re[lane]));
        lower[lane] = fma::<T, FMA>(a1.re[lane], y1.im[lane], -(a1.im[lane] * y1.re[lane]));
        let plus = fma::<T, FMA>(a1.re[lane], y0.re[lane], a1.im[lane] * y0.im[lane]);
        mixed[lane] = plus - fma::<T, FMA>(a0.re[lane], y1.re[lane], a0.im[lane] * y1.im[lane]);
    }
    let [cc, ss, cs] = element.second_coupler;
    let mut slope = [T::zero(); LANES];
    for lane in 0..LANES {
        slope[lane] = fma::<T, FMA>(cc, upper[lane], fma::<T, FMA>(ss, lower[lane], cs * mixed[lane]));
    }
    let two = T::one() + T::one();
    slopes[0] -= two * sum(slope);
    let m = &element.transfer;
    uncross::<T, FMA>(m, y0, y1);
    uncross::<T, FMA>(m, a0, a1);
    for lane in 0..LANES {
        slope[lane] = fma::<T, FMA>(a0.re[lane], y0.im[lane], -(a0.im[lane] * y0.re[lane]));
    }
    slopes[1] -= two * sum(slope);
}

/// `dL/dδ2 = -2 Im Σ (a0* y1 + a1* y0)` with fields y and adjoints a behind the MZI, because `dB/dδ = iXB` where X swaps
/// the waveguides.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "all arrays run over the same lanes")]
fn second_coupler_slope<T: Real, const FMA: bool>(
    rows: [u32; 2],
    fields: &mut [Waveguide<T>],
    adjoints: &mut [Waveguide<T>],
) -> T {
    let (y0, y1) = pair(fields, rows);
    let (a0, a1) = pair(adjoints, rows);
    let mut slope = [T::zero(); LANES];
    for lane in 0..LANES {
        let forth = fma::<T, FMA>(a0.re[lane], y1.im[lane], -(a0.im[lane] * y1.re[lane]));
        let back = fma::<T, FMA>(a1.re[lane], y0.im[lane], -(a1.im[lane] * y0.re[lane]));
        slope[lane] = forth + back;
    }
    -(sum(slope) + sum(slope))
}

/// The same at the first coupler, from fields f and adjoints a in front of the shifter φ. X commutes with the coupler, so it may
/// be taken in front of it: `dL/dδ1 = -2 Im Σ (e^{-iφ} a0* f1 + e^{iφ} a1* f0)`.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "all arrays run over the same lanes")]
fn first_coupler_slope<T: Real, const FMA: bool>(
    rows: [u32; 2],
    [cos, sin]: [T; 2],
    fields: &mut [Waveguide<T>],
    adjoints: &mut [Waveguide<T>],
) -> T {
    let (f0, f1) = pair(fields, rows);
    let (a0, a1) = pair(adjoints, rows);
    let mut slope = [T::zero(); LANES];
    for lane in 0..LANES {
        // a0* f1 = p, a1* f0 = q: Im(e^{-iφ} p + e^{iφ} q) = cos φ Im(p + q) + sin φ Re(q - p).
        let p_im = fma::<T, FMA>(a0.re[lane], f1.im[lane], -(a0.im[lane] * f1.re[lane]));
        let q_im = fma::<T, FMA>(a1.re[lane], f0.im[lane], -(a1.im[lane] * f0.re[lane]));
        let p_re = fma::<T, FMA>(a0.re[lane], f1.re[lane], a0.im[lane] * f1.im[lane]);
        let q_re = fma::<T, FMA>(a1.re[lane], f0.re[lane], a1.im[lane] * f0.im[lane]);
        slope[lane] = fma::<T, FMA>(cos, p_im + q_im, sin * (q_re - p_re));
    }
    -(sum(slope) + sum(slope))
}

/// `Σ Re a* y` of one waveguide: half of what the loss loses where its amplitude falls.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "all arrays run over the same lanes")]
fn in_phase<T: Real, const FMA: bool>(field: &Waveguide<T>, adjoint: &Waveguide<T>) -> T {
    let mut both = [T::zero(); LANES];
    for lane in 0..LANES {
        both[lane] = fma::<T, FMA>(adjoint.re[lane], field.re[lane], adjoint.im[lane] * field.im[lane]);
    }
    sum(both)
}

/// Sum over the lanes by halves, which vectorises where a running sum does not.
#[inline(always)]
pub(super) fn sum<T: Real>(mut lanes: [T; LANES]) -> T {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}
