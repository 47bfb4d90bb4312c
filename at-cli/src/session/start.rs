//! The beginning of a run: what its settings mean, whether it fits the computer, its folder, and the engine that trains.

use super::{Job, Moved, Summary, train};
use crate::engines::{self, Device};
use crate::failure::{OrUsage, Outcome};
use crate::listener::Audience;
use crate::notes::Notes;
use crate::plan::{Plan, Precision, Share};
use crate::progress::say;
use crate::ranks::{self, World};
use crate::run_folder::RunFolder;
use crate::settings::{self, RunSettings};
use crate::trial::{self, Connect, Driver, OF_THE_PROGRAM, Task, Tasks};
use crate::work::{DAY, Work, say_expected};
use crate::{activity, events, interrupt, methods};
use anyhow::Context;
use at_core::cpu::Cpu;
use at_core::data::Dataset;
use at_core::files::chip_file::write_chip;
use at_core::network::Network;
use at_core::training::{MethodName, Score};
#[cfg(feature = "mpi")]
use at_core::{
    propagator::Simulator,
    ranks::{Collective, Ranked, Traffic},
};
use std::path::{Path, PathBuf};
#[cfg(feature = "mpi")]
use std::sync::Arc;

/// A run that is to begin, or to go on.
pub struct Start<'a> {
    /// All settings.
    pub settings: RunSettings,
    /// A line on where some of them come from.
    pub followed: Option<String>,
    /// The samples where a program has them; else the settings say where they lie.
    pub data: Option<Dataset>,
    /// The way to a chip that the program has; then `chip-command` is [`OF_THE_PROGRAM`].
    pub chip: Option<Box<Connect>>,
    /// Where its results go.
    pub place: RunPlace<'a>,
    /// Where its chip is written to.
    pub save_chip: Option<&'a Path>,
    /// Where its curves go as event files, for TensorBoard.
    pub log_dir: Option<&'a Path>,
    /// Who follows it.
    pub audience: Audience<'a>,
}

/// A folder for results.
#[derive(Clone, Copy)]
pub enum RunPlace<'a> {
    /// This one, which is new or empty; else one with the preset's name.
    New(Option<&'a Path>),
    /// That of an earlier run, which goes on.
    Earlier(&'a Path),
}

/// A run that is over.
pub struct Finished {
    /// What came out.
    pub summary: Summary,
    /// Where its files lie.
    pub folder: PathBuf,
    /// What it is judged by.
    pub score: Score,
}

/// A run that is understood and fits this computer, of which nothing is written.
pub struct Prepared {
    /// Its samples.
    pub tasks: Tasks,
    /// What it will do.
    pub task: Task,
    /// Where.
    pub device: Device,
    /// The least time that it takes.
    pub work: Work,
    /// Memory that it takes at the least (bytes).
    pub bytes: f64,
}

/// The run of `settings`, on the samples of a program where it has them. Errs where it makes no sense, or fits no memory and no year.
pub fn prepare(settings: RunSettings, data: Option<Dataset>) -> Outcome<Prepared> {
    let mut tasks = Tasks::default();
    let plan = match data {
        Some(data) => tasks.given(settings, data).or_usage()?,
        None => Plan::new(settings).or_usage()?,
    };
    let shared = plan.fleet() == 1 || plan.methods.contains(&MethodName::At);
    let needs = "share-model is about the digital model of at; add at to --method, or drop --share-model";
    shared.then_some(()).context(needs).or_usage()?;
    activity::now("opening the engine");
    let device = engines::choose(&plan)?;
    let task = tasks.complete(plan)?;
    let (Task { plan, network, .. }, data) = (&task, tasks.data(&task.plan)?);
    let own = own_tiles(plan, network).or_usage()?;
    let samples = trial::held_samples(data);
    let need = trial::memory(plan, network, own.as_ref(), samples, matches!(device, Device::Gpu(_)));
    let network = own.as_ref().unwrap_or(network);
    need.check().context("the training").or_usage()?;
    let work = Work::of_training(plan, network, [data.train.len(), data.test.len()]);
    work.check().or_usage()?;
    engines::check_memory(&device, plan, network, samples)?;
    Ok(Prepared { tasks, task, device, work, bytes: need.bytes() })
}

/// What rank 0 has of `network`, where ranks share its tiles. Errs where there are no ranks, and where there are too few tiles.
fn own_tiles(plan: &Plan, network: &Network) -> anyhow::Result<Option<Network>> {
    if plan.share == Share::Batch {
        return Ok(None);
    }
    let world = ranks::world().context(
        "--share tiles is about several ranks, and this process is alone; start it by mpirun -n 4 asyt train, or drop it",
    )?;
    Ok(Some(at_core::ranks::tiles_of(network, 0, world.ranks())?))
}

/// Trains.
pub fn start(start: Start) -> Outcome<Finished> {
    let Start { mut settings, followed, data, chip, place, save_chip, log_dir, audience } = start;
    if chip.is_some() {
        (settings.chip_command, settings.chip_address) = (Some(OF_THE_PROGRAM.to_string()), None);
    }
    activity::watch(audience.quiet());
    let Prepared { mut tasks, task, device, work, .. } = prepare(settings, data)?;
    let (Task { plan, network, .. }, data) = (&task, tasks.data(&task.plan)?);
    let samples = trial::held_samples(data);
    let gpu = matches!(device, Device::Gpu(_));
    let chip_seed = plan.settings.chip_seed.unwrap_or_default();
    let outside = "save-chip writes a simulated chip, and this one comes from outside; drop --save-chip";
    let simulated = save_chip.is_none() || !plan.settings.has_outside_chip();
    simulated.then_some(()).context(outside).or_usage()?;
    if let Some(world) = ranks::world() {
        let one = !plan.settings.has_outside_chip() && chip.is_none();
        let there = format!(
            "a chip from outside is one, and {} ranks would need as many; start asyt without mpirun",
            world.ranks()
        );
        one.then_some(()).context(there).or_usage()?;
    }
    if let Some(path) = save_chip {
        write_chip(path, network, &plan.fabricate(network, chip_seed)?)?;
    }
    followed.iter().for_each(|line| say(audience.quiet(), line));
    activity::now("meeting the driver of the chip");
    let driver = match chip {
        Some(connect) => Some(Driver::of_the_program(&plan.settings, connect)?),
        None => Driver::of(&plan.settings)?,
    };
    if let Some(driver) = &driver {
        let facts: Vec<_> = plan.methods.iter().map(|&name| methods::facts(name)).collect();
        driver.check(network, &facts).or_usage()?;
    }

    let mut moved = None;
    let logs = |folder: &RunFolder, new| {
        let own = log_dir.map(|log_dir| events::folder(log_dir, folder.path(), new));
        own.transpose().or_usage()
    };
    let (folder, log_folder) = match place {
        RunPlace::Earlier(run) => {
            moved = Moved::of(run, &plan.settings)?;
            let folder = RunFolder::open(run)?;
            let log_folder = logs(&folder, false)?;
            (folder, log_folder)
        }
        RunPlace::New(out) => {
            let folder = RunFolder::create(out, plan.settings.preset.as_deref().unwrap_or("run"))?;
            let log_folder = logs(&folder, true)?;
            folder.write("config.toml", &settings::config(&plan.settings)?)?;
            (folder, log_folder)
        }
    };
    let timed =
        if gpu || driver.is_some() { None } else { Work::timed(plan, network, [data.train.len(), data.test.len()])? };
    match timed.filter(|&seconds| seconds > DAY) {
        Some(seconds) => say_expected(seconds, &mut Notes::to(audience)),
        None => work.say(&mut Notes::to(audience)),
    }
    let _keeping = interrupt::resumable(&format!("asyt train --resume {}", folder.path().display()));
    let job = Job {
        task: &task,
        data,
        driver: driver.as_ref(),
        moved,
        folder: &folder,
        log_folder: log_folder.as_deref(),
        audience,
    };
    let summary = match (ranks::world(), &device) {
        (Some(world), device) => on_ranks(world, device, &job),
        (None, Device::Gpu(gpu)) => train(gpu, &job, None),
        (None, Device::Cpu(Precision::F32)) => Cpu::<f32>::new().install(|| train(&Cpu::<f32>::new(), &job, None)),
        (None, Device::Cpu(Precision::F64)) => Cpu::<f64>::new().install(|| train(&Cpu::<f64>::new(), &job, None)),
    }
    .map_err(|error| engines::explain(&device, plan, network, samples, error))?;
    Ok(Finished { summary, folder: folder.path().to_path_buf(), score: plan.score })
}

/// The engine of a rank, which shares what the settings of `task` say.
#[cfg(feature = "mpi")]
pub fn ranked<E: Simulator>(engine: E, collective: Arc<dyn Collective>, task: &Task) -> anyhow::Result<Ranked<E>> {
    Ok(match task.plan.share {
        Share::Batch => Ranked::new(engine, collective),
        Share::Tiles => Ranked::by_tiles(engine, collective, &task.network)?,
    })
}

/// Rank 0's part of a training on several ranks.
#[cfg(feature = "mpi")]
fn on_ranks(world: &World, device: &Device, job: &Job) -> anyhow::Result<Summary> {
    /// Trains, and says what the ranks have exchanged.
    fn exchanging<E: Simulator>(engine: &Ranked<E>, job: &Job) -> anyhow::Result<Summary> {
        let trained = train(engine, job, Some(&|| engine.traffic()));
        let Traffic { operations, values, time, copies } = engine.traffic();
        let [time, copies] = [time, copies].map(|time| time.as_secs_f64());
        let line = format!(
            "ranks    {operations} exchanges of {values} values in all took {time:.2} s, copies for them {copies:.2} s\n"
        );
        say(job.audience.quiet(), &line);
        let [held, alone] = engine.controls(&job.task.network);
        if job.task.plan.share == Share::Tiles {
            let all = job.task.network.controls();
            say(
                job.audience.quiet(),
                &format!("tiles    rank 0 has {held} of {all} controls, {alone} of them alone\n"),
            );
        }
        trained
    }
    let collective = world.collective();
    match device {
        Device::Gpu(gpu) => exchanging(&ranked(gpu.clone(), collective, job.task)?, job),
        Device::Cpu(Precision::F32) => {
            let engine = ranked(Cpu::<f32>::new(), collective, job.task)?;
            engine.engine().install(|| exchanging(&engine, job))
        }
        Device::Cpu(Precision::F64) => {
            let engine = ranked(Cpu::<f64>::new(), collective, job.task)?;
            engine.engine().install(|| exchanging(&engine, job))
        }
    }
}

/// There is no world without MPI.
#[cfg(not(feature = "mpi"))]
fn on_ranks(world: &World, _device: &Device, _job: &Job) -> anyhow::Result<Summary> {
    match *world {}
}
