//! What a person asks of `asyt reproduce`.

use crate::export::figures::FigureArguments;
use clap::Args;
use std::path::PathBuf;

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
    /// How its picture is written.
    #[command(flatten)]
    pub drawn: FigureArguments,
}

impl ReproduceArguments {
    /// The folder of the results: the one asked for, else the first free one under `runs`.
    pub fn folder(&self) -> PathBuf {
        let name = &self.name;
        let free = |number: &u32| {
            let path = PathBuf::from(format!("runs/{name}-{number}"));
            (!path.exists()).then_some(path)
        };
        let next = || (1..).find_map(|number| free(&number)).expect("numbers do not end");
        self.out.clone().unwrap_or_else(next)
    }
}
