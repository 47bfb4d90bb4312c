//! The pictures of a comparison and of a sweep.

use super::report::{PointReport, Report, is_oracle};
use crate::cells::CellResult;
use crate::export::bars::{Panel, shares};
use crate::export::chart::{Axis, Chart, Curve, Interval, Mark};
use crate::export::columns::si;
use crate::session::plot;
use crate::settings::chips::imperfection;
use anyhow::Result;
use at_core::chip::Unit;
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
    let score = |x: Axis, at: &At, costed| {
        let methods = methods.iter().filter(|&&method| !(costed && is_oracle(method)));
        let curves: Vec<Curve> =
            methods.map(|&method| over(results, method, at, &|r| Some(by.in_unit(r.test_score)))).collect();
        let y = axis_of(by, &curves);
        Chart { title: title.clone(), x, y, curves, levels: Vec::new() }.svg()
    };
    let bill = |result: &CellResult, record: &Record| -> Bill {
        report.cost_model.bill(&result.accesses_at(record), &result.chip_size)
    };
    let epoch: &At = &|_, record| record.epoch as f64;
    let time: &At = &|result, record| bill(result, record).time.total();
    let energy: &At = &|result, record| bill(result, record).energy.total();
    let last = results.iter().flat_map(|result| &result.records).map(|record| record.epoch).max().unwrap_or(1);
    let epochs = || Axis::linear("epoch").within(0.0, 1.02 * last as f64);
    let cosines: Vec<Curve> = methods.iter().map(|&method| over(results, method, epoch, &|r| r.alignment)).collect();
    let lowest = cosines.iter().flat_map(|curve| &curve.points).map(|point| point.1).fold(0.0, f64::min);
    let cosine = Axis::linear("cosine of step and true gradient");
    let alignment = Chart {
        title: title.clone(),
        x: epochs(),
        y: cosine.within(if lowest < 0.0 { -1.0 } else { 0.0 }, 1.05),
        curves: cosines,
        levels: Vec::new(),
    };
    let model = &report.cost_model_name;
    let modelled = |what, unit| Axis::logarithmic(format!("modelled {what}, cost model {model}")).in_unit(unit);
    let pictures = [
        (plot::file(by).to_string(), score(epochs(), epoch, false)?),
        (format!("{by}-time.svg"), score(modelled("time", "s"), time, true)?),
        (format!("{by}-energy.svg"), score(modelled("energy", "J"), energy, true)?),
        ("alignment.svg".to_string(), alignment.svg()?),
        ("cost.svg".to_string(), cost(report, point)?),
    ];
    Ok(pictures.to_vec())
}

/// The axis of the score that these curves show.
fn axis_of(by: Score, curves: &[Curve]) -> Axis {
    let values = curves.iter().flat_map(|curve| &curve.points).map(|point| point.1);
    let (low, high) = plot::ends(by, values);
    Axis::linear(plot::axis_name(by)).within(low, high)
}

/// Where an epoch of a cell lies.
type At<'a> = dyn Fn(&CellResult, &Record) -> f64 + 'a;

/// One curve: the mean of `value` over the chips, epoch by epoch, at the mean of `at`.
fn over(results: &[CellResult], method: MethodName, at: &At, value: &dyn Fn(&Record) -> Option<f64>) -> Curve {
    let chips: Vec<&CellResult> = results.iter().filter(|result| result.method == method).collect();
    let epochs = chips.iter().map(|result| result.records.len()).min().unwrap_or(0);
    let point = |epoch: usize| {
        let values = chips.iter().map(|chip| value(&chip.records[epoch])).collect::<Option<Vec<f64>>>()?;
        let places: Vec<f64> = chips.iter().map(|chip| at(chip, &chip.records[epoch])).collect();
        let estimate = Estimate::of(&values)?;
        Some(((Estimate::of(&places)?.mean, estimate.mean), estimate.interval()))
    };
    let (points, ends) = (0..epochs).filter_map(point).unzip();
    Curve { label: method.to_string(), look: method.into(), mark: Mark::Last, points, interval: Interval::Band(ends) }
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
    let curve = |&name: &MethodName| {
        let point = |point: &&PointReport| {
            let method = point.methods.iter().find(|method| method.method == name)?;
            let (low, high) = method.score.interval();
            let score = by.in_unit(method.score.mean);
            Some(((place(&point.values[0]), score), (by.in_unit(low), by.in_unit(high))))
        };
        let mut found: Vec<_> = points.iter().filter_map(point).collect();
        found.sort_by(|a, b| a.0.0.total_cmp(&b.0.0));
        let (points, ends) = found.into_iter().unzip();
        let (label, look) = (name.to_string(), name.into());
        Curve { label, look, mark: Mark::Filled, points, interval: Interval::Bars(ends) }
    };
    let x = if numbers.is_some() { Axis::linear(axis(name)) } else { Axis::names(axis(name), values.to_vec()) };
    let curves: Vec<Curve> = methods.iter().map(curve).collect();
    let y = axis_of(by, &curves);
    Chart { title: title.into(), x, y, curves, levels: Vec::new() }.svg()
}

/// A setting's name with its unit, as `--help` has it.
fn axis(name: &str) -> String {
    let unit = |name: &str| {
        imperfection(name).map_or(String::new(), |own| match own.unit {
            Unit::Fraction => " (relative)".to_string(),
            Unit::Signal | Unit::Switch => String::new(),
            unit @ (Unit::Radian
            | Unit::Decibel
            | Unit::DecibelPerCentimetre
            | Unit::Micrometre
            | Unit::Bit
            | Unit::Cell) => {
                format!(" ({})", unit.sign())
            }
        })
    };
    name.split(',').map(|name| format!("{name}{}", unit(name))).collect::<Vec<_>>().join(", ")
}

fn title(report: &Report) -> String {
    let text = |setting: &Option<String>| setting.clone().unwrap_or_default();
    let varies = report
        .vary
        .iter()
        .flat_map(|names| names.split(','))
        .any(|name| name == "chip" || imperfection(name).is_some());
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
