//! The way from a control to its phase, as a model that learns heaters has it.
//!
//! ```text
//! phase = b + (1 + s)·f(c)          f: the data sheet's, with range, converter and whole turns
//! ```
//!
//! A control that is followed as `c₀ + (1 + E)(c − c₀)` (an update error) has the same way, with s = E and −E·c₀ among the errors of its phase; one
//! that is dead has s = −1.

use crate::fabrication::Fabrication;
use crate::fabrication::control::Shifter;
use crate::network::Network;
use crate::stage::Estimable;
use std::f64::consts::TAU;

/// Root mean square of the difference of two controls anywhere within a turn: `2π/√6`. An estimate has s in units of its inverse.
pub const SPREAD: f64 = TAU / 2.449_489_742_783_178;

/// Share of its way at which a shifter counts as dead: no control sets its phase.
const DEAD: f64 = 0.2;

/// Steps in which a control is found that makes a phase.
const STEPS: usize = 4;

/// The way from controls to the heat of their heaters, as the data sheet has it.
#[derive(Clone)]
pub struct HeaterPath {
    /// None of a control that has no heater, or whose stage has slopes of its own.
    shifters: Vec<Option<Shifter>>,
    quartic: f64,
    levels: f64,
}

impl HeaterPath {
    /// The heaters of `network` that are estimated, taken out of its `fabrication`.
    pub fn taken(network: &Network, fabrication: &mut Fabrication) -> Self {
        let path = &mut fabrication.control;
        if path.shifters.is_empty() {
            path.shifters = vec![Shifter::AS_TOLD; network.controls()];
        }
        let estimated = network.stages().flat_map(|stage| {
            let own = match stage.estimable() {
                Estimable::ByProbes(_) | Estimable::Nothing => true,
                Estimable::BySettings(_) | Estimable::ByBatches(_) | Estimable::PhasesByBatches(_) => false,
            };
            stage.places().into_iter().map(move |place| own && place.is_some())
        });
        let each = path.shifters.iter_mut().zip(estimated);
        let shifters = each.map(|(shifter, estimated)| {
            estimated.then(|| std::mem::replace(shifter, Shifter { base: shifter.base, ..Shifter::AS_TOLD }))
        });
        HeaterPath { shifters: shifters.collect(), quartic: path.quartic, levels: path.levels }
    }

    /// Heat of control number `index` at `c` where its heater is off by `s`, and its slopes in c and s.
    pub fn heat(&self, index: usize, c: f64, s: f64) -> [f64; 3] {
        let Some(shifter) = self.shifters[index] else { return [c, 1.0, 0.0] };
        let heat = |gain: f64, quartic: f64| Shifter { gain, ..shifter }.heat(c, quartic, self.levels);
        let ((heat, slope), (unit, _)) = (heat(shifter.gain + s, self.quartic), heat(1.0, 0.0));
        [heat, slope, unit]
    }
}

/// The ways of all controls, whose s an estimate may have.
#[derive(Clone)]
pub struct Ways {
    /// None where phases are what controls say.
    pub path: Option<HeaterPath>,
    /// Index of the first control's unknown in an estimate.
    pub first: usize,
}

impl Ways {
    /// s of control number `index`; 0 where it is none of an estimate's unknowns.
    pub fn deviation(&self, index: usize, estimate: &[f64]) -> f64 {
        if self.path.is_some() { estimate[self.first + index] / SPREAD } else { 0.0 }
    }

    /// Takes on the s of control number `index`, if it is an unknown.
    pub fn set_deviation(&self, index: usize, s: f64, estimate: &mut [f64]) {
        if self.path.is_some() {
            estimate[self.first + index] = SPREAD * s;
        }
    }

    /// The phase that control number `index` makes at `c`, but for what is among the errors of phases.
    pub fn phase(&self, index: usize, c: f64, estimate: &[f64]) -> f64 {
        self.path.as_ref().map_or(c, |path| path.heat(index, c, self.deviation(index, estimate))[0])
    }

    /// What the phase of control number `index` is at `c` where s is 0, and what it gets per s.
    pub fn parts(&self, index: usize, c: f64) -> [f64; 2] {
        let parts = |path: &HeaterPath| {
            let [phase, _, unit] = path.heat(index, c, 0.0);
            [phase, unit]
        };
        self.path.as_ref().map_or([c, 0.0], parts)
    }

    /// A control at which [`Ways::phase`] is `phase` but for whole turns; any where it is dead.
    pub fn control(&self, index: usize, phase: f64, estimate: &[f64]) -> f64 {
        let Some(path) = &self.path else { return phase };
        let (wanted, s) = (phase.rem_euclid(TAU), self.deviation(index, estimate));
        if self.is_dead(index, estimate) {
            return wanted;
        }
        let toward = |c: f64| {
            let [own, slope, _] = path.heat(index, c, s);
            if slope > DEAD { c + (wanted - own) / slope } else { c }
        };
        (0..STEPS).fold(wanted, |c, _| toward(c))
    }

    /// Control number `index` sets no phase.
    pub fn is_dead(&self, index: usize, estimate: &[f64]) -> bool {
        self.deviation(index, estimate) < DEAD - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imperfections::{Control, Imperfections};
    use crate::network::{Detection, Stage};
    use crate::optics::Mesh;

    /// The ways of an 8-mode mesh with heaters of this `range`.
    fn ways(range: f64) -> (Ways, usize) {
        let mesh = Stage::Mesh(Mesh::rectangular(8).unwrap());
        let network = Network::new(vec![vec![mesh, Stage::detection(8, Detection::Intensity)]]).unwrap();
        let control = Control { control_range: range, ..Control::NONE };
        let kind = Imperfections { control, ..Imperfections::NONE };
        let mut fabrication = kind.typical(&network).unwrap();
        let path = HeaterPath::taken(&network, &mut fabrication);
        (Ways { path: Some(path), first: 3 }, network.controls())
    }

    #[test]
    fn a_control_is_found_that_makes_a_phase() {
        for range in [0.0, 8.0] {
            let (ways, controls) = ways(range);
            let mut estimate = vec![0.0; 3 + controls];
            for index in 0..controls {
                ways.set_deviation(index, 0.05 * (index as f64).sin(), &mut estimate);
                for wanted in [-3.0, 0.1, 2.5, 6.2] {
                    let control = ways.control(index, wanted, &estimate);
                    let turns = (ways.phase(index, control, &estimate) - wanted) / TAU;
                    assert!((turns - turns.round()).abs() < 1e-9, "{range} {index} {wanted}: {control}");
                }
            }
        }
    }

    #[test]
    fn a_dead_shifter_has_no_control_that_makes_a_phase() {
        let (ways, controls) = ways(8.0);
        let mut estimate = vec![0.0; 3 + controls];
        ways.set_deviation(2, -1.0, &mut estimate);
        assert!(ways.is_dead(2, &estimate) && !ways.is_dead(1, &estimate));
        assert!(ways.control(2, 1.0, &estimate).is_finite());
        assert!(ways.phase(2, 4.0, &estimate).abs() < 1e-12);
    }
}
