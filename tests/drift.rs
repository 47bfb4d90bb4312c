//! Slow drift: its statistics, and when time passes.

use at_core::chip::{Chip, Physical};
use at_core::cpu::Cpu;
use at_core::engine::Engine;
use at_core::imperfections::{Drift, Imperfections};
use at_core::network::{Detection, Network};
use at_core::optics::Activation;
use at_core::propagator::Propagator;
use at_core::reference::drifted;
use at_tests::case::{Case, LOSSY};
use at_tests::conformance::EVERY_DRIFT;
use at_tests::networks::{coherent, weight_banks};

fn network() -> Network {
    coherent(5, 2, Activation::ELECTRO_OPTIC, Detection::Intensity)
}

/// A chip that goes on from a state drifts and reads as the one that never stopped, bit for bit.
#[test]
fn a_chip_goes_on_from_its_state() {
    let engine = Cpu::<f32>::new();
    let case = Case::new(network(), &Imperfections { drift: EVERY_DRIFT, ..LOSSY }, 9, 3);
    let controls = engine.upload(&case.controls).unwrap();
    let fields = engine.upload(&case.fields).unwrap();
    let read = |chip: &mut Chip<_>| {
        let mut readout = engine.zeros(case.batch * chip.outputs()).unwrap();
        chip.program(&controls).unwrap();
        chip.propagate(&fields, case.batch, &mut readout).unwrap();
        readout
    };
    let chip = || {
        let mut chip = Chip::new(&engine, &case.network, &case.fabrication).unwrap();
        chip.unmetered(|chip| chip.program(&controls)).unwrap();
        chip
    };
    let mut whole = chip();
    read(&mut whole);
    let state = whole.state().unwrap();
    let mut resumed = chip();
    resumed.resume(&state).unwrap();
    assert_eq!(read(&mut whole), read(&mut resumed));
    assert_eq!(whole.state().unwrap(), resumed.state().unwrap());
    let still = Case::new(network(), &LOSSY, 9, 3);
    let mut still = Chip::new(&engine, &network(), &still.fabrication).unwrap();
    assert!(still.resume(&state).unwrap_err().to_string().contains("drift"));
}

fn mean_square(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64
}

/// A random walk spreads as √t; with a return it settles at `σ/√(k(2-k))`; what is common moves all alike.
#[test]
fn walks_spread_and_returns_settle() {
    let controls = weight_banks(&[49, 40]).controls();
    let walk = Drift { drift_step: 0.02, ..Drift::NONE };
    for steps in [1, 25, 100] {
        let spread = mean_square(&drifted(&walk, 5, controls, steps)).sqrt();
        let law = 0.02 * (steps as f64).sqrt();
        assert!((spread / law - 1.0).abs() < 0.06, "{steps} steps: {spread} for {law}");
    }
    let returning = Drift { drift_return: 0.2, ..walk };
    let spread = mean_square(&drifted(&returning, 5, controls, 60)).sqrt();
    let law = 0.02 / (0.2_f64 * 1.8).sqrt();
    assert!((spread / law - 1.0).abs() < 0.06, "{spread} for {law}");
    let chips: Vec<f64> = (0..300)
        .map(|seed| {
            let ambient = drifted(&Drift { drift_common: 0.1, ..Drift::NONE }, seed, 7, 4);
            assert!(ambient.iter().all(|drift| *drift == ambient[0]));
            ambient[0]
        })
        .collect();
    assert!((mean_square(&chips).sqrt() / 0.2 - 1.0).abs() < 0.15);
}
