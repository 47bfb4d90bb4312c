//! The light in front of the columns that were read: its fields, and the phases of waveguides that they tell.

use super::super::chain::Place;
use super::column::Column;
use num_complex::Complex64;
use std::f64::consts::PI;

/// Phases that are looked at.
const PHASES: usize = 48;

/// The light that is known so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Light {
    /// Fields that enter the column behind the one that was read last, `[sample, mode]`; none yet before two columns were read.
    pub fields: Vec<Complex64>,
    /// The same of the column that was read last, each MZI's up to a phase of its own per sample.
    pub pairs: Vec<Complex64>,
}

impl Column<'_> {
    /// Gives the fields of `light.pairs`, which enter `column`, their phases, and finds the phases of waveguides behind.
    pub fn enter(&self, column: usize, estimate: &mut [f64], light: &mut Light) {
        let (modes, places) = (self.chain.modes(), self.chain.places(column));
        let half = |column: usize, place: &Place| {
            self.ways.dead(place.phi, estimate) && self.met_alone(column, place, estimate)
        };
        let halves: Vec<Place> = places.iter().filter(|place| half(column, place)).copied().collect();
        if column + 2 >= self.chain.columns() {
            halves.iter().for_each(|place| level(place, modes, &mut light.pairs));
        }
        if light.fields.is_empty() {
            // behind the last column phases do not matter, and those between its MZIs are found with the column in front
            light.fields = std::mem::take(&mut light.pairs);
            return;
        }
        let waveguides = self.chain.waveguides(column + 1);
        let mut out = light.pairs.clone();
        let known = self.known(estimate);
        let phase = |index| known.phase(index, self.front);
        known.cross(column, false, false, &phase, &mut out);
        if column + 2 == self.chain.columns() {
            self.chain_up(&places, &out, &mut light.fields);
        }
        let mut behind = light.fields.clone();
        self.chain.carry_back_between(column, phase, &mut behind);
        if column + 2 < self.chain.columns() {
            self.choose(column, &halves, &behind, [&mut out, &mut light.pairs], estimate);
        }
        // what the last two columns leave open is decided where the second in front of them tells it
        if matches!(self.chain.columns() - column, 3 | 4) {
            let open = |place: &&Place| {
                self.chain.place(column + 2, place.row).is_some_and(|second| half(column + 2, &second))
            };
            places.iter().filter(open).for_each(|place| join(place, modes, &out, &mut behind));
        }
        let mut fields = light.pairs.clone();
        let mut alone = vec![true; modes];
        for place in &places {
            let (upper, lower) = (place.row, place.row + 1);
            alone[upper..=lower].fill(false);
            let rows = || behind.chunks_exact(modes).zip(out.chunks_exact(modes));
            let apart: Complex64 =
                rows().map(|(x, y)| x[upper] * x[lower].conj() * (y[upper] * y[lower].conj()).conj()).sum();
            estimate[waveguides + upper] = apart.arg();
            let turned = Complex64::cis(apart.arg());
            for ((x, y), field) in rows().zip(fields.chunks_exact_mut(modes)) {
                let common = unit(x[upper] * (y[upper] * turned).conj() + x[lower] * y[lower].conj());
                field[upper] *= common;
                field[lower] *= common;
            }
        }
        for (mode, _) in alone.iter().enumerate().filter(|(_, alone)| **alone) {
            for sample in (0..fields.len()).step_by(modes) {
                fields[sample + mode] *= unit(behind[sample + mode] * out[sample + mode].conj());
            }
        }
        light.fields = fields;
    }

    /// Chooses the signs of s3 of `halves`, MZIs of `column` that were met alone and whose φ is dead, by the fields `behind` them: in their `pairs`, and in what leaves them, `out`.
    fn choose(
        &self,
        column: usize,
        halves: &[Place],
        behind: &[Complex64],
        [out, pairs]: [&mut Vec<Complex64>; 2],
        estimate: &[f64],
    ) {
        if halves.is_empty() {
            return;
        }
        let (modes, known) = (self.chain.modes(), self.known(estimate));
        let mut mirrored = pairs.clone();
        halves.iter().for_each(|place| mirror(place, modes, &mut mirrored));
        let mut other = mirrored.clone();
        known.cross(column, false, false, &|index| known.phase(index, self.front), &mut other);
        for place in halves {
            let rows = [place.row, place.row + 1];
            let taken = mirrored_samples(rows, modes, behind, [out.as_slice(), &other]);
            for at in taken.into_iter().flat_map(|sample| rows.map(|row| sample * modes + row)) {
                (out[at], pairs[at]) = (other[at], mirrored[at]);
            }
        }
    }

    /// Gives the pairs of `fields`, which enter the last column, the phases against one another that light `out` of the column in front has.
    fn chain_up(&self, places: &[Place], out: &[Complex64], fields: &mut [Complex64]) {
        let modes = self.chain.modes();
        let last = self.chain.places(self.chain.columns() - 1);
        for (fields, out) in fields.chunks_exact_mut(modes).zip(out.chunks_exact(modes)) {
            for Place { row: upper, .. } in places {
                let lower = upper + 1;
                let wanted = out[lower] * out[*upper].conj();
                let turn = unit(wanted * (fields[lower] * fields[*upper].conj()).conj());
                fields[lower] *= turn;
                if last.iter().any(|own| own.row == lower) {
                    fields[lower + 1] *= turn;
                }
            }
        }
    }

    /// The first column's fields, whose half turns the light that was sent tells where no second column does.
    pub fn arrive(&self, estimate: &mut [f64], light: &mut Light) {
        let modes = self.chain.modes();
        for place in self.chain.places(0).iter().filter(|_| Self::ends(self.chain, 0)) {
            let more = |fields: &[Complex64]| fields[place.row].norm_sqr() - fields[place.row + 1].norm_sqr();
            let samples = self.inputs.chunks_exact(modes).zip(light.pairs.chunks_exact(modes));
            if samples.map(|(sent, found)| more(sent) * more(found)).sum::<f64>() < 0.0 {
                turn(place, estimate, modes, &mut light.pairs);
            }
        }
        self.enter(0, estimate, light);
        self.find_input_losses(&mut light.fields, estimate);
    }
}

/// The errors and the fields at the MZI `place` that make the same powers of it with half a turn of θ more.
pub fn turn(place: &Place, estimate: &mut [f64], modes: usize, pairs: &mut [Complex64]) {
    estimate[place.couplers[1]] *= -1.0;
    let error = &mut estimate[place.error];
    *error += if *error > 0.0 { -PI } else { PI };
    for sample in pairs.chunks_exact_mut(modes) {
        let (upper, lower) = (sample[place.row], sample[place.row + 1]);
        sample[place.row] = -Complex64::from_polar(lower.norm(), upper.arg() - lower.arg());
        sample[place.row + 1] = upper.norm().into();
    }
}

/// The pairs of an MZI without s3.
fn level(place: &Place, modes: usize, pairs: &mut [Complex64]) {
    for sample in pairs.chunks_exact_mut(modes) {
        let [u, v] = [sample[place.row], sample[place.row + 1]];
        sample[place.row] = (u.norm().copysign((u * v.conj()).re)).into();
        sample[place.row + 1] = v.norm().into();
    }
}

/// Turns the fields `behind` an MZI, from its lower output on, so that in all samples it adds the same phase to `out`.
fn join(place: &Place, modes: usize, out: &[Complex64], behind: &mut [Complex64]) {
    let apart = |own: &[Complex64]| own[place.row] * own[place.row + 1].conj();
    let between = |x: &[Complex64], y: &[Complex64]| apart(x) * apart(y).conj();
    let common: Complex64 = behind.chunks_exact(modes).zip(out.chunks_exact(modes)).map(|(x, y)| between(x, y)).sum();
    for (x, y) in behind.chunks_exact_mut(modes).zip(out.chunks_exact(modes)) {
        let turn = unit(between(x, y) * common.conj());
        x[place.row + 1..].iter_mut().for_each(|z| *z *= turn);
    }
}

/// The pairs of an MZI with the other sign of s3.
fn mirror(place: &Place, modes: usize, pairs: &mut [Complex64]) {
    for sample in pairs.chunks_exact_mut(modes) {
        let [u, v] = [sample[place.row], sample[place.row + 1]];
        let phase = (u * v.conj()).arg();
        sample[place.row] = Complex64::from_polar(u.norm(), -phase);
        sample[place.row + 1] = v.norm().into();
    }
}

/// Samples in which the second of two fields `out` of an MZI suits those `behind` it better than the first, whatever phase its waveguides add.
fn mirrored_samples(
    [upper, lower]: [usize; 2],
    modes: usize,
    behind: &[Complex64],
    out: [&[Complex64]; 2],
) -> Vec<usize> {
    let apart = |own: &[Complex64], at: usize| own[at + upper] * own[at + lower].conj();
    let both: Vec<[Complex64; 2]> =
        (0..behind.len()).step_by(modes).map(|at| out.map(|own| apart(behind, at) * apart(own, at).conj())).collect();
    let suits = |phase: &f64| -> f64 {
        let back = Complex64::cis(-phase);
        both.iter().map(|own| own.map(|z| (z * back).re)).map(|[a, b]| a.max(b)).sum()
    };
    let phases = (0..PHASES).map(|step| 2.0 * PI * step as f64 / PHASES as f64);
    let back = Complex64::cis(-phases.max_by(|a, b| suits(a).total_cmp(&suits(b))).unwrap_or_default());
    let other = |own: &[Complex64; 2]| (own[1] * back).re > (own[0] * back).re;
    both.iter().enumerate().filter(|(_, own)| other(own)).map(|(sample, _)| sample).collect()
}

fn unit(z: Complex64) -> Complex64 {
    if z.norm() > 0.0 { z / z.norm() } else { 1.0.into() }
}
