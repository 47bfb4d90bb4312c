//! Methods that measure gradients in the chip's own light, and dual adaptive training.

use super::fixture::{Fixture, meshes, settings, singular_values};
use crate::chip::{Chip, TapNoise};
use crate::cpu::Cpu;
use crate::engine::Optimizer;
use crate::fabrication::Fabrication;
use crate::imperfections::Imperfections;
use crate::network::Network;
use crate::propagator::{Bidirectional, Direction, Monitor, Propagator};
use crate::training::MethodName;
use crate::training::methods::dat::DatOptions;
use crate::training::methods::in_situ::Subtraction;

/// Bad couplers and phases, no loss, calibrated slopes.
const LOSSLESS: Imperfections = Imperfections { splitter_angle: 0.2, phase: 0.5, ..Imperfections::NONE };

fn fixture(network: Network, errors: &Imperfections) -> Fixture<Cpu<f64>> {
    Fixture::new(Cpu::<f64>::new(), network, errors, settings(3, 1, 1.0, Optimizer::Sgd))
}

/// The gradient of the first batch: the step of plain descent at rate 1.
fn gradient(fixture: &Fixture<Cpu<f64>>, name: MethodName) -> Vec<f64> {
    fixture.initial.iter().zip(&fixture.trajectory(name, 1)[0]).map(|(before, after)| before - after).collect()
}

#[track_caller]
fn close(got: &[f64], truth: &[f64], what: &str) {
    let largest = truth.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    let apart = got.iter().zip(truth).fold(0.0_f64, |most, (a, b)| most.max((a - b).abs()));
    assert!(largest > 1e-3 && apart <= 1e-12 * largest.max(1.0), "{what}: {apart:e} apart of {largest:e}");
}

#[test]
fn light_measures_the_gradient_of_the_imperfect_chip_itself() {
    for network in [meshes(5), singular_values()] {
        let mut fixture = fixture(network, &LOSSLESS);
        let truth = gradient(&fixture, MethodName::Ideal);
        close(&gradient(&fixture, MethodName::Ffm), &truth, "ffm");
        for subtraction in [Subtraction::Measured, Subtraction::Toggled] {
            fixture.options.subtraction = subtraction;
            close(&gradient(&fixture, MethodName::InSitu), &truth, "in-situ");
        }
    }
}

#[test]
fn fully_forward_mode_bears_loss() {
    let fixture = fixture(meshes(4), &Imperfections { loss_db: 0.5, loss_spread_db: 0.2, ..LOSSLESS });
    close(&gradient(&fixture, MethodName::Ffm), &gradient(&fixture, MethodName::Ideal), "ffm");
}

/// Data light and adjoint light that is sent forward both lose t per column in front of the shifter, so the toggled difference
/// of powers is t² short per column. Subtracted powers are also off by what the adjoint light alone lost.
#[test]
fn even_loss_scales_toggled_gradients_by_what_is_lost_on_the_way() {
    let mut fixture = fixture(meshes(4), &Imperfections { loss_db: 0.5, ..LOSSLESS });
    let truth = gradient(&fixture, MethodName::Ideal);
    fixture.options.subtraction = Subtraction::Toggled;
    let toggled = gradient(&fixture, MethodName::InSitu);
    let columns = [0, 0, 1, 2, 2, 3]; // of the six MZIs of a rectangular mesh
    // the first adjoint that is sent is true; the last mesh's shifters tell
    for (mzi, column) in columns.into_iter().enumerate() {
        let power = 10_f64.powf(-0.05 * f64::from(column));
        for control in [16 + mzi, 16 + 6 + mzi] {
            assert!((toggled[control] - power * truth[control]).abs() < 1e-12, "{control}");
        }
    }
    fixture.options.subtraction = Subtraction::Measured;
    let measured = gradient(&fixture, MethodName::InSitu);
    assert!(toggled.iter().zip(&measured).any(|(a, b)| (a - b).abs() > 1e-3), "subtraction is biased");
}

#[test]
fn power_detectors_are_as_noisy_as_they_are_said_to_be() {
    let fixture = fixture(meshes(4), &LOSSLESS);
    let sent = |noise: TapNoise, times: usize| -> Vec<Vec<f64>> {
        let mut chip: Chip<Cpu<f64>> = fixture.chip().with_tap_noise(noise).unwrap();
        chip.program(&fixture.initial).unwrap();
        let (light, mut powers) = (vec![0.5; 8 * 3], vec![0.0; 16]);
        (0..times)
            .map(|_| {
                chip.send(0, Direction::Forward, &light, 3, None, Monitor::Powers(&mut powers)).unwrap();
                powers.clone()
            })
            .collect()
    };
    let truth = &sent(TapNoise::default(), 1)[0];
    let noise = TapNoise { spread: 0.1, seed: 5 };
    let readings = sent(noise, 2000);
    assert_eq!(readings, sent(noise, 2000), "a chip's noise can be repeated");
    let pooled: Vec<f64> = readings
        .iter()
        .flat_map(|reading| reading.iter().zip(truth).map(|(read, p)| (read - p) / (0.1 * p.sqrt())))
        .collect();
    let count = pooled.len() as f64;
    let mean = pooled.iter().sum::<f64>() / count;
    let variance = pooled.iter().map(|x| x * x).sum::<f64>() / count;
    assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
    assert!(fixture.chip().with_tap_noise(TapNoise { spread: -1.0, seed: 0 }).is_err());
}

#[test]
fn untrusted_networks_leave_dual_adaptive_training_to_be_backpropagation_on_a_perfect_chip() {
    let mut fixture = fixture(meshes(4), &Imperfections::default());
    fixture.options.dat = DatOptions { warm_up: 1.0, joint: 0.0, ..DatOptions::default() };
    for name in [MethodName::Dat, MethodName::DatInternal] {
        close(&gradient(&fixture, name), &gradient(&fixture, MethodName::Ideal), name.as_str());
    }
}

#[test]
fn they_learn_on_imperfect_meshes() {
    let errors = Imperfections { splitter_angle: 0.05, phase: 0.1, loss_db: 0.1, ..LOSSLESS };
    let settings = settings(3, 40, 0.02, Optimizer::ADAM);
    let mut fixture = Fixture::new(Cpu::<f32>::new(), meshes(4), &errors, settings);
    fixture.options.dat.maps = [2, 2, 2];
    for name in [MethodName::InSitu, MethodName::Ffm, MethodName::Dat, MethodName::DatInternal] {
        let run = fixture.trainer().run(&mut fixture.chip(), &mut *fixture.method(name), None, None, &mut ()).unwrap();
        let (first, last) = (run.records[0].test_loss, run.test.loss);
        assert!(last < 0.8 * first, "{name}: {first} to {last}");
    }
}

#[test]
fn networks_they_cannot_train_are_refused_with_a_way_out() {
    let refused = |network: Network, name: MethodName| {
        let fixture = fixture(network, &LOSSLESS);
        let Fixture { engine, network, initial, settings, options, .. } = &fixture;
        let meter = Default::default();
        let ideal = Fabrication::ideal();
        let built: crate::Result<Box<dyn crate::training::Method<Chip<_>>>> =
            super::super::methods::build(name, engine, network, &ideal, initial, settings, options, &meter);
        built.err().map(|error| error.to_string()).unwrap_or_default()
    };
    let matrices = || super::fixture::matrices(&[4, 3]);
    for name in [MethodName::InSitu, MethodName::Ffm, MethodName::Dat, MethodName::DatInternal] {
        let text = refused(matrices(), name);
        assert!(text.contains("not supported") && text.contains("`network`"), "{name}: {text}");
    }
    assert!(refused(meshes(5), MethodName::Dat).contains("5 modes"));
    assert!(refused(singular_values(), MethodName::Dat).contains("detectors of power"));
}
