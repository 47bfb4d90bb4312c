//! What there is to see of a run at one moment.

use super::grid::Grid;
use super::run::Run;
use crate::comparison::Request;
use crate::eta::Eta;
use anyhow::{Result, bail};
use at_core::training::{MethodName, Score};
use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// Whether somebody works on a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A process holds its lock.
    Running,
    /// All of it is done.
    Finished,
    /// Something is left to do, and nobody does it.
    Interrupted,
}

impl State {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Finished => "finished",
            State::Interrupted => "interrupted",
        }
    }
}

/// One training of `asyt train`, or those of a method at one point of a comparison or sweep, with means over what there is.
#[derive(Clone, Debug, PartialEq)]
pub struct Training {
    /// Its name in the table and beside its curve.
    pub label: String,
    /// Its method.
    pub method: MethodName,
    /// What is done of it, and all of it: epochs, or cells.
    pub done: (usize, usize),
    /// It is being worked on.
    pub busy: bool,
    /// Of the last epoch.
    pub loss: Option<f64>,
    /// The chip on the test samples after the last epoch.
    pub test: Option<f64>,
    /// The same after the best epoch.
    pub best: Option<f64>,
    /// Between its model and the chip at the end.
    pub misfit: Option<f64>,
    /// Seconds for an epoch, or for a cell.
    pub pace: Option<f64>,
    /// Epochs, and the score after them.
    pub scores: Vec<(f64, f64)>,
    /// Epochs, and the training loss in them.
    pub losses: Vec<(f64, f64)>,
}

/// A run at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The folder and the command that began it.
    pub title: String,
    /// Whether it goes on.
    pub state: State,
    /// Seconds since something was written to it.
    pub silent: Option<f64>,
    /// What is counted: epochs or cells.
    pub unit: &'static str,
    /// How many are done, and how many there are.
    pub done: (usize, usize),
    /// Seconds that a running one still takes, as far as its pace tells.
    pub left: Option<f64>,
    /// What the scores are.
    pub score: Score,
    /// The trainings.
    pub trainings: Vec<Training>,
    /// What went wrong or makes one doubt.
    pub notes: Vec<String>,
}

/// A run that is looked at again and again.
pub struct Watched {
    kind: Kind,
    began: Instant,
    eta: Eta,
}

/// By the command that began it.
enum Kind {
    Run(Run),
    Grid(Box<Grid>),
}

impl Watched {
    /// The run in `folder`. Errs where there is none that has begun.
    pub fn open(folder: &Path) -> Result<Self> {
        let kind = if Request::path(folder).is_file() {
            Kind::Grid(Box::new(Grid::open(folder)?))
        } else if folder.join("config.toml").is_file() {
            Kind::Run(Run::open(folder)?)
        } else if folder.join("cell.toml").is_file() {
            bail!("{} is a cell; watch the run that it is part of, two folders above", folder.display())
        } else {
            bail!(
                "{} is no run of asyt train, compare or sweep: it has neither config.toml nor request.json",
                folder.display()
            )
        };
        Ok(Watched { kind, began: Instant::now(), eta: Eta::default() })
    }

    /// How far it is now. Errs where a file of it is damaged.
    pub fn look(&mut self) -> Result<Snapshot> {
        let mut snapshot = match &mut self.kind {
            Kind::Run(run) => run.look()?,
            Kind::Grid(grid) => grid.look()?,
        };
        if snapshot.state != State::Running {
            snapshot.left = None;
        }
        // counts down between two epochs, and does not jump with every one
        let (done, all) = snapshot.done;
        let counted = self.eta.left(self.began.elapsed().as_secs_f64(), all.saturating_sub(done) as f64);
        let settled = self.began.elapsed() > Duration::from_secs(10) && snapshot.state == State::Running;
        snapshot.left = counted.filter(|_| settled).or(snapshot.left);
        Ok(snapshot)
    }
}

/// Whether a process holds the lock that is the file `path`. It is let go at once: whoever wants it meanwhile asks more than once.
pub fn held(path: &Path) -> bool {
    let file = path.symlink_metadata().is_ok_and(|found| found.is_file()).then(|| File::open(path).ok()).flatten();
    file.is_some_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Seconds since the last of these files was written.
pub fn silence<'a>(files: impl IntoIterator<Item = &'a Path>) -> Option<f64> {
    let written = files.into_iter().filter_map(|file| file.metadata().ok()?.modified().ok()).max()?;
    Some(SystemTime::now().duration_since(written).map_or(0.0, |since| since.as_secs_f64()))
}

/// The best of these scores.
pub fn best(score: Score, values: impl Iterator<Item = f64>) -> Option<f64> {
    values.max_by(|a, b| score.compare(*a, *b))
}

/// The mean; none of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
