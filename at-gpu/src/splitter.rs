//! Passive splitters.

use crate::division::Division;
use crate::engine::Gpu;
use crate::scratch::{Needs, Scratch};
use crate::stage::{Backward, Device, GpuStage, OfStage, OnGpu, Training};
use at_core::Result;
use at_core::stage::{Splitter, StageErrors};

/// `y[c·inputs + m] = x[m]/√copies`.
struct SplitterStage(Division);

impl OnGpu for Splitter {
    fn on_gpu(&self, gpu: Gpu, _: &StageErrors, _: usize) -> Result<Box<dyn GpuStage>> {
        Ok(Box::new(SplitterStage(Division::new(gpu, self.inputs, self.copies, 1, self.part)?)))
    }

    fn memory(&self, _: &Training, _: &Device) -> OfStage {
        OfStage::NOTHING
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
