//! Optical nonlinearities on complex fields, each with its two Wirtinger derivatives.

use crate::{Error, Real, Result};
use num_complex::Complex;
use serde::{Deserialize, Serialize};

/// A nonlinearity `f(z)` on a complex field.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Activation {
    /// Electro-optic (Williamson et al., IEEE JSTQE 26, 7700412 (2020)): a tap α of the power drives a modulator on the rest,
    /// `f = i√(1-α) e^{-iψ/2} cos(ψ/2) z` with `ψ = g|z|² + φ_b`.
    ElectroOptic {
        /// Tapped power fraction α.
        tap: f64,
        /// Phase per unit of power, g (radians).
        gain: f64,
        /// Bias phase φ_b (radians); π is dark at low power.
        bias: f64,
    },
    /// Saturable absorber, `f = √T z` with power transmission `T = exp(-τ0/(1+|z|²/I_s))`.
    Saturable {
        /// Optical depth τ0 at low power.
        depth: f64,
        /// Saturation power I_s.
        saturation: f64,
    },
    /// modReLU, `f = (|z|-b)₊ z/|z|`.
    ModRelu {
        /// Amplitude b below which nothing passes.
        bias: f64,
    },
    /// Self-phase modulation, `f = z e^{-ig|z|²}`.
    Spm {
        /// Phase per unit of power, g (radians).
        gain: f64,
    },
}

impl Activation {
    /// The published mesh network's electro-optic activation: α = 0.1, g = 0.05π, φ_b = π.
    pub const ELECTRO_OPTIC: Activation =
        Activation::ElectroOptic { tap: 0.1, gain: 0.05 * std::f64::consts::PI, bias: std::f64::consts::PI };

    /// Errs where a parameter has no meaning.
    pub fn validate(&self) -> Result<()> {
        let check = |ok: bool, name, value: f64, reason: &str| {
            if ok && value.is_finite() { Ok(()) } else { Err(Error::invalid(name, value, reason)) }
        };
        match *self {
            Activation::ElectroOptic { tap, gain, bias } => {
                check((0.0..1.0).contains(&tap), "tap", tap, "a power fraction lies in [0, 1)")?;
                check(true, "gain", gain, "must be finite")?;
                check(true, "bias", bias, "must be finite")
            }
            Activation::Saturable { depth, saturation } => {
                check(depth >= 0.0, "depth", depth, "an optical depth is not negative")?;
                check(saturation > 0.0, "saturation", saturation, "a saturation power is positive")
            }
            Activation::ModRelu { bias } => check(bias >= 0.0, "bias", bias, "an amplitude is not negative"),
            Activation::Spm { gain } => check(true, "gain", gain, "must be finite"),
        }
    }

    /// `d ln|f| / d ln r` at half the `modulus` r, from 1 to 3: how fast light that is dimmer than most grows with what enters. Leaves |f(r)| in
    /// `modulus`.
    pub fn steepness(&self, modulus: &mut f64) -> f64 {
        let at = |r: f64| self.value(Complex::new(r, 0.0)).norm();
        let half = 0.5 * *modulus;
        *modulus = at(*modulus);
        ((at(1.01 * half) / at(0.99 * half)).ln() / 0.02).clamp(1.0, 3.0)
    }

    /// `f(z)`.
    #[inline]
    pub fn value<T: Real>(&self, z: Complex<T>) -> Complex<T> {
        let power = z.norm_sqr();
        match *self {
            Activation::ElectroOptic { tap, gain, bias } => {
                let half_turn = half_turn(gain, bias, power);
                Complex::new(T::zero(), T::of((1.0 - tap).sqrt()) * half_turn.re) * half_turn * z
            }
            Activation::Saturable { depth, saturation } => z.scale(saturable_gain(depth, saturation, power).0),
            Activation::ModRelu { bias } => {
                let modulus = power.sqrt();
                if modulus > T::of(bias) {
                    z.scale(T::one() - T::of(bias) / modulus)
                } else {
                    Complex::new(T::zero(), T::zero())
                }
            }
            Activation::Spm { gain } => z * Complex::cis(-T::of(gain) * power),
        }
    }

    /// The Wirtinger derivatives `(f_z, f_{z*})`.
    #[inline]
    pub fn derivatives<T: Real>(&self, z: Complex<T>) -> (Complex<T>, Complex<T>) {
        let power = z.norm_sqr();
        let i = Complex::<T>::i();
        let zero = Complex::new(T::zero(), T::zero());
        match *self {
            Activation::ElectroOptic { tap, gain, bias } => {
                let half_turn = half_turn(gain, bias, power);
                let root = Complex::new(T::zero(), T::of((1.0 - tap).sqrt()));
                let slope = i * half_turn * half_turn * T::of(0.5 * gain);
                (root * (half_turn.scale(half_turn.re) - slope.scale(power)), -(root * slope * z * z))
            }
            Activation::Saturable { depth, saturation } => {
                let (gain, slope) = saturable_gain(depth, saturation, power);
                (Complex::new(gain + slope * power, T::zero()), (z * z).scale(slope))
            }
            Activation::ModRelu { bias } => {
                let modulus = power.sqrt();
                if modulus > T::of(bias) {
                    let half = T::of(0.5 * bias) / modulus;
                    (Complex::new(T::one() - half, T::zero()), (z * z).scale(half / power))
                } else {
                    (zero, zero)
                }
            }
            Activation::Spm { gain } => {
                let g = T::of(gain);
                let turn = Complex::cis(-g * power);
                (turn * (Complex::new(T::one(), T::zero()) - i.scale(g * power)), -(i.scale(g) * turn * z * z))
            }
        }
    }

    /// Carries the adjoint `a_f = ∂L/∂f*` back to the input: `a_z = f_z* · a_f + f_{z*} · a_f*`.
    #[inline]
    pub fn backward<T: Real>(&self, z: Complex<T>, adjoint: Complex<T>) -> Complex<T> {
        let (holomorphic, conjugate) = self.derivatives(z);
        holomorphic.conj() * adjoint + conjugate * adjoint.conj()
    }
}

/// `e^{-iψ/2}` of `ψ = g·power + φ_b`. The two angles are added by the addition theorem and not as numbers: near `φ_b = π` the
/// real part is the small `-sin(g·power/2)`, of which a rounded sum of the angles would leave nothing at low power.
#[inline]
fn half_turn<T: Real>(gain: f64, bias: f64, power: T) -> Complex<T> {
    let (sin, cos) = (0.5 * bias).sin_cos();
    Complex::cis(T::of(-0.5 * gain) * power) * Complex::new(T::of(cos), T::of(-sin))
}

/// The field gain `h(I) = exp(-τ0/(2(1+I/I_s)))` and its slope `dh/dI`.
#[inline]
fn saturable_gain<T: Real>(depth: f64, saturation: f64, power: T) -> (T, T) {
    let relief = T::one() + power / T::of(saturation);
    let gain = (-T::of(0.5 * depth) / relief).exp();
    (gain, gain * T::of(0.5 * depth / saturation) / (relief * relief))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASES: [Activation; 4] = [
        Activation::ElectroOptic { tap: 0.1, gain: 0.9, bias: 2.2 },
        Activation::Saturable { depth: 1.7, saturation: 0.6 },
        Activation::ModRelu { bias: 0.4 },
        Activation::Spm { gain: 1.3 },
    ];

    #[test]
    fn wirtinger_derivatives_match_central_differences() {
        let h = 1e-6;
        for activation in CASES {
            for z in [Complex::new(0.8, -0.5), Complex::new(-0.3, 1.9), Complex::new(0.1, 0.2)] {
                let (holomorphic, conjugate) = activation.derivatives(z);
                for direction in [Complex::new(1.0, 0.0), Complex::new(0.0, 1.0), Complex::new(0.6, -0.8)] {
                    let step = direction * h;
                    let difference = (activation.value(z + step) - activation.value(z - step)) / (2.0 * h);
                    let expected = holomorphic * direction + conjugate * direction.conj();
                    assert!((difference - expected).norm() < 1e-9, "{activation:?} at {z}");
                }
            }
        }
    }

    #[test]
    fn both_forms_of_the_electro_optic_activation_are_equal() {
        let z = Complex::new(1.1, -0.4);
        let (tap, gain, bias) = (0.1, 0.9, 2.2);
        let psi: f64 = gain * z.norm_sqr() + bias;
        let expected = Complex::<f64>::i() * (1.0_f64 - tap).sqrt() * Complex::cis(-psi / 2.0) * (psi / 2.0).cos() * z;
        assert!((Activation::ElectroOptic { tap, gain, bias }.value(z) - expected).norm() < 1e-15);
    }

    #[test]
    fn little_light_is_as_exact_as_much() {
        let single = |z: Complex<f64>| Complex::new(z.re as f32, z.im as f32);
        let wide = |z: Complex<f32>| Complex::new(f64::from(z.re), f64::from(z.im));
        for activation in CASES.into_iter().chain([Activation::ELECTRO_OPTIC]) {
            for scale in [1e-3, 1e-2, 0.1, 1.0] {
                let (z, a) = (Complex::new(0.8, -0.5) * scale, Complex::new(0.3, 0.7));
                let (value, slope) = (activation.value(z), activation.backward(z, a));
                let apart = (wide(activation.value(single(z))) - value).norm() / value.norm().max(1e-30);
                let slopes_apart = (wide(activation.backward(single(z), single(a))) - slope).norm();
                assert!(
                    apart < 1e-6 && slopes_apart <= 1e-6 * slope.norm(),
                    "{activation:?} at {z}: {apart} {slopes_apart}"
                );
            }
        }
    }

    #[test]
    fn passive_activations_create_no_power() {
        for activation in CASES {
            for z in [Complex::new(0.01, 0.0), Complex::new(3.0, -2.0), Complex::new(0.0, 40.0)] {
                assert!(activation.value(z).norm() <= z.norm() * (1.0 + 1e-12), "{activation:?} at {z}");
            }
        }
    }
}
