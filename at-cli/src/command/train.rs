//! `asyt train`: from the command line to a run and its table.

use crate::comparison::Request;
use crate::engines::{self, Device};
use crate::failure::{OrUsage, Outcome};
use crate::notes::Notes;
use crate::plan::{Plan, Precision};
use crate::progress::say;
use crate::run_folder::RunFolder;
use crate::session::{self, Job, plot, table, times, verdict};
use crate::settings::{self, RunSettings, chips, presets};
use crate::terminal::visible;
use crate::trial::{self, Driver, Task, Tasks};
use crate::work::Work;
use crate::{activity, interrupt, methods, network_text};
use anyhow::{Context, Result, bail, ensure};
use at_core::cpu::Cpu;
use at_core::files::chip_file::write_chip;
use at_core::training::MethodName;
use std::io::Write;
use std::path::{Path, PathBuf};

/// `asyt train`.
#[derive(Debug, clap::Args)]
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
    pub settings: RunSettings,
}

/// What `--help` adds.
pub fn help() -> String {
    format!(
        "Presets:\n{}\n\nMethods:\n{}\nNetworks:\n{}\nChips:\n{}\n\n{EXAMPLES}",
        presets::help(),
        methods::help(),
        network_text::HELP,
        chips::help()
    )
}

const EXAMPLES: &str = "\
The run folder gets config.toml (all settings; --config with it repeats the
run), metrics.csv, summary.json, accuracy.svg and one checkpoint per method.
Ctrl-C ends the run within a second; --resume goes on after its last epoch.

Examples:
  asyt train --method at,pat,ideal --chip-seed 7
  asyt train --dataset iris --network bank:in-12-out --batch-size 10
  asyt train --preset asyt-demo --epochs 30 --update-error 0.3
  asyt train --config mine.toml --out runs/mine
  asyt train --network mesh:4 --dataset iris --chip-command 'python3 lab.py'
  asyt train --resume runs/mine";

/// Runs the command.
pub fn train(arguments: &TrainArguments) -> Outcome {
    let (settings, followed) = match &arguments.resume {
        Some(run) => (resumed_settings(run, arguments).or_usage()?, None),
        None => settings::explained(arguments.config.as_deref(), &arguments.settings, None).or_usage()?,
    };
    activity::watch(arguments.quiet);
    let plan = Plan::new(settings).or_usage()?;
    let shared = plan.fleet() == 1 || plan.methods.contains(&MethodName::At);
    let needs = "share-model is about the digital model of at; add at to --method, or drop --share-model";
    shared.then_some(()).context(needs).or_usage()?;
    activity::now("opening the engine");
    let device = engines::choose(&plan)?;
    let mut tasks = Tasks::default();
    let task = tasks.complete(plan)?;
    let (Task { plan, network, .. }, data) = (&task, tasks.data(&task.plan)?);
    let samples = data.train.len() + data.test.len();
    let gpu = matches!(device, Device::Gpu(_));
    trial::memory(plan, network, samples, gpu).check().context("the training").or_usage()?;
    let work = Work::of_training(plan, network, [data.train.len(), data.test.len()]);
    work.check().or_usage()?;
    let chip_seed = plan.settings.chip_seed.unwrap_or_default();
    let outside = "save-chip writes a simulated chip, and this one comes from outside; drop --save-chip";
    let simulated = arguments.save_chip.is_none() || !plan.settings.has_outside_chip();
    simulated.then_some(()).context(outside).or_usage()?;
    if let Some(path) = &arguments.save_chip {
        write_chip(path, network, &plan.fabricate(network, chip_seed)?)?;
    }
    followed.iter().for_each(|line| say(arguments.quiet, line));
    engines::check_memory(&device, plan, network, samples)?;
    activity::now("meeting the driver of the chip");
    let driver = Driver::of(&plan.settings)?;
    if let Some(driver) = &driver {
        let facts: Vec<_> = plan.methods.iter().map(|&name| methods::facts(name)).collect();
        driver.check(network, &facts).or_usage()?;
    }

    let folder = match &arguments.resume {
        Some(run) => RunFolder::open(run)?,
        None => RunFolder::create(arguments.out.as_deref(), plan.settings.preset.as_deref().unwrap_or("run"))?,
    };
    if arguments.resume.is_none() {
        folder.write("config.toml", &settings::config(&plan.settings)?)?;
    }
    work.say(&mut Notes::default());
    let _keeping = interrupt::resumable(&format!("asyt train --resume {}", folder.path().display()));
    let job = Job { task: &task, data, driver: driver.as_ref(), folder: &folder, quiet: arguments.quiet };
    let summary = match &device {
        Device::Gpu(gpu) => session::train(gpu, &job),
        Device::Cpu(Precision::F32) => Cpu::<f32>::new().install(|| session::train(&Cpu::<f32>::new(), &job)),
        Device::Cpu(Precision::F64) => Cpu::<f64>::new().install(|| session::train(&Cpu::<f64>::new(), &job)),
    }
    .map_err(|error| engines::explain(&device, plan, network, samples, error))?;

    let mut out = std::io::stdout().lock();
    let times = times::times(&summary)?;
    let table = || table::table(&summary) + "\n" + &times + &verdict::verdict(&summary);
    let text = if arguments.json { summary.to_json() } else { visible(&table()).into_owned() };
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).with_context(|| {
        format!("the results are in {}, but could not be written to stdout", folder.path().display())
    })?;
    say(
        arguments.quiet,
        &format!("\nresults in {} ({}, metrics.csv, summary.json)", folder.path().display(), plot::file(plan.score)),
    );
    Ok(())
}

/// The settings of an earlier run. Only where its data lie may have changed.
fn resumed_settings(run: &Path, arguments: &TrainArguments) -> Result<RunSettings> {
    if let Some(command) = Request::begun(run) {
        bail!("{} was begun by asyt {command}; continue it with: asyt {command} --resume {0}", run.display());
    }
    let config = run.join("config.toml");
    ensure!(
        config.is_file(),
        "{} is no run to resume: it has no config.toml; what has not begun starts with --out",
        run.display()
    );
    let changes = RunSettings { data_dir: None, ..arguments.settings.clone() };
    ensure!(
        changes == RunSettings::default(),
        "--resume continues a run with its own settings; drop the other flags, or start a new run with --config {}",
        config.display()
    );
    if let Some(out) = &arguments.out {
        let same = out == run || matches!((out.canonicalize(), run.canonicalize()), (Ok(out), Ok(run)) if out == run);
        ensure!(same, "--resume {} writes there and not to --out {}; drop --out", run.display(), out.display());
    }
    Ok(settings::resolve_own(&config, &arguments.settings)?.of_a_kept_run())
}
