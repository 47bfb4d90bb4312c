//! Two vector registers interleaved, by the instruction set's own shuffles where it is one of x86.
//!
//! Compilers know the shuffles of loops over lanes, but not those of many registers at once: a transpose becomes loads and stores of single scalars.

use bytemuck::{Pod, cast};
use pulp::Simd;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use pulp::x86::{V3, V4};
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use std::any::Any;

macro_rules! interleave {
    ($name:ident, $scalar:ty, $register:ident, $low:expr, $high:expr, $permute:ident, $even:ident, $odd:ident, $halves:ident) => {
        /// `a_0 b_0 a_1 b_1 …` in two registers.
        #[inline(always)]
        #[cfg_attr(
            not(any(target_arch = "x86", target_arch = "x86_64")),
            expect(unused_variables, reason = "no shuffles of its own")
        )]
        pub(super) fn $name<S: Simd>(simd: S, a: S::$register, b: S::$register) -> [S::$register; 2] {
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            {
                let any: &dyn Any = &simd;
                if let Some(v4) = any.downcast_ref::<V4>() {
                    let (a, b) = (cast(a), cast(b));
                    return [cast($low), cast($high)].map(|order| cast(v4.avx512f.$permute(a, order, b)));
                }
                if let Some(v3) = any.downcast_ref::<V3>() {
                    let (a, b) = (cast(a), cast(b));
                    // within halves of registers
                    let (even, odd) = (v3.avx.$even(a, b), v3.avx.$odd(a, b));
                    return [cast(v3.avx.$halves::<0x20>(even, odd)), cast(v3.avx.$halves::<0x31>(even, odd))];
                }
            }
            lane_by_lane::<$scalar, S::$register>(a, b)
        }
    };
}

// in the orders lanes of b count on from those of a
interleave!(
    of_f32,
    f32,
    f32s,
    [0_u32, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23],
    [8_u32, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31],
    _mm512_permutex2var_ps,
    _mm256_unpacklo_ps,
    _mm256_unpackhi_ps,
    _mm256_permute2f128_ps
);
interleave!(
    of_f64,
    f64,
    f64s,
    [0_u64, 8, 1, 9, 2, 10, 3, 11],
    [4_u64, 12, 5, 13, 6, 14, 7, 15],
    _mm512_permutex2var_pd,
    _mm256_unpacklo_pd,
    _mm256_unpackhi_pd,
    _mm256_permute2f128_pd
);

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
