//! The way from controls to phases: its laws and its statistics.

use at_core::cpu::Cpu;
use at_core::fabrication::control::Shifter;
use at_core::fabrication::{ControlPath, Fabrication, coupling::Coupling};
use at_core::imperfections::{Control, Imperfections};
use at_core::network::{Detection, Network};
use at_core::optics::Activation;
use at_core::propagator::{Adjoint, Propagator};
use at_tests::case::{Case, LOSSY};
use at_tests::conformance::SMOOTH;
use at_tests::networks::{coherent, every_stage, weight_banks};
use std::f64::consts::{PI, TAU};

fn fabricate(control: Control, network: &Network, seed: u64) -> Fabrication {
    Imperfections { control, ..Imperfections::NONE }.fabricate(network, seed).unwrap()
}

/// The oracle's gradient is the true derivative wherever there is one.
#[test]
fn gradients_through_the_control_path_match_differences() {
    let engine = Cpu::<f64>::new();
    for network in [coherent(5, 2, Activation::ELECTRO_OPTIC, Detection::Intensity), weight_banks(&[4, 3])] {
        let case = Case::new(network, &Imperfections { control: SMOOTH, ..LOSSY }, 3, 12);
        let mut inside = case.programmed(&engine);
        let mut readout = vec![0.0; case.error.len()];
        let mut trace = inside.trace(3).unwrap();
        let mut gradient = vec![0.0; case.controls.len()];
        inside.record(&case.fields, 3, &mut trace, &mut readout).unwrap();
        inside.backpropagate(&trace, &case.error, &mut gradient).unwrap();
        let largest = gradient.iter().fold(0.0_f64, |most, g| most.max(g.abs()));
        let mut at = |k: usize, step: f64| {
            let mut moved = case.controls.clone();
            moved[k] += step;
            inside.program(&moved).unwrap();
            inside.propagate(&case.fields, 3, &mut readout).unwrap();
            readout.iter().zip(&case.error).map(|(r, e)| r * e).sum::<f64>()
        };
        for (k, slope) in gradient.iter().enumerate() {
            let h = 1e-5;
            let difference = (at(k, h) - at(k, -h)) / (2.0 * h);
            assert!((difference - slope).abs() < 1e-7 * largest, "control {k}: {difference} against {slope}");
        }
    }
}

/// Γ is symmetric, falls by e over its length, and heats only positive amounts.
#[test]
fn crosstalk_is_symmetric_and_falls_with_distance() {
    for network in [every_stage(), coherent(9, 1, Activation::ELECTRO_OPTIC, Detection::Intensity)] {
        let coupling = Coupling::by_distance(&network, 0.02, 40.0, 100.0);
        let controls = network.controls();
        assert_eq!(coupling.starts.len(), controls + 1);
        let entry = |i: usize, j: usize| coupling.row(i, |k| f64::from(u8::from(k == j)));
        let mut most = 0.0_f64;
        for i in 0..controls {
            assert_eq!(entry(i, i), 0.0);
            for j in 0..i {
                assert_eq!(entry(i, j), entry(j, i));
                assert!(entry(i, j) >= 0.0);
                most = most.max(entry(i, j));
            }
        }
        assert!((most - 0.02).abs() < 1e-15, "the nearest get κ: {most}");
    }
    let bank = weight_banks(&[5, 4]);
    let coupling = Coupling::by_distance(&bank, 0.02, 100.0, 100.0);
    let entry = |i: usize, j: usize| coupling.row(i, |k| f64::from(u8::from(k == j)));
    assert!((entry(0, 1) / entry(0, 2) - 1f64.exp()).abs() < 1e-12);
    assert!((entry(0, 1) - entry(0, 5)).abs() < 1e-15, "rows are as far apart as columns");
}

fn phases(path: &ControlPath, control: f64) -> Vec<f64> {
    path.shifters.iter().map(|shifter| shifter.base + shifter.heat(control, path.quartic, path.levels).0).collect()
}

#[test]
fn voltages_have_their_steps_and_phases_their_range() {
    let network = coherent(8, 1, Activation::ELECTRO_OPTIC, Detection::Intensity);
    let control = Control { control_range: TAU, control_bits: 4, ..Control::NONE };
    let path = fabricate(control, &network, 1).control;
    let mut seen = std::collections::BTreeSet::new();
    for k in 0..2000 {
        let told = TAU * f64::from(k) / 2000.0;
        let got = phases(&path, told)[0];
        let volts = (got / TAU).sqrt() * 15.0; // φ = R V², 15 steps
        assert!((volts - volts.round()).abs() < 1e-9, "{volts}");
        // Δφ = 2R V ΔV, half a step away at most, worst at high voltage
        assert!((got - told).abs() <= TAU * (0.5 / 15.0) * (2.0 + 0.5 / 15.0), "{told} {got}");
        seen.insert(volts.round() as u32);
    }
    assert_eq!(seen.len(), 16);
    let narrow = fabricate(Control { control_range: PI, ..Control::NONE }, &network, 1).control;
    for (told, stands) in [(1.0, 1.0), (1.0 + TAU, 1.0), (1.0 - TAU, 1.0), (4.0, PI), (-1.0, PI)] {
        assert!((phases(&narrow, told)[0] - stands).abs() < 1e-12, "{told}");
    }
}

#[test]
fn heaters_stray_and_die_as_often_as_they_should() {
    let network = weight_banks(&[99, 80]);
    let control = Control { heater_spread: 0.05, dead_shifters: 0.03, dead_random: true, ..Control::NONE };
    let path = fabricate(control, &network, 4).control;
    let (alive, dead): (Vec<&Shifter>, Vec<&Shifter>) = path.shifters.iter().partition(|shifter| shifter.gain != 0.0);
    let (count, total) = (alive.len() as f64, path.shifters.len() as f64);
    assert!((dead.len() as f64 / total - 0.03).abs() < 0.006, "{}", dead.len());
    let strays: Vec<f64> = alive.iter().map(|shifter| shifter.gain - 1.0).collect();
    assert!(strays.iter().all(|stray| stray.abs() <= 0.15), "three deviations at most");
    let deviation = (strays.iter().map(|stray| stray * stray).sum::<f64>() / count).sqrt();
    assert!((deviation / (0.05 * 0.9866) - 1.0).abs() < 0.03, "{deviation}"); // of a normal cut off at 3σ
    let mean = dead.iter().map(|shifter| shifter.base).sum::<f64>() / dead.len() as f64;
    assert!((mean - PI).abs() < 0.4, "{mean}");
    for told in [0.0, 2.0] {
        let stands = phases(&path, told);
        let stuck = path.shifters.iter().zip(&stands).filter(|(shifter, _)| shifter.gain == 0.0);
        assert!(stuck.into_iter().all(|(shifter, phase)| shifter.base == *phase));
    }
}

#[test]
fn impossible_control_paths_are_refused() {
    let refused = [
        Control { control_bits: 8, ..Control::NONE },
        Control { heater_quartic: 0.1, ..Control::NONE },
        Control { dead_shifters: 1.5, ..Control::NONE },
        Control { crosstalk_length: 0.0, ..Control::NONE },
        Control { control_range: f64::NAN, ..Control::NONE },
    ];
    for control in refused {
        assert!(Imperfections { control, ..Imperfections::NONE }.validate().is_err(), "{control:?}");
    }
}
