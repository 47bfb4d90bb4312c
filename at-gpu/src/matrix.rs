//! A real matrix and bias whose entries are the controls.

use crate::engine::Gpu;
use crate::layout::Weights as Parameters;
use crate::stage::{Device, GpuStage, OfStage, OnGpu, Training};
use crate::vectors::{At, Vector};
use crate::weights::{self, Response, WeightStage};
use at_core::Result;
use at_core::stage::{Matrix, StageErrors};
use at_shaders::Kernel;

/// `w = s·c` with the stage's slopes; `w = c` where it has none.
struct Linear;

impl OnGpu for Matrix {
    fn on_gpu(&self, gpu: Gpu, errors: &StageErrors, offset: usize) -> Result<Box<dyn GpuStage>> {
        let slopes = match errors.get(["spread"]) {
            Some([spread]) => {
                let slopes: Vec<f64> = spread.iter().map(|spread| 1.0 + spread).collect();
                Some(Vector::upload(&gpu.commands.context, "slopes of weights", &slopes)?)
            }
            None => None,
        };
        Ok(Box::new(WeightStage::new(gpu, [self.inputs, self.outputs], offset, Linear, slopes)?))
    }

    fn memory(&self, training: &Training, _: &Device) -> OfStage {
        weights::memory(self, training)
    }
}

impl Response for Linear {
    fn program(
        &self,
        gpu: &Gpu,
        parameters: Parameters,
        controls: &wgpu::Buffer,
        weights: &Vector,
        slopes: Option<&Vector>,
    ) -> Result<()> {
        let parameters = Parameters { has_errors: u32::from(slopes.is_some()), ..parameters };
        let slopes = slopes.map_or(controls, |slopes| &slopes.buffer);
        gpu.each(Kernel::MatrixCoefficients, &parameters, &[controls, slopes, &weights.buffer], weights.len)
    }

    /// Each weight has a control of its own.
    fn to_controls(&self, _: &Gpu, _: Parameters, _: &wgpu::Buffer, _: &wgpu::Buffer) -> Result<()> {
        Ok(())
    }

    /// Nothing of it is estimated.
    fn take_on(&mut self, _: &Gpu, _: usize, _: At) -> Result<()> {
        Ok(())
    }

    /// The same.
    fn to_imperfections(
        &self,
        _: &Gpu,
        _: Parameters,
        _: &wgpu::Buffer,
        _: Option<&Vector>,
        _: &wgpu::Buffer,
        _: At,
    ) -> Result<()> {
        Ok(())
    }
}
