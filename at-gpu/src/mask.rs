//! A mask of pixels.

use crate::engine::Gpu;
use crate::layout::parameters;
use crate::scratch::{Needs, Scratch, Slot};
use crate::stage::{Backward, Device, GpuStage, OfStage, OnGpu, Training};
use crate::sums::Sum;
use crate::vectors::{At, Vector, count};
use at_core::Result;
use at_core::stage::{self, StageErrors};
use at_shaders::Kernel;

parameters! {
    /// A mask and where its controls lie.
    Mask { pixels: u32, batch: u32, offset: u32, has_phases: u32, has_angles: u32, has_errors: u32, other: u32 }
}

/// Bytes of a pixel's coefficients: t and dt/dθ.
const COEFFICIENTS: usize = 16;

/// `y_p = t_p·x_p`.
struct MaskStage {
    gpu: Gpu,
    mask: stage::Mask,
    offset: usize,
    /// Phase errors of the pixels.
    errors: Option<Vector>,
    /// `(t, dt/dθ)` of every pixel.
    coefficients: wgpu::Buffer,
}

impl OnGpu for stage::Mask {
    fn on_gpu(&self, gpu: Gpu, errors: &StageErrors, offset: usize) -> Result<Box<dyn GpuStage>> {
        let context = &gpu.commands.context;
        let errors = errors.get(["phase"]).map(|[phase]| Vector::upload(context, "phase errors of a mask", phase));
        let bytes = (COEFFICIENTS * self.pixels()) as u64;
        let coefficients = context.buffer("pixels of a mask", bytes, wgpu::BufferUsages::STORAGE)?;
        Ok(Box::new(MaskStage { errors: errors.transpose()?, mask: *self, offset, coefficients, gpu }))
    }

    /// Coefficients and errors of chip and model, products of every sample.
    fn memory(&self, training: &Training, _: &Device) -> OfStage {
        let pixels = self.pixels() as u64;
        let networks = (2 * COEFFICIENTS as u64 + 8 * u64::from(training.imperfect || training.estimate)) * pixels;
        OfStage { networks, between: 4 * training.batch as u64 * pixels, ..OfStage::NOTHING }
    }
}

impl MaskStage {
    fn parameters(&self, batch: usize, other: bool) -> Result<Mask> {
        let [has_phases, has_angles] = self.mask.transmission.has().map(u32::from);
        Ok(Mask {
            pixels: count(self.mask.pixels())?,
            batch: count(batch)?,
            offset: count(self.offset)?,
            has_phases,
            has_angles,
            has_errors: u32::from(self.errors.is_some()),
            other: u32::from(other),
        })
    }

    fn transmit(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, back: bool) -> Result<()> {
        let buffers = [&self.coefficients, input, output];
        self.gpu.each(Kernel::MaskTransmit, &self.parameters(batch, back)?, &buffers, batch * self.mask.pixels())
    }

    /// Slopes by phases, or by angles of amplitudes, into `target` from its entry `offset` on.
    fn slopes(&self, pass: &Backward, by_angle: bool, (target, offset): At) -> Result<()> {
        let (products, pixels) = (pass.scratch.get(Slot::Products), self.mask.pixels());
        let buffers = [&self.coefficients, pass.input, pass.adjoint, products];
        let parameters = self.parameters(pass.batch, by_angle)?;
        self.gpu.each(Kernel::MaskProducts, &parameters, &buffers, pass.batch * pixels)?;
        Sum {
            source: products,
            rows: pass.batch,
            columns: pixels,
            stride: pixels,
            factors: None,
            scale: 1.0,
            target,
            offset,
        }
        .record(&self.gpu)
    }
}

impl GpuStage for MaskStage {
    fn program(&self, controls: &wgpu::Buffer) -> Result<()> {
        let errors = self.errors.as_ref().map_or(controls, |errors| &errors.buffer);
        let buffers = [controls, errors, &self.coefficients];
        self.gpu.each(Kernel::MaskCoefficients, &self.parameters(0, false)?, &buffers, self.mask.pixels())
    }

    fn take_on(&mut self, (estimate, offset): At) -> Result<()> {
        let (gpu, pixels) = (&self.gpu, self.mask.pixels());
        let errors = match &mut self.errors {
            Some(errors) => errors,
            none => none.insert(Vector::zeros(&gpu.commands.context, "phase errors of a mask", pixels)?),
        };
        let (from, bytes) = (4 * offset as u64, 4 * pixels as u64);
        gpu.commands.copy_part(estimate, from, &errors.buffer, bytes);
        Ok(())
    }

    fn needs(&self, batch: usize, backward: bool) -> Needs {
        let products = if backward { 4 * (batch * self.mask.pixels()) as u64 } else { 0 };
        Needs::of(&[(Slot::Products, products)])
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, _: &Scratch) -> Result<()> {
        self.transmit(input, batch, output, false)
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        self.transmit(pass.adjoint, pass.batch, pass.adjoint_in, true)?;
        let [has_phases, has_angles] = self.mask.transmission.has();
        if has_phases {
            self.slopes(pass, false, (pass.gradient, self.offset))?;
        }
        if has_angles {
            let offset = self.offset + if has_phases { self.mask.pixels() } else { 0 };
            self.slopes(pass, true, (pass.gradient, offset))?;
        }
        pass.imperfections.map_or(Ok(()), |imperfections| self.slopes(pass, false, imperfections))
    }
}
