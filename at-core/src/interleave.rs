//! Two vector registers interleaved, by the instruction set's own shuffles where it is one of x86.
//!
//! Compilers know the shuffles of loops over lanes, but not those of many registers at once: a transpose becomes loads and stores of single scalars.

use bytemuck::{Pod, cast};
use pulp::Simd;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use pulp::x86::{V3, V4};
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use std::any::Any;

/// `a_0 b_0 a_1 b_1 …` in two registers of `f32`.
#[inline(always)]
#[cfg_attr(
    not(any(target_arch = "x86", target_arch = "x86_64")),
    expect(unused_variables, reason = "no shuffles of its own")
)]
pub(super) fn of_f32<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> [S::f32s; 2] {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    {
        let any: &dyn Any = &simd;
        if let Some(v4) = any.downcast_ref::<V4>() {
            // lanes of `b` count from 16
            let (low, high) = (
                cast([0_u32, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23]),
                cast([8_u32, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31]),
            );
            let (a, b) = (cast(a), cast(b));
            return [low, high].map(|order| cast(v4.avx512f._mm512_permutex2var_ps(a, order, b)));
        }
        if let Some(v3) = any.downcast_ref::<V3>() {
            let (a, b) = (cast(a), cast(b));
            // within halves of registers
            let (even, odd) = (v3.avx._mm256_unpacklo_ps(a, b), v3.avx._mm256_unpackhi_ps(a, b));
            return [
                cast(v3.avx._mm256_permute2f128_ps::<0x20>(even, odd)),
                cast(v3.avx._mm256_permute2f128_ps::<0x31>(even, odd)),
            ];
        }
    }
    lane_by_lane::<f32, S::f32s>(a, b)
}

/// `a_0 b_0 a_1 b_1 …` in two registers of `f64`.
#[inline(always)]
#[cfg_attr(
    not(any(target_arch = "x86", target_arch = "x86_64")),
    expect(unused_variables, reason = "no shuffles of its own")
)]
pub(super) fn of_f64<S: Simd>(simd: S, a: S::f64s, b: S::f64s) -> [S::f64s; 2] {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    {
        let any: &dyn Any = &simd;
        if let Some(v4) = any.downcast_ref::<V4>() {
            // lanes of `b` count from 8
            let (low, high) = (cast([0_u64, 8, 1, 9, 2, 10, 3, 11]), cast([4_u64, 12, 5, 13, 6, 14, 7, 15]));
            let (a, b) = (cast(a), cast(b));
            return [low, high].map(|order| cast(v4.avx512f._mm512_permutex2var_pd(a, order, b)));
        }
        if let Some(v3) = any.downcast_ref::<V3>() {
            let (a, b) = (cast(a), cast(b));
            let (even, odd) = (v3.avx._mm256_unpacklo_pd(a, b), v3.avx._mm256_unpackhi_pd(a, b));
            return [
                cast(v3.avx._mm256_permute2f128_pd::<0x20>(even, odd)),
                cast(v3.avx._mm256_permute2f128_pd::<0x31>(even, odd)),
            ];
        }
    }
    lane_by_lane::<f64, S::f64s>(a, b)
}

#[inline(always)]
fn lane_by_lane<T: Pod, R: Pod>(a: R, b: R) -> [R; 2] {
    let mut both = [a, b];
    let (a, b) = ([a], [b]);
    let pairs = bytemuck::cast_slice::<R, T>(&a).iter().zip(bytemuck::cast_slice::<R, T>(&b));
    for (slots, (&a, &b)) in bytemuck::cast_slice_mut::<R, T>(&mut both).chunks_exact_mut(2).zip(pairs) {
        (slots[0], slots[1]) = (a, b);
    }
    both
}
