//! `asyt work`: a process that trains cells, started by `asyt compare` and `asyt sweep`.

use crate::cells::worker;
use crate::failure::Outcome;
use clap::Args;
use std::path::PathBuf;

/// `asyt work`.
#[derive(Debug, Args)]
pub struct WorkArguments {
    /// The folder of the cells
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// Runs the command.
pub fn work(arguments: &WorkArguments) -> Outcome {
    worker::work(&arguments.folder)
}
