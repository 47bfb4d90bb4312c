//! The event files of one training: its records as scalars, each step once.

use super::format;
use anyhow::{Context, Result, ensure};
use at_core::files::{self, own};
use at_core::training::{Record, Step};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// At most this often something is written; an end of whatever kind but a crash writes the rest.
const INTERVAL: Duration = Duration::from_millis(500);

/// The same between two epochs.
const INTERVAL_OF_STEPS: Duration = Duration::from_secs(5);

/// So many steps of a training are logged at most, evenly: TensorBoard draws a thousand points of a curve.
const MOST_STEPS: usize = 2000;

/// How TensorBoard knows its files.
const PREFIX: &str = "events.out.tfevents.";

/// Longest file of an earlier part of a run that is read (bytes): some ten million steps.
const LARGEST: u64 = 1 << 32;

/// A loss that differs from the one that was logged by this share is another run's; the digits of an `f32` are seven.
const OTHER: f64 = 1e-3;

/// The scalars that say which steps are there, and whose they are.
const LOSS: &str = "loss/train";
const MISFIT: &str = "misfit";

/// The scalars of single steps.
const STEP_LOSS: &str = "loss/step";
const STEP_RATE: &str = "learning-rate/step";

/// The event files of one training.
pub struct EventLog {
    folder: PathBuf,
    /// The steps that are there already, from 1 on.
    logged: usize,
    /// The greatest number of a step of the training that is there.
    steps: u64,
    /// So is the misfit.
    misfit: bool,
    /// The file of this process, and its length.
    file: Option<(PathBuf, u64)>,
    /// What is still to be written.
    pending: Vec<u8>,
    written: Option<Instant>,
}

/// After how many steps one is logged, of a training of so many `epochs` with so many `samples` each in batches of `batch`.
pub fn every(epochs: usize, samples: usize, batch: usize) -> usize {
    epochs.saturating_mul(samples.div_ceil(batch.max(1))).div_ceil(MOST_STEPS).max(1)
}

/// The folder of the run in `run` below `log_dir`, by its name. Errs where a `new` one would write among the events of another run.
pub fn folder(log_dir: &Path, run: &Path, new: bool) -> Result<PathBuf> {
    let name = |path: &Path| path.file_name().map(PathBuf::from);
    let name = name(run).or_else(|| name(&run.canonicalize().ok()?));
    let folder = log_dir.join(name.unwrap_or_else(|| PathBuf::from("run")));
    ensure!(
        !new || !begun(&folder)?,
        "{} holds the events of another run; choose another --log-dir, or --out with another name",
        folder.display()
    );
    Ok(folder)
}

/// Whether somebody has written event files to `folder` or to a folder in it.
fn begun(folder: &Path) -> Result<bool> {
    if !folder.exists() {
        return Ok(false);
    }
    let names =
        |folder: &Path| files::names(folder).with_context(|| format!("--log-dir: cannot read {}", folder.display()));
    let has = |names: &[String]| names.iter().any(|name| name.starts_with(PREFIX));
    let own = names(folder)?;
    let inside = own.iter().map(|name| folder.join(name)).filter(|path| path.is_dir());
    Ok(has(&own) || inside.map(|path| names(&path)).collect::<Result<Vec<_>>>()?.iter().any(|names| has(names)))
}

impl EventLog {
    /// The event files in `folder`, made where it is missing, completed by those of the `records` of one chip that they lack. Errs where they
    /// are another training's.
    pub fn open(folder: &Path, records: &[Record]) -> Result<Self> {
        files::create_folders(folder).with_context(|| format!("--log-dir: cannot create {}", folder.display()))?;
        let (mut logged, mut steps, mut misfit) = (0, 0, false);
        for name in files::names(folder)?.iter().filter(|name| name.starts_with(PREFIX)) {
            for event in format::read(&own::read(&folder.join(name), LARGEST)?) {
                for (tag, value) in &event.scalars {
                    misfit |= tag == MISFIT;
                    if tag == STEP_LOSS {
                        steps = steps.max(u64::try_from(event.step).unwrap_or_default());
                    }
                    if tag != LOSS {
                        continue;
                    }
                    let step = usize::try_from(event.step).unwrap_or_default();
                    let known =
                        step.checked_sub(1).and_then(|index| records.get(index)).map(|record| record.train_loss);
                    let same = known.is_none_or(|loss| (loss - f64::from(*value)).abs() <= OTHER * loss.abs());
                    ensure!(
                        same,
                        "{} holds the events of another run: {LOSS} is {value} at step {step}, and this run has {}; choose another --log-dir",
                        folder.display(),
                        known.unwrap_or_default()
                    );
                    logged = logged.max(step);
                }
            }
        }
        let folder = folder.to_path_buf();
        let mut log = EventLog { folder, logged, steps, misfit, file: None, pending: Vec::new(), written: None };
        records.iter().for_each(|record| log.add(record));
        log.flush()?;
        Ok(log)
    }

    /// An epoch is over. It is written soon.
    pub fn epoch(&mut self, record: &Record) -> Result<()> {
        self.add(record);
        if self.written.is_none_or(|written| written.elapsed() >= INTERVAL) {
            return self.flush();
        }
        Ok(())
    }

    /// A step is done. It is written with its epoch, or somewhat sooner. One that is there, of an epoch that is trained again, stays.
    pub fn step(&mut self, step: &Step) -> Result<()> {
        if step.step > self.steps {
            let named = [(STEP_LOSS.to_string(), step.loss), (STEP_RATE.to_string(), step.learning_rate)];
            self.pending.extend(format::scalars(now(), step.step, &named));
            self.steps = step.step;
        }
        match self.written {
            Some(written) if written.elapsed() >= INTERVAL_OF_STEPS => self.flush(),
            Some(_) | None => Ok(()),
        }
    }

    fn add(&mut self, record: &Record) {
        if record.epoch > self.logged {
            self.pending.extend(format::scalars(now(), record.epoch as u64, &scalars(record)));
            self.logged = record.epoch;
        }
    }

    /// The training is over after its last epoch, with this misfit of its model.
    pub fn end(&mut self, misfit: Option<f64>) -> Result<()> {
        if let Some(misfit) = misfit.filter(|_| !self.misfit) {
            self.pending.extend(format::scalars(now(), self.logged as u64, &[(MISFIT.to_string(), misfit)]));
            self.misfit = true;
        }
        self.flush()
    }

    /// Writes what is not written yet.
    pub fn flush(&mut self) -> Result<()> {
        self.written = Some(Instant::now());
        if self.pending.is_empty() {
            return Ok(());
        }
        let (path, length) = match self.file.take() {
            Some(file) => file,
            None => self.create()?,
        };
        own::append(&path, length, &self.pending).context("--log-dir")?;
        self.file = Some((path, length + self.pending.len() as u64));
        self.pending.clear();
        Ok(())
    }

    /// A file of this process's own; those of later processes come behind it in the order of names, as TensorBoard reads them.
    fn create(&self) -> Result<(PathBuf, u64)> {
        let (seconds, process) = (now() as u64, std::process::id());
        let name = |number: usize| self.folder.join(format!("{PREFIX}{seconds:010}.asyt.{process}.{number}"));
        let path = (0..).map(name).find(|path| !path.exists()).expect("numbers do not end");
        let heading = format::heading(now());
        own::write(&path, |draft| draft.write_all(&heading)).context("--log-dir")?;
        Ok((path, heading.len() as u64))
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// The scalars of an epoch, by the names that its numbers have everywhere.
fn scalars(record: &Record) -> Vec<(String, f64)> {
    let score = record.judged_by.key().replace('_', "-");
    let accesses = &record.accesses;
    let count = |count: u64| count as f64;
    let [train, test] = ["train", "test"].map(|part| format!("{score}/{part}"));
    let named = [
        (LOSS, record.train_loss),
        ("loss/test", record.test_loss),
        (&train, record.train_score),
        (&test, record.test_score),
        ("learning-rate", record.learning_rate),
        ("accesses/chip-reads", count(accesses.reads)),
        ("accesses/chip-injections", count(accesses.injections)),
        ("accesses/control-writes", count(accesses.control_writes)),
        ("accesses/digital-passes", count(accesses.digital_passes)),
        ("accesses/digital-backward-passes", count(accesses.digital_backward_passes)),
        ("accesses/digital-flops", count(accesses.digital_flops)),
    ];
    let aligned = record.alignment.map(|cosine| ("alignment", cosine));
    named.into_iter().chain(aligned).map(|(name, value)| (name.to_string(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::format::{Event, read};
    use super::*;
    use at_core::training::{MethodName, Score};

    fn record(epoch: usize) -> Record {
        Record {
            method: MethodName::At,
            chip: 0,
            epoch,
            learning_rate: 0.1,
            train_loss: 1.0 / epoch as f64,
            judged_by: Score::RSquared,
            train_score: 0.3,
            test_loss: 0.4,
            test_score: 0.5,
            accesses: Default::default(),
            alignment: Some(0.75),
            measuring: false,
        }
    }

    /// All events in the order in which TensorBoard reads files.
    fn events(folder: &Path) -> Vec<Event> {
        let mut names = files::names(folder).unwrap();
        names.sort();
        names.iter().flat_map(|name| read(&std::fs::read(folder.join(name)).unwrap())).collect()
    }

    fn steps(folder: &Path, tag: &str) -> Vec<i64> {
        let has = |event: &Event| event.scalars.iter().any(|scalar| scalar.0 == tag);
        events(folder).iter().filter(|event| has(event)).map(|event| event.step).collect()
    }

    #[test]
    fn a_training_that_goes_on_logs_every_step_once_wherever_it_was_cut() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("runs/at-chip-0");
        let records: Vec<Record> = (1..=6).map(record).collect();
        let mut log = EventLog::open(&folder, &[]).unwrap();
        records[..3].iter().for_each(|record| log.epoch(record).unwrap());
        log.flush().unwrap();
        drop(log);
        // killed; the checkpoint is an epoch behind the events, which are trained again to the same numbers
        let mut log = EventLog::open(&folder, &records[..2]).unwrap();
        records[2..4].iter().for_each(|record| log.epoch(record).unwrap());
        drop(log); // killed, and epoch 4 is not written or is; the checkpoint has it
        let mut log = EventLog::open(&folder, &records[..4]).unwrap();
        records[4..].iter().for_each(|record| log.epoch(record).unwrap());
        log.end(Some(0.25)).unwrap();
        let mut log = EventLog::open(&folder, &records).unwrap();
        log.end(Some(0.25)).unwrap();
        for tag in [LOSS, "loss/test", "r-squared/train", "r-squared/test", "learning-rate", "alignment"] {
            assert_eq!(steps(&folder, tag), [1, 2, 3, 4, 5, 6], "{tag}");
        }
        assert_eq!(steps(&folder, MISFIT), [6]);
        assert!(files::names(&folder).unwrap().len() >= 2);
        let first = &events(&folder)[0].scalars;
        assert!(
            first.contains(&("r-squared/test".to_string(), 0.5)) && first.contains(&("alignment".to_string(), 0.75))
        );
    }

    #[test]
    fn steps_are_logged_once_though_their_epoch_is_trained_again() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("at-chip-0");
        let step = |step: u64| Step { chip: 0, step, loss: 1.0 / step as f64, learning_rate: 0.1 };
        let mut log = EventLog::open(&folder, &[]).unwrap();
        (1..=3).for_each(|number| log.step(&step(number)).unwrap());
        log.epoch(&record(1)).unwrap();
        (4..=5).for_each(|number| log.step(&step(number)).unwrap());
        log.flush().unwrap();
        drop(log); // killed in its second epoch
        let mut log = EventLog::open(&folder, &[record(1)]).unwrap();
        (4..=6).for_each(|number| log.step(&step(number)).unwrap());
        log.epoch(&record(2)).unwrap();
        log.end(None).unwrap();
        assert_eq!(steps(&folder, STEP_LOSS), [1, 2, 3, 4, 5, 6]);
        assert_eq!(steps(&folder, STEP_RATE), [1, 2, 3, 4, 5, 6]);
        assert_eq!(steps(&folder, LOSS), [1, 2]);
    }

    #[test]
    fn every_step_of_a_short_run_is_logged_and_of_a_long_one_a_number_that_files_bear() {
        assert_eq!((every(20, 1000, 10), every(20, 1001, 10), every(1, 1, 10)), (1, 2, 1));
        assert_eq!(every(usize::MAX, 10, 1), usize::MAX.div_ceil(MOST_STEPS));
        let one = format::scalars(0.0, 1 << 20, &[(STEP_LOSS.to_string(), 0.1), (STEP_RATE.to_string(), 0.1)]);
        assert!(one.len() * MOST_STEPS < 250_000, "{} bytes a step", one.len());
    }

    #[test]
    fn a_log_that_begins_late_has_the_earlier_steps_and_another_runs_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let records: Vec<Record> = (1..=4).map(record).collect();
        let folder = place.path().join("late/at-chip-0");
        assert!(!begun(place.path()).unwrap() && !begun(&place.path().join("late")).unwrap());
        drop(EventLog::open(&folder, &records).unwrap());
        assert_eq!(steps(&folder, LOSS), [1, 2, 3, 4]);
        assert!(begun(&place.path().join("late")).unwrap());
        let other: Vec<Record> = records.iter().map(|own| Record { train_loss: 2.0, ..*own }).collect();
        let error = EventLog::open(&folder, &other).err().unwrap().to_string();
        assert!(error.contains("events of another run") && error.contains("--log-dir"), "{error}");
        // what other programs left is theirs
        std::fs::write(folder.join("events.out.tfevents.9999999999.other"), "no events").unwrap();
        drop(EventLog::open(&folder, &records).unwrap());
        assert_eq!(steps(&folder, LOSS), [1, 2, 3, 4]);
    }
}
