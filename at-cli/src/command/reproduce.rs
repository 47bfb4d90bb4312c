//! `asyt reproduce`: a published result, run again end to end.

use crate::activity;
use crate::export::picture;
use crate::failure::Outcome;
use crate::progress::say;
use crate::reproduce::{self, NAMES, Request};
use crate::terminal::visible;
use anyhow::anyhow;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

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

/// `asyt reproduce`.
#[derive(Debug, Args)]
pub struct ReproduceArguments {
    /// Which result (see below)
    pub name: String,
    /// Reduced size, in minutes; said on the plot
    #[arg(long)]
    pub quick: bool,
    /// Folder that holds the data sets' files
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// dat-*: folder of the published phases and chips
    #[arg(long, value_name = "DIR")]
    pub reference: Option<PathBuf>,
    /// Folder for the results, new or empty [default: runs/NAME-N]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Continue what was begun in this folder, at the same size
    #[arg(long, value_name = "RUN", conflicts_with = "out")]
    pub resume: Option<PathBuf>,
    /// Trainings side by side, each a process [default: one per core, at most 8; 1 on a GPU]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// auto, cpu or gpu [default: as the result's description says]
    #[arg(long, conflicts_with = "resume")]
    pub engine: Option<String>,
    /// Print result.json instead of the table, and nothing else, on stdout
    #[arg(long)]
    pub json: bool,
    /// No progress on stderr
    #[arg(long)]
    pub quiet: bool,
}

/// Runs the command.
pub fn reproduce(arguments: &ReproduceArguments) -> Outcome {
    let request = Request {
        quick: arguments.quick,
        out: arguments.out.clone(),
        resume: arguments.resume.clone(),
        data_dir: arguments.data_dir.clone(),
        reference: arguments.reference.clone(),
        jobs: arguments.jobs,
        engine: arguments.engine.clone(),
        quiet: arguments.quiet,
    };
    activity::watch(arguments.quiet);
    activity::now(format!("computing {}", arguments.name));
    let result = reproduce::run(&arguments.name, &request)?;
    result.folder.write("result.json", &result.to_json())?;
    picture::write(result.folder.path(), &arguments.name, &result.chart.svg()?)?;
    let mut out = std::io::stdout().lock();
    let text = if arguments.json { result.to_json() } else { visible(&result.table()).into_owned() };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    let place = result.folder.path().display();
    say(arguments.quiet, &format!("\nresults in {place} (result.json, {0}.svg, {0}.png)", arguments.name));
    let failed = result.findings.iter().filter(|finding| !finding.pass).count();
    if failed > 0 {
        let all = result.findings.len();
        return Err(anyhow!("{failed} of {all} expectations were not met").into());
    }
    Ok(())
}
