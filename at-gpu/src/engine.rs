//! The GPU as an engine.

use crate::adapter::{AdapterDescription, Selection};
use crate::commands::Commands;
use crate::context::{Context, LimitChoice};
use crate::layout::Canary;
use crate::shaders::Stage;
use at_core::Result;
use std::sync::Arc;

/// Loop turns that every driver grants one invocation in total; stages are dispatched so that they stay below.
pub const LOOP_CAP: usize = 65_535;

/// An open GPU. Clones share the device.
#[derive(Clone)]
pub struct Gpu {
    pub(crate) commands: Arc<Commands>,
}

impl Gpu {
    /// Opens the adapter meant by `selection`.
    pub fn new(selection: &Selection) -> Result<Self> {
        Self::with_limits(selection, LimitChoice::Adapter)
    }

    /// Opens the adapter with a choice of limits.
    pub fn with_limits(selection: &Selection, limits: LimitChoice) -> Result<Self> {
        Ok(Gpu { commands: Arc::new(Commands::new(Context::open(selection, limits)?)?) })
    }

    /// The adapter that computes.
    pub fn adapter(&self) -> &AdapterDescription {
        &self.commands.context.adapter
    }

    /// Turns that a loop of one invocation really makes when asked for `wanted`; fewer on a driver with a cap.
    pub fn loop_turns(&self, wanted: u32) -> Result<u32> {
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC;
        let count = self.commands.context.buffer("canary", 4, usage)?;
        let pipeline = self.commands.pipeline(Stage::Canary, &[])?;
        self.commands.dispatch(&pipeline, &Canary { iterations: wanted }, &[&count], 1)?;
        let bytes = self.commands.read(&count, 4)?;
        Ok(bytemuck::pod_read_unaligned(&bytes))
    }

    /// Gives the device up, as if it were lost; everything after is an error. For tests of faults.
    #[doc(hidden)]
    pub fn lose(&self) {
        self.commands.context.device.destroy();
    }
}
