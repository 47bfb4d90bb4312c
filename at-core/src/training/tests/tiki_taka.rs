//! Training with two arrays: what it is without them, and what it writes.

use super::fixture::{ERRORS, Fixture, losses, matrices, meshes, phase_change, settings, weight_banks};
use crate::chip::{Chip, Physical};
use crate::cpu::Cpu;
use crate::engine::Optimizer;
use crate::imperfections::Imperfections;
use crate::propagator::Propagator;
use crate::training::methods::Transfer;
use crate::training::{Batch, MethodName};

const NONE: Transfer = Transfer { every: 1, rate: 1.0, decay: 1.0, threshold: 0.0 };

#[test]
fn all_of_every_gradient_at_once_is_descent_bit_for_bit() {
    for network in [matrices(&[4, 5, 3]), weight_banks(&[4, 5, 3]), meshes(4)] {
        for optimizer in [Optimizer::Sgd, Optimizer::Momentum { momentum: 0.9 }, Optimizer::ADAM] {
            let settings = settings(3, 1, 0.1, optimizer);
            let mut fixture = Fixture::new(Cpu::<f32>::new(), network.clone(), &ERRORS, settings);
            let plain = fixture.trajectory(MethodName::PatOutput, 8);
            assert_ne!(fixture.trajectory(MethodName::TikiTaka, 8), plain, "{optimizer:?}");
            fixture.options.transfer = NONE;
            assert_eq!(fixture.trajectory(MethodName::TikiTaka, 8), plain, "{optimizer:?}");
        }
    }
}

/// C moves by r·A, A_k = −η Σ_j (1−d)^(k−j) g_j: with one gradient all along, sums of geometric series.
#[test]
fn the_fast_array_remembers_and_the_slow_one_takes_its_share() {
    let rate = 1e-7; // so small that the gradient stays what it was
    let settings = settings(3, 1, rate, Optimizer::Sgd);
    let mut fixture = Fixture::new(Cpu::<f64>::new(), matrices(&[4, 3]), &Imperfections::default(), settings);
    // the same batch in every step
    let step = |fixture: &Fixture<Cpu<f64>>, steps: usize| -> Vec<f64> {
        let (mut chip, mut method) = (fixture.chip(), fixture.method(MethodName::TikiTaka));
        let mut batch = Batch::new(&fixture.engine, fixture.train.width(), 10).unwrap();
        batch.gather(&fixture.engine, &fixture.train, fixture.train.in_order(), 0, 10).unwrap();
        for _ in 0..steps {
            method.step(&mut chip, &batch, rate, &mut vec![0.0; 3]).unwrap();
        }
        method.controls().clone()
    };
    fixture.options.transfer = NONE;
    let once = step(&fixture, 1);
    fixture.options.transfer = Transfer { every: 3, rate: 0.5, decay: 0.25, threshold: 0.0 };
    assert_eq!(step(&fixture, 2), fixture.initial, "nothing is due before the third step");
    let (keep, sum) = (0.75_f64, |k: i32| (1.0 - 0.75_f64.powi(k)) / 0.25);
    assert!((sum(3) - (1.0 + keep + keep * keep)).abs() < 1e-15);
    for (steps, factor) in [(3, 0.5 * sum(3)), (5, 0.5 * sum(3)), (6, 0.5 * (sum(3) + sum(6)))] {
        for ((start, one), found) in fixture.initial.iter().zip(&once).zip(step(&fixture, steps)) {
            let expected = factor * (one - start);
            assert!((found - start - expected).abs() < 1e-4 * expected.abs() + 1e-15, "{steps} steps");
        }
    }
}

/// Steps of one run, and what was written before each of them.
fn writes(fixture: &Fixture<Cpu<f64>>, steps: usize) -> (Vec<u64>, Vec<Vec<f64>>) {
    let mut chip: Chip<_> = fixture.chip();
    let mut method = fixture.metered_method(MethodName::TikiTaka, chip.meter());
    chip.unmetered(|chip| chip.program(method.controls())).unwrap();
    let mut batch = Batch::new(&fixture.engine, fixture.train.width(), 10).unwrap();
    let (mut written, mut controls) = (Vec::new(), vec![fixture.initial.clone()]);
    for step in 0..steps {
        batch.gather(&fixture.engine, &fixture.train, fixture.train.in_order(), step % 4 * 10, 10).unwrap();
        let before = chip.accesses().control_writes;
        method.step(&mut chip, &batch, fixture.settings.learning_rate, &mut vec![0.0; 3]).unwrap();
        written.push(chip.accesses().control_writes - before);
        controls.push(method.controls().clone());
        let counts = chip.accesses();
        assert_eq!((counts.reads, counts.rounds), ((step as u64 + 1) * 10 * 3, step as u64 + 1));
    }
    (written, controls)
}

#[test]
fn controls_are_written_when_they_are_new_and_then_only() {
    let settings = settings(3, 1, 0.1, Optimizer::Sgd);
    let mut fixture = Fixture::new(Cpu::<f64>::new(), weight_banks(&[4, 5, 3]), &ERRORS, settings);
    let all = fixture.initial.len() as u64;
    fixture.options.transfer = Transfer { every: 3, ..Transfer::default() };
    assert_eq!(writes(&fixture, 7).0, [all, 0, 0, all, 0, 0, all]);
    let grain = 0.05;
    fixture.options.transfer = Transfer { every: 2, threshold: grain, ..Transfer::default() };
    let (written, controls) = writes(&fixture, 8);
    for step in 1..8 {
        let moved: Vec<f64> = controls[step - 1].iter().zip(&controls[step]).map(|(a, b)| b - a).collect();
        let grains: Vec<f64> = moved.iter().map(|moved| moved / grain).collect();
        assert!(grains.iter().all(|grains| (grains - grains.round()).abs() < 1e-9), "{grains:?}");
        let new = grains.iter().filter(|grains| grains.round() != 0.0).count() as u64;
        assert_eq!(written.get(step), Some(&new), "after step {step}");
        assert!(step % 2 == 0 || new == 0, "between transfers nothing moves");
    }
    let some: u64 = written[1..].iter().sum();
    assert!(some > 0 && some < 3 * all, "{written:?}");
}

#[test]
fn cells_that_wear_out_are_written_less_often_and_learn() {
    let kind = Imperfections { memory: ERRORS.memory, ..Imperfections::NONE };
    let settings = settings(3, 40, 0.1, Optimizer::Sgd);
    let mut fixture = Fixture::new(Cpu::<f32>::new(), phase_change(&[4, 8, 3]), &kind, settings);
    fixture.options.transfer = Transfer { every: 2, rate: 0.2, decay: 0.1, threshold: 1.0 / 32.0 };
    let outcome = |name| {
        let mut chip = fixture.chip();
        fixture.trainer().run(&mut chip, &mut *fixture.method(name), None, None, &mut ()).unwrap()
    };
    let (plain, slow) = (outcome(MethodName::PatOutput), outcome(MethodName::TikiTaka));
    let (slow, plain) = (slow.accesses.cell_writes, plain.accesses.cell_writes);
    assert!(slow < plain, "{slow} writings, {plain} without");
    let (first, last) = losses(&fixture, MethodName::TikiTaka);
    assert!(last < 0.5 * first, "{first} to {last}");
}

#[test]
fn a_transfer_without_a_meaning_is_refused() {
    let mut fixture = Fixture::new(Cpu::<f64>::new(), matrices(&[4, 3]), &ERRORS, settings(3, 1, 0.1, Optimizer::Sgd));
    let good = Transfer::default();
    for (transfer, name) in [
        (Transfer { every: 0, ..good }, "transfer-every"),
        (Transfer { rate: 0.0, ..good }, "transfer-rate"),
        (Transfer { decay: 1.1, ..good }, "fast-decay"),
        (Transfer { threshold: -1.0, ..good }, "transfer-threshold"),
    ] {
        fixture.options.transfer = transfer;
        let error = fixture.options.validate().unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
}
