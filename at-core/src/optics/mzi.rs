//! One Mach-Zehnder interferometer with two couplers of independent angle errors.

use crate::Real;
use num_complex::Complex;

/// Cosine and sine of a coupler's angle π/4 + δ: the amplitudes that stay and that cross.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coupler<T> {
    /// cos(π/4 + δ), the amplitude that stays in its waveguide.
    pub c: T,
    /// sin(π/4 + δ), the amplitude that crosses.
    pub s: T,
}

impl<T: Real> Coupler<T> {
    /// The coupler with angle error `delta` (radians); 0 splits the power in halves.
    pub fn new(delta: f64) -> Self {
        let (s, c) = (std::f64::consts::FRAC_PI_4 + delta).sin_cos();
        Coupler { c: T::of(c), s: T::of(s) }
    }
}

/// Angle error δ of a coupler with power-split error ε: c² = (1+ε)/2, so δ = -asin(ε)/2. NaN for |ε| > 1.
pub fn angle_of_split(epsilon: f64) -> f64 {
    -0.5 * epsilon.asin()
}

/// Power-split error ε = -sin 2δ of a coupler with angle error δ.
pub fn split_of_angle(delta: f64) -> f64 {
    -(2.0 * delta).sin()
}

/// Transfer matrix of an MZI, `[row][column]` with columns the inputs.
///
/// `M = B(δ2)·diag(e^{iθ},1)·B(δ1)·diag(e^{iφ},1)`; for ideal couplers
/// `i e^{iθ/2} [[e^{iφ} sin(θ/2), cos(θ/2)], [e^{iφ} cos(θ/2), -sin(θ/2)]]`: θ = π is the bar state, θ = 0 the cross state.
pub fn mzi_transfer(theta: f64, phi: f64, first: Coupler<f64>, second: Coupler<f64>) -> [[Complex<f64>; 2]; 2] {
    mzi_of_phasors(Complex::cis(theta), Complex::cis(phi), first, second)
}

/// The same of `t = e^{iθ}` and `f = e^{iφ}`.
pub fn mzi_of_phasors(
    t: Complex<f64>,
    f: Complex<f64>,
    first: Coupler<f64>,
    second: Coupler<f64>,
) -> [[Complex<f64>; 2]; 2] {
    let i = Complex::<f64>::i();
    [
        [f * (t * (first.c * second.c) - first.s * second.s), i * (t * (first.s * second.c) + first.c * second.s)],
        [i * f * (t * (first.c * second.s) + first.s * second.c), -t * (first.s * second.s) + first.c * second.c],
    ]
}

/// Derivative of [`mzi_transfer`] with respect to θ.
pub fn mzi_theta_derivative(theta: f64, phi: f64, first: Coupler<f64>, second: Coupler<f64>) -> [[Complex<f64>; 2]; 2] {
    let (t, f) = (Complex::cis(theta), Complex::cis(phi));
    let i = Complex::<f64>::i();
    [
        [i * f * t * (first.c * second.c), -t * (first.s * second.c)],
        [-f * t * (first.c * second.s), -i * t * (first.s * second.s)],
    ]
}

/// Derivative of [`mzi_transfer`] with respect to φ: i times its first column.
pub fn mzi_phi_derivative(theta: f64, phi: f64, first: Coupler<f64>, second: Coupler<f64>) -> [[Complex<f64>; 2]; 2] {
    let m = mzi_transfer(theta, phi, first, second);
    let zero = Complex::new(0.0, 0.0);
    [[Complex::<f64>::i() * m[0][0], zero], [Complex::<f64>::i() * m[1][0], zero]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    const IDEAL: f64 = 0.0;

    #[test]
    fn theta_pi_is_bar_and_theta_zero_is_cross() {
        let coupler = Coupler::new(IDEAL);
        let bar = mzi_transfer(PI, 0.3, coupler, coupler);
        let cross = mzi_transfer(0.0, 0.3, coupler, coupler);
        assert!((bar[0][0].norm() - 1.0).abs() < 1e-15 && bar[1][0].norm() < 1e-15);
        assert!((cross[1][0] - Complex::<f64>::i() * Complex::cis(0.3)).norm() < 1e-15 && cross[0][0].norm() < 1e-15);
    }

    #[test]
    fn derivatives_match_central_differences() {
        let (theta, phi, h) = (0.7, -1.1, 1e-5);
        let (first, second) = (Coupler::new(0.08), Coupler::new(-0.05));
        let cases = [
            (
                mzi_theta_derivative(theta, phi, first, second),
                mzi_transfer(theta + h, phi, first, second),
                mzi_transfer(theta - h, phi, first, second),
            ),
            (
                mzi_phi_derivative(theta, phi, first, second),
                mzi_transfer(theta, phi + h, first, second),
                mzi_transfer(theta, phi - h, first, second),
            ),
        ];
        for (derivative, plus, minus) in cases {
            for row in 0..2 {
                for column in 0..2 {
                    let difference = (plus[row][column] - minus[row][column]) / (2.0 * h);
                    assert!((difference - derivative[row][column]).norm() < 1e-9);
                }
            }
        }
    }

    #[test]
    fn split_and_angle_errors_convert_both_ways() {
        let coupler = Coupler::<f64>::new(angle_of_split(0.1));
        assert!((coupler.c * coupler.c - 0.55).abs() < 1e-15);
        assert!((split_of_angle(angle_of_split(-0.07)) + 0.07).abs() < 1e-15);
    }
}
