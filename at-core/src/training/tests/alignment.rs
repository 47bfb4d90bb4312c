//! The oracle that judges steps: right about those whose direction is known, and without influence.

use super::fixture::{ERRORS, Fixture, matrices, meshes, settings, weight_banks};
use crate::cpu::Cpu;
use crate::engine::Optimizer;
use crate::imperfections::Imperfections;
use crate::network::Network;
use crate::training::{Alignment, Checkpoints, MethodName, Outcome, Record};

type Task = Fixture<Cpu<f64>>;

fn task(network: Network, errors: &Imperfections, optimizer: Optimizer) -> Task {
    Fixture::new(Cpu::new(), network, errors, settings(3, 3, 0.02, optimizer))
}

fn run(fixture: &Task, name: MethodName) -> Outcome {
    let Fixture { engine, network, fabrication, settings, .. } = fixture;
    let mut oracle = Alignment::new(engine, network, fabrication, settings.loss, settings.batch_size).unwrap();
    let (mut chip, mut method) = (fixture.chip(), fixture.method(name));
    fixture.trainer().run_aligned(&mut chip, &mut *method, Some(&mut oracle), None, None, &mut ()).unwrap()
}

fn alignments(outcome: &Outcome) -> Vec<f64> {
    outcome.records.iter().map(|record| record.alignment.unwrap()).collect()
}

#[test]
fn plain_gradient_descent_of_the_true_chip_is_aligned_and_others_less() {
    for network in [matrices(&[4, 5, 3]), weight_banks(&[4, 5, 3]), meshes(4)] {
        let fixture = task(network, &ERRORS, Optimizer::Sgd);
        assert!(alignments(&run(&fixture, MethodName::Ideal)).iter().all(|cosine| (cosine - 1.0).abs() < 1e-9));
        for name in [MethodName::At, MethodName::InSilico, MethodName::Pat, MethodName::PatOutput] {
            let cosines = alignments(&run(&fixture, name));
            assert!(cosines.len() == 3 && cosines.iter().all(|cosine| (-1.0..0.999).contains(cosine)), "{cosines:?}");
        }
    }
}

#[test]
fn a_memory_of_the_optimizer_turns_the_step() {
    let cosines = alignments(&run(&task(matrices(&[4, 5, 3]), &ERRORS, Optimizer::ADAM), MethodName::Ideal));
    assert!(cosines.iter().all(|cosine| (0.1..0.999).contains(cosine)), "{cosines:?}");
}

#[test]
fn the_oracle_changes_nothing_and_goes_on_after_a_stop() {
    let fixture = task(meshes(4), &ERRORS, Optimizer::ADAM);
    let judged = run(&fixture, MethodName::At);
    let (mut chip, mut method) = (fixture.chip(), fixture.method(MethodName::At));
    let plain = fixture.trainer().run(&mut chip, &mut *method, None, None, &mut ()).unwrap();
    let without = |record: &Record| Record { alignment: None, ..*record };
    assert_eq!(judged.records.iter().map(without).collect::<Vec<_>>(), plain.records);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let checkpoints = Checkpoints { path: &path, every: 1, fingerprint: "", network: &fixture.network };
    let mut resume = None;
    let records = loop {
        struct Stop;
        impl crate::training::Observer for Stop {
            fn epoch(&mut self, _: &Record) -> std::ops::ControlFlow<()> {
                std::ops::ControlFlow::Break(())
            }
        }
        let Fixture { engine, network, fabrication, settings, .. } = &fixture;
        let mut oracle = Alignment::new(engine, network, fabrication, settings.loss, settings.batch_size).unwrap();
        let (mut chip, mut method) = (fixture.chip(), fixture.method(MethodName::At));
        let trainer = fixture.trainer();
        let outcome = trainer
            .run_aligned(&mut chip, &mut *method, Some(&mut oracle), resume.as_ref(), Some(checkpoints), &mut Stop)
            .unwrap();
        if outcome.complete {
            break outcome.records;
        }
        resume = Some(crate::training::Checkpoint::load(&path, "").unwrap());
    };
    assert_eq!(records, judged.records);
}
