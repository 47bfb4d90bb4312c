//! `asyt compare`: methods on the same chips and the same budget, with what each costs at the interface.

use crate::comparison::{self, Finished, GridArguments, csv, markdown, plots, plots::Pictures, table};
use crate::export::picture::{self, Format};
use crate::export::sheet::Sheet;
use crate::failure::Outcome;
use crate::progress::results_in;
use crate::report::{comparison_section, cost_section};
use crate::run_folder::RunFolder;
use crate::terminal::{self, visible};
use anyhow::Context;
use std::io::Write;

/// What `--help` says at its end.
pub const HELP: &str = "\
Every method is trained on the same chips with the same budget. Each training
is a cell with a folder of its own, RUN/cells/NAME: once done, it is never done
again. --resume goes on after Ctrl-C, a crash or kill -9, and tries failed
cells again. --shard K/N trains a part of them, beside other machines.

Presets, networks and chips are those of asyt train --help.

The folder gets compare.txt, compare.md (the table for a page of results),
compare.csv (a row per method), epochs.csv (a row per method, chip and epoch),
compare.json, and as pictures accuracy.svg, accuracy-time.svg,
accuracy-energy.svg, alignment.svg, cost.svg and a cost-MODEL.svg for the other
cost models (--figures svg,png,pdf for their formats, --figure-width 89mm for a
journal's column). The table keeps to 80 characters; compare.txt and --wide have
all columns.

Time and energy are modelled from what crossed the chip's interface. The
constants of the models bench and integrated are in at-core/src/cost; copy one
and pass its file as --cost-model. The cosine compares the first step of every
epoch with the true gradient on the same batch.

Examples:
  asyt compare                    the default chip: five individuals, three methods
  asyt compare --method at,pat,pat-output,in-silico --chips 10 --target 0.85
  asyt compare --preset asyt-demo --epochs 30 --cost-model integrated
  asyt compare --resume runs/compare-digits-1 --chips 10";

/// Runs the command.
pub fn compare(arguments: &GridArguments) -> Outcome {
    if arguments.dry_run {
        return tell(&comparison::dry_run("compare", Vec::new(), arguments)?);
    }
    match comparison::run("compare", Vec::new(), arguments)? {
        Some((finished, folder)) => finish(&finished, &folder, arguments),
        None => Ok(()),
    }
}

/// Prints what would run.
pub fn tell(text: &str) -> Outcome {
    let mut out = std::io::stdout().lock();
    Ok(out.write_all(text.as_bytes()).and_then(|()| out.flush())?)
}

/// Writes and prints what a comparison or a sweep gave. Errs where no cell has a result.
pub fn finish(finished: &Finished, folder: &RunFolder, arguments: &GridArguments) -> Outcome {
    finished.require_results()?;
    let Finished { request, report, results, .. } = finished;
    let name = &request.command;
    folder.write(&format!("{name}.json"), &report.to_json())?;
    csv::methods(&folder.path().join(format!("{name}.csv")), report)?;
    csv::epochs(&folder.path().join("epochs.csv"), report, results)?;
    let figures = arguments.drawn.or(&[Format::Svg]);
    let mut pictures = plots::of(report, results, figures.sheet);
    pictures.extend(costs(finished, figures.sheet)?);
    for (name, picture) in &pictures {
        picture::write(folder.path(), name, picture, &figures)?;
    }
    folder.write(&format!("{name}.txt"), &visible(&table::table(report, true)))?;
    folder.write(&format!("{name}.md"), &markdown::table(report))?;
    let printed = match arguments.json {
        true => {
            let mut out = std::io::stdout().lock();
            out.write_all(report.to_json().as_bytes()).and_then(|()| out.flush())
        }
        false => terminal::print_table(&table::table(report, arguments.wide)),
    };
    printed.with_context(|| {
        format!("the results are in {}, but could not be written to stdout", folder.path().display())
    })?;
    let failed = report.failures.len();
    if failed > 0 {
        let run = folder.path().display();
        let cells = if failed == 1 { "1 cell".to_string() } else { format!("{failed} cells") };
        return Err(anyhow::anyhow!("{cells} failed; try again with: asyt {name} --resume {run}").into());
    }
    let (place, count, formats) = (folder.path().display(), pictures.len(), figures.words());
    let tables = format!("{name}.txt, {name}.md, {name}.csv, {name}.json, epochs.csv");
    results_in(arguments.quiet, &format!("{place} ({tables}; {count} pictures as {formats})"));
    Ok(())
}

/// What time and energy go into by the cost models beside the chosen one, as the page of the run shows it.
fn costs(finished: &Finished, sheet: Sheet) -> anyhow::Result<Pictures> {
    let trainings = comparison_section::trainings(finished);
    let own = finished.report.cost_model_name.as_str();
    let models = cost_section::models(Some((own, finished.report.cost_model)))?;
    // of a comparison the chosen one is drawn already
    let chosen = |model: &cost_section::Model| finished.report.vary.is_empty() && model.name == own;
    let drawn = |model: &cost_section::Model| cost_section::picture(model, &trainings, sheet);
    Ok(models.iter().filter(|model| !chosen(model)).filter_map(drawn).collect())
}
