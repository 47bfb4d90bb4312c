//! A comparison: the same chip trained with every method in turn (`at` may train more chips along with it), each epoch kept so that a run can go on after any end.
//!
//! A method's checkpoint, with the records beside it, alone decides what is done; `metrics.csv`, `summary.json` and
//! the picture of the scores are made from it again.

use crate::doubts;
use crate::export::metrics::{self, Row, Table};
use crate::export::plot;
use crate::export::summary::{MethodResult, Summary};
use crate::fingerprint::{Fingerprint, RunContents};
use crate::notes::Notes;
use crate::plan::Plan;
use crate::progress::{Progress, say};
use crate::run_folder::RunFolder;
use crate::work::{self, Pace};
use crate::{activity, interrupt};
use anyhow::{Context, Result, anyhow, bail};
use at_core::chip::Physical;
use at_core::chip::{Chip, Meter};
use at_core::data::{Dataset, Samples};
use at_core::network::Network;
use at_core::propagator::Simulator;
use at_core::training::{Checkpoint, Checkpoints, MethodName, Observer, Outcome, Record, Split, Trainer, methods};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// At most this often the table of records is written; the checkpoint is written after every epoch.
const TABLE_INTERVAL: Duration = Duration::from_millis(500);

/// What is compared, and where the results go.
pub struct Job<'a> {
    /// The settings, understood.
    pub plan: &'a Plan,
    /// The task.
    pub data: &'a Dataset,
    /// The chip's design.
    pub network: &'a Network,
    /// What the chip has of imperfections, for people.
    pub imperfections: &'a str,
    /// The results.
    pub folder: &'a RunFolder,
    /// No progress on stderr.
    pub quiet: bool,
}

/// Trains with every method and keeps the results. Errs where the run was interrupted, with the way to go on.
pub fn compare<E: Simulator>(engine: &E, job: &Job) -> Result<Summary> {
    let Job { plan, data, network, folder, quiet, .. } = *job;
    let settings = &plan.settings;
    activity::now("encoding the samples");
    let train = split(engine, plan, network, data, &data.train).context("training samples")?;
    let test = split(engine, plan, network, data, &data.test).context("test samples")?;
    let first = settings.chip_seed.unwrap_or_default();
    activity::now("fabricating the chip");
    let fabrication = plan.fabricate(network, first)?;
    let initial = plan.initial_controls(network)?;
    let trainer = Trainer { engine, settings: &plan.training, train: &train, test: &test };
    let contents = RunContents { data: data.contents(), files: plan.files.sums.clone() };
    let fingerprint = Fingerprint::new(plan, contents)?;
    let (kept, identity) = (fingerprint.text(), network.identity());
    announce(engine, job);
    let (light, doubts) = doubts::of_light(engine, plan, network, &fabrication, &initial, &train);
    say(quiet, &format!("light    {light}\n"));
    let mut notes = Notes::default();
    notes.say(data.notes.iter().chain(&plan.notes).cloned().chain(doubts));
    let chance = doubts::chance(data);

    let mut ledger = Ledger::open(job)?;
    let mut summary = Summary::new(plan, data, network);
    for &name in &plan.methods {
        let path = folder.checkpoint(name);
        let (earlier, doubt) = fingerprint.open(&path)?;
        notes.say(doubt);
        activity::now(format!("building the chip and the model of {name}"));
        ledger.begin(name, earlier.as_ref().map_or(&[], |checkpoint| &checkpoint.records));
        let checkpoints = Checkpoints { path: &path, every: 1, fingerprint: &kept, network: &identity };
        let fleet = name == MethodName::At && plan.fleet() > 1;
        let mut trained = None;
        let outcomes = if fleet {
            run_fleet(&trainer, plan, network, &initial, earlier.as_ref(), Some(checkpoints), &mut ledger)
        } else {
            let mut chip = Chip::new(engine, network, &fabrication)?.with_tap_noise(plan.tap_noise())?;
            let (training, options, meter) = (&plan.training, &plan.options, chip.meter());
            let mut method = methods::build(name, engine, network, &fabrication, &initial, training, options, meter)?;
            let outcome = trainer.run(&mut chip, &mut *method, earlier.as_ref(), Some(checkpoints), &mut ledger);
            trained = Some(engine.download(method.controls())?);
            outcome.map(|outcome| vec![outcome])
        };
        let wall_seconds = ledger.end()?;
        let outcomes = outcomes.map_err(|error| explain(error, name, folder))?;
        let complete = outcomes[0].complete;
        for outcome in &outcomes {
            notes.say(outcome.notes.iter().map(|text| format!("{name}: {text}")));
            if complete {
                let controls = trained.as_deref().unwrap_or(&initial);
                let light = || Ok(doubts::of_light(engine, plan, network, &fabrication, controls, &train).1);
                notes.say(doubts::of_chance(name, &outcome.test, chance.as_ref(), light)?);
            }
        }
        summary.notes = notes.texts().to_vec();
        if complete {
            for (seed, outcome) in (first..).zip(&outcomes) {
                let engine = engine.describe();
                summary.results.push(MethodResult::new(name, seed, outcomes.len(), outcome, wall_seconds, engine));
            }
            folder.write("summary.json", &summary.to_json())?;
            let picture = plot::scores(&title(&summary), plan.score, &plan.methods, &ledger.rows)?;
            folder.write(plot::file(plan.score), &picture)?;
        }
        if interrupt::requested() && !(complete && Some(&name) == plan.methods.last()) {
            let epochs = outcomes[0].records.len();
            let run = folder.path().display();
            bail!("interrupted after epoch {epochs} of {name}; continue with: asyt train --resume {run}");
        }
    }
    say(quiet, "");
    Ok(summary)
}

/// Trains the chips of `plan` from its chip seed on with one model of `at`.
pub fn run_fleet<E: Simulator>(
    trainer: &Trainer<E>,
    plan: &Plan,
    network: &Network,
    initial: &[f64],
    earlier: Option<&Checkpoint>,
    checkpoints: Option<Checkpoints>,
    observer: &mut dyn Observer,
) -> at_core::Result<Vec<Outcome>> {
    let (engine, first) = (trainer.engine, plan.settings.chip_seed.unwrap_or_default());
    let chip = |seed| Chip::new(engine, network, &plan.fabricate(network, seed)?);
    let mut chips = (first..first + plan.fleet() as u64).map(chip).collect::<at_core::Result<Vec<_>>>()?;
    let (training, options, shared) = (&plan.training, &plan.options, Meter::default());
    let mut fleet = methods::build_fleet(engine, network, chips.len(), initial, training, options, &shared)?;
    trainer.run_fleet(&mut chips, &mut fleet, earlier, checkpoints, observer)
}

/// What went wrong with a method, and what is kept. A divergence names its method itself.
fn explain(error: at_core::Error, method: MethodName, folder: &RunFolder) -> anyhow::Error {
    match error {
        at_core::Error::Device { .. } => {
            anyhow!("method {method}: {error}; what was done is kept in {}", folder.path().display())
        }
        at_core::Error::Diverged { .. } => anyhow!("{error}; what was done is kept in {}", folder.path().display()),
        error => anyhow!(error).context(format!("method {method}")),
    }
}

/// Encodes `samples` of `data` and takes them to the engine.
pub fn split<E: Simulator>(
    engine: &E,
    plan: &Plan,
    network: &Network,
    data: &Dataset,
    samples: &Samples,
) -> Result<Split<E>> {
    let mut encoded = plan.encoding.encode(samples, data.image)?;
    if network.input().complex {
        encoded = encoded.into_complex();
    }
    Ok(match &samples.real {
        Some(real) => Split::of_values(engine, &encoded.signals, &real.values, real.width, plan.score)?,
        None => Split::new(engine, &encoded.signals, &samples.labels)?,
    })
}

fn announce<E: Simulator>(engine: &E, job: &Job) {
    let Job { plan, data, network, imperfections, quiet, folder } = *job;
    let chip_seed = plan.settings.chip_seed.unwrap_or_default();
    let (train, test, controls) = (data.train.len(), data.test.len(), network.controls());
    say(quiet, &format!("engine   {}", engine.describe()));
    say(quiet, &format!("data     {}: {train} training and {test} test samples", data.name));
    if let Some(note) = &data.note {
        say(quiet, &format!("         {note}"));
    }
    say(quiet, &format!("chip     {} (seed {chip_seed}), {controls} controls: {imperfections}", plan.chip()));
    say(quiet, &format!("folder   {}", folder.path().display()));
}

fn title(summary: &Summary) -> String {
    format!("{} on a chip of kind {}, number {}", summary.dataset, summary.chip, summary.chip_seed)
}

/// The records of all methods, as they come in.
struct Ledger<'a> {
    job: &'a Job<'a>,
    rows: Vec<Row>,
    /// Rows of an interrupted run, of which only the times are still needed.
    earlier: Vec<Row>,
    progress: Progress,
    pace: Pace,
    /// Epochs that this and the next methods still take.
    left: usize,
    /// Seconds spent on the method before this process, and when this process began with it.
    clock: (f64, Instant),
    written: Option<Instant>,
    /// The file, once this process has written it.
    table: Option<Table>,
    failure: Option<anyhow::Error>,
}

impl<'a> Ledger<'a> {
    fn open(job: &'a Job<'a>) -> Result<Self> {
        let earlier = metrics::read(&job.folder.metrics())?;
        let (clock, progress) = ((0.0, Instant::now()), Progress::Silent);
        let pace = Pace::new();
        let (written, table, failure) = (None, None, None);
        Ok(Ledger { job, rows: Vec::new(), earlier, progress, pace, left: 0, clock, written, table, failure })
    }

    fn first_chip(&self) -> u64 {
        self.job.plan.settings.chip_seed.unwrap_or_default()
    }

    /// Takes over the `records` of an earlier part of the run.
    fn begin(&mut self, method: MethodName, records: &[Record]) {
        let mut spent = 0.0;
        for record in records {
            let same = |row: &&Row| row.method == method && row.epoch == record.epoch;
            spent = self.earlier.iter().find(same).map_or(spent, |row| row.wall_seconds);
            self.rows.push(Row::new(record, self.first_chip(), spent));
        }
        self.clock = (spent, Instant::now());
        self.written = None; // so that the first epoch's time is on disk before its checkpoint: it cannot be told later
        let (plan, epochs) = (self.job.plan, self.job.plan.training.epochs);
        let later = plan.methods.iter().skip_while(|&&name| name != method).count();
        self.left = epochs.saturating_mul(later) - records.last().map_or(0, |record| record.epoch.min(epochs));
        self.pace = Pace::new();
        self.progress = Progress::new(self.job.quiet, method, epochs);
        records.last().inspect(|record| self.progress.epoch(record));
    }

    /// Writes the rows that are not written yet.
    fn write(&mut self) -> Result<()> {
        match &mut self.table {
            Some(table) => table.complete(&self.rows)?,
            None => self.table = Some(Table::create(&self.job.folder.metrics(), &self.rows)?),
        }
        Ok(())
    }

    /// Writes what is not written yet; gives the seconds spent on the method up to its last epoch.
    fn end(&mut self) -> Result<f64> {
        self.progress = Progress::Silent;
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        self.write()?;
        Ok(self.rows.last().map_or(0.0, |row| row.wall_seconds))
    }
}

impl Observer for Ledger<'_> {
    fn batch(&mut self, done: usize, total: usize) {
        self.progress.batch(done, total);
        if let Some(seconds) = self.pace.batch(total) {
            let (left, rest) = (self.left, seconds * self.left as f64);
            if rest > work::DAY {
                let (rest, seconds) = (work::duration(rest), work::duration(seconds));
                self.progress
                    .note(format!("the run takes about {rest}: {left} epochs are left, and the first takes {seconds}"));
            }
        }
    }

    fn epoch(&mut self, record: &Record) -> ControlFlow<()> {
        let (before, start) = self.clock;
        self.rows.push(Row::new(record, self.first_chip(), before + start.elapsed().as_secs_f64()));
        self.progress.epoch(record);
        if self.written.is_none_or(|written| written.elapsed() >= TABLE_INTERVAL) {
            self.written = Some(Instant::now());
            self.failure = self.write().err();
        }
        if self.failure.is_some() || interrupt::requested() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}
