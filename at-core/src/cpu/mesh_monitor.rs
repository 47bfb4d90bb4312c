//! Light through a mesh in either direction, with a look at what stands at every phase shifter on its way.
//!
//! Places, the same for both directions: at θ behind the shifter, at φ in front of it; a shifter changes no power, and the
//! product of two fields that cross it in opposite directions is the same on both sides.

use super::mesh_kernel::{Element, Imbalance, LANES, MeshView, Waveguide, cross, pair, scale};
use crate::Real;
use pulp::{Simd, WithSimd};

/// What takes the light at the shifters of element `element`, in the order of the schedule.
pub trait Watch<T> {
    /// The fields at θ and at φ.
    fn see(&mut self, element: usize, theta: &Waveguide<T>, phi: &Waveguide<T>);
}

/// Cosine and sine of the second coupler of every element.
pub type Couplers<'a, T> = &'a [[T; 2]];

/// Sends a tile from the inputs to the outputs.
pub fn forward<T: Real>(
    mesh: MeshView<T>,
    couplers: Couplers<T>,
    fields: &mut [Waveguide<T>],
    watch: &mut impl Watch<T>,
) {
    dispatch::<T, _, true>(mesh, couplers, fields, watch);
}

/// Sends a tile from the outputs to the inputs: by reciprocity through the transposed matrix of every element.
pub fn backward<T: Real>(
    mesh: MeshView<T>,
    couplers: Couplers<T>,
    fields: &mut [Waveguide<T>],
    watch: &mut impl Watch<T>,
) {
    dispatch::<T, _, false>(mesh, couplers, fields, watch);
}

fn dispatch<T: Real, W: Watch<T>, const AHEAD: bool>(
    mesh: MeshView<T>,
    couplers: Couplers<T>,
    fields: &mut [Waveguide<T>],
    watch: &mut W,
) {
    struct Job<'a, T, W, const AHEAD: bool>(MeshView<'a, T>, Couplers<'a, T>, &'a mut [Waveguide<T>], &'a mut W);
    impl<T: Real, W: Watch<T>, const AHEAD: bool> WithSimd for Job<'_, T, W, AHEAD> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            let Job(mesh, couplers, fields, watch) = self;
            if S::IS_SCALAR {
                tile::<T, W, AHEAD, false>(mesh, couplers, fields, watch)
            } else {
                tile::<T, W, AHEAD, true>(mesh, couplers, fields, watch)
            }
        }
    }
    pulp::Arch::new().dispatch(Job::<T, W, AHEAD>(mesh, couplers, fields, watch));
}

#[inline(always)]
fn tile<T: Real, W: Watch<T>, const AHEAD: bool, const FMA: bool>(
    mesh: MeshView<T>,
    couplers: Couplers<T>,
    fields: &mut [Waveguide<T>],
    watch: &mut W,
) {
    let Some(Imbalance { counts, transmission }) = mesh.imbalance else {
        return column::<T, W, AHEAD, FMA>(mesh.elements, 0..mesh.elements.len(), couplers, fields, watch);
    };
    let losses = transmission.chunks_exact(fields.len());
    if AHEAD {
        let mut start = 0;
        for (&count, loss) in counts.iter().zip(losses) {
            column::<T, W, AHEAD, FMA>(mesh.elements, start..start + count, couplers, fields, watch);
            scale(fields, loss, |t| t);
            start += count;
        }
    } else {
        let mut end = mesh.elements.len();
        for (&count, loss) in counts.iter().zip(losses).rev() {
            scale(fields, loss, |t| t);
            column::<T, W, AHEAD, FMA>(mesh.elements, end - count..end, couplers, fields, watch);
            end -= count;
        }
    }
}

#[inline(always)]
fn column<T: Real, W: Watch<T>, const AHEAD: bool, const FMA: bool>(
    elements: &[Element<T>],
    range: std::ops::Range<usize>,
    couplers: Couplers<T>,
    fields: &mut [Waveguide<T>],
    watch: &mut W,
) {
    for step in 0..range.len() {
        let index = if AHEAD { range.start + step } else { range.end - 1 - step };
        let (element, [c, s]) = (&elements[index], couplers[index]);
        let (upper, lower) = pair(fields, element.rows);
        if AHEAD {
            let phi = *upper;
            cross::<T, FMA>(&element.transfer, upper, lower);
            // v = c y0 - i s y1 in front of the second coupler
            watch.see(index, &mix(c, -s, upper, lower), &phi);
        } else {
            let m = &element.transfer;
            // v = c z0 + i s z1 behind the second coupler, which is symmetric
            let theta = mix(c, s, upper, lower);
            cross::<T, FMA>(&[m[0], m[1], m[4], m[5], m[2], m[3], m[6], m[7]], upper, lower);
            watch.see(index, &theta, upper);
        }
    }
}

/// `c·upper + i s·lower`.
#[inline(always)]
fn mix<T: Real>(c: T, s: T, upper: &Waveguide<T>, lower: &Waveguide<T>) -> Waveguide<T> {
    let mut mixed = Waveguide::default();
    for lane in 0..LANES {
        mixed.re[lane] = c * upper.re[lane] - s * lower.im[lane];
        mixed.im[lane] = c * upper.im[lane] + s * lower.re[lane];
    }
    mixed
}
