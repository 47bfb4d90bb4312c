//! The attenuators between the two meshes of a singular-value stage.

use crate::engine::Gpu;
use crate::layout::parameters;
use crate::scratch::{Needs, Scratch, Slot};
use crate::stage::{Backward, Device, GpuStage, OfStage, OnGpu, Training};
use crate::sums::Sum;
use crate::vectors::{Vector, count};
use at_core::stage::StageErrors;
use at_core::{Result, stage};
use at_shaders::Kernel;

parameters! {
    /// Attenuators and where their controls lie.
    Attenuators { count: u32, inputs: u32, outputs: u32, batch: u32, offset: u32 }
}

/// `y_k = g·sin(θ_k/2)·x_k` for k < min(inputs, outputs); dark above.
struct AttenuatorStage {
    gpu: Gpu,
    inputs: usize,
    outputs: usize,
    offset: usize,
    /// `[t.., dt/dθ.., dt/dg..]`.
    coefficients: Vector,
}

impl OnGpu for stage::Attenuators {
    fn on_gpu(&self, gpu: Gpu, _: &StageErrors, offset: usize) -> Result<Box<dyn GpuStage>> {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let coefficients = Vector::zeros(&gpu.commands.context, "attenuations", 3 * self.passed())?;
        Ok(Box::new(AttenuatorStage { gpu, inputs, outputs, offset, coefficients }))
    }

    fn memory(&self, _: &Training, _: &Device) -> OfStage {
        OfStage::NOTHING
    }
}

impl AttenuatorStage {
    fn count(&self) -> usize {
        self.inputs.min(self.outputs)
    }

    fn parameters(&self, batch: usize) -> Result<Attenuators> {
        Ok(Attenuators {
            count: count(self.count())?,
            inputs: count(self.inputs)?,
            outputs: count(self.outputs)?,
            batch: count(batch)?,
            offset: count(self.offset)?,
        })
    }
}

impl GpuStage for AttenuatorStage {
    fn program(&self, controls: &wgpu::Buffer) -> Result<()> {
        let buffers = [controls, &self.coefficients.buffer];
        self.gpu.each(Kernel::AttenuatorCoefficients, &self.parameters(0)?, &buffers, self.count())
    }

    fn needs(&self, batch: usize, backward: bool) -> Needs {
        if !backward {
            return Needs::default();
        }
        Needs::of(&[(Slot::Products, 4 * (batch * self.inputs) as u64), (Slot::Sums, 4 * self.count() as u64)])
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, _: &Scratch) -> Result<()> {
        let buffers = [&self.coefficients.buffer, input, output];
        self.gpu.each(Kernel::AttenuatorsForward, &self.parameters(batch)?, &buffers, batch * self.outputs)
    }

    /// With the sums S_k over samples of `dL/dt_k`: `dL/dθ_k = S_k dt_k/dθ_k` and `dL/dg = Σ_k S_k dt_k/dg`.
    fn backward(&self, pass: &Backward) -> Result<()> {
        let (products, sums) = (pass.scratch.get(Slot::Products), pass.scratch.get(Slot::Sums));
        let buffers = [&self.coefficients.buffer, pass.input, pass.adjoint, pass.adjoint_in, products];
        let parameters = self.parameters(pass.batch)?;
        self.gpu.each(Kernel::AttenuatorsBackward, &parameters, &buffers, pass.batch * self.inputs)?;
        let count = self.count();
        let angles = Sum {
            source: products,
            rows: pass.batch,
            columns: count,
            stride: self.inputs,
            factors: Some((&self.coefficients.buffer, count)),
            scale: 1.0,
            target: pass.gradient,
            offset: self.offset,
        };
        angles.record(&self.gpu)?;
        let shares = Sum { factors: Some((&self.coefficients.buffer, 2 * count)), target: sums, offset: 0, ..angles };
        shares.record(&self.gpu)?;
        let gain = Sum {
            source: sums,
            rows: count,
            columns: 1,
            stride: 1,
            factors: None,
            scale: 1.0,
            target: pass.gradient,
            offset: self.offset + count,
        };
        gain.record(&self.gpu)
    }
}
