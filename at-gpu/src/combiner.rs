//! Passive combiners.

use crate::division::Division;
use crate::engine::Gpu;
use crate::scratch::{Needs, Scratch};
use crate::stage::{Backward, GpuStage};
use at_core::Result;

/// `y[b·block + m] = Σ_c x[(b·parts + c)·block + m]/√parts`.
pub(crate) struct CombinerStage(Division);

impl CombinerStage {
    /// Combiners to `outputs` modes.
    pub fn new(gpu: Gpu, outputs: usize, parts: usize, block: usize) -> Result<Self> {
        Ok(CombinerStage(Division::new(gpu, block, parts, outputs / block)?))
    }
}

impl GpuStage for CombinerStage {
    fn program(&self, _: &wgpu::Buffer) -> Result<()> {
        Ok(())
    }

    fn needs(&self, _: usize, _: bool) -> Needs {
        Needs::default()
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, _: &Scratch) -> Result<()> {
        self.0.merge(input, batch, output)
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        self.0.split(pass.adjoint, pass.batch, pass.adjoint_in)
    }
}
