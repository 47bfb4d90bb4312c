//! Tables of a comparison and of a sweep, for people.

use super::report::{MethodReport, Report, is_oracle};
use crate::export::columns::{TERMINAL, align, count, fitting, si, wrapped};
use crate::export::scores::{digits, range, shown};
use at_core::training::Score;

/// One line per point and method, and what the columns mean: all columns where it is `wide`, else those that fit a terminal.
pub fn table(report: &Report, wide: bool) -> String {
    let by = report.judged_by;
    let target = short(by, report.target);
    let time_to_target = format!("time to {target}");
    let columns: [(&str, u8); 12] = [
        (by.symbol(), 0),
        ("95 %", 1),
        ("deviation", 9),
        ("reads", 3),
        ("injected", 7),
        ("writes", 4),
        ("time", 5),
        ("energy", 8),
        (&time_to_target, 2),
        ("energy to it", 10),
        ("wall", 11),
        ("cosine", 6),
    ];
    let leading = report.vary.len() + 1;
    let ranks: Vec<u8> = std::iter::repeat_n(0, leading).chain(columns.map(|column| column.1)).collect();
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
            let none = ["diverged"].into_iter().chain([""; 11]).map(String::from);
            rows.push(point.values.iter().cloned().chain(name).chain(none).collect());
        }
    }
    let most = if wide { usize::MAX } else { TERMINAL };
    let (rows, left_out) = fitting(&rows, &ranks, most);
    let more = match &left_out[..] {
        [] => String::new(),
        names => format!("more with --wide: {}\n", names.join(", ")),
    };
    let words = legend(report) + &more;
    align(&rows, leading) + "\n" + &if wide { words } else { wrapped(&words, 4) }
}

fn cells(by: Score, method: &MethodReport) -> [String; 12] {
    let score = &method.score;
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

fn legend(report: &Report) -> String {
    let by = report.judged_by;
    let chips = match report.chip_seeds.len() {
        1 => "1 chip".to_string(),
        count => format!("{count} chips"),
    };
    let mut text = format!(
        "{} on the test samples after the last epoch: mean over {chips}, its 95 % interval, \
         standard deviation{}\n\
         time, energy: of the training on the chip, by cost model {}; per chip; inf: a chip never reached {}\n\
         reads, injected, writes: values read from the chip, hidden values written into it, controls written\n\
         cosine: between a method's step and the true gradient, mean over epochs and chips\n",
        by.symbol(),
        if by.is_of_classes() { " (points)" } else { "" },
        report.cost_model_name,
        short(by, report.target),
    );
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
