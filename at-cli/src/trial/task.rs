//! From settings to a task: what their data and their files add, before an engine is at work.

use super::RunContents;
use super::stored::StoredSignals;
use crate::failure::{Failure, OrUsage, Outcome};
use crate::memory::{allowed, available};
use crate::network_files::FilesCache;
use crate::plan::Plan;
use crate::settings::RunSettings;
use crate::{activity, engines, fetch, flags, notes};
use anyhow::{Result, ensure};
use at_core::data::{self, Choices, Contents, Dataset, DatasetName, LabelColumn, SampleLimits, Samples, TargetColumns};
use at_core::network::Network;
use at_core::propagator::Simulator;
use at_core::training::Split;
use std::path::PathBuf;

/// RunSettings with all that can be known before a training: explicit spreads, the network's widths, the engine.
pub struct Task {
    /// The plan of these settings.
    pub plan: Plan,
    /// The chip's design.
    pub network: Network,
    /// What the chip has of imperfections, for people.
    pub imperfections: String,
    /// The samples, and what comes from other files.
    pub contents: RunContents,
}

/// Tasks in a row. The data set and the files used last are kept for the next one: each is read once, and its checksum taken once.
#[derive(Default)]
pub struct Tasks {
    last: Option<(Source, Dataset, Contents)>,
    files: FilesCache,
}

/// What decides on the samples.
#[derive(PartialEq)]
struct Source {
    dataset: Option<String>,
    label_column: Option<String>,
    target_columns: Option<Vec<String>>,
    split: Option<String>,
    scale: Option<String>,
    data_dir: Option<PathBuf>,
    data_memory: Option<usize>,
    limits: SampleLimits,
}

impl Tasks {
    /// The task of `settings`. What makes no sense is wrong usage.
    pub fn of(&mut self, settings: RunSettings) -> Outcome<Task> {
        self.complete(Plan::new(settings).or_usage()?)
    }

    /// The plan of `settings` for the samples `data` of a program, which every later question for the data of such settings gets.
    pub fn given(&mut self, settings: RunSettings, data: Dataset) -> Result<Plan> {
        let settings = RunSettings { dataset: Some(data.name.clone()), ..settings };
        let plan = Plan::of_any_data(settings)?;
        data.check()?;
        let data = prepared(&plan, data)?;
        let contents = data.contents()?;
        self.last = Some((source(&plan), data, contents));
        Ok(plan)
    }

    /// Completes `plan` with what its data say.
    pub fn complete(&mut self, mut plan: Plan) -> Outcome<Task> {
        plan.settings.engine = Some(engines::setting(&plan).to_string());
        self.read(&plan)?;
        let Tasks { last, files } = self;
        let (_, data, contents) = last.as_ref().expect("just loaded");
        let network = plan.fit_with(data, files)?;
        let (imperfections, perfect) = plan.imperfections_of(&network).or_usage()?;
        notes::merge(&mut plan.notes, perfect);
        let contents = RunContents { data: contents.clone(), files: plan.files.sums.clone() };
        Ok(Task { plan, network, imperfections, contents })
    }

    /// The data of `plan`.
    pub fn data(&mut self, plan: &Plan) -> Outcome<&Dataset> {
        self.read(plan)?;
        Ok(&self.last.as_ref().expect("just loaded").1)
    }

    fn read(&mut self, plan: &Plan) -> Outcome<()> {
        let source = source(plan);
        if self.last.as_ref().is_none_or(|(last, ..)| *last != source) {
            activity::now("reading the data");
            self.last = None; // two data sets in memory are one too many
            let data = load(plan)?;
            let contents = data.contents()?;
            self.last = Some((source, data, contents));
        }
        Ok(())
    }
}

fn source(plan: &Plan) -> Source {
    let limits = limits(plan);
    let RunSettings { dataset, label_column, target_columns, split, scale, data_dir, data_memory, .. } =
        plan.settings.clone();
    Source { dataset, label_column, target_columns, split, scale, data_dir, data_memory, limits }
}

/// Samples of both parts whose signals are held.
pub fn held_samples(data: &Dataset) -> usize {
    [&data.train, &data.test].into_iter().filter(|samples| !samples.is_stored()).map(Samples::len).sum()
}

fn limits(plan: &Plan) -> SampleLimits {
    SampleLimits { train: plan.settings.train_limit, test: plan.settings.test_limit }
}

/// Features may take this part of the memory that is free: beside them are their signals, twice as many where they are fields, here and
/// on the engine, where numbers may be twice as long.
const SHARE: f64 = 1.0 / 8.0;

/// Bytes that features may take before they are read in parts.
fn memory_for_data(plan: &Plan) -> u64 {
    let megabytes = |count: usize| (count as u64).saturating_mul(1_000_000);
    let free = || allowed().unwrap_or_else(|_| available()); // what is stated wrongly is refused before a run
    plan.settings.data_memory.map_or_else(|| (free() * SHARE) as u64, megabytes)
}

/// The samples `data` that a program has, as `plan` wants them: cut to its limits, and scaled.
pub fn prepared(plan: &Plan, data: Dataset) -> Result<Dataset> {
    ensure!(plan.split.is_none(), "--split parts samples in one piece, and these have two parts already; drop it");
    Ok(fitted(plan, data)?)
}

fn fitted(plan: &Plan, data: Dataset) -> at_core::Result<Dataset> {
    let mut data = data.prepared(limits(plan), plan.scale)?;
    data.notes.iter_mut().for_each(|note| *note = flags::named(note));
    Ok(data)
}

/// The data of `plan`, split where they are in one piece, cut to its limits, and scaled.
pub fn load(plan: &Plan) -> Outcome<Dataset> {
    let settings = &plan.settings;
    let name = settings.dataset.as_deref().unwrap_or_default();
    let source = data::Source { data_dir: settings.data_dir.clone(), cache_dir: fetch::cache_folder() };
    let label = settings.label_column.as_deref().map(str::parse::<LabelColumn>).transpose().or_usage()?;
    let can_be_fetched = name.parse::<DatasetName>().is_ok_and(DatasetName::is_downloadable);
    let targets = settings.target_columns.as_deref().map(TargetColumns::new).transpose().or_usage()?;
    let choices = Choices {
        label: label.as_ref(),
        targets: targets.as_ref(),
        split: plan.split,
        limits: limits(plan),
        memory: Some(memory_for_data(plan)),
    };
    let opened = data::open_chosen(name, &source, &choices).map_err(|error| match error {
        at_core::Error::Invalid { .. } => Failure::Usage(error.into()),
        at_core::Error::NotFound { what, searched, remedy } if can_be_fetched => {
            let remedy = format!("run `asyt data fetch {name}` or {remedy}");
            Failure::Run(at_core::Error::NotFound { what, searched, remedy }.into())
        }
        error => Failure::Run(error.into()),
    });
    fitted(plan, opened?).or_usage()
}

/// Encodes `samples` of `data` and takes them to the engine; those that stay in their files later, batch by batch.
pub fn split<E: Simulator>(
    engine: &E,
    plan: &Plan,
    network: &Network,
    data: &Dataset,
    samples: &Samples,
) -> Result<Split<E>> {
    if samples.is_stored() {
        let input = network.input();
        let signals = StoredSignals::new(samples, plan.encoding, data.image, input.complex, input.width());
        return Ok(match &samples.real {
            Some(real) => Split::reading_values(engine, Box::new(signals), &real.values, real.width, plan.score)?,
            None => Split::reading(engine, Box::new(signals), &samples.labels)?,
        });
    }
    let signals = encoded(plan, network, data, samples)?;
    Ok(match &samples.real {
        Some(real) => Split::of_values(engine, &signals, &real.values, real.width, plan.score)?,
        None => Split::new(engine, &signals, &samples.labels)?,
    })
}

/// `samples` of `data` as the network takes them, `[sample, inputs]`.
pub fn encoded(plan: &Plan, network: &Network, data: &Dataset, samples: &Samples) -> Result<Vec<f32>> {
    let encoded = plan.encoding.encode(samples, data.image)?;
    let encoded = if network.input().complex { encoded.into_complex() } else { encoded };
    Ok(encoded.signals)
}
