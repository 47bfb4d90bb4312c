//! The folder of `asyt train`, as far as it is.

use super::snapshot::{Snapshot, State, Training, best, held, silence};
use crate::methods;
use crate::session::metrics::{self, Row};
use crate::session::plot;
use crate::session::summary::Summary;
use crate::settings;
use anyhow::{Context, Result};
use at_core::files::own;
use at_core::training::{MethodName, Score};
use std::path::{Path, PathBuf};

/// Longest summary that is read (bytes).
const LARGEST_SUMMARY: u64 = 1 << 26;

/// A pace is that of so many epochs, the last ones.
const RECENT: usize = 20;

/// The run, and what of it does not change.
pub struct Run {
    folder: PathBuf,
    methods: Vec<MethodName>,
    epochs: usize,
    first_chip: u64,
    /// Chips that share the model of `at`.
    fleet: usize,
}

impl Run {
    /// The run in `folder`, by its settings.
    pub fn open(folder: &Path) -> Result<Self> {
        let settings = settings::read_own(&folder.join("config.toml"))?;
        let names = settings.method.unwrap_or_default();
        let methods = names.iter().map(|name| methods::find(name)).collect::<Result<_>>()?;
        Ok(Run {
            folder: folder.to_path_buf(),
            methods,
            epochs: settings.epochs.unwrap_or_default(),
            first_chip: settings.chip_seed.unwrap_or_default(),
            fleet: settings.share_model.unwrap_or(1),
        })
    }

    /// How far it is.
    pub fn look(&mut self) -> Result<Snapshot> {
        let Run { folder, methods, epochs, .. } = &*self;
        let rows = metrics::read(&folder.join("metrics.csv"))?;
        let summary = self.summary()?;
        let locked = held(&folder.join(".lock"));
        let curves = plot::trainings(methods, &rows);
        let mut trainings: Vec<Training> = Vec::new();
        for &method in methods {
            let own: Vec<_> = curves.iter().filter(|curve| curve.method == method).collect();
            if own.is_empty() {
                trainings.push(self.waiting(method));
            }
            for curve in own {
                let rows: Vec<&Row> = rows.iter().filter(|row| curve.has(row)).collect();
                let result = summary.as_ref().and_then(|summary| {
                    summary.results.iter().find(|own| (own.method, own.chip_seed) == (method, curve.chip))
                });
                let misfit = result.and_then(|result| result.misfit);
                trainings.push(self.training(&curve.label, method, &rows, misfit));
            }
        }
        let complete = |training: &Training| training.done.0 >= *epochs;
        let told = summary.as_ref().is_some_and(|summary| {
            methods.iter().all(|method| summary.results.iter().any(|result| result.method == *method))
        });
        let state = match (trainings.iter().all(complete) && told, locked) {
            (true, _) => State::Finished,
            (false, true) => State::Running,
            (false, false) => State::Interrupted,
        };
        // of chips that share a model all are trained in the same time
        let firsts = || methods.iter().filter_map(|&method| trainings.iter().find(|own| own.method == method));
        let done = firsts().map(|training| training.done.0.min(*epochs)).sum();
        let left = left(&firsts().collect::<Vec<_>>());
        let busy = firsts().find(|training| !complete(training)).map(|training| training.method);
        if state == State::Running {
            trainings.iter_mut().for_each(|training| training.busy = Some(training.method) == busy);
        }
        let files = ["metrics.csv", "config.toml", "summary.json"].map(|file| folder.join(file));
        let checkpoints: Vec<_> = methods.iter().map(|method| folder.join(format!("{method}.safetensors"))).collect();
        Ok(Snapshot {
            title: format!("{}  asyt train", folder.display()),
            state,
            silent: silence(files.iter().chain(&checkpoints).map(PathBuf::as_path)),
            unit: "epochs",
            done: (done, epochs.saturating_mul(methods.len())),
            left,
            score: rows.first().map_or(Score::default(), |row| row.judged_by),
            trainings,
            notes: summary.map(|summary| summary.notes).unwrap_or_default(),
        })
    }

    fn summary(&self) -> Result<Option<Summary>> {
        let path = self.folder.join("summary.json");
        if !path.exists() {
            return Ok(None);
        }
        let text = own::read_text(&path, LARGEST_SUMMARY)?;
        let summary = serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?;
        Ok(Some(summary))
    }

    fn waiting(&self, method: MethodName) -> Training {
        self.training(method.as_str(), method, &[], None)
    }

    fn training(&self, label: &str, method: MethodName, rows: &[&Row], misfit: Option<f64>) -> Training {
        let last = rows.last();
        let score = last.map_or(Score::default(), |row| row.judged_by);
        let points = |of: fn(&Row) -> f64| rows.iter().map(|row| (row.epoch as f64, of(row))).collect();
        let (epochs, alone) = (self.epochs, self.fleet <= 1 || method != MethodName::At);
        let chip = last.map_or(self.first_chip, |row| row.chip_seed);
        let label = if alone { label.to_string() } else { format!("{method}, chip {chip}") };
        Training {
            label,
            method,
            done: (last.map_or(0, |row| row.epoch), epochs),
            busy: false,
            loss: last.map(|row| row.train_loss),
            test: last.map(|row| row.test_score),
            best: best(score, rows.iter().map(|row| row.test_score)),
            misfit,
            pace: pace(rows),
            scores: points(|row| row.test_score),
            losses: points(|row| row.train_loss),
        }
    }
}

/// Seconds for an epoch, of the last ones.
fn pace(rows: &[&Row]) -> Option<f64> {
    let last = rows.last()?;
    let first = rows.len().checked_sub(RECENT + 1).map(|index| rows[index]);
    let (epochs, seconds) = first.map_or((0, 0.0), |row| (row.epoch, row.wall_seconds));
    let taken = (last.wall_seconds - seconds) / last.epoch.saturating_sub(epochs).max(1) as f64;
    (taken.is_finite() && taken >= 0.0).then_some(taken)
}

/// Seconds that are left: each method at its own pace, and those that have none yet at the mean one.
fn left(trainings: &[&Training]) -> Option<f64> {
    let paces: Vec<f64> = trainings.iter().filter_map(|training| training.pace).collect();
    let usual = super::snapshot::mean(&paces)?;
    let rest = |training: &&Training| {
        let (done, all) = training.done;
        all.saturating_sub(done) as f64 * training.pace.unwrap_or(usual)
    };
    Some(trainings.iter().map(rest).sum())
}
