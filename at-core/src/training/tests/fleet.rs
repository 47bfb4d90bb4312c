//! Many chips, one digital model.

use super::fixture::{ERRORS, Fixture, meshes, settings, weight_banks};
use crate::chip::{Chip, Meter, Physical};
use crate::cpu::Cpu;
use crate::engine::{Engine, Optimizer};
use crate::fabrication::Fabrication;
use crate::propagator::Simulator;
use crate::training::methods::at::Weights;
use crate::training::methods::build_fleet;
use crate::training::methods::fleet::Fleet;
use crate::training::{Batch, Checkpoint, Checkpoints, Digital, DigitalStep, MethodName, Observer, Outcome, Record};
use std::ops::ControlFlow;

#[test]
fn chips_that_share_a_model_are_trained_as_they_would_be_alone_and_share_its_cost() {
    for network in [weight_banks(&[4, 5, 3]), meshes(4)] {
        let mut fixture = Fixture::new(Cpu::<f32>::new(), network, &ERRORS, settings(3, 1, 0.05, Optimizer::ADAM));
        let fabrications: Vec<Fabrication> =
            (0..3).map(|seed| ERRORS.fabricate(&fixture.network, 50 + seed).unwrap()).collect();
        fixture.options.tether = 2.0;
        let Fixture { engine, network, initial, settings, .. } = &fixture;
        let shared = Meter::default();
        let model = Digital::new(engine.build(network, &Fabrication::ideal()).unwrap(), network, &shared);
        let weights = Weights { digital: 0.5, physical: 0.5, model: 1.0, tether: 2.0 };
        let (optimizer, loss) = (settings.optimizer, settings.loss);
        let mut fleet = Fleet::new(engine, model, 3, weights, initial, optimizer, loss, 10, &shared).unwrap();
        let mut chips: Vec<Chip<_>> =
            fabrications.iter().map(|fabrication| Chip::new(engine, network, fabrication).unwrap()).collect();
        let meters: Vec<Meter> = chips.iter().map(|chip| chip.meter().clone()).collect();
        let mut batch = Batch::new(engine, fixture.train.width(), 10).unwrap();
        let mut tallies = vec![vec![0.0; 3]; 3];
        for step in 0..7 {
            batch.gather(engine, &fixture.train, fixture.train.in_order(), step % 4 * 10, 10).unwrap();
            fleet.step(&mut chips, &meters, &batch, settings.learning_rate, &mut tallies).unwrap();
        }
        let flops = shared.read().digital_flops;
        assert_eq!((shared.read().digital_passes, shared.read().digital_backward_passes), (70, 70));
        for (index, (chip, fabrication)) in chips.iter().zip(fabrications).enumerate() {
            let own = chip.accesses();
            assert_eq!((own.digital_passes, own.digital_backward_passes, own.rounds), (0, 70, 7));
            assert_eq!(fleet.accesses_of_one(own).digital_flops, own.digital_flops + flops / 3);
            fixture.fabrication = fabrication;
            let alone = fixture.trajectory(MethodName::At, 7);
            assert_eq!(fixture.engine.download(fleet.controls(index)).unwrap(), alone[6], "chip {index}");
        }
    }
}

/// Ends the run after this epoch.
struct Until(usize);

impl Observer for Until {
    fn epoch(&mut self, record: &Record) -> ControlFlow<()> {
        if record.epoch >= self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Trains three chips that share a model up to epoch `until`, on from `earlier`.
fn run(fixture: &Fixture<Cpu<f32>>, earlier: Option<&Checkpoint>, to: Checkpoints, until: usize) -> Vec<Outcome> {
    let Fixture { engine, network, initial, settings, options, .. } = fixture;
    let chip = |seed| Chip::new(engine, network, &ERRORS.fabricate(network, seed).unwrap()).unwrap();
    let mut chips: Vec<Chip<_>> = (50..53).map(chip).collect();
    let mut fleet = build_fleet(engine, network, 3, initial, settings, options, &Meter::default()).unwrap();
    fixture.trainer().run_fleet(&mut chips, &mut fleet, earlier, Some(to), &mut Until(until)).unwrap()
}

#[test]
fn a_fleet_is_trained_evaluated_and_resumed_as_its_chips_alone_and_costs_each_its_share() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet");
    let to = Checkpoints { path: &path, every: 1, fingerprint: "same", network: &meshes(4) };
    let mut fixture = Fixture::new(Cpu::<f32>::new(), meshes(4), &ERRORS, settings(3, 4, 0.05, Optimizer::ADAM));
    let whole = run(&fixture, None, to, 9);
    let half = run(&fixture, None, to, 2);
    assert!(half.iter().all(|outcome| outcome.records.len() == 2 && !outcome.complete));
    let resumed = run(&fixture, Some(&Checkpoint::load(&path, "same").unwrap()), to, 9);
    assert_eq!(resumed, whole);
    for (index, outcome) in whole.iter().enumerate() {
        fixture.fabrication = ERRORS.fabricate(&fixture.network, 50 + index as u64).unwrap();
        let mut chip = fixture.chip();
        let mut method = fixture.metered_method(MethodName::At, chip.meter());
        let alone = fixture.trainer().run(&mut chip, &mut *method, None, None, &mut ()).unwrap();
        assert_eq!((outcome.test, outcome.train, outcome.complete), (alone.test, alone.train, true), "chip {index}");
        let measured = |record: &Record| (record.epoch, record.train_loss, record.test_loss, record.accesses.reads);
        assert!(outcome.records.iter().map(measured).eq(alone.records.iter().map(measured)), "chip {index}");
        // alone: forward, and backward twice; of the three, one backward each is its own
        let (samples, all, own) = (4 * 47, alone.accesses, outcome.accesses);
        assert_eq!((all.digital_passes, all.digital_backward_passes), (samples, 2 * samples));
        assert_eq!((own.digital_passes, own.digital_backward_passes), (samples / 3, samples + samples / 3));
    }
}

#[test]
fn a_model_that_follows_one_chip_is_not_shared() {
    let mut fixture = Fixture::new(Cpu::<f32>::new(), meshes(4), &ERRORS, settings(3, 1, 0.05, Optimizer::Sgd));
    fixture.options.digital_step = DigitalStep::AsPublished;
    let Fixture { engine, network, initial, settings, options, .. } = &fixture;
    let error = build_fleet(engine, network, 3, initial, settings, options, &Meter::default()).err().unwrap();
    assert!(error.to_string().contains("matched"), "{error}");
    fixture.options.digital_step = DigitalStep::Matched;
    let Fixture { engine, network, initial, settings, options, .. } = &fixture;
    assert!(build_fleet(engine, network, 0, initial, settings, options, &Meter::default()).is_err());
}
