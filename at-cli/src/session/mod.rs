//! A run of `asyt train`: the trials of a chip with every method in turn (`at` may train more chips along with it), each epoch kept so
//! that a run can go on after any end.
//!
//! A method's checkpoint, with the records beside it, alone decides what is done; `metrics.csv`, `summary.json` and
//! the picture of the scores are made from it again.

mod ledger;
pub mod metrics;
mod moved;
pub mod plot;
mod start;
pub mod summary;
pub mod table;
pub mod times;
pub mod verdict;

use crate::export::sheet::Sheet;
use crate::listener::{Audience, Listener};
use crate::notes::Notes;
use crate::progress::say;
use crate::ranks::{self, Order};
use crate::run_folder::RunFolder;
use crate::trial::{Driver, Task, TrialResult, Trials};
use crate::{activity, allocations, interrupt, settings};
use anyhow::{Result, anyhow, bail};
use at_core::data::Dataset;
use at_core::propagator::Simulator;
use at_core::ranks::Traffic;
use at_core::training::MethodName;
use ledger::Ledger;
pub use moved::Moved;
#[cfg(feature = "mpi")]
pub use start::ranked;
pub use start::{Finished, Prepared, RunPlace, Start, prepare, start};
use std::collections::HashMap;
use std::path::Path;
use summary::{ChipTimes, Exchange, MethodResult, PreparationCost, Summary};

/// What is trained, and where the results go.
pub struct Job<'a> {
    /// The settings with what follows from them.
    pub task: &'a Task,
    /// The samples.
    pub data: &'a Dataset,
    /// Of a chip from outside.
    pub driver: Option<&'a Driver>,
    /// The chip from outside is reached otherwise than before.
    pub moved: Option<Moved>,
    /// The results.
    pub folder: &'a RunFolder,
    /// Where its curves go as event files.
    pub log_folder: Option<&'a Path>,
    /// Who follows it.
    pub audience: Audience<'a>,
}

/// Trains with every method and keeps the results. Errs where the run was interrupted, with the way to go on.
///
/// Where ranks train together, `traffic` tells what this one has exchanged so far.
pub fn train<E: Simulator>(engine: &E, job: &Job, traffic: Option<&dyn Fn() -> Traffic>) -> Result<Summary> {
    let Job { task, data, driver, folder, audience, .. } = *job;
    let (plan, quiet) = (&task.plan, audience.quiet());
    activity::now("encoding the samples and fabricating the chip");
    if let Some(world) = ranks::world() {
        world.tell(&Order::Train { settings: settings::config(&plan.settings)? }, None)?;
    }
    let trials = Trials::new(engine, task, data, driver)?;
    let chance = trials.chance();
    announce(engine, job);
    let (light, doubts) = trials.light();
    say(quiet, &format!("light    {light}\n"));
    let mut notes = Notes::to(audience);
    notes.say(data.notes.iter().chain(&plan.notes).cloned().chain(doubts));

    if let Some(moved) = &job.moved {
        for &name in &plan.methods {
            trials.open(&folder.checkpoint(name), 1)?; // another chip would be refused, and the settings stay
        }
        notes.say(moved.noted());
        folder.write("config.toml", &settings::config(&plan.settings)?)?;
    }

    let earlier = earlier_peaks(folder);
    let mut ledger = Ledger::open(job)?;
    let mut summary = Summary::new(plan, data, &task.network, chance);
    summary.outside_chip = driver.map(|driver| driver.description().name.clone());
    for &name in &plan.methods {
        let path = folder.checkpoint(name);
        let kept = trials.open(&path, 1)?;
        notes.say(kept.doubt.clone());
        activity::now(format!("building the chip and the model of {name}"));
        ledger.begin(name, kept.records())?;
        if let Some(world) = ranks::world() {
            let run = Order::Run { method: name, fingerprint: trials.fingerprint(), every: ledger.steps_logged() };
            world.tell(&run, Some(&kept.file()?))?;
        }
        let before = traffic.map(|traffic| traffic());
        allocations::restart_peak();
        let trained = trials.run(name, Some(&kept), false, &mut ledger);
        let exchange = traffic.map(|traffic| traffic()).zip(before);
        let exchange = exchange.map(|(after, before)| Exchange::between(engine.ranks(), plan.share, &before, &after));
        let wall_seconds = ledger.end()?;
        let TrialResult { outcomes, doubts, times, misfits } = trained.map_err(|error| explain(error, name, folder))?;
        let complete = outcomes[0].complete;
        let peak_memory_bytes = match outcomes[0].records.len() > kept.records().len() {
            true => Some(allocations::peak() as u64).filter(|&bytes| bytes > 0),
            false => earlier.get(name.as_str()).copied(), // of the process that trained it
        };
        for outcome in &outcomes {
            notes.say(outcome.notes.iter().map(|text| about(name, text)));
        }
        notes.say(doubts);
        summary.notes = notes.texts().to_vec();
        if complete {
            ledger.log_end(&misfits)?;
            let first = plan.settings.chip_seed.unwrap_or_default();
            for ((seed, outcome), &misfit) in (first..).zip(&outcomes).zip(&misfits) {
                let engine = engine.describe();
                let result = MethodResult::new(name, seed, outcomes.len(), &outcome.into(), wall_seconds, engine);
                summary.results.push(MethodResult {
                    chip_times: times.map(ChipTimes::from),
                    misfit,
                    exchange,
                    peak_memory_bytes,
                    preparation: PreparationCost::of(plan.options.prepare, &outcome.records),
                    ..result
                });
            }
            folder.write("summary.json", &summary.to_json())?;
            let picture = plot::scores(&title(&summary), plan.score, &plan.methods, &ledger.rows);
            folder.write(plot::file(plan.score), &picture.picture(Sheet::default()).svg())?;
        }
        let stopped = interrupt::requested() || audience.listener().is_some_and(Listener::stopped);
        if stopped && !(complete && Some(&name) == plan.methods.last()) {
            let epochs = outcomes[0].records.len();
            let run = folder.path().display();
            bail!("interrupted after epoch {epochs} of {name}; continue with: asyt train --resume {run}");
        }
    }
    say(quiet, "");
    Ok(summary)
}

/// A doubt about the result of a method, which some name themselves.
fn about(method: MethodName, text: &str) -> String {
    if text.starts_with(&format!("{method} ")) { text.to_string() } else { format!("{method}: {text}") }
}

/// What went wrong with a method, and what is kept. A divergence names its method itself.
fn explain(error: anyhow::Error, method: MethodName, folder: &RunFolder) -> anyhow::Error {
    match error.downcast_ref::<at_core::Error>() {
        Some(at_core::Error::Device { .. }) => {
            let run = folder.path().display();
            anyhow!(
                "method {method}: {error}; what was done is kept in {run}; continue with: asyt train --resume {run}"
            )
        }
        Some(at_core::Error::Diverged { .. }) => {
            anyhow!("{error}; what was done is kept in {}", folder.path().display())
        }
        Some(_) | None => error.context(format!("method {method}")),
    }
}

fn announce<E: Simulator>(engine: &E, job: &Job) {
    let Job { task, data, driver, folder, audience, .. } = *job;
    let quiet = audience.quiet();
    let chip_seed = task.plan.settings.chip_seed.unwrap_or_default();
    let (train, test, controls) = (data.train.len(), data.test.len(), task.network.controls());
    say(quiet, &format!("engine   {}", engine.describe()));
    say(quiet, &format!("data     {}: {train} training and {test} test samples", data.name));
    if let Some(note) = &data.note {
        say(quiet, &format!("         {note}"));
    }
    let (kind, imperfections) = (task.plan.chip(), &task.imperfections);
    match driver {
        None => say(quiet, &format!("chip     {kind} (seed {chip_seed}), {controls} controls: {imperfections}")),
        Some(driver) => {
            let chip = driver.description();
            say(quiet, &format!("chip     {} (from outside), {controls} controls", chip.name));
            say(quiet, &format!("         digital models know the data sheet of chip {kind}"));
        }
    }
    if let Some(gain) = &task.plan.chosen_gain {
        say(quiet, &format!("gain     {gain}"));
    }
    if let Some(preparation) = task.plan.options.prepare {
        let (all, own) = (task.plan.training.epochs, preparation.epochs);
        say(quiet, &format!("prepare  {own} of {all} epochs by {}, away from the chip", preparation.method));
    }
    say(quiet, &format!("folder   {}", folder.path().display()));
}

/// The peaks of memory that an earlier process has written down, by method: none where it has written nothing that can be read.
fn earlier_peaks(folder: &RunFolder) -> HashMap<String, u64> {
    let text = std::fs::read_to_string(folder.path().join("summary.json")).unwrap_or_default();
    let summary: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let results = summary["results"].as_array().into_iter().flatten();
    results.filter_map(|own| Some((own["method"].as_str()?.to_string(), own["peak_memory_bytes"].as_u64()?))).collect()
}

/// What its picture is called.
pub fn title(summary: &Summary) -> String {
    if let Some(name) = &summary.outside_chip {
        return format!("{} on {name}", summary.dataset);
    }
    let Summary { dataset, chip, chip_seed, .. } = summary;
    match summary.results.iter().map(|result| result.share_model as u64).max() {
        Some(count) if count > 1 => {
            format!(
                "{dataset} on {count} chips of kind {chip}, numbers {chip_seed} to {}",
                chip_seed.saturating_add(count - 1)
            )
        }
        Some(_) | None => format!("{dataset} on a chip of kind {chip}, number {chip_seed}"),
    }
}
