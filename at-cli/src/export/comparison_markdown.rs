//! `compare.md` and `sweep.md`: the table for a page of results, so that no number is typed by hand.

use super::scores::{digits, title};
use crate::comparison::{MethodReport, PointReport, Report, is_oracle};
use at_core::training::{MethodName, Score};

/// One row per point of the grid: scores of every method, accuracies in %, mean ± half of the 95 % interval, and how far each ends below
/// `ideal` where that was run; then what the columns mean.
pub fn table(report: &Report) -> String {
    let mut methods: Vec<MethodName> = Vec::new();
    for method in report.points.iter().flat_map(|point| &point.methods) {
        if !methods.contains(&method.method) {
            methods.push(method.method);
        }
    }
    let below: Vec<MethodName> = match methods.iter().any(|&method| is_oracle(method)) {
        true => methods.iter().copied().filter(|&method| !is_oracle(method)).collect(),
        false => Vec::new(),
    };
    let by = report.judged_by;
    let (unit, apart) = match by {
        Score::Accuracy => (by.unit(), "points"),
        Score::RSquared | Score::MeanSquareError => (by.symbol(), by.symbol()),
    };
    let scores = methods.iter().map(|method| format!("`{method}` ({unit})"));
    let distances = below.iter().map(|method| format!("`{method}` below `ideal` ({apart})"));
    let heading: Vec<String> = report.vary.iter().cloned().chain(scores).chain(distances).collect();
    let mut text = line(&heading) + &line(&vec!["---".to_string(); heading.len()]);
    for point in &report.points {
        let scores = methods.iter().map(|&method| find(point, method).map_or(String::new(), |own| score(by, own)));
        let distances = below.iter().map(|&method| distance(by, point, method).unwrap_or_default());
        text += &line(&point.values.iter().cloned().chain(scores).chain(distances).collect::<Vec<_>>());
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
    let half = report.score.half_width.map_or(String::new(), |half| format!(" ± {}", digits(by, half)));
    digits(by, report.score.mean) + &half
}

fn distance(by: Score, point: &PointReport, method: MethodName) -> Option<String> {
    let ideal = point.methods.iter().find(|report| is_oracle(report.method))?;
    Some(digits(by, ideal.score.mean - find(point, method)?.score.mean))
}

fn legend(report: &Report) -> String {
    let chips = match report.chip_seeds.len() {
        1 => "one chip".to_string(),
        count => format!("the mean over {count} chips, and half of its 95 % interval"),
    };
    let name = title(report.judged_by);
    let seeds = report.chip_seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let mut text = format!(
        "\n{name} on the test samples after the last epoch: {chips} (chip seeds {seeds}); asyt {}, settings in config.toml.\n",
        report.version
    );
    report.notes.iter().for_each(|note| text += &format!("\nNote: {note}\n"));
    report.failures.iter().for_each(|failure| text += &format!("\nNot run: {}: {}\n", failure.cell, failure.reason));
    text
}
