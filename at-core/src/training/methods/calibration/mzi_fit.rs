//! An MZI from the powers at its outputs: errors of its couplers and of θ, and the light that enters it.
//!
//! Light u, v at its inputs is told by its Stokes parameters, `s = (|u|² − |v|², 2 Re uv*, 2 Im uv*)`. Whatever M = `[[a, b], [c, d]]` it crosses,
//!
//! ```text
//! P2 − P1 = k·s,     k = ((|c|² − |a|² − |d|² + |b|²)/2, Re w, −Im w),   w = c d* − a b*
//! ```
//!
//! so that at given errors s follows by linear least squares, one of three unknowns per sample, whose matrix all samples share. The errors
//! themselves follow by Levenberg and Marquardt's method on what is left. Where waveguides between M's parts lose more or less than others, P2 − P1 has a share of the
//! light's power s0, which is known, as well: `k0·s0`, `k0 = (|c|² − |a|² + |d|² − |b|²)/2`.
//!
//! Alone, with straight light behind, half a turn of θ cannot be told: `(α, β, θ, s) → (α, −β, θ + π, −s)` has the same powers. With a second MZI
//! behind the first, on the same waveguides and at settings of its own, it can; and the second's output, of which its own errors and what is
//! behind it are a part, is fitted along, so that no error of what is behind spoils what is found.

use super::least_squares::{Powers, dot, inverse};
use crate::optics::mzi::{Coupler, mzi_of_phasors, mzi_transfer};
use num_complex::Complex64;
use std::borrow::Cow;
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI, TAU};
use std::ops::Range;

/// A transfer matrix of two waveguides, `[row][column]`.
pub type Transfer = [[Complex64; 2]; 2];

/// Unknown errors: α, β and δθ of the MZI; the phase of its upper output against the lower where they enter the second MZI, and β and δθ of that; s
/// of θ and φ.
const UNKNOWN: usize = 8;
pub type Errors = [f64; UNKNOWN];
/// Of them, those of an MZI that is met alone, those of a second one, and those of heaters.
const ALONE: Range<usize> = 0..3;
const SECOND: Range<usize> = 3..6;
const HEATERS: Range<usize> = 6..8;

/// Phases between both MZIs at which the fit is begun, and turns of δθ where it is begun anew.
const PHASES: usize = 12;
const TURNS: usize = 12;
/// How many of all beginnings are gone on with.
const BEGINNINGS: usize = 8;

/// Squares of what is left of a sample, against the median, beyond which it is no part of a fit.
const OUTLYING: f64 = 25.0;

const STEPS: usize = 6;
const TRIES: usize = 5;
const DIFFERENCE: f64 = 1e-5;
/// Longest step of one unknown (radians).
const LONGEST: f64 = 0.5;

/// The MZI behind.
#[derive(Clone)]
pub struct Second {
    /// e^{iθ} of its control in every setting.
    pub theta: Vec<Complex64>,
    /// e^{iφ}.
    pub phi: Vec<Complex64>,
    /// e^{iφ} on the lower waveguide between both.
    pub between: Vec<Complex64>,
    /// What the fields of the upper and the lower waveguide keep of themselves between both.
    pub kept: [f64; 2],
    /// Its first coupler's error.
    pub first_coupler: f64,
    /// What is behind it.
    pub behind: Transfer,
}

/// What was read of an MZI.
#[derive(Clone)]
pub struct Reading {
    /// θ of its control in every setting, and what it gets per s.
    pub theta: Vec<[f64; 2]>,
    /// The same of φ.
    pub phi: Vec<[f64; 2]>,
    /// Its s are unknown.
    pub heaters: bool,
    /// The MZI behind it; none where light goes straight.
    pub second: Option<Second>,
    /// P2 − P1, `[sample, setting]`.
    pub differences: Vec<f64>,
    /// s0 of every sample; none where no waveguide loses more than others.
    pub totals: Vec<f64>,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The errors.
    pub errors: Errors,
    /// s, of every sample.
    pub stokes: Vec<[f64; 3]>,
    /// Share of the differences' squares that is left, its root.
    pub rest: f64,
}

impl Reading {
    /// Finds an MZI that is met alone.
    pub fn alone(&self) -> Found {
        let mut errors = [0.0; UNKNOWN];
        errors[2] = self.axis();
        self.settled(self.fitted(errors))
    }

    /// Finds an MZI with one behind it from what `alone` found, and what is known of errors β and δθ behind.
    pub fn with_second(&self, alone: &Errors, behind: [f64; 2]) -> Found {
        let begin = |turn: f64| {
            let mut errors = *alone;
            errors[2] += turn;
            [errors[4], errors[5]] = behind;
            self.fitted(self.beginnings([errors])[0])
        };
        let (this, other) = (begin(0.0), begin(PI));
        self.settled(if other.rest < this.rest { other } else { this })
    }

    /// Finds an MZI once more from what is known of all but the phase between it and the MZI behind.
    pub fn mended(&self, errors: Errors) -> Found {
        self.settled(self.fitted(if self.second.is_some() { self.beginnings([errors])[0] } else { errors }))
    }

    /// `found` without the samples that it misses by far more than others, as it does those that are brighter than a nonlinearity can be undone for.
    fn settled(&self, found: Found) -> Found {
        let settings = self.theta.len();
        let left = Light::new(self, &found.errors).left(self);
        let missed: Vec<f64> = left.chunks_exact(settings).map(|own| dot(own, own)).collect();
        let mut sorted = missed.clone();
        sorted.sort_by(f64::total_cmp);
        let most = OUTLYING * sorted.get(sorted.len() / 2).copied().unwrap_or_default();
        if sorted.last().is_none_or(|last| *last <= most) {
            return found;
        }
        let mut clear = self.clone();
        for (sample, _) in missed.iter().enumerate().filter(|(_, own)| **own > most) {
            clear.differences[sample * settings..(sample + 1) * settings].fill(0.0);
            clear.totals.get_mut(sample).into_iter().for_each(|total| *total = 0.0);
        }
        let found = clear.fitted(found.errors);
        let stokes = Light::new(self, &found.errors).stokes(self).collect();
        Found { stokes, ..found }
    }

    /// The same from many beginnings, for MZIs that were missed.
    pub fn anew(&self, missed: Found) -> Found {
        let turned = |mut errors: Errors, turn: usize| {
            errors[2] += TAU * turn as f64 / TURNS as f64;
            errors
        };
        let own = missed.errors;
        let mut ideal = own;
        ideal[..2].fill(0.0);
        let all = [own, ideal].into_iter().flat_map(|own| (0..TURNS).map(move |turn| turned(own, turn)));
        let found = self.beginnings(all).into_iter().take(BEGINNINGS).map(|errors| self.fitted(errors));
        found.fold(missed, |best, own| if own.rest < best.rest { own } else { best })
    }

    /// All `errors` with the phases between both MZIs, those that leave least first.
    fn beginnings(&self, errors: impl IntoIterator<Item = Errors>) -> Vec<Errors> {
        let phases = |own: Errors| {
            (0..PHASES).map(move |phase| {
                let mut errors = own;
                errors[3] = TAU * phase as f64 / PHASES as f64;
                errors
            })
        };
        let mut all: Vec<(f64, Errors)> = errors
            .into_iter()
            .flat_map(phases)
            .map(|errors| (Light::new(self, &errors).explained(self), errors))
            .collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        all.into_iter().map(|(_, errors)| errors).collect()
    }

    /// k of every setting, and k0.
    fn rows(&self, errors: &Errors) -> Vec<[f64; 4]> {
        let [alpha, beta, theta, phase, second_beta, second_theta, theta_heater, phi_heater] = *errors;
        let [first, last] = [alpha, beta].map(Coupler::new);
        let upper = Complex64::cis(phase);
        let behind = self.second.as_ref().map(|second| {
            let [first, last] = [second.first_coupler, second_beta].map(Coupler::new);
            (second, Complex64::cis(second_theta), first, last)
        });
        (self.theta.iter().zip(&self.phi).enumerate())
            .map(|(setting, (t, f))| {
                let (t, f) = (theta + t[0] + theta_heater * t[1], f[0] + phi_heater * f[1]);
                let mut m = mzi_transfer(t, f, first, last);
                if let Some((second, own, first, last)) = &behind {
                    let turn = [upper * second.kept[0], second.between[setting] * second.kept[1]];
                    m.iter_mut().zip(turn).for_each(|(row, turn)| row.iter_mut().for_each(|z| *z *= turn));
                    let (t, f) = (own * second.theta[setting], second.phi[setting]);
                    m = product(&second.behind, &product(&mzi_of_phasors(t, f, *first, *last), &m));
                }
                let [[a, b], [c, d]] = m;
                let w = c * d.conj() - a * b.conj();
                let [a, b, c, d] = [a, b, c, d].map(|z| z.norm_sqr());
                [0.5 * (c - a - d + b), w.re, -w.im, 0.5 * (c - a + d - b)]
            })
            .collect()
    }

    /// Levenberg and Marquardt's method from `errors`.
    fn fitted(&self, mut errors: Errors) -> Found {
        let second = if self.second.is_some() { SECOND } else { 0..0 };
        let heaters = if self.heaters { HEATERS } else { 0..0 };
        let free: Vec<usize> = ALONE.chain(second).chain(heaters).collect();
        let left = |errors: &Errors| Light::new(self, errors).left(self);
        let mut now = left(&errors);
        let mut damping = 1e-3;
        for _ in 0..STEPS {
            let slopes: Vec<Vec<f64>> = (free.iter())
                .map(|&index| {
                    let mut moved = errors;
                    moved[index] += DIFFERENCE;
                    left(&moved).iter().zip(&now).map(|(moved, own)| (moved - own) / DIFFERENCE).collect()
                })
                .collect();
            let mut normal = [[0.0; UNKNOWN]; UNKNOWN];
            let mut toward = [0.0; UNKNOWN];
            for (own, &row) in slopes.iter().zip(&free) {
                toward[row] = -dot(own, &now);
                for (other, &column) in slopes.iter().zip(&free).take_while(|(_, column)| **column <= row) {
                    normal[row][column] = dot(own, other);
                    normal[column][row] = normal[row][column];
                }
            }
            let (before, mut moved) = (dot(&now, &now), false);
            for _ in 0..TRIES {
                let mut damped = normal;
                for (index, row) in damped.iter_mut().enumerate() {
                    row[index] += damping * row[index] + 1e-12;
                }
                let step = inverse(&damped).map(|row| row.iter().zip(&toward).map(|(a, b)| a * b).sum::<f64>());
                let mut tried = errors;
                free.iter().for_each(|&index| tried[index] += step[index].clamp(-LONGEST, LONGEST));
                let after = left(&tried);
                if dot(&after, &after) < before {
                    (errors, now, moved) = (tried, after, true);
                    damping *= 0.2;
                    break;
                }
                damping *= 10.0;
            }
            if !moved {
                break;
            }
        }
        let errors = usual(errors);
        let all = dot(&self.differences, &self.differences);
        let rest = if all > 0.0 { (dot(&now, &now) / all).sqrt() } else { 0.0 };
        Found { errors, stokes: Light::new(self, &errors).stokes(self).collect(), rest }
    }

    /// δθ within a quarter of a turn, where couplers are ideal: coefficients of [`FUNCTIONS`] are then in pairs (cos δθ, sin δθ) times a number.
    fn axis(&self) -> f64 {
        let turns = |own: &[[f64; 2]]| own.iter().map(|own| Complex64::cis(own[0])).collect::<Vec<_>>();
        let powers = Powers::new(&turns(&self.theta), &turns(&self.phi));
        let (mut sine, mut cosine) = (0.0, 0.0);
        for values in self.differences.chunks_exact(self.theta.len()) {
            let own = powers.coefficients(values);
            for [x, y] in [[own[3], -own[4]], [own[5], own[7]], [own[6], own[8]]] {
                sine += 2.0 * x * y;
                cosine += x * x - y * y;
            }
        }
        0.5 * sine.atan2(cosine)
    }
}

/// The same MZI with coupling angles π/4 + α and π/4 + β between 0 and π/2: that of −x is that of x with θ half a turn further, and the phase of the
/// light, or of what leaves, too.
fn usual(mut errors: Errors) -> Errors {
    for coupler in [0, 1] {
        let angle = (FRAC_PI_4 + errors[coupler] + PI).rem_euclid(TAU) - PI;
        let short = if angle.abs() > FRAC_PI_2 { angle - PI * angle.signum() } else { angle };
        if short < 0.0 {
            errors[2] += PI;
            errors[3] += PI * coupler as f64;
        }
        errors[coupler] = short.abs() - FRAC_PI_4;
    }
    errors
}

/// Least squares of the light at given errors.
struct Light {
    rows: Vec<[f64; 3]>,
    /// k0 of every setting.
    common: Vec<f64>,
    inverse: [[f64; 3]; 3],
}

impl Light {
    fn new(reading: &Reading, errors: &Errors) -> Self {
        let (rows, common): (Vec<_>, Vec<_>) =
            reading.rows(errors).into_iter().map(|[x, y, z, k0]| ([x, y, z], k0)).unzip();
        let mut normal = [[0.0; 3]; 3];
        for row in &rows {
            for (own, slots) in row.iter().zip(&mut normal) {
                slots.iter_mut().zip(row).for_each(|(slot, other)| *slot += own * other);
            }
        }
        normal.iter_mut().enumerate().for_each(|(index, row)| row[index] += 1e-12 * rows.len() as f64);
        Light { inverse: inverse(&normal), rows, common }
    }

    /// The differences of every sample that are for s to account for.
    fn samples<'a>(&'a self, reading: &'a Reading) -> impl Iterator<Item = Cow<'a, [f64]>> {
        reading.differences.chunks_exact(self.rows.len()).enumerate().map(|(sample, own)| {
            match reading.totals.get(sample) {
                None => Cow::Borrowed(own),
                Some(total) => own.iter().zip(&self.common).map(|(value, k0)| value - k0 * total).collect(),
            }
        })
    }

    fn projected(&self, sample: &[f64]) -> [f64; 3] {
        let mut sums = [0.0; 3];
        for (row, value) in self.rows.iter().zip(sample) {
            sums.iter_mut().zip(row).for_each(|(sum, own)| *sum += own * value);
        }
        sums
    }

    fn solved(&self, sums: &[f64; 3]) -> [f64; 3] {
        self.inverse.map(|row| row.iter().zip(sums).map(|(a, b)| a * b).sum())
    }

    fn stokes<'a>(&'a self, reading: &'a Reading) -> impl Iterator<Item = [f64; 3]> {
        self.samples(reading).map(|sample| self.solved(&self.projected(&sample)))
    }

    /// Sum of the squares that the light accounts for.
    fn explained(&self, reading: &Reading) -> f64 {
        let of = |sample: Cow<[f64]>| {
            let sums = self.projected(&sample);
            let own = self.solved(&sums).iter().zip(&sums).map(|(a, b)| a * b).sum::<f64>();
            // what s0 does not account for is left
            if reading.totals.is_empty() { own } else { own - dot(&sample, &sample) }
        };
        self.samples(reading).map(of).sum()
    }

    /// What it does not account for.
    fn left(&self, reading: &Reading) -> Vec<f64> {
        let mut left = Vec::with_capacity(reading.differences.len());
        for sample in self.samples(reading) {
            let [x, y, z] = self.solved(&self.projected(&sample));
            left.extend(sample.iter().zip(&self.rows).map(|(value, [a, b, c])| value - (a * x + b * y + c * z)));
        }
        left
    }
}

/// `a·b`.
pub fn product(a: &Transfer, b: &Transfer) -> Transfer {
    let of = |row: usize, column: usize| a[row][0] * b[0][column] + a[row][1] * b[1][column];
    [[of(0, 0), of(0, 1)], [of(1, 0), of(1, 1)]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize, shift: f64) -> Vec<f64> {
        (0..count).map(|k| 40.0 * (1.7 * k as f64 + shift).sin()).collect()
    }

    fn turns(count: usize, shift: f64) -> Vec<Complex64> {
        noise(count, shift).into_iter().map(Complex64::cis).collect()
    }

    /// The powers of an MZI with `errors`, and their reading, where fields between it and a second one keep so much of themselves.
    fn read(errors: &Errors, with_second: Option<[f64; 2]>) -> Reading {
        let (settings, samples) = (24, 7);
        let (one, none) = (Complex64::from(1.0), Complex64::default());
        let second = with_second.map(|kept| Second {
            theta: turns(settings, 3.0),
            phi: turns(settings, 4.0),
            between: turns(settings, 5.0),
            kept,
            first_coupler: 0.04,
            behind: [[one, none], [none, one]],
        });
        let drives = |shift| noise(settings, shift).iter().map(|x| [x.rem_euclid(TAU); 2]).collect();
        let (theta, phi) = (drives(1.0), drives(2.0));
        let light = noise(3 * samples, 6.0);
        let totals = light.chunks_exact(3).map(|stokes| dot(stokes, stokes).sqrt()).collect();
        let mut reading = Reading { theta, phi, heaters: true, second, differences: Vec::new(), totals };
        let rows = reading.rows(errors);
        let of = |(stokes, total): (&[f64], &f64)| {
            rows.iter().map(|row| dot(&row[..3], stokes) + row[3] * total).collect::<Vec<_>>()
        };
        reading.differences = light.chunks_exact(3).zip(&reading.totals).flat_map(of).collect();
        reading
    }

    fn apart(a: f64, b: f64) -> f64 {
        ((a - b + PI).rem_euclid(TAU) - PI).abs()
    }

    #[test]
    fn an_mzi_alone_is_found_but_for_half_a_turn() {
        let found = read(&[0.1, -0.07, 2.9, 0.0, 0.0, 0.0, 0.04, -0.06], None).alone();
        let [alpha, beta, theta, ..] = found.errors;
        let turned = apart(theta, 2.9) > 1.0;
        let (beta, theta) = if turned { (-beta, theta + PI) } else { (beta, theta) };
        assert!(found.rest < 1e-8 && (alpha - 0.1).abs() + (beta + 0.07).abs() + apart(theta, 2.9) < 1e-6, "{found:?}");
    }

    #[test]
    fn an_mzi_with_one_behind_it_is_found_with_the_phase_between_both() {
        let errors = [0.1, -0.07, 2.9, 1.3, -0.05, 0.4, 0.04, -0.06];
        for (kept, begin) in [([1.0; 2], -0.2), ([1.0; 2], PI - 0.3), ([0.8, 0.95], -0.2)] {
            let reading = read(&errors, Some(kept));
            let alone = [0.0, 0.0, 2.9 + begin, 0.0, 0.0, 0.0, 0.0, 0.0];
            let found = reading.with_second(&alone, [0.0, 0.3]);
            assert!(found.rest < 1e-6, "{kept:?}: {found:?}");
            assert!(found.errors.iter().zip(&errors).all(|(own, wanted)| apart(*own, *wanted) < 1e-5), "{found:?}");
            let mended = reading.mended([0.15, 0.0, 2.8, 0.0, 0.0, 0.3, 0.0, 0.0]);
            assert!(mended.errors.iter().zip(&errors).all(|(own, wanted)| apart(*own, *wanted) < 1e-5), "{mended:?}");
        }
    }

    #[test]
    fn a_sample_that_is_far_off_is_no_part_of_a_fit() {
        let errors = [0.1, -0.07, 2.9, 1.3, -0.05, 0.4, 0.04, -0.06];
        let mut reading = read(&errors, Some([1.0; 2]));
        let settings = reading.theta.len();
        reading.differences[2 * settings + 5] *= 1.5;
        let found = reading.mended([0.1, -0.07, 2.9, 0.0, -0.05, 0.4, 0.04, -0.06]);
        assert!(found.errors.iter().zip(&errors).all(|(own, wanted)| apart(*own, *wanted) < 1e-5), "{found:?}");
        assert!(found.stokes[2][0].abs() > 1.0, "what is known of its light stays: {:?}", found.stokes[2]);
    }

    #[test]
    fn coupling_angles_of_either_sign_are_one() {
        let all = |errors: &Errors| {
            let reading = read(errors, Some([1.0; 2]));
            (reading.differences.clone(), reading)
        };
        let (differences, mut reading) = all(&[-1.2, 1.4, 0.3, 0.9, 0.02, 0.1, 0.0, 0.0]);
        let own = usual([-1.2, 1.4, 0.3, 0.9, 0.02, 0.1, 0.0, 0.0]);
        assert!(own[..2].iter().all(|error| error.abs() < FRAC_PI_4), "{own:?}");
        reading.differences = differences;
        let left = Light::new(&reading, &own).left(&reading);
        assert!(dot(&left, &left) < 1e-12 * dot(&reading.differences, &reading.differences));
    }
}
