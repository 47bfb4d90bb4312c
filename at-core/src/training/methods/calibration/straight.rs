//! Phases at which light passes straight through the columns of a chain, as far as their errors are known.
//!
//! An MZI whose couplers have errors α and β leaks `sin²(α − β)` at its bar state, as a field ε. Two of them on the same waveguides, with one column
//! between them, leak nothing where both leak alike and the second against the first:
//!
//! ```text
//! |ε(θ1)| = |ε(θ2)| = max of both at their bar states       M2·T·M1 diagonal: φ2
//! ```
//!
//! T what stands between them, straight. Columns 1 and 3, 2 and 4, 5 and 7, … of those at the end of a mesh are such pairs, so that what is left is of second order; up to
//! three columns at the front have no partner yet.

use super::super::chain::{Chain, Place};
use super::super::heater_path::Ways;
use super::asking::Answers;
use super::reading::{Transfer, product};
use crate::optics::mzi::{Coupler, mzi_transfer};
use num_complex::Complex64;
use std::f64::consts::PI;
use std::ops::Range;

/// Columns that are paired with one another.
const GROUP: usize = 4;

/// Whether the first of `columns`, of those at the end of a mesh, has no partner.
pub fn leaks(columns: &Range<usize>) -> bool {
    matches!(columns.len() % GROUP, 1 | 2)
}

/// The chain with what is known of its errors.
pub struct Known<'a> {
    /// The chain.
    pub chain: &'a Chain,
    /// The ways of its controls to their phases.
    pub ways: &'a Ways,
    /// Imperfections.
    pub estimate: &'a [f64],
}

impl Known<'_> {
    /// Sets `phases`, one per control, so that light passes straight through every column from `column` on.
    pub fn straighten(&self, column: usize, phases: &mut [f64]) {
        let mut start = column;
        while start < self.chain.columns() {
            let end = self.chain.mesh(start).end;
            self.straighten_mesh(start..end, phases);
            start = end;
        }
    }

    /// Sets `phases` of `column` to its bar states.
    pub fn bar(&self, column: usize, phases: &mut [f64]) {
        for place in self.chain.places(column) {
            phases[place.theta] = PI - self.estimate[place.error];
            phases[place.phi] = 0.0;
        }
    }

    /// The phase that control number `index` of `controls` makes.
    pub fn phase(&self, index: usize, controls: &[f64]) -> f64 {
        self.ways.phase(index, |other| controls[other], self.estimate)
    }

    /// e^{i·phase} that control number `index` makes in every setting.
    pub fn turns(&self, answers: &Answers, index: usize) -> Vec<Complex64> {
        let of = |setting| Complex64::cis(self.ways.phase(index, answers.told(setting), self.estimate));
        (0..answers.len()).map(of).collect()
    }

    fn straighten_mesh(&self, columns: Range<usize>, phases: &mut [f64]) {
        columns.clone().for_each(|column| self.bar(column, phases));
        let alone = columns.len() % GROUP;
        if alone == GROUP - 1 {
            self.pair(columns.start, phases);
        }
        for first in (columns.start + alone..columns.end).step_by(GROUP) {
            self.pair(first, phases);
            self.pair(first + 1, phases);
        }
    }

    /// Pairs `column` with the second behind it.
    fn pair(&self, column: usize, phases: &mut [f64]) {
        for (first, second) in self.chain.places(column).into_iter().zip(self.chain.places(column + 2)) {
            let ranges = [self.leaks(&first), self.leaks(&second)];
            let least = ranges[0][0].max(ranges[1][0]);
            let leak = least.min(ranges[0][1]).min(ranges[1][1]);
            for (place, [least, most]) in [first, second].iter().zip(ranges) {
                let cosine = 2.0 * (leak - least) / (most - least) - 1.0;
                phases[place.theta] = cosine.clamp(-1.0, 1.0).acos() - self.estimate[place.error];
            }
            let own = |index: usize| phases[index];
            let between = self.straight(first.row, column + 1, &own);
            let waveguides = self.chain.waveguides(column + 2) + first.row;
            let turn = |row: usize| between[row] * Complex64::cis(self.estimate[waveguides + row]);
            let ([[a, _], [c, _]], [_, [below, across]]) = (self.transfer(&first, &own), self.transfer(&second, &own));
            let wanted = -across * turn(1) * c * (below * turn(0) * a).conj();
            if wanted.norm() > 0.0 {
                phases[second.phi] += wanted.arg();
            }
        }
    }

    /// Least and greatest share of the power that an MZI hands from one waveguide to the other: at cos θ = −1 and 1.
    fn leaks(&self, place: &Place) -> [f64; 2] {
        let couplers = self.couplers(place);
        [PI, 0.0].map(|theta| mzi_transfer(theta, 0.0, couplers[0], couplers[1])[1][0].norm_sqr())
    }

    fn couplers(&self, place: &Place) -> [Coupler<f64>; 2] {
        place.couplers.map(|index| Coupler::new(self.estimate[index]))
    }

    /// What an MZI does where controls make so much `phase`.
    fn transfer(&self, place: &Place, phase: &impl Fn(usize) -> f64) -> Transfer {
        let [first, second] = self.couplers(place);
        mzi_transfer(phase(place.theta) + self.estimate[place.error], phase(place.phi), first, second)
    }

    /// What light keeps of itself on waveguides `row` and `row + 1` through `column` and what stands in front of it, where none of its MZIs has both.
    fn straight(&self, row: usize, column: usize, phase: &impl Fn(usize) -> f64) -> [Complex64; 2] {
        let own = |row: usize, stays: Option<Complex64>| {
            Complex64::cis(self.estimate[self.chain.waveguides(column) + row]) * stays.unwrap_or(1.0.into())
        };
        let above = row.checked_sub(1).and_then(|row| self.chain.place(column, row));
        let below = self.chain.place(column, row + 1);
        [
            own(row, above.map(|place| self.transfer(&place, phase)[1][1])),
            own(row + 1, below.map(|place| self.transfer(&place, phase)[0][0])),
        ]
    }

    /// Carries `fields [sample, mode]` through `column` where controls make so much `phase`, and through the errors in front of it if these are asked for;
    /// only `straight`, if that is.
    pub fn cross(
        &self,
        column: usize,
        errors: bool,
        straight: bool,
        phase: &impl Fn(usize) -> f64,
        fields: &mut [Complex64],
    ) {
        let (modes, waveguides) = (self.chain.modes(), self.chain.waveguides(column));
        let turns: Vec<Complex64> = (0..modes)
            .map(|mode| if errors { Complex64::cis(self.estimate[waveguides + mode]) } else { 1.0.into() })
            .collect();
        let own: Vec<(usize, Transfer)> =
            self.chain.places(column).iter().map(|place| (place.row, self.transfer(place, phase))).collect();
        for sample in fields.chunks_exact_mut(modes) {
            sample.iter_mut().zip(&turns).for_each(|(z, turn)| *z *= turn);
            for (row, [[a, b], [c, d]]) in &own {
                let [u, v] = [sample[*row], sample[row + 1]];
                let strays = if straight { Complex64::default() } else { 1.0.into() };
                sample[*row] = a * u + strays * b * v;
                sample[row + 1] = strays * c * u + d * v;
            }
        }
    }

    /// What waveguides `row` and `row + 1` do from in front of `columns` on where controls make so much `phase`, without what leaves them.
    pub fn through(&self, row: usize, columns: Range<usize>, phase: &impl Fn(usize) -> f64) -> Transfer {
        let (one, none) = (Complex64::from(1.0), Complex64::default());
        columns.fold([[one, none], [none, one]], |all, column| {
            let own = if let Some(place) = self.chain.place(column, row) {
                let waveguides = self.chain.waveguides(column) + row;
                let turn = [0, 1].map(|row| Complex64::cis(self.estimate[waveguides + row]));
                self.transfer(&place, phase).map(|[a, b]| [a * turn[0], b * turn[1]])
            } else {
                let [a, d] = self.straight(row, column, phase);
                [[a, none], [none, d]]
            };
            product(&own, &all)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Cpu;
    use crate::fabrication::Fabrication;
    use crate::network::{Detection, Network, Stage};
    use crate::optics::{Layout, Mesh};
    use crate::propagator::{Propagator, Simulator, Tunable};

    const MODES: usize = 12;

    fn noise(count: usize, size: f64) -> Vec<f64> {
        (0..count).map(|k| size * (1.7 * k as f64).sin()).collect()
    }

    /// Share of the light that stays on its waveguide through a mesh at what `set` makes of its controls.
    fn stays(set: impl Fn(&Known<'_>, &mut [f64])) -> f64 {
        let mesh = Stage::Mesh(Mesh::universal(MODES, Layout::Rectangular).unwrap());
        let read = Stage::detection(MODES, Detection::Intensity);
        let network = Network::new(vec![vec![mesh, read]]).unwrap();
        let chain = Chain::of(&network, &Fabrication::ideal()).unwrap();
        let mut estimate = noise(network.imperfections(), 3.0);
        for column in 0..chain.columns() {
            for place in chain.places(column) {
                place.couplers.iter().for_each(|&index| estimate[index] *= 0.03);
            }
        }
        let mut controls = noise(network.controls(), 2.0);
        set(&Known { chain: &chain, ways: &Ways::AS_TOLD, estimate: &estimate }, &mut controls);
        let mut model = Cpu::<f64>::new().build(&network, &Fabrication::ideal()).unwrap();
        model.set_imperfections(&estimate).unwrap();
        model.program(&controls).unwrap();
        let unit = (0..MODES * MODES).flat_map(|k| [f64::from(u8::from(k % (MODES + 1) == 0)), 0.0]);
        let mut readout = vec![0.0; MODES * MODES];
        model.propagate(&unit.collect::<Vec<_>>(), MODES, &mut readout).unwrap();
        readout.iter().step_by(MODES + 1).sum::<f64>() / MODES as f64
    }

    #[test]
    fn pairs_of_mzis_whose_couplers_are_off_leak_to_second_order_only() {
        let bars = stays(|known, phases| (0..MODES).for_each(|column| known.bar(column, phases)));
        let pairs = stays(|known, phases| known.straighten(0, phases));
        assert!(bars < 0.97 && 1.0 - pairs < 0.05 * (1.0 - bars), "{bars} {pairs}");
    }

    #[test]
    fn what_waveguides_do_straight_is_what_crosses_them() {
        let (all, straight) = {
            let mesh = Stage::Mesh(Mesh::universal(4, Layout::Rectangular).unwrap());
            let network = Network::new(vec![vec![mesh, Stage::detection(4, Detection::Intensity)]]).unwrap();
            let chain = Chain::of(&network, &Fabrication::ideal()).unwrap();
            let (estimate, controls) = (noise(network.imperfections(), 0.3), noise(network.controls(), 2.0));
            let known = Known { chain: &chain, ways: &Ways::AS_TOLD, estimate: &estimate };
            let mut fields = vec![Complex64::default(); 4];
            fields[0] = Complex64::new(0.3, 0.4);
            fields[1] = Complex64::new(-0.2, 0.5);
            let [u, v] = [fields[0], fields[1]];
            let m = known.through(0, 0..3, &|index| controls[index]);
            (0..3).for_each(|column| known.cross(column, true, column == 1, &|index| controls[index], &mut fields));
            ([fields[0], fields[1]], [m[0][0] * u + m[0][1] * v, m[1][0] * u + m[1][1] * v])
        };
        assert!(all.iter().zip(straight).all(|(a, b)| (a - b).norm() < 1e-12), "{all:?} {straight:?}");
    }
}
