//! Light straight through columns in which MZIs that cannot be set mix waveguides that others mix again, so that no one partner undoes it.
//!
//! From the light on, every MZI of the waveguides concerned is set so that light is as near as possible to the waveguide on which it entered the mesh,
//!
//! ```text
//! min Σ_j |t_1j|²·(1 − j)² + |t_2j|²·(2 − j)²  over θ, φ        t_kj: what waveguide k behind it has of waveguide j, of the straight way so far
//! ```
//!
//! which sorts what comes in another order, too, as exchanges of neighbours do, and undoes in a few columns whatever three waveguides do to one another. What is still mixed then is
//! set in turn, again and again ([`super::diagonal`]).

use super::super::chain::Place;
use super::clear::{Passage, unit_fields};
use super::reading::Transfer;
use super::straight::{Known, MIXED};
use num_complex::Complex64;
use std::f64::consts::TAU;
use std::ops::Range;

/// Waveguides beside those that are mixed which are set with them.
const BESIDE: usize = 2;
/// Share of other light that is not worth another setting.
const LITTLE: f64 = 0.01;
/// Angles of θ and of φ that are looked at, and halvings of their distance.
const ANGLES: usize = 16;
const HALVINGS: usize = 10;

impl Known<'_> {
    /// Sets `phases` of `columns` of one mesh anew where waveguides are still mixed, if fewer are then.
    pub fn lead_around(&self, columns: &Range<usize>, phases: &mut [f64]) {
        let sum = |phases: &[f64]| self.others(columns, phases).iter().sum::<f64>();
        for band in bands(&self.others(columns, phases)) {
            let band = self.widened(columns, band);
            if self.untold_within(columns, &band) {
                continue;
            }
            let mut other = phases.to_vec();
            self.set_one_by_one(columns, &band, &mut other);
            if sum(&other) < sum(phases) {
                phases.copy_from_slice(&other);
            }
            if self.others(columns, phases)[band.clone()].iter().any(|other| *other > LITTLE) {
                other.copy_from_slice(phases);
                self.keep_light(columns, &band, &mut other);
                if sum(&other) < sum(phases) {
                    phases.copy_from_slice(&other);
                }
            }
        }
    }

    /// The `band` with both waveguides of every MZI at its ends that cannot be set: its partner undoes what it mixes only as long as both waveguides' phases stay.
    fn widened(&self, columns: &Range<usize>, mut band: Range<usize>) -> Range<usize> {
        let mixing = |place: &Place| self.stuck(place) && self.leak(place) > LITTLE;
        let stuck: Vec<usize> =
            columns.clone().flat_map(|own| self.chain.places(own)).filter(mixing).map(|place| place.row).collect();
        loop {
            let before = band.clone();
            for row in &stuck {
                match [*row, row + 1].map(|row| band.contains(&row)) {
                    [true, false] => band.end += 1,
                    [false, true] => band.start -= 1,
                    [true, true] | [false, false] => (),
                }
            }
            if band == before {
                return band;
            }
        }
    }

    /// Whether one of `columns` that has both waveguides of `band` splits as nobody knows yet.
    fn untold_within(&self, columns: &Range<usize>, band: &Range<usize>) -> bool {
        let within = |place: &Place| band.contains(&place.row) && band.contains(&(place.row + 1));
        let untold =
            |column: usize| self.chain.places(column).iter().any(|own| within(own) && self.untold_split(column, own));
        columns.clone().any(untold)
    }

    /// Power of other light behind `columns` on every waveguide, where 1 enters each.
    fn others(&self, columns: &Range<usize>, phases: &[f64]) -> Vec<f64> {
        let passage = Passage::through(self, columns.clone(), &|index| self.made(index, phases));
        (0..self.chain.modes()).map(|row| passage.others(row, &[row])).collect()
    }

    fn set_one_by_one(&self, columns: &Range<usize>, band: &Range<usize>, phases: &mut [f64]) {
        let modes = self.chain.modes();
        let mut fields = unit_fields(modes);
        for column in columns.clone() {
            let waveguides = self.chain.waveguides(column);
            let turns: Vec<Complex64> =
                (0..modes).map(|mode| Complex64::cis(self.estimate[waveguides + mode])).collect();
            let inside = |own: &&Place| band.contains(&own.row) && band.contains(&(own.row + 1));
            for place in self.chain.places(column).iter().filter(inside) {
                let has = |row: usize| band.clone().map(|from| turns[row] * fields[from * modes + row]).collect();
                self.set(place, band.start, [has(place.row), has(place.row + 1)], phases);
            }
            self.cross(column, true, false, &|index| self.made(index, phases), &mut fields);
        }
    }

    /// Sets one MZI whose inputs have so much of waveguide `first` and those that follow.
    fn set(&self, place: &Place, first: usize, inputs: [Vec<Complex64>; 2], phases: &mut [f64]) {
        self.bar_at(place, phases);
        let own = [0, 1].map(|input| inputs[input][place.row + input - first].norm_sqr());
        if self.stuck(place) || own[0].min(own[1]) > 1.0 - LITTLE {
            return;
        }
        let astray = |m: &Transfer| -> f64 {
            let of = |(index, (a, b)): (usize, (&Complex64, &Complex64))| {
                let away = |output: usize| (place.row + output).abs_diff(first + index).pow(2) as f64;
                [0, 1].map(|output| (m[output][0] * a + m[output][1] * b).norm_sqr() * away(output)).iter().sum::<f64>()
            };
            inputs[0].iter().zip(&inputs[1]).enumerate().map(of).sum()
        };
        let turns = !self.ways.dead(place.phi, self.estimate);
        let at = |[theta, phi]: [f64; 2]| {
            let made = |index: usize| if index == place.theta { theta } else { phi };
            astray(&self.transfer(place, &made))
        };
        let grid = |steps: usize| (0..steps).map(move |step| TAU * step as f64 / steps as f64);
        let all = grid(ANGLES).flat_map(|theta| grid(if turns { ANGLES } else { 1 }).map(move |phi| [theta, phi]));
        let better = |a: [f64; 2], b: [f64; 2]| if at(b) < at(a) { b } else { a };
        let mut best = all.reduce(better).unwrap_or_default();
        let mut step = TAU / ANGLES as f64;
        for _ in 0..HALVINGS {
            step *= 0.5;
            let beside = [[step, 0.0], [-step, 0.0], [0.0, step], [0.0, -step]];
            let beside = beside.iter().filter(|own| turns || own[1] == 0.0);
            best = beside.map(|own| [best[0] + own[0], best[1] + own[1]]).fold(best, better);
        }
        [phases[place.theta], phases[place.phi]] = best;
    }

    /// What control number `index` makes of the phase that is wanted.
    pub fn made(&self, index: usize, phases: &[f64]) -> f64 {
        self.made_of(index, phases[index])
    }

    /// The same of that one's.
    pub fn made_of(&self, index: usize, phase: f64) -> f64 {
        if self.ways.dead(index, self.estimate) { 0.0 } else { phase }
    }
}

/// Waveguides that have more other light than is borne, with those beside them; bands that have some in common are one.
fn bands(others: &[f64]) -> Vec<Range<usize>> {
    let mut bands: Vec<Range<usize>> = Vec::new();
    for (row, _) in others.iter().enumerate().filter(|(_, other)| **other > MIXED) {
        let band = row.saturating_sub(BESIDE)..(row + 1 + BESIDE).min(others.len());
        match bands.last_mut() {
            Some(last) if last.end >= band.start => last.end = band.end,
            _ => bands.push(band),
        }
    }
    bands
}

#[cfg(test)]
mod tests {
    use super::super::super::chain::Chain;
    use super::super::super::heater_path::Ways;
    use super::*;
    use crate::fabrication::Fabrication;
    use crate::imperfections::{Control, Imperfections};
    use crate::network::{Detection, Network, Stage};
    use crate::optics::{Layout, Mesh};

    /// Other light on the waveguide that has most of it, of a mesh of so many modes with these dead (column, row), each at 0.7 rad.
    fn most_mixed(modes: usize, dead: &[(usize, usize)]) -> f64 {
        let mesh = Stage::Mesh(Mesh::universal(modes, Layout::Rectangular).unwrap());
        let network = Network::new(vec![vec![mesh, Stage::detection(modes, Detection::Intensity)]]).unwrap();
        let control = Control { dead_shifters: 0.1, ..Control::NONE };
        let fabrication = Imperfections { control, ..Imperfections::NONE }.typical(&network).unwrap();
        let chain = Chain::of(&network, &Fabrication::ideal()).unwrap();
        let ways = Ways::of(&network, &fabrication, Some(network.imperfections()));
        let mut estimate = vec![0.0; network.imperfections() + network.controls()];
        for (column, row) in dead {
            let place = chain.place(*column, *row).unwrap();
            estimate[place.error] = 0.7;
            ways.set_deviation(place.theta, -1.0, &mut estimate);
        }
        let known = Known { chain: &chain, ways: &ways, estimate: &estimate, reading: modes };
        let mut phases = vec![0.0; network.controls()];
        known.straighten(0, &mut phases);
        known.others(&(0..modes), &phases).into_iter().fold(0.0, f64::max)
    }

    #[test]
    fn light_passes_straight_around_mzis_that_cannot_be_set() {
        for dead in [&[(0, 4)][..], &[(3, 5), (6, 0)], &[(11, 1)], &[(2, 4), (3, 5)], &[(2, 4), (3, 3), (4, 4)]] {
            let most = most_mixed(12, dead);
            assert!(most < MIXED, "{dead:?}: {most}, and 0.8 behind one that nothing undoes");
        }
    }

    /// So they stood in a mesh of 64 modes, two waveguides of which stayed mixed when MZIs were set one by one, so that one in front was read as no MZI.
    #[test]
    fn light_passes_straight_around_many_mzis_beside_one_another() {
        let most = most_mixed(16, &[(2, 4), (4, 8), (5, 7), (7, 7)]);
        assert!(most < 0.01, "{most}");
    }
}
