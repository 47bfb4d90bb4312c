//! Direct feedback, where its matrices are those that backpropagation would use.

use super::fixture::{CALM, ERRORS, Fixture, losses, matrices, meshes, settings, weight_banks};
use crate::chip::{Meter, Physical};
use crate::cpu::Cpu;
use crate::engine::Optimizer;
use crate::fabrication::Fabrication;
use crate::imperfections::Imperfections;
use crate::propagator::{Propagator, Simulator};
use crate::training::methods::Descent;
use crate::training::methods::dfa::Dfa;
use crate::training::methods::dfa_model::DfaModel;
use crate::training::methods::feedback::Feedback;
use crate::training::{Batch, Method, MethodName, Parameters};

/// The controls after one step with the feedback `W₂ᵀ` of a network of two matrices.
fn with_true_feedback(fixture: &Fixture<Cpu<f64>>, name: MethodName) -> Vec<f64> {
    let Fixture { engine, network, initial, settings, .. } = fixture;
    let (hidden, outputs) = (network.layer_output(0).modes, network.outputs());
    let second = &initial[hidden * (network.input().modes + 1)..];
    let transposed = (0..hidden * outputs).map(|index| second[index % outputs * hidden + index / outputs]).collect();
    let feedback = Feedback::new(engine, network, vec![transposed], 10, &Meter::default()).unwrap();
    let model = engine.build(network, &Fabrication::ideal()).unwrap();
    let (optimizer, loss) = (settings.optimizer, settings.loss);
    let controls = Parameters::new(engine, optimizer, initial).unwrap();
    let first = &controls.values.clone();
    let mut method: Box<dyn Method<_>> = if name == MethodName::Dfa {
        let maker = Dfa::new(engine, model, feedback, first, loss, 10).unwrap();
        Box::new(Descent::new(engine, controls, maker))
    } else {
        let maker = DfaModel::new(engine, model, feedback, first, loss, 10).unwrap();
        Box::new(Descent::new(engine, controls, maker))
    };
    let mut chip = fixture.chip();
    chip.unmetered(|chip| chip.program(method.controls())).unwrap();
    let mut batch = Batch::new(engine, fixture.train.width(), 10).unwrap();
    batch.gather(engine, &fixture.train, fixture.train.in_order(), 0, 10).unwrap();
    method.step(&mut chip, &batch, settings.learning_rate, &mut vec![0.0; 3]).unwrap();
    method.controls().clone()
}

fn assert_close(got: &[f64], truth: &[f64]) {
    assert!(got.iter().zip(truth).all(|(a, b)| (a - b).abs() < 1e-12), "{got:?} for {truth:?}");
}

#[test]
fn with_the_transposed_weights_as_feedback_it_is_backpropagation_at_the_same_signals() {
    for errors in [Imperfections::default(), CALM] {
        let fixture = Fixture::new(Cpu::new(), matrices(&[4, 5, 3]), &errors, settings(3, 1, 0.5, Optimizer::Sgd));
        for (name, same) in [(MethodName::Dfa, MethodName::Pat), (MethodName::DfaModel, MethodName::PatOutput)] {
            assert_close(&with_true_feedback(&fixture, name), &fixture.trajectory(same, 1)[0]);
            let random = &fixture.trajectory(name, 1)[0];
            let output_layer = 25..43;
            assert_close(&random[output_layer.clone()], &fixture.trajectory(same, 1)[0][output_layer]);
            assert_ne!(random[..25], fixture.trajectory(same, 1)[0][..25]);
        }
    }
}

#[test]
fn it_learns_with_random_matrices() {
    for network in [matrices(&[4, 8, 6, 3]), weight_banks(&[4, 8, 6, 3])] {
        let fixture = Fixture::new(Cpu::<f32>::new(), network, &ERRORS, settings(3, 40, 0.1, Optimizer::Sgd));
        for name in [MethodName::Dfa, MethodName::DfaModel] {
            let (first, last) = losses(&fixture, name);
            assert!(last < 0.6 * first, "{name}: {first} to {last}");
        }
    }
    let fixture = Fixture::new(Cpu::<f32>::new(), meshes(4), &ERRORS, settings(3, 40, 0.02, Optimizer::ADAM));
    let (first, last) = losses(&fixture, MethodName::Dfa);
    assert!(last < 0.9 * first, "meshes: {first} to {last}");
}
