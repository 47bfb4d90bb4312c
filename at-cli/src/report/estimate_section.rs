//! What `at-adaptive` has found out about its chip: of a simulated one beside the true errors, which the method never sees, else by itself.

use super::chip_pictures;
use super::page::Page;
use crate::export::canvas::INK;
use crate::export::chart::{Axis, Chart, Curve, Interval, Mark};
use crate::export::look::Look;
use crate::trained::Found;
use anyhow::Result;
use at_core::fabrication::{ControlPath, Fabrication};
use at_core::network::{Network, Stage};
use at_core::stage::{ErrorVector, Order, StageErrors};
use at_core::training::methods::learned_model::Design;
use at_core::training::methods::{Dash, MethodOptions};
use std::f64::consts::TAU;

/// Points of one kind in a picture: more of them are a blot.
const MOST_POINTS: usize = 400;

/// The map of weights as a chip holds them, where a stage has some: unknowns of a cell are told by it together.
const HELD: &str = "held";

const TRUE: &str = "What was estimated against what is so; on the line both are the same.";
const ESTIMATE: &str = "As at-adaptive estimates it from readouts alone.";

/// Adds what was `found` of a chip of `network`, beside its `true` errors where they are known.
pub fn section(
    page: &mut Page,
    found: &[Found],
    network: &Network,
    options: &MethodOptions,
    truth: Option<&Fabrication>,
) -> Result<()> {
    for Found { method, controls, estimate } in found {
        if estimate.is_empty() {
            continue;
        }
        page.heading(2, &format!("What {method} says of the chip"));
        if estimate.iter().all(|value| *value == 0.0) {
            page.paragraph(&format!("Nothing: {method} ended without an estimate of this chip."));
            continue;
        }
        let design = Design::of(network, options)?;
        let described = match design.described(estimate) {
            Ok(described) => described,
            Err(error) => {
                page.warning(&format!("What was estimated is not shown: {error}"));
                continue;
            }
        };
        page.paragraph(match truth {
            Some(_) => {
                "Errors as estimated from readouts, beside the true ones, which only a simulation can show. What readouts do not tell, as phases \
                 in front of detectors of power, or do not tell apart, as phases at the end of one mesh and in front of the next, may be off \
                 by anything."
            }
            None => {
                "Errors as estimated from readouts. What these do not tell, as phases in front of detectors of power, may be anything, and nobody \
                 knows the true ones."
            }
        });
        if truth.is_some_and(|own| !own.update_error.is_empty()) {
            page.paragraph("Where controls are followed in part only, that is among the estimated gains and phases.");
        }
        let known = &design.fabrication;
        let mut parts = Vec::new();
        let mut first = 0;
        let mut following = network.stages().skip(1);
        for (index, stage) in network.stages().enumerate() {
            let own = first..first + stage.controls();
            let whole = Part {
                number: format!("{}", index + 1),
                stage: stage.clone(),
                next: following.next().cloned(),
                first,
                controls: controls[own.clone()].to_vec(),
                known: known.stage(index).clone(),
                found: described.stage(index).clone(),
                truth: truth.map(|truth| truth.stage(index).clone()),
            };
            first = own.end;
            whole.taken_apart(&mut parts);
        }
        let heaters = Heaters {
            estimated: design.heaters(),
            found: &described.control,
            truth: truth.map(|truth| &truth.control),
        };
        draw(page, &parts, &heaters)?;
    }
    Ok(())
}

/// A stage of the chip, or one inside another.
struct Part {
    number: String,
    stage: Stage,
    next: Option<Stage>,
    /// Its first control among all.
    first: usize,
    controls: Vec<f64>,
    /// Errors as the data sheet has them, as they were found, and as they are.
    known: StageErrors,
    found: StageErrors,
    truth: Option<StageErrors>,
}

impl Part {
    /// Itself, or everything inside it.
    fn taken_apart(self, parts: &mut Vec<Part>) {
        let Some(series) = self.stage.series_inside() else { return parts.push(self) };
        let starts = series.first_controls();
        let [known, found] = [&self.known, &self.found].map(|errors| series.errors_of_stages(errors));
        let truth = self.truth.as_ref().map(|errors| series.errors_of_stages(errors));
        for (index, stage) in series.stages.iter().enumerate() {
            let own = Part {
                number: format!("{}.{}", self.number, index + 1),
                stage: stage.clone(),
                next: series.stages.get(index + 1).cloned(),
                first: self.first + starts[index],
                controls: self.controls[starts[index]..starts[index + 1]].to_vec(),
                known: known[index].clone(),
                found: found[index].clone(),
                truth: truth.as_ref().map(|truth| truth[index].clone()),
            };
            own.taken_apart(parts);
        }
    }

    /// Its kinds of errors that were estimated, those of controls by what these are.
    fn kinds(&self) -> Vec<Kind> {
        let mut kinds = Vec::new();
        for vector in self.stage.element().imperfect().map(|own| own.errors()).unwrap_or_default() {
            let values = |errors| named(errors, vector.name);
            let Some(found) = values(&self.found).filter(|found| values(&self.known) != Some(*found)) else { continue };
            let truth = self.truth.as_ref().map(|truth| values(truth).unwrap_or_default());
            let found = turned_back(&vector, found, truth);
            let mut start = 0;
            for (name, length) in self.pieces(&vector) {
                let own = start..start + length;
                start = own.end;
                kinds.push(Kind {
                    name,
                    unit: vector.unit,
                    whole: vector.order == Order::Stage,
                    found: found[own.clone()].to_vec(),
                    truth: truth.map(|truth| own.map(|index| truth.get(index).copied().unwrap_or(0.0)).collect()),
                });
            }
        }
        kinds
    }

    /// What `vector` has errors of, and how many: of each array of the controls, where it has one for every control.
    fn pieces(&self, vector: &ErrorVector) -> Vec<(String, usize)> {
        let arrays = self.stage.control_arrays();
        let of_controls = vector.order == Order::Controls && vector.length == self.controls.len();
        if !of_controls || arrays.len() < 2 {
            return vec![(vector.what.to_string(), vector.length)];
        }
        arrays.iter().map(|array| (format!("{}, {}", vector.what, array.name), array.shape.iter().product())).collect()
    }
}

/// Errors of one kind of one stage.
#[derive(Debug)]
struct Kind {
    name: String,
    unit: &'static str,
    /// They are the stage's as a whole.
    whole: bool,
    found: Vec<f64>,
    truth: Option<Vec<f64>>,
}

/// Heaters of all controls.
struct Heaters<'a> {
    /// Whether their gains were.
    estimated: Vec<bool>,
    found: &'a ControlPath,
    truth: Option<&'a ControlPath>,
}

impl Heaters<'_> {
    /// Gains of the heaters of `part`, where they were estimated.
    fn of(&self, part: &Part) -> Option<Kind> {
        let own: Vec<usize> = (part.first..part.first + part.controls.len()).filter(|&k| self.estimated[k]).collect();
        let gains =
            |path: &ControlPath| own.iter().map(|&k| path.shifters.get(k).map_or(0.0, |own| own.gain - 1.0)).collect();
        (!own.is_empty()).then(|| Kind {
            name: "gain of a heater".to_string(),
            unit: "",
            whole: false,
            found: gains(self.found),
            truth: self.truth.map(gains),
        })
    }
}

/// The vector `name` of a stage's errors.
fn named<'a>(errors: &'a StageErrors, name: &str) -> Option<&'a [f64]> {
    errors.iter().find(|(own, _)| *own == name).map(|(_, values)| values)
}

/// Phases that differ by whole turns are one: those that were `found`, next to the true ones, or to 0 where nobody knows these.
fn turned_back(vector: &ErrorVector, found: &[f64], truth: Option<&[f64]>) -> Vec<f64> {
    let phases = vector.unit == "rad" && matches!(vector.order, Order::Controls | Order::ControlsFrom(_));
    let near = |index: usize| truth.and_then(|truth| truth.get(index)).copied().unwrap_or(0.0);
    let turn = |(index, value): (usize, &f64)| match phases {
        true => value - TAU * ((value - near(index)) / TAU).round(),
        false => *value,
    };
    found.iter().enumerate().map(turn).collect()
}

/// The table of all parts, then their pictures.
fn draw(page: &mut Page, parts: &[Part], heaters: &Heaters) -> Result<()> {
    let kinds: Vec<Vec<Kind>> =
        parts.iter().map(|part| part.kinds().into_iter().chain(heaters.of(part)).collect()).collect();
    let rows = parts.iter().zip(&kinds).flat_map(|(part, kinds)| kinds.iter().map(|kind| row(&part.number, kind)));
    match heaters.truth {
        Some(_) => page.table(&["stage", "error", "true", "estimated", "off by"], &rows.collect::<Vec<_>>()),
        None => page.table(&["stage", "error", "estimated"], &rows.collect::<Vec<_>>()),
    }
    page.paragraph("Of more than two numbers their root mean square.");
    page.begin_figures();
    for (part, kinds) in parts.iter().zip(&kinds) {
        let file = part.number.replace('.', "-");
        match &part.truth {
            Some(truth) => against(page, part, kinds, truth, &file)?,
            None => alone(page, part, &file)?,
        }
    }
    page.end_figures();
    Ok(())
}

fn row(number: &str, kind: &Kind) -> Vec<String> {
    let unit = if kind.unit.is_empty() { String::new() } else { format!(" {}", kind.unit) };
    let text = |values: &[f64]| match values {
        [] => "-".to_string(),
        [_] | [_, _] if kind.whole => values.iter().map(|&value| written(value)).collect::<Vec<_>>().join(", ") + &unit,
        many => written(root_mean_square(many)) + &unit,
    };
    let found = text(&kind.found);
    let mut row = vec![number.to_string(), kind.name.clone()];
    match &kind.truth {
        Some(truth) => {
            let off: Vec<f64> = kind.found.iter().zip(truth).map(|(found, truth)| found - truth).collect();
            row.extend([text(truth), found, text(&off)]);
        }
        None => row.push(found),
    }
    row
}

fn root_mean_square(values: &[f64]) -> f64 {
    (values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64).sqrt()
}

fn written(value: f64) -> String {
    let text = format!("{value:.3}");
    if text == "-0.000" { "0.000".to_string() } else { text.replace('-', "−") }
}

/// Estimated errors over true ones, a picture for each unit, and weights as the chip holds them.
fn against(page: &mut Page, part: &Part, kinds: &[Kind], truth: &StageErrors, file: &str) -> Result<()> {
    for (unit, name, label) in [("rad", "rad", "error (rad)"), ("", "relative", "error"), ("dB", "db", "error (dB)")] {
        let own = kinds.iter().filter(|kind| kind.unit == unit && !kind.whole);
        let series = own.filter_map(|kind| Some((kind.name.clone(), kind.found.as_slice(), kind.truth.as_deref()?)));
        scatter(page, part, &format!("stage-{file}-estimate-{name}"), label, &series.collect::<Vec<_>>())?;
    }
    let held = |errors: &StageErrors| {
        let maps = chip_pictures::of_errors(&part.stage, errors, &part.controls);
        maps.into_iter().find(|map| map.name == HELD)
    };
    if let (Some(found), Some(truth)) = (held(&part.found), held(truth)) {
        let series = [(truth.title.to_string(), found.values.as_slice(), truth.values.as_slice())];
        scatter(page, part, &format!("stage-{file}-estimate-{HELD}"), truth.scale, &series)?;
    }
    Ok(())
}

/// One picture of `(what, estimated, true)`, where there is something.
fn scatter(page: &mut Page, part: &Part, name: &str, label: &str, series: &[(String, &[f64], &[f64])]) -> Result<()> {
    let values = series.iter().flat_map(|(_, found, truth)| found.iter().chain(*truth));
    let ends = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)));
    if ends.0 > ends.1 {
        return Ok(());
    }
    let margin = (0.05 * (ends.1 - ends.0)).max(1e-3);
    let (low, high) = (ends.0 - margin, ends.1 + margin);
    let axis = |what: &str| {
        Axis { angle: label.ends_with("(rad)"), ..Axis::linear(format!("{what} {label}")) }.within(low, high)
    };
    let same = Curve {
        label: "estimated = true".to_string(),
        look: Look { dash: Dash::Dashed, ..INK.into() },
        mark: Mark::None,
        points: vec![(low, low), (high, high)],
        interval: Interval::None,
    };
    let points = |(index, (what, found, truth)): (usize, &(String, &[f64], &[f64]))| {
        let every = found.len().div_ceil(MOST_POINTS).max(1);
        let points = truth.iter().copied().zip(found.iter().copied()).step_by(every).collect();
        let look = Look::numbered(index);
        Curve { label: what.clone(), look, mark: Mark::Points, points, interval: Interval::None }
    };
    let curves = std::iter::once(same).chain(series.iter().enumerate().map(points)).collect();
    let title = format!("Stage {}: estimated and true", part.number);
    let chart = Chart { title, x: axis("true"), y: axis("estimated"), curves, ..Chart::default() };
    let thinned = series.iter().any(|(_, found, _)| found.len() > MOST_POINTS);
    let caption = format!("{TRUE}{}", if thinned { " Of each kind some hundred are shown." } else { "" });
    page.figure(name, &chart.picture(page.sheet()), &caption)
}

/// The estimate on the stage's own grid.
fn alone(page: &mut Page, part: &Part, file: &str) -> Result<()> {
    let own = chip_pictures::of_errors(&part.stage, &part.found, &part.controls);
    let pictures = chip_pictures::pictures(&part.stage, &part.found, &part.controls, part.next.as_ref());
    for picture in pictures.into_iter().filter(|picture| own.iter().any(|map| map.name == picture.name)) {
        page.map(&format!("stage-{file}-estimate-{}", picture.name), picture.map, ESTIMATE)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use at_core::optics::Mesh;
    use at_core::stage::Imperfect;

    fn part(found: StageErrors, truth: Option<StageErrors>) -> Part {
        let mesh = Mesh::rectangular(3).unwrap();
        let (controls, known) = (vec![0.5; mesh.controls()], StageErrors::zeros(&mesh));
        Part { number: "1".into(), stage: Stage::Mesh(mesh), next: None, first: 0, controls, known, found, truth }
    }

    fn errors(of: impl Fn(&str, usize) -> f64) -> StageErrors {
        let mesh = Mesh::rectangular(3).unwrap();
        let vectors = mesh.errors();
        StageErrors::new(&mesh, vectors.iter().map(|own| (0..own.length).map(|k| of(own.name, k)).collect()).collect())
    }

    #[test]
    fn errors_are_told_apart_by_what_they_are_errors_of_and_whole_turns_are_none() {
        let found = errors(|name, k| if name == "phases" { 0.1 * (k + 1) as f64 + TAU } else { 0.0 });
        let truth = errors(|name, k| if name == "phases" { 0.1 * (k + 1) as f64 - 0.02 } else { 0.3 });
        let kinds = part(found.clone(), Some(truth)).kinds();
        let told: Vec<(&str, usize)> = kinds.iter().map(|kind| (kind.name.as_str(), kind.found.len())).collect();
        assert_eq!(told, [("phase error, theta", 3), ("phase error, phi", 3), ("phase error, gamma", 3)]);
        for kind in &kinds {
            let off = kind.found.iter().zip(kind.truth.as_ref().unwrap()).map(|(found, truth)| found - truth);
            assert!(off.into_iter().all(|off| (off - 0.02).abs() < 1e-12), "{kind:?}");
            assert_eq!(row("1", kind)[4], "0.020 rad");
        }
        let alone = part(found, None).kinds();
        assert!((alone[2].found[2] - 0.9).abs() < 1e-12, "next to 0 where nobody knows the true ones");
        assert_eq!(row("1", &alone[0]).len(), 3);
        assert_eq!([written(-0.0001), written(-0.5)], ["0.000", "−0.500"]);
    }
}
