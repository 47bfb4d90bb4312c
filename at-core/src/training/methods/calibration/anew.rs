//! MZIs that were missed, looked for anew, and with dead heaters.
//!
//! One whose θ is dead splits light somehow and reads the same whatever its couplers are: these are taken for ideal, and θ is what is found. Met alone, only the power of its
//! light tells how it splits. One whose φ is dead tells not how the light that enters it is turned, nor, with it, where θ begins, which the column in front tells
//! ([`super::turned`]).

use super::super::heater_path::NEARLY_DEAD;
use super::in_front::HALF_SPLIT;
use super::mzi_fit::Found;
use super::reading::{Errors, PHI_HEATER, Reading, THETA_HEATER};
use std::f64::consts::{FRAC_PI_2, TAU};
use std::ops::Range;

/// Of the unknown errors, the phase in front of a second MZI, its own, and those of heaters.
const BETWEEN: usize = 3;
const SECOND: [usize; 2] = [4, 5];
const HEATERS: Range<usize> = THETA_HEATER..PHI_HEATER + 1;
/// s of a heater that is dead, and how large another's is that is taken for dead first.
pub const DEAD: f64 = -1.0;
const FAR: f64 = 0.5;
/// Turns of δθ where the fit is begun anew, how many of all beginnings are gone on with, and of those with dead heaters.
const TURNS: usize = 12;
const BEGINNINGS: usize = 8;
const DEAD_BEGINNINGS: usize = 4;
/// What is left where nothing explains what was read, and how many times more turns, and of them beginnings, are tried then.
const LOST: f64 = 0.4;
const THOROUGH: usize = 3;
/// How much more, and so much besides, than with heaters that answer may be left with dead ones, which have fewer unknowns: couplers that couple all or nothing read alike.
const SIMPLER: f64 = 1.2;
const NOTHING: f64 = 3e-3;
/// What is left where one dead heater does not explain an MZI, and both are tried.
const UNEXPLAINED: f64 = 0.1;
/// Couplers so far off (radians) are taken for a dead heater first.
const DOUBTFUL: f64 = 0.5;
/// |cos δθ| of an MZI whose θ is dead, below which it is next to a half split.
pub const HALF: f64 = 0.25;
/// Fits that go on from one that was found, as long as no more than this share is left by each.
const TIMES: usize = 8;
const WORTH: f64 = 0.9;
/// Splits that are looked at where the light's power tells that of an MZI whose heater is dead.
const SPLITS: usize = 256;

impl Reading {
    /// The same from many beginnings, for MZIs that were missed.
    pub fn anew(&self, missed: Found) -> Found {
        let found = self.anew_from(missed, 1);
        if found.rest > LOST { self.anew_from(found, THOROUGH) } else { found }
    }

    /// From so many times more turns.
    fn anew_from(&self, missed: Found, times: usize) -> Found {
        let turns = times * TURNS;
        let turned = |own: Errors| {
            (0..turns).map(move |turn| {
                let mut errors = own;
                errors[2] += TAU * turn as f64 / turns as f64;
                errors
            })
        };
        let own = missed.errors;
        let mut ideal = own;
        ideal[..2].fill(0.0);
        // the fit that missed may have led heaters and the second astray as well
        let mut plain = ideal;
        plain[HEATERS].fill(0.0);
        if let Some(second) = &self.second {
            SECOND.iter().zip(second.errors).for_each(|(&index, error)| plain[index] = error);
        }
        let best = |all: Vec<Errors>, count: usize| {
            let found = self.beginnings(all).into_iter().take(count).map(|errors| self.fitted(errors));
            found.reduce(|best, own| if own.rest < best.rest { own } else { best })
        };
        let less = |a: Found, b: Option<Found>| match b {
            Some(b) if b.rest < a.rest => b,
            Some(_) | None => a,
        };
        let from = |begin: &[Errors], count: usize| {
            best(begin.iter().copied().flat_map(turned).collect(), times * times * count)
        };
        let live = less(missed, from(&[own, ideal, plain], BEGINNINGS));
        if !self.heaters {
            return live;
        }
        let dead = |heater: usize| {
            let mut errors = plain;
            errors[heater] = DEAD;
            from(&[errors], DEAD_BEGINNINGS)
        };
        // what splits as nobody can tell yet has one beginning
        let both = || {
            let mut errors = plain;
            errors[HEATERS].fill(DEAD);
            errors[2] = HALF_SPLIT;
            best(vec![errors], 1)
        };
        let one = HEATERS.filter_map(dead).reduce(|a, b| less(a, Some(b)));
        // one that hardly answers is a dead one
        let dying = HEATERS.into_iter().any(|heater| live.errors[heater] < NEARLY_DEAD);
        // nor does anybody make such couplers
        let odd = live.errors[..2].iter().any(|own| own.abs() > DOUBTFUL);
        let most = match (dying, odd) {
            (true, _) => f64::INFINITY,
            (false, true) => UNEXPLAINED.max(SIMPLER * live.rest + NOTHING),
            (false, false) => SIMPLER * live.rest + NOTHING,
        };
        let found = one.filter(|own| own.rest < most).unwrap_or(live);
        let mut found = if found.rest < UNEXPLAINED { found } else { less(found, both()) };
        for _ in 0..TIMES {
            let next = self.fitted(found.errors);
            if next.rest > WORTH * found.rest {
                break;
            }
            found = next;
        }
        found
    }

    /// Whether what was `found` is to be looked for anew although it leaves little.
    pub fn doubtful(&self, found: &Found) -> bool {
        let dying = |s: f64| s.abs() > FAR && s != DEAD;
        let [couplers, heaters] = [0..2, HEATERS].map(|own| &found.errors[own]);
        self.heaters && (couplers.iter().any(|own| own.abs() > DOUBTFUL) || heaters.iter().any(|s| dying(*s)))
    }

    /// The errors of what was `found`, with how an MZI splits that is met alone and whose θ is dead: the powers of its light, `|s| = P1 + P2`, tell it, but for half a turn.
    pub fn split_by_power(&self, found: Found) -> Errors {
        let mut errors = found.errors;
        if self.sums.is_empty() || self.second.is_some() || errors[THETA_HEATER] != DEAD {
            return errors;
        }
        // the light as far as differences tell it: k·s = cos θ·s1 + sin θ·(…)
        let (cosine, sine) = (errors[2].cos(), errors[2].sin());
        let parts: Vec<[f64; 3]> = (found.stokes.iter().zip(&self.sums))
            .map(|([x, y, z], sum)| [(cosine * x).powi(2), sine.powi(2) * (y * y + z * z), sum * sum])
            .collect();
        let left = |theta: f64| {
            let [first, other] = [theta.cos().powi(2), theta.sin().powi(2)];
            parts.iter().map(|[a, b, sum]| (a / first + b / other - sum).powi(2)).sum::<f64>()
        };
        let splits = (0..SPLITS).map(|step| FRAC_PI_2 * (step as f64 + 0.5) / SPLITS as f64);
        if let Some(theta) = splits.min_by(|a, b| left(*a).total_cmp(&left(*b))) {
            errors[2] = (theta.sin() * sine.signum()).atan2(theta.cos() * cosine.signum());
        }
        errors
    }

    /// The unknowns that readouts can tell where these are the errors so far. An MZI whose θ is dead splits light somehow, whatever its couplers are; what is in front of θ
    /// and θ's own error turn the light that enters one whose φ is dead, as nobody knows how it does.
    pub fn free(&self, errors: &Errors) -> Vec<usize> {
        let [second_beta, second_theta] = SECOND;
        let second: &[usize] = match &self.second {
            None => &[],
            // whose θ may be moved a little ([`Reading::confine`]), and whose couplers are taken for ideal
            Some(second) if second.stuck => &[BETWEEN, second_theta],
            Some(_) => &[BETWEEN, second_beta, second_theta],
        };
        let heaters = if self.heaters { HEATERS } else { 0..0 };
        let own: &[usize] = match [errors[THETA_HEATER], errors[PHI_HEATER]].map(|s| s == DEAD) {
            [false, false] => &[0, 1, 2],
            [true, false] if self.second.is_some() => &[2],
            [true, _] => &[],
            [false, true] if self.second.is_some() => &[1],
            [false, true] => &[],
        };
        own.iter().chain(second).copied().chain(heaters.filter(|heater| errors[*heater] != DEAD)).collect()
    }

    /// `found` with what only the power tells, but for its sign, of light that meets an MZI alone: s3 where its φ is dead, as θ turns light around it, and s1
    /// where its θ is dead next to a half split.
    pub fn lifted(&self, mut found: Found) -> Found {
        let dead = [THETA_HEATER, PHI_HEATER].map(|heater| found.errors[heater] == DEAD);
        let halves = found.errors[2].cos().abs() < HALF;
        for ([x, y, z], sum) in found.stokes.iter_mut().zip(&self.sums).filter(|_| self.second.is_none()) {
            let rest = |a: f64, b: f64| (sum * sum - a * a - b * b).max(0.0).sqrt();
            match dead {
                [false, true] => *z = rest(*x, *y),
                [true, false] if halves => *x = rest(*y, *z).copysign(*x),
                [true, _] | [false, false] => (),
            }
        }
        found
    }
}
