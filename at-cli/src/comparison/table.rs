//! Tables of a comparison and of a sweep, for people.

use super::report::{MethodReport, Misfit, Report, is_oracle, percents};
use crate::export::columns::{TERMINAL, align, count, fitting, percent, si, wrapped};
use crate::export::scores::{digits, range, shown};
use at_core::training::Score;

/// One line per point and method, and what the columns mean: all columns where it is `wide`, else those that fit a terminal.
pub fn table(report: &Report, wide: bool) -> String {
    let by = report.judged_by;
    let target = short(by, report.target);
    let time_to_target = format!("time to {target}");
    let columns: [(&str, u8); COLUMNS] = [
        (by.symbol(), 0),
        ("95 %", 1),
        ("deviation", 10),
        ("misfit", 2),
        (MISFIT_ENDS, 13),
        ("reads", 4),
        ("injected", 8),
        ("writes", 5),
        ("time", 6),
        ("energy", 9),
        (&time_to_target, 3),
        ("energy to it", 11),
        ("wall", 12),
        ("cosine", 7),
    ];
    let leading = report.vary.len() + 1;
    let mut ranks: Vec<u8> = std::iter::repeat_n(0, leading).chain(columns.map(|column| column.1)).collect();
    let heading = columns.map(|column| column.0.to_string());
    let mut rows: Vec<Vec<String>> =
        vec![report.vary.iter().cloned().chain(["method".into()]).chain(heading).collect()];
    for point in &report.points {
        for method in &point.methods {
            let name = std::iter::once(method.method.to_string());
            rows.push(point.values.iter().cloned().chain(name).chain(cells(by, method)).collect::<Vec<_>>());
        }
        for own in point.diverged.iter().filter(|own| point.methods.iter().all(|method| method.method != own.method)) {
            let name = std::iter::once(own.method.to_string());
            let none = ["diverged"].into_iter().chain([""; COLUMNS - 1]).map(String::from);
            rows.push(point.values.iter().cloned().chain(name).chain(none).collect());
        }
    }
    if !has_misfit(report) {
        let those: Vec<usize> =
            (0..ranks.len()).filter(|&column| ["misfit", MISFIT_ENDS].contains(&rows[0][column].as_str())).collect();
        for column in those.into_iter().rev() {
            ranks.remove(column);
            rows.iter_mut().for_each(|row| drop(row.remove(column)));
        }
    }
    let most = if wide { usize::MAX } else { TERMINAL };
    let (rows, left_out) = fitting(&rows, &ranks, most);
    let more = match &left_out[..] {
        [] => String::new(),
        names => format!("more with --wide: {}\n", names.join(", ")),
    };
    let words = legend(report, &rows[0]) + &more;
    align(&rows, leading) + "\n" + &if wide { words } else { wrapped(&words, 4) }
}

/// Behind the values of what varies and the method.
const COLUMNS: usize = 14;

/// The column of the interval of the misfit.
const MISFIT_ENDS: &str = "misfit 95 %";

fn has_misfit(report: &Report) -> bool {
    report.points.iter().flat_map(|point| &point.methods).any(|method| method.misfit.is_some())
}

fn cells(by: Score, method: &MethodReport) -> [String; COLUMNS] {
    let (score, misfit) = (&method.score, method.misfit.as_ref());
    let known = |value: Option<f64>| value.map_or("-".to_string(), |value| digits(by, value));
    let to_target = |value: Option<f64>, unit| match value {
        _ if is_oracle(method.method) => "-".to_string(),
        Some(value) => si(value, unit),
        None => "inf".to_string(),
    };
    [
        shown(by, score.mean),
        method.interval.map_or("-".to_string(), |ends| range(by, ends)),
        known(score.deviation),
        misfit.map_or("-".to_string(), |misfit| percent(misfit.estimate.mean)),
        misfit.and_then(|misfit: &Misfit| misfit.interval).map_or("-".to_string(), percents),
        count(method.accesses.reads),
        count(method.accesses.injections),
        count(method.accesses.control_writes),
        method.cost.map_or("-".to_string(), |cost| si(cost.time_s, "s")),
        method.cost.map_or("-".to_string(), |cost| si(cost.energy_j, "J")),
        to_target(method.to_target.time_s, "s"),
        to_target(method.to_target.energy_j, "J"),
        si(method.wall_seconds, "s"),
        mean(&method.alignment).map_or("-".to_string(), |cosine| format!("{cosine:.3}")),
    ]
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// A target, as short as it can be: `90 %`, `R² 0.9`.
pub fn short(by: Score, value: f64) -> String {
    let rounded = (1e4 * by.in_unit(value)).round() / 1e4;
    match by {
        Score::Accuracy => format!("{rounded} %"),
        Score::RSquared | Score::MeanSquareError => format!("{} {rounded}", by.symbol()),
    }
}

/// What the `shown` columns mean.
fn legend(report: &Report, shown: &[String]) -> String {
    let by = report.judged_by;
    let has = |column: &str| shown.iter().any(|own| own == column);
    let chips = match report.chip_seeds.len() {
        1 => "1 chip".to_string(),
        count => format!("{count} chips"),
    };
    let mut text = format!("{} on the test samples after the last epoch: mean over {chips}", by.symbol());
    if has("95 %") && report.chip_seeds.len() > 1 {
        text += ", its 95 % interval";
    }
    if has("deviation") && report.chip_seeds.len() > 1 {
        text += if by.is_of_classes() { ", standard deviation (points)" } else { ", standard deviation" };
    }
    text += "\n";
    if has("misfit") {
        text += "misfit: how far the readouts of a method's model lie from the chip's at the end: mean over the chips";
        text += if has(MISFIT_ENDS) && report.chip_seeds.len() > 1 { ", its 95 % interval\n" } else { "\n" };
    }
    let costs = ["time", "energy"].into_iter().filter(|column| has(column)).collect::<Vec<_>>();
    let costs = if costs.is_empty() { "time".to_string() } else { costs.join(", ") };
    let target = short(by, report.target);
    text += &format!(
        "{costs}: of the training on the chip, by cost model {}; per chip; inf: a chip never reached {target}\n",
        report.cost_model_name
    );
    let counts = [
        ("reads", "values read from the chip"),
        ("injected", "hidden values written into it"),
        ("writes", "controls written"),
    ];
    let (names, meanings): (Vec<_>, Vec<_>) = counts.into_iter().filter(|(column, _)| has(column)).unzip();
    if !names.is_empty() {
        text += &format!("{}: {}\n", names.join(", "), meanings.join(", "));
    }
    if has("cosine") {
        text += "cosine: between a method's step and the true gradient, mean over epochs and chips\n";
    }
    if report.points.iter().flat_map(|point| &point.methods).any(|method| is_oracle(method.method)) {
        text += "ideal is an oracle: no chip can run it, so it has no cost\n";
    }
    for (point, own) in report.points.iter().flat_map(|point| point.diverged.iter().map(move |own| (point, own))) {
        let place = if point.values.is_empty() { String::new() } else { format!(" at {}", point.values.join(", ")) };
        let (reason, all) = (&own.reason, report.chip_seeds.len());
        text += &format!("diverged: {} of {all}{place}, without a part in the {}: {reason}\n", own.chips, by.symbol());
    }
    for failure in &report.failures {
        text += &format!("failed: {}: {}\n", failure.cell, failure.reason);
    }
    text
}
