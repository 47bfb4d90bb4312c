//! Which engine computes: what was asked for, or an error that says what to do. Nothing falls back silently.

use crate::plan::{EngineChoice, Plan, Precision};
use anyhow::{Result, bail};

/// An engine that can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// The CPU with these scalars.
    Cpu(Precision),
}

/// The device for `plan`.
pub fn choose(plan: &Plan) -> Result<Device> {
    match plan.engine {
        EngineChoice::Auto if plan.settings.adapter.is_some() => {
            bail!("asyt cannot train on a GPU yet; drop --adapter to train on the CPU")
        }
        EngineChoice::Gpu => bail!("engine gpu cannot train yet; pass --engine cpu"),
        EngineChoice::Auto | EngineChoice::Cpu => Ok(Device::Cpu(plan.precision)),
    }
}

impl Device {
    /// The engine as a setting, to be repeated.
    pub fn setting(self) -> &'static str {
        match self {
            Device::Cpu(_) => "cpu",
        }
    }
}
