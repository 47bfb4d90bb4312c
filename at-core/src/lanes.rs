//! Vector registers of `f32` or `f64`, so that a kernel is written once for both and for every instruction set.

use pulp::Simd;

/// A scalar of which a vector register holds several.
pub trait Lanes: Copy + Sized {
    /// A register of the instruction set `S`.
    type Register<S: Simd>: Copy;

    /// Scalars in a register.
    fn count<S: Simd>() -> usize {
        size_of::<Self::Register<S>>() / size_of::<Self>()
    }

    /// As many whole registers as `values` hold.
    fn registers<S: Simd>(values: &[Self]) -> &[Self::Register<S>];
    /// The same, to be written.
    fn registers_mut<S: Simd>(values: &mut [Self]) -> &mut [Self::Register<S>];
    /// `value` in every lane.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Register<S>;
    /// `a + b`.
    fn plus<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;
    /// `a·b`.
    fn multiply<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;
    /// `a·b + c`, rounded once where there is an instruction for it.
    fn multiply_add<S: Simd>(
        simd: S,
        a: Self::Register<S>,
        b: Self::Register<S>,
        c: Self::Register<S>,
    ) -> Self::Register<S>;
    /// `c - a·b`, likewise.
    fn subtract_product<S: Simd>(
        simd: S,
        c: Self::Register<S>,
        a: Self::Register<S>,
        b: Self::Register<S>,
    ) -> Self::Register<S>;
    /// `a_0 b_0 a_1 b_1 …` in two registers.
    fn interleave<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> [Self::Register<S>; 2];
    /// Sum over the lanes.
    fn sum_lanes<S: Simd>(simd: S, a: Self::Register<S>) -> Self;
}

macro_rules! lanes {
    ($scalar:ty, $register:ident, $registers:ident, $registers_mut:ident, $splat:ident, $add:ident, $multiply:ident,
     $multiply_add:ident, $negate_multiply_add:ident, $sum:ident, $interleave:path) => {
        impl Lanes for $scalar {
            type Register<S: Simd> = S::$register;

            #[inline(always)]
            fn registers<S: Simd>(values: &[Self]) -> &[Self::Register<S>] {
                S::$registers(values).0
            }

            #[inline(always)]
            fn registers_mut<S: Simd>(values: &mut [Self]) -> &mut [Self::Register<S>] {
                S::$registers_mut(values).0
            }

            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> S::$register {
                simd.$splat(value)
            }

            #[inline(always)]
            fn plus<S: Simd>(simd: S, a: S::$register, b: S::$register) -> S::$register {
                simd.$add(a, b)
            }

            #[inline(always)]
            fn multiply<S: Simd>(simd: S, a: S::$register, b: S::$register) -> S::$register {
                simd.$multiply(a, b)
            }

            #[inline(always)]
            fn multiply_add<S: Simd>(simd: S, a: S::$register, b: S::$register, c: S::$register) -> S::$register {
                simd.$multiply_add(a, b, c)
            }

            #[inline(always)]
            fn subtract_product<S: Simd>(simd: S, c: S::$register, a: S::$register, b: S::$register) -> S::$register {
                simd.$negate_multiply_add(a, b, c)
            }

            #[inline(always)]
            fn interleave<S: Simd>(simd: S, a: S::$register, b: S::$register) -> [S::$register; 2] {
                $interleave(simd, a, b)
            }

            #[inline(always)]
            fn sum_lanes<S: Simd>(simd: S, a: S::$register) -> Self {
                simd.$sum(a)
            }
        }
    };
}

lanes!(
    f32,
    f32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    splat_f32s,
    add_f32s,
    mul_f32s,
    mul_add_e_f32s,
    negate_mul_add_e_f32s,
    reduce_sum_f32s,
    crate::interleave::of_f32
);
lanes!(
    f64,
    f64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    splat_f64s,
    add_f64s,
    mul_f64s,
    mul_add_e_f64s,
    negate_mul_add_e_f64s,
    reduce_sum_f64s,
    crate::interleave::of_f64
);
