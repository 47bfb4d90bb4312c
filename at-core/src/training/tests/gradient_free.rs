//! Methods without a model: what they estimate, against the true gradient of an imperfect chip.

use super::fixture::{CALM, Fixture, losses, matrices, meshes, settings, weight_banks};
use crate::cpu::Cpu;
use crate::engine::Optimizer;
use crate::imperfections::Imperfections;
use crate::network::{Detection, Network, Stage};
use crate::optics::{Layout, Mesh};
use crate::training::MethodName;

const RATE: f64 = 0.5;

/// What the first step of plain descent says of a method's gradient.
fn gradient(fixture: &Fixture<Cpu<f64>>, name: MethodName) -> Vec<f64> {
    let after = &fixture.trajectory(name, 1)[0];
    fixture.initial.iter().zip(after).map(|(start, end)| (start - end) / RATE).collect()
}

fn fixture(network: Network, errors: &Imperfections) -> Fixture<Cpu<f64>> {
    Fixture::new(Cpu::new(), network, errors, settings(3, 1, RATE, Optimizer::Sgd))
}

fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value * value).sum::<f64>().sqrt()
}

#[test]
fn spsa_finds_the_slope_along_its_random_signs() {
    for network in [matrices(&[4, 5, 3]), weight_banks(&[4, 5, 3]), meshes(4)] {
        let mut fixture = fixture(network, &CALM);
        (fixture.options.probe_draws, fixture.options.probe_step) = (1, 1e-4);
        let (truth, found) = (gradient(&fixture, MethodName::Ideal), gradient(&fixture, MethodName::Spsa));
        let slope: f64 = truth.iter().zip(&found).map(|(truth, found)| truth * found.signum()).sum();
        let largest = truth.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        assert!(found.iter().any(|value| *value > 0.0) && found.iter().any(|value| *value < 0.0));
        assert!(found.iter().all(|found| (found - slope * found.signum()).abs() < 1e-5 * largest), "{found:?}");
    }
}

#[test]
fn the_mean_of_many_random_directions_is_the_gradient() {
    let mut fixture = fixture(matrices(&[4, 5, 3]), &CALM);
    (fixture.options.probe_draws, fixture.options.probe_step) = (10_000, 1e-4);
    let truth = gradient(&fixture, MethodName::Ideal);
    // E|ĝ - g|² = |g|² D/q, D = 43 controls: 0.066 of |g|.
    for name in [MethodName::Spsa, MethodName::ZerothOrder] {
        let found = gradient(&fixture, name);
        let apart = norm(truth.iter().zip(&found).map(|(a, b)| a - b)) / norm(truth.iter().copied());
        assert!((0.03..0.1).contains(&apart), "{name}: {apart}");
    }
}

#[test]
fn coordinates_step_against_their_slope_and_the_others_stay() {
    let mut fixture = fixture(weight_banks(&[4, 5, 3]), &CALM);
    let truth = gradient(&fixture, MethodName::Ideal);
    fixture.settings.learning_rate = 1e-4;
    let controls = fixture.initial.len();
    for subset in [5, controls] {
        fixture.options.coordinate_subset = subset;
        let after = &fixture.trajectory(MethodName::Coordinate, 1)[0];
        let moves = fixture.initial.iter().zip(after).map(|(start, end)| end - start);
        let moved: Vec<_> = moves.zip(&truth).filter(|(step, _)| *step != 0.0).collect();
        // A rectifier that is dark for the whole batch leaves its weights without a slope.
        assert!(moved.len() <= subset && 2 * moved.len() > subset, "{} of {subset}", moved.len());
        for (step, slope) in moved {
            assert!((step.abs() - 1e-4).abs() < 1e-12);
            assert!(step * slope < 0.0 || slope.abs() < 1e-3, "{step} for a slope of {slope}");
        }
    }
}

/// Meshes behind one another, then detectors.
fn linear(detection: Detection) -> Network {
    let mesh = || Stage::Mesh(Mesh::universal(6, Layout::Rectangular).unwrap());
    let detectors = Stage::detection(6, detection);
    Network::new(vec![vec![mesh()], vec![mesh(), detectors]]).unwrap()
}

#[test]
fn parameter_shift_is_the_exact_gradient_of_an_imperfect_chip() {
    let errors = Imperfections { update_error: 0.0, ..CALM };
    for detection in [Detection::Intensity, Detection::Balanced, Detection::Homodyne { phase: 0.4 }] {
        let fixture = fixture(linear(detection), &errors);
        let (truth, found) = (gradient(&fixture, MethodName::Ideal), gradient(&fixture, MethodName::ParameterShift));
        assert!(norm(truth.iter().copied()) > 0.1);
        for (truth, found) in truth.iter().zip(&found) {
            assert!((truth - found).abs() < 1e-10, "{detection:?}: {found} for {truth}");
        }
    }
}

#[test]
fn parameter_shift_refuses_what_it_is_not_exact_for() {
    let refused = |network: Network| {
        let error = crate::training::methods::parameter_shift::check(&network).unwrap_err().to_string();
        assert!(error.contains("choose such a network"), "{error}");
        error
    };
    assert!(refused(meshes(4)).contains("nonlinearity (stage 1)"));
    assert!(refused(matrices(&[4, 3])).contains("no phases"));
    assert!(refused(weight_banks(&[4, 3])).contains("no phases"));
    assert!(refused(linear(Detection::Amplitude)).contains("amplitudes"));
}

#[test]
fn methods_without_a_model_learn() {
    let cases = [
        (weight_banks(&[4, 6, 3]), 0.05, vec![MethodName::Spsa, MethodName::ZerothOrder]),
        (weight_banks(&[4, 6, 3]), 0.02, vec![MethodName::Coordinate]),
        (linear(Detection::Intensity), 0.3, vec![MethodName::ParameterShift]),
        (meshes(4), 0.05, vec![MethodName::Spsa, MethodName::ZerothOrder, MethodName::Coordinate]),
    ];
    for (network, rate, names) in cases {
        let mut fixture = Fixture::new(Cpu::<f32>::new(), network, &CALM, settings(3, 40, rate, Optimizer::Sgd));
        fixture.options.probe_draws = 20;
        for name in names {
            let (first, last) = losses(&fixture, name);
            assert!(last < 0.8 * first, "{name} at {rate}: {first} to {last}");
        }
    }
}
