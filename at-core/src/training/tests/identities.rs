//! Methods that must agree where their differences vanish.

use super::fixture::{BACKPROPAGATION, ERRORS, Fixture, matrices, meshes, settings, weight_banks};
use crate::cpu::Cpu;
use crate::engine::Optimizer;
use crate::imperfections::Imperfections;
use crate::training::{MethodName, MethodOptions};

#[test]
fn on_a_perfect_chip_at_stays_on_the_ideal_trajectory() {
    for network in [matrices(&[4, 5, 3]), weight_banks(&[4, 5, 3]), meshes(4)] {
        for optimizer in [Optimizer::Sgd, Optimizer::Momentum { momentum: 0.9 }, Optimizer::ADAM] {
            let settings = settings(3, 1, 0.02, optimizer);
            let mut fixture = Fixture::new(Cpu::<f64>::new(), network.clone(), &Imperfections::default(), settings);
            let ideal = fixture.trajectory(MethodName::Ideal, 20);
            assert_eq!(fixture.trajectory(MethodName::At, 20), ideal, "{optimizer:?}");
            fixture.options = MethodOptions { digital_weight: 0.3, physical_weight: 0.7, ..fixture.options };
            for (at, ideal) in fixture.trajectory(MethodName::At, 20).iter().zip(&ideal) {
                assert!(at.iter().zip(ideal).all(|(a, b)| (a - b).abs() < 1e-9), "{optimizer:?}");
            }
        }
    }
}

#[test]
fn the_published_aliasing_leaves_the_ideal_trajectory_at_the_second_step() {
    let settings = settings(3, 1, 0.1, Optimizer::Sgd);
    let mut fixture = Fixture::new(Cpu::<f64>::new(), matrices(&[4, 5, 3]), &Imperfections::default(), settings);
    fixture.options.digital_step = crate::training::DigitalStep::AsPublished;
    let (at, ideal) = (fixture.trajectory(MethodName::At, 2), fixture.trajectory(MethodName::Ideal, 2));
    assert_eq!(at[0], ideal[0]);
    assert_ne!(at[1], ideal[1]);
}

#[test]
fn with_shared_parameters_the_physical_term_of_at_is_output_only_pat() {
    for network in [matrices(&[4, 5, 3]), weight_banks(&[4, 5, 3]), meshes(4)] {
        let mut fixture = Fixture::new(Cpu::<f64>::new(), network, &ERRORS, settings(3, 1, 0.1, Optimizer::Sgd));
        fixture.options = MethodOptions { digital_weight: 0.0, physical_weight: 1.0, ..fixture.options };
        assert_eq!(fixture.trajectory(MethodName::At, 1), fixture.trajectory(MethodName::PatOutput, 1));
    }
}

#[test]
fn without_the_physical_error_at_trains_in_silico() {
    let mut fixture = Fixture::new(Cpu::<f64>::new(), meshes(4), &ERRORS, settings(3, 1, 0.1, Optimizer::Sgd));
    fixture.options = MethodOptions { digital_weight: 1.0, physical_weight: 0.0, ..fixture.options };
    assert_eq!(fixture.trajectory(MethodName::At, 6), fixture.trajectory(MethodName::InSilico, 6));
}

#[test]
fn a_tether_pulls_the_controls_to_the_model_by_its_share() {
    let rate = 0.05;
    let mut fixture = Fixture::new(Cpu::<f64>::new(), meshes(4), &ERRORS, settings(3, 1, rate, Optimizer::Sgd));
    let (free, model) = (fixture.trajectory(MethodName::At, 1), fixture.trajectory(MethodName::InSilico, 6));
    fixture.options.tether = 0.25 / rate;
    let tethered = fixture.trajectory(MethodName::At, 1);
    for ((tethered, free), model) in tethered[0].iter().zip(&free[0]).zip(&model[0]) {
        assert!((tethered - (0.75 * free + 0.25 * model)).abs() < 1e-14, "{tethered} between {free} and {model}");
    }
    fixture.options.tether = 7.0 / rate; // nothing is left of the chip's own way
    assert_eq!(fixture.trajectory(MethodName::At, 6), model);
}

#[test]
fn on_a_perfect_chip_every_method_with_a_model_is_backpropagation() {
    for network in [matrices(&[4, 5, 3]), meshes(4)] {
        let settings = settings(3, 1, 0.02, Optimizer::ADAM);
        let fixture = Fixture::new(Cpu::<f64>::new(), network, &Imperfections::default(), settings);
        let ideal = fixture.trajectory(MethodName::Ideal, 8);
        for name in BACKPROPAGATION {
            assert_eq!(fixture.trajectory(name, 8), ideal, "{name}");
        }
    }
}
