//! Measuring on ranks: threads of this process, or the processes that `mpirun` has started.

use super::case::{Case, EngineName};
use super::exchange::{self, Sum};
use super::measure::{Care, Measurement, Together, measure};
use crate::gpu::Gpu;
use crate::ranks::{self, Order, World};
use anyhow::{Context, Result, bail};
use at_core::cpu::Cpu;
use at_core::propagator::Simulator;
use at_core::ranks::threads::together;
use at_core::ranks::{Collective, Ranked};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What ranks measure together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Asked {
    /// A step, on the GPU that `adapter` names where it is one.
    Case {
        /// The step.
        case: Case,
        /// How.
        care: Care,
        /// Which GPU.
        adapter: Option<String>,
    },
    /// Sums over the ranks.
    Sums {
        /// Values of each.
        sizes: Vec<usize>,
        /// How.
        care: Care,
    },
}

/// One rank's part of a case.
fn part<E: Simulator>(engine: E, all: Arc<dyn Collective>, case: &Case, care: &Care) -> Result<Measurement> {
    let engine = Ranked::new(engine, all);
    let agree = |own: usize| {
        let mut bytes = (own as u64).to_le_bytes().to_vec();
        engine.collective().broadcast(&mut bytes)?;
        let bytes: [u8; 8] = bytes.try_into().ok().context("a number of rank 0")?;
        Ok(u64::from_le_bytes(bytes) as usize)
    };
    measure(&engine, case, care, None, Some(&Together { agree: &agree, traffic: &|| engine.traffic() }))
}

/// Measures `case` on its ranks. The times are those of rank 0.
pub fn case(case: &Case, care: &Care, gpu: Option<&Gpu>, adapter: Option<&str>) -> Result<Measurement> {
    if let Some(world) = ranks::world().filter(|_| case.ranks > 1) {
        tell(world, &Asked::Case { case: *case, care: *care, adapter: adapter.map(str::to_string) })?;
        return own_part(world, case, care, gpu);
    }
    let all = match (case.engine, gpu) {
        (EngineName::Gpu, Some(gpu)) => together(case.ranks, |all| part(Clone::clone(gpu), all, case, care)),
        (EngineName::Gpu, None) => bail!("a case for a GPU, and there is none"),
        (EngineName::Cpu, _) => together(case.ranks, |all| part(Cpu::<f32>::new(), all, case, care)),
    };
    first(all)
}

/// Measures sums over so many ranks, of so many values each.
pub fn sums(ranks: usize, sizes: &[usize], care: &Care) -> Result<Vec<Sum>> {
    if let Some(world) = ranks::world() {
        tell(world, &Asked::Sums { sizes: sizes.to_vec(), care: *care })?;
        return own_sums(world, sizes, care);
    }
    first(together(ranks, |all| exchange::measure(&*all, sizes, care)))
}

/// What rank 0 gives, if all could do it.
fn first<T>(all: Vec<Result<T>>) -> Result<T> {
    let all: Vec<T> = all.into_iter().collect::<Result<_>>()?;
    all.into_iter().next().context("there is rank 0")
}

/// Tells the other ranks what to measure.
fn tell(world: &World, asked: &Asked) -> Result<()> {
    world.tell(&Order::Measure { what: serde_json::to_string(asked).context("an order to other ranks")? }, None)
}

#[cfg(feature = "mpi")]
fn own_part(world: &World, case: &Case, care: &Care, gpu: Option<&Gpu>) -> Result<Measurement> {
    let all = world.collective();
    match (case.engine, gpu) {
        (EngineName::Gpu, Some(gpu)) => part(gpu.clone(), all, case, care),
        (EngineName::Gpu, None) => bail!("a case for a GPU, and there is none"),
        (EngineName::Cpu, _) => {
            let cpu = Cpu::<f32>::new();
            cpu.install(|| part(cpu, all, case, care))
        }
    }
}

#[cfg(feature = "mpi")]
fn own_sums(world: &World, sizes: &[usize], care: &Care) -> Result<Vec<Sum>> {
    exchange::measure(&*world.collective(), sizes, care)
}

/// There is no world without MPI.
#[cfg(not(feature = "mpi"))]
fn own_part(world: &World, _case: &Case, _care: &Care, _gpu: Option<&Gpu>) -> Result<Measurement> {
    match *world {}
}

/// There is no world without MPI.
#[cfg(not(feature = "mpi"))]
fn own_sums(world: &World, _sizes: &[usize], _care: &Care) -> Result<Vec<Sum>> {
    match *world {}
}

/// Takes part in what rank 0 measures.
#[cfg(feature = "mpi")]
pub fn follow(world: &World, what: &str) -> Result<()> {
    match serde_json::from_str(what).context("an order of rank 0")? {
        Asked::Case { case, care, adapter } => {
            let open = || crate::gpu::open(adapter.as_deref(), Some(world.on_this_machine().0));
            let gpu = (case.engine == EngineName::Gpu).then(open).transpose()?;
            own_part(world, &case, &care, gpu.as_ref()).map(drop)
        }
        Asked::Sums { sizes, care } => own_sums(world, &sizes, &care).map(drop),
    }
}
