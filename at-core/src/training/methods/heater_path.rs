//! The way from a control to its phase, as a model that learns heaters has it.
//!
//! ```text
//! phase = b + (1 + s)·f(c)          f: the data sheet's, with range, converter and whole turns
//! ```
//!
//! A control that is followed as `c₀ + (1 + E)(c − c₀)` (an update error) has the same way, with s = E and −E·c₀ among the errors of its phase.

use crate::fabrication::Fabrication;
use crate::fabrication::control::{ControlPath, Shifter};
use crate::fabrication::coupling::Coupling;
use crate::network::Network;
use crate::stage::Estimable;
use std::collections::HashSet;
use std::f64::consts::TAU;
use std::sync::Arc;

/// Root mean square of the difference of two controls anywhere within a turn: `2π/√6`. An estimate has s in units of its inverse.
pub const SPREAD: f64 = TAU / 2.449_489_742_783_178;

/// s below which a heater counts as dead: that of one is −1, those of others are some percent.
pub const NEARLY_DEAD: f64 = -0.5;

/// Slope of a phase in its control below which no step is taken.
const LEAST: f64 = 0.2;

/// Times that controls are set at most where heaters act on one another, each time for what the others add, and how far they move when that is enough (radians).
const SWEEPS: usize = 30;
const SETTLED: f64 = 1e-5;

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
        let own = HeaterPath::of(network, &fabrication.control);
        let left = own.shifters.iter().enumerate().map(|(index, shifter)| {
            let told = |shifter: &Shifter| Shifter { base: shifter.base, ..Shifter::AS_TOLD };
            shifter
                .as_ref()
                .map_or_else(|| fabrication.control.shifters.get(index).copied().unwrap_or(Shifter::AS_TOLD), told)
        });
        fabrication.control.shifters = left.collect();
        own
    }

    /// What [`HeaterPath::taken`] took, with the deviations u of an estimate.
    pub fn put_back(&self, deviations: &[f64], control: &mut ControlPath) {
        for ((own, u), slot) in self.shifters.iter().zip(deviations).zip(&mut control.shifters) {
            if let Some(shifter) = own {
                *slot = Shifter { gain: shifter.gain + u / SPREAD, ..*shifter };
            }
        }
    }

    /// Of every control whether it has a heater that is estimated.
    pub fn heaters(&self) -> Vec<bool> {
        self.shifters.iter().map(Option::is_some).collect()
    }

    /// The heaters that are estimated as the data sheet has them, by control.
    pub fn sheet(&self) -> &[Option<Shifter>] {
        &self.shifters
    }

    /// The heaters of `network` that can be estimated.
    fn of(network: &Network, path: &ControlPath) -> Self {
        let estimated = network.stages().flat_map(|stage| {
            let own = match stage.estimable() {
                Estimable::ByProbes(_) | Estimable::Nothing => true,
                Estimable::BySettings(_) | Estimable::ByBatches(_) | Estimable::PhasesByBatches(_) => false,
            };
            stage.places().into_iter().map(move |place| own && place.is_some())
        });
        let own = |index: usize| path.shifters.get(index).copied().unwrap_or(Shifter::AS_TOLD);
        let shifters = estimated.enumerate().map(|(index, estimated)| estimated.then(|| own(index)));
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

/// The ways of all controls to their phases, whose s an estimate may have.
#[derive(Clone)]
pub struct Ways {
    /// None where phases are what controls say.
    path: Option<HeaterPath>,
    /// What neighbours add.
    coupling: Option<Arc<Coupling>>,
    /// Index of the first control's s in an estimate; none where s are no unknowns.
    first: Option<usize>,
}

impl Ways {
    /// Phases are what controls say.
    pub const AS_TOLD: Ways = Ways { path: None, coupling: None, first: None };

    /// Those of chips of `network` with this `fabrication`; where s are unknown, an estimate has the first at `first`.
    pub fn of(network: &Network, fabrication: &Fabrication, first: Option<usize>) -> Self {
        let control = &fabrication.control;
        let plain = control.is_direct() && control.coupling.is_empty();
        let path = (first.is_some() || !plain).then(|| HeaterPath::of(network, control));
        let coupling = (!control.coupling.is_empty()).then(|| Arc::clone(&control.coupling));
        Ways { path, coupling, first }
    }

    /// The s of heaters are unknown.
    pub fn unknown(&self) -> bool {
        self.first.is_some()
    }

    /// s of control number `index`; 0 where it is none of an estimate's unknowns.
    pub fn deviation(&self, index: usize, estimate: &[f64]) -> f64 {
        self.first.map_or(0.0, |first| estimate[first + index] / SPREAD)
    }

    /// The heater of control number `index` is dead: its phase is what is among the errors of phases, whatever it is told.
    pub fn dead(&self, index: usize, estimate: &[f64]) -> bool {
        self.deviation(index, estimate) < NEARLY_DEAD
    }

    /// Takes on the s of control number `index`, if it is an unknown.
    pub fn set_deviation(&self, index: usize, s: f64, estimate: &mut [f64]) {
        if let Some(first) = self.first {
            estimate[first + index] = SPREAD * s;
        }
    }

    fn heat(&self, index: usize, c: f64, s: f64) -> [f64; 3] {
        self.path.as_ref().map_or([c, 1.0, 0.0], |path| path.heat(index, c, s))
    }

    /// What neighbours of control number `index` add where controls are `told`.
    fn around(&self, index: usize, told: impl Fn(usize) -> f64, estimate: &[f64]) -> f64 {
        let heat = |other| self.heat(other, told(other), self.deviation(other, estimate))[0];
        self.coupling.as_ref().map_or(0.0, |coupling| coupling.row(index, heat))
    }

    /// The phase that control number `index` makes where controls are `told`, but for what is among the errors of phases.
    pub fn phase(&self, index: usize, told: impl Fn(usize) -> f64, estimate: &[f64]) -> f64 {
        self.heat(index, told(index), self.deviation(index, estimate))[0] + self.around(index, told, estimate)
    }

    /// The controls whose phases change where those of `moved` do, in order.
    pub fn heated(&self, moved: &[usize]) -> Vec<usize> {
        let Some(coupling) = &self.coupling else { return Vec::new() };
        let mut heated: Vec<usize> = moved.iter().flat_map(|&index| coupling.around(index)).collect();
        heated.sort_unstable();
        heated.dedup();
        let moved: HashSet<usize> = moved.iter().copied().collect();
        heated.retain(|index| !moved.contains(index));
        heated
    }

    /// Sets each of `controls` that `still` names so that it makes its phase.
    pub fn hold(&self, still: &[(usize, f64)], controls: &mut [f64], estimate: &[f64]) {
        for _ in 0..SWEEPS {
            let mut most = 0.0_f64;
            for &(index, phase) in still {
                let control = self.control(index, phase, |other| controls[other], estimate);
                most = most.max((control - controls[index]).abs());
                controls[index] = control;
            }
            if self.coupling.is_none() || most < SETTLED {
                break;
            }
        }
    }

    /// What the phase of control number `index` is where its s is 0, and what it gets per s.
    pub fn parts(&self, index: usize, told: impl Fn(usize) -> f64, estimate: &[f64]) -> [f64; 2] {
        let [phase, _, unit] = self.heat(index, told(index), 0.0);
        [phase + self.around(index, told, estimate), unit]
    }

    /// A control at which [`Ways::phase`] is `phase` but for whole turns while the others stay as `told`.
    pub fn control(&self, index: usize, phase: f64, told: impl Fn(usize) -> f64, estimate: &[f64]) -> f64 {
        if self.path.is_none() {
            return phase;
        }
        let wanted = (phase - self.around(index, told, estimate)).rem_euclid(TAU);
        let s = self.deviation(index, estimate);
        let toward = |c: f64| {
            let [own, slope, _] = self.heat(index, c, s);
            if slope > LEAST { c + (wanted - own) / slope } else { c }
        };
        (0..STEPS).fold(wanted, |c, _| toward(c))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imperfections::{Control, Imperfections};
    use crate::network::{Detection, Stage};
    use crate::optics::Mesh;

    /// The ways of an 8-mode mesh with heaters of this `range` and this crosstalk.
    fn ways(range: f64, crosstalk: f64) -> (Ways, usize) {
        let mesh = Stage::Mesh(Mesh::rectangular(8).unwrap());
        let network = Network::new(vec![vec![mesh, Stage::detection(8, Detection::Intensity)]]).unwrap();
        let control = Control { control_range: range, crosstalk, ..Control::NONE };
        let kind = Imperfections { control, ..Imperfections::NONE };
        (Ways::of(&network, &kind.typical(&network).unwrap(), Some(3)), network.controls())
    }

    #[test]
    fn a_control_is_found_that_makes_a_phase() {
        for (range, crosstalk) in [(0.0, 0.0), (8.0, 0.0), (0.0, 0.02), (8.0, 0.02)] {
            let (ways, controls) = ways(range, crosstalk);
            let mut estimate = vec![0.0; 3 + controls];
            let told: Vec<f64> = (0..controls).map(|index| 3.0 + 2.0 * (index as f64).cos()).collect();
            (0..controls).for_each(|index| ways.set_deviation(index, 0.05 * (index as f64).sin(), &mut estimate));
            for index in 0..controls {
                for wanted in [-3.0, 0.1, 2.5, 6.2] {
                    let control = ways.control(index, wanted, |other| told[other], &estimate);
                    let now = |other: usize| if other == index { control } else { told[other] };
                    let turns = (ways.phase(index, now, &estimate) - wanted) / TAU;
                    assert!((turns - turns.round()).abs() < 1e-9, "{range} {crosstalk} {index} {wanted}: {control}");
                }
            }
        }
    }

    #[test]
    fn heaters_that_others_heat_keep_their_phases() {
        let (ways, controls) = ways(19.0, 0.02);
        let estimate = vec![0.0; 3 + controls];
        let before: Vec<f64> = (0..controls).map(|index| 3.0 + 2.0 * (index as f64).cos()).collect();
        let moved = [0, 7, 12];
        let heated = ways.heated(&moved);
        assert!(heated.len() > moved.len() && moved.iter().all(|index| !heated.contains(index)), "{heated:?}");
        let phases = |controls: &[f64]| -> Vec<f64> {
            (0..controls.len()).map(|index| ways.phase(index, |other| controls[other], &estimate)).collect()
        };
        let still: Vec<(usize, f64)> = heated.iter().map(|&index| (index, phases(&before)[index])).collect();
        let mut now = before.clone();
        moved.iter().for_each(|&index| now[index] = 6.0 - now[index]);
        let off = |now: &[f64]| still.iter().fold(0.0_f64, |most, own| most.max((phases(now)[own.0] - own.1).abs()));
        let left = off(&now);
        ways.hold(&still, &mut now, &estimate);
        assert!(left > 0.02 && off(&now) < 1e-4, "{left} {}", off(&now));
    }
}
