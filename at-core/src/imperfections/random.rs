//! Counter-based random numbers: every draw is a function of a key and a counter, so that a CPU, a GPU and the reference draw the
//! same numbers in any order, and a resumed run goes on with those it would have had.
//!
//! Philox 4x32-10 of Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11 (2011),
//! doi 10.1145/2063384.2063405; the known answers are those published with it.

use std::f64::consts::TAU;

/// Multipliers and key increments of Philox 4x32.
const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const INCREMENTS: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: u32 = 10;

/// What a chip's draws are for: the last word of a counter. Sites of signals count up
/// from 0, those of gains from [`GAIN`](site::GAIN); these count down from the end.
pub mod site {
    /// Slow drift.
    pub const DRIFT: u32 = u32::MAX;
    /// Phase shifters, drawn at fabrication.
    pub const SHIFTERS: u32 = u32::MAX - 1;
    /// Where writings of non-volatile cells end.
    pub const WRITING: u32 = u32::MAX - 2;
    /// The gain common to a whole pass, one per site of a signal.
    pub const GAIN: u32 = 1 << 31;
}

/// The key of chip number `seed`.
pub fn key(seed: u64) -> [u32; 2] {
    [seed as u32, (seed >> 32) as u32]
}

/// Four uniform 32-bit words.
pub fn philox(key: [u32; 2], counter: [u32; 4]) -> [u32; 4] {
    let (mut c, mut k) = (counter, key);
    for round in 0..ROUNDS {
        if round > 0 {
            k = [k[0].wrapping_add(INCREMENTS[0]), k[1].wrapping_add(INCREMENTS[1])];
        }
        let [a, b] = [c[0], c[2]];
        let product = |index: usize, factor: u32| u64::from(MULTIPLIERS[index]) * u64::from(factor);
        let (p, q) = (product(0, a), product(1, b));
        c = [(q >> 32) as u32 ^ c[1] ^ k[0], q as u32, (p >> 32) as u32 ^ c[3] ^ k[1], p as u32];
    }
    c
}

/// A uniform number in (0, 1) from a word's upper 23 bits: `(n + ½)/2²³`, which `f32` holds exactly.
pub fn uniform(word: u32) -> f64 {
    (f64::from(word >> 9) + 0.5) / f64::from(1_u32 << 23)
}

/// Four draws of N(0, 1), in pairs by Box and Muller: `√(-2 ln u)·(cos, sin)(2πv)`. None exceeds 5.8.
pub fn normals(key: [u32; 2], counter: [u32; 4]) -> [f64; 4] {
    let words = philox(key, counter);
    let pair = |u: u32, v: u32| {
        let radius = (-2.0 * uniform(u).ln()).sqrt();
        let (sine, cosine) = (TAU * uniform(v)).sin_cos();
        [radius * cosine, radius * sine]
    };
    let ([a, b], [c, d]) = (pair(words[0], words[1]), pair(words[2], words[3]));
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_gives_the_published_answers() {
        let ones = u32::MAX;
        assert_eq!(philox([0; 2], [0; 4]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([ones; 2], [ones; 4]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        let digits_of_pi = [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344];
        let answer = [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1];
        assert_eq!(philox([0xa409_3822, 0x299f_31d0], digits_of_pi), answer);
    }

    #[test]
    fn normals_have_the_moments_of_the_normal_distribution() {
        let count = 50_000;
        let draws: Vec<[f64; 4]> = (0..count).map(|k| normals(key(7), [k, 0, 0, 0])).collect();
        let mean = |of: &dyn Fn(&[f64; 4]) -> f64| draws.iter().map(of).sum::<f64>() / f64::from(count);
        for i in 0..4 {
            // deviations of the means: 1/√n, √2/√n, √96/√n
            assert!(mean(&|x| x[i]).abs() < 0.02, "{i}");
            assert!((mean(&|x| x[i].powi(2)) - 1.0).abs() < 0.03, "{i}");
            assert!((mean(&|x| x[i].powi(4)) - 3.0).abs() < 0.2, "{i}");
            for j in 0..i {
                assert!(mean(&|x| x[i] * x[j]).abs() < 0.02, "{i} {j}");
            }
        }
        assert_eq!(uniform(0), 2f64.powi(-24));
        assert_eq!(uniform(u32::MAX), 1.0 - 2f64.powi(-24));
    }
}
