//! Which engine computes: what was asked for, or an error that says what to do. Nothing falls back silently.

use crate::gpu::{self, Gpu};
use crate::plan::{EngineChoice, Plan, Precision};
use crate::ranks;
use anyhow::{Result, anyhow};
use at_core::network::Network;
use std::sync::OnceLock;

/// An engine that can be had.
pub enum Device {
    /// The CPU with these scalars.
    Cpu(Precision),
    /// An open GPU.
    Gpu(Gpu),
}

/// The device for `plan`; the ranks of a machine take its GPUs in turn. `auto` takes a hardware GPU where there is one, and a software one only where `adapter` names it.
pub fn choose(plan: &Plan) -> Result<Device> {
    if wants_gpu(plan) {
        return Ok(Device::Gpu(gpu::open(
            plan.settings.adapter.as_deref(),
            ranks::world().map(|world| world.on_this_machine().0),
        )?));
    }
    Ok(Device::Cpu(plan.precision))
}

/// The engine for `plan` as a setting; the same as [`choose`] takes, which is not opened.
pub fn setting(plan: &Plan) -> &'static str {
    if wants_gpu(plan) { "gpu" } else { "cpu" }
}

fn wants_gpu(plan: &Plan) -> bool {
    let adapter = plan.settings.adapter.as_deref();
    static HARDWARE: OnceLock<bool> = OnceLock::new(); // grids of settings ask often
    let found = || *HARDWARE.get_or_init(gpu::has_hardware);
    let hardware = || plan.precision == Precision::F32 && found();
    match plan.engine {
        EngineChoice::Gpu => true,
        EngineChoice::Cpu => false,
        EngineChoice::Auto => adapter.is_some() || hardware(),
    }
}

/// Refuses a training that cannot fit the device, before anything is built; `samples` are those of both splits.
pub fn check_memory(device: &Device, plan: &Plan, network: &Network, samples: usize) -> Result<()> {
    let Device::Gpu(gpu) = device else { return Ok(()) };
    gpu::check_memory(gpu, plan, network, samples)
}

/// What a failed run on a GPU needed, where it was memory that was missing.
pub fn explain(device: &Device, plan: &Plan, network: &Network, samples: usize, error: anyhow::Error) -> anyhow::Error {
    let Device::Gpu(gpu) = device else { return error };
    if !format!("{error:#}").contains("out of memory") {
        return error;
    }
    anyhow!("{error:#}; {}", gpu::needs(gpu, plan, network, samples))
}
