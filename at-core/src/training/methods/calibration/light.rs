//! The light in front of the columns that were read: its fields, and the phases of waveguides that they tell.

use super::super::chain::Place;
use super::column::Column;
use super::in_front::HALF_SPLIT;
use num_complex::Complex64;
use std::f64::consts::PI;

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
        let half = |column: usize, place: &Place, estimate: &[f64]| {
            self.ways.dead(place.phi, estimate) && self.met_alone(column, place, estimate)
        };
        let dark: Vec<Place> = places.iter().filter(|own| self.known(estimate).both_dead(own)).copied().collect();
        dark.iter().for_each(|place| estimate[place.error] = HALF_SPLIT);
        let told = self.told_in_front(column, estimate);
        if column + 2 >= self.chain.columns() {
            let halves = places.iter().filter(|place| half(column, place, estimate));
            halves.for_each(|place| level(place, modes, &mut light.pairs));
        }
        if light.fields.is_empty() {
            // behind the last column phases do not matter, and those between its MZIs are found with the column in front
            light.fields = std::mem::take(&mut light.pairs);
            return;
        }
        let waveguides = self.chain.waveguides(column + 1);
        let mut out = light.pairs.clone();
        self.known(estimate).cross(column, false, false, &|index| self.made(index, estimate), &mut out);
        let mut entering = out.clone();
        self.chain.carry_between(column, |index| self.made(index, estimate), &mut entering);
        self.tell_in_front(column + 1, &entering, estimate, light);
        if matches!(self.chain.columns() - column, 2 | 3) {
            self.level_halved(column + 1, &out, estimate, light);
        }
        if column + 2 == self.chain.columns() {
            self.chain_up(&places, &out, &mut light.fields);
        }
        let mut behind = light.fields.clone();
        self.chain.carry_back_between(column, |index| self.made(index, estimate), &mut behind);
        if column + 2 < self.chain.columns() {
            self.carry_back(&told, &behind, [&mut out, &mut light.pairs], estimate);
        }
        // what the last two columns leave open is decided where the second in front of them tells it
        if matches!(self.chain.columns() - column, 3 | 4) {
            let open = |place: &&Place| {
                self.chain.place(column + 2, place.row).is_some_and(|second| half(column + 2, &second, estimate))
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
        let untold: Vec<Place> =
            self.chain.places(0).into_iter().filter(|place| self.untold(0, place, estimate)).collect();
        for place in &untold {
            let more = |fields: &[Complex64]| fields[place.row].norm_sqr() - fields[place.row + 1].norm_sqr();
            let samples = self.inputs.chunks_exact(modes).zip(light.pairs.chunks_exact(modes));
            if samples.map(|(sent, found)| more(sent) * more(found)).sum::<f64>() < 0.0 {
                turn(place, estimate, modes, &mut light.pairs);
            }
        }
        self.turn_first(estimate, light);
        self.enter(0, estimate, light);
        self.tell_in_front(0, self.inputs, estimate, light);
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

/// z/|z|, and 1 of nothing.
pub fn unit(z: Complex64) -> Complex64 {
    if z.norm() > 0.0 { z / z.norm() } else { 1.0.into() }
}
