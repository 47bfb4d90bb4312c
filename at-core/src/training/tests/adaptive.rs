//! Asymmetrical training with a model that learns the chip: on chips that are in the model's class.

use super::fixture::{Fixture, chain_of_meshes, meshes, phase_change, planes, ring_banks, settings, weight_banks};
use crate::chip::Physical;
use crate::cpu::Cpu;
use crate::engine::{Engine, Optimizer};
use crate::fabrication::Fabrication;
use crate::imperfections::{Control, Imperfections, Memory, Passive, Planes, Rings};
use crate::network::{Network, Stage};
use crate::optics::PlanePosition;
use crate::propagator::{Adjoint, Propagator, Simulator, Tunable};
use crate::stage::FreeSpace;
use crate::training::{Batch, Checkpoint, Checkpoints, Estimation, MethodName, MethodOptions, Observer, Record};
use std::ops::ControlFlow;

/// Errors at which the nominal model leads astray.
const ERRORS: Imperfections = Imperfections { splitter_angle: 0.1, phase: 0.4, ..Imperfections::NONE };

/// What a calibration of phases leaves, and heaters and losses that differ.
const WIDE: Imperfections = Imperfections {
    splitter_angle: 0.05,
    phase: 0.1,
    loss_spread_db: 0.5,
    control: Control { control_range: 7.0, heater_spread: 0.05, crosstalk: 0.01, ..Control::NONE },
    ..Imperfections::NONE
};

/// Weight cells that nobody calibrated.
const CELLS: Imperfections =
    Imperfections { response_amplitude: 0.3, response_slope: 0.3, response_offset: 0.5, ..Imperfections::NONE };

/// Resonances a third of a linewidth off their channels.
const RINGS: Imperfections = Imperfections {
    rings: Rings { ring_offset: 0.1, ring_linewidth: 0.2, ring_leak: 0.0, ring_loss_db: 0.0 },
    ..Imperfections::NONE
};

/// Pairs of cells that differ by much.
const PAIRS: Imperfections = Imperfections {
    memory: Memory { pcm_contrast: 0.4, pcm_offset: 0.3, pcm_levels: 0, pcm_write_noise: 0.0, pcm_cycle_spread: 0.0 },
    ..Imperfections::NONE
};

/// Planes that stand half a pixel from where they should, and pixels that nobody calibrated.
const PLANES: Imperfections = Imperfections {
    planes: Planes { pixel_phase: 0.3, plane_shift: 200.0, plane_distance: 300.0, plane_tilt: 0.05, ..Planes::NONE },
    ..Imperfections::NONE
};

/// The estimate that describes `fabrication` exactly: an error of φ is one of the waveguide in front of it.
fn exact(network: &Network, fabrication: &Fabrication) -> Vec<f64> {
    let mut estimate = Vec::new();
    for (index, stage) in network.stages().enumerate() {
        let errors = fabrication.stage(index);
        if let Stage::Mask(_) = stage {
            estimate.extend_from_slice(errors.get(["phase"]).unwrap()[0]);
        }
        if let Stage::FreeSpace(space) = stage {
            estimate.extend(PlanePosition::coordinates(&space.spectrum, &FreeSpace::misalignment(errors)));
        }
        if let Stage::WeightBank(_) | Stage::PhaseChange(_) = stage {
            estimate.extend(errors.iter().flat_map(|(_, values)| values));
        }
        if let Stage::RingBank(bank) = stage {
            let [offset, linewidth] = errors.get(["offset", "linewidth"]).unwrap();
            estimate
                .extend(offset.iter().map(|offset| offset / bank.half_linewidth()).chain(linewidth.iter().copied()));
        }
        let Stage::Mesh(mesh) = stage else { continue };
        let [first_coupler, second_coupler, phases] =
            errors.get(["first_coupler", "second_coupler", "phases"]).unwrap();
        let (theta, phi, gamma) = mesh.split(phases);
        estimate.extend(first_coupler.iter().chain(second_coupler).chain(theta));
        let mut pieces = vec![0.0; mesh.columns().len() * mesh.modes()];
        for ((column, [row, _]), &error) in mesh.positions().zip(phi) {
            pieces[column * mesh.modes() + row] = error;
        }
        estimate.extend(pieces.iter().chain(gamma));
    }
    estimate
}

pub(super) fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt() / b.iter().map(|b| b * b).sum::<f64>().sqrt()
}

#[test]
fn with_an_exact_estimate_the_gradient_is_the_chips_own() {
    let of_widths = [4, 9, 5];
    for (network, errors) in [
        (meshes(5), ERRORS),
        (weight_banks(&of_widths), CELLS),
        (ring_banks(&of_widths), RINGS),
        (phase_change(&of_widths), PAIRS),
        (planes(), PLANES),
    ] {
        exact_gradient(network, &errors);
    }
}

fn exact_gradient(network: Network, errors: &Imperfections) {
    let engine = Cpu::<f64>::new();
    let fixture = Fixture::new(engine, network, errors, settings(3, 1, 0.1, Optimizer::Sgd));
    let mut batch = Batch::new(&engine, fixture.train.width(), 10).unwrap();
    batch.gather(&engine, &fixture.train, fixture.train.in_order(), 0, 10).unwrap();
    let gradient = |fabrication: &Fabrication, estimate: Option<Vec<f64>>| {
        let mut model = engine.build(&fixture.network, fabrication).unwrap();
        if let Some(estimate) = estimate {
            model.set_imperfections(&estimate).unwrap();
        }
        model.program(&fixture.initial).unwrap();
        let mut trace = model.trace(10).unwrap();
        let (mut readout, mut error) = (vec![0.0; 50], vec![0.0; 50]);
        let mut gradient = vec![0.0; fixture.network.controls()];
        model.record(batch.signals(), 10, &mut trace, &mut readout).unwrap();
        let loss = &fixture.settings.loss;
        engine.loss(loss, &readout, 5, batch.targets(), 10, Some(&mut error), &mut vec![0.0; 3]).unwrap();
        model.backpropagate(&trace, &error, &mut gradient).unwrap();
        gradient
    };
    let chip = gradient(&fixture.fabrication, None);
    let estimate = exact(&fixture.network, &fixture.fabrication);
    assert!(distance(&gradient(&Fabrication::ideal(), Some(estimate)), &chip) < 1e-12);
    assert!(distance(&gradient(&Fabrication::ideal(), None), &chip) > 0.5, "the nominal model's is another");
}

/// The chip's loss on the test split after training.
fn final_loss(fixture: &Fixture<Cpu<f32>>, name: MethodName) -> f64 {
    fixture.trainer().run(&mut fixture.chip(), &mut *fixture.method(name), None, None, &mut ()).unwrap().test.loss
}

#[test]
fn it_trains_a_coherent_chip_that_plain_at_does_not() {
    let mut fixture = Fixture::new(Cpu::<f32>::new(), meshes(6), &ERRORS, settings(3, 80, 0.02, Optimizer::ADAM));
    fixture.options.estimation = Estimation { measuring_steps: Some(200), rate: Some(0.01), ..Estimation::default() };
    let [ideal, adaptive, plain, silico] =
        [MethodName::Ideal, MethodName::AtAdaptive, MethodName::At, MethodName::InSilico]
            .map(|name| final_loss(&fixture, name));
    assert!(adaptive < ideal + 0.1 * (plain.min(silico) - ideal), "{ideal} {adaptive} {plain} {silico}");
}

/// 47 samples and five detectors tell 75 unknowns in part, and where planes stand, a quarter of a pixel away, almost entirely.
#[test]
fn what_it_learns_of_planes_explains_the_chips_readouts() {
    for (pixel_phase, share) in [(0.3, 0.5), (0.0, 0.2)] {
        let own = Planes { pixel_phase, plane_shift: 100.0, plane_distance: 150.0, plane_tilt: 0.025, ..Planes::NONE };
        let own = Imperfections { planes: own, ..Imperfections::NONE };
        let fixture = Fixture::new(Cpu::<f64>::new(), planes(), &own, settings(3, 60, 0.01, Optimizer::ADAM));
        let (learned, nominal, _) = misses(&fixture);
        assert!(learned < share * nominal, "{learned} {nominal}");
    }
}

#[test]
fn what_it_learns_of_weights_explains_the_chips_readouts() {
    let of_widths = [8, 12, 8];
    explains(weight_banks(&of_widths), &CELLS, 0.01);
    explains(phase_change(&of_widths), &PAIRS, 0.01);
    explains(ring_banks(&of_widths), &RINGS, 0.002);
}

fn explains(network: Network, errors: &Imperfections, learning_rate: f64) {
    let settings = settings(3, 60, learning_rate, Optimizer::ADAM);
    let mut fixture = Fixture::new(Cpu::<f64>::new(), network, errors, settings);
    fixture.options.estimation.measuring_steps = Some(0);
    let (learned, nominal, _) = misses(&fixture);
    assert!(learned < 0.2 * nominal, "{learned} {nominal} of {}", fixture.network.identity());
}

/// How far the readouts of the model with what at-adaptive has learned, and of the nominal one, lie from the chip's, and the numbers learned.
pub fn misses(fixture: &Fixture<Cpu<f64>>) -> (f64, f64, usize) {
    let mut method = fixture.method(MethodName::AtAdaptive);
    fixture.trainer().run(&mut fixture.chip(), &mut *method, None, None, &mut ()).unwrap();
    let mut batch = Batch::new(&fixture.engine, fixture.test.width(), 30).unwrap();
    batch.gather(&fixture.engine, &fixture.test, fixture.test.in_order(), 0, 30).unwrap();
    let readout = |fabrication: &Fabrication, estimate: Option<&Vec<f64>>| {
        let mut network = fixture.engine.build(&fixture.network, fabrication).unwrap();
        if let Some(estimate) = estimate {
            network.set_imperfections(estimate).unwrap();
        }
        network.program(method.controls()).unwrap();
        let mut readout = vec![0.0; 30 * network.outputs()];
        network.propagate(batch.signals(), 30, &mut readout).unwrap();
        readout
    };
    let estimate = method.parameters().into_iter().find(|(name, _)| *name == "estimate").unwrap().1;
    let chip = readout(&fixture.fabrication, None);
    let learned = distance(&readout(&Fabrication::ideal(), Some(&estimate.values)), &chip);
    (learned, distance(&readout(&Fabrication::ideal(), None), &chip), estimate.values.len())
}

#[test]
fn controls_slow_down_by_what_the_misfit_exceeds_the_trust() {
    let mut fixture = Fixture::new(Cpu::<f64>::new(), meshes(5), &ERRORS, settings(3, 1, 0.1, Optimizer::Sgd));
    let mut moved = |trust: Option<f64>| -> Vec<f64> {
        fixture.options.estimation = Estimation { measuring_steps: Some(0), trust, ..Estimation::default() };
        let after = fixture.trajectory(MethodName::AtAdaptive, 1).pop().unwrap();
        after.iter().zip(&fixture.initial).map(|(after, before)| after - before).collect()
    };
    let [free, half, quarter] = [f64::INFINITY, 2e-3, 1e-3].map(|trust| moved(Some(trust)));
    let twice: Vec<f64> = quarter.iter().map(|step| 2.0 * step).collect();
    assert!(distance(&twice, &half) < 1e-9, "in proportion");
    assert!(half.iter().zip(&free).all(|(slow, free)| slow.abs() <= 0.5 * free.abs() + 1e-15), "the misfit is large");
    assert_eq!(moved(Some(10.0)), free, "at full rate below the trust");
}

#[test]
fn a_prior_holds_the_estimate_near_a_perfect_chip() {
    let size = |prior: f64| {
        let network = weight_banks(&[8, 12, 8]);
        let mut fixture = Fixture::new(Cpu::<f64>::new(), network, &CELLS, settings(3, 20, 0.01, Optimizer::ADAM));
        fixture.options.estimation.prior = Some(prior);
        let mut method = fixture.method(MethodName::AtAdaptive);
        fixture.trainer().run(&mut fixture.chip(), &mut *method, None, None, &mut ()).unwrap();
        let (_, estimate) = method.parameters().swap_remove(1);
        estimate.values.iter().map(|e| e * e).sum::<f64>()
    };
    let sizes = [0.0, 10.0, 100.0].map(size);
    assert!(sizes[0] > 2.0 * sizes[1] && sizes[1] > 2.0 * sizes[2], "{sizes:?}");
    assert!(sizes[2] > 0.0);
}

#[test]
fn on_a_perfect_chip_it_is_backpropagation_while_it_measures_and_after() {
    let perfect = Imperfections::default();
    // The estimate's Adam makes small steps of what rounding leaves of a vanishing misfit, hence no equality.
    let mut fixture = Fixture::new(Cpu::<f64>::new(), meshes(4), &perfect, settings(3, 1, 0.1, Optimizer::Sgd));
    fixture.options.estimation.measuring_steps = Some(4);
    let trajectories = [MethodName::Ideal, MethodName::AtAdaptive].map(|name| fixture.trajectory(name, 8));
    for (ideal, adaptive) in trajectories[0].iter().zip(&trajectories[1]) {
        let apart = distance(adaptive, ideal);
        assert!(apart < 2e-3, "{apart}");
    }
}

#[test]
fn a_run_that_stops_while_it_measures_goes_on_to_the_same_numbers() {
    goes_on(&ERRORS, MethodOptions::default(), 12, [2, 3], 4);
    goes_on(&WIDE, MethodOptions { imperfections: WIDE, ..MethodOptions::default() }, 8, [1, 2], 4);
}

#[test]
fn a_run_that_stops_while_it_calibrates_goes_on_to_the_same_numbers() {
    let mut errors = Imperfections::NONE;
    errors.passive.uncalibrated = true;
    goes_on(&errors, MethodOptions::default(), 60, [6, 8], 16);
}

/// Of trainings that measure for `steps` steps, four an epoch, and stop behind the epochs `stops`.
fn goes_on(errors: &Imperfections, options: MethodOptions, steps: usize, stops: [usize; 2], epochs: usize) {
    struct Until(usize);
    impl Observer for Until {
        fn epoch(&mut self, record: &Record) -> ControlFlow<()> {
            if record.epoch == self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let to = Checkpoints { path: &path, every: 1, fingerprint: "", network: &meshes(4) };
    let mut fixture = Fixture::new(Cpu::<f32>::new(), meshes(4), errors, settings(3, epochs, 0.02, Optimizer::ADAM));
    fixture.options = MethodOptions {
        estimation: Estimation { measuring_steps: Some(steps), rate: Some(0.01), ..Estimation::default() },
        ..options
    };
    let run = |resume: Option<&Checkpoint>, until: usize| {
        let mut method = fixture.method(MethodName::AtAdaptive);
        fixture.trainer().run(&mut fixture.chip(), &mut *method, resume, Some(to), &mut Until(until)).unwrap()
    };
    let whole = run(None, 99);
    for until in stops {
        run(None, until);
        let kept = Checkpoint::load(&path, "").unwrap();
        assert!(kept.parameters.iter().any(|saved| saved.name == "estimate"));
        assert_eq!(kept.network, Some(fixture.network.identity()), "an estimate belongs to its network");
        assert_eq!(run(Some(&Checkpoint::load(&path, "").unwrap()), 99), whole);
    }
}

/// Of the chip's readouts of random light, what is missed at the end of measuring.
#[test]
fn heaters_and_losses_are_found_where_the_kind_has_a_spread_of_them() {
    let misfit = |imperfections: Imperfections| {
        let mut fixture = Fixture::new(Cpu::<f32>::new(), meshes(6), &WIDE, settings(3, 120, 0.02, Optimizer::ADAM));
        fixture.options.imperfections = imperfections;
        fixture.options.estimation.measuring_steps = Some(400);
        let mut method = fixture.method(MethodName::AtAdaptive);
        fixture.trainer().run(&mut fixture.chip(), &mut *method, None, None, &mut ()).unwrap();
        f64::from(method.parameters()[2].1.values[6])
    };
    let control = Control { heater_spread: 0.0, ..WIDE.control };
    let [both, neither] = [WIDE, Imperfections { loss_spread_db: 0.0, control, ..WIDE }].map(misfit);
    assert!(both < 0.2 * neither, "{both} {neither}");
}

#[test]
fn a_chip_that_it_does_not_find_is_trained_as_by_output_only_pat_and_the_result_says_so() {
    let mut fixture = Fixture::new(Cpu::<f32>::new(), meshes(6), &ERRORS, settings(3, 12, 0.02, Optimizer::ADAM));
    fixture.options.estimation = Estimation { measuring_steps: Some(6), rate: Some(1e-6), ..Estimation::default() };
    let mut method = fixture.method(MethodName::AtAdaptive);
    let outcome = fixture.trainer().run(&mut fixture.chip(), &mut *method, None, None, &mut ()).unwrap();
    let [note] = &outcome.notes[..] else { panic!("{:?}", outcome.notes) };
    assert!(note.contains("did not find this chip: after 6 measuring steps") && note.contains("pat-output"), "{note}");
    assert!(
        note.contains("its columns were not calibrated, which takes 6 steps") && note.contains("`measuring-steps`"),
        "{note}"
    );
    let (_, estimate) = method.parameters().swap_remove(1);
    assert!(estimate.values.iter().all(|&error| error == 0.0), "it is put away");
    let pat = final_loss(&fixture, MethodName::PatOutput);
    let silico = final_loss(&fixture, MethodName::InSilico);
    assert!((outcome.test.loss - pat).abs() < 0.25 * (silico - pat), "{} {pat} {silico}", outcome.test.loss);
}

/// Steps that calibrate, and notes, of a training on a chip that growing probes do not find.
fn calibrated(errors: &Imperfections) -> (f64, Vec<String>) {
    let mut fixture = Fixture::new(Cpu::<f32>::new(), meshes(8), errors, settings(3, 120, 0.02, Optimizer::ADAM));
    fixture.options.estimation.measuring_steps = Some(400);
    let mut method = fixture.method(MethodName::AtAdaptive);
    let outcome = fixture.trainer().run(&mut fixture.chip(), &mut *method, None, None, &mut ()).unwrap();
    let steps = method.parameters()[2].1.values[5];
    (steps.into(), outcome.notes)
}

#[test]
fn columns_are_calibrated_where_probes_do_not_find_the_chip() {
    let (steps, notes) = calibrated(&Imperfections {
        phase: 0.5,
        passive: Passive { splitter_split: 0.1, ..Passive::NONE },
        ..Imperfections::NONE
    });
    assert_eq!(steps, 8.0, "two of sixteen columns each");
    assert!(notes.is_empty(), "{notes:?}");
}

#[test]
fn a_chip_that_nobody_has_calibrated_is_found_although_its_couplers_are_off() {
    for splitter_split in [0.0, 0.1] {
        let (steps, notes) = calibrated(&Imperfections {
            passive: Passive { uncalibrated: true, splitter_split, ..Passive::NONE },
            ..Imperfections::NONE
        });
        assert_eq!(steps, 8.0, "two of sixteen columns each");
        assert!(notes.is_empty(), "{notes:?}");
    }
}

/// Shares of the rings of `network` that the estimate misses by more than 0.3 half linewidths, before anything is known and after `steps`
/// measuring steps; biases, whose light is the same in every sample, aside. What the method says of it.
fn missed_resonances(network: Network, steps: usize) -> ([f64; 2], Vec<String>) {
    let mut fixture = Fixture::new(Cpu::<f64>::new(), network, &RINGS, settings(3, 1, 0.002, Optimizer::ADAM));
    fixture.options.estimation.measuring_steps = Some(steps);
    let (mut chip, mut method) = (fixture.chip(), fixture.method(MethodName::AtAdaptive));
    chip.unmetered(|chip| chip.program(method.controls())).unwrap();
    let mut batch = Batch::new(&fixture.engine, fixture.train.width(), 10).unwrap();
    batch.gather(&fixture.engine, &fixture.train, fixture.train.in_order(), 0, 10).unwrap();
    while method.measuring() {
        method.step(&mut chip, &batch, 0.002, &mut vec![0.0; 3]).unwrap();
    }
    let (_, estimate) = method.parameters().swap_remove(1);
    let (mut missed, mut count, mut own) = ([0.0; 2], 0.0, &estimate.values[..]);
    for (index, stage) in fixture.network.stages().enumerate() {
        let Stage::RingBank(bank) = stage else { continue };
        let [offset] = fixture.fabrication.stage(index).get(["offset"]).unwrap();
        for (found, offset) in own.iter().zip(offset).take(bank.inputs * bank.outputs) {
            let wanted = offset / bank.half_linewidth();
            count += 1.0;
            [0.0, *found].iter().zip(&mut missed).for_each(|(at, missed)| {
                *missed += f64::from(u8::from((at - wanted).abs() > 0.3));
            });
        }
        own = &own[2 * offset.len()..];
    }
    (missed.map(|missed| missed / count), method.notes())
}

#[test]
fn rings_are_found_on_both_sides_of_their_resonances() {
    for widths in [&[8, 6][..], &[8, 12, 8], &[8, 10, 10, 8]] {
        let ([before, after], notes) = missed_resonances(ring_banks(widths), 300);
        assert!(before > 0.5 && after < 0.1, "{widths:?}: {before} {after}");
        assert!(notes.is_empty(), "{notes:?}");
    }
}

/// Behind three nonlinearities that are dark at low power few outputs have nearly all light: a misfit of amplitudes hears those alone.
#[test]
fn four_meshes_are_found_by_probes_alone_although_their_light_is_uneven() {
    let errors = Imperfections { phase: 0.1, splitter_angle: 0.1, ..Imperfections::NONE };
    let settings = settings(3, 120, 0.02, Optimizer::ADAM);
    let mut fixture = Fixture::new(Cpu::<f32>::new(), chain_of_meshes(8, 4), &errors, settings);
    fixture.options.estimation.measuring_steps = Some(500);
    let mut method = fixture.method(MethodName::AtAdaptive);
    let outcome = fixture.trainer().run(&mut fixture.chip(), &mut *method, None, None, &mut ()).unwrap();
    let measuring = &method.parameters()[2].1.values;
    assert_eq!(measuring[5], 0.0, "no column was calibrated");
    assert!(outcome.notes.is_empty(), "{:?}", outcome.notes);
}
