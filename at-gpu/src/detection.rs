//! Photodetection.

use crate::engine::Gpu;
use crate::layout::Detection as Parameters;
use crate::scratch::{Needs, Scratch};
use crate::stage::{Backward, GpuStage};
use crate::vectors::count;
use at_core::Result;
use at_core::network::Detection;
use at_shaders::Kernel;

/// Photodetection.
pub(crate) struct DetectionStage {
    pub gpu: Gpu,
    pub modes: usize,
    pub detection: Detection,
}

impl DetectionStage {
    fn parameters(&self, len: usize) -> Result<Parameters> {
        let (kind, phase) = match self.detection {
            Detection::Intensity => (0, 0.0),
            Detection::Amplitude => (1, 0.0),
            Detection::Balanced => (2, 0.0),
            Detection::Homodyne { phase } => (3, phase),
        };
        let (sine, cosine) = f64::sin_cos(phase);
        Ok(Parameters { len: count(len)?, kind, cosine: cosine as f32, sine: sine as f32 })
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
