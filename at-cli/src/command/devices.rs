//! `asyt devices`: what can compute here.

use crate::args::DevicesArguments;
use crate::failure::Outcome;
use at_core::cpu::Cpu;
use at_core::propagator::Engine;
use std::io::Write;

/// Lists the CPU engine and the GPU adapters.
pub fn devices(arguments: &DevicesArguments) -> Outcome {
    let mut out = std::io::stdout().lock();
    let cpu = Cpu::<f32>::new().describe();
    if arguments.json {
        writeln!(out, "{}", serde_json::json!({ "cpu": cpu, "adapters": [] }))?;
    } else {
        writeln!(out, "cpu  {cpu}")?;
    }
    Ok(())
}
