//! The GPU as an engine.

use crate::adapter::{AdapterDescription, Selection};
use crate::commands::Commands;
use crate::context::lock;
use crate::context::{Context, LimitChoice};
use crate::costs::MeshCosts;
use crate::layout::Canary;
use crate::preferences::Preferences;
use crate::vectors::Vector;
use at_core::Result;
use at_shaders::Kernel;
use std::sync::{Arc, Mutex, MutexGuard};

/// An open GPU. Clones share the device.
#[derive(Clone)]
pub struct Gpu {
    pub(crate) commands: Arc<Commands>,
    scores: Arc<Mutex<Option<Scores>>>,
    pub(crate) preferences: Preferences,
    pub(crate) costs: MeshCosts,
}

/// Memory between the two kernels of a loss.
pub(crate) struct Scores {
    /// Loss, and 1 where the sample was recognised: `[batch, 2]`.
    pub values: Vector,
    /// Bound where nobody wants the errors.
    pub errors: Vector,
}

impl Gpu {
    /// Opens the adapter meant by `selection`.
    pub fn new(selection: &Selection) -> Result<Self> {
        Self::with_limits(selection, LimitChoice::Adapter)
    }

    /// Opens the adapter with a choice of limits.
    pub fn with_limits(selection: &Selection, limits: LimitChoice) -> Result<Self> {
        let commands = Arc::new(Commands::new(Context::open(selection, limits)?)?);
        Ok(Gpu { commands, scores: Arc::default(), preferences: Preferences::default(), costs: MeshCosts::default() })
    }

    /// Memory for the losses of `batch` samples, locked for the caller.
    pub(crate) fn scores(&self, batch: usize) -> Result<MutexGuard<'_, Option<Scores>>> {
        let mut scores = lock(&self.scores);
        if scores.as_ref().is_none_or(|scores| scores.values.len < 2 * batch) {
            let context = &self.commands.context;
            let values = Vector::zeros(context, "losses of single samples", 2 * batch)?;
            *scores = Some(Scores { values, errors: Vector::zeros(context, "unused errors", 1)? });
        }
        Ok(scores)
    }

    /// The same device, of which this is known: it decides which kernels carry meshes. Errs where it can be of no device.
    pub fn with_mesh_costs(&self, costs: MeshCosts) -> Result<Self> {
        costs.check()?;
        Ok(Gpu { costs, ..self.clone() })
    }

    /// What is known of the device's kernels for meshes.
    pub fn mesh_costs(&self) -> &MeshCosts {
        &self.costs
    }

    /// The adapter that computes.
    pub fn adapter(&self) -> &AdapterDescription {
        &self.commands.context.adapter
    }

    /// Turns that a loop of one invocation really makes when asked for `wanted`; fewer on a driver with a cap.
    pub fn loop_turns(&self, wanted: u32) -> Result<u32> {
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC;
        let count = self.commands.context.buffer("canary", 4, usage)?;
        let pipeline = self.commands.pipeline(Kernel::Canary, &[])?;
        self.commands.dispatch(&pipeline, &Canary { iterations: wanted }, &[&count], 1)?;
        let bytes = self.commands.read(&count, 4)?;
        Ok(bytemuck::pod_read_unaligned(&bytes))
    }

    /// Dispatches that this device and its clones have recorded so far.
    pub fn dispatches(&self) -> u64 {
        self.commands.dispatches()
    }

    /// Waits until everything recorded is done.
    pub fn settle(&self) -> Result<()> {
        self.commands.flush()?;
        self.commands.context.wait(None)
    }

    /// Bytes of the device's memory that buffers of this process take, where the backend counts them.
    pub fn allocated_bytes(&self) -> Option<u64> {
        Some(self.commands.context.device.generate_allocator_report()?.total_allocated_bytes)
    }

    /// The same device with a choice of kernels.
    #[doc(hidden)]
    pub fn preferring(&self, preferences: Preferences) -> Self {
        Gpu { preferences, ..self.clone() }
    }

    /// Gives the device up, as if it were lost; everything after is an error. For tests of faults.
    #[doc(hidden)]
    pub fn lose(&self) {
        self.commands.context.device.destroy();
    }
}
