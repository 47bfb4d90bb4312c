//! Tables of a comparison and of a sweep, for programs: `compare.csv` or `sweep.csv`, and `epochs.csv`.

use super::report::{MethodReport, Report, is_oracle};
use crate::cells::CellResult;
use anyhow::{Context, Result};
use at_core::cost::{Energy, Time};
use at_core::files::own;
use std::path::Path;

/// One row per point and method. What is infinite is `inf`, what has no meaning is empty.
pub fn methods(path: &Path, report: &Report) -> Result<()> {
    let terms = |names: [&str; 6], what: &str, unit: &str| {
        names.map(|name| format!("{}_{what}_{unit}", name.replace(' ', "_"))).to_vec()
    };
    let mut heading = report.vary.clone();
    heading.extend(HEADING.map(|name| name.replace("score", report.judged_by.key())));
    heading.extend(terms(Time::NAMES, "time", "s"));
    heading.extend(terms(Energy::NAMES, "energy", "j"));
    heading.push("diverged".to_string());
    let columns = heading.len() - report.vary.len();
    let rows = report.points.iter().flat_map(|point| {
        let values = || point.values.iter().cloned();
        let count = |method| point.diverged(method).to_string();
        let own = point
            .methods
            .iter()
            .map(move |method| values().chain(row(method)).chain([count(method.method)]).collect::<Vec<_>>());
        let all = point.diverged.iter().filter(|own| point.methods.iter().all(|method| method.method != own.method));
        let without = all.map(move |own| {
            let named = [own.method.to_string(), "0".to_string()].into_iter();
            let empty = std::iter::repeat_n(String::new(), columns - 3);
            values().chain(named).chain(empty).chain([own.chips.to_string()]).collect()
        });
        own.chain(without)
    });
    write(path, std::iter::once(heading).chain(rows))
}

const HEADING: [&str; 29] = [
    "method",
    "chips",
    "score_mean",
    "score_deviation",
    "score_low",
    "score_high",
    "best_score",
    "epochs",
    "reads",
    "injections",
    "inputs",
    "control_writes",
    "passes",
    "rounds",
    "frames",
    "digital_flops",
    "time_s",
    "energy_j",
    "reached",
    "epochs_to_target",
    "time_to_target_s",
    "energy_to_target_j",
    "wall_seconds",
    "alignment_first",
    "alignment_mean",
    "misfit_mean",
    "misfit_deviation",
    "misfit_low",
    "misfit_high",
];

fn row(method: &MethodReport) -> Vec<String> {
    let (score, accesses, to) = (&method.score, &method.accesses, &method.to_target);
    let text = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let or_infinite = |value: Option<f64>| Some(value.unwrap_or(f64::INFINITY));
    let costed = |value: Option<f64>| or_infinite(value).filter(|_| !is_oracle(method.method));
    let mean = || method.alignment.iter().sum::<f64>() / method.alignment.len() as f64;
    let mut row = vec![method.method.to_string(), score.count.to_string()];
    row.extend([Some(score.mean), score.deviation].map(text));
    row.extend([method.interval.map(|ends| ends.0), method.interval.map(|ends| ends.1)].map(text));
    row.extend([method.best_score.to_string(), method.epochs.to_string()]);
    let counts = [
        accesses.reads,
        accesses.injections,
        accesses.inputs,
        accesses.control_writes,
        accesses.passes,
        accesses.rounds,
        accesses.frames,
        accesses.digital_flops,
    ];
    row.extend(counts.map(|count| count.to_string()));
    row.extend([method.cost.map(|cost| cost.time_s), method.cost.map(|cost| cost.energy_j)].map(text));
    row.push(to.reached.to_string());
    row.extend([or_infinite(to.epochs), costed(to.time_s), costed(to.energy_j), Some(method.wall_seconds)].map(text));
    row.extend([method.alignment.first().copied(), Some(mean()).filter(|mean| mean.is_finite())].map(text));
    let misfit = method.misfit.as_ref();
    let ends = misfit.and_then(|misfit| misfit.interval);
    row.extend(
        [misfit.map(|misfit| misfit.estimate.mean), misfit.and_then(|misfit| misfit.estimate.deviation)].map(text),
    );
    row.extend([ends.map(|ends| ends.0), ends.map(|ends| ends.1)].map(text));
    let terms = method.cost.map(|cost| [cost.bill.time.terms(), cost.bill.energy.terms()].concat());
    match terms {
        Some(terms) => row.extend(terms.into_iter().map(|term| term.to_string())),
        None => row.extend(vec![String::new(); 12]),
    }
    row
}

/// One row per point, method, chip and epoch.
pub fn epochs(path: &Path, report: &Report, results: &[Vec<CellResult>]) -> Result<()> {
    let mut heading = report.vary.clone();
    let names = ["method", "chip_seed", "epoch", "train_loss", "train_score", "test_loss", "test_score", "reads"];
    heading.extend(names.map(|name| name.replace("score", report.judged_by.key())));
    heading.extend(["injections", "control_writes", "time_s", "energy_j", "alignment", "measuring"].map(String::from));
    let rows = report.points.iter().zip(results).flat_map(|(point, results)| {
        results.iter().flat_map(move |result| {
            result.records.iter().map(move |record| {
                let accesses = result.accesses_at(record);
                let bill = report.cost_model.bill(&accesses, &result.chip_size);
                let cost = |value: f64| if is_oracle(result.method) { String::new() } else { value.to_string() };
                let numbers = [
                    record.train_loss.to_string(),
                    record.train_score.to_string(),
                    record.test_loss.to_string(),
                    record.test_score.to_string(),
                    accesses.reads.to_string(),
                    accesses.injections.to_string(),
                    accesses.control_writes.to_string(),
                    cost(bill.time.total()),
                    cost(bill.energy.total()),
                    record.alignment.map(|cosine| cosine.to_string()).unwrap_or_default(),
                    record.measuring.to_string(),
                ];
                let whose = [result.method.to_string(), result.chip_seed.to_string(), record.epoch.to_string()];
                point.values.iter().cloned().chain(whose).chain(numbers).collect::<Vec<_>>()
            })
        })
    });
    write(path, std::iter::once(heading).chain(rows))
}

fn write(path: &Path, rows: impl Iterator<Item = Vec<String>>) -> Result<()> {
    own::write(path, |draft| {
        let mut csv = csv::Writer::from_writer(draft);
        for row in rows {
            csv.write_record(&row).map_err(std::io::Error::other)?;
        }
        csv.flush()
    })
    .context("the table of results")
}
