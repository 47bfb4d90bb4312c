//! Epochs on the computer in front of those at the chip.

use super::fixture::{CALM, ERRORS, Fixture, phase_change, settings, suitable, weight_banks};
use crate::chip::{Accesses, Physical};
use crate::cpu::Cpu;
use crate::engine::Optimizer;
use crate::imperfections::Imperfections;
use crate::training::methods::Preparation;
use crate::training::{MethodName, Outcome};

fn fixture(errors: &Imperfections, epochs: usize, prepared: usize) -> Fixture<Cpu<f32>> {
    let settings = settings(3, epochs, 0.05, Optimizer::Sgd);
    let mut fixture = Fixture::new(Cpu::<f32>::new(), weight_banks(&[4, 5, 3]), errors, settings);
    fixture.options.prepare = (prepared > 0).then_some(Preparation { method: MethodName::InSilico, epochs: prepared });
    fixture
}

fn run(fixture: &Fixture<Cpu<f32>>, name: MethodName) -> (Outcome, Vec<f32>) {
    let mut chip = fixture.chip();
    let mut method = fixture.metered_method(name, chip.meter());
    let outcome = fixture.trainer().run(&mut chip, &mut *method, None, None, &mut ()).unwrap();
    (outcome, method.controls().clone())
}

#[test]
fn before_the_handover_every_method_is_the_preparation_and_leaves_the_chip_alone() {
    let silico = run(&fixture(&ERRORS, 3, 0), MethodName::InSilico).0;
    let prepared = fixture(&ERRORS, 4, 3);
    let preparation = prepared.options.prepare.unwrap();
    for name in suitable(&prepared.network).into_iter().filter(|&name| preparation.admits(name).is_ok()) {
        let (outcome, _) = run(&prepared, name);
        for (own, silico) in outcome.records.iter().zip(&silico.records) {
            let Accesses { digital_passes, digital_backward_passes, digital_flops, .. } = own.accesses;
            let digital = Accesses { digital_passes, digital_backward_passes, digital_flops, ..Accesses::default() };
            assert_eq!(own.accesses, digital, "{name}");
            assert_eq!(own.accesses, silico.accesses, "{name}");
            assert_eq!(own.train_loss, silico.train_loss, "{name}");
            assert_eq!(own.test_loss, silico.test_loss, "{name}");
        }
        assert!(outcome.records[3].accesses.digital_passes >= outcome.records[2].accesses.digital_passes, "{name}");
    }
}

/// An optimizer without memory has nothing to forget at the handover.
#[test]
fn prepared_in_silico_training_is_in_silico_training() {
    let [one, other] = [2, 0].map(|prepared| run(&fixture(&ERRORS, 4, prepared), MethodName::InSilico));
    assert_eq!(one, other);
}

/// With all samples in one batch, so that an epoch is one step whatever its order; sums differ by rounding.
#[test]
fn the_method_goes_on_from_what_was_prepared() {
    let errors = Imperfections { update_error: 0.0, ..CALM };
    let whole = |epochs, prepared| {
        let mut fixture = fixture(&errors, epochs, prepared);
        fixture.settings.batch_size = 47;
        fixture
    };
    let ready = run(&whole(2, 0), MethodName::InSilico).1;
    let mut from_there = whole(1, 0);
    from_there.initial = ready.iter().map(|&value| f64::from(value)).collect();
    for name in [MethodName::At, MethodName::PatOutput, MethodName::SatOutput] {
        let [one, other] = [run(&whole(3, 2), name).1, run(&from_there, name).1];
        let apart = one.iter().zip(&other).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let moved = other.iter().zip(&ready).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-3 * moved, "{name}: {apart} of {moved}");
    }
}

#[test]
fn it_is_written_and_checked() {
    let preparation: Preparation = "in-silico:12".parse().unwrap();
    assert_eq!(preparation.to_string(), "in-silico:12");
    assert_eq!(preparation, serde_json::from_str("\"in-silico:12\"").unwrap());
    assert!(preparation.check(13).is_ok());
    for (text, part) in
        [("in-silico:12", "leaves none of the 12 epochs"), ("at:3", "choose in-silico, noise-aware, sat")]
    {
        let error = text.parse::<Preparation>().unwrap().check(12).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let error = preparation.admits(MethodName::Phyll).unwrap_err().to_string();
    assert!(error.contains("phyll behind a preparation"), "{error}");
    assert!("sat:0".parse::<Preparation>().unwrap().check(12).is_err());
    for text in ["in-silico", "in-silico:x", "In:3", ""] {
        assert!(text.parse::<Preparation>().unwrap_err().to_string().contains("as in-silico:10"), "{text}");
    }
}

#[test]
fn cells_are_not_worn_by_what_is_trained_elsewhere() {
    let settings = settings(3, 3, 0.05, Optimizer::Sgd);
    let mut fixture = Fixture::new(Cpu::<f32>::new(), phase_change(&[4, 5, 3]), &ERRORS, settings);
    fixture.options.prepare = Some(Preparation { method: MethodName::InSilico, epochs: 2 });
    let (outcome, _) = run(&fixture, MethodName::PatOutput);
    assert_eq!(outcome.records[1].accesses.cell_writes, 0);
    assert!(outcome.records[2].accesses.cell_writes > 0);
}
