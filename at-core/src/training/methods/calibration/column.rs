//! What readouts of a column of MZIs tell of it, and of the light in front of it.

use super::super::chain::{Chain, Place};
use super::super::heater_path::Ways;
use super::asking::Answers;
use super::dark::Dim;
use super::least_squares::Powers;
use super::light::{Light, turn};
use super::mzi_fit::Found;
use super::reading::{Outputs, Reading, Second, Transfer};
use super::straight::Known;
use num_complex::Complex64;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::f64::consts::PI;
use std::ops::Range;

/// What is left of an MZI's readouts, against the median of its column and at least, beyond which it is looked for anew.
const MISSED: f64 = 1.25;
const CLEAR: f64 = 0.1;
/// The same where all others leave next to nothing: a dead heater may leave no more.
const OUTSTANDING: f64 = 4.0;
const SHARP: f64 = 0.01;

/// What was read of an MZI: as [`Reading`] has it.
pub struct Read {
    /// [`Reading::differences`].
    pub values: Vec<f64>,
    /// [`Reading::outputs`].
    pub outputs: Outputs,
    /// [`Reading::behind`].
    pub behind: Transfer,
    /// [`Reading::totals`].
    pub totals: Vec<f64>,
    /// [`Reading::sums`].
    pub sums: Vec<f64>,
    /// [`Reading::dim`].
    pub dim: Option<Dim>,
}

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
        Known { chain: self.chain, ways: self.ways, estimate, reading: self.column }
    }

    /// The column is the last or the last but one of its mesh, whose half turns it does not tell.
    pub fn ends(chain: &Chain, column: usize) -> bool {
        column + 2 >= chain.mesh(column).end
    }

    /// The second column behind is in the same mesh, and is to be read together with this one.
    pub fn has_second(&self) -> bool {
        !Self::ends(self.chain, self.column)
    }

    /// The phase that control number `index` makes while columns behind are read.
    pub fn made(&self, index: usize, estimate: &[f64]) -> f64 {
        self.known(estimate).phase(index, self.front)
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
    pub fn tells(&self, estimate: &[f64]) -> bool {
        let behind = self.column + 1;
        behind < self.chain.columns() && self.chain.places(behind).iter().any(|own| self.to_tell(behind, own, estimate))
    }

    /// Those of `column` of which that is asked: of an MZI that is not told better once this column is read.
    fn to_tell(&self, column: usize, place: &Place, estimate: &[f64]) -> bool {
        let later = column + 2 < self.chain.columns() && self.known(estimate).untold_split(column, place);
        self.untold(column, place, estimate) && !later
    }

    /// Whether half a turn of the MZI `place` of `column` is not known.
    pub fn untold(&self, column: usize, place: &Place, estimate: &[f64]) -> bool {
        self.met_alone(column, place, estimate) || self.known(estimate).blind(column, place)
    }

    /// Whether no second is read with the MZI `place` of `column`.
    pub fn met_alone(&self, column: usize, place: &Place, estimate: &[f64]) -> bool {
        self.known(estimate).met_alone(column, place)
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
        let mut places = self.chain.places(self.column + 1);
        places.retain(|place| self.to_tell(self.column + 1, place, estimate));
        let known = self.known(estimate);
        // one that cannot be set to its bar state may be nearer its cross state, as far as one knows
        let crossed: Vec<bool> =
            places.par_iter().map(|place| crosses(place) != (known.stuck(place) && known.leak(place) > 0.5)).collect();
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
        let behind = |answers: &Answers, columns: Range<usize>, estimate: &[f64]| {
            let passage = self.passage(columns, &answers.base, estimate);
            let clear = self.clear(&passage, &answers.base, estimate);
            (passage, clear)
        };
        let straight = behind(alone, self.column + 1..self.chain.mesh(self.column).end, estimate);
        let rest = together.map(|answers| behind(answers, self.rest(), estimate));
        self.find_losses(alone, &straight.1, estimate);
        let own = self.powers(alone, self.column, estimate);
        let own_slopes = self.slopes(alone, self.column, estimate);
        let both = together.map(|answers| {
            let slopes = self.slopes(answers, self.met(), estimate);
            (answers, self.powers(answers, self.met(), estimate), slopes)
        });
        let means = means(&own);
        let bright = bright(&means, modes);
        let known = self.known(estimate);
        let find = |(number, place): (usize, &Place)| -> (Reading, Found) {
            let outputs = straight.1[number];
            let sums = totals(&means, place.row, modes, &bright);
            let totals = if self.chain.lossy() { sums.clone() } else { Vec::new() };
            let read = Read {
                values: values(&own, place.row, modes, &bright, outputs),
                outputs,
                behind: straight.0.of(place.row),
                totals: totals.clone(),
                sums: if outputs == Outputs::Both { sums } else { Vec::new() },
                dim: own_slopes.as_ref().map(|slopes| slopes.dim(&own, place.row, &bright)),
            };
            let reading = self.reading(place, alone, read, estimate, false);
            let found = reading.alone();
            let (Some((answers, powers, slopes)), Some((rest, clear)), false) =
                (&both, &rest, known.interrupted(self.column, place))
            else {
                return (reading, found);
            };
            let outputs = clear[number];
            let values = values(powers, place.row, modes, &bright, outputs);
            let dim = slopes.as_ref().map(|slopes| slopes.dim(powers, place.row, &bright));
            let read = Read { values, outputs, behind: rest.of(place.row), totals, sums: Vec::new(), dim };
            let together = self.reading(place, answers, read, estimate, true);
            let mut found = together.with_second(&found.errors, self.behind(place, estimate));
            let own = reading.light_at(found.errors);
            if own.rest < found.rest {
                found.stokes = own.stokes;
            }
            (together, found)
        };
        let places = self.chain.places(self.column);
        let mut found: Vec<(Reading, Found)> = places.par_iter().enumerate().map(find).collect();
        let [usual, _] = median_and_most(found.iter().map(|(_, own)| own.rest));
        let missed = |(reading, own): &(Reading, Found)| {
            own.rest > CLEAR.max(MISSED * usual)
                || (reading.heaters && own.rest > SHARP.max(OUTSTANDING * usual))
                || reading.doubtful(own)
        };
        found.par_iter_mut().filter(|own| missed(own)).for_each(|(reading, own)| *own = reading.anew(own.clone()));
        found.par_iter_mut().for_each(|(reading, own)| *own = reading.filled(own.clone()));
        light.pairs = means.iter().map(|power| power.max(0.0).sqrt().into()).collect();
        for (place, (reading, own)) in places.iter().zip(&found) {
            self.put(place, own, estimate);
            // what a dead φ leaves open of the second, the first tells better than the column between
            let second = reading.second.as_ref().and_then(|_| self.chain.place(self.column + 2, place.row));
            let turned = |own: &Place| !self.ways.dead(own.theta, estimate) && self.ways.dead(own.phi, estimate);
            if let Some(second) = second.filter(|second| own.rest < CLEAR && turned(second)) {
                estimate[second.error] = (own.errors[5] + PI).rem_euclid(2.0 * PI) - PI;
            }
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

    /// The first column whose losses are taken off before this one is read together with the second behind it, where it has one.
    pub fn met(&self) -> usize {
        self.column + if self.has_second() { 2 } else { 0 }
    }

    /// Columns behind that are read as one, straight.
    pub fn rest(&self) -> Range<usize> {
        let end = self.chain.mesh(self.column).end;
        (self.column + if self.has_second() { 3 } else { 1 }).min(end)..end
    }

    /// Errors β and δθ, so far, of the MZI behind `place`; none where there is none.
    pub fn behind(&self, place: &Place, estimate: &[f64]) -> [f64; 2] {
        let behind = self.has_second().then(|| self.chain.place(self.column + 2, place.row)).flatten();
        behind.map_or([0.0; 2], |own| [own.couplers[1], own.error].map(|index| estimate[index]))
    }

    /// What `answers` have of an MZI, whose differences and totals are known, and of that behind it, as far as `estimate` knows what is behind, if both were read together.
    pub fn reading(
        &self,
        place: &Place,
        answers: &Answers,
        Read { values, outputs, behind, totals, sums, dim }: Read,
        estimate: &[f64],
        together: bool,
    ) -> Reading {
        let known = self.known(estimate);
        let second = || {
            let own = self.chain.place(self.column + 2, place.row)?;
            let between = self.chain.place(self.column + 1, place.row + 1);
            let stays = known.straight(place.row, self.column + 1, &|index| known.phase(index, &answers.base));
            let kept = |output: usize| {
                stays[output].norm() * self.kept(place.row + output, self.column..self.column + 2, estimate).sqrt()
            };
            Some(Second {
                kept: [kept(0), kept(1)],
                theta: known.turns(answers, own.theta),
                phi: known.turns(answers, own.phi),
                between: between.map_or(vec![1.0.into(); answers.len()], |own| known.turns(answers, own.phi)),
                first_coupler: estimate[own.couplers[0]],
                errors: [own.couplers[1], own.error].map(|index| estimate[index]),
                stuck: known.stuck(&own),
            })
        };
        let parts =
            |index: usize| (0..answers.len()).map(|own| self.ways.parts(index, answers.told(own), estimate)).collect();
        Reading {
            theta: parts(place.theta),
            phi: parts(place.phi),
            heaters: self.ways.unknown(),
            second: if together { second() } else { None },
            behind,
            outputs,
            differences: values,
            sums,
            totals,
            dim,
        }
    }

    /// Puts what was found of the MZI `place` into `estimate`.
    pub fn put(&self, place: &Place, found: &Found, estimate: &mut [f64]) {
        let [first, second, theta, .., theta_heater, phi_heater] = found.errors;
        [estimate[place.couplers[0]], estimate[place.couplers[1]]] = [first, second];
        estimate[place.error] = (theta + PI).rem_euclid(2.0 * PI) - PI;
        self.ways.set_deviation(place.theta, theta_heater, estimate);
        self.ways.set_deviation(place.phi, phi_heater, estimate);
    }
}

/// The median, the lower of two, and the most; 0 of nothing.
pub fn median_and_most(all: impl Iterator<Item = f64>) -> [f64; 2] {
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

/// What is read of `outputs` of waveguides `row` and the next, as [`spread`] has it.
pub fn values(powers: &[Vec<f64>], row: usize, modes: usize, bright: &[f64], outputs: Outputs) -> Vec<f64> {
    let mut values = spread(powers, modes, bright, |own, at| outputs.of([own[at + row], own[at + row + 1]]));
    outputs.centre(&mut values, powers.len());
    values
}
