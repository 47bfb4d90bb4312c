//! Passive splitters.

use crate::division::Division;
use crate::engine::Gpu;
use crate::scratch::{Needs, Scratch};
use crate::stage::{Backward, GpuStage};
use at_core::Result;

/// `y[c·inputs + m] = x[m]/√copies`.
pub(crate) struct SplitterStage(Division);

impl SplitterStage {
    /// Splitters of `inputs` modes.
    pub fn new(gpu: Gpu, inputs: usize, copies: usize) -> Result<Self> {
        Ok(SplitterStage(Division::new(gpu, inputs, copies, 1)?))
    }
}

impl GpuStage for SplitterStage {
    fn program(&self, _: &wgpu::Buffer) -> Result<()> {
        Ok(())
    }

    fn needs(&self, _: usize, _: bool) -> Needs {
        Needs::default()
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, _: &Scratch) -> Result<()> {
        self.0.split(input, batch, output)
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        self.0.merge(pass.adjoint, pass.batch, pass.adjoint_in)
    }
}
