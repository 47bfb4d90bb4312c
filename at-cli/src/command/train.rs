//! `asyt train`: from the command line to a run and its table.

use crate::args::TrainArguments;
use crate::comparison::Request;
use crate::engines::{self, Device};
use crate::export::{plot, table, verdict};
use crate::failure::{Failure, OrUsage, Outcome};
use crate::notes::Notes;
use crate::plan::{Plan, Precision};
use crate::progress::say;
use crate::run_folder::RunFolder;
use crate::session::{Job, compare};
use crate::settings::Settings;
use crate::terminal::visible;
use crate::work::Work;
use crate::{activity, fetch, flags, interrupt, layers, memory};
use anyhow::{Context, Result, bail, ensure};
use at_core::cpu::Cpu;
use at_core::data::{self, Dataset, DatasetName, LabelColumn, Limits, TargetColumns};
use at_core::files::chip_file::write_chip;
use at_core::training::MethodName;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Runs the command.
pub fn train(arguments: &TrainArguments) -> Outcome {
    let (settings, followed) = match &arguments.resume {
        Some(run) => (resumed_settings(run, arguments).or_usage()?, None),
        None => layers::explained(arguments.config.as_deref(), &arguments.settings, None).or_usage()?,
    };
    activity::watch(arguments.quiet);
    let mut plan = Plan::new(settings).or_usage()?;
    let shared = plan.fleet() == 1 || plan.methods.contains(&MethodName::At);
    let needs = "share-model is about the digital model of at; add at to --method, or drop --share-model";
    shared.then_some(()).context(needs).or_usage()?;
    activity::now("opening the engine");
    let device = engines::choose(&plan)?;
    activity::now("reading the data");
    let data = load(&plan)?;
    activity::now("building the network");
    let network = plan.fit(&data)?;
    let samples = data.train.len() + data.test.len();
    let gpu = matches!(device, Device::Gpu(_));
    memory::of_training(&plan, &network, samples, gpu).check().context("the training").or_usage()?;
    let work = Work::of_training(&plan, &network, [data.train.len(), data.test.len()]);
    work.check().or_usage()?;
    let imperfections = plan.imperfections_of(&network).or_usage()?;
    let chip_seed = plan.settings.chip_seed.unwrap_or_default();
    if let Some(path) = &arguments.save_chip {
        write_chip(path, &network, &plan.fabricate(&network, chip_seed)?)?;
    }
    followed.iter().for_each(|line| say(arguments.quiet, line));
    engines::check_memory(&device, &plan, &network, samples)?;
    plan.settings.engine = Some(device.setting().to_string());

    let folder = match &arguments.resume {
        Some(run) => RunFolder::open(run)?,
        None => RunFolder::create(arguments.out.as_deref(), plan.settings.preset.as_deref().unwrap_or("run"))?,
    };
    if arguments.resume.is_none() {
        folder.write("config.toml", &config(&plan.settings)?)?;
    }
    work.say(&mut Notes::default());
    let _keeping = interrupt::resumable(&format!("asyt train --resume {}", folder.path().display()));
    let job = Job {
        plan: &plan,
        data: &data,
        network: &network,
        imperfections: &imperfections,
        folder: &folder,
        quiet: arguments.quiet,
    };
    let summary = match &device {
        Device::Gpu(gpu) => compare(gpu, &job),
        Device::Cpu(Precision::F32) => Cpu::<f32>::new().install(|| compare(&Cpu::<f32>::new(), &job)),
        Device::Cpu(Precision::F64) => Cpu::<f64>::new().install(|| compare(&Cpu::<f64>::new(), &job)),
    }
    .map_err(|error| engines::explain(&device, &plan, &network, samples, error))?;

    let mut out = std::io::stdout().lock();
    let table = || table::table(&summary) + "\n" + &verdict::verdict(&summary);
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
fn resumed_settings(run: &Path, arguments: &TrainArguments) -> Result<Settings> {
    if let Some(command) = Request::begun(run) {
        bail!("{} was begun by asyt {command}; continue it with: asyt {command} --resume {0}", run.display());
    }
    let config = run.join("config.toml");
    ensure!(
        config.is_file(),
        "{} is no run to resume: it has no config.toml; what has not begun starts with --out",
        run.display()
    );
    let changes = Settings { data_dir: None, ..arguments.settings.clone() };
    ensure!(
        changes == Settings::default(),
        "--resume continues a run with its own settings; drop the other flags, or start a new run with --config {}",
        config.display()
    );
    if let Some(out) = &arguments.out {
        let same = out == run || matches!((out.canonicalize(), run.canonicalize()), (Ok(out), Ok(run)) if out == run);
        ensure!(same, "--resume {} writes there and not to --out {}; drop --out", run.display(), out.display());
    }
    Ok(layers::resolve_own(&config, &arguments.settings)?.of_a_kept_run())
}

/// The data of `plan`, cut to its limits.
pub fn load(plan: &Plan) -> Outcome<Dataset> {
    let settings = &plan.settings;
    let name = settings.dataset.as_deref().unwrap_or_default();
    let source = data::Source { data_dir: settings.data_dir.clone(), cache_dir: fetch::cache_folder() };
    let label = settings.label_column.as_deref().map(str::parse::<LabelColumn>).transpose().or_usage()?;
    let limits = Limits { train: settings.train_limit, test: settings.test_limit };
    let can_be_fetched = name.parse::<DatasetName>().is_ok_and(DatasetName::is_downloadable);
    let targets = settings.target_columns.as_deref().map(TargetColumns::new).transpose().or_usage()?;
    let opened = match &targets {
        Some(targets) => data::open_real(name, &source, targets, limits),
        None => data::open_labelled(name, &source, label.as_ref(), limits),
    };
    let opened = opened.map_err(|error| match error {
        at_core::Error::Invalid { .. } => Failure::Usage(error.into()),
        at_core::Error::NotFound { what, searched, remedy } if can_be_fetched => {
            let remedy = format!("run `asyt data fetch {name}` or {remedy}");
            Failure::Run(at_core::Error::NotFound { what, searched, remedy }.into())
        }
        error => Failure::Run(error.into()),
    });
    let mut data = opened?.limit(limits.train, limits.test).or_usage()?;
    data.notes.iter_mut().for_each(|note| *note = flags::named(note));
    Ok(data)
}

/// The settings as a file that repeats the run. Folders become absolute, so that it can be read from anywhere.
pub fn config(settings: &Settings) -> Result<String> {
    let data_dir = settings.data_dir.as_ref().map(std::path::absolute).transpose().context("--data-dir")?;
    let absolute = |files: &Vec<PathBuf>| files.iter().map(std::path::absolute).collect::<std::io::Result<_>>();
    let chip_errors = settings.chip_errors.as_ref().map(absolute).transpose().context("--chip-errors")?;
    let text = toml::to_string(&Settings { data_dir, chip_errors, ..settings.clone() }).context("config.toml")?;
    Ok(format!("# Settings of this run; `asyt train --config` with this file repeats it.\n{text}"))
}
