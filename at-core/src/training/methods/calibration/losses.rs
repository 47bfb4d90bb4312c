//! What is lost behind a column, and the powers that leave it.
//!
//! An MZI moves as much light away from one output as to the other. What is read tells therefore how much more the upper one loses, and an MZI's lower
//! output loses what is told to be lost: what both lose leaves by the outputs of the MZIs in front as well, as their phases do, to the inputs of a mesh.
//! There light that was sent tells of the first mesh what it loses, and the nonlinearity of those behind: powers of an MZI's output are sums of nine functions of its θ and φ only if
//! so much is lost between nonlinearity and detector as one thinks.

use super::asking::Answers;
use super::column::{Column, bright, means, spread};
use super::dark::{Slopes, moved_clearly};
use super::least_squares::Powers;
use super::reading::Outputs;
use num_complex::Complex64;
use rayon::prelude::*;
use std::ops::Range;

/// Moduli at which a nonlinearity is tabulated, per factor of e, and how many factors below and above the light's they begin and end.
const FINE: f64 = 400.0;
const DEEP: f64 = 8.0;
const BRIGHT: f64 = 3.5;

/// By how much of itself a readout is moved to tell its slope, and the share of the greatest power behind which nonlinearities tell it from others.
const NEARBY: f64 = 0.01;
const BELOW: f64 = 0.98;

/// Losses (dB) that are looked at before the best of them is looked at closer, on either side, their distance, and halvings of that.
const MOST_DB: i32 = 16;
const STEP_DB: f64 = 0.25;
const HALVINGS: usize = 8;

/// Share of the samples that count there: a few are brighter than a nonlinearity can be undone for.
const CLEAR: f64 = 0.75;

/// What light crosses behind the mesh of a column.
struct Behind {
    /// Nonlinearities, of each mesh; none where a mesh has none behind it.
    nonlinear: Vec<Option<Table>>,
    /// Share of the power that the mesh behind each of them keeps, `[waveguide][nonlinearity]`.
    kept: Vec<Vec<f64>>,
}

impl Behind {
    /// The power of waveguide `row` in front of all of them but the `first`, where one has `read` so much.
    fn power(&self, row: usize, read: f64, first: usize) -> f64 {
        let all = self.nonlinear.iter().zip(&self.kept[row]).skip(first).rev();
        all.fold(read, |power, (own, kept)| own.as_ref().map_or(power / kept, |own| own.power(power / kept)))
    }

    /// How much more is read there for more power in front of all of them; 0 where it is no more than any.
    fn slope(&self, row: usize, read: f64) -> f64 {
        let [less, more] = [1.0 - NEARBY, 1.0 + NEARBY].map(|by| self.power(row, by * read, 0));
        if more > less { 2.0 * NEARBY * read / (more - less) } else { 0.0 }
    }
}

/// A growing function of a power, the other way round.
struct Table {
    /// Powers, with what becomes of each.
    values: Vec<[f64; 2]>,
}

impl Table {
    /// What `of` makes of `powers`, which grow. Where it passes less light for more beyond the power `usual`, nothing tells both apart, and the table ends.
    fn new(powers: &[f64], usual: f64, of: impl Fn(f64) -> f64) -> Self {
        let mut values: Vec<[f64; 2]> = Vec::new();
        for &power in powers {
            let read = of(power);
            if values.last().is_some_and(|[_, last]| read <= *last) {
                if power > usual {
                    break;
                }
                values.clear(); // so dark that rounding decides
            }
            values.push([power, read]);
        }
        Table { values }
    }

    fn power(&self, read: f64) -> f64 {
        let at = self.values.partition_point(|own| own[1] < read);
        let (Some(above), Some(below)) = (self.values.get(at), self.values.get(at.wrapping_sub(1))) else {
            return self.values.get(at).or(self.values.last()).map_or(0.0, |own| own[0]);
        };
        below[0] + (above[0] - below[0]) * (read - below[1]) / (above[1] - below[1])
    }
}

impl Column<'_> {
    /// Share of the power of waveguide `row` that `columns` keep.
    pub fn kept(&self, row: usize, columns: Range<usize>, estimate: &[f64]) -> f64 {
        if !self.chain.lossy() {
            return 1.0;
        }
        share(columns.map(|column| self.chain.loss(column, row, estimate)).sum())
    }

    /// Carries `fields [sample, mode]` through the waveguides behind `column`.
    pub fn lose(&self, column: usize, estimate: &[f64], fields: &mut [Complex64]) {
        if self.chain.lossy() {
            let modes = self.chain.modes();
            let kept: Vec<f64> = (0..modes).map(|row| self.kept(row, column..column + 1, estimate).sqrt()).collect();
            fields.iter_mut().enumerate().for_each(|(at, z)| *z *= kept[at % modes]);
        }
    }

    /// Powers behind the column, as far as everything behind lets light pass straight, without what is lost behind column `from` and those that follow.
    pub fn powers(&self, answers: &Answers, from: usize, estimate: &[f64]) -> Vec<Vec<f64>> {
        let (modes, end) = (self.chain.modes(), self.chain.mesh(self.column).end);
        let behind = self.what_follows(estimate);
        let own: Vec<f64> = (0..modes).map(|row| self.kept(row, from..end, estimate)).collect();
        let of = |(at, &read): (usize, &f64)| behind.power(at % modes, read, 0) / own[at % modes];
        answers.readouts.iter().map(|read| read.iter().enumerate().map(of).collect()).collect()
    }

    /// How much more is read for more of [`Column::powers`]; none where no nonlinearity is behind the mesh.
    pub fn slopes(&self, answers: &Answers, from: usize, estimate: &[f64]) -> Option<Slopes> {
        let (modes, end) = (self.chain.modes(), self.chain.mesh(self.column).end);
        let behind = self.what_follows(estimate);
        if behind.nonlinear.iter().all(Option::is_none) {
            return None;
        }
        let own: Vec<f64> = (0..modes).map(|row| self.kept(row, from..end, estimate)).collect();
        let of = |(at, &read): (usize, &f64)| own[at % modes] * behind.slope(at % modes, read);
        Some(Slopes {
            slopes: answers.readouts.iter().map(|read| read.iter().enumerate().map(of).collect()).collect(),
            most: (0..modes).map(|row| BELOW * behind.power(row, f64::MAX, 0) / own[row]).collect(),
        })
    }

    /// Finds the losses of the column, whose settings and those of no other are `answers`, and of the inputs of the mesh behind, if it is the last of its own: of MZIs
    /// both outputs of which are `clear`.
    pub fn find_losses(&self, answers: &Answers, clear: &[Outputs], estimate: &mut [f64]) {
        let modes = self.chain.modes();
        let Some(losses) = self.chain.losses(self.column) else { return };
        estimate[losses..losses + modes].fill(0.0);
        let behind = self.column + 1;
        if self.meets_inputs()
            && let Some(inputs) = self.chain.losses(behind)
        {
            let found = self.inputs_behind(answers, estimate);
            for (place, found) in self.chain.places(behind).iter().zip(found) {
                estimate[inputs + place.row] += found;
                estimate[inputs + place.row + 1] += found;
            }
        }
        let powers = self.powers(answers, self.column, estimate);
        let bright = bright(&means(&powers), modes);
        let slopes = self.slopes(answers, self.column, estimate);
        let moved = |row: usize| moved(&spread(&powers, modes, &bright, |own, at| own[at + row]), answers.len());
        let places = self.chain.places(self.column);
        for (place, _) in places.iter().zip(clear).filter(|(_, clear)| **clear == Outputs::Both) {
            let dim = slopes.as_ref().map(|own| own.dim(&powers, place.row, &bright));
            let ratio = dim.and_then(|own| moved_clearly(&own, answers.len()));
            let more = 5.0 * ratio.unwrap_or_else(|| moved(place.row + 1) / moved(place.row)).log10();
            estimate[losses + place.row] = if more.is_finite() { more } else { 0.0 };
        }
    }

    /// Whether the column is the last of its mesh, and another mesh is behind it.
    fn meets_inputs(&self) -> bool {
        let behind = self.column + 1;
        behind == self.chain.mesh(self.column).end && behind < self.chain.columns()
    }

    /// Whether it tells what inputs of the mesh behind lose, by phases that heaters make of which nobody knows how much they answer.
    pub fn finds_inputs(&self) -> bool {
        self.chain.lossy() && self.ways.unknown() && self.meets_inputs()
    }

    /// Finds what both inputs of every MZI of the first column lose, which `fields` enter, so far without.
    pub fn find_input_losses(&self, fields: &mut [Complex64], estimate: &mut [f64]) {
        let Some(losses) = self.chain.losses(0) else { return };
        let (modes, places) = (self.chain.modes(), self.chain.places(0));
        let power = |fields: &[Complex64], row: usize| {
            fields.chunks_exact(modes).map(|own| own[row].norm_sqr() + own[row + 1].norm_sqr()).sum::<f64>()
        };
        for place in places {
            let lost = 10.0 * (power(self.inputs, place.row) / power(fields, place.row)).log10();
            for row in [place.row, place.row + 1].into_iter().filter(|_| lost.is_finite()) {
                estimate[losses + row] += lost;
                fields.chunks_exact_mut(modes).for_each(|own| own[row] /= share(lost).sqrt());
            }
        }
    }

    /// What both inputs of every MZI of the mesh behind lose more (dB) than `estimate` has it.
    fn inputs_behind(&self, answers: &Answers, estimate: &[f64]) -> Vec<f64> {
        let (modes, behind) = (self.chain.modes(), self.what_follows(estimate));
        // in front of the meshes behind, but for what the next one keeps
        let of = |(at, &read): (usize, &f64)| behind.power(at % modes, read, 1);
        let powers: Vec<Vec<f64>> =
            answers.readouts.iter().map(|read| read.iter().enumerate().map(of).collect()).collect();
        let front = |row: usize, power: f64, loss: f64| {
            let power = power / (behind.kept[row][0] * share(loss));
            behind.nonlinear[0].as_ref().map_or(power, |own| own.power(power))
        };
        let usual: Vec<Vec<f64>> = (powers.iter())
            .map(|own| own.iter().enumerate().map(|(at, power)| front(at % modes, *power, 0.0)).collect())
            .collect();
        let bright = bright(&means(&usual), modes);
        let find = |row: usize| -> f64 {
            let rows: Vec<(usize, Powers)> = [row, row + 1]
                .into_iter()
                .filter_map(|row| Some((row, self.lights(row, answers, estimate)?)))
                .collect();
            let left = |loss: f64| -> f64 {
                let of = |(row, lights): &(usize, Powers)| {
                    let values = spread(&powers, modes, &bright, |own, at| front(*row, own[at + row], loss));
                    let mut left: Vec<f64> = lights.left(&values).collect();
                    left.sort_by(f64::total_cmp);
                    left[..(CLEAR * left.len() as f64) as usize].iter().sum::<f64>() / moved(&values, answers.len())
                };
                rows.iter().map(of).sum()
            };
            let all = (-MOST_DB..=MOST_DB).map(|step| STEP_DB * f64::from(step)).map(|loss| (loss, left(loss)));
            let mut best = all
                .filter(|own| own.1.is_finite())
                .fold((0.0, f64::INFINITY), |best, own| if own.1 < best.1 { own } else { best });
            let mut step = STEP_DB;
            for _ in 0..HALVINGS {
                step *= 0.5;
                for loss in [best.0 - step, best.0 + step] {
                    let own = left(loss);
                    if own < best.1 {
                        best = (loss, own);
                    }
                }
            }
            best.0
        };
        self.chain.places(self.column + 1).par_iter().map(|place| find(place.row)).collect()
    }

    /// What light crosses behind the column's mesh.
    fn what_follows(&self, estimate: &[f64]) -> Behind {
        let mut usual = self.inputs.iter().map(Complex64::norm_sqr).sum::<f64>() / self.inputs.len() as f64;
        let steps = 0..((DEEP + BRIGHT) * FINE) as usize;
        let mut powers: Vec<f64> = steps.map(|step| usual * (2.0 * (step as f64 / FINE - DEEP)).exp()).collect();
        let mut nonlinear = Vec::new();
        for (activations, _) in self.chain.behind(self.column) {
            let of =
                |power: f64| activations.iter().fold(Complex64::from(power.sqrt()), |z, own| own.value(z)).norm_sqr();
            let table = (!activations.is_empty()).then(|| Table::new(&powers, usual, of));
            if let Some(table) = &table {
                powers = table.values.iter().map(|own| own[1]).collect();
                usual = of(usual);
            }
            nonlinear.push(table);
        }
        let kept = |row| self.chain.behind(self.column).map(|(_, next)| self.kept(row, next, estimate)).collect();
        Behind { nonlinear, kept: (0..self.chain.modes()).map(kept).collect() }
    }
}

/// The share of a power that a loss of so many dB leaves.
fn share(db: f64) -> f64 {
    10f64.powf(-0.1 * db)
}

/// Sum of the squares by which `values [sample, setting]` differ from setting to setting.
fn moved(values: &[f64], settings: usize) -> f64 {
    let square = |own: &[f64]| {
        let mean = own.iter().sum::<f64>() / own.len() as f64;
        own.iter().map(|x| (x - mean).powi(2)).sum::<f64>()
    };
    values.chunks_exact(settings).map(square).sum()
}
