//! Sharpness-aware training: where its gradient is taken, and what it is without a radius.

use super::fixture::{CALM, ERRORS, Fixture, losses, matrices, meshes, settings, weight_banks};
use crate::cpu::Cpu;
use crate::engine::Optimizer;
use crate::training::MethodName;

const KINDS: [(MethodName, MethodName); 2] =
    [(MethodName::Sat, MethodName::InSilico), (MethodName::SatOutput, MethodName::PatOutput)];

#[test]
fn without_a_radius_it_is_training_as_usual_bit_for_bit() {
    for network in [matrices(&[4, 5, 3]), weight_banks(&[4, 5, 3]), meshes(4)] {
        let mut fixture = Fixture::new(Cpu::<f32>::new(), network, &ERRORS, settings(3, 1, 0.1, Optimizer::ADAM));
        for (sharp, plain) in KINDS {
            fixture.options.sharpness_radius = 0.5;
            assert_ne!(fixture.trajectory(sharp, 8), fixture.trajectory(plain, 8), "{sharp}");
            fixture.options.sharpness_radius = 0.0;
            assert_eq!(fixture.trajectory(sharp, 8), fixture.trajectory(plain, 8), "{sharp}");
        }
    }
}

/// With the plain method's first steps: from Θ, and from the end of the ascent.
#[test]
fn the_gradient_is_that_at_the_end_of_an_ascent_of_the_radius() {
    let (rate, radius) = (0.1, 0.3);
    for (sharp, plain) in KINDS {
        for network in [weight_banks(&[4, 5, 3]), meshes(4)] {
            let mut fixture = Fixture::new(Cpu::<f64>::new(), network, &CALM, settings(3, 1, rate, Optimizer::Sgd));
            // update errors count from the first controls, of which there are two here
            fixture.fabrication.update_error.clear();
            fixture.options.sharpness_radius = radius;
            let start = fixture.initial.clone();
            let found = fixture.trajectory(sharp, 1).remove(0);
            let slopes = |fixture: &Fixture<Cpu<f64>>| -> Vec<f64> {
                let after = fixture.trajectory(plain, 1).remove(0);
                fixture.initial.iter().zip(after).map(|(start, end)| (start - end) / rate).collect()
            };
            let here = slopes(&fixture);
            let norm = here.iter().map(|slope| slope * slope).sum::<f64>().sqrt();
            fixture.initial.iter_mut().zip(&here).for_each(|(control, slope)| *control += radius * slope / norm);
            let there = slopes(&fixture);
            let apart = here.iter().zip(&there).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max);
            assert!(apart > 1e-3, "{sharp}: the two gradients are told apart, {apart}");
            for ((start, slope), found) in start.iter().zip(there).zip(found) {
                assert!((start - rate * slope - found).abs() < 1e-10, "{sharp}: {found}");
            }
        }
    }
}

#[test]
fn both_learn_on_an_imperfect_chip() {
    let mut fixture =
        Fixture::new(Cpu::<f32>::new(), weight_banks(&[4, 8, 3]), &ERRORS, settings(3, 30, 0.1, Optimizer::Sgd));
    fixture.options.sharpness_radius = 0.1;
    for (sharp, _) in KINDS {
        let (first, last) = losses(&fixture, sharp);
        assert!(last < 0.5 * first, "{sharp}: {first} to {last}");
    }
}
