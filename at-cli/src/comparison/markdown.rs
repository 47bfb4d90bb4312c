//! `compare.md` and `sweep.md`: the table for a page of results, so that no number is typed by hand.

use super::report::{MethodReport, PointReport, Report, is_oracle, percents};
use crate::export::scores::{digits, range, title};
use at_core::training::{MethodName, Score};

/// One row per point of the grid, as `docs/results` has them: scores of every method, accuracies in %, `ideal` first, the mean and its 95 %
/// interval; how far each other method ends below `ideal` where that was run; how far the model of each lies from the chip; and of the first
/// other method the mean cosine with the true gradient and, where there are several, the scores chip by chip. Then what the columns mean.
pub fn table(report: &Report) -> String {
    let mut methods: Vec<MethodName> = Vec::new();
    for method in report.points.iter().flat_map(|point| &point.methods) {
        if !methods.contains(&method.method) {
            methods.push(method.method);
        }
    }
    methods.sort_by_key(|&method| !is_oracle(method)); // keeps the order of the others
    let others = methods.iter().copied().filter(|&method| !is_oracle(method));
    let below: Vec<MethodName> =
        if methods.iter().any(|&method| is_oracle(method)) { others.clone().collect() } else { Vec::new() };
    let shown = others.clone().next();
    let by_chip = shown.filter(|_| report.chip_seeds.len() > 1);
    let modelled = |method: &MethodName| {
        let of_points = report.points.iter().filter_map(|point| find(point, *method));
        of_points.into_iter().any(|own| own.misfit.is_some())
    };
    let modelled: Vec<MethodName> = methods.iter().copied().filter(modelled).collect();
    let by = report.judged_by;
    let (unit, apart) = match by {
        Score::Accuracy => (by.unit(), "points"),
        Score::RSquared | Score::MeanSquareError => (by.symbol(), by.symbol()),
    };
    let heading: Vec<String> = (report.vary.iter().cloned())
        .chain(methods.iter().map(|method| format!("`{method}` ({unit})")))
        .chain(below.iter().map(|method| format!("`{method}` below `ideal` ({apart})")))
        .chain(modelled.iter().map(|method| format!("misfit of `{method}` (%)")))
        .chain(shown.map(|method| format!("mean cosine of `{method}`")))
        .chain(by_chip.map(|method| format!("`{method}` chip by chip ({unit})")))
        .collect();
    let mut text = line(&heading) + &line(&vec!["---".to_string(); heading.len()]);
    for point in &report.points {
        let of = |method, cell: fn(Score, &MethodReport) -> String| {
            find(point, method).map_or(String::new(), |own| cell(by, own))
        };
        let row = (point.values.iter().cloned())
            .chain(methods.iter().map(|&method| of(method, score)))
            .chain(below.iter().map(|&method| distance(by, point, method).unwrap_or_default()))
            .chain(modelled.iter().map(|&method| of(method, misfit)))
            .chain(shown.map(|method| of(method, cosine)))
            .chain(by_chip.map(|method| of(method, chip_by_chip)));
        text += &line(&row.collect::<Vec<_>>());
    }
    text + &legend(report)
}

fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>().join(" | "))
}

fn find(point: &PointReport, method: MethodName) -> Option<&MethodReport> {
    point.methods.iter().find(|report| report.method == method)
}

fn score(by: Score, report: &MethodReport) -> String {
    let interval = report.interval.map_or(String::new(), |ends| format!(" ({})", range(by, ends)));
    digits(by, report.score.mean) + &interval
}

fn misfit(_: Score, report: &MethodReport) -> String {
    let Some(misfit) = &report.misfit else { return String::new() };
    let interval = misfit.interval.map_or(String::new(), |ends| format!(" ({})", percents(ends)));
    format!("{:.1}{interval}", 100.0 * misfit.estimate.mean)
}

/// Over epochs and chips.
fn cosine(_: Score, report: &MethodReport) -> String {
    let epochs = report.alignment.len();
    if epochs == 0 { String::new() } else { format!("{:.2}", report.alignment.iter().sum::<f64>() / epochs as f64) }
}

fn chip_by_chip(by: Score, report: &MethodReport) -> String {
    report.scores.iter().map(|&score| digits(by, score)).collect::<Vec<_>>().join(", ")
}

fn distance(by: Score, point: &PointReport, method: MethodName) -> Option<String> {
    let ideal = point.methods.iter().find(|report| is_oracle(report.method))?;
    Some(digits(by, ideal.score.mean - find(point, method)?.score.mean))
}

fn legend(report: &Report) -> String {
    let chips = match report.chip_seeds.len() {
        1 => "one chip".to_string(),
        count => format!("the mean over {count} chips, and its 95 % interval"),
    };
    let seeds = report.chip_seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let name = title(report.judged_by);
    let mut text = format!(
        "\n{name} on the test samples after the last epoch: {chips} (chip seeds {seeds}); asyt {}, settings in config.toml.\n",
        report.version
    );
    if report.points.iter().flat_map(|point| &point.methods).any(|method| method.misfit.is_some()) {
        text += "\nMisfit: how far the readouts m of a method's model lie from the chip's c at the end, ‖m − c‖/‖c‖.\n";
    }
    report.notes.iter().for_each(|note| text += &format!("\nNote: {note}\n"));
    report.failures.iter().for_each(|failure| text += &format!("\nNot run: {}: {}\n", failure.cell, failure.reason));
    text
}
