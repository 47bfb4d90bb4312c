//! `asyt evaluate`: trained phases on a chip with given errors.

mod deployment;
mod many;

use crate::engines::{self, Device};
use crate::export::scores::named;
use crate::failure::{OrUsage, Outcome};
use crate::memory::Need;
use crate::network_files;
use crate::network_text::NetworkText;
use crate::notes::Notes;
use crate::phase_source::{self, OfRun, RunControls};
use crate::plan::{Plan, Precision};
use crate::settings::{self, RunSettings};
use crate::terminal::visible;
use crate::trial::{doubts, load};
use crate::work::Work;
use crate::{activity, memory};
use anyhow::{Context, Result, anyhow, ensure};
use at_core::cpu::Cpu;
use at_core::data::Dataset;
use at_core::deployment::deployed_controls;
use at_core::fabrication::Fabrication;
use at_core::files::phase_file::{ProgrammedMesh, read_chip, read_phases};
use at_core::network::Network;
use at_core::optics::{Convention, Mesh};
use at_core::training::Evaluation;
use at_core::training::MethodName;
use clap::Args;
use deployment::Deployment;
use std::io::Write;
use std::path::PathBuf;

/// What `--help` adds.
pub const HELP: &str = "\
Examples:
  asyt evaluate --dataset mnist --data-dir data --phases ideal-mnist.npz --convention dat-mpnn
  asyt evaluate --dataset mnist --data-dir data --phases ideal-mnist.npz --convention dat-mpnn \\
      --chip-errors splitter-error-0.04.npz phase-error-0.06.npz --json
  asyt evaluate --dataset mnist --data-dir data --phases ideal-mnist.npz --convention dat-mpnn \\
      --chips 50 --chip mesh --good 0.8,0.9
  asyt evaluate --phases runs/mesh-1 --method at-adaptive --chips 1      # what a run has trained, on its own chip again
  asyt evaluate --phases runs/mesh-1 --method ideal --chip-file another.npz";

/// `asyt evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArguments {
    /// Settings to start from; of them the data set, its encoding, the network and the engine matter here [default: those of the run, else dat]
    #[arg(long)]
    pub preset: Option<String>,
    /// Phase file (npz) with one mesh for each of the network's; or a run folder of asyt train or a METHOD.safetensors in one, whose
    /// controls and settings are taken
    #[arg(long, value_name = "FILE|RUN")]
    pub phases: PathBuf,
    /// Method of a run, where it has trained several
    #[arg(long)]
    pub method: Option<String>,
    /// Convention of the phases, where the file does not record it: native, neurophox, dat-mpnn
    #[arg(long, value_name = "C")]
    pub convention: Option<Convention>,
    /// Errors of the chip (npz); those of several files add up [default: a perfect chip]
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub chip_errors: Vec<PathBuf>,
    /// Convention of the errors, where their file does not record it [default: that of --convention]
    #[arg(long, value_name = "C")]
    pub errors_convention: Option<Convention>,
    /// The individual that this file holds, as `--save-chip` of `asyt train` writes it; or what was measured of it (toml), the
    /// rest being drawn as --chip and --chip-seed say
    #[arg(long, value_name = "FILE", conflicts_with_all = ["chip_errors", "chips"], group = "drawn")]
    pub chip_file: Option<PathBuf>,
    /// Take errors of fewer or other meshes than the phases are of, as far as they fit
    #[arg(long)]
    pub chip_of_other_network: bool,
    /// Evaluate K chips of --chip, numbers --chip-seed on, and report how many are good
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "chip_errors", group = "drawn")]
    pub chips: Option<u32>,
    /// With --chips, or a --chip-file of what was measured: their kind, as for `asyt train` [default: that of the preset]
    #[arg(long, value_name = "KIND", requires = "drawn")]
    pub chip: Option<String>,
    /// With the same: number of the first
    #[arg(long, value_name = "SEED", requires = "drawn")]
    pub chip_seed: Option<u64>,
    /// With --chips: scores that a good chip reaches, comma-separated: accuracies, of real targets R² or what --score names
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', requires = "chips")]
    pub good: Vec<f64>,
    /// mnist, fashion-mnist, kmnist, vowel, digits, iris, or files of your own, as for `asyt train`
    #[arg(long)]
    pub dataset: Option<String>,
    /// Tables: the column that holds the classes, as for `asyt train`
    #[arg(long, value_name = "NAME|INDEX|first|last")]
    pub label_column: Option<String>,
    /// Tables: columns that hold real values to be met, as for `asyt train`
    #[arg(long, value_delimiter = ',', value_name = "A,B,…", conflicts_with = "label_column")]
    pub target_columns: Option<Vec<String>>,
    /// One table or one pair of arrays: the share of the training samples, as for `asyt train`; the others are evaluated
    #[arg(long, value_name = "SHARE[:SEED]")]
    pub split: Option<String>,
    /// Scale features as the training samples measure them, as for `asyt train`
    #[arg(long, value_name = "standard|unit|none")]
    pub scale: Option<String>,
    /// What the chip is judged by: accuracy of classes; r-squared or mean-square-error of real targets
    #[arg(long)]
    pub score: Option<String>,
    /// Folder that holds the data set's files
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// How samples become signals, as for `asyt train`
    #[arg(long)]
    pub encoding: Option<String>,
    /// The network, as for `asyt train`: mesh:64x3, …
    #[arg(long)]
    pub network: Option<NetworkText>,
    /// Only the first N test samples
    #[arg(long, value_name = "N")]
    pub test_limit: Option<usize>,
    /// auto (a GPU where there is one), cpu, or gpu
    #[arg(long)]
    pub engine: Option<String>,
    /// f32 or f64 (f64 on the CPU only)
    #[arg(long)]
    pub precision: Option<String>,
    /// GPU by index or part of its name, as `asyt devices` lists them
    #[arg(long, value_name = "NAME|INDEX")]
    pub adapter: Option<String>,
    /// Print a JSON object instead of a line
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub fn evaluate(arguments: &EvaluateArguments) -> Outcome {
    let settled = settings_of(arguments, true);
    if settled.chip_file.is_some()
        && settled.measured_chip().is_none()
        && (arguments.chip.is_some() || arguments.chip_seed.is_some())
    {
        let reason =
            "--chip and --chip-seed say how a chip is drawn, and --chip-file holds a whole one; leave them out";
        return Err(anyhow!(reason)).or_usage();
    }
    let run = OfRun::named(&arguments.phases, arguments.method.as_deref()).or_usage()?;
    let given = settings_of(arguments, run.is_some());
    let resolved = match &run {
        Some(run) => settings::resolve_own(&run.settings(), &given).map(phase_source::without_bench),
        None => settings::resolve(None, &given),
    };
    let mut plan = resolved.and_then(Plan::new).or_usage()?;
    if arguments.chips.is_some_and(|count| count > 1) && plan.settings.has_chip_files() {
        let reason = "the chip of the run comes from a file, and there is one; leave --chips out, or write --chips 1";
        return Err(anyhow!(reason)).or_usage();
    }
    activity::watch(false);
    activity::now("opening the engine");
    let device = engines::choose(&plan)?;
    activity::now("reading the phases");
    let source = match &run {
        Some(run) => Source::Run(run.load(plan.settings.data_dir.as_deref())?),
        None => Source::File(read_phases(&arguments.phases, arguments.convention)?),
    };
    activity::now("reading the data");
    let data = load(&plan)?;
    activity::now("building the network");
    let network = plan.fit(&data)?;
    let controls = source.controls(&network).with_context(|| arguments.phases.display().to_string())?;
    let chip = match arguments.chip_file.is_some() {
        true => plan.fabricate(&network, plan.settings.chip_seed.unwrap_or_default())?,
        false => deployed_chip(arguments, &network)?,
    };
    let mut notes = Notes::default();
    notes.say(data.notes.iter().chain(&plan.notes).cloned());
    check(&network, data.test.len(), arguments.chips.unwrap_or(1), &mut notes).or_usage()?;
    activity::now("evaluating the chip");
    let deployment = Deployment { plan: &plan, data: &data, network: &network, controls: &controls, chip: &chip };
    if let Some(count) = arguments.chips {
        let (evaluations, engine) = match &device {
            Device::Gpu(gpu) => deployment.run_many(gpu, count),
            Device::Cpu(Precision::F32) => deployment.run_many(&Cpu::<f32>::new(), count),
            Device::Cpu(Precision::F64) => deployment.run_many(&Cpu::<f64>::new(), count),
        }?;
        return many::report(arguments, &plan, &data, &evaluations, &engine, notes);
    }
    let (evaluation, engine) = match &device {
        Device::Gpu(gpu) => deployment.run(gpu),
        Device::Cpu(Precision::F32) => deployment.run(&Cpu::<f32>::new()),
        Device::Cpu(Precision::F64) => deployment.run(&Cpu::<f64>::new()),
    }?;

    let Evaluation { judged_by, score, correct, samples, loss } = evaluation;
    notes.say(doubts::of_phases(score, doubts::chance(&data).as_ref()));
    let mut out = std::io::stdout().lock();
    if arguments.json {
        let files: Vec<String> = arguments.chip_errors.iter().map(|file| file.display().to_string()).collect();
        let own = serde_json::json!({
            "chip_errors": files,
            "score": score,
            "correct": judged_by.is_of_classes().then_some(correct),
            "samples": samples,
            "loss": loss,
        });
        let object = object(arguments, &plan, &data, own, &engine, &notes);
        writeln!(out, "{:#}", named(object, judged_by))?;
    } else {
        let (name, symbol) = (visible(&data.name), judged_by.symbol());
        let right = if judged_by.is_of_classes() { format!("{correct} of ") } else { String::new() };
        writeln!(
            out,
            "{symbol} {} ({right}{samples} test samples of {name}), {engine}",
            many::plain(judged_by, score)
        )?;
    }
    out.flush()?;
    Ok(())
}

/// What `--json` prints, `own` in the middle: what an evaluation of one chip has, or one of many.
fn object(
    arguments: &EvaluateArguments,
    plan: &Plan,
    data: &Dataset,
    own: serde_json::Value,
    engine: &str,
    notes: &Notes,
) -> serde_json::Value {
    let before = serde_json::json!({
        "preset": plan.settings.preset,
        "dataset": data.name,
        "phases": arguments.phases.display().to_string(),
        "convention": arguments.convention,
    });
    let behind = serde_json::json!({ "engine": engine, "notes": notes.texts(), "version": env!("CARGO_PKG_VERSION") });
    let parts = [before, own, behind].into_iter().filter_map(|part| part.as_object().cloned());
    serde_json::Value::Object(parts.flatten().collect())
}

/// Errs where so many chips, evaluated on so many samples, fit neither into memory nor into a year; says what takes more than a day.
fn check(network: &Network, samples: usize, chips: u32, notes: &mut Notes) -> Result<()> {
    let count = f64::from(chips);
    let mut need = Need::default();
    need.fixed("the controls and the chip", network.controls() as f64 * memory::BYTES_PER_CONTROL);
    need.growing(
        "the encoded samples",
        samples as f64 * network.input().width() as f64 * 4.0,
        "test-limit",
        samples as f64,
    );
    let result = size_of::<Evaluation>() + size_of::<u64>(); // and the number of the chip
    need.growing("the results", count * result as f64, "chips", count);
    need.check()?;
    let work = Work::of_evaluation(network, samples).times("chips", count);
    work.check()?;
    work.say(notes);
    Ok(())
}

/// Where the controls come from.
enum Source {
    File(Vec<ProgrammedMesh>),
    Run(RunControls),
}

impl Source {
    /// The controls of `network`. Errs where they are of another one.
    fn controls(self, network: &Network) -> Result<Vec<f64>> {
        match self {
            Source::File(phases) => Ok(deployed_controls(network, &phases)?),
            Source::Run(own) => {
                let (theirs, here) = (own.network.identity(), network.identity());
                ensure!(theirs.is(&here), "the run has trained {theirs}, and the network here is {here}");
                Ok(own.controls)
            }
        }
    }
}

/// The chip whose meshes have the errors of files, or a perfect one.
fn deployed_chip(arguments: &EvaluateArguments, network: &Network) -> Result<Fabrication> {
    if arguments.chip_errors.is_empty() {
        return Ok(Fabrication::ideal());
    }
    let meshes: Vec<&Mesh> = network.meshes().collect();
    let convention = arguments.errors_convention.or(arguments.convention);
    let owner = network_files::owner(Some(arguments.chip_of_other_network));
    let errors = read_chip(&arguments.chip_errors, convention, &meshes, owner)?;
    Ok(Fabrication::of_meshes(network, &errors)?)
}

fn settings_of(arguments: &EvaluateArguments, of_run: bool) -> RunSettings {
    RunSettings {
        preset: arguments.preset.clone().or_else(|| (!of_run).then(|| "dat".to_string())),
        chip_file: arguments.chip_file.clone(),
        chip_of_other_network: arguments.chip_file.as_ref().map(|_| arguments.chip_of_other_network),
        dataset: arguments.dataset.clone(),
        chip: arguments.chip.clone(),
        chip_seed: arguments.chip_seed,
        label_column: arguments.label_column.clone(),
        target_columns: arguments.target_columns.clone(),
        split: arguments.split.clone(),
        scale: arguments.scale.clone(),
        score: arguments.score.clone(),
        data_dir: arguments.data_dir.clone(),
        encoding: arguments.encoding.clone(),
        network: arguments.network.clone(),
        test_limit: arguments.test_limit,
        engine: arguments.engine.clone(),
        precision: arguments.precision.clone(),
        adapter: arguments.adapter.clone(),
        // Nothing is trained, so that no method of the preset has to fit the network, and no batch of its training
        // the samples.
        method: Some(vec![MethodName::Ideal.to_string()]),
        batch_size: Some(1),
        ..RunSettings::default()
    }
}
