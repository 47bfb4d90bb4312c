//! Phases that run away from zero come back in training, and nothing but their place changes.

use super::fixture::{Fixture, meshes, settings, weight_banks};
use crate::cpu::Cpu;
use crate::engine::Optimizer;
use crate::imperfections::Imperfections;
use crate::training::{MethodName, MethodOptions};
use crate::turns::FAR;
use std::f64::consts::TAU;

const ERRORS: Imperfections = Imperfections { splitter_angle: 0.05, phase: 0.2, ..Imperfections::NONE };

const TRAINED: [MethodName; 6] = [
    MethodName::At,
    MethodName::AtAdaptive,
    MethodName::Ideal,
    MethodName::PatOutput,
    MethodName::Spsa,
    MethodName::Coordinate,
];

/// The controls after three steps that begin near zero and `turns` away from it.
fn both(name: MethodName, turns: f64, options: MethodOptions) -> [Vec<f64>; 2] {
    [0.0, turns].map(|turns| {
        let mut fixture = Fixture::new(Cpu::<f64>::new(), meshes(4), &ERRORS, settings(3, 1, 0.05, Optimizer::ADAM));
        fixture.options = options;
        fixture.initial.iter_mut().for_each(|control| *control += turns * TAU);
        fixture.trajectory(name, 3).pop().unwrap()
    })
}

#[test]
fn a_training_far_from_zero_is_the_one_near_it() {
    for name in TRAINED {
        let [near, far] = both(name, 40.0, MethodOptions::default());
        assert!(far.iter().all(|control| control.abs() < FAR), "{name}");
        let whole = |(near, far): (&f64, &f64)| ((near - far) / TAU - ((near - far) / TAU).round()).abs() * TAU;
        // where a control changes no power, as γ, the last digit of the loss decides on the way of a coordinate's whole step
        if name != MethodName::Coordinate {
            let apart = near.iter().zip(&far).map(whole).fold(0.0, f64::max);
            assert!(apart < 1e-6, "{name}: {apart}");
        }
    }
}

#[test]
fn a_tether_pulls_no_control_through_turns() {
    let options = MethodOptions { tether: 5.0, ..MethodOptions::default() };
    let [near, far] = both(MethodName::At, 40.0, options);
    let whole = |(near, far): (&f64, &f64)| ((near - far) / TAU - ((near - far) / TAU).round()).abs() * TAU;
    let apart = near.iter().zip(&far).map(whole).fold(0.0, f64::max);
    assert!(apart < 1e-6, "the controls were pulled to a model elsewhere: {apart}");
}

#[test]
fn a_training_near_zero_is_not_touched() {
    for name in TRAINED {
        let [near, turned] = both(name, 0.0, MethodOptions::default());
        assert_eq!(near, turned, "{name}");
        let [near, far] = both(name, 3.0, MethodOptions::default());
        assert!(near.iter().zip(&far).all(|(near, far)| far - near > 2.0 * TAU), "{name}: three turns are near enough");
    }
}

#[test]
fn cells_whose_slope_differs_keep_their_turns() {
    let errors = Imperfections { response_slope: 0.3, ..Imperfections::NONE };
    let mut fixture =
        Fixture::new(Cpu::<f64>::new(), weight_banks(&[4, 3]), &errors, settings(3, 1, 0.01, Optimizer::Sgd));
    fixture.initial.iter_mut().for_each(|control| *control += 40.0 * TAU);
    assert!(fixture.trajectory(MethodName::Ideal, 1)[0].iter().all(|control| *control > 30.0 * TAU));
}
