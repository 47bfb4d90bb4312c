//! `asyt devices`: what can compute here.

use crate::failure::Outcome;
use at_core::cpu::Cpu;
use at_core::propagator::Engine;
use at_gpu::{AdapterDescription, adapters};
use std::io::Write;

/// `asyt devices`.
#[derive(Debug, clap::Args)]
pub struct DevicesArguments {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Lists the CPU engine and the GPU adapters.
pub fn devices(arguments: &DevicesArguments) -> Outcome {
    let mut out = std::io::stdout().lock();
    let cpu = Cpu::<f32>::new().describe();
    let adapters = adapters();
    if arguments.json {
        let adapters: Vec<_> = adapters.iter().map(json).collect();
        writeln!(out, "{:#}", serde_json::json!({ "cpu": cpu, "adapters": adapters }))?;
        return Ok(());
    }
    writeln!(out, "cpu    {}", cpu.trim_start_matches("cpu "))?;
    for adapter in &adapters {
        let AdapterDescription { index, name, backend, kind, driver, .. } = adapter;
        let binding = adapter.max_binding >> 20;
        writeln!(out, "gpu {index:<2} {name} ({kind}, {backend}, {driver}; bindings up to {binding} MiB)")?;
    }
    if adapters.is_empty() {
        writeln!(out, "gpu    none: no driver for Vulkan, Metal or DirectX 12 gives an adapter")?;
    }
    Ok(())
}

fn json(adapter: &AdapterDescription) -> serde_json::Value {
    serde_json::json!({
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
}
