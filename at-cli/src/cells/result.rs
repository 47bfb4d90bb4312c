//! `result.json`: all that a finished cell leaves.

use crate::export::scores;
use crate::methods;
use crate::session::metrics::Row;
use crate::session::summary::{End, MethodResult, PreparationCost, Summary, valid_misfit};
use crate::settings::RunSettings;
use crate::work::seconds;
use at_core::chip::Accesses;
use at_core::cost::ChipSize;
use at_core::data::Chance;
use at_core::training::{Evaluation, MethodName, Record};
use serde::{Deserialize, Serialize};

/// The outcome of one cell. Scores are the chip's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellResult {
    /// Of the program that trained it.
    pub version: String,
    /// The name of its cell, which follows from all that its numbers depend on; none in files of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
    /// The settings, complete.
    pub settings: RunSettings,
    /// The method.
    pub method: MethodName,
    /// The chip.
    pub chip_seed: u64,
    /// The data set's name.
    pub dataset: String,
    /// What a reader must know of the data.
    pub dataset_note: Option<String>,
    /// What makes one doubt the result.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What guessing reaches on the test samples; none in files of earlier versions.
    #[serde(default)]
    pub chance: Option<Chance>,
    /// How many training and test samples there are; none in files of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<[usize; 2]>,
    /// What the classes are called, where they have names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_names: Option<Vec<String>>,
    /// The size of the chip, as far as costs depend on it.
    pub chip_size: ChipSize,
    /// The chip on the training samples, at the end.
    pub train: Evaluation,
    /// The chip on the test samples, at the end.
    pub test: Evaluation,
    /// What has crossed the chip's interface, the last writing of the controls included.
    pub accesses: Accesses,
    /// One record per epoch.
    pub records: Vec<Record>,
    /// How far the readouts of the method's model lie from the chip's at the end, ‖m − c‖/‖c‖; none where it has no model, and in files of
    /// earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misfit: Option<f64>,
    /// Device and precision.
    pub engine: String,
    /// Time spent on it; what a killed process did since its last note is missing.
    pub wall_seconds: f64,
}

impl CellResult {
    /// Errs where a number is none that a training leaves: the file was edited or is damaged.
    pub fn validate(&self) -> Result<(), String> {
        methods::known(self.method)?;
        self.chip_size.validate()?;
        self.chance.map_or(Ok(()), |chance| chance.validate())?;
        self.train.validate().map_err(|reason| format!("train: {reason}"))?;
        self.test.validate().map_err(|reason| format!("test: {reason}"))?;
        self.accesses.validate()?;
        self.records.iter().try_for_each(Record::validate)?;
        if self.records.iter().any(|record| record.method != self.method) {
            return Err(format!("a record is not of {}", self.method));
        }
        if self.records.windows(2).any(|pair| pair[0].epoch >= pair[1].epoch) {
            return Err("its epochs are not in order".to_string());
        }
        valid_misfit(self.misfit)?;
        seconds("wall_seconds", self.wall_seconds)
    }

    /// The same as a run of `asyt train` would tell it, where all of that is kept.
    pub fn summary(&self) -> Option<Summary> {
        let [train_samples, test_samples] = self.samples?;
        let text = |setting: &Option<String>| setting.clone().unwrap_or_default();
        let end = End { records: &self.records, train: self.train, test: self.test, accesses: self.accesses };
        let (engine, share) = (self.engine.clone(), self.settings.share_model.unwrap_or(1));
        let preparation = self.settings.prepare.as_deref().and_then(|text| text.parse().ok());
        let preparation = PreparationCost::of(preparation, &self.records);
        let own = MethodResult::new(self.method, self.chip_seed, share, &end, self.wall_seconds, engine);
        Some(Summary {
            version: self.version.clone(),
            preset: text(&self.settings.preset),
            dataset: self.dataset.clone(),
            dataset_note: self.dataset_note.clone(),
            class_names: self.class_names.clone(),
            notes: self.notes.clone(),
            train_samples,
            test_samples,
            chip: text(&self.settings.chip),
            outside_chip: None,
            judged_by: self.test.judged_by,
            chance: self.chance,
            controls: self.chip_size.controls,
            inputs: Some(self.chip_size.inputs),
            cells: self.chip_size.cells,
            others: self.chip_size.others,
            seed: self.settings.seed.unwrap_or_default(),
            chip_seed: self.chip_seed,
            results: vec![MethodResult { misfit: self.misfit, preparation, ..own }],
        })
    }

    /// A row per epoch; of the time only that of the whole is known.
    pub fn rows(&self) -> Vec<Row> {
        self.records.iter().map(|record| Row::new(record, self.chip_seed, self.wall_seconds)).collect()
    }

    /// As in the file, where scores are called by their name.
    pub fn named(&self) -> serde_json::Value {
        let value = serde_json::to_value(self).expect("a result has only strings and numbers");
        scores::named(value, self.test.judged_by)
    }

    /// Score on the test samples after the last epoch.
    pub fn score(&self) -> f64 {
        self.test.score
    }

    /// The accesses of a training that ends with epoch `record`: its own, and the last writing of the controls.
    pub fn accesses_at(&self, record: &Record) -> Accesses {
        let last = self.records.last().map_or(self.accesses.control_writes, |last| last.accesses.control_writes);
        let writes = self.accesses.control_writes.saturating_sub(last);
        Accesses { control_writes: record.accesses.control_writes.saturating_add(writes), ..record.accesses }
    }

    /// The first epoch after which the chip's score on the test samples is `target` or better.
    pub fn reaches(&self, target: f64) -> Option<&Record> {
        self.records.iter().find(|record| record.judged_by.reaches(record.test_score, target))
    }
}
