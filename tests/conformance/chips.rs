//! What makes a chip: the way from controls to phases, perturbed signals, noise, drift.

use super::{Precision, close};
use crate::case::{Case, LOSSY};
use crate::compare::{assert_close, distance};
use crate::networks::{coherent, every_kind, matrices, weight_banks};
use at_core::chip::{Chip, Physical};
use at_core::imperfections::{Control, Drift, Imperfections, Noise};
use at_core::network::{Detection, Network};
use at_core::optics::Activation;
use at_core::propagator::{Propagator, Simulator};
use at_core::reference::{Reference, drifted};

/// Everything of a control path but the steps of a voltage, whose rounding may fall to either side in single precision.
pub const SMOOTH: Control = Control {
    control_range: 8.0,
    heater_spread: 0.1,
    heater_quartic: 0.05,
    crosstalk: 0.03,
    dead_shifters: 0.1,
    dead_random: true,
    ..Control::NONE
};

/// Noise of every kind but that of converters.
pub const EVERY_NOISE: Noise = Noise {
    gain_noise: 0.1,
    hidden_relative_noise: 0.2,
    hidden_absolute_noise: 0.1,
    laser_noise: 0.15,
    shot_noise: 0.1,
    thermal_noise: 0.05,
    adc_bits: 0,
    adc_range: 1.0,
};

/// Drift of every kind.
pub const EVERY_DRIFT: Drift = Drift { drift_step: 0.05, drift_common: 0.1, drift_return: 0.1 };

fn meshes(modes: usize) -> Network {
    coherent(modes, 2, Activation::ELECTRO_OPTIC, Detection::Intensity)
}

/// Heaters, crosstalk, ranges and dead shifters.
pub fn the_way_from_controls_to_phases<E: Simulator>(engine: &E, precision: Precision) {
    let only_range = Control { control_range: 5.0, ..Control::NONE };
    let linear = Control { heater_spread: 0.2, crosstalk: 0.05, dead_shifters: 0.2, ..Control::NONE };
    let others = [meshes(6), weight_banks(&[7, 5, 3]), matrices(&[5, 4])];
    for network in others.into_iter().chain(every_kind()) {
        for control in [SMOOTH, only_range, linear] {
            let case = Case::new(network.clone(), &Imperfections { control, ..LOSSY }, 7, 11);
            close(engine, &case.run(engine), &case, precision.tolerance(1e-12, 1e-4), &format!("{control:?}"));
        }
    }
}

/// Voltages of few bits fall on the same steps.
pub fn steps_of_controls<E: Simulator>(engine: &E, precision: Precision) {
    let control = Control { control_bits: 5, ..SMOOTH };
    let case = Case::new(meshes(6), &Imperfections { control, ..LOSSY }, 7, 11);
    close(engine, &case.run(engine), &case, precision.tolerance(1e-12, 1e-4), "controls of 5 bits");
}

/// What disturbs the signals between layers, and errors on their way back through it.
pub fn perturbed_hidden_signals<E: Simulator>(engine: &E, precision: Precision) {
    for network in every_kind().into_iter().chain([matrices(&[30, 17, 40, 5])]) {
        for batch in [1, 70] {
            let perturbed = Imperfections { perturbation: 0.4, ..Imperfections::NONE };
            let case = Case::new(network.clone(), &perturbed, batch, 8);
            close(engine, &case.run(engine), &case, precision.tolerance(1e-12, 3e-5), "a perturbed network");
        }
    }
}

/// Two passes in a row draw what the reference draws.
pub fn noise_of_every_kind<E: Simulator>(engine: &E, precision: Precision) {
    let converters = Noise { adc_bits: 6, adc_range: 4.0, ..Noise::NONE };
    for network in [coherent(5, 3, Activation::ELECTRO_OPTIC, Detection::Intensity), matrices(&[6, 9, 4])] {
        for noise in [Noise { gain_noise: 0.3, ..Noise::NONE }, EVERY_NOISE, converters] {
            let case = Case::new(network.clone(), &Imperfections { noise, ..LOSSY }, 130, 3);
            let measure = |pass| case.reference().measure(&case.controls, &case.fields, pass).unwrap();
            let expected = [measure(0), measure(1)].concat();
            // a value on the edge of a code may fall to either side in single precision: half a code is allowed there
            let single = if noise.adc_bits > 0 { 0.126 / 4.0 } else { 2e-5 };
            let what = format!("{noise:?} on {}", engine.describe());
            assert_close(&what, &measured(engine, &case), &expected, precision.tolerance(1e-12, single));
        }
    }
}

fn measured<E: Simulator>(engine: &E, case: &Case) -> Vec<f64> {
    let mut chip = Chip::new(engine, &case.network, &case.fabrication).unwrap();
    for controls in [&case.first_controls, &case.controls] {
        chip.program(&engine.upload(controls).unwrap()).unwrap();
    }
    let fields = engine.upload(&case.fields).unwrap();
    let mut readout = engine.zeros(case.batch * chip.outputs()).unwrap();
    let mut all = Vec::new();
    for _ in 0..2 {
        chip.propagate(&fields, case.batch, &mut readout).unwrap();
        all.extend(engine.download(&readout).unwrap());
    }
    all
}

/// After the first programming, which takes no time, and five that do, controls stand where the reference's do.
pub fn drift_over_time<E: Simulator>(engine: &E, precision: Precision) {
    let case = Case::new(meshes(5), &Imperfections { drift: EVERY_DRIFT, ..LOSSY }, 9, 3);
    let drift = drifted(&EVERY_DRIFT, case.fabrication.seed, case.controls.len(), 5);
    let expected = Reference { drift: &drift, ..case.reference() }.propagate(&case.controls, &case.fields).unwrap();
    let still = case.reference().propagate(&case.controls, &case.fields).unwrap();
    assert!(distance(&still, &expected) > 0.01, "the drift shows");
    let got = after_five(engine, &case);
    assert_close(&format!("on {}", engine.describe()), &got, &expected, precision.tolerance(1e-12, 3e-5));
}

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
