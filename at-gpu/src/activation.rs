//! Optical nonlinearities.

use crate::engine::Gpu;
use crate::layout::Activation as Parameters;
use crate::scratch::{Needs, Scratch};
use crate::stage::{Backward, GpuStage};
use crate::vectors::count;
use at_core::Result;
use at_core::optics::Activation;
use at_shaders::Kernel;

/// An optical nonlinearity.
pub(crate) struct ActivationStage {
    pub gpu: Gpu,
    pub modes: usize,
    pub activation: Activation,
}

impl ActivationStage {
    fn parameters(&self, fields: usize) -> Result<Parameters> {
        let (kind, constants) = match self.activation {
            Activation::ElectroOptic { tap, gain, bias } => {
                let (sin, cos) = (0.5 * bias).sin_cos();
                (0, [(1.0 - tap).sqrt(), 0.5 * gain, cos, sin])
            }
            Activation::Saturable { depth, saturation } => (1, [0.5 * depth, saturation.recip(), 0.0, 0.0]),
            Activation::ModRelu { bias } => (2, [bias, 0.0, 0.0, 0.0]),
            Activation::Spm { gain } => (3, [gain, 0.0, 0.0, 0.0]),
        };
        let [first, second, third, fourth] = constants.map(|value| value as f32);
        Ok(Parameters { len: count(fields)?, kind, first, second, third, fourth })
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
