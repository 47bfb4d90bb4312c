//! The records of a run, as they come in: on the screen, in `metrics.csv`, and for the pictures.

use super::Job;
use super::metrics::{self, Row, Table};
use crate::eta::Eta;
use crate::events::{self, EventLog};
use crate::interrupt;
use crate::listener::Listener;
use crate::progress::Progress;
use crate::work::{self, Pace};
use anyhow::Result;
use at_core::training::{MethodName, Observer, Record, Step};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// At most this often the table of records is written; the checkpoint is written after every epoch.
const TABLE_INTERVAL: Duration = Duration::from_millis(500);

/// The records of all methods, as they come in.
pub struct Ledger<'a> {
    job: &'a Job<'a>,
    /// All of this run.
    pub rows: Vec<Row>,
    /// Rows of an interrupted run, of which only the times are still needed.
    earlier: Vec<Row>,
    progress: Progress<'a>,
    pace: Pace,
    /// Epochs that this and the next methods still take.
    left: usize,
    eta: Eta,
    /// When the run began, from which [`Eta`] counts.
    began: Instant,
    /// Seconds spent on the method before this process, and when this process began with it.
    clock: (f64, Instant),
    written: Option<Instant>,
    /// The file, once this process has written it.
    table: Option<Table>,
    /// The event files of the method on each of its chips, where somebody wants them.
    logs: BTreeMap<usize, EventLog>,
    failure: Option<anyhow::Error>,
}

impl<'a> Ledger<'a> {
    /// Takes up the times of an earlier part of the run.
    pub fn open(job: &'a Job<'a>) -> Result<Self> {
        let earlier = metrics::read(&job.folder.metrics())?;
        let (clock, progress) = ((0.0, Instant::now()), Progress::Silent);
        let pace = Pace::new();
        let (written, table, failure) = (None, None, None);
        let (eta, began, logs) = (Eta::default(), Instant::now(), BTreeMap::new());
        Ok(Ledger {
            job,
            rows: Vec::new(),
            earlier,
            progress,
            pace,
            left: 0,
            eta,
            began,
            clock,
            written,
            table,
            logs,
            failure,
        })
    }

    fn first_chip(&self) -> u64 {
        self.job.task.plan.settings.chip_seed.unwrap_or_default()
    }

    /// Takes over the `records` of an earlier part of the run.
    pub fn begin(&mut self, method: MethodName, records: &[Record]) -> Result<()> {
        let mut spent = 0.0;
        for record in records {
            let same = |row: &&Row| row.method == method && row.epoch == record.epoch;
            spent = self.earlier.iter().find(same).map_or(spent, |row| row.wall_seconds);
            self.rows.push(Row::new(record, self.first_chip(), spent));
        }
        self.clock = (spent, Instant::now());
        self.written = None; // so that the first epoch's time is on disk before its checkpoint: it cannot be told later
        let (plan, epochs) = (&self.job.task.plan, self.job.task.plan.training.epochs);
        let later = plan.methods.iter().skip_while(|&&name| name != method).count();
        self.left = epochs.saturating_mul(later) - records.last().map_or(0, |record| record.epoch.min(epochs));
        self.pace = Pace::new();
        self.progress = Progress::new(self.job.audience, method, epochs);
        if let Some(listener) = self.job.audience.listener() {
            listener.begin(method, records.len(), epochs);
        }
        let left = self.seconds_left(0.0);
        records.last().inspect(|record| self.progress.epoch(record, left));
        self.open_logs(method, records)
    }

    /// The event files of `method` on every chip, with what they lack of its earlier `records`.
    fn open_logs(&mut self, method: MethodName, records: &[Record]) -> Result<()> {
        self.logs.clear();
        let Some(folder) = self.job.log_folder else { return Ok(()) };
        let chips = if method == MethodName::At { self.job.task.plan.fleet() } else { 1 };
        for chip in 0..chips {
            let own: Vec<Record> = records.iter().filter(|record| record.chip == chip).copied().collect();
            let folder = folder.join(format!("{method}-chip-{}", self.first_chip().saturating_add(chip as u64)));
            self.logs.insert(chip, EventLog::open(&folder, &own)?);
        }
        Ok(())
    }

    /// After how many steps one is logged, where somebody wants event files.
    pub fn steps_logged(&self) -> Option<usize> {
        let Job { task, data, log_folder, .. } = self.job;
        let training = &task.plan.training;
        log_folder.map(|_| events::every(training.epochs, data.train.len(), training.batch_size))
    }

    /// The method is trained to its last epoch, with these misfits of its model to its chips.
    pub fn log_end(&mut self, misfits: &[Option<f64>]) -> Result<()> {
        self.logs.values_mut().zip(misfits).try_for_each(|(log, &misfit)| log.end(misfit))
    }

    /// The seconds that the run still takes, of whose epoch this share is over.
    fn seconds_left(&mut self, over: f64) -> Option<f64> {
        self.eta.left(self.began.elapsed().as_secs_f64(), self.left as f64 - over)
    }

    /// Writes the rows that are not written yet. Those of methods whose turn has not come again stay behind them: this process may end before.
    fn write(&mut self) -> Result<()> {
        let later = metrics::later(&self.rows, &self.earlier);
        if !later.is_empty() {
            let all: Vec<Row> = self.rows.iter().cloned().chain(later).collect();
            return Table::create(&self.job.folder.metrics(), &all).map(drop);
        }
        match &mut self.table {
            Some(table) => table.complete(&self.rows)?,
            None => self.table = Some(Table::create(&self.job.folder.metrics(), &self.rows)?),
        }
        Ok(())
    }

    /// Writes what is not written yet; gives the seconds spent on the method up to its last epoch.
    pub fn end(&mut self) -> Result<f64> {
        self.progress = Progress::Silent;
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        self.write()?;
        self.logs.values_mut().try_for_each(EventLog::flush)?;
        Ok(self.rows.last().map_or(0.0, |row| row.wall_seconds))
    }
}

impl Observer for Ledger<'_> {
    fn batch(&mut self, done: usize, total: usize) {
        let left = match done.is_multiple_of(total.div_ceil(100)) {
            true => self.seconds_left(done as f64 / total as f64),
            false => None,
        };
        self.progress.batch(done, total, left);
        if let Some(seconds) = self.pace.batch(total) {
            let (left, rest) = (self.left, seconds * self.left as f64);
            if rest > work::DAY {
                let (rest, seconds) = (work::duration(rest), work::duration(seconds));
                self.progress
                    .note(format!("the run takes about {rest}: {left} epochs are left, and the first takes {seconds}"));
            }
        }
    }

    fn every(&self) -> Option<usize> {
        self.steps_logged()
    }

    fn step(&mut self, step: &Step) {
        let logged = self.logs.get_mut(&step.chip).map_or(Ok(()), |log| log.step(step));
        self.failure = self.failure.take().or(logged.err());
    }

    fn stopped(&self) -> bool {
        self.job.audience.listener().is_some_and(Listener::stopped)
    }

    fn epoch(&mut self, record: &Record) -> ControlFlow<()> {
        let (before, start) = self.clock;
        self.rows.push(Row::new(record, self.first_chip(), before + start.elapsed().as_secs_f64()));
        if record.chip == 0 {
            self.left = self.left.saturating_sub(1);
        }
        let left = self.seconds_left(0.0);
        self.progress.epoch(record, left);
        if self.written.is_none_or(|written| written.elapsed() >= TABLE_INTERVAL) {
            self.written = Some(Instant::now());
            let written = self.write();
            self.failure = self.failure.take().or(written.err());
        }
        let logged = self.logs.get_mut(&record.chip).map_or(Ok(()), |log| log.epoch(record));
        self.failure = self.failure.take().or(logged.err());
        if self.failure.is_some() || interrupt::requested() || self.stopped() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}
