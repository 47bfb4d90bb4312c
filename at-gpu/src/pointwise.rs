//! Stages that treat every mode by itself: nonlinearities, detection, modulation, rectification.

use crate::engine::Gpu;
use crate::layout::{Activation as ActivationParameters, Detection as DetectionParameters, Length, Rectifier};
use crate::scratch::{Needs, Scratch};
use crate::stage::{Backward, GpuStage};
use crate::vectors::count;
use at_core::Result;
use at_core::network::Detection;
use at_core::optics::Activation;
use at_shaders::Kernel;

/// An optical nonlinearity.
pub(crate) struct ActivationStage {
    pub gpu: Gpu,
    pub modes: usize,
    pub activation: Activation,
}

impl ActivationStage {
    fn parameters(&self, fields: usize) -> Result<ActivationParameters> {
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
        Ok(ActivationParameters { len: count(fields)?, kind, first, second, third, fourth })
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

/// Photodetection.
pub(crate) struct DetectionStage {
    pub gpu: Gpu,
    pub modes: usize,
    pub detection: Detection,
}

impl DetectionStage {
    fn parameters(&self, len: usize) -> Result<DetectionParameters> {
        let (kind, phase) = match self.detection {
            Detection::Intensity => (0, 0.0),
            Detection::Amplitude => (1, 0.0),
            Detection::Balanced => (2, 0.0),
            Detection::Homodyne { phase } => (3, phase),
        };
        let (sine, cosine) = f64::sin_cos(phase);
        Ok(DetectionParameters { len: count(len)?, kind, cosine: cosine as f32, sine: sine as f32 })
    }
}

impl GpuStage for DetectionStage {
    fn program(&self, _controls: &wgpu::Buffer) -> Result<()> {
        Ok(())
    }

    fn needs(&self, _batch: usize, _backward: bool) -> Needs {
        Needs::default()
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, _: &Scratch) -> Result<()> {
        let detectors = if self.detection == Detection::Balanced { self.modes / 2 } else { self.modes };
        let signals = batch * detectors;
        self.gpu.each(Kernel::DetectionForward, &self.parameters(signals)?, &[input, output], signals)
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        let fields = pass.batch * self.modes;
        let buffers = [pass.input, pass.adjoint, pass.adjoint_in];
        self.gpu.each(Kernel::DetectionBackward, &self.parameters(fields)?, &buffers, fields)
    }
}

/// Real numbers onto field amplitudes.
pub(crate) struct ModulationStage {
    pub gpu: Gpu,
    pub modes: usize,
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
