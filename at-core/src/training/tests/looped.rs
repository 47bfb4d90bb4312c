//! Networks whose output is fed back: which methods train them, and what crosses the interface.

use super::fixture::{CALM, Fixture, looped_banks, looped_meshes, losses, settings, suitable};
use crate::chip::Physical;
use crate::cpu::Cpu;
use crate::engine::Optimizer;
use crate::imperfections::Imperfections;
use crate::network::Network;
use crate::training::MethodName;
use crate::training::methods::registry;

#[test]
fn methods_that_meet_a_mesh_once_refuse_a_loop_and_say_why() {
    let once = ["dat", "dat-internal", "parameter-shift"];
    let beside = ["dat", "dat-internal", "ffm", "in-situ", "parameter-shift", "subspace"];
    for (network, expected) in [(looped_banks(), &beside[..]), (looped_meshes(4), &once[..])] {
        for facts in registry::FACTS {
            let refused = (facts.check)(&network).err().map(|error| error.to_string());
            let because = refused.as_ref().is_some_and(|error| error.contains("fed back") && error.contains("step"));
            assert_eq!(because, expected.contains(&facts.name.as_str()), "{}: {refused:?}", facts.name);
        }
    }
}

fn learns(network: &Network, name: MethodName) {
    let settings = settings(3, 12, 0.03, Optimizer::ADAM);
    let fixture = Fixture::new(Cpu::<f64>::new(), network.clone(), &CALM, settings);
    let (first, last) = losses(&fixture, name);
    assert!(last < first, "{name}: {first} {last}");
}

#[test]
fn methods_with_a_model_learn_through_a_loop() {
    for network in [looped_banks(), looped_meshes(4)] {
        for name in [MethodName::At, MethodName::InSilico, MethodName::Ideal, MethodName::Pat, MethodName::PatOutput] {
            learns(&network, name);
        }
    }
    learns(&looped_banks(), MethodName::Dfa);
    learns(&looped_banks(), MethodName::AtAdaptive);
    // light measures the sum over all steps by itself
    learns(&looped_meshes(4), MethodName::InSitu);
}

/// On a chip without loss, light that goes round measures what a model of that very chip computes.
#[test]
fn in_situ_measures_the_gradient_of_all_steps() {
    let kind = Imperfections { splitter_angle: 0.1, phase: 0.3, ..Imperfections::NONE };
    let steps = |name| {
        let settings = settings(3, 1, 0.03, Optimizer::Sgd);
        Fixture::new(Cpu::<f64>::new(), looped_meshes(4), &kind, settings).trajectory(name, 3)
    };
    let ideal = steps(MethodName::Ideal);
    for name in [MethodName::InSitu, MethodName::Ffm] {
        for (measured, computed) in steps(name).iter().flatten().zip(ideal.iter().flatten()) {
            assert!((measured - computed).abs() < 1e-9, "{name}: {measured} {computed}");
        }
    }
}

#[test]
fn every_step_is_counted_at_the_interface() {
    let counted = |network: Network, name: MethodName| {
        let settings = settings(3, 1, 0.03, Optimizer::ADAM);
        let fixture = Fixture::new(Cpu::<f64>::new(), network, &CALM, settings);
        let mut chip = fixture.chip();
        let mut method = fixture.metered_method(name, chip.meter());
        fixture.trainer().run(&mut chip, &mut *method, None, None, &mut ()).unwrap().accesses
    };
    // 47 samples in 5 batches: two features at each of 3 steps, four numbers read and written between them
    let at = counted(looped_banks(), MethodName::At);
    assert_eq!((at.inputs, at.injections, at.reads), (47 * 6, 47 * 2 * 4, 47 * (2 * 4 + 3)));
    assert_eq!((at.passes, at.frames, at.rounds), (47 * 3, 47 * 3, 5 * 3));
    // layer by layer the same, and the state once more in front of the last layer
    let pat = counted(looped_banks(), MethodName::Pat);
    assert_eq!((pat.inputs, pat.injections, pat.reads), (47 * 6, 47 * 3 * 4, 47 * (3 * 4 + 3)));
    assert_eq!((pat.frames, pat.rounds), (47 * 4, 5 * 4));
    // light goes round without a converter
    let light = counted(looped_meshes(4), MethodName::At);
    assert_eq!((light.inputs, light.injections, light.reads), (47 * 8, 0, 47 * 4));
    assert_eq!((light.passes, light.frames, light.rounds), (47 * 3, 47, 5));
    // a model works as often
    let flops = |network: Network| counted(network, MethodName::InSilico).digital_flops;
    assert!(flops(looped_meshes(4)) > flops(looped_meshes(4).without_loop()) * 3 / 2);
}

#[test]
fn methods_that_fit_are_at_least_these() {
    for network in [looped_banks(), looped_meshes(4)] {
        assert!(suitable(&network).len() >= 12, "{:?}", suitable(&network));
    }
}
