//! `asyt reproduce`: a published result, run again end to end.

use crate::activity;
use crate::export::chart;
use crate::export::picture::{self, Format};
use crate::failure::Outcome;
use crate::progress::results_in;
use crate::reproduce::{self, NAMES, ReproduceArguments};
use crate::terminal;
use anyhow::anyhow;
use std::io::Write;

/// What `--help` adds.
pub fn help() -> String {
    let names = NAMES.map(|(name, meaning)| format!("  {name:<18} {meaning}")).join("\n");
    format!(
        "Results:\n{names}\n\n\
         Every result has expected ranges with their source, printed beside what came out\n\
         and drawn into the plot. The exit code is 1 where something came out otherwise.\n\
         Trainings are cells as in asyt sweep: --resume goes on after any end.\n\n\
         Examples:\n  asyt reproduce pat-toy\n  asyt reproduce fig5a --quick --data-dir data\n  \
         asyt reproduce dat-mnist --data-dir data --reference dat_mpnn\n  \
         asyt reproduce demo --resume runs/demo-1"
    )
}

/// Runs the command.
pub fn reproduce(arguments: &ReproduceArguments) -> Outcome {
    activity::watch(arguments.quiet);
    activity::now(format!("computing {}", arguments.name));
    let result = reproduce::run(arguments)?;
    result.folder.write("result.json", &result.to_json())?;
    let figures = arguments.drawn.or(&[Format::Svg, Format::Png]);
    let picture = chart::stacked(&result.charts, figures.sheet);
    let files = picture::write(result.folder.path(), &arguments.name, &picture, &figures)?;
    if arguments.json {
        let mut out = std::io::stdout().lock();
        out.write_all(result.to_json().as_bytes())?;
        out.flush()?;
    } else {
        terminal::print_table(&result.table())?;
    }
    let place = result.folder.path().display();
    let files = std::iter::once("result.json".to_string()).chain(files).collect::<Vec<_>>().join(", ");
    results_in(arguments.quiet, &format!("{place} ({files})"));
    let failed = result.findings.iter().filter(|finding| !finding.pass).count();
    if failed > 0 {
        let all = result.findings.len();
        return Err(anyhow!("{failed} of {all} expectations were not met").into());
    }
    Ok(())
}
