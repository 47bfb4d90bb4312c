//! `asyt devices`: what can compute here.

use crate::export::columns::wrapped;
use crate::failure::Outcome;
use crate::gpu;
use at_core::cpu::Cpu;
use at_core::engine::Engine;
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
    if arguments.json {
        writeln!(out, "{:#}", serde_json::json!({ "cpu": cpu, "adapters": gpu::json() }))?;
        return Ok(());
    }
    let lines = [format!("cpu    {}", cpu.trim_start_matches("cpu "))].into_iter().chain(gpu::lines());
    for line in lines {
        write!(out, "{}", wrapped(&line, 7))?;
    }
    Ok(())
}
