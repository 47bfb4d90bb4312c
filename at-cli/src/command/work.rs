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
    /// Where the curves of the cells go as event files
    #[arg(long, value_name = "DIR")]
    pub log_folder: Option<PathBuf>,
}

/// Runs the command.
pub fn work(arguments: &WorkArguments) -> Outcome {
    worker::work(&arguments.folder, arguments.log_folder.as_deref())
}
