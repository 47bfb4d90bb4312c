//! MZIs of a band of waveguides set in turn, again and again, so that as much light as possible stays on its waveguide.
//!
//! What columns make of a band is `T = S·C·A`, A in front of a column C and S behind it. With all but one MZI of C still, T is linear in what that one does,
//!
//! ```text
//! max Σ_j |T_jj|²  over θ, φ        T_jj = r_j + (S_ju m_uu + S_jl m_lu)·A_uj + (S_ju m_ul + S_jl m_ll)·A_lj
//! ```
//!
//! u and l its waveguides, r_j by way of all others. No step leaves less light than before.

use super::super::chain::Place;
use super::reading::Transfer;
use super::straight::Known;
use num_complex::Complex64;
use std::f64::consts::TAU;
use std::ops::Range;

/// Rounds at most, and the other light of a band that is not worth another.
const ROUNDS: usize = 12;
const LITTLE: f64 = 0.01;
/// Angles of θ and of φ that are looked at in the first round, and halvings of their distance.
const ANGLES: usize = 8;
const HALVINGS: usize = 8;

/// What a column does to the waveguides of a band: to each by itself, and then to the pairs of its MZIs that are set here.
struct Step {
    /// Turns of the waveguides in front, with what MZIs keep that reach out of the band.
    kept: Vec<Complex64>,
    /// Those that lie within, with what they do.
    own: Vec<(Place, Transfer)>,
}

/// `[row, column]` of a square matrix, by rows.
type Square = Vec<Vec<Complex64>>;

impl Known<'_> {
    /// Sets `phases` of the MZIs of `columns` within `band`.
    pub fn keep_light(&self, columns: &Range<usize>, band: &Range<usize>, phases: &mut [f64]) {
        let size = band.len();
        for round in 0..ROUNDS {
            let mut steps: Vec<Step> = columns.clone().map(|column| self.step(column, band, phases)).collect();
            let mut behind = vec![unit(size)];
            for step in steps.iter().skip(1).rev() {
                let last = behind.last().map(|own| step.carried_back(own, band.start)).unwrap_or_default();
                behind.push(last);
            }
            let mut front = unit(size);
            for (step, behind) in steps.iter_mut().zip(behind.iter().rev()) {
                front.iter_mut().zip(&step.kept).for_each(|(row, kept)| row.iter_mut().for_each(|z| *z *= kept));
                for number in 0..step.own.len() {
                    self.set_one(step, number, band.start, [&front, behind], round == 0, phases);
                }
                step.cross(&mut front, band.start);
            }
            let stays: f64 = (0..size).map(|mode| front[mode][mode].norm_sqr()).sum();
            if size as f64 - stays < LITTLE {
                return;
            }
        }
    }

    /// What `column` does at `phases`.
    fn step(&self, column: usize, band: &Range<usize>, phases: &[f64]) -> Step {
        let waveguides = self.chain.waveguides(column);
        let mut kept: Vec<Complex64> =
            band.clone().map(|mode| Complex64::cis(self.estimate[waveguides + mode])).collect();
        let made = |index: usize| self.made(index, phases);
        let mut own = Vec::new();
        for place in self.chain.places(column) {
            let m = self.transfer(&place, &made);
            match [place.row, place.row + 1].map(|row| band.contains(&row)) {
                [true, true] => own.push((place, m)),
                [true, false] => kept[place.row - band.start] *= m[0][0],
                [false, true] => kept[place.row + 1 - band.start] *= m[1][1],
                [false, false] => (),
            }
        }
        Step { kept, own }
    }

    /// Sets MZI `number` of a step whose light is `front`, `[waveguide, from]`, between its waveguides' turns and its MZIs, and which has `behind` behind it,
    /// `[to, waveguide]`; from all angles, if it is set `anew`, or else from where it is.
    fn set_one(
        &self,
        step: &mut Step,
        number: usize,
        first: usize,
        [front, behind]: [&Square; 2],
        anew: bool,
        phases: &mut [f64],
    ) {
        let place = step.own[number].0;
        if self.stuck(&place) && self.ways.dead(place.phi, self.estimate) {
            return;
        }
        let [u, l] = [place.row - first, place.row + 1 - first];
        let mut all = front.clone();
        step.cross(&mut all, first);
        let rest: Vec<Complex64> = (0..all.len())
            .map(|j| (0..all.len()).filter(|row| *row != u && *row != l).map(|row| behind[j][row] * all[row][j]).sum())
            .collect();
        let stays = |m: &Transfer| -> f64 {
            let of = |(j, rest): (usize, &Complex64)| {
                let [a, b] = [front[u][j], front[l][j]];
                let (su, sl) = (behind[j][u], behind[j][l]);
                (rest + su * (m[0][0] * a + m[0][1] * b) + sl * (m[1][0] * a + m[1][1] * b)).norm_sqr()
            };
            rest.iter().enumerate().map(of).sum()
        };
        let turns = [!self.stuck(&place), !self.ways.dead(place.phi, self.estimate)];
        let at = |[theta, phi]: [f64; 2]| {
            self.transfer(&place, &|index| self.made_of(index, if index == place.theta { theta } else { phi }))
        };
        let value = |own: [f64; 2]| stays(&at(own));
        let mut best = [phases[place.theta], phases[place.phi]];
        let mut most = value(best);
        let mut look = |best: &mut [f64; 2], other: [f64; 2]| {
            let own = value(other);
            if own > most {
                (*best, most) = (other, own);
            }
        };
        let grid =
            |turns: bool| (0..if anew && turns { ANGLES } else { 0 }).map(|step| TAU * step as f64 / ANGLES as f64);
        let begin = best;
        for theta in grid(turns[0]).chain([begin[0]]) {
            for phi in grid(turns[1]).chain([begin[1]]) {
                look(&mut best, [theta, phi]);
            }
        }
        let mut apart = TAU / ANGLES as f64;
        for _ in 0..HALVINGS {
            apart *= 0.5;
            let now = best;
            for by in [apart, -apart] {
                if turns[0] {
                    look(&mut best, [now[0] + by, now[1]]);
                }
                if turns[1] {
                    look(&mut best, [now[0], now[1] + by]);
                }
            }
        }
        [phases[place.theta], phases[place.phi]] = best;
        step.own[number].1 = at(best);
    }
}

impl Step {
    /// Its MZIs on `fields [waveguide, from]`.
    fn cross(&self, fields: &mut Square, first: usize) {
        for (place, [[a, b], [c, d]]) in &self.own {
            let (upper, lower) = fields.split_at_mut(place.row + 1 - first);
            let [Some(upper), Some(lower)] = [upper.last_mut(), lower.first_mut()] else { continue };
            for (upper, lower) in upper.iter_mut().zip(lower) {
                let [x, y] = [*upper, *lower];
                *upper = a * x + b * y;
                *lower = c * x + d * y;
            }
        }
    }

    /// `behind` with all of the step in front of it.
    fn carried_back(&self, behind: &Square, first: usize) -> Square {
        let mut all = behind.clone();
        for row in &mut all {
            for (place, [[a, b], [c, d]]) in &self.own {
                let at = place.row - first;
                let [x, y] = [row[at], row[at + 1]];
                row[at] = x * a + y * c;
                row[at + 1] = x * b + y * d;
            }
            row.iter_mut().zip(&self.kept).for_each(|(z, kept)| *z *= kept);
        }
        all
    }
}

fn unit(size: usize) -> Square {
    (0..size).map(|row| (0..size).map(|column| f64::from(u8::from(row == column)).into()).collect()).collect()
}
