//! What each method reads from the chip and writes to it, and what it computes beside it.

use super::fixture::{ERRORS, Fixture, matrices, meshes, one_mesh, settings};
use crate::chip::{Accesses, Chip, Physical};
use crate::cpu::Cpu;
use crate::engine::Optimizer;
use crate::network::Network;
use crate::propagator::Propagator;
use crate::training::{Batch, MethodName};

/// The counts of one step on a batch of 10.
fn one_step(network: &Network, name: MethodName) -> Accesses {
    let settings = settings(3, 1, 0.01, Optimizer::Sgd);
    let mut fixture = Fixture::new(Cpu::<f32>::new(), network.clone(), &ERRORS, settings);
    (fixture.options.probe_draws, fixture.options.coordinate_subset) = (3, 5);
    let mut chip: Chip<_> = fixture.chip();
    let mut method = fixture.metered_method(name, chip.meter());
    chip.unmetered(|chip| chip.program(method.controls())).unwrap();
    let mut batch = Batch::new(&fixture.engine, fixture.train.width(), 10).unwrap();
    batch.gather(&fixture.engine, &fixture.train, fixture.train.in_order(), 0, 10).unwrap();
    method.step(&mut chip, &batch, 0.01, &mut vec![0.0; 3]).unwrap();
    chip.accesses()
}

#[test]
fn layer_wise_pat_crosses_the_interface_2m_minus_p_times_and_at_p_times() {
    for (widths, pat_per_sample) in [(&[12, 6, 6, 3][..], 27), (&[784, 256, 256, 10], 1034)] {
        let network = matrices(widths);
        let (neurons, outputs) = (network.neurons() as u64, network.outputs() as u64);
        assert_eq!(2 * neurons - outputs, pat_per_sample);
        let pat = one_step(&network, MethodName::Pat);
        assert_eq!(pat.reads + pat.injections, 10 * pat_per_sample);
        assert_eq!((pat.rounds, pat.frames, pat.inputs), (3, 30, 10 * widths[0] as u64));
        for name in [MethodName::At, MethodName::AtAdaptive, MethodName::PatOutput] {
            let counts = one_step(&network, name);
            assert_eq!((counts.reads, counts.injections, counts.rounds), (10 * outputs, 0, 1), "{name}");
            assert_eq!((counts.passes, counts.frames), (10, 10), "{name}");
            assert_eq!(counts.control_writes, network.controls() as u64, "{name}");
        }
    }
}

#[test]
fn asymmetrical_training_takes_one_digital_pass_forward_and_two_back_and_pat_one_of_each() {
    let network = matrices(&[12, 6, 6, 3]);
    let weights = 12 * 6 + 6 * 6 + 6 * 3;
    for (name, back) in [(MethodName::At, 2), (MethodName::Pat, 1), (MethodName::PatOutput, 1)] {
        let counts = one_step(&network, name);
        assert_eq!((counts.digital_passes, counts.digital_backward_passes), (10, 10 * back), "{name}");
        assert_eq!(counts.digital_flops, 10 * weights * (2 + 4 * back), "{name}");
    }
}

#[test]
fn a_measuring_step_costs_what_a_training_step_of_eight_samples_per_mode_costs() {
    let network = meshes(4);
    let [adaptive, at] = [MethodName::AtAdaptive, MethodName::At].map(|name| one_step(&network, name));
    let per_sample = |counts: Accesses, samples: u64| {
        [counts.reads, counts.injections, counts.inputs, counts.passes, counts.frames].map(|count| count / samples)
    };
    assert_eq!(adaptive.passes, 32, "whatever the batch");
    assert_eq!(per_sample(adaptive, 32), per_sample(at, 10));
    assert_eq!((adaptive.control_writes, adaptive.rounds), (at.control_writes, at.rounds));
}

#[test]
fn complex_hidden_fields_count_twice() {
    let counts = one_step(&meshes(4), MethodName::Pat);
    assert_eq!((counts.reads, counts.injections, counts.inputs), (10 * (8 + 4), 10 * 8, 10 * 8));
}

#[test]
fn taps_are_read_once_and_nothing_is_injected() {
    let (network, meshes) = (matrices(&[12, 6, 6, 3]), meshes(4));
    let tapped = one_step(&network, MethodName::Dfa);
    assert_eq!((tapped.reads, tapped.injections, tapped.rounds), (10 * network.neurons() as u64, 0, 1));
    assert_eq!((tapped.passes, tapped.control_writes), (10, network.controls() as u64));
    let modelled = one_step(&network, MethodName::DfaModel);
    assert_eq!((modelled.reads, modelled.injections, modelled.rounds), (10 * 3, 0, 1));
    let (weights, projections) = (12 * 6 + 6 * 6 + 6 * 3, 2 * 6 * 3);
    for counts in [tapped, modelled] {
        assert_eq!((counts.digital_passes, counts.digital_backward_passes), (10, 10));
        assert_eq!(counts.digital_flops, 10 * (weights * (2 + 4) + projections * 2));
    }
    assert_eq!(one_step(&meshes, MethodName::Dfa).reads, 10 * (8 + 4), "two values per complex field");
}

#[test]
fn methods_without_a_model_pay_in_passes() {
    let network = one_mesh(4);
    let controls = network.controls() as u64;
    let shifts = 2 * controls;
    for (name, rounds, writes) in [
        (MethodName::Spsa, 2 * 3, (2 * 3 + 1) * controls),
        (MethodName::ZerothOrder, 3 + 1, (3 + 1) * controls),
        (MethodName::Guided, 3 + 1, (3 + 1) * controls),
        (MethodName::Coordinate, 5 + 1, controls + 5 + 4),
        (MethodName::ParameterShift, shifts + 1, controls + shifts + controls - 1),
    ] {
        let counts = one_step(&network, name);
        let expected = Accesses {
            reads: 10 * 4 * rounds,
            inputs: 10 * 8 * rounds,
            control_writes: writes,
            passes: 10 * rounds,
            rounds,
            frames: 10 * rounds,
            ..Accesses::default()
        };
        assert_eq!(counts, expected, "{name}");
    }
}

#[test]
fn noise_aware_training_never_meets_the_chip() {
    let counts = one_step(&meshes(4), MethodName::NoiseAware);
    assert_eq!(counts, one_step(&meshes(4), MethodName::InSilico));
}

#[test]
fn guiding_by_a_model_costs_a_pass_through_it_and_nothing_at_the_chip() {
    let network = meshes(4);
    let [guided, plain, model] =
        [MethodName::GuidedModel, MethodName::ZerothOrder, MethodName::PatOutput].map(|name| one_step(&network, name));
    let Accesses { digital_passes, digital_backward_passes, digital_flops, .. } = model;
    assert_eq!(guided, Accesses { digital_passes, digital_backward_passes, digital_flops, ..plain });
}

#[test]
fn sharpness_costs_a_second_pass_of_everything() {
    let network = meshes(4);
    for (sharp, plain) in [(MethodName::Sat, MethodName::InSilico), (MethodName::SatOutput, MethodName::PatOutput)] {
        let (sharp, plain) = (one_step(&network, sharp), one_step(&network, plain));
        let twice = Accesses {
            reads: 2 * plain.reads,
            inputs: 2 * plain.inputs,
            control_writes: 2 * plain.control_writes,
            passes: 2 * plain.passes,
            rounds: 2 * plain.rounds,
            frames: 2 * plain.frames,
            digital_passes: 20,
            digital_backward_passes: 20,
            digital_flops: 2 * plain.digital_flops,
            ..Accesses::default()
        };
        assert_eq!(sharp, twice);
    }
}

#[test]
fn in_silico_and_the_oracle_meet_the_chip_once_at_the_deployment() {
    for name in [MethodName::InSilico, MethodName::Ideal] {
        let network = meshes(4);
        let digital = Accesses { digital_passes: 10, digital_backward_passes: 10, ..Accesses::default() };
        let counts = one_step(&network, name);
        assert_eq!(Accesses { digital_flops: 0, ..counts }, digital);
        assert_eq!(counts.digital_flops, 10 * 2 * 6 * (28 + 76), "two meshes of six MZIs");
        let fixture = Fixture::new(Cpu::<f32>::new(), network, &ERRORS, settings(3, 3, 0.01, Optimizer::ADAM));
        let mut chip = fixture.chip();
        let outcome = fixture.trainer().run(&mut chip, &mut *fixture.method(name), None, None, &mut ()).unwrap();
        assert!(outcome.records.iter().all(|record| record.accesses == Accesses::default()), "{name}");
        let deployment = Accesses { control_writes: fixture.network.controls() as u64, ..Accesses::default() };
        assert_eq!(outcome.accesses, deployment, "{name}");
    }
}

#[test]
fn evaluations_are_not_metered() {
    let fixture = Fixture::new(Cpu::<f32>::new(), meshes(4), &ERRORS, settings(3, 2, 0.01, Optimizer::Sgd));
    let mut chip = fixture.chip();
    let outcome = fixture.trainer().run(&mut chip, &mut *fixture.method(MethodName::At), None, None, &mut ()).unwrap();
    let (steps, samples) = (2 * 5, 2 * 47);
    assert_eq!(outcome.accesses.passes, samples);
    assert_eq!(outcome.accesses.reads, samples * 4);
    assert_eq!(outcome.accesses.control_writes, (steps + 1) * fixture.network.controls() as u64);
}

/// Two meshes of N modes: M = 2N modes behind meshes, P = N outputs, n0 = N inputs, D controls, complex values count twice.
#[test]
fn methods_that_light_single_meshes_cross_the_interface_as_often_as_they_say() {
    let (n, batch) = (4, 10);
    let (behind, outputs, controls) = (2 * n, n, 2 * n * n);
    let in_situ = one_step(&meshes(n as usize), MethodName::InSitu);
    assert_eq!(in_situ.reads, 2 * batch * (behind + n + behind - outputs) + 3 * controls);
    assert_eq!(in_situ.inputs + in_situ.injections, 2 * batch * (2 * (n + behind - outputs) + behind));
    assert_eq!((in_situ.passes, in_situ.rounds, in_situ.control_writes), (3 * 2 * batch, 3 * 2, controls));
    let ffm = one_step(&meshes(n as usize), MethodName::Ffm);
    assert_eq!(ffm.reads, 2 * batch * (behind + n + behind - outputs) + 2 * 2 * batch * controls);
    assert_eq!(ffm.inputs + ffm.injections, 2 * batch * (n + behind - outputs + behind));
    assert_eq!((ffm.passes, ffm.rounds, ffm.control_writes), (2 * 2 * batch, 2 * 2, controls));
}

#[test]
fn dual_adaptive_training_reads_the_output_once() {
    let counts = one_step(&meshes(4), MethodName::Dat);
    assert_eq!((counts.reads, counts.injections, counts.inputs), (10 * 4, 0, 10 * 8));
    assert_eq!((counts.passes, counts.rounds, counts.control_writes), (10, 1, 32));
    assert_eq!((counts.digital_passes, counts.digital_backward_passes), (20, 20));
    // with internal readouts also the powers behind the first mesh, in the same pass
    let internal = one_step(&meshes(4), MethodName::DatInternal);
    assert_eq!((internal.reads, internal.injections, internal.inputs), (10 * (4 + 4), 0, 10 * 8));
    assert_eq!((internal.passes, internal.rounds, internal.control_writes), (10, 1, 32));
}

#[test]
fn physical_local_learning_measures_every_layer_twice_and_writes_no_control() {
    let network = matrices(&[12, 6, 6, 3]);
    let (behind, outputs) = (6 + 6 + 3, 3);
    let fixture = Fixture::new(Cpu::<f32>::new(), network, &ERRORS, settings(3, 1, 0.01, Optimizer::Sgd));
    let (mut chip, mut method) = (fixture.chip(), fixture.method(MethodName::Phyll));
    chip.unmetered(|chip| chip.program(&fixture.initial.iter().map(|&x| x as f32).collect())).unwrap();
    let mut batch = Batch::new(&fixture.engine, fixture.train.width(), 10).unwrap();
    batch.gather(&fixture.engine, &fixture.train, fixture.train.in_order(), 0, 10).unwrap();
    method.step(&mut chip, &batch, 0.01, &mut vec![0.0; 3]).unwrap();
    let counts = chip.accesses();
    assert_eq!((counts.reads, counts.injections), (2 * 10 * behind, 2 * 10 * (behind - outputs)));
    assert_eq!((counts.passes, counts.rounds, counts.control_writes), (2 * 10, 3, 0));
}
