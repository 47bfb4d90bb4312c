//! The engine for GPUs, as the commands ask for it.

use super::measured;
use crate::memory;
use crate::methods;
use crate::plan::Plan;
use anyhow::{Result, ensure};
use at_core::network::Network;
use at_core::training::MethodName;
use at_core::training::methods::Reach;
pub use at_gpu::Gpu;
use at_gpu::memory::Training;
use at_gpu::{AdapterDescription, MeshCosts, Selection, adapters};
use serde_json::{Value, json};

/// Memory of the GPU in GB (10⁹ bytes), where a person states it: no interface tells it.
const STATED_MEMORY: &str = "AT_GPU_MEMORY";

/// Opens the GPU that `adapter` names, or a hardware one: of number `rank` on this machine, where there are several, the adapter
/// `rank mod adapters`. What was measured of it decides its kernels.
pub fn open(adapter: Option<&str>, rank: Option<usize>) -> Result<Gpu> {
    let hardware = || -> Vec<usize> { adapters().iter().filter(|own| !own.software).map(|own| own.index).collect() };
    let own = |rank: usize| {
        let hardware = hardware();
        hardware.get(rank % hardware.len().max(1)).map(|&index| Selection::Index(index))
    };
    let otherwise = || rank.and_then(own).unwrap_or(Selection::Hardware);
    let gpu = Gpu::new(&adapter.map_or_else(otherwise, Selection::parse))?;
    match measured::known(gpu.adapter())? {
        Some(known) => Ok(gpu.with_mesh_costs(known.costs)?),
        None => Ok(gpu),
    }
}

/// Measures what the kernels of a GPU take and keeps it, `tell` being told what comes next; gives the GPU, in words, and what was found.
pub fn measure(adapter: Option<&str>, tell: &mut dyn FnMut(&str)) -> Result<(String, Value)> {
    // as it is without what was measured before, which may be broken
    let gpu = Gpu::new(&adapter.map_or(Selection::Hardware, Selection::parse))?;
    let path = measured::place(gpu.adapter())?;
    let costs = at_gpu::measure_mesh_costs(&gpu, tell)?;
    measured::keep(&path, gpu.adapter(), costs)?;
    let AdapterDescription { index, name, driver, .. } = gpu.adapter();
    let MeshCosts { dispatch_seconds, processors, product_flops, forward_flops, backward_flops, bandwidth, .. } = costs;
    let [product, forward, backward] = [product_flops, forward_flops, backward_flops].map(|rate| 1e-9 * rate);
    let (dispatch, copy) = (1e6 * dispatch_seconds, 1e-9 * bandwidth);
    let words = format!(
        "gpu {index:<2} {name}: products of blocks {product:.3} GFLOP/s, workgroups at once: {processors:.0}; columns {forward:.3} GFLOP/s \
         forward, {backward:.3} back; {dispatch:.1} µs from dispatch to dispatch; copies {copy:.1} GB/s\n\
         {:7}kept in {}: kernels for meshes are chosen by it from now on",
        "",
        path.display()
    );
    let object = json!({ "index": index, "name": name, "driver": driver, "path": path, "mesh_costs": costs });
    Ok((words, object))
}

/// Whether there is a GPU that is no software.
pub fn has_hardware() -> bool {
    adapters().iter().any(|adapter| !adapter.software)
}

/// What `asyt devices` says of every adapter, a line each.
pub fn lines() -> Result<Vec<String>> {
    let line = |adapter: &AdapterDescription| {
        let AdapterDescription { index, name, backend, kind, driver, .. } = adapter;
        let binding = adapter.max_binding >> 20;
        let kernels = match measured::known(adapter)? {
            Some(_) => "by what was measured here",
            None => "as for an H200, until asyt devices --measure",
        };
        Ok(format!(
            "gpu {index:<2} {name} ({kind}, {backend}, {driver}; bindings up to {binding} MiB; kernels chosen {kernels})"
        ))
    };
    let adapters = adapters();
    if adapters.is_empty() {
        return Ok(vec!["gpu    none: no driver for Vulkan, Metal or DirectX 12 gives an adapter".to_string()]);
    }
    adapters.iter().map(line).collect()
}

/// The same for programs.
pub fn json() -> Result<Vec<Value>> {
    let object = |adapter: &AdapterDescription| {
        let known = measured::known(adapter)?;
        Ok(json!({
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
            "measured": known.as_ref().map(|known| &known.path),
            "mesh_costs": known.as_ref().map_or_else(MeshCosts::default, |known| known.costs),
        }))
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
        single_meshes: plan.methods.iter().any(|&method| matches!(methods::facts(method).reach, Reach::BothEnds(_))),
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
