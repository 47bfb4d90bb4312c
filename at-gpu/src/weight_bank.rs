//! A bank of balanced MZI cells.

use crate::engine::Gpu;
use crate::layout::Weights as Parameters;
use crate::stage::{GpuStage, OfStage, OnGpu, Training};
use crate::vectors::Vector;
use crate::weights::{self, Response, WeightStage};
use at_core::Result;
use at_core::stage::{StageErrors, WeightBank};
use at_shaders::Kernel;

/// `w = (1 + a)·sin((1 + s)·φ + o)` per cell.
struct Cells {
    /// `(1+a, 1+s, o, 0)` per cell; none where ideal.
    errors: Option<wgpu::Buffer>,
}

impl OnGpu for WeightBank {
    fn on_gpu(&self, gpu: Gpu, errors: &StageErrors, offset: usize) -> Result<Box<dyn GpuStage>> {
        let context = &gpu.commands.context;
        let errors = match errors.get(["amplitude", "slope", "offset"]) {
            Some([amplitude, slope, offset]) => {
                let cells = amplitude.iter().zip(slope).zip(offset);
                let cells: Vec<[f32; 4]> = cells
                    .map(|((&amplitude, &slope), &offset)| {
                        [1.0 + amplitude, 1.0 + slope, offset, 0.0].map(|x| x as f32)
                    })
                    .collect();
                Some(Vector::pods(context, "cells of a weight bank", &cells)?)
            }
            None => None,
        };
        let (inputs, outputs) = (self.inputs, self.outputs);
        let slopes = Vector::zeros(context, "slopes of weights", outputs * (inputs + 1))?;
        Ok(Box::new(WeightStage::new(gpu, [inputs, outputs], offset, Cells { errors }, Some(slopes))?))
    }

    fn memory(&self, training: &Training, _: u64) -> OfStage {
        weights::memory(self, training)
    }
}

impl Response for Cells {
    fn program(
        &self,
        gpu: &Gpu,
        parameters: Parameters,
        controls: &wgpu::Buffer,
        weights: &Vector,
        slopes: Option<&Vector>,
    ) -> Result<()> {
        let slopes = slopes.expect("a bank has slopes");
        let parameters = Parameters { has_errors: u32::from(self.errors.is_some()), ..parameters };
        let errors = self.errors.as_ref().unwrap_or(controls);
        let buffers = [controls, errors, &weights.buffer, &slopes.buffer];
        gpu.each(Kernel::WeightBankCoefficients, &parameters, &buffers, weights.len)
    }
    /// Each weight has a control of its own.
    fn to_controls(&self, _: &Gpu, _: Parameters, _: &wgpu::Buffer, _: &wgpu::Buffer) -> Result<()> {
        Ok(())
    }
}
