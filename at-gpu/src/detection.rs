//! Photodetection.

use crate::engine::Gpu;
use crate::layout::parameters;
use crate::scratch::{Needs, Scratch};
use crate::stage::{Backward, Device, GpuStage, OfStage, OnGpu, Training};
use crate::vectors::count;
use at_core::Result;
use at_core::stage::{self, Photodetection, StageErrors};
use at_shaders::Kernel;

parameters! {
    /// A photodetection.
    Detection { len: u32, kind: u32, cosine: f32, sine: f32 }
}

/// Photodetectors.
pub(crate) struct DetectionStage {
    pub gpu: Gpu,
    pub modes: usize,
    pub detection: stage::Detection,
}

impl OnGpu for Photodetection {
    fn on_gpu(&self, gpu: Gpu, _: &StageErrors, _: usize) -> Result<Box<dyn GpuStage>> {
        Ok(Box::new(DetectionStage { gpu, modes: self.modes, detection: self.detection }))
    }

    fn memory(&self, _: &Training, _: &Device) -> OfStage {
        OfStage::NOTHING
    }
}

impl DetectionStage {
    fn parameters(&self, len: usize) -> Result<Detection> {
        let (kind, phase) = match self.detection {
            stage::Detection::Intensity => (0, 0.0),
            stage::Detection::Amplitude => (1, 0.0),
            stage::Detection::Balanced => (2, 0.0),
            stage::Detection::Homodyne { phase } => (3, phase),
        };
        let (sine, cosine) = f64::sin_cos(phase);
        Ok(Detection { len: count(len)?, kind, cosine: cosine as f32, sine: sine as f32 })
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
        let detectors = if self.detection == stage::Detection::Balanced { self.modes / 2 } else { self.modes };
        let signals = batch * detectors;
        self.gpu.each(Kernel::DetectionForward, &self.parameters(signals)?, &[input, output], signals)
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        let fields = pass.batch * self.modes;
        let buffers = [pass.input, pass.adjoint, pass.adjoint_in];
        self.gpu.each(Kernel::DetectionBackward, &self.parameters(fields)?, &buffers, fields)
    }
}
