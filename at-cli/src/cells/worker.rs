//! A process that trains cells: `asyt work`, started by [`super::run`] and by nobody else.
//!
//! It reads names from stdin, one a line, trains each cell in turn, and tells of it on stdout, one JSON object a line ([`Event`]).
//! When its stdin ends while it trains, somebody asked for an end or the process that started it is gone: it stops, and keeps the
//! cell half done, after the epoch if that is soon over.

use super::store::Store;
use super::train;
use super::train::News;
use crate::export::scores::shown;
use crate::failure::Outcome;
use crate::interrupt;
use crate::trial::Tasks;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How often a worker looks whether a cell in other hands has become free.
const PATIENCE: Duration = Duration::from_millis(100);

/// What a worker tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// It has taken a cell.
    Began { cell: String },
    /// How long the whole cell will take, as far as its first steps tell.
    Pace { cell: String, seconds: f64 },
    /// An epoch is over.
    Epoch { cell: String, epoch: usize, epochs: usize, score: String },
    /// A cell is done.
    Done { cell: String },
    /// A cell is half done, because an end was asked for.
    Stopped { cell: String },
    /// A cell is done, without a result: its training diverged.
    Diverged { cell: String, reason: String },
    /// A cell will have no result.
    Failed { cell: String, reason: String },
}

/// A cell is being trained.
static BUSY: AtomicBool = AtomicBool::new(false);

/// Trains the cells in `folder` whose names come in on stdin. Their curves go to folders of theirs in `log_folder` too.
pub fn work(folder: &Path, log_folder: Option<&Path>) -> Outcome {
    let (sender, names) = channel();
    std::thread::spawn(move || {
        for name in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(name).is_err() {
                return;
            }
        }
        if BUSY.load(Ordering::SeqCst) {
            interrupt::request();
        }
    });
    // on a thread of the pool, as `asyt train` does
    let work = || train_all(&Store::new(folder), names, log_folder);
    Ok(at_core::cpu::Cpu::<f32>::new().install(work)?)
}

fn train_all(store: &Store, names: Receiver<String>, log_folder: Option<&Path>) -> Result<()> {
    let mut tasks = Tasks::default();
    for cell in names {
        BUSY.store(true, Ordering::SeqCst);
        let end = train_one(store, cell, &mut tasks, log_folder)?;
        // whoever hears the end may close our stdin
        BUSY.store(false, Ordering::SeqCst);
        tell(&end);
        if interrupt::requested() {
            break;
        }
    }
    Ok(())
}

/// Trains `cell`, unless another process does so first, and gives the event of its end.
fn train_one(store: &Store, cell: String, tasks: &mut Tasks, log_folder: Option<&Path>) -> Result<Event> {
    let claim = loop {
        if interrupt::requested() {
            return Ok(Event::Stopped { cell });
        }
        let claim = store.claim(&cell)?;
        if let Some(reason) = store.divergence(&cell) {
            return Ok(Event::Diverged { cell, reason });
        }
        if store.is_done(&cell) {
            return Ok(Event::Done { cell });
        }
        if let Some(reason) = store.failure(&cell) {
            return Ok(Event::Failed { cell, reason });
        }
        match claim {
            Some(claim) => break claim,
            None => std::thread::sleep(PATIENCE), // whoever has it may end before the cell does
        }
    };
    tell(&Event::Began { cell: cell.clone() });
    let mut told = |news: News| {
        let cell = cell.clone();
        tell(&match news {
            News::Pace { seconds } => Event::Pace { cell, seconds },
            News::Epoch { record, epochs } => {
                let score = shown(record.judged_by, record.test_score);
                Event::Epoch { cell, epoch: record.epoch, epochs, score }
            }
        });
    };
    let log = log_folder.map(|folder| folder.join(&cell));
    let train = |settings| train::train(&claim, settings, tasks, log.as_deref(), &mut told);
    let trained = store.settings(&cell).and_then(train);
    Ok(match trained {
        Ok(true) => Event::Done { cell },
        Ok(false) => Event::Stopped { cell },
        Err(error) if matches!(error.downcast_ref(), Some(at_core::Error::Diverged { .. })) => {
            let reason = crate::failure::in_a_line(&error);
            store.diverge(&cell, &reason)?;
            Event::Diverged { cell, reason }
        }
        Err(error) => {
            let reason = crate::failure::in_a_line(&error);
            store.fail(&cell, &reason)?;
            Event::Failed { cell, reason }
        }
    })
}

/// Where nobody listens, nobody wants the work.
fn tell(event: &Event) {
    let line = serde_json::to_string(event).expect("an event has only strings and numbers");
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        interrupt::request();
    }
}
