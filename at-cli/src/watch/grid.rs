//! The folder of a comparison or a sweep, as far as its cells are. The cells that there are tell of themselves; how many there will be
//! follows from the request.

use super::snapshot::{Snapshot, State, Training, best, held, mean, silence};
use crate::cells::{Store, shard};
use crate::comparison::Request;
use crate::methods;
use crate::settings::{self, RunSettings};
use anyhow::{Context, Result};
use at_core::files;
use at_core::training::{Checkpoint, MethodName, Record, Score};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// More points of a curve are not kept: a terminal has no more columns.
const POINTS: usize = 512;

/// So many failures are named.
const NAMED: usize = 3;

/// The run, and what is known of its cells.
pub struct Grid {
    folder: PathBuf,
    request: Request,
    store: Store,
    methods: Vec<MethodName>,
    first_chip: u64,
    cells: BTreeMap<String, Seen>,
}

/// A cell.
struct Seen {
    method: MethodName,
    /// The values of what varies, as settings files write them.
    point: Vec<String>,
    /// Its curve and numbers, up to its last look.
    curve: Curve,
    status: Status,
    /// When its checkpoint was written, as of the last look at it.
    checkpoint: Option<SystemTime>,
}

#[derive(Clone, Debug, PartialEq)]
enum Status {
    Waiting,
    Busy,
    Done,
    /// Without a result, for good or for now, and why.
    Without(String),
}

/// What is kept of the records of a cell.
#[derive(Default)]
struct Curve {
    judged_by: Score,
    points: Vec<(f64, f64, f64)>,
    best: Option<f64>,
    misfit: Option<f64>,
    seconds: Option<f64>,
}

impl Curve {
    fn of(records: &[Record]) -> Self {
        let records: Vec<&Record> = records.iter().filter(|record| record.chip == 0).collect();
        let judged_by = records.first().map_or(Score::default(), |record| record.judged_by);
        let step = records.len().div_ceil(POINTS).max(1);
        let kept = records.iter().enumerate().filter(|(index, _)| index % step == 0 || index + 1 == records.len());
        let points = kept.map(|(_, own)| (own.epoch as f64, own.test_score, own.train_loss)).collect();
        let best = best(judged_by, records.iter().map(|record| record.test_score));
        Curve { judged_by, points, best, ..Curve::default() }
    }
}

impl Grid {
    /// The run in `folder`, by its request.
    pub fn open(folder: &Path) -> Result<Self> {
        let request = Request::any(folder)?;
        let config = folder.join("config.toml");
        let settings = match &request.config {
            Some(text) => settings::parse(text).context("the settings in request.json")?,
            None => settings::read_own(&config)?,
        };
        let names = settings.method.unwrap_or_default();
        let methods = names.iter().map(|name| methods::find(name)).collect::<Result<_>>()?;
        let (folder, store) = (folder.to_path_buf(), Store::new(folder.join("cells")));
        let first_chip = settings.chip_seed.unwrap_or_default();
        Ok(Grid { folder, request, store, methods, first_chip, cells: BTreeMap::new() })
    }

    /// How far it is.
    pub fn look(&mut self) -> Result<Snapshot> {
        self.request = Request::any(&self.folder)?; // a run that goes on may have more chips
        let mut notes = Vec::new();
        for name in files::names(self.store.path()).unwrap_or_default() {
            // a folder that is being made has no settings yet
            if !self.store.path().join(&name).join("cell.toml").exists() {
                continue;
            }
            if let Err(error) = self.look_at(&name) {
                notes.push(format!("{name}: {}", crate::failure::in_a_line(&error)));
            }
        }
        let points: usize = self.request.vary.iter().map(|vary| vary.values.len()).product();
        let all = points.saturating_mul(self.methods.len()).saturating_mul(self.request.chips as usize);
        let ended = |seen: &&Seen| matches!(seen.status, Status::Done | Status::Without(_));
        let done = self.cells.values().filter(ended).count().min(all);
        let busy = self.cells.values().filter(|seen| seen.status == Status::Busy).count();
        let paces: Vec<f64> = self.cells.values().filter_map(|seen| seen.curve.seconds).collect();
        let pace = mean(&paces);
        let left = pace.map(|seconds| seconds * (all - done) as f64 / busy.max(1) as f64);
        let locked = busy > 0 || held(&self.folder.join(".lock")) || shard::any_alive(&self.folder);
        let state = match (done >= all, locked) {
            (true, _) => State::Finished,
            (false, true) => State::Running,
            (false, false) => State::Interrupted,
        };
        let without = self.cells.iter().filter_map(|(name, seen)| match &seen.status {
            Status::Without(reason) => Some(format!("{name}: {reason}")),
            Status::Waiting | Status::Busy | Status::Done => None,
        });
        let without: Vec<String> = without.collect();
        notes.extend(without.iter().take(NAMED).cloned());
        if without.len() > NAMED {
            notes.push(format!("{} more cells have no result", without.len() - NAMED));
        }
        let judged_by = self.cells.values().find(|seen| !seen.curve.points.is_empty()).map(|seen| seen.curve.judged_by);
        let written = self.cells.keys().map(|name| self.store.path().join(name)).chain([Request::path(&self.folder)]);
        let written: Vec<PathBuf> = written.collect();
        Ok(Snapshot {
            title: format!("{}  asyt {}", self.folder.display(), self.request.command),
            state,
            silent: silence(written.iter().map(PathBuf::as_path)),
            unit: "cells",
            done: (done, all),
            left,
            score: judged_by.unwrap_or_default(),
            trainings: self.trainings(),
            notes,
        })
    }

    /// Learns what is new of one cell.
    fn look_at(&mut self, name: &str) -> Result<()> {
        if !self.cells.contains_key(name) {
            let settings = self.store.settings(name)?;
            let own = settings.method.as_ref().and_then(|methods| methods.first()).context("a cell has one method")?;
            let method = methods::find(own)?;
            let chip = settings.chip_seed.unwrap_or_default();
            let point = self.point(&settings)?;
            let (curve, status) = (Curve::default(), Status::Waiting);
            // of a request that has become smaller
            if !(self.first_chip..self.first_chip.saturating_add(self.request.chips)).contains(&chip) {
                return Ok(());
            }
            self.cells.insert(name.to_string(), Seen { method, point, curve, status, checkpoint: None });
        }
        let (store, folder) = (&self.store, self.store.path().join(name));
        let Some(seen) = self.cells.get_mut(name).filter(|seen| seen.status != Status::Done) else { return Ok(()) };
        if let Some(result) = store.result(name)? {
            seen.curve = Curve::of(&result.records);
            (seen.curve.misfit, seen.curve.seconds) = (result.misfit, Some(result.wall_seconds));
            seen.status = Status::Done;
            return Ok(());
        }
        let busy = held(&folder.join(".lock"));
        seen.status = match store.divergence(name).or_else(|| store.failure(name)) {
            Some(reason) if !busy => Status::Without(reason),
            Some(_) | None if busy => Status::Busy,
            Some(_) | None => Status::Waiting,
        };
        let checkpoint = folder.join("checkpoint.safetensors");
        let written = checkpoint.metadata().and_then(|found| found.modified()).ok();
        if written.is_some() && written != seen.checkpoint {
            // it may have given way to a result just now
            if let Ok(state) = Checkpoint::open(&checkpoint) {
                seen.curve = Curve::of(&state.records);
            }
            seen.checkpoint = written;
        }
        Ok(())
    }

    /// The values of what varies in these settings.
    fn point(&self, settings: &RunSettings) -> Result<Vec<String>> {
        let table = toml::Table::try_from(settings).context("settings")?;
        let value = |name: &String| match table.get(name) {
            Some(toml::Value::String(text)) => text.clone(),
            Some(toml::Value::Array(values)) => values
                .iter()
                .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_string))
                .collect::<Vec<_>>()
                .join(","),
            Some(value) => value.to_string(),
            None => "-".to_string(),
        };
        let values = self.request.vary.iter().filter_map(|vary| vary.names.first());
        Ok(values.map(value).collect())
    }

    /// Of every method at every point of which there is a cell, in the order of the request; of a comparison also those that have none yet.
    fn trainings(&self) -> Vec<Training> {
        let place = |seen: &Seen| {
            let values = seen.point.iter().zip(&self.request.vary);
            let place = values.map(|(own, vary)| vary.values.iter().position(|value| value == own));
            place.map(|place| place.unwrap_or(usize::MAX)).collect::<Vec<_>>()
        };
        let order = |method| self.methods.iter().position(|own| *own == method);
        let mut groups: BTreeMap<_, (String, MethodName, Vec<&Seen>)> = BTreeMap::new();
        for seen in self.cells.values() {
            let point = seen.point.join(" ");
            let group = groups.entry((place(seen), point.clone(), order(seen.method)));
            group.or_insert((point, seen.method, Vec::new())).2.push(seen);
        }
        if self.request.vary.is_empty() {
            for &method in &self.methods {
                groups.entry((Vec::new(), String::new(), order(method))).or_insert((String::new(), method, Vec::new()));
            }
        }
        groups.into_values().map(|(point, method, cells)| self.training(&point, method, &cells)).collect()
    }

    fn training(&self, point: &str, method: MethodName, cells: &[&Seen]) -> Training {
        let done: Vec<&&Seen> = cells.iter().filter(|seen| seen.status == Status::Done).collect();
        let ended = cells.iter().filter(|seen| matches!(seen.status, Status::Done | Status::Without(_))).count();
        // a mean of what is comparable: of whole cells where there are some, else of those that are under way
        let shown: Vec<&Curve> = match done.is_empty() {
            true => cells.iter().map(|seen| &seen.curve).collect(),
            false => done.iter().map(|seen| &seen.curve).collect(),
        };
        let lasts = |of: fn(&(f64, f64, f64)) -> f64| {
            mean(&shown.iter().filter_map(|curve| curve.points.last().map(of)).collect::<Vec<_>>())
        };
        let of = |of: fn(&Curve) -> Option<f64>| mean(&shown.iter().filter_map(|&curve| of(curve)).collect::<Vec<_>>());
        let curve = |of: fn(&(f64, f64, f64)) -> f64| {
            let mut all: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
            for point in shown.iter().flat_map(|curve| &curve.points) {
                all.entry(point.0 as u64).or_default().push(of(point));
            }
            all.into_iter().filter_map(|(epoch, values)| Some((epoch as f64, mean(&values)?))).collect()
        };
        Training {
            label: [point, method.as_str()].join(" ").trim_start().to_string(),
            method,
            done: (ended, self.request.chips as usize),
            busy: cells.iter().any(|seen| seen.status == Status::Busy),
            loss: lasts(|point| point.2),
            test: lasts(|point| point.1),
            best: of(|curve| curve.best),
            misfit: of(|curve| curve.misfit),
            pace: of(|curve| curve.seconds),
            scores: curve(|point| point.1),
            losses: curve(|point| point.2),
        }
    }
}
