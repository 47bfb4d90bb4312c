//! MZIs with dead heaters that the column in front tells, where nothing behind them does: φ is dead, or θ is, next to a half split, and no second MZI tells it, or both.
//!
//! What leaves one is known as soon as the columns behind are, and the powers that enter it as soon as the column in front is. With the Stokes parameters of what
//! leaves it, x, and a phase χ of its upper output, which the waveguide behind adds,
//!
//! ```text
//! |u|² − |v|² = n·x     n = (−cos θ, sin θ cos χ, sin θ sin χ) where its couplers are ideal
//! ```
//!
//! so that n follows by linear least squares, and with it the light that enters, whatever was taken for it before. One whose heaters are both dead stands
//! for a half split until then ([`HALF_SPLIT`]), and no light that meets it is read.
//!
//! Where θ answers n may be next to (1, 0, 0) as θ happens to stand, which tells no χ. There the MZI's own readouts do, which have s1 and 2 Re uv* of what
//! enters it, and what is left of θ's error is that which turns this light so that it has the powers that enter ([`Column::turn_by`]).

use super::super::chain::Place;
use super::anew::HALF;
use super::column::Column;
use super::least_squares::inverse;
use super::light::Light;
use super::reading::{Transfer, carried};
use super::straight::Known;
use super::turned::nearest;
use super::within;
use num_complex::Complex64;
use std::f64::consts::FRAC_PI_2;

/// δθ that stands for that of an MZI of which nothing is known yet.
pub const HALF_SPLIT: f64 = FRAC_PI_2;

impl Known<'_> {
    /// Both heaters of an MZI are dead.
    pub fn both_dead(&self, place: &Place) -> bool {
        self.stuck(place) && self.ways.dead(place.phi, self.estimate)
    }

    /// Whether the MZI `place` of `column` mixes light as nobody knows before the column in front of it is read.
    pub fn untold_split(&self, column: usize, place: &Place) -> bool {
        column == self.reading + 1 && self.stuck(place) && self.told_in_front(column, place)
    }

    /// Whether the column in front tells the MZI `place` of `column`, as none behind does.
    fn told_in_front(&self, column: usize, place: &Place) -> bool {
        let half = || self.halved(place) && (self.met_alone(column, place) || self.blind(column, place));
        self.ways.dead(place.phi, self.estimate) || (self.stuck(place) && half())
    }

    /// δθ is next to a half split.
    pub fn halved(&self, place: &Place) -> bool {
        self.estimate[place.error].cos().abs() < HALF
    }
}

impl Column<'_> {
    /// Those of `column`.
    pub fn told_in_front(&self, column: usize, estimate: &[f64]) -> Vec<Place> {
        let known = self.known(estimate);
        let known_behind = column + 2 < self.chain.columns();
        self.chain
            .places(column)
            .into_iter()
            .filter(|place| known_behind && known.told_in_front(column, place))
            .collect()
    }

    /// Puts the light that enters `places`, of a column behind which light is as `behind`, in `pairs`, and what leaves them in `out`.
    pub fn carry_back(
        &self,
        places: &[Place],
        behind: &[Complex64],
        [out, pairs]: [&mut [Complex64]; 2],
        estimate: &[f64],
    ) {
        let modes = self.chain.modes();
        for place in places {
            let transfer = self.own_transfer(place, estimate);
            let left = |at: usize| [behind[at], behind[at + 1]];
            let rows = (place.row..behind.len()).step_by(modes);
            // where θ answers, its own readouts have told s1 and s2 of what enters it
            let missed = |chi: f64| -> f64 {
                let turn = Complex64::cis(-chi);
                let of = |at: usize| {
                    let [x, y] = left(at);
                    let told = stokes([pairs[at], pairs[at + 1]]);
                    let own = stokes(back(&transfer, [x * turn, y]));
                    let all = x.norm_sqr() + y.norm_sqr();
                    if all > 0.0 {
                        ((told[0] - own[0]).powi(2) + (told[1] - own[1]).powi(2)) / (all * all)
                    } else {
                        0.0
                    }
                };
                rows.clone().map(of).sum()
            };
            let chi = if self.known(estimate).stuck(place) { 0.0 } else { nearest(|chi| -missed(chi)) };
            for at in rows {
                let [x, y] = left(at);
                let own = [x * Complex64::cis(-chi), y];
                out[at..at + 2].copy_from_slice(&own);
                pairs[at..at + 2].copy_from_slice(&back(&transfer, own));
            }
        }
    }

    /// Finds θ of the MZIs of `column` that the powers of the light `out` of the column in front tell, and the fields that enter them.
    pub fn tell_in_front(&self, column: usize, out: &[Complex64], estimate: &mut [f64], light: &mut Light) {
        let modes = self.chain.modes();
        for place in self.told_in_front(column, estimate) {
            if !self.known(estimate).stuck(&place) {
                self.turn_by(&place, out, estimate, &mut light.fields);
                continue;
            }
            let before = self.own_transfer(&place, estimate);
            let left = |fields: &[Complex64], at: usize| carried(&before, [fields[at], fields[at + 1]]);
            let (mut normal, mut toward) = ([[0.0; 3]; 3], [0.0; 3]);
            for at in (place.row..out.len()).step_by(modes) {
                let [x, y] = left(&light.fields, at);
                let stokes = stokes([x, y]);
                let [upper, lower] = [out[at], out[at + 1]].map(|z| z.norm_sqr());
                let (all, entering) = (x.norm_sqr() + y.norm_sqr(), upper + lower);
                if all * entering == 0.0 {
                    continue;
                }
                // each sample of one weight
                for (row, own) in stokes.iter().enumerate() {
                    toward[row] += own * (upper - lower) / (all * entering);
                    stokes.iter().zip(&mut normal[row]).for_each(|(other, slot)| *slot += own * other / (all * all));
                }
            }
            (0..3).for_each(|index| normal[index][index] += 1e-12);
            let [x, y, z] = inverse(&normal).map(|row| row.iter().zip(&toward).map(|(a, b)| a * b).sum::<f64>());
            let known = self.known(estimate);
            let set = self.made(place.theta, estimate);
            let along = |theta: f64| {
                // as far as its couplers are known
                let made = |index: usize| if index == place.theta { theta - estimate[place.error] } else { 0.0 };
                let [[a, b], [c, d]] = known.transfer(&place, &made);
                let own = 0.5 * (a.norm_sqr() - b.norm_sqr() - c.norm_sqr() + d.norm_sqr());
                (own, a.conj() * c - b.conj() * d)
            };
            let theta = nearest(|theta| {
                let (own, across) = along(theta);
                -(own - x).powi(2) - (across.norm() - y.hypot(z)).powi(2)
            });
            // θ and −θ have the same, and are the same where the phase behind follows
            let chi = along(theta).1.arg() + z.atan2(y);
            let fields: Vec<[Complex64; 2]> =
                (place.row..out.len()).step_by(modes).map(|at| left(&light.fields, at)).collect();
            estimate[place.error] = within(theta - set);
            estimate[self.chain.waveguides(column + 1) + place.row] += chi;
            let after = self.own_transfer(&place, estimate);
            for (sample, [x, y]) in fields.into_iter().enumerate() {
                let at = sample * modes + place.row;
                light.fields[at..at + 2].copy_from_slice(&back(&after, [x * Complex64::cis(-chi), y]));
            }
        }
    }

    /// What an MZI does while columns behind are read.
    fn own_transfer(&self, place: &Place, estimate: &[f64]) -> Transfer {
        self.known(estimate).transfer(place, &|index| self.made(index, estimate))
    }
}

/// Stokes parameters of `u, v`.
fn stokes([u, v]: [Complex64; 2]) -> [f64; 3] {
    let cross = 2.0 * u * v.conj();
    [u.norm_sqr() - v.norm_sqr(), cross.re, cross.im]
}

/// What entered where `x, y` left.
fn back([[a, b], [c, d]]: &Transfer, [x, y]: [Complex64; 2]) -> [Complex64; 2] {
    [a.conj() * x + c.conj() * y, b.conj() * x + d.conj() * y]
}
