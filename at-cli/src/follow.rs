//! A rank that follows: it takes part in what rank 0 begins, prints nothing and writes no file of a run.

use crate::cells::{self, Store};
use crate::engines::{self, Device};
use crate::failure::{Failure, in_a_line};
use crate::plan::Precision;
use crate::ranks::{Order, World};
use crate::session::ranked;
use crate::trial::{Kept, Task, Tasks, Trials};
use crate::{interrupt, scale, settings, terminal};
use anyhow::{Result, anyhow, ensure};
use at_core::cpu::Cpu;
use at_core::data::Dataset;
use at_core::propagator::Simulator;
use at_core::training::{Checkpoint, Observer};
use std::time::Duration;

/// What fails on all ranks is told by rank 0, which then ends them; what fails here alone is told here, after so long.
const PATIENCE: Duration = Duration::from_secs(2);

/// Does what rank 0 says until it ends; gives the exit code.
pub fn follow(world: &World) -> u8 {
    if let Err(error) = interrupt::listen_to_nobody() {
        give_up(world, &error);
    }
    let mut tasks = Tasks::default();
    let mut order = world.hear(None);
    loop {
        let done = order.and_then(|order| obey(world, &mut tasks, order));
        order = match done {
            Ok(Done::Ended(code)) => return code,
            Ok(Done::Next(order)) => Ok(Some(order)),
            Ok(Done::Over) => world.hear(None),
            Err(error) => match world.hear(Some(PATIENCE)) {
                Ok(Some(order)) => Ok(Some(order)),
                Ok(None) | Err(_) => give_up(world, &error),
            },
        };
    }
}

/// Says what went wrong here alone, and ends all ranks: the others would wait for this one.
fn give_up(world: &World, error: &anyhow::Error) -> ! {
    terminal::say(terminal::WRONG, "error: ", &format!("rank {}: {}", world.rank(), in_a_line(error)));
    world.abort(1)
}

/// What has become of an order.
enum Done {
    /// It is done.
    Over,
    /// It is done, and the next one has come.
    Next(Order),
    /// It was the last one.
    Ended(u8),
}

fn obey(world: &World, tasks: &mut Tasks, order: Option<Order>) -> Result<Done> {
    match order {
        Some(Order::End { code }) => {
            world.acknowledge();
            Ok(Done::Ended(code))
        }
        Some(Order::Train { settings }) => train(world, tasks, &settings).map(Done::Next),
        Some(Order::Cells { folder, shares, jobs, log_folder }) => {
            cells::run_share(&Store::new(folder), &shares[world.rank()], jobs, log_folder.as_deref())?;
            world.acknowledge();
            Ok(Done::Over)
        }
        Some(Order::Measure { what }) => {
            scale::ranks::follow(world, &what)?;
            Ok(Done::Over)
        }
        Some(order @ Order::Run { .. }) => Err(anyhow!("an order out of its turn: {order:?}")),
        None => Err(anyhow!("no order came")),
    }
}

/// Takes part in trainings of these settings; gives the first order of another kind.
fn train(world: &World, tasks: &mut Tasks, settings: &str) -> Result<Order> {
    let task = tasks.of(settings::parse(settings)?).map_err(Failure::into_error)?;
    let device = engines::choose(&task.plan)?;
    let data = tasks.data(&task.plan).map_err(Failure::into_error)?;
    let collective = world.collective();
    match device {
        Device::Gpu(gpu) => runs(world, &ranked(gpu, collective, &task)?, &task, data),
        Device::Cpu(Precision::F32) => {
            let engine = ranked(Cpu::<f32>::new(), collective, &task)?;
            engine.engine().install(|| runs(world, &engine, &task, data))
        }
        Device::Cpu(Precision::F64) => {
            let engine = ranked(Cpu::<f64>::new(), collective, &task)?;
            engine.engine().install(|| runs(world, &engine, &task, data))
        }
    }
}

/// Puts the loss together with the others, and hears of nothing.
struct Puts {
    every: Option<usize>,
}

impl Observer for Puts {
    fn every(&self) -> Option<usize> {
        self.every
    }
}

/// The same steps as those of `session::train`, which is rank 0's.
fn runs<E: Simulator>(world: &World, engine: &E, task: &Task, data: &Dataset) -> Result<Order> {
    let trials = Trials::new(engine, task, data, None)?;
    trials.light();
    loop {
        match world.hear(None)? {
            Some(Order::Run { method, fingerprint, every }) => {
                let checkpoint = world.hear_more();
                ensure!(
                    fingerprint == trials.fingerprint(),
                    "the data or the files of the chip are not those of rank 0; every machine must see the same files"
                );
                let earlier = match checkpoint.is_empty() {
                    true => None,
                    false => Some(
                        Checkpoint::parse(&checkpoint)
                            .map_err(|reason| anyhow!("the checkpoint of rank 0 {reason}"))?,
                    ),
                };
                trials.run(method, Some(&Kept::of_rank_0(earlier)), false, &mut Puts { every })?;
            }
            Some(order) => return Ok(order),
            None => return Err(anyhow!("no order came")),
        }
    }
}
