//! Training one cell, from its checkpoint where there is one.

use super::store::Claim;
use super::{CellResult, DataCache};
use crate::failure::Failure;
use crate::fingerprint::Fingerprint;
use crate::plan::{Plan, Precision};
use crate::settings::Settings;
use crate::work::Pace;
use crate::{doubts, engines, interrupt, notes, session};
use anyhow::{Result, anyhow};
use at_core::chip::Chip;
use at_core::chip::Physical;
use at_core::cost::ChipSize;
use at_core::cpu::Cpu;
use at_core::data::Dataset;
use at_core::network::Network;
use at_core::propagator::Simulator;
use at_core::training::{Alignment, Checkpoints, MethodName, Observer, Record, Trainer, methods};
use std::ops::ControlFlow;
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

/// Trains the claimed cell and keeps its result; `told` hears of every epoch. `false`: it was interrupted, and is kept half done.
pub fn train(claim: &Claim, settings: Settings, data: &mut DataCache, told: &mut dyn FnMut(News)) -> Result<bool> {
    let asked = settings.clone();
    let complete = data.complete(settings).map_err(Failure::into_error)?;
    claim.require_contents(&asked, &complete)?;
    let device = engines::choose(&complete.plan)?;
    let data = data.data(&complete.plan).map_err(Failure::into_error)?;
    let fingerprint = Fingerprint::new(&complete.plan, complete.contents)?;
    let job = Job { claim, plan: &complete.plan, network: &complete.network, data, fingerprint };
    match device {
        engines::Device::Gpu(gpu) => job.run(&gpu, told),
        engines::Device::Cpu(Precision::F32) => job.run(&Cpu::<f32>::new(), told),
        engines::Device::Cpu(Precision::F64) => job.run(&Cpu::<f64>::new(), told),
    }
}

struct Job<'a> {
    claim: &'a Claim,
    plan: &'a Plan,
    network: &'a Network,
    data: &'a Dataset,
    fingerprint: Fingerprint,
}

impl Job<'_> {
    fn run<E: Simulator>(&self, engine: &E, told: &mut dyn FnMut(News)) -> Result<bool> {
        let Job { claim, plan, network, data, ref fingerprint } = *self;
        let (settings, training) = (&plan.settings, &plan.training);
        let [name] = plan.methods[..] else { return Err(anyhow!("a cell has one method")) };
        let train = session::split(engine, plan, network, data, &data.train)?;
        let test = session::split(engine, plan, network, data, &data.test)?;
        let chip_seed = settings.chip_seed.unwrap_or_default();
        let fabrication = plan.fabricate(network, chip_seed)?;
        let initial = plan.initial_controls(network)?;
        let (kept, identity) = (fingerprint.text(), network.identity());

        let path = claim.checkpoint();
        let (earlier, doubt) = fingerprint.open(&path)?;
        let spent = if earlier.is_some() { claim.spent() } else { 0.0 };
        let mut watch = Watch {
            claim,
            told,
            epochs: training.epochs,
            spent,
            began: Instant::now(),
            pace: Pace::new(),
            noted: None,
            failure: None,
        };
        let checkpoints =
            Checkpoints { path: &path, every: training.epochs.div_ceil(PARTS), fingerprint: &kept, network: &identity };
        let trainer = Trainer { engine, settings: training, train: &train, test: &test };
        let (_, doubts) = doubts::of_light(engine, plan, network, &fabrication, &initial, &train);
        let chance = doubts::chance(data);
        let mut trained = None;
        let (earlier, checkpoints) = (earlier.as_ref(), Some(checkpoints));
        let outcome = if name == MethodName::At && plan.fleet() > 1 {
            // the cell is its own chip's; the others are trained along to share the model's work
            session::run_fleet(&trainer, plan, network, &initial, earlier, checkpoints, &mut watch)?.swap_remove(0)
        } else {
            let mut chip = Chip::new(engine, network, &fabrication)?;
            let (options, meter) = (&plan.options, chip.meter());
            let mut method = methods::build(name, engine, network, &fabrication, &initial, training, options, meter)?;
            let capacity = training.batch_size.min(train.samples());
            let mut oracle = Alignment::new(engine, network, &fabrication, training.loss, capacity)?;
            let outcome =
                trainer.run_aligned(&mut chip, &mut *method, Some(&mut oracle), earlier, checkpoints, &mut watch)?;
            trained = Some(engine.download(method.controls())?);
            outcome
        };
        let wall_seconds = watch.end()?;
        if !outcome.complete {
            claim.spend(wall_seconds)?;
            return Ok(false);
        }
        let mut notes = Vec::new();
        let doubts = data.notes.iter().chain(&plan.notes).chain(&doubt).chain(&doubts).chain(&outcome.notes);
        notes::merge(&mut notes, doubts.cloned());
        let controls = trained.as_deref().unwrap_or(&initial);
        let light = || Ok(doubts::of_light(engine, plan, network, &fabrication, controls, &train).1);
        notes::merge(&mut notes, doubts::of_chance(name, &outcome.test, chance.as_ref(), light)?);
        let result = CellResult {
            version: env!("CARGO_PKG_VERSION").to_string(),
            settings: settings.clone(),
            method: name,
            chip_seed,
            dataset: data.name.clone(),
            dataset_note: data.note.clone(),
            notes,
            chance,
            chip_size: ChipSize { controls: network.controls(), inputs: network.input().width() },
            train: outcome.train,
            test: outcome.test,
            accesses: outcome.accesses,
            records: outcome.records,
            engine: engine.describe(),
            wall_seconds,
        };
        claim.finish(&result.named())?;
        Ok(true)
    }
}

/// Tells of epochs, counts seconds, and stops when that is asked for.
struct Watch<'a> {
    claim: &'a Claim,
    told: &'a mut dyn FnMut(News),
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

    fn epoch(&mut self, record: &Record) -> ControlFlow<()> {
        (self.told)(News::Epoch { record, epochs: self.epochs });
        if self.noted.is_none_or(|noted| noted.elapsed() >= NOTE_INTERVAL) {
            self.noted = Some(Instant::now());
            self.failure = self.claim.spend(self.seconds()).err();
        }
        if self.failure.is_some() || (interrupt::requested() && record.epoch < self.epochs) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}
