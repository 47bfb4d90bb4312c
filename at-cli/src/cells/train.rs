//! Training one cell, from its checkpoint where there is one.

use super::CellResult;
use super::store::Claim;
use crate::engines::{self, Device};
use crate::events::{self, EventLog};
use crate::failure::Failure;
use crate::plan::Precision;
use crate::settings::RunSettings;
use crate::trial::{Task, Tasks, Trials};
use crate::work::Pace;
use crate::{interrupt, notes};
use anyhow::{Result, anyhow};
use at_core::cost::ChipSize;
use at_core::cpu::Cpu;
use at_core::data::Dataset;
use at_core::propagator::Simulator;
use at_core::training::{Observer, Record, Step};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

/// A killed process loses at most this share of a cell.
const PARTS: usize = 20;

/// The seconds spent are noted at most this often.
const NOTE_INTERVAL: Duration = Duration::from_secs(1);

/// What is told of a cell that is being trained.
pub enum News<'a> {
    /// How long the whole cell will take, as far as its first steps tell.
    Pace { seconds: f64 },
    /// An epoch is over, of so many.
    Epoch { record: &'a Record, epochs: usize },
}

/// Trains the claimed cell and keeps its result; `told` hears of every epoch, and its curves go to the folder `log` as event files where
/// somebody wants them. `false`: it was interrupted, and is kept half done.
pub fn train(
    claim: &Claim,
    settings: RunSettings,
    tasks: &mut Tasks,
    log: Option<&Path>,
    told: &mut dyn FnMut(News),
) -> Result<bool> {
    let asked = settings.clone();
    let task = tasks.of(settings).map_err(Failure::into_error)?;
    claim.require_contents(&asked, &task)?;
    let device = engines::choose(&task.plan)?;
    let data = tasks.data(&task.plan).map_err(Failure::into_error)?;
    let job = Job { claim, task: &task, data, log };
    match device {
        Device::Gpu(gpu) => job.run(&gpu, told),
        Device::Cpu(Precision::F32) => job.run(&Cpu::<f32>::new(), told),
        Device::Cpu(Precision::F64) => job.run(&Cpu::<f64>::new(), told),
    }
}

struct Job<'a> {
    claim: &'a Claim,
    task: &'a Task,
    data: &'a Dataset,
    log: Option<&'a Path>,
}

impl Job<'_> {
    fn run<E: Simulator>(&self, engine: &E, told: &mut dyn FnMut(News)) -> Result<bool> {
        let Job { claim, task, data, log } = *self;
        let Task { plan, network, .. } = task;
        let (settings, epochs) = (&plan.settings, plan.training.epochs);
        let [name] = plan.methods[..] else { return Err(anyhow!("a cell has one method")) };
        let trials = Trials::new(engine, task, data, None)?;
        let path = claim.checkpoint();
        let kept = trials.open(&path, epochs.div_ceil(PARTS))?;
        let spent = if kept.records().is_empty() { 0.0 } else { claim.spent() };
        let (began, pace) = (Instant::now(), Pace::new());
        let own: Vec<Record> = kept.records().iter().filter(|record| record.chip == 0).copied().collect();
        let log = log.map(|folder| EventLog::open(folder, &own)).transpose()?;
        let every = log.as_ref().map(|_| events::every(epochs, data.train.len(), plan.training.batch_size));
        let mut watch = Watch { claim, told, log, every, epochs, spent, began, pace, noted: None, failure: None };
        let (_, doubts) = trials.light();
        let trained = trials.run(name, Some(&kept), true, &mut watch)?;
        let wall_seconds = watch.end()?;
        // the cell is its own chip's; others that share its model were trained along for that model's work
        let (mut outcomes, mut misfits, mut notes) = (trained.outcomes, trained.misfits, Vec::new());
        let (outcome, misfit) = (outcomes.swap_remove(0), misfits.swap_remove(0));
        if let Some(log) = &mut watch.log {
            log.end(misfit)?;
        }
        if !outcome.complete {
            claim.spend(wall_seconds)?;
            return Ok(false);
        }
        let doubts = data.notes.iter().chain(&plan.notes).chain(&kept.doubt).chain(&doubts);
        notes::merge(&mut notes, doubts.chain(&outcome.notes).chain(&trained.doubts).cloned());
        let result = CellResult {
            version: env!("CARGO_PKG_VERSION").to_string(),
            cell: Some(claim.name()),
            settings: settings.clone(),
            method: name,
            chip_seed: settings.chip_seed.unwrap_or_default(),
            dataset: data.name.clone(),
            dataset_note: data.note.clone(),
            notes,
            chance: trials.chance(),
            samples: Some([data.train.len(), data.test.len()]),
            class_names: data.class_names.clone(),
            chip_size: ChipSize::of(network),
            train: outcome.train,
            test: outcome.test,
            accesses: outcome.accesses,
            records: outcome.records,
            misfit,
            engine: engine.describe(),
            wall_seconds,
        };
        claim.keep_trained(name)?;
        claim.finish(&result.named())?;
        Ok(true)
    }
}

/// Tells of epochs, counts seconds, and stops when that is asked for.
struct Watch<'a> {
    claim: &'a Claim,
    told: &'a mut dyn FnMut(News),
    /// The event files of the cell.
    log: Option<EventLog>,
    /// After how many steps one is logged.
    every: Option<usize>,
    epochs: usize,
    /// Seconds spent before this process.
    spent: f64,
    began: Instant,
    pace: Pace,
    noted: Option<Instant>,
    failure: Option<anyhow::Error>,
}

impl Watch<'_> {
    fn seconds(&self) -> f64 {
        self.spent + self.began.elapsed().as_secs_f64()
    }

    fn end(&mut self) -> Result<f64> {
        self.failure.take().map_or(Ok(self.seconds()), Err)
    }
}

impl Observer for Watch<'_> {
    fn batch(&mut self, _done: usize, total: usize) {
        if let Some(seconds) = self.pace.batch(total) {
            (self.told)(News::Pace { seconds: seconds * self.epochs as f64 });
        }
    }

    fn every(&self) -> Option<usize> {
        self.every
    }

    fn step(&mut self, step: &Step) {
        let logged = self.log.as_mut().filter(|_| step.chip == 0).map_or(Ok(()), |log| log.step(step));
        self.failure = self.failure.take().or(logged.err());
    }

    fn epoch(&mut self, record: &Record) -> ControlFlow<()> {
        (self.told)(News::Epoch { record, epochs: self.epochs });
        if self.noted.is_none_or(|noted| noted.elapsed() >= NOTE_INTERVAL) {
            self.noted = Some(Instant::now());
            let spent = self.claim.spend(self.seconds());
            self.failure = self.failure.take().or(spent.err());
        }
        let logged = self.log.as_mut().filter(|_| record.chip == 0).map_or(Ok(()), |log| log.epoch(record));
        self.failure = self.failure.take().or(logged.err());
        if self.failure.is_some() || (interrupt::requested() && record.epoch < self.epochs) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}
