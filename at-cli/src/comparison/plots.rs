//! The pictures of a comparison and of a sweep.

use super::report::{PointReport, Report, is_oracle};
use crate::cells::CellResult;
use crate::export::bars::{Panel, shares};
use crate::export::chart::{Axis, Chart, Curve, Interval, Level, Mark};
use crate::export::columns::si;
use crate::export::marks::Picture;
use crate::export::sheet::Sheet;
use crate::intervals;
use crate::session::plot;
use crate::settings::chips::imperfection;
use at_core::cost::{Bill, Energy, Time};
use at_core::imperfections::Unit;
use at_core::statistics::Estimate;
use at_core::training::{MethodName, Record, Score};

/// With their names.
pub type Pictures = Vec<(String, Picture)>;

/// Of a comparison where nothing varies, else of a sweep.
pub fn of(report: &Report, results: &[Vec<CellResult>], sheet: Sheet) -> Pictures {
    match results {
        [results] if report.vary.is_empty() => comparison(report, results, sheet),
        _ => sweep(report, sheet),
    }
}

/// Of a comparison: score over epochs, modelled time and energy; alignment over epochs; costs by term.
fn comparison(report: &Report, results: &[CellResult], sheet: Sheet) -> Pictures {
    let Some(point) = report.points.first() else { return Vec::new() };
    let methods: Vec<MethodName> = point.methods.iter().map(|method| method.method).collect();
    let title = title(report);
    let by = report.judged_by;
    let score = |x: &dyn Fn(&[Curve]) -> Axis, at: &At, costed| {
        let methods = methods.iter().filter(|&&method| !(costed && is_oracle(method)));
        let curves: Vec<Curve> =
            methods.map(|&method| over(results, method, at, &|r| Some(by.in_unit(r.test_score)), Some(by))).collect();
        let y = plot::axis(by, shown(&curves));
        Chart { title: title.clone(), x: x(&curves), y, curves, ..Chart::default() }.picture(sheet)
    };
    let bill = |result: &CellResult, record: &Record| -> Bill {
        report.cost_model.bill(&result.accesses_at(record), &result.chip_size)
    };
    let epoch: &At = &|_, record| record.epoch as f64;
    let time: &At = &|result, record| bill(result, record).time.total();
    let energy: &At = &|result, record| bill(result, record).energy.total();
    let last = results.iter().flat_map(|result| &result.records).map(|record| record.epoch).max().unwrap_or(1);
    let epochs = |_: &[Curve]| plot::epochs(last);
    let model = &report.cost_model_name;
    let modelled = |what: &str, unit: &'static str, curves: &[Curve]| {
        let values: Vec<f64> = curves.iter().flat_map(|curve| &curve.points).map(|point| point.0).collect();
        Axis::spanning(format!("modelled {what}, cost model {model}"), &values).in_unit(unit)
    };
    vec![
        (plot::file(by).trim_end_matches(".svg").to_string(), score(&epochs, epoch, false)),
        (format!("{by}-time"), score(&|curves| modelled("time", "s", curves), time, true)),
        (format!("{by}-energy"), score(&|curves| modelled("energy", "J", curves), energy, true)),
        (
            "alignment".to_string(),
            alignment(title.trim_end_matches(" and 95 % interval"), &methods, results, epochs(&[])).picture(sheet),
        ),
        ("cost".to_string(), cost(report, point, sheet)),
    ]
}

/// How well steps point down the true slope. The cosine of a single step scatters, and so widely that bands of all methods would cover
/// their means: these are drawn alone, and 0, where nothing is aligned, is a line of its own.
fn alignment(title: &str, methods: &[MethodName], results: &[CellResult], x: Axis) -> Chart {
    let epoch: &At = &|_, record| record.epoch as f64;
    let mean = |&method: &MethodName| Curve {
        interval: Interval::None,
        ..over(results, method, epoch, &|r| r.alignment, None)
    };
    let curves: Vec<Curve> = methods.iter().map(mean).collect();
    let values = || shown(&curves).filter(|value| value.is_finite());
    let (low, high) = (values().fold(1.0, f64::min), values().fold(0.0, f64::max));
    let margin = 0.05 * (high - low).max(0.1);
    let y =
        Axis::linear("cosine of step and true gradient").within((low - margin).max(-1.05), (high + margin).min(1.05));
    let across = Level { label: "across the slope".to_string(), low: 0.0, high: 0.0 };
    let levels = if low < 0.0 { vec![across] } else { Vec::new() };
    Chart { title: title.to_string(), x, y, curves, levels, ..Chart::default() }
}

/// All values that curves show, with the ends of their bars. Bands of few chips are wide where a training begins, and would flatten the
/// curves: they count as far as they lie near these.
pub fn shown(curves: &[Curve]) -> impl Iterator<Item = f64> {
    /// By how much of their span a band may widen the axis of its curves.
    const MORE: f64 = 0.25;
    let means = || curves.iter().flat_map(|curve| &curve.points).map(|point| point.1).filter(|value| value.is_finite());
    let (low, high) = (means().fold(f64::INFINITY, f64::min), means().fold(f64::NEG_INFINITY, f64::max));
    let (least, most) = (low - MORE * (high - low), high + MORE * (high - low));
    curves.iter().flat_map(move |curve| {
        let (ends, least, most) = match &curve.interval {
            Interval::None => (&[][..], least, most),
            Interval::Band(ends) => (&ends[..], least, most),
            Interval::Bars(ends) => (&ends[..], f64::NEG_INFINITY, f64::INFINITY),
        };
        let near = move |&(low, high): &(f64, f64)| [low.max(least), high.min(most)];
        curve.points.iter().map(|point| point.1).chain(ends.iter().flat_map(near))
    })
}

/// Where an epoch of a cell lies.
type At<'a> = dyn Fn(&CellResult, &Record) -> f64 + 'a;

/// One curve: the mean of `value` over the chips, epoch by epoch, at the mean of `at`. Values are scores in their unit, or cosines.
fn over(
    results: &[CellResult],
    method: MethodName,
    at: &At,
    value: &dyn Fn(&Record) -> Option<f64>,
    score: Option<Score>,
) -> Curve {
    let chips: Vec<&CellResult> = results.iter().filter(|result| result.method == method).collect();
    let epochs = chips.iter().map(|result| result.records.len()).min().unwrap_or(0);
    let point = |epoch: usize| {
        let values = chips.iter().map(|chip| value(&chip.records[epoch])).collect::<Option<Vec<f64>>>()?;
        let places: Vec<f64> = chips.iter().map(|chip| at(chip, &chip.records[epoch])).collect();
        let estimate = Estimate::of(&values)?;
        let (low, high) = match score {
            Some(by) => {
                let own = Estimate::of(&values.iter().map(|value| value / by.in_unit(1.0)).collect::<Vec<_>>())?;
                let (low, high) = intervals::ends(by, &own);
                (by.in_unit(low), by.in_unit(high))
            }
            None => {
                let (low, high) = estimate.interval();
                (low.max(-1.0), high.min(1.0))
            }
        };
        Some(((Estimate::of(&places)?.mean, estimate.mean), (low, high)))
    };
    let (points, ends) = (0..epochs).filter_map(point).unzip();
    Curve { label: method.to_string(), look: method.into(), mark: Mark::Last, points, interval: Interval::Band(ends) }
}

fn cost(report: &Report, point: &PointReport, sheet: Sheet) -> Picture {
    let costs = || point.methods.iter().filter_map(|method| Some((method.method.to_string(), method.cost?)));
    let model = &report.cost_model_name;
    let time = costs().map(|(name, cost)| (name, cost.bill.time.terms(), si(cost.time_s, "s")));
    let energy = costs().map(|(name, cost)| (name, cost.bill.energy.terms(), si(cost.energy_j, "J")));
    let panels = [
        Panel { title: format!("time of the training, cost model {model}"), terms: &Time::NAMES, bars: time.collect() },
        Panel {
            title: format!("energy of the training, cost model {model}"),
            terms: &Energy::NAMES,
            bars: energy.collect(),
        },
    ];
    shares(&panels, sheet)
}

/// Of a sweep: score against the first setting that varies; one picture for each combination of the others.
fn sweep(report: &Report, sheet: Sheet) -> Pictures {
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
    let picture = |(index, rest): (usize, &&[String])| {
        let points: Vec<_> = report.points.iter().filter(|point| point.values[1..] == **rest).collect();
        let at = report.vary[1..].iter().zip(rest.iter()).map(|(name, value)| format!("{name} = {value}"));
        let title = std::iter::once(title(report)).chain(at).collect::<Vec<_>>().join(", ");
        let by = report.judged_by;
        let whole = plot::file(by).trim_end_matches(".svg");
        let file = if others.len() == 1 { whole.to_string() } else { format!("{by}-{}", index + 1) };
        (file, score_against(by, &report.vary[0], &values, &points, &title).picture(sheet))
    };
    others.iter().enumerate().map(picture).collect()
}

fn score_against(by: Score, name: &str, values: &[String], points: &[&PointReport], title: &str) -> Chart {
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
            let (low, high) = intervals::ends(by, &method.score);
            let score = by.in_unit(method.score.mean);
            Some(((place(&point.values[0]), score), (by.in_unit(low), by.in_unit(high))))
        };
        let mut found: Vec<_> = points.iter().filter_map(point).collect();
        found.sort_by(|a, b| a.0.0.total_cmp(&b.0.0));
        let (points, ends) = found.into_iter().unzip();
        let (label, look) = (name.to_string(), name.into());
        Curve { label, look, mark: Mark::Filled, points, interval: Interval::Bars(ends) }
    };
    let x = match &numbers {
        // labels where something was measured
        Some(numbers) => {
            Axis { angle: is_angle(name), ..Axis::spanning(axis(name), numbers) }.labelled(numbers.clone())
        }
        None => Axis::names(axis(name), values.to_vec()),
    };
    let curves: Vec<Curve> = methods.iter().map(curve).collect();
    let y = plot::axis(by, shown(&curves));
    Chart { title: title.into(), x, y, curves, ..Chart::default() }
}

/// All that varies together are angles.
fn is_angle(name: &str) -> bool {
    name.split(',').all(|name| imperfection(name).is_some_and(|own| own.unit == Unit::Radian))
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
            | Unit::Cell
            | Unit::Level) => {
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
    let spread = if report.chip_seeds.len() == 1 { "" } else { ", mean and 95 % interval" };
    format!("{} on {chips}{kind}{spread}{diverged}", text(&report.settings.dataset))
}
