//! What readouts of a column of MZIs tell of it, and of the light in front of it.

use super::super::chain::{Chain, Place};
use super::super::heater_path::Ways;
use super::asking::Answers;
use super::least_squares::Powers;
use super::light::{Light, turn};
use super::mzi_fit::Found;
use super::reading::{Reading, Second, Transfer};
use super::straight::{self, Known};
use num_complex::Complex64;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::f64::consts::PI;
use std::ops::Range;

/// What is left of an MZI's readouts, against the median of its column and at least, beyond which it is looked for anew.
const MISSED: f64 = 1.25;
const CLEAR: f64 = 0.1;

/// A column that is read.
pub struct Column<'a> {
    /// The chain.
    pub chain: &'a Chain,
    /// The ways of its controls to their phases.
    pub ways: &'a Ways,
    /// Its number.
    pub column: usize,
    /// Light that was sent, `[sample, mode]`.
    pub inputs: &'a [Complex64],
    /// All controls while columns behind were read.
    pub front: &'a [f64],
}

impl<'a> Column<'a> {
    /// The chain as far as `estimate` knows it.
    pub fn known<'b>(&self, estimate: &'b [f64]) -> Known<'b>
    where
        'a: 'b,
    {
        Known { chain: self.chain, ways: self.ways, estimate }
    }

    /// The column is the last or the last but one of its mesh, whose half turns it does not tell.
    pub fn ends(chain: &Chain, column: usize) -> bool {
        column + 2 >= chain.mesh(column).end
    }

    /// The second column behind is in the same mesh, and is to be read together with this one.
    pub fn has_second(&self) -> bool {
        !Self::ends(self.chain, self.column)
    }

    /// The controls of all MZIs of `column`.
    pub fn shifters(&self, column: usize) -> Vec<usize> {
        self.chain.places(column).iter().flat_map(|place| [place.theta, place.phi]).collect()
    }

    /// The controls of columns in front that heaters of this one and of those behind it heat, each with the phase that it makes while columns behind are read.
    pub fn in_front(&self, estimate: &[f64]) -> Vec<(usize, f64)> {
        let heats = |column: usize| {
            let heated = self.ways.heated(&self.shifters(column)).into_iter();
            heated.filter(|index| self.chain.in_front(self.column, *index)).collect::<Vec<_>>()
        };
        // columns farther behind heat none either
        let behind = (self.column..self.chain.mesh(self.column).end).map(heats).take_while(|heated| !heated.is_empty());
        let heated: BTreeSet<usize> = behind.flatten().collect();
        let known = self.known(estimate);
        heated.into_iter().map(|index| (index, known.phase(index, self.front))).collect()
    }

    /// Half turns of the column behind are to be told.
    pub fn tells(&self) -> bool {
        self.column + 1 < self.chain.columns() && Self::ends(self.chain, self.column + 1)
    }

    /// Tells bar and cross of the column behind apart from `answers`, settings of this column: by which of its MZIs light the one output or the other.
    pub fn tell(&self, answers: &Answers, estimate: &mut [f64], light: &mut Light) {
        let modes = self.chain.modes();
        let powers = self.powers(answers, self.column, estimate);
        let bright = bright(&means(&powers), modes);
        // a waveguide without an MZI is lit by none: its light stays as it is
        let still = || Powers::new(&vec![1.0.into(); powers.len()], &vec![1.0.into(); powers.len()]);
        let lights = |row: usize| self.lights(row, answers, estimate).unwrap_or_else(still);
        let crosses = |place: &Place| -> bool {
            let rows = [place.row, place.row + 1];
            let values = rows.map(|row| spread(&powers, modes, &bright, |own, at| own[at + row]));
            let lights = rows.map(lights);
            let left = |from: usize, to: usize| lights[from].left(&values[to]).sum::<f64>();
            left(0, 1) + left(1, 0) < left(0, 0) + left(1, 1)
        };
        let places = self.chain.places(self.column + 1);
        let crossed: Vec<bool> = places.par_iter().map(crosses).collect();
        for (place, _) in places.iter().zip(crossed).filter(|(_, crossed)| *crossed) {
            turn(place, estimate, modes, &mut light.pairs);
        }
    }

    /// Sums that a power of waveguide `row` behind the column can be, whatever light enters; none where it has no MZI there.
    pub fn lights(&self, row: usize, answers: &Answers, estimate: &[f64]) -> Option<Powers> {
        let above = row.checked_sub(1).and_then(|row| self.chain.place(self.column, row));
        let (known, place) = (self.known(estimate), self.chain.place(self.column, row).or(above)?);
        Some(Powers::new(&known.turns(answers, place.theta), &known.turns(answers, place.phi)))
    }

    /// Reads the column from `alone`, its own settings, and from `together`, those with the second column behind. Returns what is left of an MZI's readouts,
    /// the median and the most.
    pub fn read(
        &self,
        alone: &Answers,
        together: Option<&Answers>,
        estimate: &mut [f64],
        light: &mut Light,
    ) -> [f64; 2] {
        let modes = self.chain.modes();
        self.find_losses(alone, estimate);
        let own = self.powers(alone, self.column, estimate);
        let both = together.map(|answers| (answers, self.powers(answers, self.met(), estimate)));
        let means = means(&own);
        let bright = bright(&means, modes);
        let find = |place: &Place| -> (Reading, Found) {
            let values = differences(&own, place.row, modes, &bright);
            let totals = if self.chain.lossy() { totals(&means, place.row, modes, &bright) } else { Vec::new() };
            let reading = self.reading(place, alone, (values, totals.clone()), estimate, false);
            let found = reading.alone();
            let Some((answers, powers)) = both.as_ref() else { return (reading, found) };
            let values = differences(powers, place.row, modes, &bright);
            let together = self.reading(place, answers, (values, totals), estimate, true);
            let mut found = together.with_second(&found.errors, self.behind(place, estimate));
            let own = reading.light_at(found.errors);
            if own.rest < found.rest {
                found.stokes = own.stokes;
            }
            (together, found)
        };
        let places = self.chain.places(self.column);
        let mut found: Vec<(Reading, Found)> = places.par_iter().map(find).collect();
        let [usual, _] = median_and_most(found.iter().map(|(_, own)| own.rest));
        found.par_iter_mut().filter(|(_, own)| own.rest > CLEAR.max(MISSED * usual)).for_each(|(reading, own)| {
            *own = reading.anew(own.clone());
        });
        light.pairs = means.iter().map(|power| power.max(0.0).sqrt().into()).collect();
        for (place, (_, own)) in places.iter().zip(&found) {
            self.put(place, own, estimate);
            for (sample, stokes) in own.stokes.iter().enumerate() {
                let [s1, s2, s3] = stokes.map(|own| own * bright[sample]);
                let sum = s1.hypot(s2).hypot(s3);
                let at = sample * modes + place.row;
                light.pairs[at] = Complex64::from_polar((0.5 * (sum + s1)).max(0.0).sqrt(), s3.atan2(s2));
                light.pairs[at + 1] = (0.5 * (sum - s1)).max(0.0).sqrt().into();
            }
        }
        median_and_most(found.iter().map(|(_, own)| own.rest))
    }

    /// Reads the column once more from `answers`, settings with the second column behind if it has one, now that the fields which enter it are known, and with them what its
    /// MZIs get from one another in the column between. Returns what is left, as [`Column::read`].
    pub fn mend(&self, answers: &Answers, estimate: &mut [f64], light: &Light) -> [f64; 2] {
        let modes = self.chain.modes();
        let met = self.met();
        let powers = self.powers(answers, met, estimate);
        let bright = bright(&means(&powers), modes);
        let known = self.known(estimate);
        let places = self.chain.places(self.column);
        let rest = self.rest();
        let last = rest.start + usize::from(self.has_second() && straight::leaks(&rest));
        let behind: Vec<Transfer> = places
            .iter()
            .map(|place| known.through(place.row, last..rest.end, &|index| known.phase(index, &answers.base)))
            .collect();
        let strayed: Vec<Vec<f64>> = (0..answers.len())
            .into_par_iter()
            .map(|setting| {
                let phase = |index| self.ways.phase(index, answers.told(setting), known.estimate);
                let [all, straight] = [false, true].map(|straight| {
                    let mut fields = light.fields.clone();
                    (self.column..last).for_each(|column| {
                        let between = (column - self.column) % 2 == 1;
                        known.cross(column, column > self.column, straight && between, &phase, &mut fields);
                        if column < met {
                            self.lose(column, estimate, &mut fields);
                        }
                    });
                    let read = |sample: &[Complex64]| -> Vec<f64> {
                        let of = |(place, m): (&Place, &Transfer)| {
                            let [a, b] = [sample[place.row], sample[place.row + 1]];
                            (m[1][0] * a + m[1][1] * b).norm_sqr() - (m[0][0] * a + m[0][1] * b).norm_sqr()
                        };
                        places.iter().zip(&behind).map(of).collect()
                    };
                    fields.chunks_exact(modes).flat_map(read).collect::<Vec<_>>()
                });
                all.iter().zip(straight).map(|(all, straight)| all - straight).collect()
            })
            .collect();
        let find = |(number, place): (usize, &Place)| -> Found {
            let mut values = differences(&powers, place.row, modes, &bright);
            for (sample, values) in values.chunks_exact_mut(powers.len()).enumerate() {
                for (value, strayed) in values.iter_mut().zip(&strayed).filter(|_| bright[sample] > 0.0) {
                    *value -= strayed[sample * places.len() + number] / bright[sample];
                }
            }
            let [alpha, beta, theta] = [place.couplers[0], place.couplers[1], place.error].map(|index| estimate[index]);
            let [theta_heater, phi_heater] = [place.theta, place.phi].map(|own| self.ways.deviation(own, estimate));
            let [second_beta, second_theta] = self.behind(place, estimate);
            let errors = [alpha, beta, theta, 0.0, second_beta, second_theta, theta_heater, phi_heater];
            let power = |sample: &[Complex64]| sample[place.row].norm_sqr() + sample[place.row + 1].norm_sqr();
            let of = |(sample, by): (&[Complex64], &f64)| if *by > 0.0 { power(sample) / by } else { 0.0 };
            let lossy = self.chain.lossy();
            let totals = light.fields.chunks_exact(modes).zip(&bright).filter(|_| lossy).map(of).collect();
            self.reading(place, answers, (values, totals), estimate, self.has_second()).mended(errors)
        };
        let found: Vec<Found> = places.par_iter().enumerate().map(find).collect();
        places.iter().zip(&found).for_each(|(place, own)| self.put(place, own, estimate));
        median_and_most(found.iter().map(|own| own.rest))
    }

    /// The first column whose losses are taken off before this one is read together with the second behind it, where it has one.
    fn met(&self) -> usize {
        self.column + if self.has_second() { 2 } else { 0 }
    }

    /// Columns behind that are read as one, straight.
    fn rest(&self) -> Range<usize> {
        let end = self.chain.mesh(self.column).end;
        (self.column + if self.has_second() { 3 } else { 2 }).min(end)..end
    }

    /// Errors β and δθ, so far, of the MZI behind `place`; none where there is none.
    fn behind(&self, place: &Place, estimate: &[f64]) -> [f64; 2] {
        let behind = self.has_second().then(|| self.chain.place(self.column + 2, place.row)).flatten();
        behind.map_or([0.0; 2], |own| [own.couplers[1], own.error].map(|index| estimate[index]))
    }

    /// What `answers` have of an MZI, whose differences and totals are known, and of that behind it, as far as `estimate` knows what is behind, if both were read together.
    fn reading(
        &self,
        place: &Place,
        answers: &Answers,
        (differences, totals): (Vec<f64>, Vec<f64>),
        estimate: &[f64],
        together: bool,
    ) -> Reading {
        let known = self.known(estimate);
        let behind = || {
            let own = self.chain.place(self.column + 2, place.row)?;
            let between = self.chain.place(self.column + 1, place.row + 1);
            let kept = |row| self.kept(row, self.column..self.column + 2, estimate).sqrt();
            Some(Second {
                kept: [kept(place.row), kept(place.row + 1)],
                theta: known.turns(answers, own.theta),
                phi: known.turns(answers, own.phi),
                between: between.map_or(vec![1.0.into(); answers.len()], |own| known.turns(answers, own.phi)),
                first_coupler: estimate[own.couplers[0]],
                behind: known.through(place.row, self.rest(), &|index| known.phase(index, &answers.base)),
            })
        };
        let parts =
            |index: usize| (0..answers.len()).map(|own| self.ways.parts(index, answers.told(own), estimate)).collect();
        Reading {
            theta: parts(place.theta),
            phi: parts(place.phi),
            heaters: self.ways.unknown(),
            second: if together { behind() } else { None },
            differences,
            totals,
        }
    }

    /// Puts what was found of the MZI `place` into `estimate`.
    fn put(&self, place: &Place, found: &Found, estimate: &mut [f64]) {
        let [first, second, theta, .., theta_heater, phi_heater] = found.errors;
        [estimate[place.couplers[0]], estimate[place.couplers[1]]] = [first, second];
        estimate[place.error] = (theta + PI).rem_euclid(2.0 * PI) - PI;
        self.ways.set_deviation(place.theta, theta_heater, estimate);
        self.ways.set_deviation(place.phi, phi_heater, estimate);
    }
}

/// The median, the lower of two, and the most; 0 of nothing.
fn median_and_most(all: impl Iterator<Item = f64>) -> [f64; 2] {
    let mut all: Vec<f64> = all.collect();
    all.sort_by(f64::total_cmp);
    let at = |index: usize| all.get(index).copied().unwrap_or_default();
    [at(all.len().saturating_sub(1) / 2), at(all.len().saturating_sub(1))]
}

/// The mean over all settings.
pub fn means(powers: &[Vec<f64>]) -> Vec<f64> {
    let of = |at: usize| powers.iter().map(|own| own[at]).sum::<f64>() / powers.len() as f64;
    (0..powers[0].len()).map(of).collect()
}

/// Mean power of a waveguide of every sample, of `powers [sample, mode]`.
pub fn bright(powers: &[f64], modes: usize) -> Vec<f64> {
    powers.chunks_exact(modes).map(|own| own.iter().sum::<f64>() / modes as f64).collect()
}

/// What `of` takes of the powers of a sample, which begin where it is told, `[sample, setting]`, in units of what the samples are `bright`: behind
/// nonlinearities some are far brighter than others, and all have one weight.
pub fn spread(powers: &[Vec<f64>], modes: usize, bright: &[f64], of: impl Fn(&[f64], usize) -> f64) -> Vec<f64> {
    let mut all = Vec::with_capacity(powers.len() * bright.len());
    for (sample, by) in bright.iter().enumerate() {
        all.extend(powers.iter().map(|own| if *by > 0.0 { of(own, sample * modes) / by } else { 0.0 }));
    }
    all
}

/// P1 + P2 of waveguides `row` and the next, of the `means` of all settings, in the same units.
fn totals(means: &[f64], row: usize, modes: usize, bright: &[f64]) -> Vec<f64> {
    let of = |(own, by): (&[f64], &f64)| if *by > 0.0 { (own[row] + own[row + 1]) / by } else { 0.0 };
    means.chunks_exact(modes).zip(bright).map(of).collect()
}

/// P2 − P1 of waveguides `row` and the next, as [`spread`] has it.
fn differences(powers: &[Vec<f64>], row: usize, modes: usize, bright: &[f64]) -> Vec<f64> {
    spread(powers, modes, bright, |own, at| own[at + row + 1] - own[at + row])
}
