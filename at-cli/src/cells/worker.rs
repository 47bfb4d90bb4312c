//! A process that trains cells: `asyt work`, started by [`super::run`] and by nobody else.
//!
//! It reads one line of names from stdin, trains whichever of them are free and not done, one after the other, and tells of it
//! on stdout, one JSON object a line ([`Event`]). When its stdin ends, somebody asked for an end or the process that started it
//! is gone: it stops after the epoch, and keeps the cell half done.

use super::store::Store;
use super::{DataCache, train};
use crate::failure::Outcome;
use crate::interrupt;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::io::{BufRead, Read, Write};
use std::path::Path;
use std::time::Duration;

/// How often a worker looks whether a cell in other hands has become free.
const PATIENCE: Duration = Duration::from_millis(100);

/// What a worker tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// It has taken a cell.
    Began { cell: String },
    /// An epoch is over.
    Epoch { cell: String, epoch: usize, epochs: usize, accuracy: f64 },
    /// A cell is done.
    Done { cell: String },
    /// A cell is half done, because an end was asked for.
    Stopped { cell: String },
    /// A cell is done, without a result: its training diverged.
    Diverged { cell: String, reason: String },
    /// A cell will have no result.
    Failed { cell: String, reason: String },
}

/// Trains the cells in `folder` whose names come in on stdin.
pub fn work(folder: &Path) -> Outcome {
    interrupt::listen_quietly()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("the names of cells")?;
    let names: Vec<String> = serde_json::from_str(&line).context("the names of cells")?;
    std::thread::spawn(|| {
        let _ = std::io::stdin().lock().read_to_end(&mut Vec::new());
        interrupt::request();
    });
    // on a thread of the pool, as `asyt train` does
    let work = || train_all(&Store::new(folder), names.into());
    Ok(at_core::cpu::Cpu::<f32>::new().install(work)?)
}

fn train_all(store: &Store, mut names: VecDeque<String>) -> Result<()> {
    let mut data = DataCache::default();
    let mut in_other_hands = 0;
    while let Some(name) = names.pop_front() {
        if interrupt::requested() {
            break;
        }
        if store.is_done(&name) || store.failure(&name).is_some() {
            continue;
        }
        let Some(claim) = store.claim(&name)? else {
            // whoever has it may end before the cell does
            names.push_back(name);
            in_other_hands += 1;
            if in_other_hands >= names.len() {
                in_other_hands = 0;
                std::thread::sleep(PATIENCE);
            }
            continue;
        };
        in_other_hands = 0;
        if store.is_done(&name) || store.failure(&name).is_some() {
            continue; // since the first look
        }
        tell(&Event::Began { cell: name.clone() });
        let mut told = |record: &at_core::training::Record, epochs| {
            let accuracy = record.test_accuracy;
            tell(&Event::Epoch { cell: name.clone(), epoch: record.epoch, epochs, accuracy });
        };
        let trained = store.settings(&name).and_then(|settings| train::train(&claim, settings, &mut data, &mut told));
        match trained {
            Ok(true) => tell(&Event::Done { cell: name }),
            Ok(false) => tell(&Event::Stopped { cell: name }),
            Err(error) if matches!(error.downcast_ref(), Some(at_core::Error::Diverged { .. })) => {
                let reason = crate::failure::in_a_line(&error);
                store.diverge(&name, &reason)?;
                tell(&Event::Diverged { cell: name, reason });
            }
            Err(error) => {
                let reason = crate::failure::in_a_line(&error);
                store.fail(&name, &reason)?;
                tell(&Event::Failed { cell: name, reason });
            }
        }
    }
    Ok(())
}

/// Where nobody listens, nobody wants the work.
fn tell(event: &Event) {
    let line = serde_json::to_string(event).expect("an event has only strings and numbers");
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        interrupt::request();
    }
}
