//! Slow drift: its statistics, when time passes, and that every engine drifts as the reference does.

use at_core::chip::Physical;
use at_core::chip::{Chip, Drift, Imperfections};
use at_core::cpu::Cpu;
use at_core::network::{Detection, Network};
use at_core::optics::Activation;
use at_core::propagator::{Engine, Propagator, Simulator};
use at_core::reference::{Reference, drifted};
use at_gpu::testing::require_gpu;
use at_tests::case::{Case, LOSSY};
use at_tests::compare::assert_close;
use at_tests::networks::{coherent, weight_banks};

const ALL: Drift = Drift { drift_step: 0.05, drift_common: 0.1, drift_return: 0.1 };

fn network() -> Network {
    coherent(5, 2, Activation::ELECTRO_OPTIC, Detection::Intensity)
}

/// Readout after the first programming, which takes no time, and five that do.
fn after_five<E: Simulator>(engine: &E, case: &Case) -> Vec<f64> {
    let mut chip = Chip::new(engine, &case.network, &case.fabrication).unwrap();
    let [first, controls] = [&case.first_controls, &case.controls].map(|values| engine.upload(values).unwrap());
    chip.unmetered(|chip| chip.program(&first)).unwrap();
    for _ in 0..5 {
        chip.program(&controls).unwrap();
        chip.unmetered(|chip| chip.program(&controls)).unwrap();
    }
    let mut readout = engine.zeros(case.batch * chip.outputs()).unwrap();
    chip.propagate(&engine.upload(&case.fields).unwrap(), case.batch, &mut readout).unwrap();
    assert_eq!(chip.state().unwrap().programmings, 5);
    engine.download(&readout).unwrap()
}

#[test]
fn every_engine_drifts_as_the_reference_does() {
    let case = Case::new(network(), &Imperfections { drift: ALL, ..LOSSY }, 9, 3);
    let drift = drifted(&ALL, case.fabrication.seed, case.controls.len(), 5);
    let expected = Reference { drift: &drift, ..case.reference() }.propagate(&case.controls, &case.fields).unwrap();
    let still = case.reference().propagate(&case.controls, &case.fields).unwrap();
    assert!(at_tests::compare::distance(&still, &expected) > 0.01, "the drift shows");
    assert_close("f64", &after_five(&Cpu::<f64>::new(), &case), &expected, 1e-12);
    assert_close("f32", &after_five(&Cpu::<f32>::new(), &case), &expected, 3e-5);
    if let Some(gpu) = require_gpu() {
        assert_close("gpu", &after_five(&gpu, &case), &expected, 3e-5);
    }
}

/// A chip that goes on from a state drifts and reads as the one that never stopped, bit for bit.
#[test]
fn a_chip_goes_on_from_its_state() {
    let engine = Cpu::<f32>::new();
    let case = Case::new(network(), &Imperfections { drift: ALL, ..LOSSY }, 9, 3);
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
