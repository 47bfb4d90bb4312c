//! The engine for GPUs, as the commands ask for it.

use crate::memory;
use crate::plan::Plan;
use anyhow::{Result, ensure};
use at_core::network::Network;
use at_core::training::MethodName;
pub use at_gpu::Gpu;
use at_gpu::memory::Training;
use at_gpu::{AdapterDescription, Selection, adapters};
use serde_json::{Value, json};

/// Memory of the GPU in GB (10⁹ bytes), where a person states it: no interface tells it.
const STATED_MEMORY: &str = "AT_GPU_MEMORY";

/// Opens the GPU that `adapter` names, or a hardware one: of number `rank` on this machine, where there are several, the adapter
/// `rank mod adapters`.
pub fn open(adapter: Option<&str>, rank: Option<usize>) -> Result<Gpu> {
    let hardware = || -> Vec<usize> { adapters().iter().filter(|own| !own.software).map(|own| own.index).collect() };
    let own = |rank: usize| {
        let hardware = hardware();
        hardware.get(rank % hardware.len().max(1)).map(|&index| Selection::Index(index))
    };
    let otherwise = || rank.and_then(own).unwrap_or(Selection::Hardware);
    Ok(Gpu::new(&adapter.map_or_else(otherwise, Selection::parse))?)
}

/// Whether there is a GPU that is no software.
pub fn has_hardware() -> bool {
    adapters().iter().any(|adapter| !adapter.software)
}

/// What `asyt devices` says of every adapter, a line each.
pub fn lines() -> Vec<String> {
    let line = |adapter: &AdapterDescription| {
        let AdapterDescription { index, name, backend, kind, driver, .. } = adapter;
        let binding = adapter.max_binding >> 20;
        format!("gpu {index:<2} {name} ({kind}, {backend}, {driver}; bindings up to {binding} MiB)")
    };
    let adapters = adapters();
    if adapters.is_empty() {
        return vec!["gpu    none: no driver for Vulkan, Metal or DirectX 12 gives an adapter".to_string()];
    }
    adapters.iter().map(line).collect()
}

/// The same for programs.
pub fn json() -> Vec<Value> {
    let object = |adapter: &AdapterDescription| {
        json!({
            "index": adapter.index,
            "name": adapter.name,
            "backend": adapter.backend,
            "kind": adapter.kind,
            "driver": adapter.driver,
            "max_binding_bytes": adapter.max_binding,
            "max_buffer_bytes": adapter.max_buffer,
            "workgroup_memory_bytes": adapter.workgroup_memory,
            "workgroup_size": adapter.workgroup_size,
            "software": adapter.software,
        })
    };
    adapters().iter().map(object).collect()
}

/// Refuses a training that cannot fit, before anything is built; `samples` are those of both splits.
pub fn check_memory(gpu: &Gpu, plan: &Plan, network: &Network, samples: usize) -> Result<()> {
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

/// What such a training needs, and how to be told what fits.
pub fn needs(gpu: &Gpu, plan: &Plan, network: &Network, samples: usize) -> String {
    let need = training(plan, network, samples).estimate(gpu);
    format!(
        "the run needs {need} in all; state the memory there is with {STATED_MEMORY}=GB to be told the batch that fits"
    )
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

/// Memory taken from the device so far (bytes), where its driver says.
pub fn taken_memory(gpu: &Gpu) -> Option<u64> {
    at_gpu::measure::taken_memory(gpu)
}

/// Rate of its matrix products (operations per second).
pub fn matrix_rate(gpu: &Gpu) -> Result<f64> {
    Ok(1e9 * at_gpu::measure::matrix_rate(gpu)?)
}

/// Rate of its copies, read and written (bytes per second).
pub fn copy_rate(gpu: &Gpu) -> Result<f64> {
    Ok(1e9 * at_gpu::measure::copy_rate(gpu)?)
}
