//! The pictures of a comparison and of a sweep.

use super::bars::{Panel, shares};
use super::columns::si;
use super::figure::{Figure, Horizontal, Line, Mark};
use super::plot;
use crate::cells::CellResult;
use crate::chips::SPREADS;
use crate::comparison::{PointReport, Report, is_oracle};
use anyhow::Result;
use at_core::cost::{Bill, Energy, Time};
use at_core::statistics::Estimate;
use at_core::training::{MethodName, Record, Score};

/// File names and SVG texts.
pub type Pictures = Vec<(String, String)>;

/// Of a comparison where nothing varies, else of a sweep.
pub fn of(report: &Report, results: &[Vec<CellResult>]) -> Result<Pictures> {
    match results {
        [results] if report.vary.is_empty() => comparison(report, results),
        _ => sweep(report),
    }
}

/// Of a comparison: score over epochs, modelled time and energy; alignment over epochs; costs by term.
fn comparison(report: &Report, results: &[CellResult]) -> Result<Pictures> {
    let Some(point) = report.points.first() else { return Ok(Vec::new()) };
    let methods: Vec<MethodName> = point.methods.iter().map(|method| method.method).collect();
    let title = title(report);
    let by = report.judged_by;
    let score = |x, horizontal, at: &At, costed| {
        let methods = methods.iter().filter(|&&method| !(costed && is_oracle(method)));
        let lines: Vec<Line> =
            methods.map(|&method| over(results, method, at, &|r| Some(by.in_unit(r.test_score)))).collect();
        let (y, range) = (plot::axis_name(by), range(by, &lines));
        Figure { title: &title, x, y, horizontal, names: &[], range, bars: false, lines: &lines }.svg()
    };
    let bill = |result: &CellResult, record: &Record| -> Bill {
        report.cost_model.bill(&result.accesses_at(record), &result.chip_size)
    };
    let epoch: &At = &|_, record| record.epoch as f64;
    let time: &At = &|result, record| bill(result, record).time.total();
    let energy: &At = &|result, record| bill(result, record).energy.total();
    let cosines: Vec<Line> = methods.iter().map(|&method| over(results, method, epoch, &|r| r.alignment)).collect();
    let lowest = cosines.iter().flat_map(|line| &line.marks).map(|mark| mark.y).fold(0.0, f64::min);
    let alignment = Figure {
        title: &title,
        x: "epoch",
        y: "cosine of step and true gradient",
        horizontal: Horizontal::Linear,
        names: &[],
        range: (if lowest < 0.0 { -1.0 } else { 0.0 }, 1.05),
        bars: false,
        lines: &cosines,
    };
    let model = &report.cost_model_name;
    let pictures = [
        (plot::file(by).to_string(), score("epoch", Horizontal::Linear, epoch, false)?),
        (
            format!("{by}-time.svg"),
            score(&format!("modelled time, cost model {model}"), Horizontal::Logarithmic("s"), time, true)?,
        ),
        (
            format!("{by}-energy.svg"),
            score(&format!("modelled energy, cost model {model}"), Horizontal::Logarithmic("J"), energy, true)?,
        ),
        ("alignment.svg".to_string(), alignment.svg()?),
        ("cost.svg".to_string(), cost(report, point)?),
    ];
    Ok(pictures.to_vec())
}

/// The vertical axis for these lines.
fn range(by: Score, lines: &[Line]) -> (f64, f64) {
    plot::ends(by, lines.iter().flat_map(|line| &line.marks).map(|mark| mark.y))
}

/// Where an epoch of a cell lies.
type At<'a> = dyn Fn(&CellResult, &Record) -> f64 + 'a;

/// One line: the mean of `value` over the chips, epoch by epoch, at the mean of `at`.
fn over(results: &[CellResult], method: MethodName, at: &At, value: &dyn Fn(&Record) -> Option<f64>) -> Line {
    let chips: Vec<&CellResult> = results.iter().filter(|result| result.method == method).collect();
    let epochs = chips.iter().map(|result| result.records.len()).min().unwrap_or(0);
    let mark = |epoch: usize| {
        let values = chips.iter().map(|chip| value(&chip.records[epoch])).collect::<Option<Vec<f64>>>()?;
        let places: Vec<f64> = chips.iter().map(|chip| at(chip, &chip.records[epoch])).collect();
        let estimate = Estimate::of(&values)?;
        Some(Mark { x: Estimate::of(&places)?.mean, y: estimate.mean, band: estimate.interval() })
    };
    Line { method, marks: (0..epochs).filter_map(mark).collect() }
}

fn cost(report: &Report, point: &PointReport) -> Result<String> {
    let costs = || point.methods.iter().filter_map(|method| Some((method.method.to_string(), method.cost?)));
    let model = &report.cost_model_name;
    let time = costs().map(|(name, cost)| (name, cost.bill.time.terms(), si(cost.time_s, "s")));
    let energy = costs().map(|(name, cost)| (name, cost.bill.energy.terms(), si(cost.energy_j, "J")));
    shares(&[
        Panel {
            title: format!("modelled time of the training, cost model {model}"),
            terms: &Time::NAMES,
            bars: time.collect(),
        },
        Panel {
            title: format!("modelled energy of the training, cost model {model}"),
            terms: &Energy::NAMES,
            bars: energy.collect(),
        },
    ])
}

/// Of a sweep: score against the first setting that varies; one picture for each combination of the others.
fn sweep(report: &Report) -> Result<Pictures> {
    let mut others: Vec<&[String]> = Vec::new();
    let mut values: Vec<String> = Vec::new();
    for point in &report.points {
        let [first, rest @ ..] = &point.values[..] else { continue };
        if !others.contains(&rest) {
            others.push(rest);
        }
        if !values.contains(first) {
            values.push(first.clone());
        }
    }
    let picture = |(index, rest): (usize, &&[String])| -> Result<(String, String)> {
        let points: Vec<_> = report.points.iter().filter(|point| point.values[1..] == **rest).collect();
        let at = report.vary[1..].iter().zip(rest.iter()).map(|(name, value)| format!("{name} = {value}"));
        let title = std::iter::once(title(report)).chain(at).collect::<Vec<_>>().join(", ");
        let by = report.judged_by;
        let file = if others.len() == 1 { plot::file(by).to_string() } else { format!("{by}-{}.svg", index + 1) };
        Ok((file, score_against(by, &report.vary[0], &values, &points, &title)?))
    };
    others.iter().enumerate().map(picture).collect()
}

fn score_against(by: Score, name: &str, values: &[String], points: &[&PointReport], title: &str) -> Result<String> {
    let numbers: Option<Vec<f64>> =
        values.iter().map(|value| value.parse().ok().filter(|x: &f64| x.is_finite())).collect();
    let horizontal = if numbers.is_some() { Horizontal::Linear } else { Horizontal::Names };
    let place = |value: &String| {
        let index = values.iter().position(|other| other == value).unwrap_or_default();
        numbers.as_ref().map_or(index as f64, |numbers| numbers[index])
    };
    let mut methods: Vec<MethodName> = Vec::new();
    for method in points.iter().flat_map(|point| &point.methods) {
        if !methods.contains(&method.method) {
            methods.push(method.method);
        }
    }
    let line = |&name: &MethodName| {
        let mark = |point: &&PointReport| {
            let method = point.methods.iter().find(|method| method.method == name)?;
            let (low, high) = method.score.interval();
            let y = by.in_unit(method.score.mean);
            Some(Mark { x: place(&point.values[0]), y, band: (by.in_unit(low), by.in_unit(high)) })
        };
        let mut marks: Vec<Mark> = points.iter().filter_map(mark).collect();
        marks.sort_by(|a, b| a.x.total_cmp(&b.x));
        Line { method: name, marks }
    };
    let lines: Vec<Line> = methods.iter().map(line).collect();
    Figure {
        title,
        x: &axis(name),
        y: plot::axis_name(by),
        horizontal,
        names: values,
        range: range(by, &lines),
        bars: true,
        lines: &lines,
    }
    .svg()
}

/// A setting's name with its unit, as `--help` has it.
fn axis(name: &str) -> String {
    let unit = |name: &str| match name {
        "splitter-angle" | "phase" | "response-offset" => " (rad)",
        _ if name.ends_with("-db") => " (dB)",
        "parameter-spread" | "response-amplitude" | "response-slope" | "update-error" => " (relative)",
        _ => "",
    };
    name.split(',').map(|name| format!("{name}{}", unit(name))).collect::<Vec<_>>().join(", ")
}

fn title(report: &Report) -> String {
    let text = |setting: &Option<String>| setting.clone().unwrap_or_default();
    let varies =
        report.vary.iter().flat_map(|names| names.split(',')).any(|name| name == "chip" || SPREADS.contains(&name));
    let kind = if varies { String::new() } else { format!(" of kind {}", text(&report.settings.chip)) };
    let chips = match report.chip_seeds.len() {
        1 => "1 chip".to_string(),
        count => format!("{count} chips"),
    };
    let mut diverged: Vec<(MethodName, usize)> = Vec::new();
    for own in report.points.iter().flat_map(|point| &point.diverged) {
        match diverged.iter_mut().find(|(method, _)| *method == own.method) {
            Some((_, count)) => *count += own.chips,
            None => diverged.push((own.method, own.chips)),
        }
    }
    let diverged: String =
        diverged.iter().map(|(method, count)| format!("; {method} diverged in {count} of its trainings")).collect();
    format!("{} on {chips}{kind}, mean and 95 % interval{diverged}", text(&report.settings.dataset))
}
