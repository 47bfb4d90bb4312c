//! What a comparison or a sweep was asked for, so that it can go on.

use super::grid::Vary;
use super::sources::Noted;
use crate::cells::Shard;
use crate::export::figures::FigureArguments;
use crate::settings::RunSettings;
use anyhow::{Context, Result, ensure};
use at_core::cost::CostModel;
use at_core::files::own;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// More chips than this are a typing error.
const MOST_CHIPS: u64 = 1_000_000;
/// Longest file of a request (bytes): the values of a hundred thousand points.
const LARGEST_REQUEST: u64 = 1 << 24;

/// The flags that `asyt compare` and `asyt sweep` share.
#[derive(Debug, clap::Args)]
pub struct GridArguments {
    /// Chips per method: seeds from --chip-seed on [default: 5, and 1 where the chip comes from files]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST_CHIPS))]
    pub chips: Option<u64>,
    /// Score for time and energy to it, from 0 to 1: an accuracy, or R² [default: 0.9]
    #[arg(long, value_name = "SCORE", value_parser = share)]
    pub target: Option<f64>,
    /// Constants of time and energy: bench, integrated, or a TOML file [default: bench]
    #[arg(long, value_name = "NAME|FILE")]
    pub cost_model: Option<String>,
    /// Trainings side by side, each a process [default: one per core, at most 8; 1 on a GPU]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Settings file; flags win over it (same names: learning-rate = 0.1)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder for the results, new or empty [default: runs/PRESET-N]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Continue what was begun in this folder; --chips, --target and --cost-model may change
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "out"])]
    pub resume: Option<PathBuf>,
    /// Train part K of N of the cells, beside the other parts on machines that share the folder
    #[arg(long, value_name = "K/N", hide_short_help = true)]
    pub shard: Option<Shard>,
    /// Say what would run, and for how long; nothing is written
    #[arg(long, conflicts_with_all = ["resume", "shard"])]
    pub dry_run: bool,
    /// Write the curves of every cell to DIR/RUN as event files too, for tensorboard --logdir DIR
    #[arg(long, value_name = "DIR", hide_short_help = true)]
    pub log_dir: Option<PathBuf>,
    /// Print the results as JSON instead of the table, and nothing else, on stdout
    #[arg(long)]
    pub json: bool,
    /// All columns of the table; without, those that fit into 80 characters
    #[arg(long, hide_short_help = true)]
    pub wide: bool,
    /// No progress on stderr
    #[arg(long)]
    pub quiet: bool,
    /// How pictures are written.
    #[command(flatten)]
    pub drawn: FigureArguments,
    /// The settings that the file may hold too.
    #[command(flatten)]
    pub settings: RunSettings,
}

fn share(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|score| (0.0..=1.0).contains(score)).ok_or("must be from 0 to 1, such as 0.9")
}

/// `request.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// `compare` or `sweep`.
    pub command: String,
    /// What varies.
    pub vary: Vec<Vary>,
    /// Chips per method.
    pub chips: u64,
    /// Score to be reached.
    pub target: f64,
    /// Name or file of the cost model.
    pub cost_model_name: String,
    /// Its constants.
    pub cost_model: CostModel,
    /// What was read when the run was begun; none in requests of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contents: Option<Vec<Noted>>,
    /// The text of `config.toml`, which is written after the request and made from it where it is missing. Folders of earlier
    /// versions have it in its file alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
}

impl Request {
    /// What `arguments` ask for; what they do not say is as in the `earlier` request, or the default.
    pub fn new(command: &str, vary: Vec<Vary>, arguments: &GridArguments, earlier: Option<Request>) -> Result<Self> {
        let mut request = match earlier {
            Some(request) => request,
            None => Request {
                command: command.to_string(),
                vary,
                chips: 5,
                target: 0.9,
                cost_model_name: "bench".to_string(),
                cost_model: CostModel::find("bench")?,
                contents: None,
                config: None,
            },
        };
        request.chips = arguments.chips.unwrap_or(request.chips);
        request.target = arguments.target.unwrap_or(request.target);
        if let Some(name) = &arguments.cost_model {
            request.cost_model = CostModel::find(name)?;
            request.cost_model_name.clone_from(name);
        }
        Ok(request)
    }

    /// The file in a run's folder.
    pub fn path(run: &Path) -> PathBuf {
        run.join("request.json")
    }

    /// Which command began the run in this folder, where it was one with a request.
    pub fn begun(run: &Path) -> Option<String> {
        Request::path(run).exists().then(|| Request::any(run))?.ok().map(|request| request.command)
    }

    /// The request of an earlier run of any command.
    pub fn any(run: &Path) -> Result<Self> {
        let path = Request::path(run);
        let text = own::read_text(&path, LARGEST_REQUEST)?;
        let damaged = || format!("{} is damaged; put it back, or start anew with --config", path.display());
        let request: Request = serde_json::from_str(&text).with_context(damaged)?;
        request.validate().with_context(damaged)?;
        Ok(request)
    }

    /// Errs where a number or a name is none that the command line takes.
    fn validate(&self) -> Result<()> {
        let Request { vary, chips, target, .. } = self;
        ensure!((1..=MOST_CHIPS).contains(chips), "chips = {chips} is not valid: must be from 1 to {MOST_CHIPS}");
        ensure!((0.0..=1.0).contains(target), "target = {target} is not valid: must be from 0 to 1");
        vary.iter().try_for_each(Vary::check)
    }

    /// The request of an earlier run of `command`.
    pub fn read(run: &Path, command: &str) -> Result<Self> {
        let there = Request::path(run).is_file();
        ensure!(
            there,
            "{} is nothing that asyt {command} has begun: it has no request.json; what has not begun starts with --out",
            run.display()
        );
        let request = Request::any(run)?;
        let begun = &request.command;
        ensure!(begun == command, "{} was begun by asyt {begun}; pass --resume to that", run.display());
        Ok(request)
    }

    /// The command line that repeats what was asked for in the folder `run`, in a folder of its own.
    pub fn repeated(&self, run: &Path) -> String {
        let Request { command, vary, chips, target, cost_model_name, .. } = self;
        if command.starts_with("reproduce") {
            return format!("asyt {command}");
        }
        let config = run.join("config.toml").display().to_string();
        let mut words = vec!["asyt".to_string(), command.clone(), "--config".to_string(), config];
        for Vary { names, values } in vary {
            let between = if values.iter().any(|value| value.contains(',')) { ";" } else { "," };
            words.extend(["--vary".to_string(), format!("{}={}", names.join(","), values.join(between))]);
        }
        words.extend(["--chips".to_string(), chips.to_string(), "--target".to_string(), target.to_string()]);
        words.extend(["--cost-model".to_string(), cost_model_name.clone()]);
        // a path cannot hold the one character that no shell takes
        shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
    }

    /// As text, ending with a line feed.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a request has only strings and numbers") + "\n"
    }
}
