//! Rectification.

use crate::engine::Gpu;
use crate::layout::parameters;
use crate::scratch::{Needs, Scratch};
use crate::stage::{Backward, Device, GpuStage, OfStage, OnGpu, Training};
use crate::vectors::count;
use at_core::stage::StageErrors;
use at_core::{Result, stage};
use at_shaders::Kernel;

parameters! {
    /// A rectifier.
    Rectifier { len: u32, threshold: f32 }
}

/// `max(x - threshold, 0)`.
struct RectifierStage {
    gpu: Gpu,
    modes: usize,
    threshold: f32,
}

impl OnGpu for stage::Rectifier {
    fn on_gpu(&self, gpu: Gpu, _: &StageErrors, _: usize) -> Result<Box<dyn GpuStage>> {
        Ok(Box::new(RectifierStage { gpu, modes: self.modes, threshold: self.threshold as f32 }))
    }

    fn memory(&self, _: &Training, _: &Device) -> OfStage {
        OfStage::NOTHING
    }
}

impl GpuStage for RectifierStage {
    fn program(&self, _controls: &wgpu::Buffer) -> Result<()> {
        Ok(())
    }

    fn needs(&self, _batch: usize, _backward: bool) -> Needs {
        Needs::default()
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, _: &Scratch) -> Result<()> {
        let len = batch * self.modes;
        let parameters = Rectifier { len: count(len)?, threshold: self.threshold };
        self.gpu.each(Kernel::RectifierForward, &parameters, &[input, output], len)
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        let len = pass.batch * self.modes;
        let parameters = Rectifier { len: count(len)?, threshold: self.threshold };
        let buffers = [pass.input, pass.adjoint, pass.adjoint_in];
        self.gpu.each(Kernel::RectifierBackward, &parameters, &buffers, len)
    }
}
