//! A run that was stopped, or killed, ends with the same numbers as one that never was.

use super::fixture::{
    ERRORS, Fixture, looped_banks, looped_meshes, matrices, meshes, one_mesh, phase_change, ring_banks, settings,
    suitable, weight_banks,
};
use crate::chip::Chip;
use crate::cpu::Cpu;
use crate::engine::{Optimizer, Schedule};
use crate::network::Network;
use crate::propagator::Simulator;
use crate::training::{
    Checkpoint, Checkpoints, DigitalStep, Method, MethodName, MethodOptions, Observer, Outcome, Record,
};
use std::ops::ControlFlow;

/// Ends the run after this epoch.
struct Until(usize);

impl Observer for Until {
    fn epoch(&mut self, record: &Record) -> ControlFlow<()> {
        if record.epoch >= self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Controls, model parameters and moments.
fn state<E: Simulator>(engine: &E, method: &dyn Method<Chip<E>>) -> Checkpoint {
    let network = matrices(&[1, 1]); // anybody's
    Checkpoint::take(engine, method, Default::default(), 0, "", &network).unwrap()
}

fn resumes<E: Simulator>(engine: E, network: Network, optimizer: Optimizer, digital_step: DigitalStep) {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(3, 5, 0.03, optimizer);
    settings.schedule = Schedule::Cosine;
    let mut fixture = Fixture::new(engine, network, &ERRORS, settings);
    fixture.options =
        MethodOptions { digital_step, probe_draws: 2, imperfections: ERRORS, redraw_every: 7, ..fixture.options };
    for name in suitable(&fixture.network) {
        let path = folder.path().join(name.as_str());
        let to = Checkpoints { path: &path, every: 1, fingerprint: "same", network: &fixture.network };
        let mut whole = fixture.method(name);
        let expected = fixture.trainer().run(&mut fixture.chip(), &mut *whole, None, None, &mut ()).unwrap();
        let mut outcome: Option<Outcome> = None;
        for until in [2, 3, 9, 9] {
            let checkpoint = outcome.as_ref().map(|_| Checkpoint::load(&path, "same").unwrap());
            let mut method = fixture.method(name);
            let resumed = fixture
                .trainer()
                .run(&mut fixture.chip(), &mut *method, checkpoint.as_ref(), Some(to), &mut Until(until))
                .unwrap();
            assert_eq!(resumed.records.len(), until.min(5), "{name}");
            if resumed.complete {
                assert_eq!(resumed, expected, "{name}");
                assert_eq!(state(&fixture.engine, &*method), state(&fixture.engine, &*whole), "{name}");
            }
            outcome = Some(resumed);
        }
    }
}

#[test]
fn a_resumed_run_equals_the_uninterrupted_one_bit_for_bit() {
    let bank = || weight_banks(&[4, 5, 3]);
    resumes(Cpu::<f32>::new(), bank(), Optimizer::ADAM, DigitalStep::Matched);
    resumes(Cpu::<f64>::new(), bank(), Optimizer::ADAM, DigitalStep::AsPublished);
    resumes(Cpu::<f32>::new(), ring_banks(&[4, 5, 3]), Optimizer::ADAM, DigitalStep::Matched);
    resumes(Cpu::<f32>::new(), phase_change(&[4, 5, 3]), Optimizer::ADAM, DigitalStep::Matched);
    resumes(Cpu::<f32>::new(), one_mesh(4), Optimizer::ADAM, DigitalStep::Matched);
    resumes(Cpu::<f32>::new(), meshes(4), Optimizer::ADAM, DigitalStep::Matched);
    resumes(Cpu::<f32>::new(), looped_banks(), Optimizer::ADAM, DigitalStep::Matched);
    resumes(Cpu::<f32>::new(), looped_meshes(4), Optimizer::ADAM, DigitalStep::Matched);
    resumes(Cpu::<f32>::new(), bank(), Optimizer::Momentum { momentum: 0.9 }, DigitalStep::AsPublished);
}

#[test]
fn checkpoints_are_written_when_due_at_a_stop_and_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let fixture = Fixture::new(Cpu::<f32>::new(), matrices(&[4, 3]), &ERRORS, settings(3, 7, 0.1, Optimizer::Sgd));
    let to = Checkpoints { path: &path, every: 3, fingerprint: "", network: &fixture.network };
    for (until, expected) in [(2, 2), (3, 3), (4, 4), (100, 7)] {
        let mut method = fixture.method(MethodName::At);
        fixture.trainer().run(&mut fixture.chip(), &mut *method, None, Some(to), &mut Until(until)).unwrap();
        assert_eq!(Checkpoint::load(&path, "").unwrap().epoch, expected);
    }
}

#[test]
fn a_checkpoint_of_something_else_is_refused() {
    let fixture = Fixture::new(Cpu::<f32>::new(), matrices(&[4, 3]), &ERRORS, settings(3, 2, 0.1, Optimizer::ADAM));
    let saved = state(&fixture.engine, &*fixture.method(MethodName::At));
    let mut other = fixture.method(MethodName::Ideal);
    assert!(saved.restore(&fixture.engine, &mut *other).unwrap_err().to_string().contains("saved by at"));
    let wider = Fixture::new(Cpu::<f32>::new(), matrices(&[5, 3]), &ERRORS, settings(3, 2, 0.1, Optimizer::ADAM));
    let error = saved.restore(&wider.engine, &mut *wider.method(MethodName::At)).unwrap_err();
    assert!(error.to_string().contains("expected 18, got 15"), "{error}");
    let plain = Fixture::new(Cpu::<f32>::new(), matrices(&[4, 3]), &ERRORS, settings(3, 2, 0.1, Optimizer::Sgd));
    let error = saved.restore(&plain.engine, &mut *plain.method(MethodName::At)).unwrap_err();
    assert!(error.to_string().contains("moments of controls: expected 0, got 2"), "{error}");
}
