//! Modulation.

use crate::engine::Gpu;
use crate::layout::Length;
use crate::scratch::{Needs, Scratch};
use crate::stage::{Backward, Device, GpuStage, OfStage, OnGpu, Training};
use crate::vectors::count;
use at_core::Result;
use at_core::stage::{Modulation, StageErrors};
use at_shaders::Kernel;

/// Real numbers onto field amplitudes.
struct ModulationStage {
    gpu: Gpu,
    modes: usize,
}

impl OnGpu for Modulation {
    fn on_gpu(&self, gpu: Gpu, _: &StageErrors, _: usize) -> Result<Box<dyn GpuStage>> {
        Ok(Box::new(ModulationStage { gpu, modes: self.modes }))
    }

    fn memory(&self, _: &Training, _: &Device) -> OfStage {
        OfStage::NOTHING
    }
}

impl GpuStage for ModulationStage {
    fn program(&self, _controls: &wgpu::Buffer) -> Result<()> {
        Ok(())
    }

    fn needs(&self, _batch: usize, _backward: bool) -> Needs {
        Needs::default()
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, _: &Scratch) -> Result<()> {
        let len = batch * self.modes;
        self.gpu.each(Kernel::ModulationForward, &Length { len: count(len)? }, &[input, output], len)
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        let len = pass.batch * self.modes;
        let buffers = [pass.adjoint, pass.adjoint_in];
        self.gpu.each(Kernel::ModulationBackward, &Length { len: count(len)? }, &buffers, len)
    }
}
