//! A folder of `asyt compare`, `asyt sweep` or `asyt reproduce` on the page: what was compared, how well, at what cost.

use super::cost_section::{self, Training};
use super::page::Page;
use crate::comparison::{self, Finished, MethodReport, PointReport, is_oracle, percents, plots, table};
use crate::export::columns::{count, percent, si};
use crate::export::scores::{self, digits, headed, range};
use crate::network_text::NetworkText;
use crate::session::verdict;
use anyhow::{Context, Result, ensure};
use at_core::files::own;
use at_core::files::whole::LONGEST_TEXT;
use at_core::training::Score;
use std::path::Path;

/// Adds the folder `run`. Gives a sentence about cells without a result, which is also on the page.
pub fn section(page: &mut Page, run: &Path, data_dir: Option<&Path>) -> Result<Option<String>> {
    let finished = comparison::read(run, data_dir).map_err(crate::failure::Failure::into_error)?;
    let begun = || format!("continue with: asyt {} --resume {}", finished.request.command, run.display());
    let any = finished.results.iter().any(|results| !results.is_empty());
    ensure!(any || finished.open == 0, "none of its cells has a result yet; {}", begun());
    finished.require_results()?;
    let Finished { request, report, .. } = &finished;
    let name = run.canonicalize().unwrap_or_else(|_| run.to_path_buf());
    let name = name.file_name().unwrap_or(name.as_os_str()).to_string_lossy().into_owned();
    page.heading(1, &format!("{name}: {} methods on the same chips", methods(&finished)));
    findings(page, run)?;
    let diverged: usize = report.points.iter().flat_map(|point| &point.diverged).map(|own| own.chips).sum();
    let missing: usize = finished.open + report.failures.len();
    let missing = (missing > 0).then(|| {
        let all = finished.results.iter().map(Vec::len).sum::<usize>() + diverged + missing;
        format!(
            "{missing} of {all} cells have no result; continue with: asyt {} --resume {}",
            request.command,
            run.display()
        )
    });
    missing.iter().chain(&report.notes).for_each(|text| page.warning(text));
    facts(page, &finished);
    results(page, &finished)?;
    costs(page, &finished)?;
    page.details(
        &format!("All settings of the first point (config.toml). The run is repeated by: {}", request.repeated(run)),
        &own::read_text(&run.join("config.toml"), LONGEST_TEXT)?,
    );
    if let Some(cell) = finished.results.iter().flatten().find_map(|result| result.cell.as_ref()) {
        let cell = run.join("cells").join(cell);
        page.paragraph(&format!(
            "For the confusion matrix and the inside of a chip, report one of its cells: asyt report {}",
            cell.display()
        ));
    }
    Ok(missing)
}

fn methods(finished: &Finished) -> usize {
    finished.report.points.iter().map(|point| point.methods.len()).max().unwrap_or(0)
}

/// The claims of `asyt reproduce` and what came out, where the folder is one of its.
fn findings(page: &mut Page, run: &Path) -> Result<()> {
    let path = run.join("result.json");
    if !path.exists() {
        return Ok(());
    }
    let text = own::read_text(&path, LONGEST_TEXT)?;
    let damaged = || format!("{} is damaged", path.display());
    let result: serde_json::Value = serde_json::from_str(&text).with_context(damaged)?;
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_string();
    let items = |name: &str| result[name].as_array().cloned().unwrap_or_default();
    let verdict = if result["pass"] == true { "as expected" } else { "not all as expected" };
    let reduced = if result["quick"] == true { ", at reduced size" } else { "" };
    page.heading(2, &format!("{}: {verdict}{reduced}", text(&result["title"])));
    let number = |value: &serde_json::Value, none: f64| {
        let number = value.as_f64().unwrap_or(f64::NAN);
        if number == none { "any".to_string() } else { format!("{}", (number * 1e4).round() / 1e4) }
    };
    let row = |finding: &serde_json::Value| {
        let verdict = if finding["pass"] == true { "as expected" } else { "NOT as expected" };
        let range = format!("{} to {}", number(&finding["low"], -1e3), number(&finding["high"], 1e3));
        let found = format!("{} {}", number(&finding["found"], f64::NAN), text(&finding["unit"]));
        vec![text(&finding["claim"]), text(&finding["place"]), range, found, verdict.to_string()]
    };
    let findings = items("findings");
    page.table(&["claim", "at", "expected", "found", ""], &findings.iter().map(row).collect::<Vec<_>>());
    items("notes").iter().for_each(|note| page.paragraph(&text(note)));
    if let Some(finding) = findings.first() {
        page.paragraph(&format!("Expected by: {}.", text(&finding["source"])));
    }
    Ok(())
}

fn facts(page: &mut Page, finished: &Finished) {
    let Finished { request, report, .. } = finished;
    let settings = &report.settings;
    let text = |setting: &Option<String>| setting.clone().unwrap_or_default();
    let network = match &settings.network {
        Some(NetworkText::Short(text)) => text.clone(),
        Some(NetworkText::Long(_)) | None => "given stage by stage, see all settings".to_string(),
    };
    let count = |setting: Option<usize>| setting.map(|value| value.to_string()).unwrap_or_default();
    let seeds = match &report.chip_seeds[..] {
        [one] => format!("number {one}"),
        [first, .., last] => format!("numbers {first} to {last}"),
        [] => String::new(),
    };
    let vary = request.vary.iter().map(|vary| format!("{} = {}", vary.name(), vary.values.join(", ")));
    let engine = finished.results.iter().flatten().next().map(|result| result.engine.clone()).unwrap_or_default();
    let rate = settings.learning_rate.unwrap_or_default();
    page.heading(2, "What was trained");
    page.facts(&[
        ("Varies", vary.collect::<Vec<_>>().join("; ")),
        ("Task", text(&settings.dataset)),
        ("Note", report.dataset_note.clone().unwrap_or_default()),
        ("Encoding", text(&settings.encoding)),
        ("Network", network),
        ("Chips", format!("{}, {seeds}", text(&settings.chip))),
        ("Imperfections", finished.imperfections.clone()),
        ("Methods", settings.method.clone().unwrap_or_default().join(", ")),
        ("Epochs", format!("{} in batches of {}", count(settings.epochs), count(settings.batch_size))),
        (
            "Optimizer",
            format!("{}, learning rate {rate}, schedule {}", text(&settings.optimizer), text(&settings.schedule)),
        ),
        ("Loss", settings.loss_in_words()),
        ("Engine", engine),
    ]);
    if !request.vary.is_empty() {
        page.paragraph("What varies stands here with its value at the first point.");
    }
}

fn results(page: &mut Page, finished: &Finished) -> Result<()> {
    let report = &finished.report;
    let by = report.judged_by;
    page.heading(2, "How well");
    let row = |values: &[String], method: &MethodReport| {
        let score = &method.score;
        let known = |value: Option<f64>| value.map_or("-".to_string(), |value| digits(by, value));
        let chips = method.scores.iter().map(|&one| match by {
            Score::Accuracy => format!("{:.1}", by.in_unit(one)),
            Score::RSquared | Score::MeanSquareError => digits(by, one),
        });
        let chips = chips.collect::<Vec<_>>();
        let misfit = method.misfit.as_ref().map_or("-".to_string(), |misfit| {
            let interval = misfit.interval.map_or(String::new(), |ends| format!(" ({})", percents(ends)));
            percent(misfit.estimate.mean) + &interval
        });
        let name = values.iter().cloned().chain([method.method.to_string()]).collect::<Vec<_>>().join(" ");
        vec![
            name,
            digits(by, score.mean),
            method.interval.map_or("-".to_string(), |ends| range(by, ends)),
            known(score.deviation),
            digits(by, method.best_score),
            misfit,
            method.epochs.to_string(),
            chips.join(", "),
        ]
    };
    let points = || report.points.iter().flat_map(|point| point.methods.iter().map(move |own| (&point.values, own)));
    let unit = if by.unit().is_empty() { String::new() } else { format!(" ({})", by.unit()) };
    let (test, best, each) = (headed(by, "test"), format!("best epoch{unit}"), format!("chip by chip{unit}"));
    let head = ["method", &test, "95 % interval", "deviation", &best, "misfit", "epochs", &each];
    page.table(&head, &points().map(|(values, method)| row(values, method)).collect::<Vec<_>>());
    if report.points.iter().flat_map(|point| &point.methods).any(|method| method.misfit.is_some()) {
        page.paragraph(
            "Misfit: how far the readouts of a method's model lie from the chip's at the end; mean and 95 % interval.",
        );
    }
    if let [point] = &report.points[..]
        && let Some(ideal) = point.methods.iter().find(|method| is_oracle(method.method))
    {
        verdicts(page, finished, point, ideal);
    }
    for (point, own) in report.points.iter().flat_map(|point| point.diverged.iter().map(move |own| (point, own))) {
        let place = if point.values.is_empty() { String::new() } else { format!(" at {}", point.values.join(" ")) };
        page.warning(&format!(
            "{}{place} diverged on {} of {} chips, which have no part in its {}: {}",
            own.method,
            own.chips,
            report.chip_seeds.len(),
            by.symbol(),
            own.reason
        ));
    }
    let pictures = plots::of(report, &finished.results, page.sheet());
    page.begin_figures();
    for (name, picture) in pictures.iter().filter(|(name, _)| name != "cost") {
        page.figure(name, picture, &caption(by, name))?;
    }
    page.end_figures();
    page.heading(2, "At what cost");
    let count = |values: &[String], method: &MethodReport| {
        let accesses = &method.accesses;
        let counts =
            [accesses.reads, accesses.injections, accesses.inputs, accesses.control_writes, accesses.digital_flops];
        let to_target = |value: Option<f64>, unit| match value {
            _ if is_oracle(method.method) => "-".to_string(),
            Some(value) => si(value, unit),
            None => "never".to_string(),
        };
        let name = values.iter().cloned().chain([method.method.to_string()]).collect::<Vec<_>>().join(" ");
        let mut row = vec![name];
        row.extend(counts.map(count));
        row.extend([to_target(method.to_target.time_s, "s"), to_target(method.to_target.energy_j, "J")]);
        row.push(si(method.wall_seconds, "s"));
        row
    };
    let target = table::short(by, report.target);
    let (time, energy) = (format!("time to {target}"), format!("energy to {target}"));
    let head = [
        "method",
        "values read",
        "values injected",
        "inputs written",
        "controls written",
        "digital operations",
        &time,
        &energy,
        "time of the simulation",
    ];
    page.table(&head, &points().map(|(values, method)| count(values, method)).collect::<Vec<_>>());
    page.paragraph(&format!(
        "Means per chip. Time and energy to {target} by cost model {}; never: a chip did not get there.",
        report.cost_model_name
    ));
    Ok(())
}

/// How far the methods end from `ideal`, where that means something.
fn verdicts(page: &mut Page, finished: &Finished, point: &PointReport, ideal: &MethodReport) {
    let by = finished.report.judged_by;
    let samples = finished.results.iter().flatten().map(|result| result.test.samples).min().unwrap_or_default();
    let chance = point.chance.as_ref();
    if let Some(why) = verdict::nothing(by, ideal.score.mean, chance, samples as usize) {
        return page.paragraph(&why);
    }
    for method in point.methods.iter().filter(|method| !is_oracle(method.method)) {
        if let Some(ends) = verdict::ends_on_chips(by, &method.scores, &ideal.scores, chance) {
            page.paragraph(&format!("{} {ends}.", method.method));
        }
    }
}

fn caption(by: Score, file: &str) -> String {
    let name = scores::title(by);
    if file == "alignment" {
        let text = "How well a method's step points down the true slope: 1 is the gradient itself, 0 is across it.";
        return text.to_string();
    }
    let against = [("time", "the modelled time on the chip"), ("energy", "the modelled energy")];
    match against.into_iter().find(|(what, _)| file == format!("{by}-{what}")) {
        Some((_, what)) => format!("{name} against {what} until then."),
        None => format!("{name} of the chips on the test samples: mean and 95 % interval of the mean over the chips."),
    }
}

fn costs(page: &mut Page, finished: &Finished) -> Result<()> {
    let own = (finished.report.cost_model_name.as_str(), finished.report.cost_model);
    cost_section::section(page, &trainings(finished), &cost_section::models(Some(own))?)
}

/// What every method took at every point, chip by chip.
pub fn trainings(finished: &Finished) -> Vec<Training> {
    let mut trainings: Vec<Training> = Vec::new();
    for (point, results) in finished.report.points.iter().zip(&finished.results) {
        for method in &point.methods {
            let chips = results.iter().filter(|result| result.method == method.method);
            let chips = chips.map(|result| (result.accesses, result.chip_size)).collect();
            trainings.push(Training { place: point.values.join(", "), method: method.method, chips });
        }
    }
    trainings
}
