//! Powers behind nonlinearities that are too dark to be read.
//!
//! Behind a nonlinearity a readout grows as a high power of a dark output's power, so that a thousandth of another's light that strays there is taken for a tenth. What
//! readouts tell of a power P has the weight
//!
//! ```text
//! w = g²/(g² + (0.02·most g of the sample)²)     g = d(readout)/dP;   0 where the light is brighter than what nonlinearities tell from less
//! ```
//!
//! and what the light has that was found so far 1 − w.

use super::column::spread;
use super::mzi_fit::Found;
use super::reading::Reading;

/// How often dark powers are told anew, and the share of a sample's greatest slope at which half of one is what was read.
const FILLS: usize = 3;
const SHARP: f64 = 0.02;

/// How much alike the powers of both outputs of an MZI move, against one another, in samples that count.
const TOGETHER: f64 = 0.95;

/// Powers of both outputs, read through nonlinearities, which leave the dark to what strays.
#[derive(Clone)]
pub struct Dim {
    /// The powers, `[sample, setting]`.
    pub powers: [Vec<f64>; 2],
    /// How much more is read for more of them.
    pub slopes: [Vec<f64>; 2],
    /// The power of every sample beyond which nonlinearities pass less.
    pub most: [Vec<f64>; 2],
}

/// How much more is read for more of powers behind a column.
pub struct Slopes {
    /// `[setting][sample, mode]`.
    pub slopes: Vec<Vec<f64>>,
    /// The most of every waveguide that nonlinearities tell from less.
    pub most: Vec<f64>,
}

impl Slopes {
    /// [`Reading::dim`] of waveguides `row` and the next, of whose `powers` these are the slopes.
    pub fn dim(&self, powers: &[Vec<f64>], row: usize, bright: &[f64]) -> Dim {
        let (modes, rows) = (self.most.len(), [row, row + 1]);
        let most = |row: usize| bright.iter().map(|by| if *by > 0.0 { self.most[row] / by } else { 0.0 }).collect();
        Dim {
            powers: rows.map(|row| spread(powers, modes, bright, |own, at| own[at + row])),
            slopes: rows.map(|row| spread(&self.slopes, modes, &vec![1.0; bright.len()], |own, at| own[at + row])),
            most: rows.map(most),
        }
    }
}

impl Reading {
    /// `found` without what strays into dark outputs: their powers are taken for those that the light has which was found, as far as readouts do not tell them, and as long as that
    /// leaves less. Where the light is not told, as behind a dead φ, it leaves more.
    pub fn filled(&self, mut found: Found) -> Found {
        let Some(dim) = &self.dim else { return found };
        let settings = self.theta.len();
        let mut own = self.clone();
        for _ in 0..FILLS {
            let predicted = self.powers(&found.errors, &found.stokes);
            for sample in 0..found.stokes.len() {
                let all = sample * settings..(sample + 1) * settings;
                let slopes = dim.slopes.iter().flat_map(|own| &own[all.clone()]);
                let greatest = slopes.copied().fold(0.0, f64::max);
                if greatest == 0.0 {
                    continue; // without light
                }
                for at in all {
                    let powers = [0, 1].map(|side| {
                        let sharp = (dim.slopes[side][at] / (SHARP * greatest)).powi(2);
                        let told = predicted[side][at] <= dim.most[side][sample];
                        let weight = if told { sharp / (1.0 + sharp) } else { 0.0 };
                        weight * dim.powers[side][at] + (1.0 - weight) * predicted[side][at]
                    });
                    own.differences[at] = self.outputs.of(powers);
                }
            }
            self.outputs.centre(&mut own.differences, settings);
            let next = own.settled(own.fitted(found.errors));
            if next.rest > found.rest {
                break;
            }
            found = next;
        }
        found
    }
}

/// Squares by which the lower output's powers move, of those by which the upper's do, as far as readouts tell both, in samples in which the one moves as the other does; none
/// where these are less than half.
pub fn moved_clearly(dim: &Dim, settings: usize) -> Option<f64> {
    let (mut all, mut count) = ([0.0; 2], 0);
    for first in (0..dim.powers[0].len()).step_by(settings) {
        let own = first..first + settings;
        let weight = |at: usize| {
            let [a, b] = [0, 1].map(|side| dim.slopes[side][at].powi(2));
            if a > 0.0 && b > 0.0 { a * b / (a + b) } else { 0.0 }
        };
        let sum: f64 = own.clone().map(weight).sum();
        let means = [0, 1].map(|side| own.clone().map(|at| weight(at) * dim.powers[side][at]).sum::<f64>() / sum);
        let [mut upper, mut lower, mut both] = [0.0; 3];
        for at in own {
            let [a, b] = [0, 1].map(|side| dim.powers[side][at] - means[side]);
            upper += weight(at) * a * a;
            lower += weight(at) * b * b;
            both += weight(at) * a * b;
        }
        if -both > TOGETHER * (upper * lower).sqrt() {
            all[0] += upper / sum;
            all[1] += lower / sum;
            count += settings;
        }
    }
    (2 * count > dim.powers[0].len()).then_some(all[1] / all[0])
}
