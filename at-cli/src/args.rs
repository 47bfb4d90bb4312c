//! The command line.

use crate::command::{compare, evaluate, mesh, report, reproduce, scale, sweep};
use crate::comparison::GridArguments;
use crate::settings::Settings;
use crate::{chips, methods, network_text, presets};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::path::PathBuf;

/// Train simulated photonic chips that are not what their designers meant, and compare the training methods.
#[derive(Debug, Parser)]
#[command(name = "asyt", version, after_help = EXAMPLES)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Arguments {
    /// Reads the command line; ends the program with help or with a message about wrong usage.
    pub fn read() -> Self {
        let mut matches = command().get_matches();
        Arguments::from_arg_matches_mut(&mut matches).unwrap_or_else(|error| error.exit())
    }
}

/// The command line, with what methods say of their own options.
pub fn command() -> clap::Command {
    // so that -1 is answered as a bad value and not as an unknown flag
    let value = |arg: clap::Arg| match arg.get_action().takes_values() {
        true => arg.allow_negative_numbers(true),
        false => arg,
    };
    let with_settings = |command: clap::Command| {
        let command = command.mut_args(value);
        methods::options().iter().fold(command, |command, (option, methods)| {
            let help = methods::option_help(option, methods);
            command.mut_arg(option.name.replace('-', "_"), |flag| flag.help(help))
        })
    };
    let commands = ["train", "compare", "sweep"];
    commands.into_iter().fold(Arguments::command(), |command, name| command.mut_subcommand(name, with_settings))
}

const EXAMPLES: &str = "\
Examples:
  asyt train                      train the default chip with three methods
  asyt compare --chips 10         the same with intervals, modelled time and energy
  asyt data fetch mnist           download MNIST
  asyt train --preset asyt-demo   the published demonstration, on MNIST
  asyt train --help               presets, networks, chips and all settings
  asyt mesh decompose U.npy --out phases.npz
                                  the phases with which a mesh makes a matrix
  asyt evaluate --dataset mnist --phases phases.npz --convention dat-mpnn
                                  the accuracy of these phases on a chip

Exit codes: 0 done, 1 failed, 2 wrong usage.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a chip with several methods and compare them
    #[command(after_help = train_help())]
    Train(Box<TrainArguments>),
    /// Compare methods on several chips: accuracy, conversions, modelled time and energy
    #[command(after_help = compare::HELP)]
    Compare(Box<GridArguments>),
    /// Compare methods at every point of a grid of settings
    #[command(after_help = sweep::HELP)]
    Sweep(Box<sweep::SweepArguments>),
    /// Run trained phases on a chip with given errors and report the accuracy
    #[command(after_help = evaluate::HELP)]
    Evaluate(evaluate::EvaluateArguments),
    /// Turn phases into a matrix, a matrix into phases, or phases into another convention
    #[command(after_help = mesh::HELP)]
    Mesh(mesh::MeshArguments),
    /// List data sets, and download those that are not part of asyt
    #[command(subcommand)]
    Data(DataCommand),
    /// Make a page about runs: what was trained, how well, at what cost, and the inside of the chip
    #[command(after_help = report::HELP)]
    Report(report::ReportArguments),
    /// Run a published result again, end to end, and compare it with what is expected
    #[command(after_help = reproduce::help())]
    Reproduce(reproduce::ReproduceArguments),
    /// Measure how time, rate and memory grow with the size of a network
    #[command(after_help = scale::HELP)]
    Scale(scale::ScaleArguments),
    /// List what can compute: the CPU and every GPU
    Devices(DevicesArguments),
    /// Train cells of a comparison or sweep whose names come in on stdin; started by these commands
    #[command(hide = true)]
    Work(WorkArguments),
}

/// `asyt data`.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// List the data sets that have a name, and where they are
    List(ListArguments),
    /// Download a data set of the MNIST family, with checksums
    Fetch(FetchArguments),
}

/// `asyt data list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Folder to look into, as in `asyt train --data-dir`
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Folder of downloads [default: this user's cache folder]
    #[arg(long, value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `asyt data fetch`.
#[derive(Debug, Args)]
pub struct FetchArguments {
    /// mnist, fashion-mnist or kmnist
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Folder of downloads, in which NAME becomes a folder [default: this user's cache folder]
    #[arg(long, value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,
    /// Address of a folder with the four files, instead of the known ones; several are tried in order
    #[arg(long, value_name = "URL")]
    pub mirror: Vec<String>,
    /// Print what was fetched as JSON, and nothing else, on stdout
    #[arg(long)]
    pub json: bool,
    /// No progress on stderr
    #[arg(long)]
    pub quiet: bool,
}

/// `asyt train`.
#[derive(Debug, Args)]
pub struct TrainArguments {
    /// Settings file; flags win over it (same names: learning-rate = 0.1)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder for the results, new or empty [default: runs/PRESET-N]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Continue the run in this folder with its own settings
    #[arg(long, value_name = "RUN", conflicts_with = "config")]
    pub resume: Option<PathBuf>,
    /// Write the chip to this file (npz), for --chip-file
    #[arg(long, value_name = "FILE")]
    pub save_chip: Option<PathBuf>,
    /// Print summary.json instead of the table, and nothing else, on stdout
    #[arg(long)]
    pub json: bool,
    /// No progress on stderr
    #[arg(long)]
    pub quiet: bool,
    /// The settings that the file may hold too.
    #[command(flatten)]
    pub settings: Settings,
}

/// `asyt work`.
#[derive(Debug, Args)]
pub struct WorkArguments {
    /// The folder of the cells
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// `asyt devices`.
#[derive(Debug, Args)]
pub struct DevicesArguments {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

fn train_help() -> String {
    format!(
        "Presets:\n{}\n\nMethods:\n{}\nNetworks:\n{}\nChips:\n{}\n\n{TRAIN_EXAMPLES}",
        presets::help(),
        methods::help(),
        network_text::HELP,
        chips::help()
    )
}

const TRAIN_EXAMPLES: &str = "\
The run folder gets config.toml (all settings; --config with it repeats the
run), metrics.csv, summary.json, accuracy.svg and one checkpoint per method.
Ctrl-C ends the run within a second; --resume goes on after its last epoch.

Examples:
  asyt train --method at,pat,ideal --chip-seed 7
  asyt train --dataset iris --network bank:in-12-out --batch-size 10
  asyt train --preset asyt-demo --epochs 30 --update-error 0.3
  asyt train --config mine.toml --out runs/mine
  asyt train --resume runs/mine";
