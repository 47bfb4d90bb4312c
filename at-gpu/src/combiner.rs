//! Passive combiners.

use crate::division::Division;
use crate::engine::Gpu;
use crate::scratch::{Needs, Scratch};
use crate::stage::{Backward, Device, GpuStage, OfStage, OnGpu, Training};
use at_core::Result;
use at_core::stage::{Combiner, StageErrors};

/// `y[b·block + m] = Σ_c x[(b·parts + c)·block + m]/√parts`.
struct CombinerStage(Division);

impl OnGpu for Combiner {
    fn on_gpu(&self, gpu: Gpu, _: &StageErrors, _: usize) -> Result<Box<dyn GpuStage>> {
        let blocks = self.outputs / self.block;
        Ok(Box::new(CombinerStage(Division::new(gpu, self.block, self.parts, blocks, self.part)?)))
    }

    fn memory(&self, _: &Training, _: &Device) -> OfStage {
        OfStage::NOTHING
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
