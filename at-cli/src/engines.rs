//! Which engine computes: what was asked for, or an error that says what to do. Nothing falls back silently.

use crate::plan::{EngineChoice, Plan, Precision};
use anyhow::Result;
use at_gpu::{Gpu, Selection, adapters};
use std::sync::OnceLock;

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

impl Device {
    /// The engine as a setting, to be repeated.
    pub fn setting(&self) -> &'static str {
        match self {
            Device::Cpu(_) => "cpu",
            Device::Gpu(_) => "gpu",
        }
    }
}
