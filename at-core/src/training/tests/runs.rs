//! Whole runs: they learn, they stop where told, and they fail with a reason.

use super::fixture::{
    BACKPROPAGATION, CALM, ERRORS, Fixture, clouds, losses, matrices, meshes, settings, suitable, weight_banks,
};
use crate::Error;
use crate::cpu::Cpu;
use crate::engine::{Loss, Optimizer, Schedule};
use crate::imperfections::{Imperfections, Noise};
use crate::training::{
    DigitalStep, MethodName, Observer, Outcome, Record, Settings, Signals, Split, Step, Workspace, evaluate,
};
use std::ops::ControlFlow;

fn run(fixture: &Fixture<Cpu<f32>>, name: MethodName) -> crate::Result<Outcome> {
    fixture.trainer().run(&mut fixture.chip(), &mut *fixture.method(name), None, None, &mut ())
}

#[test]
fn backpropagation_of_every_kind_learns_on_imperfect_weights() {
    for network in [matrices(&[4, 8, 3]), weight_banks(&[4, 8, 3])] {
        let mut fixture = Fixture::new(Cpu::<f32>::new(), network, &ERRORS, settings(3, 30, 0.1, Optimizer::Sgd));
        for digital_step in [DigitalStep::Matched, DigitalStep::AsPublished] {
            fixture.options.digital_step = digital_step;
            for name in BACKPROPAGATION {
                let (first, last) = losses(&fixture, name);
                assert!(last < 0.5 * first, "{name}, {digital_step:?}: {first} to {last}");
            }
        }
    }
}

#[test]
fn physical_local_learning_tells_classes_apart_by_its_own_measure() {
    let errors = Imperfections { splitter_angle: 0.05, phase: 0.1, loss_db: 0.1, ..Imperfections::default() };
    let settings = settings(3, 60, 0.02, Optimizer::ADAM);
    for (network, errors) in [(meshes(8), errors), (matrices(&[8, 16, 8]), ERRORS)] {
        let fixture = Fixture::new(Cpu::<f32>::new(), network, &errors, settings);
        let outcome = run(&fixture, MethodName::Phyll).unwrap();
        assert!(outcome.test.score > 0.8, "{:?}", outcome.test);
        assert!(outcome.records[59].train_loss < 0.5 * outcome.records[0].train_loss);
        assert_eq!(outcome.test.samples, 30);
    }
}

#[test]
fn the_oracle_and_layer_wise_pat_learn_on_imperfect_meshes() {
    let errors = Imperfections { splitter_angle: 0.05, phase: 0.1, loss_db: 0.1, ..Imperfections::default() };
    let fixture = Fixture::new(Cpu::<f32>::new(), meshes(4), &errors, settings(3, 40, 0.02, Optimizer::ADAM));
    for name in [MethodName::Ideal, MethodName::Pat] {
        let (first, last) = losses(&fixture, name);
        assert!(last < 0.8 * first, "{name}: {first} to {last}");
    }
}

#[test]
fn divergence_is_an_error_that_names_the_epoch() {
    let mut settings = settings(3, 5, 1e30, Optimizer::Sgd);
    settings.loss.kind = crate::engine::LossKind::MeanSquare;
    let mut fixture = Fixture::new(Cpu::<f32>::new(), matrices(&[4, 8, 3]), &ERRORS, settings);
    fixture.options.transfer.every = 1;
    // the goodness of a map does not depend on its size
    for name in suitable(&fixture.network).into_iter().filter(|name| *name != MethodName::Phyll) {
        let error = run(&fixture, name).unwrap_err();
        assert!(matches!(&error, Error::Diverged { method, epoch: 1, .. } if *method == name.to_string()), "{error}");
    }
}

#[test]
fn meaningless_settings_are_errors() {
    let good = settings(3, 1, 0.1, Optimizer::ADAM);
    assert!(good.validate().is_ok());
    let bad = [
        Settings { epochs: 0, ..good },
        Settings { batch_size: 0, ..good },
        Settings { learning_rate: f64::NAN, ..good },
        Settings { learning_rate: -1.0, ..good },
        Settings { schedule: Schedule::Step { every: 0, factor: 0.5 }, ..good },
        Settings { schedule: Schedule::Step { every: 1, factor: f64::INFINITY }, ..good },
        Settings { optimizer: Optimizer::Momentum { momentum: 1.0 }, ..good },
        Settings { loss: Loss { gain: 0.0, ..good.loss }, ..good },
        Settings { loss: Loss { classes: 0, ..good.loss }, ..good },
    ];
    for settings in bad {
        assert!(settings.validate().is_err(), "{settings:?}");
    }
}

#[test]
fn data_that_do_not_fit_the_chip_are_errors() {
    let engine = Cpu::<f32>::new();
    assert!(Split::new(&engine, &[], &[]).is_err());
    assert!(Split::new(&engine, &[1.0; 5], &[0, 1]).is_err());
    assert!(Split::new(&engine, &[1.0, f32::NAN], &[0, 1]).is_err());
    let mut fixture = Fixture::new(engine, matrices(&[4, 3]), &ERRORS, settings(3, 1, 0.1, Optimizer::Sgd));
    fixture.train = Split::new(&engine, &[0.0; 10], &[0, 1]).unwrap();
    assert!(run(&fixture, MethodName::At).unwrap_err().to_string().contains("expected 4, got 5"));
    fixture.train = Split::new(&engine, &[0.0; 8], &[0, 3]).unwrap();
    assert!(run(&fixture, MethodName::At).unwrap_err().to_string().contains("label = 3"));
}

#[test]
fn a_batch_larger_than_the_split_is_the_whole_split() {
    let mut fixture = Fixture::new(Cpu::<f32>::new(), matrices(&[4, 3]), &ERRORS, settings(3, 1, 0.1, Optimizer::Sgd));
    fixture.settings.batch_size = 1_000;
    let whole = run(&fixture, MethodName::Ideal).unwrap();
    fixture.settings.batch_size = 47;
    assert_eq!(run(&fixture, MethodName::Ideal).unwrap(), whole);
}

#[test]
fn an_evaluation_does_not_depend_on_the_batch_size() {
    let calm = Imperfections { noise: Noise::NONE, ..ERRORS };
    let fixture = Fixture::new(Cpu::<f64>::new(), meshes(4), &calm, settings(3, 1, 0.1, Optimizer::Sgd));
    let mut chip = fixture.chip();
    crate::propagator::Propagator::program(&mut chip, &fixture.initial).unwrap();
    let mut with = |capacity| {
        let mut workspace = Workspace::new(&fixture.engine, &chip, capacity).unwrap();
        evaluate(&mut chip, &fixture.engine, &fixture.test, &fixture.settings.loss, &mut workspace).unwrap()
    };
    let (one, seven, all) = (with(1), with(7), with(100));
    assert_eq!((one.correct, one.samples), (all.correct, 30));
    assert!((one.loss - all.loss).abs() < 1e-12 && (seven.loss - all.loss).abs() < 1e-12);
}

#[test]
fn the_observer_sees_every_batch_and_ends_the_run_at_an_epoch() {
    #[derive(Default)]
    struct Log(Vec<(usize, usize)>, Vec<Record>);
    impl Observer for Log {
        fn batch(&mut self, done: usize, total: usize) {
            self.0.push((done, total));
        }
        fn epoch(&mut self, record: &Record) -> ControlFlow<()> {
            self.1.push(*record);
            if record.epoch == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    let fixture = Fixture::new(Cpu::<f32>::new(), matrices(&[4, 3]), &ERRORS, settings(3, 9, 0.1, Optimizer::Sgd));
    let mut log = Log::default();
    let mut method = fixture.method(MethodName::InSilico);
    let outcome = fixture.trainer().run(&mut fixture.chip(), &mut *method, None, None, &mut log).unwrap();
    assert_eq!(log.0, [1, 2, 3, 4, 5, 1, 2, 3, 4, 5].map(|done| (done, 5)));
    assert_eq!(log.1, outcome.records);
    assert!(!outcome.complete && outcome.accesses.control_writes == 0, "an unfinished run is not deployed");
}

#[test]
fn a_run_that_is_stopped_ends_after_its_step_whichever_it_is() {
    struct Stops(usize);
    impl Observer for Stops {
        fn batch(&mut self, _done: usize, _total: usize) {
            assert!(self.0 > 0, "a step after the last one");
            self.0 -= 1;
        }
        fn stopped(&self) -> bool {
            self.0 == 0
        }
    }
    let fixture = Fixture::new(Cpu::<f32>::new(), matrices(&[4, 3]), &ERRORS, settings(3, 9, 0.1, Optimizer::Sgd));
    for (steps, ends) in [(1, 1), (4, 1), (5, 1), (6, 2), (45, 9)] {
        let (mut chip, mut method) = (fixture.chip(), fixture.method(MethodName::InSilico));
        let error = fixture.trainer().run(&mut chip, &mut *method, None, None, &mut Stops(steps)).unwrap_err();
        assert!(matches!(error, Error::Interrupted { epoch } if epoch == ends), "{steps} steps: {error}");
    }
}

#[test]
fn the_order_of_the_samples_follows_the_seed() {
    let mut fixture = Fixture::new(Cpu::<f32>::new(), matrices(&[4, 3]), &ERRORS, settings(3, 2, 0.1, Optimizer::Sgd));
    let first = run(&fixture, MethodName::At).unwrap();
    assert_eq!(run(&fixture, MethodName::At).unwrap(), first);
    fixture.settings.seed += 1;
    assert_ne!(run(&fixture, MethodName::At).unwrap(), first);
    let (one, other) = (clouds(4, 3, 10, 1).0, clouds(4, 3, 10, 2).0);
    assert_ne!(one, other, "the fixture's splits differ");
}

/// Signals that are told when somebody asks, `[sample, 4]`.
#[derive(Debug)]
struct Told(Vec<f32>);

impl Signals for Told {
    fn samples(&self) -> usize {
        self.0.len() / 4
    }

    fn width(&self) -> usize {
        4
    }

    fn read(&self, order: &[u32], into: &mut [f32]) -> crate::Result<()> {
        let rows = order.iter().flat_map(|&sample| &self.0[4 * sample as usize..][..4]);
        into.iter_mut().zip(rows).for_each(|(into, value)| *into = *value);
        Ok(())
    }
}

#[test]
fn signals_that_are_read_batch_by_batch_train_the_same_by_every_method() {
    let settings = settings(3, 3, 0.05, Optimizer::ADAM);
    let mut fixture = Fixture::new(Cpu::<f32>::new(), matrices(&[4, 8, 3]), &ERRORS, settings);
    let methods = suitable(&fixture.network);
    let held: Vec<Outcome> = methods.iter().map(|&name| run(&fixture, name).unwrap()).collect();
    let read = |samples, seed| {
        let (signals, labels) = clouds(4, 3, samples, seed);
        Split::reading(&fixture.engine, Box::new(Told(signals)), &labels).unwrap()
    };
    (fixture.train, fixture.test) = (read(47, 20), read(30, 21));
    for (name, held) in methods.into_iter().zip(held) {
        assert_eq!(run(&fixture, name).unwrap(), held, "{name}");
    }
    assert!(Split::reading(&fixture.engine, Box::new(Told(vec![0.0; 8])), &[0]).is_err());
    assert!(Split::reading(&fixture.engine, Box::new(Told(Vec::new())), &[]).is_err());
}

/// Every loss that is told.
struct ToldSteps(usize, Vec<Step>);

impl Observer for ToldSteps {
    fn every(&self) -> Option<usize> {
        Some(self.0)
    }

    fn step(&mut self, step: &Step) {
        self.1.push(*step);
    }
}

#[test]
fn the_losses_of_steps_are_those_of_the_epoch_in_parts() {
    // 47 samples in batches of 9: six steps an epoch, the last of two samples
    let fixture = Fixture::new(
        Cpu::<f64>::new(),
        meshes(4),
        &CALM,
        Settings { batch_size: 9, ..settings(3, 3, 0.05, Optimizer::Sgd) },
    );
    let run = |every: usize| {
        let (mut chip, mut told) = (fixture.chip(), ToldSteps(every, Vec::new()));
        let mut method = fixture.method(MethodName::At);
        let outcome = fixture.trainer().run(&mut chip, &mut *method, None, None, &mut told).unwrap();
        (outcome.records, told.1)
    };
    let samples = fixture.train.samples();
    let steps = samples.div_ceil(9);
    let (records, told) = run(1);
    assert_eq!(told.iter().map(|own| own.step).collect::<Vec<_>>(), (1..=3 * steps as u64).collect::<Vec<_>>());
    for (record, own) in records.iter().zip(told.chunks(steps)) {
        let sizes = (0..steps).map(|step| (samples - 9 * step).min(9) as f64);
        let mean = own.iter().zip(sizes).map(|(own, size)| own.loss * size).sum::<f64>() / samples as f64;
        assert!((mean - record.train_loss).abs() < 1e-12, "{mean} {record:?}");
        assert!(own.iter().all(|own| (own.chip, own.learning_rate) == (0, record.learning_rate)));
    }
    // thinned out they are means of more steps, but of no two epochs
    let (again, thin) = run(4);
    assert_eq!(again, records);
    let due: Vec<u64> = (1..=3 * steps as u64).filter(|step| step.is_multiple_of(4)).collect();
    assert_eq!(thin.iter().map(|own| own.step).collect::<Vec<_>>(), due);
    let first = told[..4].iter().map(|own| own.loss).sum::<f64>() / 4.0;
    assert!((thin[0].loss - first).abs() < 1e-12, "{first} {:?}", thin[0]);
    let behind = &told[steps..due[1] as usize];
    let second = behind.iter().map(|own| own.loss).sum::<f64>() / behind.len() as f64;
    assert!(behind.is_empty() || (thin[1].loss - second).abs() < 1e-12, "{second} {:?}", thin[1]);
}
