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
//! three columns at the front have no partner yet. An MZI whose θ is dead leaks what it leaks, and its partner against it as much.

use super::super::chain::{Chain, Place};
use super::super::heater_path::Ways;
use super::asking::Answers;
use super::column::Column;
use super::reading::Transfer;
use crate::optics::mzi::{Coupler, mzi_transfer};
use num_complex::Complex64;
use std::f64::consts::PI;
use std::ops::Range;

/// Share of other light above which a waveguide counts as mixed.
pub const MIXED: f64 = 0.05;

/// Columns that are paired with one another.
const GROUP: usize = 4;

/// Two MZIs on the same waveguides, the first of which is in `column` and the other in the second behind it.
struct Pair {
    column: usize,
    both: [Place; 2],
}

/// The chain with what is known of its errors.
pub struct Known<'a> {
    /// The chain.
    pub chain: &'a Chain,
    /// The ways of its controls to their phases.
    pub ways: &'a Ways,
    /// Imperfections.
    pub estimate: &'a [f64],
    /// The column that is read, or was last.
    pub reading: usize,
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
        self.chain.places(column).iter().for_each(|place| self.bar_at(place, phases));
    }

    /// The same of one MZI.
    pub fn bar_at(&self, place: &Place, phases: &mut [f64]) {
        phases[place.theta] = if self.stuck(place) { 0.0 } else { PI - self.estimate[place.error] };
        phases[place.phi] = 0.0;
    }

    /// θ of an MZI stands where it stands.
    pub fn stuck(&self, place: &Place) -> bool {
        self.ways.dead(place.theta, self.estimate)
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
        let pairs = self.pairs(columns.clone());
        for pair in &pairs {
            self.split(pair, phases);
        }
        // from the light on, because the phases between both are those of columns in front of the second
        for pair in &pairs {
            self.cancel(pair, phases);
        }
        if columns.clone().any(|column| self.chain.places(column).iter().any(|place| self.stuck(place))) {
            self.lead_around(&columns, phases);
        }
    }

    /// MZIs of `columns` that are to leak against one another, by the columns of the second.
    fn pairs(&self, columns: Range<usize>) -> Vec<Pair> {
        let alone = columns.len() % GROUP;
        let mut firsts: Vec<usize> = if alone == GROUP - 1 { vec![columns.start] } else { Vec::new() };
        firsts.extend((columns.start + alone..columns.end).step_by(GROUP).flat_map(|first| [first, first + 1]));
        let pair = |column: usize, row: usize| {
            let both = [self.chain.place(column, row)?, self.chain.place(column + 2, row)?];
            (!self.untold_split(column, &both[0])).then_some(Pair { column, both })
        };
        let rows = 0..self.chain.modes();
        let mut pairs: Vec<Pair> =
            firsts.iter().flat_map(|column| rows.clone().filter_map(|row| pair(*column, row))).collect();
        // one that cannot be set and has no partner takes that of the second behind it
        for column in (columns.start..columns.start + alone).filter(|column| column + 2 < columns.end) {
            for place in self.chain.places(column).into_iter().filter(|place| self.stuck(place)) {
                let is = |own: &Pair, column: usize| own.column == column && own.both[0].row == place.row;
                if !pairs.iter().any(|own| is(own, column) || (column >= 2 && is(own, column - 2))) {
                    pairs.retain(|own| !is(own, column + 2));
                    pairs.extend(pair(column, place.row));
                }
            }
        }
        pairs.sort_by_key(|own| own.column);
        pairs
    }

    /// Sets θ of a pair so that both leak alike.
    fn split(&self, pair: &Pair, phases: &mut [f64]) {
        let ranges = pair.both.map(|place| self.leaks(&place));
        let least = ranges[0][0].max(ranges[1][0]);
        let leak = least.min(ranges[0][1]).min(ranges[1][1]);
        for (place, [least, most]) in pair.both.iter().zip(ranges).filter(|(place, _)| !self.stuck(place)) {
            let cosine = 2.0 * (leak - least) / (most - least) - 1.0;
            phases[place.theta] = cosine.clamp(-1.0, 1.0).acos() - self.estimate[place.error];
        }
    }

    /// Sets φ of the second of a pair so that it leaks against the first.
    fn cancel(&self, pair: &Pair, phases: &mut [f64]) {
        let Pair { column, both: [first, second] } = pair;
        let own = |index: usize| phases[index];
        let between = self.straight(first.row, column + 1, &own);
        let waveguides = self.chain.waveguides(column + 2) + first.row;
        let turn = |row: usize| between[row] * Complex64::cis(self.estimate[waveguides + row]);
        let ([[a, _], [c, _]], [_, [below, across]]) = (self.transfer(first, &own), self.transfer(second, &own));
        let wanted = -across * turn(1) * c * (below * turn(0) * a).conj();
        if wanted.norm() > 0.0 && !self.ways.dead(second.phi, self.estimate) {
            phases[second.phi] += wanted.arg();
        }
    }

    /// Least and greatest share of the power that an MZI hands from one waveguide to the other: at cos θ = −1 and 1, or where it stands.
    fn leaks(&self, place: &Place) -> [f64; 2] {
        let couplers = self.couplers(place);
        let ends = if self.stuck(place) { [self.estimate[place.error]; 2] } else { [PI, 0.0] };
        ends.map(|theta| mzi_transfer(theta, 0.0, couplers[0], couplers[1])[1][0].norm_sqr())
    }

    /// The least share of the power that an MZI hands from one waveguide to the other.
    pub fn leak(&self, place: &Place) -> f64 {
        self.leaks(place)[0]
    }

    /// Whether the MZI behind `place` of `column` with what is between both does not tell half a turn of the first: its φ is dead, and that of the lower waveguide between.
    pub fn blind(&self, column: usize, place: &Place) -> bool {
        let dead = |place: Option<Place>| place.is_none_or(|own| self.ways.dead(own.phi, self.estimate));
        let behind = self.chain.place(column + 2, place.row);
        behind.is_some_and(|own| self.ways.dead(own.phi, self.estimate))
            && dead(self.chain.place(column + 1, place.row + 1))
    }

    /// Whether one of the MZIs between `place` of `column` and the second behind it cannot be set, and mixes its light with other light.
    pub fn interrupted(&self, column: usize, place: &Place) -> bool {
        let rows = [place.row.checked_sub(1), Some(place.row + 1)];
        let between = rows.into_iter().flatten().filter_map(|row| self.chain.place(column + 1, row));
        column + 1 < self.chain.mesh(column).end
            && between.into_iter().any(|own| self.stuck(&own) && self.leak(&own) > MIXED)
    }

    /// Whether no second is read with the MZI `place` of `column`.
    pub fn met_alone(&self, column: usize, place: &Place) -> bool {
        Column::ends(self.chain, column) || self.interrupted(column, place)
    }

    fn couplers(&self, place: &Place) -> [Coupler<f64>; 2] {
        place.couplers.map(|index| Coupler::new(self.estimate[index]))
    }

    /// The first coupler of an MZI.
    pub fn first_coupler(&self, place: &Place) -> Transfer {
        let Coupler { c, s } = self.couplers(place)[0];
        [[c.into(), Complex64::new(0.0, s)], [Complex64::new(0.0, s), c.into()]]
    }

    /// What an MZI does where controls make so much `phase`.
    pub fn transfer(&self, place: &Place, phase: &impl Fn(usize) -> f64) -> Transfer {
        let [first, second] = self.couplers(place);
        mzi_transfer(phase(place.theta) + self.estimate[place.error], phase(place.phi), first, second)
    }

    /// What light keeps of itself on waveguides `row` and `row + 1` through `column` and what stands in front of it, where none of its MZIs has both.
    pub fn straight(&self, row: usize, column: usize, phase: &impl Fn(usize) -> f64) -> [Complex64; 2] {
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
        set(&Known { chain: &chain, ways: &Ways::AS_TOLD, estimate: &estimate, reading: 0 }, &mut controls);
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
}
