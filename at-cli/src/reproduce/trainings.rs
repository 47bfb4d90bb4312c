//! Results that are grids of trainings: resumable cells, judged by a description.

use super::ReproduceArguments;
use super::experiment::{Expectation, Experiment, Quantity};
use super::finding::{Finding, Reproduction};
use crate::comparison::{self, Finished, GridArguments, MethodReport, plots};
use crate::export::canvas::GREY;
use crate::export::chart::{Axis, Chart, Curve, Interval, Mark, Zone};
use crate::failure::{OrUsage, Outcome};
use crate::session::plot;
use crate::settings::RunSettings;
use crate::{intervals, methods};
use anyhow::{Result, anyhow};
use at_core::statistics::Estimate;
use at_core::training::{MethodName, Score};

/// Trains what is missing and judges it.
pub fn run(description: &Experiment, asked: &ReproduceArguments) -> Outcome<Reproduction> {
    let name = &asked.name;
    let quick = asked.quick && description.quick.is_some();
    let whole = (asked.quick && !quick).then(|| "Computed in full; there is no reduced size.".to_string());
    let description = if quick { description.clone().quick()? } else { description.clone() };
    let resumed = asked.resume.is_some();
    let own = RunSettings { data_dir: asked.data_dir.clone(), ..RunSettings::default() };
    let engine = asked.engine.clone().or_else(|| description.settings.engine.clone());
    let complete = RunSettings { data_dir: asked.data_dir.clone(), engine, ..description.settings.clone() };
    let arguments = GridArguments {
        chips: Some(description.chips),
        target: None,
        cost_model: None,
        jobs: asked.jobs,
        config: None,
        out: (!resumed).then(|| asked.folder()),
        resume: asked.resume.clone(),
        dry_run: false,
        shard: None,
        log_dir: None,
        json: false,
        wide: false,
        quiet: asked.quiet,
        drawn: asked.drawn.clone(),
        settings: if resumed { own } else { complete },
    };
    let vary = if resumed { Vec::new() } else { description.vary.clone() };
    let command = if asked.quick { format!("reproduce {name} --quick") } else { format!("reproduce {name}") };
    let Some((finished, folder)) = comparison::run(&command, vary, &arguments)? else {
        return Err(anyhow!("only a part of the trainings is there").into());
    };
    if finished.request.vary != description.vary {
        let run = folder.path().display().to_string();
        return Err(anyhow!("{run} varies something else; start anew without --resume")).or_usage();
    }
    if let Some(failure) = finished.report.failures.first() {
        return Err(anyhow!("cell {} failed: {}", failure.cell, failure.reason).into());
    }
    let findings = findings(&description, &finished)?;
    let mut notes = description.notes.clone();
    notes.extend(whole.into_iter().chain(finished.report.dataset_note.clone()));
    for (point, own) in
        finished.report.points.iter().flat_map(|point| point.diverged.iter().map(move |own| (point, own)))
    {
        let (chips, place, reason) = (own.chips, point.values.join(", "), &own.reason);
        notes.push(format!("{} diverged on {chips} chips at {place}, which count as 0 %: {reason}", own.method));
    }
    let charts = charts(&description, &finished, &findings, quick);
    let title = description.title.clone();
    Ok(Reproduction { title, quick, notes, findings, charts, folder })
}

/// The mean over the chips; a training that diverged has an accuracy of 0, and counts nothing of the rest.
fn quantity(quantity: Quantity, method: &MethodReport, diverged: usize, batch: f64) -> f64 {
    let accesses = &method.accesses;
    let passes = accesses.passes as f64;
    match quantity {
        Quantity::Accuracy => {
            let done = method.scores.len() as f64;
            100.0 * method.score.mean * done / (done + diverged as f64)
        }
        Quantity::Accesses => (accesses.reads + accesses.injections) as f64 / passes,
        Quantity::TimeSteps => accesses.rounds as f64 * batch / passes,
        // in-silico training sends its samples through the model and none through the chip
        Quantity::DigitalWork => {
            accesses.digital_flops as f64 / accesses.passes.max(accesses.digital_passes) as f64 / 1e3
        }
    }
}

fn batch(finished: &Finished) -> f64 {
    finished.report.settings.batch_size.unwrap_or(1) as f64
}

fn findings(description: &Experiment, finished: &Finished) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for expect in &description.expect {
        for point in &finished.report.points {
            let place = point.values.join(", ");
            if expect.at.as_ref().is_some_and(|at| *at != place) {
                continue;
            }
            let of = |name: &str| {
                let method = point.methods.iter().find(|method| method.method.as_str() == name);
                let lost = point.diverged.iter().find(|own| own.method.as_str() == name);
                match (method, lost) {
                    (Some(method), lost) => {
                        let lost = lost.map_or(0, |own| own.chips);
                        Ok(quantity(expect.quantity, method, lost, batch(finished)))
                    }
                    (None, Some(_)) if expect.quantity == Quantity::Accuracy => Ok(0.0),
                    (None, Some(own)) => Err(anyhow!("nothing of {name} is counted at {place}: {}", own.reason)),
                    (None, None) => Err(anyhow!("no result of {name} at {place}")),
                }
            };
            let lost = [Some(&expect.method), expect.minus.as_ref()].into_iter().flatten().filter_map(|name| {
                let own = point.diverged.iter().find(|own| own.method.as_str() == name.as_str())?;
                let done = point.methods.iter().find(|method| method.method == own.method);
                let all = own.chips + done.map_or(0, |method| method.scores.len());
                Some(format!("{name} on {} of {all} chips", own.chips))
            });
            let other = expect.minus.as_deref().map(of).transpose()?.unwrap_or(0.0);
            let Expectation { claim, low, high, .. } = expect;
            let unit = expect.quantity.unit(expect.minus.is_some());
            let finding = Finding::new(
                claim,
                place.clone(),
                (*low, *high),
                of(&expect.method)? - other,
                unit,
                &description.source,
            );
            findings.push(finding.with_diverged(lost.collect()));
        }
    }
    Ok(findings)
}

fn trained(finished: &Finished) -> Vec<MethodName> {
    let mut names = Vec::new();
    for method in finished.report.points.iter().flat_map(|point| &point.methods) {
        if !names.contains(&method.method) {
            names.push(method.method);
        }
    }
    names
}

/// A chart for each quantity of which something is expected, below each other.
fn charts(description: &Experiment, finished: &Finished, findings: &[Finding], quick: bool) -> Vec<Chart> {
    let verdict = if findings.iter().all(|finding| finding.pass) { "PASS" } else { "FAIL" };
    let reduced = if quick { " (reduced size)" } else { "" };
    let mut quantities: Vec<Quantity> = Vec::new();
    for expect in &description.expect {
        // what is counted has no course over the epochs
        let drawn = description.axis.is_some() || expect.quantity == Quantity::Accuracy;
        if drawn && !quantities.contains(&expect.quantity) {
            quantities.push(expect.quantity);
        }
    }
    let chart = |(index, &quantity): (usize, &Quantity)| {
        let (x, curves) = match &description.axis {
            None => (epochs(finished), over_epochs(finished)),
            Some(axis) => over_values(axis, quantity, finished),
        };
        let zones = zones(description, quantity, finished);
        let bounds = zones.iter().flat_map(|zone| &zone.pieces).flat_map(|piece| [piece.1, piece.2]);
        let values: Vec<f64> = plots::shown(&curves).chain(bounds).filter(|value| value.is_finite()).collect();
        let y = match quantity {
            Quantity::Accuracy => {
                Axis { label: quantity.label().into(), ..plot::axis(Score::Accuracy, values.into_iter()) }
            }
            Quantity::Accesses | Quantity::TimeSteps | Quantity::DigitalWork => {
                Axis::spanning(quantity.label(), &values)
            }
        };
        let title = format!("{}{reduced}: {verdict}", description.title);
        Chart { title: if index == 0 { title } else { String::new() }, x, y, curves, zones, ..Chart::default() }
    };
    quantities.iter().enumerate().map(chart).collect()
}

/// The last epoch, and an axis with some room behind it for what is expected there.
fn last(finished: &Finished) -> usize {
    finished.results.iter().flatten().map(|result| result.records.len()).max().unwrap_or(1)
}

fn epochs(finished: &Finished) -> Axis {
    Axis::linear("epoch").within(0.0, 1.04 * last(finished) as f64)
}

/// Mean accuracy of the chips after every epoch.
fn over_epochs(finished: &Finished) -> Vec<Curve> {
    let curve = |method: MethodName| {
        let results: Vec<_> = finished.results.iter().flatten().filter(|result| result.method == method).collect();
        let epochs = results.iter().map(|result| result.records.len()).min().unwrap_or(0);
        let point = |epoch: usize| {
            let scores: Vec<f64> = results.iter().map(|result| result.records[epoch].test_score).collect();
            let estimate = Estimate::of(&scores)?;
            let (low, high) = intervals::ends(Score::Accuracy, &estimate);
            Some((((epoch + 1) as f64, 100.0 * estimate.mean), (100.0 * low, 100.0 * high)))
        };
        let (points, ends) = (0..epochs).filter_map(point).unzip();
        let (label, look) = (method.to_string(), method.into());
        Curve { label, look, mark: Mark::Last, points, interval: Interval::Band(ends) }
    };
    trained(finished).into_iter().map(curve).collect()
}

/// The place of every point of the grid: its value where all are numbers, else its rank.
fn places(finished: &Finished) -> (Vec<f64>, Option<Vec<String>>) {
    let names: Vec<String> = finished.report.points.iter().map(|point| point.values.join(", ")).collect();
    match names.iter().map(|name| name.parse().ok()).collect::<Option<Vec<f64>>>() {
        Some(values) => (values, None),
        None => ((0..names.len()).map(|rank| rank as f64).collect(), Some(names)),
    }
}

fn over_values(axis: &str, shown: Quantity, finished: &Finished) -> (Axis, Vec<Curve>) {
    let (places, names) = places(finished);
    let curve = |method: MethodName| {
        let points = finished.report.points.iter().zip(&places).filter_map(|(point, &place)| {
            let own = point.methods.iter().find(|own| own.method == method)?;
            let lost = point.diverged(method);
            let value = quantity(shown, own, lost, batch(finished));
            // chips on which it diverged are in the mean and in no interval
            let ends = match intervals::interval(Score::Accuracy, &own.score) {
                Some((low, high)) if shown == Quantity::Accuracy && lost == 0 => (100.0 * low, 100.0 * high),
                Some(_) | None => (value, value),
            };
            Some(((place, value), ends))
        });
        let (points, ends): (Vec<_>, Vec<_>) = points.unzip();
        let known = ends.iter().any(|(low, high)| low < high);
        let interval = if known { Interval::Bars(ends) } else { Interval::None };
        Curve { label: method.to_string(), look: method.into(), mark: Mark::Filled, points, interval }
    };
    let axis = match names {
        Some(names) => Axis::names(axis, names),
        None => Axis::spanning(axis, &places).labelled(places.clone()),
    };
    (axis, trained(finished).into_iter().map(curve).collect())
}

/// Where each method is expected, in its colour: at the end of the training, or at every point of the grid.
fn zones(description: &Experiment, shown: Quantity, finished: &Finished) -> Vec<Zone> {
    let (places, _) = places(finished);
    let mut zones: Vec<Zone> = Vec::new();
    for expect in description.expect.iter().filter(|expect| expect.quantity == shown) {
        let mut pieces = Vec::new();
        for (point, &place) in finished.report.points.iter().zip(&places) {
            let name = point.values.join(", ");
            if expect.at.as_ref().is_some_and(|at| *at != name) {
                continue;
            }
            let other = expect.minus.as_ref().map_or(0.0, |minus| {
                let method = point.methods.iter().find(|method| method.method.as_str() == minus.as_str());
                let lost = |method: &MethodReport| point.diverged(method.method);
                method.map_or(f64::NAN, |method| quantity(shown, method, lost(method), batch(finished)))
            });
            let end =
                |value: f64, none: f64| if value == none { value.signum() * f64::INFINITY } else { other + value };
            let place = if description.axis.is_some() { place } else { last(finished) as f64 };
            if !other.is_nan() {
                pieces.push((place, end(expect.low, -1e3), end(expect.high, 1e3)));
            }
        }
        let label = format!("expected: {}", expect.claim);
        let colour = methods::find(&expect.method).map_or(GREY, |method| methods::facts(method).colour);
        match zones.iter_mut().find(|zone| zone.label == label) {
            Some(zone) => zone.pieces.extend(pieces),
            None => zones.push(Zone { label, colour, pieces }),
        }
    }
    zones
}
