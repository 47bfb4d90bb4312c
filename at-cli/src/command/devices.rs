//! `asyt devices`: what can compute here, and what it takes there.

use crate::activity;
use crate::export::columns::wrapped;
use crate::failure::Outcome;
use crate::gpu;
use crate::progress::say;
use at_core::cpu::Cpu;
use at_core::engine::Engine;
use std::io::Write;

/// What `asyt devices --help` says below the flags.
pub const HELP: &str = "\
On a GPU light crosses a mesh by one of six kernels; which of them is fastest
depends on the size of the mesh, the batch and the device. --measure times, in
seconds, what the choice depends on, and keeps it in the cache folder
($XDG_CACHE_HOME or ~/.cache: asyt/adapter-NAME-DRIVER.json); every command reads it
there. Kernels differ in how they round: a run that goes on after a first
--measure may differ from one that was not interrupted, in the last digits.

Examples:
  asyt devices
  asyt devices --measure
  asyt devices --measure --adapter llvmpipe";

/// `asyt devices`.
#[derive(Debug, clap::Args)]
pub struct DevicesArguments {
    /// Measure what the kernels of a GPU take, and choose between them by it from now on
    #[arg(long)]
    pub measure: bool,
    /// The GPU to measure, by index or part of its name [default: the first that is no software]
    #[arg(long, value_name = "NAME|INDEX", requires = "measure")]
    pub adapter: Option<String>,
    /// Do not say what is being measured
    #[arg(long, requires = "measure")]
    pub quiet: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Lists the CPU engine and the GPU adapters, or measures one of them.
pub fn devices(arguments: &DevicesArguments) -> Outcome {
    if arguments.measure {
        return measure(arguments);
    }
    let cpu = Cpu::<f32>::new().describe();
    if arguments.json {
        let adapters = gpu::json()?;
        writeln!(std::io::stdout(), "{:#}", serde_json::json!({ "cpu": cpu, "adapters": adapters }))?;
        return Ok(());
    }
    let lines = gpu::lines()?;
    let mut out = std::io::stdout().lock();
    for line in [format!("cpu    {}", cpu.trim_start_matches("cpu "))].into_iter().chain(lines) {
        write!(out, "{}", wrapped(&line, 7))?;
    }
    Ok(())
}

fn measure(arguments: &DevicesArguments) -> Outcome {
    activity::watch(arguments.quiet);
    let mut tell = |what: &str| say(arguments.quiet, &format!("measuring {what} …"));
    let (words, object) = gpu::measure(arguments.adapter.as_deref(), &mut tell)?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        writeln!(out, "{object:#}")?;
    } else {
        write!(out, "{}", wrapped(&words, 7))?;
    }
    Ok(())
}
