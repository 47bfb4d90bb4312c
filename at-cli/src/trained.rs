//! A run as it lies in its folder, with the chip made again from its seed.

use crate::cells::Store;
use crate::methods;
use crate::names::unknown;
use crate::plan::Plan;
use crate::session::metrics::{self, Row};
use crate::session::summary::Summary;
use crate::settings::{self, RunSettings};
use crate::trial::{Fingerprint, RunContents, encoded, load, prepared};
use anyhow::{Context, Result, anyhow, ensure};
use at_core::chip::Chip;
use at_core::cpu::Cpu;
use at_core::data::Dataset;
use at_core::fabrication::Fabrication;
use at_core::files::own;
use at_core::network::Network;
use at_core::propagator::Propagator;
use at_core::training::methods::{ESTIMATE, MEASURING, Standing};
use at_core::training::{Checkpoint, MethodName};
use std::path::{Path, PathBuf};

/// Samples that cross the chip together.
const BATCH: usize = 500;

/// Longest file of a run's settings or results (bytes): some hundred thousand results.
const LARGEST_RECORD: u64 = 1 << 26;

/// The settings of a run, and of a cell.
const CONFIG: &str = "config.toml";
const CELL: &str = "cell.toml";

/// What the files of a run say.
pub struct RunFiles {
    /// The folder's name.
    pub name: String,
    /// All settings.
    pub settings: RunSettings,
    /// The file of the settings, and its name.
    pub config: (&'static str, String),
    /// The results; methods that are not finished are missing.
    pub summary: Summary,
    /// One row per method and epoch.
    pub rows: Vec<Row>,
}

impl RunFiles {
    /// The file in `folder` that says what was asked for, where it is a run of `asyt train` or a cell of a comparison.
    pub fn settings_file(folder: &Path) -> Option<PathBuf> {
        [CONFIG, CELL].map(|file| folder.join(file)).into_iter().find(|file| file.is_file())
    }

    /// Reads the folder of `asyt train`, or of a cell of `asyt compare` and `asyt sweep`. Errs where nothing of it is finished.
    pub fn read(run: &Path) -> Result<Self> {
        let files = Self::with(run, None)?;
        let go_on = run.display();
        files.with_context(|| format!("no method of the run is finished; continue with: asyt train --resume {go_on}"))
    }

    /// The same, also where no method of a run is finished: then the summary has no results yet, and says what follows from the
    /// settings and the data, for which `data_dir` wins over the run's own place.
    pub fn begun(run: &Path, data_dir: Option<&Path>) -> Result<Self> {
        let found = Self::with(run, None)?;
        match found {
            Some(files) => Ok(files),
            None => {
                let settings = settings::read_own(&run.join(CONFIG))?;
                let (mut plan, data) = opened(&settings, data_dir)?;
                let network = plan.fit(&data).map_err(crate::failure::Failure::into_error)?;
                let summary = Summary::new(&plan, &data, &network, crate::trial::doubts::chance(&data));
                Self::with(run, Some(summary))?.context("the summary was given")
            }
        }
    }

    /// The files, with this summary or that of the folder; none where there is neither.
    fn with(run: &Path, summary: Option<Summary>) -> Result<Option<Self>> {
        let name = run.canonicalize().unwrap_or_else(|_| run.to_path_buf());
        let parent = name.parent().unwrap_or(Path::new("/")).to_path_buf();
        let name = name.file_name().unwrap_or(name.as_os_str()).to_string_lossy().into_owned();
        if run.join(CELL).is_file() {
            return Self::of_cell(&Store::new(parent), name, run).map(Some);
        }
        let text = |file: &str| own::read_text(&run.join(file), LARGEST_RECORD);
        ensure!(run.join(CONFIG).exists(), "{} is no run of asyt train: it has no config.toml", run.display());
        ensure!(
            run.join("metrics.csv").exists(),
            "{} has not finished an epoch; continue with: asyt train --resume {0}",
            run.display()
        );
        let summary = match summary {
            Some(summary) => summary,
            None if !run.join("summary.json").exists() => return Ok(None),
            None => {
                let damaged = || format!("{} is damaged", run.join("summary.json").display());
                let summary: Summary = serde_json::from_str(&text("summary.json")?).with_context(damaged)?;
                summary.validate().map_err(|reason| anyhow!(reason)).with_context(damaged)?;
                summary
            }
        };
        Ok(Some(RunFiles {
            name,
            settings: settings::read_own(&run.join(CONFIG))?,
            config: (CONFIG, text(CONFIG)?),
            summary,
            rows: metrics::read(&run.join("metrics.csv"))?,
        }))
    }

    fn of_cell(store: &Store, name: String, run: &Path) -> Result<Self> {
        let result = store.result(&name)?;
        let result =
            result.with_context(|| format!("the training of cell {name} is not done; continue with --resume"))?;
        let earlier = || format!("cell {name} is of an earlier version, which kept no trained controls; train it anew");
        Ok(RunFiles {
            settings: store.settings(&name)?,
            config: (CELL, own::read_text(&run.join(CELL), LARGEST_RECORD)?),
            summary: result.summary().with_context(earlier)?,
            rows: result.rows(),
            name,
        })
    }

    /// The names of methods that have rows, in the order of the settings.
    pub fn methods(&self) -> Vec<MethodName> {
        let named = self.settings.method.iter().flatten().filter_map(|name| methods::find(name).ok());
        named.filter(|method| self.rows.iter().any(|row| row.method == *method)).collect()
    }
}

/// The plan and the data of a run with these settings.
fn opened(settings: &RunSettings, data_dir: Option<&Path>) -> Result<(Plan, Dataset)> {
    let data_dir = data_dir.map(Path::to_path_buf).or_else(|| settings.data_dir.clone());
    let plan = Plan::new(RunSettings { data_dir, ..settings.clone() }.of_a_kept_run())?;
    let data = load(&plan).map_err(crate::failure::Failure::into_error)?;
    Ok((plan, data))
}

/// What a method has found of the chip's imperfections while it trained.
pub struct Found {
    /// The method.
    pub method: MethodName,
    /// What chip and model are programmed with at the end.
    pub controls: Vec<f64>,
    /// The estimate, ordered as [`at_core::training::methods::learned_model`] has it.
    pub estimate: Vec<f64>,
    /// How it stands.
    pub standing: Standing,
}

/// The task, and what was trained.
pub struct TrainedRun {
    /// The settings, understood.
    pub plan: Plan,
    /// The task.
    pub data: Dataset,
    /// The chip's design.
    pub network: Network,
    /// The controls first programmed.
    pub initial: Vec<f64>,
    /// The controls of every method, as its checkpoint has them.
    pub controls: Vec<(MethodName, Vec<f64>)>,
    /// What those methods that estimate the chip know of it, from the same files.
    pub found: Vec<Found>,
}

impl TrainedRun {
    /// Loads the data and the checkpoints of `files`, whose folder is `run`. `data_dir` wins over the run's own.
    pub fn load(run: &Path, files: &RunFiles, data_dir: Option<&Path>) -> Result<Self> {
        let (plan, data) = opened(&files.settings, data_dir)?;
        Self::of(run, files, plan, data)
    }

    /// [`TrainedRun::load`] for a program that has the samples.
    pub fn with_data(run: &Path, files: &RunFiles, data: Dataset) -> Result<Self> {
        let plan = Plan::of_any_data(files.settings.clone().of_a_kept_run())?;
        let data = prepared(&plan, data)?;
        Self::of(run, files, plan, data)
    }

    fn of(run: &Path, files: &RunFiles, mut plan: Plan, data: Dataset) -> Result<Self> {
        let network = plan.fit(&data).map_err(crate::failure::Failure::into_error)?;
        let initial = plan.initial_controls(&network)?;
        let contents = RunContents { data: data.contents()?, files: plan.files.sums.clone() };
        let fingerprint = Fingerprint::new(&plan, contents)?;
        let (mut controls, mut found) = (Vec::new(), Vec::new());
        for method in files.methods() {
            let path = run.join(format!("{method}.safetensors"));
            let saved = match plan.settings.has_outside_chip() {
                // what chip it was is part of its fingerprint, and the chip is not here
                true if path.exists() => Some(Checkpoint::open(&path)?),
                true => None,
                false => fingerprint.open(&path)?.0,
            };
            if let Some(saved) = saved {
                let values = saved.controls().ok_or_else(|| anyhow!("{} holds no controls", path.display()))?;
                controls.push((method, values.to_vec()));
                if let Some(estimate) = saved.vector(ESTIMATE)
                    && let Some(standing) = saved.vector(MEASURING).and_then(Standing::of)
                {
                    found.push(Found { method, controls: values.to_vec(), estimate: estimate.to_vec(), standing });
                }
            }
        }
        Ok(TrainedRun { plan, data, network, initial, controls, found })
    }

    /// The method called `name`, or the first one, with its controls. Errs with the names that there are.
    pub fn chosen(&self, name: Option<&str>) -> Result<&(MethodName, Vec<f64>)> {
        let known = || self.controls.iter().map(|(method, _)| method.as_str());
        match name {
            None => self.controls.first().context("the run has no checkpoint"),
            Some(name) => {
                let found = self.controls.iter().find(|(method, _)| method.as_str() == name);
                found.ok_or_else(|| anyhow!("{} in this run", unknown("method", name, known())))
            }
        }
    }

    /// The chip of `fabrication`, programmed with `controls` after the first ones, from which its update errors count.
    pub fn programmed(&self, fabrication: &Fabrication, controls: &[f64]) -> Result<Chip<Cpu<f32>>> {
        let mut chip = Chip::new(&Cpu::new(), &self.network, fabrication)?;
        for values in [&self.initial[..], controls] {
            chip.program(&values.iter().map(|&value| value as f32).collect())?;
        }
        Ok(chip)
    }

    /// What the chip of `fabrication`, programmed with `controls` after the first ones, reads of every test sample: `[sample, outputs]`.
    pub fn readouts(&self, fabrication: &Fabrication, controls: &[f64]) -> Result<Vec<f32>> {
        let (samples, outputs) = (self.data.test.len(), self.network.outputs());
        let mut chip = self.programmed(fabrication, controls)?;
        let mut all = Vec::with_capacity(samples * outputs);
        let mut readout = vec![0.0; BATCH * outputs];
        for start in (0..samples).step_by(BATCH) {
            let batch = BATCH.min(samples - start);
            let order: Vec<u32> = (start as u32..(start + batch) as u32).collect();
            chip.propagate(&self.signals(&order)?, batch, &mut readout)?;
            all.extend_from_slice(&readout[..batch * outputs]);
        }
        Ok(all)
    }

    /// The encoded test samples `order`, `[sample, inputs]`.
    pub fn signals(&self, order: &[u32]) -> Result<Vec<f32>> {
        encoded(&self.plan, &self.network, &self.data, &self.data.test.select(order))
    }
}

/// A run whose chip can be made again.
pub struct TrainedChip {
    /// The run.
    pub run: TrainedRun,
    /// The chip's imperfections, for people.
    pub imperfections: String,
    /// The imperfections.
    pub fabrication: Fabrication,
}

impl TrainedChip {
    /// Makes the chip of a run. Errs where it came from outside.
    pub fn of(run: TrainedRun) -> Result<Self> {
        ensure!(!run.plan.settings.has_outside_chip(), "it came from outside, and nobody knows its inside");
        let (imperfections, _) = run.plan.imperfections_of(&run.network)?;
        let fabrication = run.plan.fabricate(&run.network, run.plan.settings.chip_seed.unwrap_or_default())?;
        Ok(TrainedChip { run, imperfections, fabrication })
    }

    /// What the chip, programmed with `controls` after the first ones, reads of every test sample: `[sample, outputs]`.
    pub fn readouts(&self, controls: &[f64]) -> Result<Vec<f32>> {
        self.run.readouts(&self.fabrication, controls)
    }
}
