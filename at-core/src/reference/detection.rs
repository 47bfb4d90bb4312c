//! Photodetection: fields become real numbers.

use crate::network::Detection;
use num_complex::Complex64;

/// What the detectors read. Samples lie one after the other, so a pair of neighbours never crosses two samples.
pub fn forward(detection: Detection, signal: &[f64]) -> Vec<f64> {
    let fields: &[Complex64] = bytemuck::cast_slice(signal);
    match detection {
        Detection::Intensity => fields.iter().map(|z| z.norm_sqr()).collect(),
        Detection::Amplitude => fields.iter().map(|z| z.norm()).collect(),
        Detection::Balanced => fields.chunks_exact(2).map(|pair| pair[0].norm_sqr() - pair[1].norm_sqr()).collect(),
        Detection::Homodyne { phase } => fields.iter().map(|z| (z * Complex64::cis(-phase)).re).collect(),
    }
}

/// `a = ∂L/∂z*` from `e = dL/du`: `e·z` for a power, `½e·z/|z|` for an amplitude, `½e·e^{iφ}` for a real part.
pub fn backward(detection: Detection, signal: &[f64], error: &[f64]) -> Vec<f64> {
    let fields: &[Complex64] = bytemuck::cast_slice(signal);
    let adjoint = |(index, z): (usize, &Complex64)| match detection {
        Detection::Intensity => z * error[index],
        Detection::Amplitude if z.norm() == 0.0 => Complex64::new(0.0, 0.0),
        Detection::Amplitude => z / z.norm() * (0.5 * error[index]),
        Detection::Balanced if index % 2 == 0 => z * error[index / 2],
        Detection::Balanced => -z * error[index / 2],
        Detection::Homodyne { phase } => Complex64::cis(phase) * (0.5 * error[index]),
    };
    let adjoint: Vec<Complex64> = fields.iter().enumerate().map(adjoint).collect();
    bytemuck::cast_slice(&adjoint).to_vec()
}
