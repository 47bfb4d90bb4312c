//! Records beside the checkpoint: they cost the same at every epoch, and survive whatever is killed in between.

use super::fixture::{ERRORS, Fixture, matrices, settings};
use crate::chip::State;
use crate::cpu::Cpu;
use crate::engine::Optimizer;
use crate::training::journal::{BLOCK, Journal, records_file};
use crate::training::{Checkpoint, Checkpoints, MethodName, Observer, Record};
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

fn record(epoch: usize) -> Record {
    Record {
        method: MethodName::At,
        chip: 0,
        epoch,
        learning_rate: 0.1 / 3.0,
        train_loss: 1.0 / epoch as f64,
        judged_by: Default::default(),
        train_score: 2.0 / 3.0,
        test_loss: 0.3,
        test_score: 0.1 + 0.2,
        accesses: Default::default(),
        alignment: None,
        measuring: false,
    }
}

fn records(count: usize) -> Vec<Record> {
    (1..=count).map(record).collect()
}

/// A run's state without vectors.
fn state(epoch: usize) -> Checkpoint {
    Checkpoint {
        fingerprint: "same".to_string(),
        network: None,
        arrays: Vec::new(),
        method: MethodName::At,
        epoch,
        chip: State::default(),
        others: Vec::new(),
        shared: Default::default(),
        records: Vec::new(),
        arithmetic: vec!["cpu f32, x86_64 V3".to_string()],
        ranks: 1,
        parameters: Vec::new(),
    }
}

/// A run of `epochs` that keeps every one.
fn run(path: &Path, epochs: usize) {
    let all = records(epochs);
    let mut journal = Journal::open(path, &[]).unwrap();
    (1..=epochs).for_each(|epoch| journal.keep(&state(epoch), &all[..epoch]).unwrap());
}

fn files(path: &Path) -> (Vec<u8>, Vec<u8>) {
    (fs::read(path).unwrap(), fs::read(records_file(path)).unwrap())
}

#[test]
fn a_checkpoint_after_thousands_of_epochs_is_as_small_as_after_a_few() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("at.safetensors");
    let mut sizes = Vec::new();
    let all = records(5000);
    let mut journal = Journal::open(&path, &[]).unwrap();
    for epoch in [2 * BLOCK - 1, 5000 - 5000 % BLOCK - 1] {
        journal.keep(&state(epoch), &all[..epoch]).unwrap();
        sizes.push(fs::metadata(&path).unwrap().len() as f64);
        assert_eq!(Checkpoint::load(&path, "same").unwrap().records, all[..epoch]);
    }
    assert!(sizes[1] < 1.1 * sizes[0], "{sizes:?} bytes");
}

#[test]
fn what_a_kill_leaves_between_records_and_checkpoint_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, cut) = (folder.path().join("whole.safetensors"), folder.path().join("cut.safetensors"));
    let all = records(3 * BLOCK + 5);
    run(&whole, all.len());
    for done in [BLOCK - 1, 2 * BLOCK - 1, 3 * BLOCK - 1] {
        // the block that the next checkpoint would have counted is there, whole or in part, and that checkpoint is not
        let longer = fs::read(records_file(&whole)).unwrap();
        for more in [usize::MAX, 40, 5000] {
            let _ = fs::remove_file(records_file(&cut));
            run(&cut, done);
            let (checkpoint, own) = (fs::read(&cut).unwrap(), fs::read(records_file(&cut)).unwrap_or_default());
            assert!(longer.starts_with(&own) && longer.len() > own.len() + 5000);
            let bytes = own.len().saturating_add(more).min(longer.len());
            fs::write(records_file(&cut), &longer[..bytes]).unwrap();
            let loaded = Checkpoint::load(&cut, "same").unwrap();
            assert_eq!(loaded.records, all[..done]);
            assert_eq!(fs::read(&cut).unwrap(), checkpoint);
            let mut journal = Journal::open(&cut, &loaded.records).unwrap();
            (done + 1..=all.len()).for_each(|epoch| journal.keep(&state(epoch), &all[..epoch]).unwrap());
            assert_eq!(files(&cut), files(&whole), "{done} epochs, {bytes} bytes");
        }
    }
}

#[test]
fn records_that_are_lost_or_damaged_are_named_and_not_made_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("at.safetensors");
    run(&path, BLOCK + 3);
    let beside = records_file(&path);
    let good = fs::read(&beside).unwrap();
    let refused = |part: &str| {
        let error = Checkpoint::load(&path, "same").unwrap_err().to_string();
        assert!(error.contains("at.records.jsonl") && error.contains(part), "{error}");
    };
    fs::write(&beside, &good[..good.len() - 1]).unwrap();
    refused("cut short");
    let mut flipped = good.clone();
    flipped[100] ^= 1;
    fs::write(&beside, flipped).unwrap();
    refused("damaged");
    fs::remove_file(&beside).unwrap();
    refused("");
    // the controls need no records
    assert_eq!(Checkpoint::of_any_run(&path).unwrap().epoch, BLOCK + 3);
    fs::write(&beside, &good).unwrap();
    assert_eq!(Checkpoint::load(&path, "same").unwrap().records.len(), BLOCK + 3);
}

#[test]
fn a_file_of_an_earlier_version_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("at.safetensors");
    // two epochs of at on iris, before records had a file of their own, and before controls were cut into arrays
    let files: [(u32, &[u8]); 2] =
        [(2, include_bytes!("version_2.safetensors")), (3, include_bytes!("version_3.safetensors"))];
    for (version, file) in files {
        fs::write(&path, file).unwrap();
        let (_, metadata) = safetensors::SafeTensors::read_metadata(file).unwrap();
        let text = &metadata.metadata().as_ref().unwrap()["asyt-checkpoint"];
        let header: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(header["version"], version);
        let checkpoint = Checkpoint::load(&path, header["fingerprint"].as_str().unwrap()).unwrap();
        assert_eq!((checkpoint.epoch, checkpoint.records.len(), checkpoint.parameters.len()), (2, 2, 2));
        let all: Vec<Record> = checkpoint.records.iter().copied().chain((3..=BLOCK + 1).map(record)).collect();
        let mut journal = Journal::open(&path, &checkpoint.records).unwrap();
        journal.keep(&Checkpoint { epoch: all.len(), ..checkpoint.clone() }, &all).unwrap();
        let loaded = Checkpoint::load(&path, &checkpoint.fingerprint).unwrap();
        assert_eq!((&loaded.records, &loaded.parameters), (&all, &checkpoint.parameters));
    }
}

/// Ends the run after this epoch.
struct Until(usize);

impl Observer for Until {
    fn epoch(&mut self, record: &Record) -> ControlFlow<()> {
        if record.epoch >= self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[test]
fn a_long_run_that_was_stopped_leaves_the_files_of_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, cut) = (folder.path().join("whole.safetensors"), folder.path().join("cut.safetensors"));
    let fixture = Fixture::new(Cpu::<f32>::new(), matrices(&[4, 3]), &ERRORS, settings(3, 150, 0.01, Optimizer::Sgd));
    let run = |path: &Path, resume: Option<&Checkpoint>, until| {
        let to = Checkpoints { path, every: 1, fingerprint: "", network: &fixture.network };
        let mut method = fixture.method(MethodName::At);
        fixture.trainer().run(&mut fixture.chip(), &mut *method, resume, Some(to), &mut Until(until)).unwrap()
    };
    let expected = run(&whole, None, 150);
    let mut outcome = None;
    for until in [63, 64, 65, 130, 150] {
        let checkpoint = outcome.map(|_| Checkpoint::load(&cut, "").unwrap());
        outcome = Some(run(&cut, checkpoint.as_ref(), until));
    }
    assert_eq!(outcome.unwrap(), expected);
    assert_eq!(files(&cut), files(&whole));
}

#[test]
fn a_run_that_moved_to_another_arithmetic_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("at.safetensors");
    let fixture = Fixture::new(Cpu::<f32>::new(), matrices(&[4, 3]), &ERRORS, settings(3, 4, 0.1, Optimizer::Sgd));
    let run = |resume: Option<&Checkpoint>, until| {
        let to = Checkpoints { path: &path, every: 1, fingerprint: "", network: &fixture.network };
        let mut method = fixture.method(MethodName::At);
        fixture.trainer().run(&mut fixture.chip(), &mut *method, resume, Some(to), &mut Until(until)).unwrap()
    };
    assert_eq!(run(None, 2).notes, [""; 0]);
    let mut checkpoint = Checkpoint::load(&path, "").unwrap();
    assert_eq!(run(Some(&checkpoint), 3).notes, [""; 0]);
    checkpoint.arithmetic = vec!["cpu f32, pdp11 Scalar".to_string()];
    let moved = run(Some(&checkpoint), 3);
    assert!(moved.notes[0].contains("pdp11") && moved.notes.len() == 1, "{:?}", moved.notes);
    // whoever goes on from there is still told
    assert_eq!(run(Some(&Checkpoint::load(&path, "").unwrap()), 4).notes, moved.notes);
}
