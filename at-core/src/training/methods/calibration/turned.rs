//! Which θ is the bar state of an MZI whose φ is dead.
//!
//! What θ does to light that always enters alike, a turn of that light does as well, so that the MZI's own readouts do not tell. The column in front does: what its MZIs
//! hand to the waveguides in question is missing from their other outputs, which have detectors of their own, and at θ + δ
//!
//! ```text
//! P2 − P1 = cos(θ + δ)·(|u|² − |v|²) + sin(θ + δ)·2 Re uv*        |u|² = … − P of the other output above, |v|² = … − P of that below
//! ```
//!
//! in which the phase between u and v is anything.

use super::super::chain::Place;
use super::asking::Answers;
use super::column::{Column, bright, means, spread};
use super::least_squares::dot;
use super::light::Light;
use super::reading::{Transfer, carried, product};
use super::straight::Known;
use num_complex::Complex64;
use rayon::prelude::*;
use std::f64::consts::TAU;

/// Angles that are looked at, and halvings of their distance.
const ANGLES: usize = 48;
const HALVINGS: usize = 12;

impl Column<'_> {
    /// MZIs of the column behind whose φ is dead, and whose θ is not.
    pub fn turned(&self, estimate: &[f64]) -> Vec<Place> {
        let behind = self.column + 1;
        if behind >= self.chain.columns() {
            return Vec::new();
        }
        let is = |place: &Place| !self.ways.dead(place.theta, estimate) && self.ways.dead(place.phi, estimate);
        self.chain.places(behind).into_iter().filter(is).collect()
    }

    /// Finds the errors of θ of `turned` MZIs of the column behind from `answers`, settings of this column and of their θ.
    pub fn turn_back(&self, turned: &[Place], answers: &Answers, estimate: &mut [f64], light: &mut Light) {
        let modes = self.chain.modes();
        let powers = self.powers(answers, self.column, estimate);
        let bright = bright(&means(&powers), modes);
        // a nonlinearity between both is only undone of light that went straight behind it
        let next = Column { column: self.column + 1, ..*self };
        let behind = next.powers(answers, next.column, estimate);
        let known = self.known(estimate);
        let find = |place: &Place| -> f64 {
            let difference = |own: &[f64], at: usize| own[at + place.row + 1] - own[at + place.row];
            let read = spread(&behind, modes, &bright, difference);
            let above = |own: &[f64], at: usize| place.row.checked_sub(1).map_or(0.0, |row| -own[at + row]);
            let below = |own: &[f64], at: usize| if place.row + 2 < modes { own[at + place.row + 2] } else { 0.0 };
            let entering = [spread(&powers, modes, &bright, above), spread(&powers, modes, &bright, below)];
            let told = known.turns(answers, place.theta);
            let explained = |angle: f64| explained(&read, &entering, &told, angle);
            nearest(explained)
        };
        let found: Vec<f64> = turned.par_iter().map(find).collect();
        for (place, error) in turned.iter().zip(found) {
            self.turn_to(place, error, estimate, &mut light.pairs);
        }
    }

    /// The same of MZIs of the first column, by the light that was sent.
    pub fn turn_first(&self, estimate: &mut [f64], light: &mut Light) {
        let is = |place: &Place| !self.ways.dead(place.theta, estimate) && self.ways.dead(place.phi, estimate);
        for place in self.chain.places(0).into_iter().filter(is).collect::<Vec<_>>() {
            self.turn_by(&place, self.inputs, estimate, &mut light.pairs);
        }
    }

    /// The same of the MZI `place` that `sent` enters, as far as its powers, and `found` as far as its own readouts tell.
    pub fn turn_by(&self, place: &Place, sent: &[Complex64], estimate: &mut [f64], found: &mut [Complex64]) {
        let modes = self.chain.modes();
        let known = self.known(estimate);
        let missed = |angle: f64| -> f64 {
            let turn = known_turn(&known, place, Complex64::cis(angle));
            let share = |[u, v]: [Complex64; 2]| {
                let both = [u, v].map(|z| z.norm_sqr());
                if both[0] + both[1] > 0.0 { (both[0] - both[1]) / (both[0] + both[1]) } else { 0.0 }
            };
            let samples = sent.chunks_exact(modes).zip(found.chunks_exact(modes));
            let pair = |own: &[Complex64]| [own[place.row], own[place.row + 1]];
            samples.map(|(sent, own)| (share(pair(sent)) - share(carried(&turn, pair(own)))).powi(2)).sum()
        };
        let angle = nearest(|angle| -missed(angle));
        self.turn_to(place, estimate[place.error] - angle, estimate, found);
    }

    /// Takes `error` for that of θ of an MZI whose φ is dead, and turns its light as that wants.
    fn turn_to(&self, place: &Place, error: f64, estimate: &mut [f64], found: &mut [Complex64]) {
        let ahead = Complex64::cis(estimate[place.error] - error);
        let back = known_turn(&self.known(estimate), place, ahead);
        for own in found.chunks_exact_mut(self.chain.modes()) {
            let turned = carried(&back, [own[place.row], own[place.row + 1]]);
            own[place.row..place.row + 2].copy_from_slice(&turned);
        }
        estimate[place.error] = error;
    }
}

/// The angle of which `of` is most.
pub fn nearest(of: impl Fn(f64) -> f64) -> f64 {
    let better = |a: f64, b: f64| if of(b) > of(a) { b } else { a };
    let mut step = TAU / ANGLES as f64;
    let mut best = (1..ANGLES).map(|own| TAU * own as f64 / ANGLES as f64).fold(0.0, better);
    for _ in 0..HALVINGS {
        step *= 0.5;
        best = [best - step, best + step].into_iter().fold(best, better);
    }
    best
}

/// What light in front of an MZI is turned by where its θ is taken for so much less: `C⁻¹·diag(ahead, 1)·C` with its first coupler C.
fn known_turn(known: &Known<'_>, place: &Place, ahead: Complex64) -> Transfer {
    let [[a, b], [c, d]] = known.first_coupler(place);
    let own = [[a * ahead, b * ahead], [c, d]];
    product(&[[a.conj(), c.conj()], [b.conj(), d.conj()]], &own)
}

/// How much of what was `read [sample, setting]` is `cos(θ + angle)·(a constant of the sample + Σ g·entering)`, with a g for what enters from above and from below; none
/// where these are negative. One of them is 0 where other light meets the output that tells it.
fn explained(read: &[f64], entering: &[Vec<f64>; 2], told: &[Complex64], angle: f64) -> f64 {
    let turn = Complex64::cis(angle);
    let cosines: Vec<f64> = told.iter().map(|own| (own * turn).re).collect();
    let all = dot(&cosines, &cosines).max(f64::MIN_POSITIVE);
    // without what is along the cosines, which a constant accounts for
    let (mut constant, mut toward, mut normal) = (0.0, [0.0; 2], [[0.0; 2]; 2]);
    for (sample, read) in read.chunks_exact(told.len()).enumerate() {
        let first = dot(read, &cosines);
        constant += first * first / all;
        let moved = [0, 1].map(|side| -> Vec<f64> {
            let own = &entering[side][sample * told.len()..][..told.len()];
            let moved: Vec<f64> = own.iter().zip(&cosines).map(|(own, cosine)| own * cosine).collect();
            let along = dot(&moved, &cosines) / all;
            moved.iter().zip(&cosines).map(|(own, cosine)| own - along * cosine).collect()
        });
        for side in [0, 1] {
            toward[side] += dot(read, &moved[side]);
            (0..2).for_each(|other| normal[side][other] += dot(&moved[side], &moved[other]));
        }
    }
    let [[a, b], [_, c]] = normal;
    let one = |side: usize| if toward[side] > 0.0 { toward[side].powi(2) / normal[side][side] } else { 0.0 };
    let both = {
        let determinant = a * c - b * b;
        let [g, h] = [c * toward[0] - b * toward[1], a * toward[1] - b * toward[0]];
        let positive = determinant > 1e-9 * a * c && g >= 0.0 && h >= 0.0;
        if positive { (g * toward[0] + h * toward[1]) / determinant } else { 0.0 }
    };
    let best = both.max(one(0)).max(one(1));
    if best > 0.0 { constant + best } else { f64::NEG_INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of six samples of light, the angle at which most is explained, with the phase between both inputs anything.
    #[test]
    fn the_angle_is_found_and_not_that_half_a_turn_further() {
        let (settings, samples, wanted) = (72, 6, 0.9);
        let noise = |k: usize, shift: f64| (40.0 * (1.7 * k as f64 + shift).sin()).sin();
        let told: Vec<Complex64> = (0..settings).map(|k| Complex64::cis(40.0 * (2.3 * k as f64).sin())).collect();
        let [above, below] = [0.3, 1.1]
            .map(|shift| -> Vec<f64> { (0..samples * settings).map(|k| 0.5 + 0.4 * noise(k, shift)).collect() });
        let read = |(k, (above, below)): (usize, (&f64, &f64))| {
            // powers of the upper and the lower input: what its front does not hand to the other output
            let (upper, lower) = (1.0 + 0.1 * (k / settings) as f64 - above, 1.2 - below);
            let turned = told[k % settings] * Complex64::cis(wanted);
            turned.re * (upper - lower) + turned.im * 2.0 * (upper * lower).sqrt() * noise(k, 2.0)
        };
        let read: Vec<f64> = above.iter().zip(&below).enumerate().map(read).collect();
        let entering = [above.iter().map(|own| -own).collect(), below];
        let of = |angle: f64| explained(&read, &entering, &told, angle);
        let best = (0..ANGLES).map(|step| TAU * step as f64 / ANGLES as f64).max_by(|a, b| of(*a).total_cmp(&of(*b)));
        assert!((best.unwrap() - wanted).abs() < 0.2, "{best:?}");
        assert_eq!(of(wanted + TAU / 2.0), f64::NEG_INFINITY);
    }
}
