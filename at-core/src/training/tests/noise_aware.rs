//! Noise-aware training between in-silico training and the chip's own kind.

use super::fixture::{ERRORS, Fixture, losses, matrices, meshes, settings, weight_banks};
use crate::cpu::Cpu;
use crate::engine::Optimizer;
use crate::imperfections::Imperfections;
use crate::training::MethodName;

#[test]
fn without_spread_it_is_in_silico_training_bit_for_bit() {
    for network in [matrices(&[4, 5, 3]), weight_banks(&[4, 5, 3]), meshes(4)] {
        let mut fixture = Fixture::new(Cpu::<f32>::new(), network, &ERRORS, settings(3, 1, 0.1, Optimizer::ADAM));
        fixture.options.imperfections = Imperfections::default();
        assert_eq!(fixture.trajectory(MethodName::NoiseAware, 8), fixture.trajectory(MethodName::InSilico, 8));
    }
}

#[test]
fn imperfections_are_drawn_when_due() {
    let mut fixture = Fixture::new(Cpu::<f64>::new(), meshes(4), &ERRORS, settings(3, 1, 0.1, Optimizer::Sgd));
    fixture.options.imperfections = ERRORS;
    let mut run = |every| {
        fixture.options.redraw_every = every;
        fixture.trajectory(MethodName::NoiseAware, 3)
    };
    let [each, second, never] = [1, 2, 1000].map(&mut run);
    assert_eq!(each[0], second[0]);
    assert_ne!(each[1], second[1]);
    assert_eq!(second[1], never[1]);
    assert_ne!(second[2], never[2]);
}

#[test]
fn it_learns_what_survives_imperfections() {
    let mut fixture =
        Fixture::new(Cpu::<f32>::new(), weight_banks(&[4, 8, 3]), &ERRORS, settings(3, 30, 0.1, Optimizer::Sgd));
    fixture.options.imperfections = ERRORS;
    let (first, last) = losses(&fixture, MethodName::NoiseAware);
    assert!(last < 0.5 * first, "{first} to {last}");
}
