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
    fn with_simd<S: Simd>(self, _: S) {
        let Chunk { angles, sines, cosines } = self;
        if S::IS_SCALAR {
            return one_by_one(angles, sines, cosines);
        }
        for (&angle, (sine, cosine)) in angles.iter().zip(sines.iter_mut().zip(cosines)) {
            (*sine, *cosine) = sine_and_cosine(angle);
        }
    }
}

/// With x = r + k·π/2 and |r| ≤ π/4, the Taylor series of sin r and cos r, whose next terms are below 1e-18, exchanged and
/// signed by k.
#[inline(always)]
fn sine_and_cosine(angle: f64) -> (f64, f64) {
    let shifted = angle.mul_add(TURNS, ROUND);
    let quadrant = shifted.to_bits();
    let k = shifted - ROUND;
    let r = (-k).mul_add(QUARTER[1], (-k).mul_add(QUARTER[0], angle));
    let square = r * r;
    let sine = r.mul_add(square * series(square, SINE), r);
    let cosine = square.mul_add(series(square, COSINE), 1.0);
    let swap = quadrant & 1 == 1;
    let (a, b) = if swap { (cosine, sine) } else { (sine, cosine) };
    let sign = |value: f64, quadrant: u64| f64::from_bits(value.to_bits() ^ ((quadrant & 2) << 62));
    (sign(a, quadrant), sign(b, quadrant + 1))
}

/// `Σ cₙ xⁿ`. Written out: the loop around it becomes one of vectors only where there is no loop within.
#[inline(always)]
fn series(x: f64, [c0, c1, c2, c3, c4, c5, c6, c7]: [f64; 8]) -> f64 {
    let high = c7.mul_add(x, c6).mul_add(x, c5).mul_add(x, c4);
    high.mul_add(x, c3).mul_add(x, c2).mul_add(x, c1).mul_add(x, c0)
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
