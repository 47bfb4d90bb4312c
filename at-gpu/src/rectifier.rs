//! Rectification.

use crate::engine::Gpu;
use crate::layout::Rectifier;
use crate::scratch::{Needs, Scratch};
use crate::stage::{Backward, GpuStage};
use crate::vectors::count;
use at_core::Result;
use at_shaders::Kernel;

/// `max(x - threshold, 0)`.
pub(crate) struct RectifierStage {
    pub gpu: Gpu,
    pub modes: usize,
    pub threshold: f32,
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
