//! Results that are grids of trainings: resumable cells, judged by a description.

use super::ReproduceArguments;
use super::description::{Description, Expectation, Quantity};
use super::finding::{Finding, Reproduction};
use crate::comparison::{self, Finished, GridArguments, MethodReport};
use crate::export::chart::{Axis, Chart, Curve, Interval, Level, Mark};
use crate::failure::{OrUsage, Outcome};
use crate::settings::RunSettings;
use anyhow::{Result, anyhow};
use at_core::training::MethodName;

/// Trains what is missing and judges it.
pub fn run(description: &Description, asked: &ReproduceArguments) -> Outcome<Reproduction> {
    let name = &asked.name;
    let description = if asked.quick { description.clone().quick()? } else { description.clone() };
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
        json: false,
        quiet: asked.quiet,
        settings: if resumed { own } else { complete },
    };
    let vary = if resumed { Vec::new() } else { description.vary.clone() };
    let command = if asked.quick { format!("reproduce {name} --quick") } else { format!("reproduce {name}") };
    let (finished, folder) = comparison::run(&command, vary, &arguments)?;
    if finished.request.vary != description.vary {
        let run = folder.path().display().to_string();
        return Err(anyhow!("{run} varies something else; start anew without --resume")).or_usage();
    }
    if let Some(failure) = finished.report.failures.first() {
        return Err(anyhow!("cell {} failed: {}", failure.cell, failure.reason).into());
    }
    let findings = findings(&description, &finished)?;
    let mut notes = description.notes.clone();
    notes.extend(finished.report.dataset_note.clone());
    for (point, own) in
        finished.report.points.iter().flat_map(|point| point.diverged.iter().map(move |own| (point, own)))
    {
        let (chips, place, reason) = (own.chips, point.values.join(", "), &own.reason);
        notes.push(format!("{} diverged on {chips} chips at {place}, which count as 0 %: {reason}", own.method));
    }
    let chart = chart(&description, &finished, &findings);
    let title = description.title.clone();
    Ok(Reproduction { title, quick: asked.quick, notes, findings, chart, folder })
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

fn findings(description: &Description, finished: &Finished) -> Result<Vec<Finding>> {
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
            let other = expect.minus.as_deref().map(of).transpose()?.unwrap_or(0.0);
            let Expectation { claim, low, high, .. } = expect;
            let unit = expect.quantity.unit(expect.minus.is_some());
            findings.push(Finding::new(
                claim,
                place.clone(),
                (*low, *high),
                of(&expect.method)? - other,
                unit,
                &description.source,
            ));
        }
    }
    Ok(findings)
}

fn methods(finished: &Finished) -> Vec<MethodName> {
    let mut names = Vec::new();
    for method in finished.report.points.iter().flat_map(|point| &point.methods) {
        if !names.contains(&method.method) {
            names.push(method.method);
        }
    }
    names
}

fn chart(description: &Description, finished: &Finished, findings: &[Finding]) -> Chart {
    let verdict = if findings.iter().all(|finding| finding.pass) { "PASS" } else { "FAIL" };
    let reduced = if description.quick.is_none() { " (reduced size)" } else { "" };
    let title = format!("{}{reduced}: {verdict}", description.title);
    let (x, mut curves) = match &description.axis {
        None => (Axis::linear("epoch"), over_epochs(finished)),
        Some(axis) => over_values(axis, description, finished),
    };
    curves.extend(expected_curves(description, finished));
    let absolute = |expect: &&Expectation| expect.minus.is_none() && expect.at.is_none();
    let levels = description.expect.iter().filter(absolute).map(|expect| Level {
        label: format!("expected: {}", expect.claim),
        low: expect.low.max(0.0),
        high: expect.high.min(100.0),
    });
    let quantity = description.expect[0].quantity;
    let y = Axis::linear(quantity.label());
    let y = if quantity == Quantity::Accuracy { y.within(0.0, 100.0) } else { y };
    Chart { title, x, y, curves, levels: levels.collect() }
}

/// Mean accuracy of the chips after every epoch.
fn over_epochs(finished: &Finished) -> Vec<Curve> {
    let curve = |method: MethodName| {
        let results: Vec<_> = finished.results.iter().flatten().filter(|result| result.method == method).collect();
        let epochs = results.iter().map(|result| result.records.len()).min().unwrap_or(0);
        let mean = |epoch: usize| {
            let sum: f64 = results.iter().map(|result| result.records[epoch].test_score).sum();
            ((epoch + 1) as f64, 100.0 * sum / results.len() as f64)
        };
        let points = (0..epochs).map(mean).collect();
        Curve { label: method.to_string(), look: method.into(), mark: Mark::Last, points, interval: Interval::None }
    };
    methods(finished).into_iter().map(curve).collect()
}

/// The place of every point of the grid: its value where all are numbers, else its rank.
fn places(finished: &Finished) -> (Vec<f64>, Option<Vec<String>>) {
    let names: Vec<String> = finished.report.points.iter().map(|point| point.values.join(", ")).collect();
    match names.iter().map(|name| name.parse().ok()).collect::<Option<Vec<f64>>>() {
        Some(values) => (values, None),
        None => ((0..names.len()).map(|rank| rank as f64).collect(), Some(names)),
    }
}

fn over_values(axis: &str, description: &Description, finished: &Finished) -> (Axis, Vec<Curve>) {
    let (places, names) = places(finished);
    let curve = |method: MethodName| {
        let points = finished.report.points.iter().zip(&places).filter_map(|(point, &place)| {
            let own = point.methods.iter().find(|own| own.method == method)?;
            let lost = point.diverged(method);
            Some((place, quantity(description.expect[0].quantity, own, lost, batch(finished))))
        });
        let points = points.collect();
        Curve { label: method.to_string(), look: method.into(), mark: Mark::Filled, points, interval: Interval::None }
    };
    let axis = match names {
        Some(names) => Axis::names(axis, names),
        None => Axis::linear(axis),
    };
    (axis, methods(finished).into_iter().map(curve).collect())
}

/// The bounds of expectations about a difference or a single place, as hollow grey marks.
fn expected_curves(description: &Description, finished: &Finished) -> Vec<Curve> {
    let grey = plotters::style::RGBColor(110, 110, 110);
    let shown = description.expect[0].quantity;
    let (places, _) = places(finished);
    let last = finished.results.iter().flatten().map(|result| result.records.len()).max().unwrap_or(0);
    let mut curves: Vec<Curve> = Vec::new();
    let relative = |expect: &&Expectation| expect.quantity == shown && (expect.minus.is_some() || expect.at.is_some());
    for expect in description.expect.iter().filter(relative) {
        let mut points = Vec::new();
        for (point, &place) in finished.report.points.iter().zip(&places) {
            let name = point.values.join(", ");
            if expect.at.as_ref().is_some_and(|at| *at != name) {
                continue;
            }
            let other = expect.minus.as_ref().map(|minus| {
                let method = point.methods.iter().find(|method| method.method.as_str() == minus.as_str());
                let lost = |method: &MethodReport| point.diverged(method.method);
                method.map_or(f64::NAN, |method| quantity(shown, method, lost(method), batch(finished)))
            });
            let bound = if expect.low > -1e3 { expect.low } else { expect.high };
            let place = if description.axis.is_some() { place } else { last as f64 };
            points.push((place, other.unwrap_or(0.0) + bound));
        }
        let label = format!("expected: {}", expect.claim);
        match curves.iter_mut().find(|curve| curve.label == label) {
            Some(curve) => curve.points.extend(points),
            None => {
                curves.push(Curve { label, look: grey.into(), mark: Mark::Hollow, points, interval: Interval::None })
            }
        }
    }
    curves
}
