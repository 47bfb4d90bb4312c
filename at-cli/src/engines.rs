//! Which engine computes: what was asked for, or an error that says what to do. Nothing falls back silently.

use crate::plan::{EngineChoice, Plan, Precision};
use anyhow::Result;
use at_gpu::{Gpu, Selection, adapters};

/// An engine that can be had.
pub enum Device {
    /// The CPU with these scalars.
    Cpu(Precision),
    /// An open GPU.
    Gpu(Gpu),
}

/// The device for `plan`. `auto` takes a hardware GPU where there is one, and a software one only where `adapter` names it.
pub fn choose(plan: &Plan) -> Result<Device> {
    let adapter = plan.settings.adapter.as_deref();
    let hardware = || plan.precision == Precision::F32 && adapters().iter().any(|adapter| !adapter.software);
    let gpu = match plan.engine {
        EngineChoice::Gpu => true,
        EngineChoice::Cpu => false,
        EngineChoice::Auto => adapter.is_some() || hardware(),
    };
    if gpu {
        let selection = adapter.map_or(Selection::Hardware, Selection::parse);
        return Ok(Device::Gpu(Gpu::new(&selection)?));
    }
    Ok(Device::Cpu(plan.precision))
}

impl Device {
    /// The engine as a setting, to be repeated.
    pub fn setting(&self) -> &'static str {
        match self {
            Device::Cpu(_) => "cpu",
            Device::Gpu(_) => "gpu",
        }
    }
}
