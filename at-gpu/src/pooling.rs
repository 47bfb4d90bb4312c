//! Pooling.

use crate::engine::Gpu;
use crate::layout::parameters;
use crate::scratch::{Needs, Scratch};
use crate::stage::{Backward, Device, GpuStage, OfStage, OnGpu, Training};
use crate::vectors::count;
use at_core::Result;
use at_core::stage::{self, Pool, StageErrors};
use at_shaders::Kernel;

parameters! {
    /// Patches of every channel; `rows` and `columns` count patches.
    Pooling { len: u32, height: u32, width: u32, size: u32, stride: u32, rows: u32, columns: u32, is_max: u32 }
}

/// The mean or the maximum of every patch.
struct PoolingStage {
    gpu: Gpu,
    page: stage::Pooling,
}

impl OnGpu for stage::Pooling {
    fn on_gpu(&self, gpu: Gpu, _: &StageErrors, _: usize) -> Result<Box<dyn GpuStage>> {
        Ok(Box::new(PoolingStage { gpu, page: *self }))
    }

    fn memory(&self, _: &Training, _: &Device) -> OfStage {
        OfStage::NOTHING
    }
}

impl PoolingStage {
    /// Of `len` items.
    fn parameters(&self, len: usize) -> Result<Pooling> {
        let (page, [rows, columns]) = (&self.page, self.page.patches().counts());
        Ok(Pooling {
            len: count(len)?,
            height: count(page.image.height)?,
            width: count(page.image.width)?,
            size: count(page.size)?,
            stride: count(page.stride)?,
            rows: count(rows)?,
            columns: count(columns)?,
            is_max: u32::from(page.pool == Pool::Max),
        })
    }
}

impl GpuStage for PoolingStage {
    fn program(&self, _controls: &wgpu::Buffer) -> Result<()> {
        Ok(())
    }

    fn needs(&self, _batch: usize, _backward: bool) -> Needs {
        Needs::default()
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, _: &Scratch) -> Result<()> {
        let len = batch * self.page.output_image().features();
        self.gpu.each(Kernel::PoolingForward, &self.parameters(len)?, &[input, output], len)
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        let len = pass.batch * self.page.image.features();
        let buffers = [pass.input, pass.adjoint, pass.adjoint_in];
        self.gpu.each(Kernel::PoolingBackward, &self.parameters(len)?, &buffers, len)
    }
}
