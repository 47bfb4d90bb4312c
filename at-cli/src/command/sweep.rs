//! `asyt sweep`: a comparison at every point of a grid of settings.

use super::compare::{finish, tell};
use crate::activity;
use crate::comparison::{self, GridArguments, Vary};
use crate::failure::{OrUsage, Outcome};
use anyhow::{Context, Result, ensure};
use std::collections::HashSet;

/// What `--help` says at its end.
pub const HELP: &str = "\
Several --vary make a grid, the last one runs fastest. RunSettings before the
equals sign that are separated by commas take each value together. Where values
have commas themselves, separate them by semicolons.

Every training is a cell as in asyt compare: a sweep that ends early, by Ctrl-C
or kill -9, goes on with --resume and loses no finished cell; a cell that fails
stops no other one. --shard K/N trains a part of the cells, so that machines which
share the folder share the work; the last one writes the tables.

The folder gets sweep.txt, sweep.md (the table for a page of results),
sweep.csv (a row per point and method), epochs.csv (a row per point, method,
chip and epoch), sweep.json, and accuracy.svg: the accuracy against the first setting that varies, one picture for each
combination of the others.

Examples:
  asyt sweep --vary response-slope,response-amplitude=0,0.2,0.4,0.6
  asyt sweep --vary network=bank:in-16-out,bank:in-48-out --vary epochs=20,50
  asyt sweep --preset asyt-demo --vary parameter-spread,update-error=0,0.3,0.6
  asyt sweep --resume runs/sweep-digits-1 --jobs 4
  asyt sweep --vary epochs=20,50 --out /shared/run --shard 2/8    the second of eight machines";

/// `asyt sweep`.
#[derive(Debug, clap::Args)]
pub struct SweepArguments {
    /// Settings that vary, and their values; any of the settings below, more than once for a grid
    #[arg(long, value_name = "NAME[,NAME]=VALUE,…")]
    pub vary: Vec<String>,
    /// What a comparison needs.
    #[command(flatten)]
    pub grid: GridArguments,
}

/// Runs the command.
pub fn sweep(arguments: &SweepArguments) -> Outcome {
    activity::watch(arguments.grid.quiet);
    activity::now("understanding what varies");
    let vary = varied(arguments).or_usage()?;
    if arguments.grid.dry_run {
        return tell(&comparison::dry_run("sweep", vary, &arguments.grid)?);
    }
    match comparison::run("sweep", vary, &arguments.grid)? {
        Some((finished, folder)) => finish(&finished, &folder, &arguments.grid),
        None => Ok(()),
    }
}

fn varied(arguments: &SweepArguments) -> Result<Vec<Vary>> {
    let read = |text: &String| text.parse().with_context(|| format!("--vary {text:?}"));
    let vary = arguments.vary.iter().map(read).collect::<Result<Vec<Vary>>>()?;
    ensure!(arguments.grid.resume.is_some() || !vary.is_empty(), "nothing varies; pass --vary NAME=VALUE,VALUE,…");
    let mut seen = HashSet::new();
    let mut names = vary.iter().flat_map(|vary| &vary.names);
    if let Some(twice) = names.find(|name| !seen.insert(name.as_str())) {
        anyhow::bail!("--vary {twice} is given twice");
    }
    Ok(vary)
}
