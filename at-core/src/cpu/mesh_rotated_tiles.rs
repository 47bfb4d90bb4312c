//! Tiles of samples on their way through a mesh of rotations and back.

use super::mesh_rotated::RotatedMesh;
use super::mesh_rotations::{self, COUPLED, IDEAL, Lit};
use super::tiles::{self, Factors, Tile};
use crate::Real;
use pulp::{Simd, WithSimd};

/// One part's tiles and sums.
#[derive(Default)]
pub(super) struct Part<T> {
    fields: Tile<T>,
    adjoints: Tile<T>,
    pub(super) slopes: Vec<[T; IDEAL]>,
    /// Those where couplers have angles of their own.
    pub(super) coupled: Vec<[T; COUPLED]>,
    /// `Σ Im a* y` of every output.
    pub(super) output_slopes: Vec<T>,
}

/// How many of `left` samples the next tile takes, and whether it is a whole tile.
fn next_tile<T: Real, S: Simd>(left: usize) -> (usize, bool) {
    let half = T::count::<S>();
    if left > half { (left.min(2 * half), true) } else { (left, false) }
}

/// What samples are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Light {
    /// Anything.
    Any,
    /// Unit fields, the first of them on this mode, every other one on the mode behind the last one's.
    Units {
        /// Mode of the first.
        from: usize,
    },
}

impl Light {
    /// Where light enters if the next tile is of `taken` samples, and what the samples behind it are.
    fn next<T: Real>(&mut self, mesh: &RotatedMesh<T>, taken: usize) -> Lit {
        let all = Lit { first: 0, last: mesh.mesh.modes() as u32 };
        let Light::Units { from } = self else { return all };
        let first = *from;
        *from += taken;
        // elsewhere light may spread by any number of rows a column
        if mesh.mesh.joins_neighbours() { Lit { first: first as u32, last: (first + taken) as u32 - 1 } } else { all }
    }
}

/// Some samples through the mesh.
pub(super) struct Forward<'a, T> {
    pub(super) mesh: &'a RotatedMesh<T>,
    pub(super) light: Light,
    pub(super) part: &'a mut Part<T>,
    pub(super) input: &'a [T],
    pub(super) output: &'a mut [T],
}

impl<T: Real> WithSimd for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Forward { mesh, mut light, part, mut input, mut output } = self;
        let width = mesh.width();
        while !input.is_empty() {
            let (taken, whole) = next_tile::<T, S>(input.len() / width);
            let (from, more) = input.split_at(taken * width);
            let (to, room) = output.split_at_mut(taken * width);
            (input, output) = (more, room);
            let lit = light.next(mesh, taken);
            if whole {
                forward_tile::<T, S, 2>(simd, mesh, lit, part, from, to);
            } else {
                forward_tile::<T, S, 1>(simd, mesh, lit, part, from, to);
            }
        }
    }
}

#[inline(always)]
fn forward_tile<T: Real, S: Simd, const W: usize>(
    simd: S,
    mesh: &RotatedMesh<T>,
    lit: Lit,
    part: &mut Part<T>,
    input: &[T],
    output: &mut [T],
) {
    let (width, lanes) = (mesh.width(), W * T::count::<S>());
    let fields = &mut part.fields.room(width)[..width * lanes];
    tiles::fill::<T, S, W>(simd, input, width, None, fields);
    let registers = T::registers_mut::<S>(fields);
    mesh_rotations::forward::<T, S, W>(simd, &mesh.runs, &mesh.rotations, lit, registers);
    let factors = Factors { phases: &mesh.output_phases, scale: mesh.transmission, conjugate: false };
    tiles::empty::<T, S, W>(simd, fields, width, Some(factors), output);
}

/// Some samples back through the mesh.
pub(super) struct Backward<'a, T> {
    pub(super) mesh: &'a RotatedMesh<T>,
    /// What entered.
    pub(super) light: Light,
    pub(super) part: &'a mut Part<T>,
    pub(super) output: &'a [T],
    pub(super) adjoint: &'a [T],
    pub(super) adjoint_in: &'a mut [T],
    pub(super) all_the_way: bool,
}

impl<T: Real> WithSimd for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Backward { mesh, mut light, part, mut output, mut adjoint, mut adjoint_in, all_the_way } = self;
        let width = mesh.width();
        part.slopes.clear();
        part.coupled.clear();
        if mesh.is_coupled() {
            part.coupled.resize(mesh.mesh.mzis(), [T::zero(); COUPLED]);
        } else {
            part.slopes.resize(mesh.mesh.mzis(), [T::zero(); IDEAL]);
        }
        part.output_slopes.clear();
        part.output_slopes.resize(mesh.mesh.modes(), T::zero());
        while !output.is_empty() {
            let (taken, whole) = next_tile::<T, S>(output.len() / width);
            let (fields, more_fields) = output.split_at(taken * width);
            let (adjoints, more_adjoints) = adjoint.split_at(taken * width);
            let (to, room) = adjoint_in.split_at_mut(taken * width);
            (output, adjoint, adjoint_in) = (more_fields, more_adjoints, room);
            let to = all_the_way.then_some(to);
            let lit = light.next(mesh, taken);
            if whole {
                backward_tile::<T, S, 2>(simd, mesh, lit, part, fields, adjoints, to);
            } else {
                backward_tile::<T, S, 1>(simd, mesh, lit, part, fields, adjoints, to);
            }
        }
    }
}

#[inline(always)]
fn backward_tile<T: Real, S: Simd, const W: usize>(
    simd: S,
    mesh: &RotatedMesh<T>,
    lit: Lit,
    part: &mut Part<T>,
    output: &[T],
    adjoint: &[T],
    adjoint_in: Option<&mut [T]>,
) {
    let (width, lanes) = (mesh.width(), W * T::count::<S>());
    let fields = &mut part.fields.room(width)[..width * lanes];
    let adjoints = &mut part.adjoints.room(width)[..width * lanes];
    let back = |scale: T| Some(Factors { phases: &mesh.output_phases, scale, conjugate: true });
    tiles::fill::<T, S, W>(simd, output, width, back(mesh.transmission.recip()), fields);
    tiles::fill::<T, S, W>(simd, adjoint, width, back(mesh.transmission), adjoints);
    let (y, a) = (T::registers::<S>(fields), T::registers::<S>(adjoints));
    for (mode, slot) in part.output_slopes.iter_mut().enumerate() {
        // phases and transmission fall out of a* y
        let (y, a) = (mesh_rotations::load::<T, S, W>(y, mode), mesh_rotations::load::<T, S, W>(a, mode));
        *slot += mesh_rotations::phase_slope::<T, S, W>(simd, y, a);
    }
    let (y, a) = (T::registers_mut::<S>(fields), T::registers_mut::<S>(adjoints));
    if mesh.is_coupled() {
        mesh_rotations::backward::<T, S, W, COUPLED>(simd, &mesh.runs, &mesh.rotations, &mut part.coupled, lit, y, a);
    } else {
        mesh_rotations::backward::<T, S, W, IDEAL>(simd, &mesh.runs, &mesh.rotations, &mut part.slopes, lit, y, a);
    }
    if let Some(adjoint_in) = adjoint_in {
        tiles::empty::<T, S, W>(simd, adjoints, width, None, adjoint_in);
    }
}
