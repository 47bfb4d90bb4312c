//! The command line.

use crate::command::{
    chip, compare, data, devices, evaluate, export, mesh, report, reproduce, scale, sweep, train, watch, work,
};
use crate::comparison::GridArguments;
use crate::methods;
use crate::reproduce::ReproduceArguments;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

/// With the commit, where this is a release that was built of one.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), env!("ASYT_COMMIT"));

/// Train simulated photonic chips that are not what their designers meant, and compare the training methods.
#[derive(Debug, Parser)]
#[command(name = "asyt", version = VERSION, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Arguments {
    /// Reads the command line, which begins with the program's name; ends the program with help or with a message about wrong usage.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Self {
        Self::try_read(arguments).unwrap_or_else(|error| error.exit())
    }

    /// The same; the error has the help or the message, and the exit code that goes with it.
    pub fn try_read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut matches = command().try_get_matches_from(arguments)?;
        Arguments::from_arg_matches_mut(&mut matches)
    }
}

/// The command line, with what methods say of their own options.
pub fn command() -> clap::Command {
    // so that -1 is answered as a bad value and not as an unknown flag
    let value = |arg: clap::Arg| match arg.get_action().takes_values() {
        true => arg.allow_negative_numbers(true),
        false => arg,
    };
    let rare = |arg: clap::Arg| {
        let common = arg.get_long().is_some_and(|name| COMMON.contains(&name));
        let setting = arg.get_help_heading().is_some();
        let hidden = arg.is_hide_short_help_set() || (setting && !common);
        arg.hide_short_help(hidden)
    };
    let with_settings = |command: clap::Command| {
        let command = command.mut_args(value).mut_args(rare);
        methods::options().iter().fold(command, |command, (option, methods)| {
            let help = methods::option_help(option, methods);
            command.mut_arg(option.name.replace('-', "_"), |flag| flag.help(help))
        })
    };
    let commands = ["train", "compare", "sweep"];
    let command =
        commands.into_iter().fold(Arguments::command(), |command, name| command.mut_subcommand(name, with_settings));
    command.mut_subcommand("chip", |chip| chip.mut_subcommand("serve", with_settings))
}

/// The settings that `-h` shows; `--help` shows all.
const COMMON: &[&str] = &[
    "preset",
    "dataset",
    "data-dir",
    "encoding",
    "network",
    "chip",
    "chip-seed",
    "chip-file",
    "method",
    "epochs",
    "batch-size",
    "learning-rate",
    "seed",
    "engine",
];

const MORE: &str = "\
The other settings: --help. What they can be: asyt help networks, chips, methods, presets or data.";

const EXAMPLES: &str = "\
Examples:
  asyt train                      train the default chip with three methods
  asyt compare --chips 10         the same with intervals, modelled time and energy
  asyt data fetch mnist           download MNIST
  asyt train --preset asyt-demo   the published demonstration, on MNIST
  asyt train -h                   what most need; --help for all settings
  asyt help networks              by topic: networks, chips, methods, presets, data
  asyt export runs/digits-1       its phases, voltages, matrices and predictions as npz and csv
  asyt mesh decompose U.npy --out phases.npz
                                  the phases with which a mesh makes a matrix
  asyt evaluate --dataset mnist --phases phases.npz --convention dat-mpnn
                                  the accuracy of these phases on a chip

Exit codes: 0 done, 1 failed or, at Ctrl-C, interrupted behind an epoch that is kept, 2 wrong usage,
130 ended by Ctrl-C at once.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a chip with several methods and compare them
    #[command(after_help = MORE, after_long_help = train::help())]
    Train(Box<train::TrainArguments>),
    /// Compare methods on several chips: accuracy, conversions, modelled time and energy
    #[command(after_help = MORE, after_long_help = compare::HELP)]
    Compare(Box<GridArguments>),
    /// Compare methods at every point of a grid of settings
    #[command(after_help = MORE, after_long_help = sweep::HELP)]
    Sweep(Box<sweep::SweepArguments>),
    /// Watch a run in a terminal: curves, rate, time left, misfit
    #[command(after_help = watch::HELP)]
    Watch(watch::WatchArguments),
    /// Run trained phases on a chip with given errors and report the accuracy
    #[command(after_help = evaluate::HELP)]
    Evaluate(Box<evaluate::EvaluateArguments>),
    /// Take what a run has learned out of the program: phases, voltages, matrices, fields, predictions
    #[command(after_help = export::HELP)]
    Export(export::ExportArguments),
    /// Turn phases into a matrix, a matrix into phases, or phases into another convention
    #[command(after_help = mesh::HELP)]
    Mesh(mesh::MeshArguments),
    /// Chips from outside: look at one, or serve a simulated one
    #[command(subcommand)]
    Chip(chip::ChipCommand),
    /// List data sets, and download those that are not part of asyt
    #[command(subcommand)]
    Data(data::DataCommand),
    /// Make a page about runs: what was trained, how well, at what cost, and the inside of the chip
    #[command(after_help = report::HELP)]
    Report(report::ReportArguments),
    /// Run a published result again, end to end, and compare it with what is expected
    #[command(after_help = reproduce::help())]
    Reproduce(ReproduceArguments),
    /// Measure how time, rate and memory grow with the size of a network
    #[command(after_help = scale::HELP)]
    Scale(scale::ScaleArguments),
    /// List what can compute: the CPU and every GPU; measure what a GPU's kernels take
    #[command(after_help = devices::HELP)]
    Devices(devices::DevicesArguments),
    /// Explain a topic (networks, chips, methods, presets, data) or a command
    Help {
        /// The topic, or a command and what it can do
        #[arg(value_name = "TOPIC|COMMAND")]
        words: Vec<String>,
    },
    /// Print completions of commands and flags for a shell
    Completions {
        /// For which
        shell: clap_complete::Shell,
    },
    /// Write manual pages: man -l FOLDER/asyt-train.1
    Man {
        /// Where they go; made where it is missing
        folder: PathBuf,
    },
    /// Train cells of a comparison or sweep whose names come in on stdin; started by these commands
    #[command(hide = true)]
    Work(work::WorkArguments),
}

impl Command {
    /// Errs where the command is none that several ranks share: each would do the same.
    pub fn require_sharing(&self, ranks: usize) -> anyhow::Result<()> {
        let name = match self {
            Command::Train(_) | Command::Compare(_) | Command::Sweep(_) | Command::Scale(_) => return Ok(()),
            Command::Evaluate(_) => "evaluate",
            Command::Export(_) => "export",
            Command::Mesh(_) => "mesh",
            Command::Chip(_) => "chip",
            Command::Data(_) => "data",
            Command::Report(_) => "report",
            Command::Reproduce(_) => "reproduce",
            Command::Watch(_) => "watch",
            Command::Devices(_) => "devices",
            Command::Help { .. } => "help",
            Command::Completions { .. } => "completions",
            Command::Man { .. } => "man",
            Command::Work(_) => "work",
        };
        anyhow::bail!(
            "asyt {name} is nothing that {ranks} ranks share, as train, compare, sweep and scale are; start it without mpirun"
        )
    }
}

#[cfg(test)]
#[path = "../build.rs"]
mod build;

#[cfg(test)]
mod tests {
    use super::build::commit;
    use std::process::Command;

    #[test]
    fn a_release_knows_its_commit_and_no_other_repositorys() {
        let folder = tempfile::tempdir().unwrap();
        let made = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(&path).unwrap();
            path
        };
        let package = made("package");
        std::fs::write(package.join(".cargo_vcs_info.json"), "{\n\"git\": {\"sha1\": \"0123456789abcdef\"}}").unwrap();
        assert_eq!(commit(&package), Some(("012345678".to_string(), ".cargo_vcs_info.json".to_string())));
        assert_eq!(commit(&made("alone")), None);
        let (own, copied) = (made("repository/at-cli"), made("repository/vendor/at-cli"));
        let git = |words: &[&str]| {
            let mut command = Command::new("git");
            command.arg("-C").arg(folder.path().join("repository"));
            command.args(["-c", "user.name=n", "-c", "user.email=e@example.org"]).args(words);
            command.output().is_ok_and(|ended| ended.status.success())
        };
        if !git(&["init"]) {
            return eprintln!("skipped: there is no git");
        }
        assert_eq!(commit(&own), None, "nothing is committed");
        assert!(git(&["commit", "--allow-empty", "--no-gpg-sign", "--message", "first"]));
        let (first, log) = commit(&own).unwrap();
        assert!(first.len() >= 9 && first.chars().all(|digit| digit.is_ascii_hexdigit()), "{first}");
        assert!(own.join(&log).is_file() || std::path::Path::new(&log).is_file(), "{log}");
        assert!(git(&["commit", "--allow-empty", "--no-gpg-sign", "--message", "second"]));
        assert_ne!(commit(&own).unwrap().0, first);
        assert_eq!(commit(&copied), None, "a copy in another repository is not of its commits");
    }
}
