//! One run of `asyt train` on the page.

use super::confusion::Confusion;
use super::cost_section::{self, Training};
use super::estimate_section::{self, Truth};
use super::page::Page;
use super::power::Light;
use super::{chip_pictures, curves, power};
use crate::export::columns::{count, percent};
use crate::export::heat_map::{Colours, HeatMap};
use crate::export::scores::{self, shown};
use crate::session::summary::{MethodResult, Summary};
use crate::session::{plot, verdict};
use crate::trained::{RunFiles, TrainedChip, TrainedRun};
use anyhow::{Result, ensure};
use at_core::data::ImageShape;
use at_core::network::Stage;
use at_core::stage::StageErrors;
use at_core::training::MethodName;
use std::path::Path;

/// What the page shows of a run beside its tables.
pub struct Choice<'a> {
    /// The test sample whose light is shown.
    pub sample: usize,
    /// The method whose chip is shown.
    pub method: Option<&'a str>,
    /// Where the data lie, if not where the run found them.
    pub data_dir: Option<&'a Path>,
}

/// Adds the run in folder `run`. Gives a sentence where the chip could not be shown, which is also on the page.
pub fn section(page: &mut Page, run: &Path, choice: &Choice) -> Result<Option<String>> {
    let files = RunFiles::begun(run, choice.data_dir)?;
    let summary = &files.summary;
    let subject = summary.outside_chip.clone().unwrap_or_else(|| format!("a chip of kind {}", summary.chip));
    page.heading(1, &format!("{}: {} on {subject}", files.name, summary.dataset));
    for line in verdict::verdict(summary).lines() {
        page.paragraph(line);
    }
    summary.notes.iter().for_each(|note| page.warning(note));
    let unfinished = unfinished(run, &files);
    unfinished.iter().for_each(|text| page.warning(text));
    let mut trained = TrainedRun::load(run, &files, choice.data_dir);
    // a chip from outside cannot be made again, but what was found of it stands in the run
    let outside = trained.as_mut().ok().filter(|run| run.plan.settings.has_outside_chip());
    let outside = outside.map(|run| (std::mem::take(&mut run.found), run.network.clone(), run.plan.options));
    let trained = trained.and_then(TrainedChip::of);
    trained_facts(page, &files, trained.as_ref().ok());
    results(page, &files)?;
    if let Some((found, network, options)) = outside {
        estimate_section::section(page, &found, &network, &options, None)?;
    }
    let missing = match trained {
        Ok(trained) => {
            recognition(page, &trained)?;
            chip(page, &trained, choice)?;
            let TrainedRun { found, network, plan, initial, .. } = &trained.run;
            let truth = Truth { chip: &trained.fabrication, first: initial };
            estimate_section::section(page, found, network, &plan.options, Some(&truth))?;
            None
        }
        Err(error) => {
            let why = format!("The chip and its answers are not shown: {}", crate::failure::in_a_line(&error));
            page.warning(&why);
            Some(why)
        }
    };
    let missing = match (unfinished, missing) {
        (Some(one), Some(other)) => Some(format!("{one} {other}")),
        (one, other) => one.or(other),
    };
    let (file, text) = &files.config;
    let config = run.join(file).display().to_string();
    let config = shlex::try_quote(&config).map_or(config.clone(), std::borrow::Cow::into_owned);
    let repeated = format!("All settings ({file}). The run is repeated by: asyt train --config {config}");
    page.details(&repeated, text);
    Ok(missing)
}

/// What the run has not done yet, and how it goes on.
fn unfinished(run: &Path, files: &RunFiles) -> Option<String> {
    let asked: Vec<&String> = files.settings.method.iter().flatten().collect();
    let done = |name: &String| files.summary.results.iter().any(|result| result.method.as_str() == name.as_str());
    let open = asked.iter().filter(|name| !done(name)).map(|name| {
        let epochs = files.rows.iter().filter(|row| row.method.as_str() == name.as_str()).map(|row| row.epoch).max();
        let all = files.settings.epochs.unwrap_or_default();
        epochs.map_or(format!("{name} has not begun"), |epochs| format!("{name} has done {epochs} of {all} epochs"))
    });
    let open: Vec<String> = open.collect();
    let go_on = format!("continue with: asyt train --resume {}", run.display());
    (!open.is_empty()).then(|| format!("The run is not finished: {}; {go_on}.", open.join(", ")))
}

fn trained_facts(page: &mut Page, files: &RunFiles, trained: Option<&TrainedChip>) {
    let (settings, summary) = (&files.settings, &files.summary);
    let text = |setting: &Option<String>| setting.clone().unwrap_or_default();
    let number = |setting: Option<f64>| setting.map(|value| value.to_string()).unwrap_or_default();
    let count = |setting: Option<usize>| setting.map(|value| value.to_string()).unwrap_or_default();
    let network = match &settings.network {
        Some(crate::network_text::NetworkText::Short(text)) => text.clone(),
        Some(_) => "given stage by stage, see all settings".to_string(),
        None => String::new(),
    };
    let samples = format!("{} training and {} test samples", summary.train_samples, summary.test_samples);
    let engines: Vec<&str> = summary.results.iter().map(|result| result.engine.as_str()).collect();
    page.heading(2, "What was trained");
    page.facts(&[
        ("Task", format!("{}: {samples}", summary.dataset)),
        ("Classes", classes(summary)),
        ("Note", summary.dataset_note.clone().unwrap_or_default()),
        ("Encoding", text(&settings.encoding)),
        ("Network", format!("{network}, {} controls", summary.controls)),
        ("Chip", format!("{}, number {}", summary.chip, summary.chip_seed)),
        ("Imperfections", trained.map(|trained| trained.imperfections.clone()).unwrap_or_default()),
        ("Methods", settings.method.clone().unwrap_or_default().join(", ")),
        ("Epochs", format!("{} in batches of {}", count(settings.epochs), count(settings.batch_size))),
        (
            "Optimizer",
            format!(
                "{}, learning rate {}, schedule {}",
                text(&settings.optimizer),
                number(settings.learning_rate),
                text(&settings.schedule)
            ),
        ),
        ("Loss", settings.loss_in_words()),
        ("Seed", format!("{} (first controls, order of the samples)", summary.seed)),
        ("Engine", engines.first().map(|engine| (*engine).to_string()).unwrap_or_default()),
    ]);
}

/// The names of the classes, by their numbers; nothing where they have none.
fn classes(summary: &Summary) -> String {
    const MOST: usize = 100;
    let names = summary.class_names.as_deref().unwrap_or_default();
    let more = if names.len() > MOST { format!(", … ({} in all)", names.len()) } else { String::new() };
    let shown = names.iter().take(MOST).enumerate().map(|(class, name)| format!("{class} {name}"));
    shown.collect::<Vec<_>>().join(", ") + &more
}

fn results(page: &mut Page, files: &RunFiles) -> Result<()> {
    let (summary, methods) = (&files.summary, files.methods());
    page.heading(2, "How well");
    let by = summary.judged_by;
    let shown = |score: f64| shown(by, score);
    let rows: Vec<Vec<String>> = summary
        .results
        .iter()
        .map(|result| {
            vec![
                result.label(),
                shown(result.final_test_score),
                shown(result.best_test_score),
                shown(result.final_train_score),
                result.epochs.to_string(),
                result.misfit.map_or("-".to_string(), percent),
            ]
        })
        .chain(methods.iter().filter_map(|&method| so_far(files, method)))
        .collect();
    let head = ["method", &format!("test {}", by.symbol()), "best epoch", "on training samples", "epochs", "misfit"];
    page.table(&head, &rows);
    if summary.results.iter().any(|result| result.misfit.is_some()) {
        page.paragraph("Misfit: how far the readouts of a method's model lie from the chip's at the end.");
    }
    page.begin_figures();
    let sheet = page.sheet();
    let picture = plot::scores("", by, &methods, &files.rows).picture(sheet);
    let caption = format!("{} of the chip on the test samples after every epoch.", scores::title(by));
    page.figure(by.as_str(), &picture, &caption)?;
    let loss = curves::loss(&methods, &files.rows).picture(sheet);
    let measured = files.rows.iter().any(|row| row.measuring);
    let caption = format!(
        "Loss on the training samples, as each method sees it: in-silico sees its model and not the chip.{}",
        if measured {
            " Epochs in which at-adaptive measured the chip are left out: their loss is the model's."
        } else {
            ""
        }
    );
    page.figure("loss", &loss, &caption)?;
    page.end_figures();
    page.heading(2, "At what cost");
    let rows: Vec<Vec<String>> = summary
        .results
        .iter()
        .map(|result| {
            vec![
                result.label(),
                count(result.chip_reads),
                count(result.chip_injections),
                count(result.control_writes),
                format!("{:.1} s", result.wall_seconds),
            ]
        })
        .collect();
    page.table(&["method", "values read", "values injected", "controls written", "time of the simulation"], &rows);
    for line in summary.results.iter().filter_map(|result| endurance(summary.cells, result)) {
        page.paragraph(&line);
    }
    if files.rows.iter().any(|row| row.chip_reads > 0) {
        let interface = curves::interface(by, &methods, &files.rows).picture(page.sheet());
        let caption = format!(
            "{} against what has crossed the chip's interface. Methods that never read the chip while training have no curve.",
            scores::title(by)
        );
        page.figure("interface", &interface, &caption)?;
    }
    costs(page, files)
}

/// What a training has spent of the endurance of non-volatile cells, where the chip has some.
fn endurance(pairs: usize, result: &MethodResult) -> Option<String> {
    let written = result.accesses?.cell_writes;
    let mean = written as f64 / (2 * pairs).max(1) as f64;
    (pairs > 0).then(|| {
        let cells = count(2 * pairs as u64);
        format!(
            "{}: {} cells were written, each of the {cells} cells {mean:.1} times on average.",
            result.label(),
            count(written)
        )
    })
}

/// A row of the table for a method that has not finished: what its epochs so far gave.
fn so_far(files: &RunFiles, method: MethodName) -> Option<Vec<String>> {
    let summary = &files.summary;
    if summary.results.iter().any(|result| result.method == method) {
        return None;
    }
    let rows = || files.rows.iter().filter(|row| row.method == method);
    let last = rows().next_back()?;
    let by = summary.judged_by;
    let best = rows().map(|row| row.test_score).fold(last.test_score, |one, other| by.better(one, other));
    let all = files.settings.epochs.unwrap_or_default();
    let [test, best, train] = [last.test_score, best, last.train_score].map(|score| shown(by, score));
    Some(vec![format!("{method}, so far"), test, best, train, format!("{} of {all}", last.epoch), "-".to_string()])
}

/// Time and energy by term, where the run has noted all that they depend on.
fn costs(page: &mut Page, files: &RunFiles) -> Result<()> {
    let summary = &files.summary;
    let size = summary.inputs.map(|_| summary.chip_size());
    let training = |result: &MethodResult| {
        let chips = vec![(result.accesses?, size?)];
        let place = if result.share_model > 1 { format!("chip {}", result.chip_seed) } else { String::new() };
        Some(Training { place, method: result.method, chips })
    };
    match summary.results.iter().map(training).collect::<Option<Vec<_>>>() {
        Some(trainings) => cost_section::section(page, &trainings, &cost_section::models(None)?),
        None => {
            page.warning(
                "Time and energy are not shown: the run is of an earlier version, which did not keep all counts.",
            );
            Ok(())
        }
    }
}

fn recognition(page: &mut Page, trained: &TrainedChip) -> Result<()> {
    if trained.run.data.real_targets().is_some() {
        return Ok(()); // nothing is taken for anything
    }
    page.heading(2, "What is taken for what");
    let (classes, block) = (trained.run.data.classes, Confusion::new(trained.run.data.classes).block);
    if block > 1 {
        page.note(format!("{classes} classes are drawn in blocks of {block} neighbours: an answer within the block counts as right in the picture, not in the accuracy above it"));
    }
    page.begin_figures();
    for (method, controls) in &trained.run.controls {
        let confusion = Confusion::of(trained, controls)?;
        let accuracy = 100.0 * confusion.accuracy();
        let map = confusion.map(format!("{method}: {accuracy:.2} % right"), &trained.run.data);
        let caption = format!("Answers of the chip trained with {method} to all test samples, in % of each class.");
        page.map(&format!("confusion-{method}"), map, &caption)?;
    }
    page.end_figures();
    Ok(())
}

fn chip(page: &mut Page, trained: &TrainedChip, choice: &Choice) -> Result<()> {
    let (method, controls) = trained.run.chosen(choice.method)?;
    let samples = trained.run.data.test.len();
    let sample = choice.sample;
    ensure!(sample < samples, "--sample {sample} is not there: the test samples are 0 to {}", samples - 1);
    page.heading(2, &format!("Inside the chip, trained with {method}"));
    page.paragraph(
        "Only a simulation can look inside: the methods that train this chip never see the errors shown here.",
    );
    let mut maps = power::maps(trained, controls, sample)?.into_iter();
    if let Some(shape) = trained.run.data.image {
        let class = trained.run.data.class_name(trained.run.data.test.labels[sample] as usize);
        let channels = match shape.channels {
            1 => String::new(),
            several => format!(" Its {several} channels stand one below the other."),
        };
        let caption = format!("Test sample {sample}, class {class}.{channels}");
        page.map("sample", image(trained, sample, shape)?, &caption)?;
    }
    let mut start = 0;
    let mut following = trained.run.network.stages().skip(1);
    for (index, stage) in trained.run.network.stages().enumerate() {
        let next = following.next();
        let own = &controls[start..start + stage.controls()];
        start += stage.controls();
        let light = maps.next().flatten();
        if own.is_empty() && light.is_none() {
            continue;
        }
        let whole = Inside { number: format!("{}", index + 1), stage, controls: own, next };
        inside(page, &whole, trained.fabrication.stage(index), light)?;
    }
    Ok(())
}

/// A stage of the chip, or one inside another.
struct Inside<'a> {
    /// `3`, and `3.1` of the first one inside.
    number: String,
    stage: &'a Stage,
    controls: &'a [f64],
    /// What stands behind it.
    next: Option<&'a Stage>,
}

/// The pictures of a stage; of a series, a residual connection and patches through one a frame with a box for everything inside.
fn inside(page: &mut Page, whole: &Inside, errors: &StageErrors, light: Option<Light>) -> Result<()> {
    let Inside { number, stage, controls, next } = whole;
    let level = if number.contains('.') { 4 } else { 3 };
    page.heading(level, &format!("Stage {number}: {}", stage.element().description()));
    if let Some(series) = stage.series_inside() {
        page.begin_frame();
        let starts = series.first_controls();
        for (index, (own, errors)) in series.stages.iter().zip(series.errors_of_stages(errors)).enumerate() {
            let part = Inside {
                number: format!("{number}.{}", index + 1),
                stage: own,
                controls: &controls[starts[index]..starts[index + 1]],
                next: series.stages.get(index + 1),
            };
            inside(page, &part, &errors, None)?;
        }
        page.end_frame();
        return Ok(());
    }
    let pictures = chip_pictures::pictures(stage, errors, controls, *next);
    if pictures.is_empty() && light.is_none() {
        if !controls.is_empty() {
            page.note(format!("stage {number}: no picture, it has too many parts or none that can be drawn"));
        }
        return Ok(());
    }
    let file = number.replace('.', "-");
    page.begin_figures();
    if let Some(Light { map, caption }) = light {
        page.map(&format!("stage-{file}-power"), map, &caption)?;
    }
    for picture in pictures {
        page.map(&format!("stage-{file}-{}", picture.name), picture.map, picture.caption)?;
    }
    page.end_figures();
    Ok(())
}

fn image(trained: &TrainedChip, sample: usize, shape: ImageShape) -> Result<HeatMap> {
    let values = trained.run.data.test.row(sample)?;
    let high = values.iter().copied().fold(0.0_f32, f32::max);
    Ok(HeatMap {
        title: format!("Test sample {sample}"),
        x_label: "pixel".into(),
        y_label: "pixel".into(),
        scale_label: "brightness".into(),
        rows: shape.channels * shape.height,
        columns: shape.width,
        values: values.iter().map(|&value| Some(f64::from(value))).collect(),
        colours: Colours::Sequential { low: 0.0, high: f64::from(if high > 0.0 { high } else { 1.0 }) },
        numbers: false,
        names: None,
        block: 1,
        frames: Vec::new(),
    })
}
