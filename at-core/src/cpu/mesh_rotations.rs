//! The inner loops of a mesh that loses no light, or the same everywhere: MZIs as a phase and a real rotation, waveguides shared by
//! neighbours in registers.
//!
//! An ideal MZI is `M = i e^{iθ/2} R diag(e^{iφ}, 1)` with the real `R = [[s, c], [c, -s]]`, s = sin θ/2, c = cos θ/2. The
//! phase `i e^{iθ/2}`, common to both its outputs, is pushed through the MZIs behind it as far as the mesh's outputs: light
//! on waveguide k is `e^{iσ_k}` times what the loops hold, with a screen of phases σ known from the controls alone. An MZI
//! then turns by `φ + σ_0 - σ_1` and mixes by R.
//!
//! **Shears.** Both are rotations of two reals, and a rotation by an angle of at most a quarter turn is three shears, of which each is one
//! multiplication and addition (Bruekers and van den Enden, IEEE J. Sel. Areas Commun. 10, 129, 1992):
//!
//! ```text
//! x -= t y;  y += s x;  x -= t y      with  t = tan ψ/2,  s = sin ψ
//! ```
//!
//! Wider angles lack half a turn, a sign of what the loops hold, which the screen has too: `R diag(e^{iφ}, 1) = -Q(α) diag(-e^{iφ}, 1)` where
//! Q(α) rotates by α, cos α = s, sin α = c; where -e^{iφ} has a negative real part it is turned over, and
//! `Q(α) diag(-1, 1) = diag(-1, 1) Q(-α)`; where cos α is negative, `Q(α) = -Q(α + π)`. So an MZI takes 9 operations, where two products of
//! a rotation's four entries take 12, and a general 2×2 matrix 16. What their coefficients
//! are rounded by is undone on the way back.
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
//! MZIs come in [`Run`]s: sweeps down the diagonals of some columns, where each shares a waveguide with the one before it, or quads of two columns that
//! join four waveguides.

use crate::Real;
use num_complex::Complex64;
use pulp::Simd;

/// Columns that a sweep crosses. Fields, adjoints and coefficients on its way stay in the first-level cache.
pub const BLOCK: usize = 16;

/// One MZI as the loops need it: shears `tan ψ/2, sin ψ` of two rotations by at most a quarter turn.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Rotation<T> {
    /// Of its upper input, by a phase.
    pub turn: [T; 2],
    /// Of both, into each other.
    pub split: [T; 2],
}

impl<T: Real> Rotation<T> {
    /// The rotations of `R diag(turn, 1)` with the splits s and c of R, and how what they leave there has to be signed on the upper and the lower waveguide.
    #[inline(always)]
    pub fn new(turn: Complex64, [s, c]: [f64; 2]) -> (Self, [f64; 2]) {
        let sign = |negative: bool| if negative { -1.0 } else { 1.0 };
        let mirror = sign(turn.re > 0.0);
        let both = sign(s >= 0.0);
        let turned = -mirror * turn;
        let shears = |cosine: f64, sine: f64| [sine / (1.0 + cosine), sine].map(T::of);
        let rotation = Rotation { turn: shears(turned.re, turned.im), split: shears(s.abs(), -mirror * both * c) };
        (rotation, [mirror * both, both])
    }
}

/// What the loops sum up of one MZI with ideal couplers: `Re(a_0* y_1 - a_1* y_0)` at its outputs, `Im b_0* x_0` at its inputs.
pub const IDEAL: usize = 2;

/// That, and `Im(a_0* y_1 + a_1* y_0)` at its outputs, where couplers have angles of their own ([`super::mesh_couplers`]).
pub const COUPLED: usize = 3;

/// MZIs that follow each other in memory, and share waveguides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// MZIs at rows `row, row - 1, …`, all but the first on neighbours.
    Sweep {
        /// Upper row of the first.
        row: u32,
        /// Its lower row.
        lower: u32,
        /// How many.
        count: u32,
        /// Column of the first. Where a mesh joins neighbours, every one stands in the column behind that of the one before it.
        column: u32,
    },
    /// Four MZIs on these waveguides: `(0, 1), (2, 3), (0, 2), (1, 3)`. None of a mesh that joins neighbours.
    Quad([u32; 4]),
}

/// Rows on which light enters, from the first to the last. In a mesh that joins neighbours it spreads by one row a column, and what is still
/// dark need not be crossed: neither does light come out there, nor has a control there a slope, nor does an adjoint get from there to where
/// there is light.
#[derive(Clone, Copy, Debug)]
pub struct Lit {
    /// The first.
    pub first: u32,
    /// The last.
    pub last: u32,
}

impl Lit {
    /// How many MZIs of a sweep of `count` from this row and column on light does not meet, from its first one on.
    fn dark(self, row: u32, column: u32, count: u32) -> usize {
        if row + 1 + column < self.first {
            return count as usize;
        }
        let from_below = row.saturating_sub(self.last.saturating_add(column)).div_ceil(2);
        from_below.min(count) as usize
    }
}

/// Real and imaginary parts of the samples in `W` registers, on one waveguide.
type Field<T, S, const W: usize> = [[<T as crate::lanes::Lanes>::Register<S>; W]; 2];

/// Sends a tile, `[waveguide, re or im, W]`, through every MZI that light meets.
#[inline(always)]
pub fn forward<T: Real, S: Simd, const W: usize>(
    simd: S,
    runs: &[Run],
    mut rotations: &[Rotation<T>],
    lit: Lit,
    tile: &mut [T::Register<S>],
) {
    for run in runs {
        match *run {
            Run::Sweep { row, lower, count, column } => {
                let (mine, rest) = rotations.split_at(count as usize);
                rotations = rest;
                let dark = lit.dark(row, column, count);
                if dark == mine.len() {
                    continue;
                }
                let mine = &mine[dark..];
                let mut row = row as usize - dark;
                let mut below = if dark == 0 { lower as usize } else { row + 1 };
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
            Run::Quad(waveguides) => {
                let (mine, rest) = rotations.split_at(4);
                rotations = rest;
                let [a, b, c, d] = waveguides.map(|row| row as usize);
                let above = cross::<T, S, W>(simd, &mine[0], load::<T, S, W>(tile, a), load::<T, S, W>(tile, b));
                let below = cross::<T, S, W>(simd, &mine[1], load::<T, S, W>(tile, c), load::<T, S, W>(tile, d));
                let (of_a, of_c) = cross::<T, S, W>(simd, &mine[2], above.0, below.0);
                store::<T, S, W>(tile, a, of_a);
                store::<T, S, W>(tile, c, of_c);
                let (of_b, of_d) = cross::<T, S, W>(simd, &mine[3], above.1, below.1);
                store::<T, S, W>(tile, b, of_b);
                store::<T, S, W>(tile, d, of_d);
            }
        }
    }
}

/// Carries fields and adjoints from the outputs back to the inputs and adds up the slopes of every MZI.
#[inline(always)]
pub fn backward<T: Real, S: Simd, const W: usize, const SLOPES: usize>(
    simd: S,
    runs: &[Run],
    mut rotations: &[Rotation<T>],
    mut slopes: &mut [[T; SLOPES]],
    lit: Lit,
    fields: &mut [T::Register<S>],
    adjoints: &mut [T::Register<S>],
) {
    for run in runs.iter().rev() {
        let count = match *run {
            Run::Sweep { count, .. } => count as usize,
            Run::Quad(_) => 4,
        };
        let (rest, mine) = rotations.split_at(rotations.len() - count);
        let (rest_slopes, my_slopes) = slopes.split_at_mut(rest.len());
        (rotations, slopes) = (rest, rest_slopes);
        match *run {
            Run::Sweep { row: first, lower, column, .. } => {
                let dark = lit.dark(first, column, count as u32);
                if dark == count {
                    continue;
                }
                let (mine, my_slopes) = (&mine[dark..], &mut my_slopes[dark..]);
                let mut row = first as usize + 1 - count;
                let mut light = Carried::at(fields, adjoints, row);
                for (rotation, slope) in mine.iter().zip(my_slopes).rev() {
                    let below = if row == first as usize { lower as usize } else { row + 1 };
                    let under = Carried::at(fields, adjoints, below);
                    let (above, next) = uncross_both::<T, S, W, SLOPES>(simd, rotation, light, under, slope);
                    above.put(fields, adjoints, row);
                    (light, row) = (next, below);
                }
                light.put(fields, adjoints, row);
            }
            Run::Quad(waveguides) => {
                // the fields of four waveguides stay in registers; those of their adjoints would be too many
                let rows @ [a, b, c, d] = waveguides.map(|row| row as usize);
                let mut field = [
                    load::<T, S, W>(fields, a),
                    load::<T, S, W>(fields, b),
                    load::<T, S, W>(fields, c),
                    load::<T, S, W>(fields, d),
                ];
                uncross_of::<T, S, W, SLOPES>(simd, &mine[3], &mut my_slopes[3], &mut field, [1, 3], adjoints, rows);
                uncross_of::<T, S, W, SLOPES>(simd, &mine[2], &mut my_slopes[2], &mut field, [0, 2], adjoints, rows);
                uncross_of::<T, S, W, SLOPES>(simd, &mine[1], &mut my_slopes[1], &mut field, [2, 3], adjoints, rows);
                uncross_of::<T, S, W, SLOPES>(simd, &mine[0], &mut my_slopes[0], &mut field, [0, 1], adjoints, rows);
                store::<T, S, W>(fields, a, field[0]);
                store::<T, S, W>(fields, b, field[1]);
                store::<T, S, W>(fields, c, field[2]);
                store::<T, S, W>(fields, d, field[3]);
            }
        }
    }
}

/// Field and adjoint on a waveguide.
struct Carried<T: Real, S: Simd, const W: usize> {
    field: Field<T, S, W>,
    adjoint: Field<T, S, W>,
}

impl<T: Real, S: Simd, const W: usize> Clone for Carried<T, S, W> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Real, S: Simd, const W: usize> Copy for Carried<T, S, W> {}

impl<T: Real, S: Simd, const W: usize> Carried<T, S, W> {
    #[inline(always)]
    fn at(fields: &[T::Register<S>], adjoints: &[T::Register<S>], row: usize) -> Self {
        Carried { field: load::<T, S, W>(fields, row), adjoint: load::<T, S, W>(adjoints, row) }
    }

    #[inline(always)]
    fn put(self, fields: &mut [T::Register<S>], adjoints: &mut [T::Register<S>], row: usize) {
        store::<T, S, W>(fields, row, self.field);
        store::<T, S, W>(adjoints, row, self.adjoint);
    }
}

/// [`uncross`] of fields and adjoints on (upper, lower), and the slopes of the MZI.
#[inline(always)]
fn uncross_both<T: Real, S: Simd, const W: usize, const SLOPES: usize>(
    simd: S,
    rotation: &Rotation<T>,
    upper: Carried<T, S, W>,
    lower: Carried<T, S, W>,
    slope: &mut [T; SLOPES],
) -> (Carried<T, S, W>, Carried<T, S, W>) {
    let mixed = difference::<T, S, W>(simd, upper.field, lower.field, upper.adjoint, lower.adjoint);
    if SLOPES == COUPLED {
        slope[2] += swapped::<T, S, W>(simd, upper.field, lower.field, upper.adjoint, lower.adjoint);
    }
    let (x, below) = uncross::<T, S, W>(simd, rotation, upper.field, lower.field);
    let (b, adjoint_below) = uncross::<T, S, W>(simd, rotation, upper.adjoint, lower.adjoint);
    slope[0] += mixed;
    slope[1] += phase_slope::<T, S, W>(simd, x, b);
    (Carried { field: x, adjoint: b }, Carried { field: below, adjoint: adjoint_below })
}

/// [`uncross_both`] of two of a quad's fields, and of the adjoints where they stand. A function: a closure would not be compiled with the caller's vector
/// instructions.
#[inline(always)]
fn uncross_of<T: Real, S: Simd, const W: usize, const SLOPES: usize>(
    simd: S,
    rotation: &Rotation<T>,
    slope: &mut [T; SLOPES],
    field: &mut [Field<T, S, W>; 4],
    of: [usize; 2],
    adjoints: &mut [T::Register<S>],
    rows: [usize; 4],
) {
    let [upper, lower] = of;
    let above = Carried { field: field[upper], adjoint: load::<T, S, W>(adjoints, rows[upper]) };
    let below = Carried { field: field[lower], adjoint: load::<T, S, W>(adjoints, rows[lower]) };
    let (above, below) = uncross_both::<T, S, W, SLOPES>(simd, rotation, above, below, slope);
    store::<T, S, W>(adjoints, rows[upper], above.adjoint);
    store::<T, S, W>(adjoints, rows[lower], below.adjoint);
    (field[upper], field[lower]) = (above.field, below.field);
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

/// `Σ Re(a_0* y_1 - a_1* y_0)`, in two sums that do not wait for each other.
#[inline(always)]
fn difference<T: Real, S: Simd, const W: usize>(
    simd: S,
    y0: Field<T, S, W>,
    y1: Field<T, S, W>,
    a0: Field<T, S, W>,
    a1: Field<T, S, W>,
) -> T {
    let mut sums = [T::splat(simd, T::zero()); 2];
    for w in 0..W {
        for part in 0..2 {
            sums[part] = T::multiply_add(simd, a0[part][w], y1[part][w], sums[part]);
            sums[part] = T::subtract_product(simd, sums[part], a1[part][w], y0[part][w]);
        }
    }
    T::sum_lanes(simd, T::plus(simd, sums[0], sums[1]))
}

/// `Σ Im(a_0* y_1 + a_1* y_0)`, likewise.
#[inline(always)]
fn swapped<T: Real, S: Simd, const W: usize>(
    simd: S,
    y0: Field<T, S, W>,
    y1: Field<T, S, W>,
    a0: Field<T, S, W>,
    a1: Field<T, S, W>,
) -> T {
    let mut sums = [T::splat(simd, T::zero()); 2];
    for w in 0..W {
        for (sum, (a, y)) in sums.iter_mut().zip([(a0, y1), (a1, y0)]) {
            *sum = T::multiply_add(simd, a[0][w], y[1][w], *sum);
            *sum = T::subtract_product(simd, *sum, a[1][w], y[0][w]);
        }
    }
    T::sum_lanes(simd, T::plus(simd, sums[0], sums[1]))
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

/// The MZI's rotations on (upper, lower).
#[inline(always)]
fn cross<T: Real, S: Simd, const W: usize>(
    simd: S,
    rotation: &Rotation<T>,
    mut upper: Field<T, S, W>,
    mut lower: Field<T, S, W>,
) -> (Field<T, S, W>, Field<T, S, W>) {
    let [tangent, sine] = rotation.turn.map(|value| T::splat(simd, value));
    let [p, q] = rotation.split.map(|value| T::splat(simd, value));
    for w in 0..W {
        upper[0][w] = T::subtract_product(simd, upper[0][w], tangent, upper[1][w]);
        upper[1][w] = T::multiply_add(simd, sine, upper[0][w], upper[1][w]);
        upper[0][w] = T::subtract_product(simd, upper[0][w], tangent, upper[1][w]);
        for part in 0..2 {
            upper[part][w] = T::subtract_product(simd, upper[part][w], p, lower[part][w]);
            lower[part][w] = T::multiply_add(simd, q, upper[part][w], lower[part][w]);
            upper[part][w] = T::subtract_product(simd, upper[part][w], p, lower[part][w]);
        }
    }
    (upper, lower)
}

/// The inverse and the adjoint of [`cross`].
#[inline(always)]
fn uncross<T: Real, S: Simd, const W: usize>(
    simd: S,
    rotation: &Rotation<T>,
    mut upper: Field<T, S, W>,
    mut lower: Field<T, S, W>,
) -> (Field<T, S, W>, Field<T, S, W>) {
    let [tangent, sine] = rotation.turn.map(|value| T::splat(simd, value));
    let [p, q] = rotation.split.map(|value| T::splat(simd, value));
    for w in 0..W {
        for part in 0..2 {
            upper[part][w] = T::multiply_add(simd, p, lower[part][w], upper[part][w]);
            lower[part][w] = T::subtract_product(simd, lower[part][w], q, upper[part][w]);
            upper[part][w] = T::multiply_add(simd, p, lower[part][w], upper[part][w]);
        }
        upper[0][w] = T::multiply_add(simd, tangent, upper[1][w], upper[0][w]);
        upper[1][w] = T::subtract_product(simd, upper[1][w], sine, upper[0][w]);
        upper[0][w] = T::multiply_add(simd, tangent, upper[1][w], upper[0][w]);
    }
    (upper, lower)
}
