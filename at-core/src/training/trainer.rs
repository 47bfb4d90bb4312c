//! The training loop, for every method, chip and engine.

use super::evaluation::{Evaluation, Workspace};
use super::journal::Journal;
use super::methods::Method;
use super::{Batch, Checkpoint, Observer, Oracle, Order, Record, Split, Step};
use crate::chip::{Accesses, Physical};
use crate::data::epoch_order;
use crate::engine::{Engine, Loss, Optimizer, Schedule};
use crate::network::Network;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What all methods of a comparison share.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Times that every sample is used.
    pub epochs: usize,
    /// Samples per step; the last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// Step size η.
    pub learning_rate: f64,
    /// How η changes over the epochs.
    pub schedule: Schedule,
    /// How a gradient becomes a step.
    pub optimizer: Optimizer,
    /// What is descended.
    pub loss: Loss,
    /// Of the order of the samples.
    pub seed: u64,
}

impl Settings {
    /// Errs where a setting has no meaning.
    pub fn validate(&self) -> Result<()> {
        if self.epochs == 0 {
            return Err(Error::invalid("epochs", 0, "must be at least 1"));
        }
        if self.batch_size == 0 {
            return Err(Error::invalid("batch-size", 0, "must be at least 1"));
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return Err(Error::invalid("learning-rate", self.learning_rate, "must be positive"));
        }
        if let Schedule::Step { every, factor } = self.schedule
            && (every == 0 || !(factor.is_finite() && factor > 0.0))
        {
            let value = format!("every {every}, factor {factor}");
            return Err(Error::invalid("schedule", value, "needs a positive number of epochs and a positive factor"));
        }
        self.loss.check(self.loss.classes)?;
        self.optimizer.validate()
    }
}

/// Where a run leaves its state.
#[derive(Clone, Copy, Debug)]
pub struct Checkpoints<'a> {
    /// The file, replaced each time.
    pub path: &'a Path,
    /// After every how many epochs; after the last one and at a stop in any case.
    pub every: usize,
    /// See [`Checkpoint::fingerprint`].
    pub fingerprint: &'a str,
    /// The chip's design.
    pub network: &'a Network,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// One per epoch, those before a resumption included.
    pub records: Vec<Record>,
    /// The chip on the training split, at the end.
    pub train: Evaluation,
    /// The chip on the test split, at the end.
    pub test: Evaluation,
    /// What has crossed the chip's interface, [`Method::finish`] included.
    pub accesses: Accesses,
    /// All epochs are done; otherwise the observer ended the run.
    pub complete: bool,
    /// What makes one doubt the result, a sentence each.
    pub notes: Vec<String>,
}

/// A task with its settings, on which methods are run one after the other.
pub struct Trainer<'a, E: Engine> {
    /// Where the numbers live.
    pub engine: &'a E,
    /// What all methods share.
    pub settings: &'a Settings,
    /// Samples to learn from.
    pub train: &'a Split<E>,
    /// Samples to be judged by.
    pub test: &'a Split<E>,
}

/// What has computed the epochs of a run that goes on from `resume`, `engine` included if it `goes_on` for more of them.
pub(super) fn arithmetic<E: Engine>(engine: &E, resume: Option<&Checkpoint>, goes_on: bool) -> Vec<String> {
    let mut all = resume.map(|checkpoint| checkpoint.arithmetic.clone()).unwrap_or_default();
    let own = engine.arithmetic();
    if goes_on && all.last() != Some(&own) {
        all.push(own);
    }
    all
}

/// The doubt about a run that did not stay where its numbers have one last digit.
pub(super) fn moved(arithmetic: &[String]) -> Option<String> {
    let places = arithmetic.join(", then ");
    (arithmetic.len() > 1).then(|| {
        format!("computed by {places}, whose last digits differ: a run that stays on one of them ends with slightly other numbers")
    })
}

/// The sum of the losses of an epoch so far, and the samples that it is of, of every chip with a tally.
pub(super) fn losses<E: Engine>(engine: &E, tallies: &[E::Buffer]) -> Result<Vec<[f64; 2]>> {
    let sums = tallies.iter().map(|tally| engine.download(tally));
    sums.map(|sums| sums.map(|sums| [sums[0], sums[2]])).collect()
}

impl<E: Engine> Trainer<'_, E> {
    /// Trains a fresh `chip` with a fresh `method`, or goes on from `resume`.
    ///
    /// Evaluations, and putting the chip at the initial controls, are the same for every method and are not metered. Only
    /// sums over the samples leave the engine, once per epoch. Errs with [`Error::Diverged`] after an epoch in which a loss or a
    /// parameter is not finite, or a control beyond what [`Physical::astray`] says.
    pub fn run<C: Physical<Engine = E>>(
        &self,
        chip: &mut C,
        method: &mut dyn Method<C>,
        resume: Option<&Checkpoint>,
        checkpoints: Option<Checkpoints<'_>>,
        observer: &mut dyn Observer,
    ) -> Result<Outcome> {
        self.run_aligned(chip, method, None, resume, checkpoints, observer)
    }

    /// [`Trainer::run`] with an oracle that judges the first step of every epoch, for [`Record::alignment`].
    pub fn run_aligned<C: Physical<Engine = E>>(
        &self,
        chip: &mut C,
        method: &mut dyn Method<C>,
        mut alignment: Option<&mut dyn Oracle<E>>,
        resume: Option<&Checkpoint>,
        checkpoints: Option<Checkpoints<'_>>,
        observer: &mut dyn Observer,
    ) -> Result<Outcome> {
        let Settings { epochs, batch_size, .. } = *self.settings;
        self.check(chip)?;
        if method.facts().needs_classes && self.train.is_real() {
            return Err(method.facts().refuse_real_targets());
        }

        chip.unmetered(|chip| chip.program(method.controls()))?;
        if let Some(alignment) = &mut alignment {
            alignment.begin(method.controls())?;
        }
        let mut records = Vec::new();
        if let Some(checkpoint) = resume {
            checkpoint.require_ranks(self.engine)?;
            checkpoint.restore(self.engine, method)?;
            chip.resume(&checkpoint.chip)?;
            records.clone_from(&checkpoint.records);
            if records.len() > epochs {
                let reason = format!("the checkpoint has {} epochs already", records.len());
                return Err(Error::invalid("epochs", epochs, reason));
            }
        }
        let arithmetic = arithmetic(self.engine, resume, records.len() < epochs);
        let mut journal = checkpoints.map(|to| Journal::open(to.path, &records)).transpose()?;

        let batch_size = batch_size.min(self.train.samples());
        let mut batch = Batch::new(self.engine, self.train.width(), batch_size)?;
        let mut workspace = Workspace::new(self.engine, chip, batch_size)?;
        let mut stopped = false;
        while records.len() < epochs && !stopped {
            let oracle = alignment.as_mut().map(|oracle| &mut **oracle as &mut dyn Oracle<E>);
            let record = self.epoch(records.len(), chip, method, oracle, &mut batch, &mut workspace, observer)?;
            records.push(record);
            stopped = self.engine.agree(observer.epoch(&record).is_break())?;
            let due =
                |to: Checkpoints| stopped || record.epoch == epochs || record.epoch.is_multiple_of(to.every.max(1));
            // ranks put the state together, of which one keeps it
            if self.engine.agree(checkpoints.is_some_and(due))? {
                let state = chip.state()?;
                let mut state = Checkpoint::state(self.engine, method, state)?;
                if let (Some(Checkpoints { fingerprint, network, .. }), Some(journal)) = (checkpoints, &mut journal) {
                    state.belongs_to(network, fingerprint);
                    (state.epoch, state.arithmetic) = (record.epoch, arithmetic.clone());
                    journal.keep(&state, &records)?;
                }
            }
        }

        let complete = records.len() == epochs;
        if complete {
            method.finish(chip)?;
        }
        let train = self.judge(chip, method, self.train, &mut workspace)?;
        let test = self.judge(chip, method, self.test, &mut workspace)?;
        if !(train.loss.is_finite() && test.loss.is_finite()) {
            let (method, epoch) = (method.name().to_string(), records.len());
            return Err(Error::Diverged { method, epoch, reason: "the loss is not finite".to_string() });
        }
        let notes = method.notes().into_iter().chain(moved(&arithmetic)).collect();
        Ok(Outcome { records, train, test, accesses: chip.accesses(), complete, notes })
    }

    /// Epoch number `epoch` from 0.
    fn epoch<C: Physical<Engine = E>>(
        &self,
        epoch: usize,
        chip: &mut C,
        method: &mut dyn Method<C>,
        mut oracle: Option<&mut dyn Oracle<E>>,
        batch: &mut Batch<E>,
        workspace: &mut Workspace<E>,
        observer: &mut dyn Observer,
    ) -> Result<Record> {
        let engine = self.engine;
        method.begin_epoch(epoch, self.settings.epochs);
        let measuring = method.measuring();
        let mut tally = engine.zeros(3)?;
        let mut alignment = None;
        let learning_rate = self.batches(epoch, batch, observer, |batch, learning_rate, wanted| {
            // the oracle judges the epoch's first step, then it goes
            let mut judge = oracle.take();
            if let Some(oracle) = &mut judge {
                oracle.before(method.controls(), batch)?;
            }
            method.step(chip, batch, learning_rate, &mut tally)?;
            if let Some(oracle) = judge {
                alignment = Some(oracle.after(method.controls())?);
            }
            if wanted { losses(engine, std::slice::from_ref(&tally)) } else { Ok(Vec::new()) }
        })?;
        let diverged =
            |name: super::MethodName, reason| Error::Diverged { method: name.to_string(), epoch: epoch + 1, reason };
        if let Some(reason) = self.astray(chip, method)? {
            return Err(diverged(method.name(), reason));
        }
        for (name, own) in method.parameters() {
            engine.require_same(name, &own.values)?;
        }
        let train = Evaluation::from_tally(engine, &tally, self.train.judge())?;
        let test = self.judge(chip, method, self.test, workspace)?;
        if !(train.loss.is_finite() && test.loss.is_finite()) {
            return Err(diverged(method.name(), "the loss is not finite".to_string()));
        }
        Ok(Record {
            method: method.name(),
            chip: 0,
            epoch: epoch + 1,
            learning_rate,
            train_loss: train.loss,
            judged_by: test.judged_by,
            train_score: train.score,
            test_loss: test.loss,
            test_score: test.score,
            accesses: chip.accesses(),
            alignment,
            measuring,
        })
    }

    /// What of the method's controls and other parameters no useful training reaches, in words.
    fn astray<C: Physical<Engine = E>>(&self, chip: &C, method: &dyn Method<C>) -> Result<Option<String>> {
        if let Some(reason) = chip.astray(method.controls())? {
            return Ok(Some(reason));
        }
        for (name, own) in method.parameters().into_iter().filter(|(name, _)| *name != "controls") {
            let values = self.engine.download(&own.values)?;
            if let Some(index) = values.iter().position(|value| !value.is_finite()) {
                return Ok(Some(format!("{name} {index} is {}", values[index])));
            }
        }
        Ok(None)
    }

    /// Hands every batch of epoch number `epoch` from 0 to `step`, with the epoch's learning rate, which is returned, and whether the `observer`
    /// wants the [`losses`] of all chips behind it.
    pub(super) fn batches(
        &self,
        epoch: usize,
        batch: &mut Batch<E>,
        observer: &mut dyn Observer,
        mut step: impl FnMut(&Batch<E>, f64, bool) -> Result<Vec<[f64; 2]>>,
    ) -> Result<f64> {
        let (engine, settings) = (self.engine, self.settings);
        let learning_rate = settings.learning_rate * settings.schedule.factor(epoch, settings.epochs);
        let samples = self.train.samples();
        let total = samples.div_ceil(batch.capacity());
        let order = Order::new(engine, epoch_order(samples, settings.seed, epoch as u64))?;
        let (every, mut told) = (observer.every(), Vec::<[f64; 2]>::new());
        for (done, start) in (0..samples).step_by(batch.capacity()).enumerate() {
            let size = batch.capacity().min(samples - start);
            batch.gather(engine, self.train, &order, start, size)?;
            let number = epoch * total + done + 1;
            let sums = step(batch, learning_rate, every.is_some_and(|every| number.is_multiple_of(every)))?;
            for (chip, &[loss, samples]) in sums.iter().enumerate() {
                let [before, judged] = told.get(chip).copied().unwrap_or_default();
                let loss = (loss - before) / (samples - judged);
                if loss.is_finite() {
                    observer.step(&Step { chip, step: number as u64, loss, learning_rate });
                }
            }
            if !sums.is_empty() {
                told = sums;
            }
            observer.batch(done + 1, total);
            if self.engine.agree(observer.stopped())? {
                return Err(Error::Interrupted { epoch: epoch + 1 });
            }
        }
        Ok(learning_rate)
    }

    /// Errs unless both splits and the loss fit `chip`.
    pub(super) fn check(&self, chip: &impl Physical<Engine = E>) -> Result<()> {
        let loss = &self.settings.loss;
        self.settings.validate()?;
        loss.check(chip.outputs())?;
        self.train.check(chip.inputs(), loss)?;
        self.test.check(chip.inputs(), loss)?;
        let [ours, theirs] = [self.train, self.test].map(|split| split.judge().score());
        if ours != theirs {
            let reason = format!("the test samples are judged by {theirs}; judge both by the same");
            return Err(Error::invalid("score", ours, reason));
        }
        Ok(())
    }

    /// How the chip does on `split` with the method's controls, unmetered.
    fn judge<C: Physical<Engine = E>>(
        &self,
        chip: &mut C,
        method: &dyn Method<C>,
        split: &Split<E>,
        workspace: &mut Workspace<E>,
    ) -> Result<Evaluation> {
        chip.unmetered(|chip| method.evaluate(chip, self.engine, split, &self.settings.loss, workspace))
    }
}
