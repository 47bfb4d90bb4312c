//! Normalisation of images.

use crate::engine::Gpu;
use crate::layout::parameters;
use crate::scratch::{Needs, Scratch, Slot};
use crate::stage::{Backward, Device, GpuStage, OfStage, OnGpu, Training};
use crate::sums::Sum;
use crate::vectors::{Vector, count};
use at_core::Result;
use at_core::stage::{self, StageErrors};
use at_shaders::Kernel;

parameters! {
    /// Groups of channels; `items` are groups of samples.
    Normalization { items: u32, channels: u32, groups: u32, area: u32, offset: u32, least_variance: f32 }
}

/// `y = g·(x − μ)/√(v + ε) + b`.
struct NormalizationStage {
    gpu: Gpu,
    page: stage::Normalization,
    offset: usize,
    /// A copy of the network's controls up to its own, `[…, gain, offset]`.
    controls: Vector,
}

impl OnGpu for stage::Normalization {
    fn on_gpu(&self, gpu: Gpu, _: &StageErrors, offset: usize) -> Result<Box<dyn GpuStage>> {
        let controls = Vector::zeros(&gpu.commands.context, "gains and offsets", offset + 2 * self.image.channels)?;
        Ok(Box::new(NormalizationStage { gpu, page: *self, offset, controls }))
    }

    fn memory(&self, training: &Training, _: &Device) -> OfStage {
        let products = 8 * (training.batch * self.image.channels) as u64;
        OfStage { networks: 8 * training.network.controls() as u64, between: products, ..OfStage::NOTHING }
    }
}

impl NormalizationStage {
    /// Runs one of its kernels, a workgroup for every group of every sample.
    fn go(&self, kernel: Kernel, batch: usize, buffers: &[&wgpu::Buffer]) -> Result<()> {
        let items = batch * self.page.groups;
        let parameters = Normalization {
            items: count(items)?,
            channels: count(self.page.image.channels)?,
            groups: count(self.page.groups)?,
            area: count(self.page.area())?,
            offset: count(self.offset)?,
            least_variance: stage::Normalization::LEAST_VARIANCE as f32,
        };
        let pipeline = self.gpu.commands.pipeline(kernel, &[])?;
        self.gpu.commands.dispatch(&pipeline, &parameters, buffers, items)
    }
}

impl GpuStage for NormalizationStage {
    fn program(&self, controls: &wgpu::Buffer) -> Result<()> {
        self.gpu.commands.copy(controls, &self.controls.buffer, 4 * self.controls.len as u64);
        Ok(())
    }

    fn needs(&self, batch: usize, backward: bool) -> Needs {
        let products = if backward { 8 * (batch * self.page.image.channels) as u64 } else { 0 };
        Needs::of(&[(Slot::Products, products)])
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, _: &Scratch) -> Result<()> {
        self.go(Kernel::NormalizationForward, batch, &[input, &self.controls.buffer, output])
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        let products = pass.scratch.get(Slot::Products);
        let buffers = [pass.input, &self.controls.buffer, pass.adjoint, pass.adjoint_in, products];
        self.go(Kernel::NormalizationBackward, pass.batch, &buffers)?;
        let columns = 2 * self.page.image.channels;
        Sum {
            source: products,
            rows: pass.batch,
            columns,
            stride: columns,
            factors: None,
            scale: 1.0,
            target: pass.gradient,
            offset: self.offset,
        }
        .record(&self.gpu)
    }
}
