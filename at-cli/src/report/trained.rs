//! A run as it lies in its folder, with the chip made again from its seed.

use super::confusion::Confusion;
use crate::methods;
use crate::plan::Plan;
use crate::session::metrics::{self, Row};
use crate::session::summary::Summary;
use crate::settings::{self, RunSettings};
use crate::trial::{Fingerprint, RunContents, encoded, load};
use anyhow::{Context, Result, anyhow, ensure};
use at_core::chip::{Chip, Fabrication};
use at_core::cpu::Cpu;
use at_core::data::Dataset;
use at_core::files::own;
use at_core::network::Network;
use at_core::propagator::Propagator;
use at_core::training::MethodName;
use std::path::Path;

/// Samples that cross the chip together.
const BATCH: usize = 500;

/// Longest file of a run's settings or results (bytes): some hundred thousand results.
const LARGEST_RECORD: u64 = 1 << 26;

/// What the files of a run say.
pub struct RunFiles {
    /// The folder's name.
    pub name: String,
    /// All settings.
    pub settings: RunSettings,
    /// The file of the settings.
    pub config: String,
    /// The results; methods that are not finished are missing.
    pub summary: Summary,
    /// One row per method and epoch.
    pub rows: Vec<Row>,
}

impl RunFiles {
    /// Reads the folder of `asyt train`.
    pub fn read(run: &Path) -> Result<Self> {
        let text = |file: &str| own::read_text(&run.join(file), LARGEST_RECORD);
        ensure!(
            run.join("config.toml").exists() && run.join("metrics.csv").exists(),
            "{} is no run of asyt train: it has no config.toml with metrics.csv",
            run.display()
        );
        let summary = text("summary.json").context("no method of the run is finished; continue it with --resume")?;
        let damaged = || format!("{} is damaged", run.join("summary.json").display());
        let summary: Summary = serde_json::from_str(&summary).with_context(damaged)?;
        summary.validate().map_err(|reason| anyhow!(reason)).with_context(damaged)?;
        let name = run.canonicalize().unwrap_or_else(|_| run.to_path_buf());
        Ok(RunFiles {
            name: name.file_name().unwrap_or(name.as_os_str()).to_string_lossy().into_owned(),
            settings: settings::read_own(&run.join("config.toml"))?,
            config: text("config.toml")?,
            summary,
            rows: metrics::read(&run.join("metrics.csv"))?,
        })
    }

    /// The names of methods that have rows, in the order of the settings.
    pub fn methods(&self) -> Vec<MethodName> {
        let named = self.settings.method.iter().flatten().filter_map(|name| methods::find(name).ok());
        named.filter(|method| self.rows.iter().any(|row| row.method == *method)).collect()
    }
}

/// The task, the chip, and what was trained.
pub struct TrainedChip {
    /// The settings, understood.
    pub plan: Plan,
    /// The task.
    pub data: Dataset,
    /// The chip's design.
    pub network: Network,
    /// The chip's imperfections, for people.
    pub imperfections: String,
    /// The imperfections.
    pub fabrication: Fabrication,
    /// The controls first programmed.
    pub initial: Vec<f64>,
    /// The controls of every method, as its checkpoint has them.
    pub controls: Vec<(MethodName, Vec<f64>)>,
}

impl TrainedChip {
    /// Loads the data and makes the chip of `files`, whose folder is `run`. `data_dir` wins over the run's own.
    pub fn load(run: &Path, files: &RunFiles, data_dir: Option<&Path>) -> Result<Self> {
        let data_dir = data_dir.map(Path::to_path_buf).or_else(|| files.settings.data_dir.clone());
        let plan = Plan::new(RunSettings { data_dir, ..files.settings.clone() }.of_a_kept_run())?;
        let data = load(&plan).map_err(crate::failure::Failure::into_error)?;
        Self::of(run, files, plan, data)
    }

    /// [`TrainedChip::load`] for a program that has the samples.
    pub fn with_data(run: &Path, files: &RunFiles, data: Dataset) -> Result<Self> {
        let plan = Plan::of_any_data(files.settings.clone().of_a_kept_run())?;
        let data = data.limit(plan.settings.train_limit, plan.settings.test_limit)?;
        Self::of(run, files, plan, data)
    }

    fn of(run: &Path, files: &RunFiles, mut plan: Plan, data: Dataset) -> Result<Self> {
        ensure!(!plan.settings.has_outside_chip(), "it came from outside, and nobody knows its inside");
        let network = plan.fit(&data).map_err(crate::failure::Failure::into_error)?;
        let imperfections = plan.imperfections_of(&network)?;
        let fabrication = plan.fabricate(&network, plan.settings.chip_seed.unwrap_or_default())?;
        let initial = plan.initial_controls(&network)?;
        let contents = RunContents { data: data.contents(), files: plan.files.sums.clone() };
        let fingerprint = Fingerprint::new(&plan, contents)?;
        let mut controls = Vec::new();
        for method in files.methods() {
            let path = run.join(format!("{method}.safetensors"));
            if let (Some(saved), _) = fingerprint.open(&path)? {
                let values = saved.controls().ok_or_else(|| anyhow!("{} holds no controls", path.display()))?;
                controls.push((method, values.to_vec()));
            }
        }
        Ok(TrainedChip { plan, data, network, imperfections, fabrication, initial, controls })
    }

    /// What the chip, programmed with `controls` after the first ones, reads of every test sample: `[sample, outputs]`.
    pub fn readouts(&self, controls: &[f64]) -> Result<Vec<f32>> {
        let engine = Cpu::<f32>::new();
        let signals = self.signals()?;
        let (width, outputs) = (self.network.input().width(), self.network.outputs());
        let mut chip = Chip::new(&engine, &self.network, &self.fabrication)?;
        for values in [&self.initial[..], controls] {
            chip.program(&values.iter().map(|&value| value as f32).collect())?;
        }
        let mut all = Vec::with_capacity(signals.len() / width * outputs);
        let mut readout = vec![0.0; BATCH * outputs];
        for fields in signals.chunks(BATCH * width) {
            let batch = fields.len() / width;
            chip.propagate(&fields.to_vec(), batch, &mut readout)?;
            all.extend_from_slice(&readout[..batch * outputs]);
        }
        Ok(all)
    }

    /// The chip, programmed with `controls` after the first ones, recognises every test sample.
    pub fn confusion(&self, controls: &[f64]) -> Result<Confusion> {
        let classes = self.data.classes;
        let mut confusion = Confusion::new(classes);
        let readouts = self.readouts(controls)?;
        for (read, &label) in readouts.chunks(self.network.outputs()).zip(&self.data.test.labels) {
            let answer = (0..classes).max_by(|&a, &b| read[a].total_cmp(&read[b])).unwrap_or(0);
            confusion.add(label as usize, answer);
        }
        Ok(confusion)
    }

    /// Encoded test samples, `[sample, inputs]`.
    pub fn signals(&self) -> Result<Vec<f32>> {
        encoded(&self.plan, &self.network, &self.data, &self.data.test)
    }
}
