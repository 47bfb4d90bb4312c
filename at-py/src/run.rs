//! Trainings, on a thread of their own: the calling one looks for Ctrl-C, and tells of what came up.

use crate::bench::{PythonChip, way};
use crate::data::Data;
use crate::failure::{Raised, failed};
use at_cli::library::{self, Audience, Failure, Finished, Listener, Outcome, RunPlace, Start};
use at_core::training::{MethodName, Record};
use pyo3::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the calling thread looks for Ctrl-C and for what it shall tell.
const TICK: Duration = Duration::from_millis(50);

/// The names that settings have in files, which are those of the flags.
#[pyfunction]
pub fn settings_names() -> Vec<String> {
    library::keys()
}

/// The program with these arguments, of which the first is its own name; `again` starts another process of it. Gives its exit code.
#[pyfunction]
pub fn program(py: Python<'_>, arguments: Vec<OsString>, again: Vec<OsString>) -> u8 {
    if let [program, before @ ..] = &again[..] {
        library::started_by(PathBuf::from(program), before.to_vec());
    }
    let code = py.detach(|| at_cli::main_with(arguments));
    // an exit code tells nobody its number
    (0..=u8::MAX).find(|&number| std::process::ExitCode::from(number) == code).unwrap_or(1)
}

/// What has come up since the calling thread last looked.
#[derive(Default)]
struct News {
    /// The method at work, its epochs done and all of them.
    at: Option<(String, usize, usize)>,
    /// Batches of this epoch, done and all.
    batch: (usize, usize),
    /// Loss and score of the last epoch.
    last: Option<(f64, f64)>,
    notes: Vec<String>,
    changed: bool,
}

/// Between the two threads.
#[derive(Default)]
struct Desk {
    stop: AtomicBool,
    news: Mutex<News>,
}

impl Desk {
    fn with<R>(&self, change: impl FnOnce(&mut News) -> R) -> R {
        change(&mut self.news.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Listener for Desk {
    fn begin(&self, method: MethodName, done: usize, epochs: usize) {
        self.with(|news| {
            (news.at, news.batch, news.last, news.changed) =
                (Some((method.to_string(), done, epochs)), (0, 0), None, true);
        });
    }

    fn batch(&self, done: usize, total: usize) {
        self.with(|news| (news.batch, news.changed) = ((done, total), true));
    }

    fn epoch(&self, record: &Record) {
        self.with(|news| {
            if let Some((_, done, _)) = &mut news.at {
                *done = record.epoch;
            }
            (news.batch, news.last, news.changed) = ((0, 0), Some((record.train_loss, record.test_score)), true);
        });
    }

    fn note(&self, text: &str) {
        self.with(|news| (news.changed, _) = (true, news.notes.push(text.to_string())));
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Tells Python what has come up: `tell(notes, (method, done, epochs), (batch, batches), (loss, score))`.
fn tell(py: Python<'_>, desk: &Desk, tell: &Bound<'_, PyAny>) -> PyResult<()> {
    let (notes, at, batch, last, changed) = desk.with(|news| {
        (std::mem::take(&mut news.notes), news.at.clone(), news.batch, news.last, std::mem::take(&mut news.changed))
    });
    if changed {
        tell.call1((notes, at, batch, last))?;
    }
    py.check_signals()
}

/// Trains as `asyt train` does with these settings (TOML), in the folder `out`, or on in the folder `resume`; `data` takes the place of
/// the settings' own, and `chip`, an object, that of a simulated one. Gives `summary.json`.
///
/// An exception that `told` raises, and Ctrl-C, end the training after its step; what its folder has of epochs stays.
#[pyfunction]
#[pyo3(signature = (settings, data, chip, out, resume, save_chip, log_dir, told))]
pub fn train(
    py: Python<'_>,
    settings: &str,
    data: Option<Bound<'_, Data>>,
    chip: Option<Bound<'_, PyAny>>,
    out: Option<PathBuf>,
    resume: Option<PathBuf>,
    save_chip: Option<PathBuf>,
    log_dir: Option<PathBuf>,
    told: &Bound<'_, PyAny>,
) -> PyResult<String> {
    let mut given = library::parse(settings).map_err(Failure::Usage).raised()?;
    let chip = chip.map(|object| PythonChip::new(&object)).transpose()?.map(way);
    if chip.is_some() && resume.is_none() {
        given.chip_command = Some(library::OF_THE_PROGRAM.to_string());
    }
    let data = data.map(|data| data.get().0.clone());
    let desk = Arc::new(Desk::default());
    let (sender, mut receiver) = channel();
    let work = {
        let desk = desk.clone();
        move |over: Sender<Outcome<Finished>>| {
            let run = move || {
                let (settings, followed) = match &resume {
                    Some(run) => (library::resumed(run, &given)?, None),
                    None => match &data {
                        Some(data) => library::resolved_for(&given, data)?,
                        None => library::resolved(&given)?,
                    },
                };
                let place = match &resume {
                    Some(run) => RunPlace::Earlier(run),
                    None => RunPlace::New(out.as_deref()),
                };
                let (save_chip, log_dir) = (save_chip.as_deref(), log_dir.as_deref());
                let audience = Audience::Program(&*desk);
                library::start(Start { settings, followed, data, chip, place, save_chip, log_dir, audience })
            };
            let _ = over.send(run());
        }
    };
    let thread = std::thread::Builder::new().name("asyt".to_string()).spawn(move || work(sender));
    let thread = thread.map_err(|error| failed(format!("a thread to train on: {error}")))?;
    let mut wanted: Option<PyErr> = None;
    let mut looked = Instant::now();
    let ended = loop {
        let ours = &mut receiver; // another thread must not have it meanwhile
        let message = py.detach(move || ours.recv_timeout(TICK.saturating_sub(looked.elapsed())));
        looked = Instant::now();
        if let Err(error) = tell(py, &desk, told)
            && wanted.is_none()
        {
            desk.stop.store(true, Ordering::Relaxed);
            wanted = Some(error);
        }
        match message {
            Ok(outcome) => break Some(outcome),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break None,
        }
    };
    let joined = py.detach(|| thread.join());
    let outcome = match (ended, joined) {
        (Some(outcome), Ok(())) => outcome,
        (Some(_) | None, _) => {
            return Err(failed("the training panicked, which is a fault of asyt: see the message on stderr"));
        }
    };
    match (wanted, outcome) {
        (Some(error), _) => Err(error),
        (None, outcome) => Ok(outcome.raised()?.summary.to_json()),
    }
}
