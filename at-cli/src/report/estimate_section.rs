//! What `at-adaptive` has found out about its chip: of a simulated one beside the true errors, which the method never sees, else by itself.

use super::chip_pictures;
use super::estimated::{Heaters, Kind, LOSSES, Part};
use super::page::Page;
use crate::export::canvas::INK;
use crate::export::chart::{Axis, Chart, Curve, Interval, Mark};
use crate::export::heat_map::HeatMap;
use crate::export::look::Look;
use crate::trained::Found;
use anyhow::Result;
use at_core::fabrication::Fabrication;
use at_core::network::Network;
use at_core::stage::StageErrors;
use at_core::training::methods::learned_model::Design;
use at_core::training::methods::{Dash, MethodName, MethodOptions, Standing};

/// Points of one kind in a picture: more of them are a blot.
const MOST_POINTS: usize = 400;

/// The map of weights as a chip holds them, where a stage has some: unknowns of a cell are told by it together.
const HELD: &str = "held";

const TRUE: &str = "estimated against true; on the line both are the same.";
const ESTIMATE: &str = "as at-adaptive estimates it from readouts alone.";

/// What readouts do not tell of losses.
const SUMS: &str = "Readouts tell losses along the way of light: one that is common to both waveguides in front of an MZI is as good behind it, and at the \
                    ends of a mesh only sums are told, so that single losses scatter where their sums are right.";

/// The chip that was estimated, as a simulation knows it.
pub struct Truth<'a> {
    pub chip: &'a Fabrication,
    /// What it was first programmed with.
    pub first: &'a [f64],
}

/// Adds what was `found` of a chip of `network`, beside its true errors where they are known.
pub fn section(
    page: &mut Page,
    found: &[Found],
    network: &Network,
    options: &MethodOptions,
    truth: Option<&Truth>,
) -> Result<()> {
    for Found { method, controls, estimate, standing } in found {
        if estimate.is_empty() {
            continue;
        }
        page.heading(2, &format!("What {method} says of the chip"));
        if let Some(text) = without(*method, estimate, *standing) {
            page.paragraph(&text);
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
        if truth.is_some_and(|own| !own.chip.update_error.is_empty()) {
            page.paragraph(match design.heaters().contains(&true) {
                true => "That controls are followed in part only is among the gains and phases, the true ones too.",
                false => "Where controls are followed in part only, that is among what was estimated.",
            });
        }
        // of update errors and of dead shifters an estimate has the gains and phases that they come to
        let truth = truth.map(|own| design.in_its_terms(own.chip, own.first));
        let parts = Part::all(network, controls, [&design.fabrication, &described], truth.as_ref());
        let dead: usize = parts.iter().map(|part| part.dead_thetas().len()).sum();
        if dead > 0 {
            page.paragraph(&format!(
                "Dead heaters of θ: {dead}. Such an MZI splits light alike at θ and at −θ, and nobody can tell these apart: the nearer one is \
                 shown, and phases beside it may be off by as much as half a turn."
            ));
        }
        let heaters = Heaters {
            estimated: design.heaters(),
            found: &described.control,
            truth: truth.as_ref().map(|truth| &truth.control),
        };
        draw(page, &parts, &heaters)?;
    }
    Ok(())
}

/// Why nothing of an `estimate` is shown; none where it is.
fn without(method: MethodName, estimate: &[f64], standing: Standing) -> Option<String> {
    match standing {
        Standing::Measuring => Some(format!("Nothing yet: {method} was still measuring this chip.")),
        Standing::GivenUp => Some(format!("Nothing: {method} ended without an estimate of this chip.")),
        Standing::InUse if estimate.iter().all(|value| *value == 0.0) => {
            Some(format!("All errors that {method} estimates are 0: it found the chip to be as its data sheet has it."))
        }
        Standing::InUse => None,
    }
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

/// `value` with three digits that say something, however small it is.
fn written(value: f64) -> String {
    if value == 0.0 {
        return "0.000".to_string();
    }
    let short = format!("{value:.2e}");
    let exponent = short.split_once('e').and_then(|(_, exponent)| exponent.parse::<i32>().ok()).unwrap_or(0);
    let text = if exponent < -5 { short } else { format!("{value:.*}", (2 - exponent).max(3) as usize) };
    text.replace('-', "−")
}

/// Estimated errors over true ones, a picture for those of one size and unit, and weights as the chip holds them.
fn against(page: &mut Page, part: &Part, kinds: &[Kind], truth: &StageErrors, file: &str) -> Result<()> {
    for each in kinds.chunk_by(|one, other| one.drawn == other.drawn) {
        let series = each.iter().filter(|kind| !kind.whole);
        let series = series.filter_map(|kind| Some((kind.name.clone(), kind.found.as_slice(), kind.truth.as_deref()?)));
        let [first, ..] = each else { continue };
        let label = match (first.drawn == LOSSES, first.unit) {
            (true, unit) => format!("loss ({unit})"),
            (false, "") => "error".to_string(),
            (false, unit) => format!("error ({unit})"),
        };
        let name = format!("stage-{file}-estimate-{}", first.drawn.replace('_', "-"));
        scatter(page, part, &name, (first.drawn, &label), &series.collect::<Vec<_>>())?;
    }
    let held = |errors: &StageErrors| {
        let maps = chip_pictures::of_errors(&part.stage, errors, &part.controls);
        maps.into_iter().find(|map| map.name == HELD)
    };
    if let (Some(found), Some(truth)) = (held(&part.found), held(truth)) {
        let series = [(truth.title.to_string(), found.values.as_slice(), truth.values.as_slice())];
        scatter(page, part, &format!("stage-{file}-estimate-{HELD}"), (HELD, truth.scale), &series)?;
    }
    Ok(())
}

/// Where a part stands, in a title.
fn place(part: &Part) -> String {
    format!("Stage {}, {}", part.number, part.stage.word())
}

/// One picture of `(what, estimated, true)`, where there is something.
fn scatter(
    page: &mut Page,
    part: &Part,
    name: &str,
    (drawn, label): (&str, &str),
    series: &[(String, &[f64], &[f64])],
) -> Result<()> {
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
    let what = match series {
        [(alone, ..)] => alone.as_str(),
        _ => drawn,
    };
    let title = format!("{}: {what}", place(part));
    let chart = Chart { title: title.clone(), x: axis("true"), y: axis("estimated"), curves, ..Chart::default() };
    let thinned = series.iter().any(|(_, found, _)| found.len() > MOST_POINTS);
    let mut caption = format!("{title}, {TRUE}");
    if thinned {
        caption += " Of each kind some hundred are shown.";
    }
    if drawn == LOSSES {
        caption = format!("{caption} {SUMS}");
    }
    page.figure(name, &chart.picture(page.sheet()), &caption)
}

/// The estimate on the stage's own grid.
fn alone(page: &mut Page, part: &Part, file: &str) -> Result<()> {
    let own = chip_pictures::of_errors(&part.stage, &part.found, &part.controls);
    let pictures = chip_pictures::pictures(&part.stage, &part.found, &part.controls, part.next.as_ref());
    for picture in pictures.into_iter().filter(|picture| own.iter().any(|map| map.name == picture.name)) {
        let title = format!("{}: {}", place(part), picture.map.title);
        let caption = format!("{title}, {ESTIMATE}");
        page.map(&format!("stage-{file}-estimate-{}", picture.name), HeatMap { title, ..picture.map }, &caption)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_errors_keep_their_digits() {
        let texts = [0.0012345, -0.0009996, 0.0996, 0.01, -1.2344, 12.3456, 0.0, 3.21e-7].map(written);
        assert_eq!(texts, ["0.00123", "−0.00100", "0.0996", "0.0100", "−1.234", "12.346", "0.000", "3.21e−7"]);
    }

    #[test]
    fn a_row_has_what_is_known() {
        let kind = |truth| Kind {
            name: "tilt".into(),
            drawn: "tilt",
            unit: "rad",
            whole: true,
            found: vec![-0.5, 0.1],
            truth,
        };
        assert_eq!(row("2", &kind(None)), ["2", "tilt", "−0.500, 0.100 rad"]);
        let both = row("2", &kind(Some(vec![-0.4, 0.1])));
        assert_eq!(both[2..], ["−0.400, 0.100 rad", "−0.500, 0.100 rad", "−0.100, 0.000 rad"]);
        let many = Kind { whole: false, unit: "", ..kind(Some(vec![0.3, -0.1])) };
        assert_eq!(row("2", &many)[2..], ["0.224", "0.361", "0.583"]);
    }

    #[test]
    fn an_estimate_is_not_shown_while_the_chip_is_still_measured() {
        let text = without(MethodName::new("at-adaptive"), &[0.1, 0.0], Standing::Measuring).unwrap();
        assert!(text.contains("at-adaptive was still measuring"), "{text}");
        assert_eq!(without(MethodName::new("at-adaptive"), &[0.1, 0.0], Standing::InUse), None);
    }

    #[test]
    fn a_chip_without_errors_is_told_apart_from_one_that_was_given_up() {
        let text = |standing| without(MethodName::new("at-adaptive"), &[0.0; 3], standing).unwrap();
        assert!(text(Standing::InUse).contains("as its data sheet has it"), "{}", text(Standing::InUse));
        assert!(text(Standing::GivenUp).contains("without an estimate"), "{}", text(Standing::GivenUp));
    }
}
