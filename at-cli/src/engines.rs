//! Which engine computes: what was asked for, or an error that says what to do. Nothing falls back silently.

use crate::memory;
use crate::plan::{EngineChoice, Plan, Precision};
use anyhow::{Result, anyhow, ensure};
use at_core::network::Network;
use at_core::training::MethodName;
use at_gpu::memory::Training;
use at_gpu::{Gpu, Selection, adapters};
use std::sync::OnceLock;

/// Memory of the GPU in GB (10⁹ bytes), where a person states it: no interface tells it.
const STATED_MEMORY: &str = "AT_GPU_MEMORY";

/// An engine that can be had.
pub enum Device {
    /// The CPU with these scalars.
    Cpu(Precision),
    /// An open GPU.
    Gpu(Gpu),
}

/// The device for `plan`. `auto` takes a hardware GPU where there is one, and a software one only where `adapter` names it.
pub fn choose(plan: &Plan) -> Result<Device> {
    if wants_gpu(plan) {
        let selection = plan.settings.adapter.as_deref().map_or(Selection::Hardware, Selection::parse);
        return Ok(Device::Gpu(Gpu::new(&selection)?));
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
    let found = || *HARDWARE.get_or_init(|| adapters().iter().any(|adapter| !adapter.software));
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
    let stated = match std::env::var(STATED_MEMORY) {
        Ok(text) => {
            let gigabytes = text.parse::<f64>().ok().filter(|gigabytes| gigabytes.is_finite() && *gigabytes > 0.0);
            ensure!(gigabytes.is_some(), "{STATED_MEMORY} = {text} is not valid: must be a number of GB, such as 24");
            gigabytes.map(|gigabytes| 1e9 * gigabytes)
        }
        Err(_) => gpu.adapter().software.then(memory::available),
    };
    let training = training(plan, network, samples);
    Ok(training.check(gpu, stated.map(|bytes| bytes as u64))?)
}

fn training<'a>(plan: &Plan, network: &'a Network, samples: usize) -> Training<'a> {
    Training {
        network,
        imperfect: true,
        batch: plan.training.batch_size,
        moments: plan.training.optimizer.moments(),
        samples,
        shifter_fields: plan.methods.contains(&MethodName::Ffm),
        estimate: plan.methods.contains(&MethodName::AtAdaptive),
    }
}

/// What a failed run on a GPU needed, where it was memory that was missing.
pub fn explain(device: &Device, plan: &Plan, network: &Network, samples: usize, error: anyhow::Error) -> anyhow::Error {
    let Device::Gpu(gpu) = device else { return error };
    if !format!("{error:#}").contains("out of memory") {
        return error;
    }
    let need = training(plan, network, samples).estimate(gpu);
    anyhow!(
        "{error:#}; the run needs {need} in all; state the memory there is with {STATED_MEMORY}=GB to be told the batch that fits"
    )
}
