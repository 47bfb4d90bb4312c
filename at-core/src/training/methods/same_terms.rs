//! A chip's true errors in the terms of an estimate, so that both can be compared number by number.
//!
//! Where a chip follows its controls in part, `c = c₀ + (1 + E)(told - c₀)`, and where its heaters are off or dead,
//!
//! ```text
//! chip       φ = b' + g·(c - o')                        g = 1 + γ, 0 where it is dead; o' where its heater begins, b' or 0
//! estimate   φ = b + G·(told - o) + ε                   b, o: the data sheet's
//! so         G = g·(1 + E),   ε = b' - b + Δ,   Δ = g·((1 + E)·o - E·c₀ - o')
//! ```
//!
//! Δ is heat, of which neighbours have their part.

use super::learned_model::Design;
use crate::fabrication::Fabrication;
use crate::fabrication::control::{ControlPath, Shifter};
use crate::network::Network;

/// The vector of a stage that has the errors of phases, as messages name it.
pub const PHASE_ERROR: &str = "phase error";

impl Design {
    /// The `chip`, first programmed with `first`, as an estimate of this model that is right would describe it.
    pub fn in_its_terms(&self, chip: &Fabrication, first: &[f64]) -> Fabrication {
        let Some(sheet) = self.sheet_of_heaters() else { return chip.clone() };
        let own = |path: &ControlPath, index: usize| path.shifters.get(index).copied().unwrap_or(Shifter::AS_TOLD);
        let mut same = chip.clone();
        let (mut shifters, mut heat, mut moved) = (Vec::new(), Vec::new(), Vec::new());
        for (index, (sheet, c0)) in sheet.iter().zip(first).enumerate() {
            let real = own(&chip.control, index);
            let Some(sheet) = sheet else {
                shifters.push(real);
                heat.push(0.0);
                moved.push(0.0);
                continue;
            };
            let error = chip.update_error.get(index).copied().unwrap_or(0.0);
            let begins = |shifter: &Shifter| if shifter.range > 0.0 { shifter.base } else { 0.0 };
            let more = real.gain * ((1.0 + error) * begins(sheet) - error * c0 - begins(&real));
            shifters.push(Shifter { gain: real.gain * (1.0 + error), ..*sheet });
            heat.push(more);
            moved.push(real.base - sheet.base + more);
            if let Some(slot) = same.update_error.get_mut(index) {
                *slot = 0.0;
            }
        }
        let coupling = &chip.control.coupling;
        if !coupling.is_empty() {
            moved.iter_mut().enumerate().for_each(|(index, slot)| *slot += coupling.row(index, |other| heat[other]));
        }
        same.control.shifters = shifters;
        add_to_phases(&mut same, &self.network, &moved);
        same
    }
}

/// Adds what the phase of every control is `moved` by to the errors of the stages of `network`.
fn add_to_phases(chip: &mut Fabrication, network: &Network, moved: &[f64]) {
    if moved.iter().all(|phase| *phase == 0.0) {
        return;
    }
    let mut start = 0;
    let stages = network.stages().enumerate().map(|(index, stage)| {
        let mut errors = chip.stage(index).clone();
        if let Some(page) = stage.element().imperfect() {
            for vector in page.errors().into_iter().filter(|vector| vector.what == PHASE_ERROR) {
                let phases = &moved[start + vector.order.first_control()..][..vector.length];
                if phases.iter().any(|phase| *phase != 0.0) {
                    errors = errors.or_zeros(page);
                    errors.get_mut(vector.name).iter_mut().zip(phases).for_each(|(slot, phase)| *slot += phase);
                }
            }
        }
        start += stage.controls();
        errors
    });
    chip.stages = stages.collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Cpu;
    use crate::imperfections::{Control, Imperfections};
    use crate::network::{Detection, Stage};
    use crate::optics::Mesh;
    use crate::propagator::{Propagator, Simulator};
    use crate::training::methods::MethodOptions;

    #[test]
    fn update_errors_and_where_dead_shifters_stand_are_among_the_true_errors_of_heaters() {
        let mesh = || Stage::Mesh(Mesh::rectangular(4).unwrap());
        let network = Network::new(vec![vec![mesh(), mesh(), Stage::detection(4, Detection::Intensity)]]).unwrap();
        let plain = Control { heater_spread: 0.05, dead_shifters: 0.2, dead_random: true, ..Control::NONE };
        let updates = Imperfections { update_error: 0.2, ..Imperfections::NONE };
        for kind in [
            updates,
            Imperfections { control: plain, ..updates },
            Imperfections { control: Control { crosstalk: 0.02, ..plain }, phase: 0.1, ..updates },
            Imperfections { control: Control { control_range: 14.0, crosstalk: 0.02, ..plain }, ..updates },
        ] {
            let options = MethodOptions { imperfections: kind, ..MethodOptions::default() };
            let chip = kind.fabricate(&network, 5).unwrap();
            let controls = |shift: f64| -> Vec<f64> {
                (0..network.controls()).map(|k| 6.0 + 3.0 * (1.7 * k as f64 + shift).sin()).collect()
            };
            let (first, now) = (controls(0.2), controls(1.0));
            let same = Design::of(&network, &options).unwrap().in_its_terms(&chip, &first);
            assert!(same.update_error.iter().all(|error| *error == 0.0), "{kind:?}");
            let dead = chip.control.shifters.iter().filter(|shifter| shifter.gain == 0.0).count();
            assert_eq!(dead, same.control.shifters.iter().filter(|shifter| shifter.gain == 0.0).count());
            let fields: Vec<f64> = (0..2 * 4 * 5).map(|k| (0.9 * k as f64).cos()).collect();
            let read = |fabrication: &Fabrication, first: &[f64]| {
                let mut chip = Cpu::<f64>::new().build(&network, fabrication).unwrap();
                let mut readout = vec![0.0; 5 * 4];
                for told in [first, &now] {
                    chip.program(&told.to_vec()).unwrap();
                    chip.propagate(&fields, 5, &mut readout).unwrap();
                }
                readout
            };
            let apart = |one: &[f64], other: &[f64]| {
                one.iter().zip(other).fold(0.0_f64, |most, (one, other)| most.max((one - other).abs()))
            };
            let real = read(&chip, &first);
            assert!(apart(&real, &read(&same, &now)) < 1e-9, "{kind:?}");
            assert!(apart(&real, &read(&chip, &now)) > 1e-2, "{kind:?}: it matters where they begin");
        }
    }
}
