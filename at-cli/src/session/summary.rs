//! `summary.json`: the outcome of a run for programs.

use crate::export::scores;
use crate::methods;
use crate::plan::{Plan, Share};
use crate::work::seconds;
use at_core::chip::Accesses;
use at_core::cost::{ChipSize, Others};
use at_core::data::{Chance, Dataset};
use at_core::link::Times;
use at_core::network::Network;
use at_core::ranks::Traffic;
use at_core::training::methods::Preparation;
use at_core::training::{Evaluation, MethodName, Outcome, Record, Score};
use serde::{Deserialize, Serialize};

/// The whole summary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Of this program.
    pub version: String,
    /// Where the settings began.
    pub preset: String,
    /// Name of the data set.
    pub dataset: String,
    /// What a reader must know of the data.
    pub dataset_note: Option<String>,
    /// What the classes are called, in the order of their numbers, where they have names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_names: Option<Vec<String>>,
    /// What makes one doubt the results: what was taken although it can hardly be meant.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Training samples.
    pub train_samples: usize,
    /// Test samples.
    pub test_samples: usize,
    /// The kind of chip.
    pub chip: String,
    /// What its driver calls a chip from outside, of which `chip` is the data sheet that digital models know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside_chip: Option<String>,
    /// What the scores are, by which they are also named here; accuracy in files of earlier versions.
    #[serde(default, skip_serializing_if = "Score::is_of_classes")]
    pub judged_by: Score,
    /// What guessing reaches on the test samples; none of real targets, and in files of earlier versions.
    #[serde(default)]
    pub chance: Option<Chance>,
    /// Number of controls of the chip.
    pub controls: usize,
    /// Inputs of the chip that are lit at once; none in files of earlier versions.
    #[serde(default)]
    pub inputs: Option<usize>,
    /// Controls that are pairs of non-volatile cells.
    #[serde(default, skip_serializing_if = "none")]
    pub cells: usize,
    /// What the other controls are, as far as costs depend on it; none in files of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others: Option<Others>,
    /// Of the first controls and the order of the samples.
    pub seed: u64,
    /// Of the chip.
    pub chip_seed: u64,
    /// One per method, and for every chip where several share a model.
    pub results: Vec<MethodResult>,
}

fn none(count: &usize) -> bool {
    *count == 0
}

/// The outcome of one method. Scores are the chip's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MethodResult {
    /// The method.
    pub method: MethodName,
    /// The chip's number.
    #[serde(default)]
    pub chip_seed: u64,
    /// Chips that shared its digital model; of the work of that model each has its share.
    #[serde(default = "alone")]
    pub share_model: usize,
    /// After the last epoch.
    #[serde(alias = "final_test_accuracy", alias = "final_test_r_squared", alias = "final_test_mean_square_error")]
    pub final_test_score: f64,
    /// After the best epoch.
    #[serde(alias = "best_test_accuracy", alias = "best_test_r_squared", alias = "best_test_mean_square_error")]
    pub best_test_score: f64,
    /// After the last epoch.
    #[serde(alias = "final_train_accuracy", alias = "final_train_r_squared", alias = "final_train_mean_square_error")]
    pub final_train_score: f64,
    /// Epochs done.
    pub epochs: usize,
    /// Time spent, earlier parts of a resumed run included.
    pub wall_seconds: f64,
    /// Device and precision.
    pub engine: String,
    /// Values read from the chip.
    pub chip_reads: u64,
    /// Hidden values written into the chip.
    pub chip_injections: u64,
    /// Controls written.
    pub control_writes: u64,
    /// Samples sent forward through digital models.
    pub digital_passes: u64,
    /// Samples whose error was carried back through digital models.
    pub digital_backward_passes: u64,
    /// Real operations of digital models.
    pub digital_flops: u64,
    /// All counts, from which costs follow; none in files of earlier versions.
    #[serde(default)]
    pub accesses: Option<Accesses>,
    /// What a chip from outside took, as measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chip_times: Option<ChipTimes>,
    /// How far the readouts of the method's model lie from the chip's at the end, ‖m − c‖/‖c‖; none where it has no model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misfit: Option<f64>,
    /// What ranks have exchanged; none of a run on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Exchange>,
    /// The most memory of this computer that the program had asked for at any time of the training, of rank 0 where there are several, in the process
    /// that ended the run; none in files of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory_bytes: Option<u64>,
    /// What its first epochs were and took, where they were trained on the computer; all other counts hold it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preparation: Option<PreparationCost>,
}

/// What was done before a method went to the chip.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreparationCost {
    /// The method that prepared.
    pub method: MethodName,
    /// Epochs of the run that were its own.
    pub epochs: usize,
    /// What they counted: work of the computer, and nothing of the chip.
    pub accesses: Accesses,
    /// On the test samples, where it handed over.
    #[serde(alias = "test_accuracy", alias = "test_r_squared", alias = "test_mean_square_error")]
    pub test_score: f64,
}

impl PreparationCost {
    /// That of a run with these `records`, one per epoch; none where there was no preparation, or it is not over.
    pub fn of(preparation: Option<Preparation>, records: &[Record]) -> Option<Self> {
        let Preparation { method, epochs } = preparation?;
        let last = records.get(epochs.checked_sub(1)?)?;
        Some(PreparationCost { method, epochs, accesses: last.accesses, test_score: last.test_score })
    }
}

/// What rank 0 has exchanged with the others for a method, in the process that ended the run; evaluations are part of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// Ranks.
    pub ranks: usize,
    /// What they shared.
    pub share: Share,
    /// Sums, gatherings and messages to all.
    pub operations: u64,
    /// Values that were summed or gathered.
    pub values: u64,
    /// Time in them, waiting for slower ranks included.
    pub exchange_seconds: f64,
    /// Time of copies between a device and memory for them.
    pub copy_seconds: f64,
}

impl Exchange {
    /// From what was exchanged before a method and after it.
    pub fn between(ranks: usize, share: Share, before: &Traffic, after: &Traffic) -> Self {
        Exchange {
            ranks,
            share,
            operations: after.operations - before.operations,
            values: after.values - before.values,
            exchange_seconds: (after.time - before.time).as_secs_f64(),
            copy_seconds: (after.copies - before.copies).as_secs_f64(),
        }
    }
}

/// How a training ended.
pub struct End<'a> {
    /// One per epoch.
    pub records: &'a [Record],
    /// The chip on the training samples, at the end.
    pub train: Evaluation,
    /// The chip on the test samples, at the end.
    pub test: Evaluation,
    /// What has crossed the chip's interface.
    pub accesses: Accesses,
}

impl<'a> From<&'a Outcome> for End<'a> {
    fn from(outcome: &'a Outcome) -> Self {
        End { records: &outcome.records, train: outcome.train, test: outcome.test, accesses: outcome.accesses }
    }
}

/// Where the time went at a chip from outside, in the process that ended the run; evaluations are part of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChipTimes {
    /// Times that controls were written.
    pub programs: u64,
    /// From the request to the answer, of these: transfer and settling.
    pub program_seconds: f64,
    /// Batches that were sent.
    pub batches: u64,
    /// From the request to the answer, of these.
    pub send_seconds: f64,
    /// What the driver says that the chip itself took of both; the rest is transfer and waiting.
    pub busy_seconds: f64,
    /// Values of controls that were moved by whole periods into their range.
    pub turned_controls: usize,
    /// Values of controls that were written at an end of their range instead.
    pub held_controls: usize,
}

impl From<Times> for ChipTimes {
    fn from(times: Times) -> Self {
        ChipTimes {
            programs: times.programs,
            program_seconds: times.programming.as_secs_f64(),
            batches: times.batches,
            send_seconds: times.sending.as_secs_f64(),
            busy_seconds: times.busy.as_secs_f64(),
            turned_controls: times.placed.turned,
            held_controls: times.placed.held,
        }
    }
}

/// Errs where a number of things is more than any run has.
fn numbers(named: &[(&str, usize)]) -> Result<(), String> {
    const MOST: usize = 1 << 40;
    let wrong = named.iter().find(|(_, number)| *number > MOST);
    wrong.map_or(Ok(()), |(name, number)| Err(format!("{name} = {number} is not valid: must be at most {MOST}")))
}

/// Errs where a misfit is none.
pub fn valid_misfit(misfit: Option<f64>) -> Result<(), String> {
    let wrong = misfit.filter(|misfit| !(0.0..=f64::MAX).contains(misfit));
    wrong.map_or(Ok(()), |misfit| Err(format!("misfit = {misfit:?} is not valid: must be from 0")))
}

fn alone() -> usize {
    1
}

impl MethodResult {
    fn validate(&self, by: Score) -> Result<(), String> {
        let values = [
            ("final_test_score", self.final_test_score),
            ("best_test_score", self.best_test_score),
            ("final_train_score", self.final_train_score),
        ];
        values.into_iter().try_for_each(|(key, value)| by.validate(&scores::name(key, by), value))?;
        methods::known(self.method)?;
        seconds("wall_seconds", self.wall_seconds)?;
        if let Some(times) = &self.chip_times {
            seconds("program_seconds", times.program_seconds)?;
            seconds("send_seconds", times.send_seconds)?;
            seconds("busy_seconds", times.busy_seconds)?;
        }
        if let Some(exchange) = &self.exchange {
            seconds("exchange_seconds", exchange.exchange_seconds)?;
            seconds("copy_seconds", exchange.copy_seconds)?;
            numbers(&[("ranks", exchange.ranks)])?;
        }
        if let Some(preparation) = &self.preparation {
            methods::known(preparation.method)?;
            preparation.accesses.validate()?;
            by.validate("test_score", preparation.test_score)?;
            numbers(&[("epochs", preparation.epochs)])?;
        }
        valid_misfit(self.misfit)?;
        numbers(&[("share_model", self.share_model), ("epochs", self.epochs)])?;
        let told = Accesses {
            reads: self.chip_reads,
            injections: self.chip_injections,
            control_writes: self.control_writes,
            digital_passes: self.digital_passes,
            digital_backward_passes: self.digital_backward_passes,
            digital_flops: self.digital_flops,
            ..Accesses::default()
        };
        told.validate()?;
        self.accesses.unwrap_or_default().validate()
    }

    /// What it is called in a table: `at`, or `at, chip 3`.
    pub fn label(&self) -> String {
        match self.share_model {
            1 => self.method.to_string(),
            _ => format!("{}, chip {}", self.method, self.chip_seed),
        }
    }

    /// The result of a method with this `end` on chip number `chip_seed`, one of `share_model`.
    pub fn new(
        method: MethodName,
        chip_seed: u64,
        share_model: usize,
        end: &End,
        wall_seconds: f64,
        engine: String,
    ) -> Self {
        let by = end.test.judged_by;
        let after = end.records.iter().map(|record| record.test_score);
        let best = after.fold(end.test.score, |one, other| by.better(one, other));
        MethodResult {
            method,
            chip_seed,
            share_model,
            final_test_score: end.test.score,
            best_test_score: best,
            final_train_score: end.train.score,
            epochs: end.records.len(),
            wall_seconds,
            engine,
            chip_reads: end.accesses.reads,
            chip_injections: end.accesses.injections,
            control_writes: end.accesses.control_writes,
            digital_passes: end.accesses.digital_passes,
            digital_backward_passes: end.accesses.digital_backward_passes,
            digital_flops: end.accesses.digital_flops,
            accesses: Some(end.accesses),
            chip_times: None,
            misfit: None,
            exchange: None,
            peak_memory_bytes: None,
            preparation: None,
        }
    }
}

impl Summary {
    /// A summary without results yet.
    pub fn new(plan: &Plan, data: &Dataset, network: &Network, chance: Option<Chance>) -> Self {
        let settings = &plan.settings;
        let text = |setting: &Option<String>| setting.clone().unwrap_or_default();
        let size = ChipSize::of(network);
        Summary {
            version: env!("CARGO_PKG_VERSION").to_string(),
            preset: text(&settings.preset),
            dataset: data.name.clone(),
            dataset_note: data.note.clone(),
            class_names: data.class_names.clone(),
            notes: Vec::new(),
            train_samples: data.train.len(),
            test_samples: data.test.len(),
            chip: text(&settings.chip),
            outside_chip: None,
            judged_by: plan.score,
            chance,
            controls: network.controls(),
            inputs: Some(network.interface().whole.at_once),
            cells: size.cells,
            others: size.others,
            seed: settings.seed.unwrap_or_default(),
            chip_seed: settings.chip_seed.unwrap_or_default(),
            results: Vec::new(),
        }
    }

    /// What costs depend on besides the chip's use.
    pub fn chip_size(&self) -> ChipSize {
        ChipSize { controls: self.controls, inputs: self.inputs.unwrap_or(1), cells: self.cells, others: self.others }
    }

    /// Errs where a number is none that a run writes: the file was edited or is damaged.
    pub fn validate(&self) -> Result<(), String> {
        self.chip_size().validate()?;
        numbers(&[("train_samples", self.train_samples), ("test_samples", self.test_samples)])?;
        self.chance.map_or(Ok(()), |chance| chance.validate())?;
        self.results.iter().try_for_each(|result| {
            result.validate(self.judged_by).map_err(|reason| format!("{}: {reason}", result.label()))
        })
    }

    /// As text, ending with a line feed.
    pub fn to_json(&self) -> String {
        let value = serde_json::to_value(self).expect("a summary has only strings and numbers");
        format!("{:#}\n", scores::named(value, self.judged_by))
    }
}
