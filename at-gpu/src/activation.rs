//! Optical nonlinearities.

use crate::engine::Gpu;
use crate::layout::parameters;
use crate::scratch::{Needs, Scratch};
use crate::stage::{Backward, Device, GpuStage, OfStage, OnGpu, Training};
use crate::vectors::count;
use at_core::stage::{Nonlinearity, StageErrors};
use at_core::{Result, optics};
use at_shaders::Kernel;

parameters! {
    /// An optical nonlinearity.
    Activation { len: u32, kind: u32, first: f32, second: f32, third: f32, fourth: f32 }
}

/// Optical nonlinearities, one per mode.
struct ActivationStage {
    gpu: Gpu,
    modes: usize,
    activation: optics::Activation,
}

impl OnGpu for Nonlinearity {
    fn on_gpu(&self, gpu: Gpu, _: &StageErrors, _: usize) -> Result<Box<dyn GpuStage>> {
        Ok(Box::new(ActivationStage { gpu, modes: self.modes, activation: self.activation }))
    }

    fn memory(&self, _: &Training, _: &Device) -> OfStage {
        OfStage::NOTHING
    }
}

impl ActivationStage {
    fn parameters(&self, fields: usize) -> Result<Activation> {
        let (kind, constants) = match self.activation {
            optics::Activation::ElectroOptic { tap, gain, bias } => {
                let (sin, cos) = (0.5 * bias).sin_cos();
                (0, [(1.0 - tap).sqrt(), 0.5 * gain, cos, sin])
            }
            optics::Activation::Saturable { depth, saturation } => (1, [0.5 * depth, saturation.recip(), 0.0, 0.0]),
            optics::Activation::ModRelu { bias } => (2, [bias, 0.0, 0.0, 0.0]),
            optics::Activation::Spm { gain } => (3, [gain, 0.0, 0.0, 0.0]),
        };
        let [first, second, third, fourth] = constants.map(|value| value as f32);
        Ok(Activation { len: count(fields)?, kind, first, second, third, fourth })
    }
}

impl GpuStage for ActivationStage {
    fn program(&self, _controls: &wgpu::Buffer) -> Result<()> {
        Ok(())
    }

    fn needs(&self, _batch: usize, _backward: bool) -> Needs {
        Needs::default()
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, _: &Scratch) -> Result<()> {
        let fields = batch * self.modes;
        self.gpu.each(Kernel::ActivationForward, &self.parameters(fields)?, &[input, output], fields)
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        let fields = pass.batch * self.modes;
        let buffers = [pass.input, pass.adjoint, pass.adjoint_in];
        self.gpu.each(Kernel::ActivationBackward, &self.parameters(fields)?, &buffers, fields)
    }
}
