//! An MZI from the powers at its outputs: errors of its couplers and of θ, and the light that enters it.
//!
//! Light is fitted to its readouts at given errors ([`super::reading`]), and the errors by Levenberg and Marquardt's method to what is left.
//!
//! Alone, with straight light behind, half a turn of θ cannot be told: `(α, β, θ, s) → (α, −β, θ + π, −s)` has the same powers. With a second MZI
//! behind the first, on the same waveguides and at settings of its own, it can; and the second's output, of which its own errors and what is
//! behind it are a part, is fitted along, so that no error of what is behind spoils what is found.

use super::least_squares::{Powers, dot, inverse};
use super::reading::{Errors, Light, Reading, UNKNOWN};
use num_complex::Complex64;
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI, TAU};

/// Phases between both MZIs at which the fit is begun.
const PHASES: usize = 12;

/// Squares of what is left of a sample, against the median, beyond which it is no part of a fit.
const OUTLYING: f64 = 25.0;

const STEPS: usize = 6;
const TRIES: usize = 5;
const DIFFERENCE: f64 = 1e-5;
/// Longest step of one unknown (radians).
const LONGEST: f64 = 0.5;

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
        let found =
            self.settled(self.fitted(if self.second.is_some() { self.beginnings([errors])[0] } else { errors }));
        if self.doubtful(&found) { self.anew(found) } else { found }
    }

    /// `found` without the samples that it misses by far more than others, as it does those that are brighter than a nonlinearity can be undone for.
    pub fn settled(&self, found: Found) -> Found {
        let settings = self.theta.len();
        let left = Light::new(self, &found.errors).left(self);
        let missed: Vec<f64> = left.chunks_exact(settings).map(|own| dot(own, own)).collect();
        // samples without light are missed by nothing
        let mut sorted: Vec<f64> = missed.iter().copied().filter(|own| *own > 0.0).collect();
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

    /// All `errors` with the phases between both MZIs, those that leave least first.
    pub fn beginnings(&self, errors: impl IntoIterator<Item = Errors>) -> Vec<Errors> {
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

    /// Levenberg and Marquardt's method from `errors`.
    pub fn fitted(&self, mut errors: Errors) -> Found {
        let free = self.free(&errors);
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
                self.confine(&mut tried);
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
        self.light_at(self.split_by_power(self.told_light(usual(errors))))
    }

    /// The light that accounts best for what was read where these are the errors.
    pub fn light_at(&self, errors: Errors) -> Found {
        self.lifted(self.told_light(errors))
    }

    /// The same as far as differences tell it.
    fn told_light(&self, errors: Errors) -> Found {
        let light = Light::new(self, &errors);
        let (left, all) = (light.left(self), dot(&self.differences, &self.differences));
        let rest = if all > 0.0 { (dot(&left, &left) / all).sqrt() } else { 0.0 };
        Found { errors, stokes: light.stokes(self).collect(), rest }
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

#[cfg(test)]
mod tests {
    use super::super::reading::{Outputs, Second};
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
            errors: [-0.05, 0.4],
            stuck: false,
        });
        let drives = |shift| noise(settings, shift).iter().map(|x| [x.rem_euclid(TAU); 2]).collect();
        let (theta, phi) = (drives(1.0), drives(2.0));
        let light = noise(3 * samples, 6.0);
        let totals = light.chunks_exact(3).map(|stokes| dot(stokes, stokes).sqrt()).collect();
        let (behind, outputs) = ([[one, none], [none, one]], Outputs::Both);
        let differences = Vec::new();
        let sums = Vec::clone(&totals);
        let mut reading =
            Reading { theta, phi, heaters: true, second, behind, outputs, differences, sums, totals, dim: None };
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
    fn heaters_that_are_dead_are_found_so_and_how_an_mzi_splits() {
        let none = [0.0; UNKNOWN];
        // θ is dead, met with a second, which does not tell its sign, and alone, where half a turn is not told either
        let errors = [0.0, 0.0, 0.8, 1.3, -0.05, 0.4, -1.0, 0.04];
        let found = read(&errors, Some([1.0; 2]));
        let found = found.anew(found.light_at(none));
        assert!(
            found.errors[6] == -1.0 && (found.errors[2].cos() - 0.8f64.cos()).abs() < 1e-4 && found.rest < 1e-6,
            "{found:?}"
        );
        let alone = read(&errors, None);
        let found = alone.anew(alone.light_at(none));
        let split = found.errors[2].cos().abs();
        assert!(found.errors[6] == -1.0 && (split - 0.8f64.cos()).abs() < 0.01, "{found:?}");
        // φ is dead: θ's own error turns light that nobody knows
        let errors = [0.0, -0.07, 0.8, 1.3, -0.05, 0.4, 0.04, -1.0];
        let reading = read(&errors, Some([1.0; 2]));
        let found = reading.anew(reading.light_at(none));
        assert!(found.errors[7] == -1.0 && found.errors[6] != -1.0 && found.rest < 1e-5, "{found:?}");
        // and one that answers is not taken for dead
        let live = read(&[0.1, -0.07, 2.9, 1.3, -0.05, 0.4, 0.04, -0.06], Some([1.0; 2]));
        let found = live.anew(live.light_at(none));
        assert!(found.errors[6..].iter().all(|s| s.abs() < 0.1) && found.rest < 1e-5, "{found:?}");
    }

    /// Next to a half split, in front of which half a turn of the first hardly shows, and 0.02 off where it was read itself; from a fit that had gone astray.
    #[test]
    fn an_mzi_in_front_of_one_that_is_stuck_is_found_from_wherever_the_fit_was() {
        let second_theta = 1.45;
        let errors = [0.0, 0.0, 4.35, 2.6, 0.0, second_theta, 0.0, 0.0];
        let mut reading = read(&errors, Some([1.0; 2]));
        if let Some(second) = &mut reading.second {
            (second.stuck, second.errors) = (true, [0.0, second_theta - 0.02]);
            (second.first_coupler, second.theta) = (0.0, vec![1.0.into(); second.theta.len()]);
        }
        let rows = reading.rows(&errors);
        let light = noise(21, 6.0);
        let of = |stokes: &[f64]| rows.iter().map(|row| dot(&row[..3], stokes)).collect::<Vec<_>>();
        reading.differences = light.chunks_exact(3).flat_map(of).collect();
        reading.totals = Vec::new();
        let astray = [0.0, 0.0, 1.5, 5.8, 0.0, second_theta, -1.0, -0.6];
        let found = reading.anew(reading.light_at(astray));
        assert!(found.errors.iter().zip(&errors).all(|(own, wanted)| apart(*own, *wanted) < 1e-4), "{found:?}");
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
    fn one_output_tells_an_mzi_as_both_do() {
        let errors = [0.1, -0.07, 2.9, 1.3, -0.05, 0.4, 0.04, -0.06];
        for outputs in [Outputs::Upper, Outputs::Lower] {
            let mut reading = read(&errors, Some([0.8, 0.95]));
            reading.outputs = outputs;
            let light = noise(21, 6.0);
            let rows = reading.rows(&errors);
            let of = |(stokes, total): (&[f64], &f64)| {
                rows.iter().map(|row| dot(&row[..3], stokes) + row[3] * total).collect::<Vec<_>>()
            };
            reading.differences = light.chunks_exact(3).zip(&reading.totals).flat_map(of).collect();
            let found = reading.mended([0.15, 0.0, 2.8, 0.0, 0.0, 0.3, 0.0, 0.0]);
            assert!(found.errors.iter().zip(&errors).all(|(own, wanted)| apart(*own, *wanted) < 1e-4), "{found:?}");
        }
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
