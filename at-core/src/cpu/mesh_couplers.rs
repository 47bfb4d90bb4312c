//! MZIs with couplers of their own as the real rotations of ideal ones ([`super::mesh_rotations`]).
//!
//! Every lossless MZI is a rotation between phases: with couplers B of angles π/4 + δ1 and π/4 + δ2, t = e^{iθ},
//!
//! ```text
//! M = B(δ2) diag(t, 1) B(δ1) diag(e^{iφ}, 1) = diag(e^{iβ}, e^{iα}) [[s, c], [c, -s]] diag(e^{iτ}, 1)
//! s e^{iα} = -M_11      c e^{iβ} = M_01      s e^{i(β + τ)} = M_00      c e^{i(α + τ)} = M_10
//! ```
//!
//! α and β leave with the light, as the common phase of an ideal MZI does. τ follows from whichever of M_00 and M_10 is larger, so that
//! no phase of a vanishing number is trusted: near the bar and the cross state, errors of β or α meet their own small amplitude only.
//!
//! **Slopes.** A parameter p of an MZI turns its outputs y by a Hermitian H, `dM/dp = i H M`, so that with adjoints a
//!
//! ```text
//! dL/dp = -2 Im Σ a† H y = -2 (h_0 P_0 + h_1 P_1 + Re h·E + Im h·D)      P_k = Σ Im a_k* y_k
//! D = Σ Re(a_0* y_1 - a_1* y_0)      E = Σ Im(a_0* y_1 + a_1* y_0)      H = [[h_0, h], [h*, h_1]]
//!
//! θ:   h_0 = c2², h_1 = s2², h = -i c2 s2
//! δ1:  h_0 = -h_1 = 2 c2 s2 sin θ, h = cos θ + i (c2² - s2²) sin θ
//! δ2:  h_0 = h_1 = 0, h = 1
//! ```
//!
//! The loops hold light and adjoints without their phases, so that D and E belong to `h e^{i(α - β)}`. One sum more than an ideal MZI
//! needs gives the slopes of all four parameters.

use super::mesh_order::Place;
use super::sines::sines_and_cosines;
use crate::optics::mzi::Coupler;
use num_complex::Complex64;
use rayon::prelude::*;

/// MZIs whose coefficients are computed together.
const CHUNK: usize = 32;

/// Chunks below which a second thread does not pay.
const CHUNKS: usize = 16;

/// One MZI as a rotation, before it meets the phases that light brings along.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Turned {
    /// s, c.
    pub(super) split: [f64; 2],
    /// `e^{iτ}`.
    pub(super) turn: Complex64,
    /// `e^{iβ}`, `e^{iα}`: what light on the upper and on the lower waveguide takes along.
    pub(super) leaving: [Complex64; 2],
    /// `e^{iθ}`.
    theta: Complex64,
}

impl Turned {
    /// The MZI of phases `e^{iθ}`, `e^{iφ}` and these couplers.
    fn new(theta: Complex64, phi: Complex64, [first, second]: [Coupler<f64>; 2]) -> Self {
        let i = Complex64::i();
        let (upper_left, lower_left) = (
            theta * (first.c * second.c) - first.s * second.s,
            i * (theta * (first.c * second.s) + first.s * second.c),
        );
        let (upper_right, lower_right) = (
            i * (theta * (first.s * second.c) + first.c * second.s),
            first.c * second.c - theta * (first.s * second.s),
        );
        let (s, c) = (lower_right.norm_sqr().sqrt(), upper_right.norm_sqr().sqrt());
        let unit = |z: Complex64, size: f64| if size > 0.0 { z / size } else { Complex64::ONE };
        let (alpha, beta) = (unit(-lower_right, s), unit(upper_right, c));
        let turn = if s >= c { unit(upper_left, s) * beta.conj() } else { unit(lower_left, c) * alpha.conj() };
        Turned { split: [s, c], turn: turn * phi, leaving: [beta, alpha], theta }
    }

    /// `dL/dθ, dL/dδ1, dL/dδ2` from P_0 and P_1 at the outputs, D and E.
    pub(super) fn slopes(&self, second: Coupler<f64>, powers: [f64; 2], difference: f64, sum: f64) -> [f64; 3] {
        let [beta, alpha] = self.leaving;
        let between = alpha * beta.conj();
        let slope = |h: [f64; 2], mixed: Complex64| {
            let mixed = mixed * between;
            -2.0 * (h[0] * powers[0] + h[1] * powers[1] + mixed.re * sum + mixed.im * difference)
        };
        let (cc, ss, cs) = (second.c * second.c, second.s * second.s, second.c * second.s);
        let (cos, sin) = (self.theta.re, self.theta.im);
        [
            slope([cc, ss], Complex64::new(0.0, -cs)),
            slope([2.0 * cs * sin, -2.0 * cs * sin], Complex64::new(cos, (cc - ss) * sin)),
            slope([0.0; 2], Complex64::ONE),
        ]
    }
}

/// Every MZI in these `places` as a rotation; `phases` gives θ and φ, `couplers` has two per control index.
pub(super) fn turn_all(
    places: &[Place],
    phases: impl Fn(usize) -> [f64; 2] + Sync,
    couplers: &[[Coupler<f64>; 2]],
    turned: &mut [Turned],
) {
    let chunks = turned.par_chunks_mut(CHUNK).zip(places.par_chunks(CHUNK)).with_min_len(CHUNKS);
    chunks.for_each(|(turned, places)| {
        let [mut angles, mut sines, mut cosines] = [[0.0; 2 * CHUNK]; 3];
        for (angles, &(mzi, _)) in angles.chunks_exact_mut(2).zip(places) {
            angles.copy_from_slice(&phases(mzi as usize));
        }
        let used = 2 * places.len();
        sines_and_cosines(&angles[..used], &mut sines[..used], &mut cosines[..used]);
        for (k, (slot, &(mzi, _))) in turned.iter_mut().zip(places).enumerate() {
            let unit = |index: usize| Complex64::new(cosines[index], sines[index]);
            *slot = Turned::new(unit(2 * k), unit(2 * k + 1), couplers[mzi as usize]);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optics::mzi::mzi_transfer;
    use std::f64::consts::PI;

    /// Random states, and those where a phase has no size: bar, cross, and couplers that pass or swap all light.
    fn cases() -> Vec<(f64, f64, [f64; 2])> {
        let quarter = PI / 4.0;
        let special = [0.0, PI, 1e-9, PI - 1e-12, -PI, 0.5 * PI];
        let deltas = [[0.0; 2], [0.1, -0.2], [quarter, 0.3], [-quarter, quarter], [quarter, -quarter], [1e-10, -1e-10]];
        let some = (0..20).map(|k| (k as f64 * 0.7).sin() * 3.0);
        let angles: Vec<f64> = special.into_iter().chain(some).collect();
        angles.iter().flat_map(|&angle| deltas.map(|deltas| (angle, 1.3 * angle + 0.4, deltas))).collect()
    }

    #[test]
    fn rotations_between_phases_are_the_mzi() {
        for (theta, phi, deltas) in cases() {
            let couplers = deltas.map(Coupler::new);
            let turned = Turned::new(Complex64::cis(theta), Complex64::cis(phi), couplers);
            let ([s, c], [beta, alpha]) = (turned.split, turned.leaving);
            let own = [[beta * turned.turn * s, beta * c], [alpha * turned.turn * c, -alpha * s]];
            let expected = mzi_transfer(theta, phi, couplers[0], couplers[1]);
            for (own, expected) in own.iter().flatten().zip(expected.iter().flatten()) {
                assert!((own - expected).norm() < 1e-14, "{theta} {phi} {deltas:?}");
            }
        }
    }

    /// L = Re Σ_k w_k* y_k of a random input and random w, whose adjoint is w/2.
    #[test]
    fn slopes_are_those_of_differences() {
        let input = [Complex64::new(0.3, -0.8), Complex64::new(-0.5, 0.2)];
        let weights = [Complex64::new(-0.7, 0.4), Complex64::new(0.9, 0.6)];
        let output = |theta: f64, phi: f64, deltas: [f64; 2]| {
            let m = mzi_transfer(theta, phi, Coupler::new(deltas[0]), Coupler::new(deltas[1]));
            m.map(|row| row[0] * input[0] + row[1] * input[1])
        };
        for (theta, phi, deltas) in cases() {
            let loss = |step: [f64; 3]| {
                let y = output(theta + step[0], phi, [deltas[0] + step[1], deltas[1] + step[2]]);
                (weights[0].conj() * y[0] + weights[1].conj() * y[1]).re
            };
            let couplers = deltas.map(Coupler::new);
            let turned = Turned::new(Complex64::cis(theta), Complex64::cis(phi), couplers);
            let y = output(theta, phi, deltas);
            let bare = |z: [Complex64; 2]| [z[0] * turned.leaving[0].conj(), z[1] * turned.leaving[1].conj()];
            let (y, a) = (bare(y), bare(weights.map(|w| 0.5 * w)));
            let powers = [(a[0].conj() * y[0]).im, (a[1].conj() * y[1]).im];
            let (up, down) = (a[0].conj() * y[1], a[1].conj() * y[0]);
            let slopes = turned.slopes(couplers[1], powers, up.re - down.re, up.im + down.im);
            for (k, slope) in slopes.into_iter().enumerate() {
                let moved = |step: f64| loss(std::array::from_fn(|index| if index == k { step } else { 0.0 }));
                let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                assert!((slope - difference).abs() < 1e-9, "{theta} {phi} {deltas:?} {k}: {slope} {difference}");
            }
        }
    }
}
