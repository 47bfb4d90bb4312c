//! Results as numbers: per point and method, over the chips.

use super::grid::Point;
use super::request::Request;
use crate::cells::{CellResult, Ending};
use crate::export::scores;
use crate::intervals;
use crate::settings::RunSettings;
use at_core::chip::Accesses;
use at_core::cost::{Bill, CostModel};
use at_core::data::Chance;
use at_core::statistics::Estimate;
use at_core::training::{MethodName, Score};
use serde::Serialize;

/// `compare.json` and `sweep.json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Of this program.
    pub version: String,
    /// `compare` or `sweep`.
    pub command: String,
    /// The settings of the first point.
    pub settings: RunSettings,
    /// What a reader must know of the data.
    pub dataset_note: Option<String>,
    /// What makes one doubt the results; what one cell has is named with it where others have it not.
    pub notes: Vec<String>,
    /// The chips' seeds.
    pub chip_seeds: Vec<u64>,
    /// What the scores are, by which they are also named here.
    #[serde(skip_serializing_if = "Score::is_of_classes")]
    pub judged_by: Score,
    /// The score of [`ToTarget`].
    pub target: f64,
    /// Name or file of the cost model.
    pub cost_model_name: String,
    /// Its constants.
    pub cost_model: CostModel,
    /// Names of what varies.
    pub vary: Vec<String>,
    /// One per point of the grid.
    pub points: Vec<PointReport>,
    /// Cells without a result.
    pub failures: Vec<FailedCell>,
}

/// A cell without a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedCell {
    /// Its name.
    pub cell: String,
    /// What went wrong.
    pub reason: String,
}

/// One point of the grid.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PointReport {
    /// The values of what varies.
    pub values: Vec<String>,
    /// One per method with at least one result.
    pub methods: Vec<MethodReport>,
    /// One per method of which at least one training diverged; those have no part in its score.
    pub diverged: Vec<Diverged>,
    /// What guessing reaches; none of cells of earlier versions.
    pub chance: Option<Chance>,
}

/// Trainings of one method that diverged at one point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diverged {
    /// The method.
    pub method: MethodName,
    /// On how many chips.
    pub chips: usize,
    /// How the first one did.
    pub reason: String,
}

impl PointReport {
    /// On how many chips the training of `method` diverged.
    pub fn diverged(&self, method: MethodName) -> usize {
        self.diverged.iter().find(|own| own.method == method).map_or(0, |own| own.chips)
    }
}

/// One method at one point, over the chips. Costs are means per chip.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MethodReport {
    /// The method.
    pub method: MethodName,
    /// Score on the test samples after the last epoch.
    pub score: Estimate,
    /// The 95 % interval of its mean, which stays where scores can be ([`intervals::interval`]); none of a single chip.
    pub interval: Option<(f64, f64)>,
    /// The same, chip by chip.
    pub scores: Vec<f64>,
    /// Mean over the chips of the score after each chip's best epoch.
    pub best_score: f64,
    /// Epochs done.
    pub epochs: usize,
    /// Counts at the interface, rounded means over the chips.
    pub accesses: Accesses,
    /// Modelled time (s) and energy (J) of the training. None for an oracle, which no chip can run.
    pub cost: Option<Cost>,
    /// Until the target score.
    pub to_target: ToTarget,
    /// Seconds that the simulation took.
    pub wall_seconds: f64,
    /// How far the readouts of its model lie from the chips'; none where it has no model, and of cells of earlier versions.
    pub misfit: Option<Misfit>,
    /// Mean over the chips of the cosine between the method's step and the true gradient, epoch by epoch.
    pub alignment: Vec<f64>,
}

/// How far the readouts of a method's model lie from its chips' at the end, ‖m − c‖/‖c‖.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Misfit {
    /// Over the chips.
    #[serde(flatten)]
    pub estimate: Estimate,
    /// The 95 % interval of its mean, which is not below 0 ([`intervals::above_zero`]); none of a single chip.
    pub interval: Option<(f64, f64)>,
    /// Chip by chip.
    pub by_chip: Vec<f64>,
}

impl Misfit {
    /// Of all chips; none where it is known of none.
    fn of(chips: &[&CellResult]) -> Option<Self> {
        let by_chip: Vec<f64> = chips.iter().filter_map(|result| result.misfit).collect();
        let estimate = Estimate::of(&by_chip)?;
        Some(Misfit { estimate, interval: intervals::above_zero(&estimate), by_chip })
    }
}

/// Modelled costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// Sum of all times.
    pub time_s: f64,
    /// Sum of all energies.
    pub energy_j: f64,
    /// The terms.
    #[serde(flatten)]
    pub bill: Bill,
}

/// What it takes until the target score, means over the chips. None: infinite, as at least one chip never reached it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ToTarget {
    /// Chips that reached it.
    pub reached: usize,
    /// Epochs.
    pub epochs: Option<f64>,
    /// Modelled seconds; also none for an oracle.
    pub time_s: Option<f64>,
    /// Modelled joules; also none for an oracle.
    pub energy_j: Option<f64>,
}

/// The numbers of a share's interval in percent: `11.2 to 13.4`.
pub fn percents((low, high): (f64, f64)) -> String {
    format!("{:.1} to {:.1}", 100.0 * low, 100.0 * high)
}

/// `ideal` looks into the chip, which only a simulator can; what it would cost has no meaning.
pub fn is_oracle(method: MethodName) -> bool {
    method == MethodName::Ideal
}

impl Report {
    /// Of cells that ended like this, in the order of the points' cells.
    pub fn new(request: &Request, points: &[Point], endings: &[Ending]) -> Self {
        let first = &points[0].settings;
        let done = endings.iter().filter(|ending| matches!(ending, Ending::Done(_))).count();
        let finished =
            endings.iter().find_map(|ending| if let Ending::Done(result) = ending { Some(result) } else { None });
        let judged_by = finished.map_or(Score::Accuracy, |result| result.test.judged_by);
        let mut endings = endings.iter();
        let mut failures = Vec::new();
        let mut note = None;
        let mut doubts: Vec<(String, Vec<String>)> = Vec::new();
        let points = points.iter().map(|point| {
            let mut results: Vec<&CellResult> = Vec::new();
            let mut diverged: Vec<Diverged> = Vec::new();
            for (index, ending) in (0..point.cells.len()).zip(endings.by_ref()) {
                let name = || point.cells.get(index).name;
                match ending {
                    Ending::Done(result) => {
                        for text in &result.notes {
                            match doubts.iter_mut().find(|(known, _)| known == text) {
                                Some((_, cells)) => cells.push(name()),
                                None => doubts.push((text.clone(), vec![name()])),
                            }
                        }
                        results.push(result);
                    }
                    Ending::Diverged(reason) => {
                        let method = point.cells.method(index);
                        match diverged.iter_mut().find(|own| own.method == method) {
                            Some(own) => own.chips += 1,
                            None => diverged.push(Diverged { method, chips: 1, reason: reason.clone() }),
                        }
                    }
                    Ending::Failed(reason) => {
                        failures.push(FailedCell { cell: name(), reason: reason.clone() });
                    }
                    Ending::Open => {}
                }
            }
            note = note.take().or_else(|| results.first().and_then(|result| result.dataset_note.clone()));
            let chance = results.first().and_then(|result| result.chance);
            PointReport { values: point.values.clone(), methods: methods(request, &results), diverged, chance }
        });
        let points = points.collect();
        let seed = first.chip_seed.unwrap_or_default();
        Report {
            version: env!("CARGO_PKG_VERSION").to_string(),
            command: request.command.clone(),
            settings: first.clone(),
            dataset_note: note,
            notes: doubts.into_iter().map(|(text, cells)| of_cells(&text, &cells, done)).collect(),
            chip_seeds: (0..request.chips).map(|chip| seed.saturating_add(chip)).collect(),
            judged_by,
            target: request.target,
            cost_model_name: request.cost_model_name.clone(),
            cost_model: request.cost_model,
            vary: request.vary.iter().map(super::grid::Vary::name).collect(),
            points,
            failures,
        }
    }

    /// As text, ending with a line feed.
    pub fn to_json(&self) -> String {
        let value = serde_json::to_value(self).expect("a report has only strings and numbers");
        format!("{:#}\n", scores::named(value, self.judged_by))
    }
}

/// A doubt with the cells that have it, unless all have it.
fn of_cells(text: &str, cells: &[String], done: usize) -> String {
    match cells {
        cells if cells.len() == done => text.to_string(),
        [cell] => format!("{cell}: {text}"),
        [first, ..] => format!("{first} and {} others: {text}", cells.len() - 1),
        [] => text.to_string(),
    }
}

fn methods(request: &Request, results: &[&CellResult]) -> Vec<MethodReport> {
    let mut names: Vec<MethodName> = Vec::new();
    results.iter().map(|result| result.method).for_each(|name| {
        if !names.contains(&name) {
            names.push(name);
        }
    });
    let of = |name| results.iter().copied().filter(|result| result.method == name).collect::<Vec<_>>();
    names.into_iter().filter_map(|name| method(request, name, &of(name))).collect()
}

fn method(request: &Request, name: MethodName, chips: &[&CellResult]) -> Option<MethodReport> {
    let scores: Vec<f64> = chips.iter().map(|result| result.score()).collect();
    let best = |result: &CellResult| {
        let after = result.records.iter().map(|record| record.test_score);
        after.fold(result.score(), |one, other| result.test.judged_by.better(one, other))
    };
    let bill = |result: &CellResult, accesses: &Accesses| request.cost_model.bill(accesses, &result.chip_size);
    let cost = (!is_oracle(name)).then(|| {
        let bills: Vec<Bill> = chips.iter().map(|result| bill(result, &result.accesses)).collect();
        let bill = Bill::mean(&bills);
        Cost { time_s: bill.time.total(), energy_j: bill.energy.total(), bill }
    });
    let reached: Vec<_> = chips.iter().filter_map(|result| Some((result, result.reaches(request.target)?))).collect();
    let to_all = |value: &dyn Fn(&CellResult, &at_core::training::Record) -> f64| {
        (reached.len() == chips.len()).then(|| mean(reached.iter().map(|(result, record)| value(result, record))))
    };
    let costed = |value: &dyn Fn(&Bill) -> f64| {
        let at = |result: &CellResult, record: &_| value(&bill(result, &result.accesses_at(record)));
        to_all(&at).filter(|_| !is_oracle(name))
    };
    let epochs = chips.iter().map(|result| result.records.len()).max().unwrap_or(0);
    let aligned = |epoch: usize| {
        let cosines = chips.iter().filter_map(|result| result.records.get(epoch)?.alignment).collect::<Vec<_>>();
        (!cosines.is_empty()).then(|| mean(cosines.into_iter()))
    };
    let score = Estimate::of(&scores)?;
    let judged_by = chips.first().map_or(Score::Accuracy, |result| result.test.judged_by);
    Some(MethodReport {
        method: name,
        score,
        interval: intervals::interval(judged_by, &score),
        scores,
        best_score: mean(chips.iter().map(|result| best(result))),
        epochs,
        accesses: mean_accesses(chips),
        cost,
        to_target: ToTarget {
            reached: reached.len(),
            epochs: to_all(&|_, record| record.epoch as f64),
            time_s: costed(&|bill| bill.time.total()),
            energy_j: costed(&|bill| bill.energy.total()),
        },
        wall_seconds: mean(chips.iter().map(|result| result.wall_seconds)),
        misfit: Misfit::of(chips),
        alignment: (0..epochs).map_while(aligned).collect(),
    })
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

/// Count by count, whatever counts there are.
fn mean_accesses(chips: &[&CellResult]) -> Accesses {
    let counts = |result: &&CellResult| serde_json::to_value(result.accesses).expect("accesses are numbers");
    let all: Vec<serde_json::Value> = chips.iter().map(counts).collect();
    let Some(serde_json::Value::Object(mut sum)) = all.first().cloned() else { return Accesses::default() };
    for (name, value) in &mut sum {
        let total: u128 = all.iter().map(|counts| u128::from(counts[name].as_u64().unwrap_or_default())).sum();
        let mean = (total + all.len() as u128 / 2) / all.len() as u128;
        *value = u64::try_from(mean).unwrap_or(u64::MAX).into();
    }
    serde_json::from_value(sum.into()).expect("they were accesses")
}
