//! A column read once more, when the fields that enter it are known, and with them what its MZIs get from one another behind it.

use super::super::chain::Place;
use super::anew::DEAD;
use super::asking::Answers;
use super::column::{Column, Read, bright, means, median_and_most, spread};
use super::dark::Dim;
use super::light::Light;
use super::mzi_fit::Found;
use num_complex::Complex64;
use rayon::prelude::*;

/// What is left above which this tells nothing of an MZI: the light that strays into its own is not known.
const UNTOLD: f64 = 0.25;

impl Column<'_> {
    /// Reads the column once more from `answers`, settings with the second column behind if it has one, now that the fields which enter it are known, and with them what its
    /// MZIs get from one another in the column between. Returns what is left, as [`Column::read`].
    pub fn mend(&self, answers: &Answers, estimate: &mut [f64], light: &Light) -> [f64; 2] {
        let modes = self.chain.modes();
        let met = self.met();
        let powers = self.powers(answers, met, estimate);
        let slopes = self.slopes(answers, met, estimate);
        let bright = bright(&means(&powers), modes);
        let known = self.known(estimate);
        let places = self.chain.places(self.column);
        let rest = self.rest();
        let (last, passage) = (rest.start, self.passage(rest, &answers.base, estimate));
        let clear = self.clear(&passage, &answers.base, estimate);
        // what is read, without what an MZI alone would make of it
        let strayed: Vec<Vec<f64>> = (0..answers.len())
            .into_par_iter()
            .map(|setting| {
                let phase = |index| self.ways.phase(index, answers.told(setting), known.estimate);
                let [all, alone] = [false, true].map(|alone| {
                    let mut fields = light.fields.clone();
                    (self.column..last).for_each(|column| {
                        let between = (column - self.column) % 2 == 1;
                        known.cross(column, column > self.column, alone && between, &phase, &mut fields);
                        if column < met {
                            self.lose(column, estimate, &mut fields);
                        }
                    });
                    let read = |sample: &[Complex64]| -> Vec<f64> {
                        let of = |place: &Place| {
                            let from = if alone { place.row..place.row + 2 } else { 0..modes };
                            [0, 1].map(|side| passage.field(place.row + side, from.clone(), sample).norm_sqr())
                        };
                        places.iter().flat_map(of).collect()
                    };
                    fields.chunks_exact(modes).flat_map(read).collect::<Vec<_>>()
                });
                all.iter().zip(alone).map(|(all, alone)| all - alone).collect()
            })
            .collect();
        let find = |(number, place): (usize, &Place)| -> Found {
            let outputs = clear[number];
            let both = [0, 1].map(|side| {
                let mut all = spread(&powers, modes, &bright, |own, at| own[at + place.row + side]);
                for (sample, all) in all.chunks_exact_mut(powers.len()).enumerate() {
                    for (value, strayed) in all.iter_mut().zip(&strayed).filter(|_| bright[sample] > 0.0) {
                        *value -= strayed[2 * (sample * places.len() + number) + side] / bright[sample];
                    }
                }
                all
            });
            let mut values: Vec<f64> = both[0].iter().zip(&both[1]).map(|(a, b)| outputs.of([*a, *b])).collect();
            outputs.centre(&mut values, powers.len());
            let dim = slopes.as_ref().map(|slopes| Dim { powers: both, ..slopes.dim(&powers, place.row, &bright) });
            let [alpha, beta, theta] = [place.couplers[0], place.couplers[1], place.error].map(|index| estimate[index]);
            // an engine that rounds keeps no s of exactly −1
            let heater =
                |own: usize| if self.ways.dead(own, estimate) { DEAD } else { self.ways.deviation(own, estimate) };
            let [theta_heater, phi_heater] = [place.theta, place.phi].map(heater);
            let [second_beta, second_theta] = self.behind(place, estimate);
            let errors = [alpha, beta, theta, 0.0, second_beta, second_theta, theta_heater, phi_heater];
            let power = |sample: &[Complex64]| sample[place.row].norm_sqr() + sample[place.row + 1].norm_sqr();
            let of = |(sample, by): (&[Complex64], &f64)| if *by > 0.0 { power(sample) / by } else { 0.0 };
            let lossy = self.chain.lossy();
            let totals = light.fields.chunks_exact(modes).zip(&bright).filter(|_| lossy).map(of).collect();
            let read = Read { values, outputs, behind: passage.of(place.row), totals, sums: Vec::new(), dim };
            let reading = self.reading(place, answers, read, estimate, self.has_second());
            reading.filled(reading.mended(errors))
        };
        let found: Vec<Found> = places.par_iter().enumerate().map(find).collect();
        // what leaves those that the column in front will tell is known by the errors that they have
        let later = self.told_in_front(self.column, estimate);
        let told = places.iter().zip(&found).filter(|(place, own)| own.rest < UNTOLD && !later.contains(place));
        told.for_each(|(place, own)| self.put(place, own, estimate));
        median_and_most(found.iter().map(|own| own.rest))
    }
}
