//! Sines and cosines of many angles at once.

use pulp::{Simd, WithSimd};

/// 2/π, and π/2 as the sum of two `f64`: together good to 107 bits.
const TURNS: f64 = std::f64::consts::FRAC_2_PI;
const QUARTER: [f64; 2] = [std::f64::consts::FRAC_PI_2, 6.123_233_995_736_766e-17];

/// Above this the reduction would lose digits; such angles go to the standard library.
const LARGEST: f64 = 1e9;

/// Adding this to `|x| < 2^51` leaves x, rounded to the nearest whole number, in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5·2^52

/// Angles per pass of the vector loops.
const CHUNK: usize = 64;

/// Writes the sine and cosine of every angle (radians); the three have one length. Within 2 units in the last place of the
/// larger of the two.
pub fn sines_and_cosines(angles: &[f64], sines: &mut [f64], cosines: &mut [f64]) {
    let outputs = sines.chunks_mut(CHUNK).zip(cosines.chunks_mut(CHUNK));
    for (angles, (sines, cosines)) in angles.chunks(CHUNK).zip(outputs) {
        if angles.iter().all(|angle| angle.abs() < LARGEST) {
            pulp::Arch::new().dispatch(Chunk { angles, sines, cosines });
        } else {
            one_by_one(angles, sines, cosines);
        }
    }
}

fn one_by_one(angles: &[f64], sines: &mut [f64], cosines: &mut [f64]) {
    for (angle, (sine, cosine)) in angles.iter().zip(sines.iter_mut().zip(cosines)) {
        (*sine, *cosine) = angle.sin_cos();
    }
}

struct Chunk<'a> {
    angles: &'a [f64],
    sines: &'a mut [f64],
    cosines: &'a mut [f64],
}

impl WithSimd for Chunk<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Chunk { angles, sines, cosines } = self;
        if S::IS_SCALAR {
            return one_by_one(angles, sines, cosines);
        }
        let lanes = size_of::<S::f64s>() / size_of::<f64>();
        let outputs = sines.chunks_mut(lanes).zip(cosines.chunks_mut(lanes));
        for (angles, (sines, cosines)) in angles.chunks(lanes).zip(outputs) {
            let (sine, cosine) = sine_and_cosine(simd, simd.partial_load_f64s(angles));
            simd.partial_store_f64s(sines, sine);
            simd.partial_store_f64s(cosines, cosine);
        }
    }
}

/// With x = r + k·π/2 and |r| ≤ π/4, the Taylor series of sin r and cos r, whose next terms are below 1e-18, exchanged and
/// signed by k.
#[inline(always)]
fn sine_and_cosine<S: Simd>(simd: S, angle: S::f64s) -> (S::f64s, S::f64s) {
    let number = |value: f64| simd.splat_f64s(value);
    let bits = |value: u64| simd.splat_u64s(value);
    let shifted = simd.mul_add_e_f64s(angle, number(TURNS), number(ROUND));
    let quadrant = simd.transmute_u64s_f64s(shifted);
    let k = simd.sub_f64s(shifted, number(ROUND));
    let near = simd.negate_mul_add_e_f64s(k, number(QUARTER[0]), angle);
    let r = simd.negate_mul_add_e_f64s(k, number(QUARTER[1]), near);
    let square = simd.mul_f64s(r, r);
    let sine = simd.mul_add_e_f64s(r, simd.mul_f64s(square, series(simd, square, SINE)), r);
    let cosine = simd.mul_add_e_f64s(square, series(simd, square, COSINE), number(1.0));
    let is_set = |value: S::u64s, bit: u64| simd.equal_u64s(simd.and_u64s(value, bits(bit)), bits(bit));
    let swap = is_set(quadrant, 1);
    let signed = |value: S::f64s, quadrant: S::u64s| {
        let sign = simd.select_u64s(is_set(quadrant, 2), bits(1 << 63), bits(0));
        simd.transmute_f64s_u64s(simd.xor_u64s(simd.transmute_u64s_f64s(value), sign))
    };
    let next = simd.add_u64s(quadrant, bits(1));
    (signed(simd.select_f64s(swap, cosine, sine), quadrant), signed(simd.select_f64s(swap, sine, cosine), next))
}

/// `Σ cₙ xⁿ`.
#[inline(always)]
fn series<S: Simd>(simd: S, x: S::f64s, coefficients: [f64; 8]) -> S::f64s {
    let [first @ .., last] = coefficients;
    let sum = simd.splat_f64s(last);
    first.into_iter().rev().fold(sum, |sum, coefficient| simd.mul_add_e_f64s(sum, x, simd.splat_f64s(coefficient)))
}

/// `(-1)ⁿ / (2n+1)!` from n = 1.
const SINE: [f64; 8] = reciprocal_factorials(3);
/// `(-1)ⁿ / (2n)!` from n = 1.
const COSINE: [f64; 8] = reciprocal_factorials(2);

const fn reciprocal_factorials(first: u32) -> [f64; 8] {
    let mut values = [0.0; 8];
    let mut n = 0;
    let mut factorial = 1.0;
    let mut factor = 2;
    while n < 8 {
        while factor <= first + 2 * n as u32 {
            factorial *= factor as f64; // exact: 18! < 2^53
            factor += 1;
        }
        values[n] = if n % 2 == 0 { -1.0 / factorial } else { 1.0 / factorial };
        n += 1;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_those_of_the_standard_library() {
        let mut angles: Vec<f64> = (-4000..4000).map(|k| f64::from(k) * 0.0097).collect();
        angles.extend((-64..64).map(|k| f64::from(k) * std::f64::consts::FRAC_PI_4));
        angles.extend([0.0, 1e-300, 123_456.789, -9.9e8, 1e15, f64::MAX]);
        let (mut sines, mut cosines) = (vec![0.0; angles.len()], vec![0.0; angles.len()]);
        sines_and_cosines(&angles, &mut sines, &mut cosines);
        for (angle, (sine, cosine)) in angles.iter().zip(sines.iter().zip(&cosines)) {
            let error = (sine - angle.sin()).abs().max((cosine - angle.cos()).abs());
            assert!(error <= 2.0 * f64::EPSILON, "{angle}: {sine}, {cosine}, off by {error:e}");
        }
        let small = [1e-9];
        sines_and_cosines(&small, &mut sines[..1], &mut cosines[..1]);
        assert_eq!(sines[0], 1e-9);
        sines_and_cosines(&[f64::NAN, f64::INFINITY], &mut sines[..2], &mut cosines[..2]);
        assert!(sines[..2].iter().chain(&cosines[..2]).all(|value| value.is_nan()));
    }

    /// Why a run that goes on with other vector instructions says so.
    #[test]
    fn last_digits_depend_on_the_instruction_set() {
        let angles: Vec<f64> = (0..8000).map(|k| f64::from(k) * 0.0097).collect();
        let mut results = [(); 2].map(|()| (vec![0.0; angles.len()], vec![0.0; angles.len()]));
        sines_and_cosines(&angles, &mut results[0].0, &mut results[0].1);
        one_by_one(&angles, &mut results[1].0, &mut results[1].1);
        let scalar = matches!(pulp::Arch::new(), pulp::Arch::Scalar);
        assert_eq!(results[0] == results[1], scalar);
    }
}
