//! An optical nonlinearity on every mode: a gain that depends on the power, `f(z) = h(|z|²)·z`.

use crate::optics::Activation;
use num_complex::Complex64;

/// The complex gain `h(I)` and its slope `dh/dI`.
fn gain(activation: Activation, power: f64) -> (Complex64, Complex64) {
    match activation {
        Activation::ElectroOptic { tap, gain, bias } => {
            let (half, psi) = (Complex64::new(0.0, 0.5 * (1.0 - tap).sqrt()), gain * power + bias);
            (half * (1.0 + Complex64::cis(-psi)), half * Complex64::new(0.0, -gain) * Complex64::cis(-psi))
        }
        Activation::Saturable { depth, saturation } => {
            let h = (-0.5 * depth / (1.0 + power / saturation)).exp();
            (h.into(), (h * 0.5 * depth * saturation / (saturation + power).powi(2)).into())
        }
        Activation::ModRelu { bias } if power.sqrt() > bias => {
            ((1.0 - bias / power.sqrt()).into(), (0.5 * bias * power.powf(-1.5)).into())
        }
        Activation::ModRelu { .. } => (0.0.into(), 0.0.into()),
        Activation::Spm { gain } => {
            (Complex64::cis(-gain * power), Complex64::new(0.0, -gain) * Complex64::cis(-gain * power))
        }
    }
}

/// `f(z)` of every field.
pub fn forward(activation: Activation, signal: &[f64]) -> Vec<f64> {
    let fields: &[Complex64] = bytemuck::cast_slice(signal);
    let output: Vec<Complex64> = fields.iter().map(|z| gain(activation, z.norm_sqr()).0 * z).collect();
    bytemuck::cast_slice(&output).to_vec()
}

/// `a_z = f_z*·a_f + f_{z*}·a_f*`, where `f_z = h + h'·|z|²` and `f_{z*} = h'·z²`.
pub fn backward(activation: Activation, signal: &[f64], error: &[f64]) -> Vec<f64> {
    let fields: &[Complex64] = bytemuck::cast_slice(signal);
    let adjoint: &[Complex64] = bytemuck::cast_slice(error);
    let carried = |(z, a): (&Complex64, &Complex64)| {
        let (h, slope) = gain(activation, z.norm_sqr());
        (h + slope * z.norm_sqr()).conj() * a + slope * z * z * a.conj()
    };
    let carried: Vec<Complex64> = fields.iter().zip(adjoint).map(carried).collect();
    bytemuck::cast_slice(&carried).to_vec()
}
