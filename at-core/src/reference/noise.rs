//! Noise, value by value.

use crate::fabrication::noise::{Draw, SignalNoise};
use crate::imperfections::random::normals;
use num_complex::Complex64;

/// `x·(1 + g ξ_pass)·(1 + r ξ_sample)·(1 + ρ ξ) + √(α² + s²|x|)·ξ'`, then the converter; of a field ρξ and αξ' are complex.
pub fn disturb(noise: &SignalNoise, draw: &Draw, signal: &[f64]) -> Vec<f64> {
    let mut disturbed = Vec::new();
    for (sample, row) in signal.chunks_exact(noise.signal.width()).enumerate() {
        let common = (1.0 + noise.gain * draw.of_pass()) * (1.0 + noise.sample * draw.of_sample(sample));
        for mode in 0..noise.signal.modes {
            let xi = normals(draw.key, draw.counter(sample, mode));
            if noise.signal.complex {
                let own = |a: f64, b: f64, size: f64| Complex64::new(a, b) / 2f64.sqrt() * size;
                let z = Complex64::new(row[2 * mode], row[2 * mode + 1]) * common;
                let z = z * (1.0 + own(xi[0], xi[1], noise.relative)) + own(xi[2], xi[3], noise.absolute);
                disturbed.extend([z.re, z.im]);
            } else {
                let x = row[mode] * common * (1.0 + noise.relative * xi[0]);
                let variance = noise.absolute.powi(2) + noise.shot.powi(2) * x.abs();
                disturbed.push(x + variance.sqrt() * xi[2]);
            }
        }
    }
    match noise.converter {
        Some(converter) => disturbed.into_iter().map(|x| converter.read(x)).collect(),
        None => disturbed,
    }
}
