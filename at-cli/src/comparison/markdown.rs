//! `compare.md` and `sweep.md`: the table for a page of results, so that no number is typed by hand.

use super::report::{MethodReport, PointReport, Report, is_oracle};
use at_core::training::MethodName;

/// One row per point of the grid, as `docs/results` has them: accuracies of every method in %, `ideal` first, mean ± half of the 95 %
/// interval; how far each other method ends below `ideal` where that was run; and of the first other method the mean cosine with
/// the true gradient and, where there are several, the accuracies chip by chip. Then what the columns mean.
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
    let heading: Vec<String> = (report.vary.iter().cloned())
        .chain(methods.iter().map(|method| format!("`{method}` (%)")))
        .chain(below.iter().map(|method| format!("`{method}` below `ideal` (points)")))
        .chain(shown.map(|method| format!("mean cosine of `{method}`")))
        .chain(by_chip.map(|method| format!("`{method}` chip by chip (%)")))
        .collect();
    let mut text = line(&heading) + &line(&vec!["---".to_string(); heading.len()]);
    for point in &report.points {
        let of = |method, cell: fn(&MethodReport) -> String| find(point, method).map_or(String::new(), cell);
        let row = (point.values.iter().cloned())
            .chain(methods.iter().map(|&method| of(method, accuracy)))
            .chain(below.iter().map(|&method| distance(point, method).unwrap_or_default()))
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

fn accuracy(report: &MethodReport) -> String {
    let half = report.accuracy.half_width.map_or(String::new(), |half| format!(" ± {:.2}", 100.0 * half));
    format!("{:.2}{half}", 100.0 * report.accuracy.mean)
}

/// Over epochs and chips.
fn cosine(report: &MethodReport) -> String {
    let epochs = report.alignment.len();
    if epochs == 0 { String::new() } else { format!("{:.2}", report.alignment.iter().sum::<f64>() / epochs as f64) }
}

fn chip_by_chip(report: &MethodReport) -> String {
    let accuracies = report.accuracies.iter().map(|accuracy| format!("{:.2}", 100.0 * accuracy));
    accuracies.collect::<Vec<_>>().join(", ")
}

fn distance(point: &PointReport, method: MethodName) -> Option<String> {
    let ideal = point.methods.iter().find(|report| is_oracle(report.method))?;
    Some(format!("{:.2}", 100.0 * (ideal.accuracy.mean - find(point, method)?.accuracy.mean)))
}

fn legend(report: &Report) -> String {
    let chips = match report.chip_seeds.len() {
        1 => "one chip".to_string(),
        count => format!("the mean over {count} chips, and half of its 95 % interval"),
    };
    let seeds = report.chip_seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let mut text = format!(
        "\nAccuracy on the test samples after the last epoch: {chips} (chip seeds {seeds}); asyt {}, settings in config.toml.\n",
        report.version
    );
    report.notes.iter().for_each(|note| text += &format!("\nNote: {note}\n"));
    report.failures.iter().for_each(|failure| text += &format!("\nNot run: {}: {}\n", failure.cell, failure.reason));
    text
}
