//! A crossbar of phase-change cells.

use crate::engine::Gpu;
use crate::layout::Weights as Parameters;
use crate::stage::{GpuStage, OfStage, OnGpu, Training};
use crate::vectors::Vector;
use crate::weights::{self, Response, WeightStage};
use at_core::Result;
use at_core::stage::{PhaseChange, StageErrors};
use at_shaders::Kernel;

/// `w = (1 + p)·e` or `(1 + n)·e`, plus o, per pair.
struct Pairs {
    /// `(1+p, 1+n, o, 0)` per pair; none where ideal.
    errors: Option<wgpu::Buffer>,
}

impl OnGpu for PhaseChange {
    fn on_gpu(&self, gpu: Gpu, errors: &StageErrors, offset: usize) -> Result<Box<dyn GpuStage>> {
        let context = &gpu.commands.context;
        let errors = match errors.get(["positive", "negative", "offset"]) {
            Some([positive, negative, offset]) => {
                let pairs = positive.iter().zip(negative).zip(offset);
                let pairs: Vec<[f32; 4]> =
                    pairs.map(|((&p, &n), &o)| [1.0 + p, 1.0 + n, o, 0.0].map(|x| x as f32)).collect();
                Some(Vector::pods(context, "pairs of phase-change cells", &pairs)?)
            }
            None => None,
        };
        let (inputs, outputs) = (self.inputs, self.outputs);
        let slopes = Vector::zeros(context, "slopes of weights", outputs * (inputs + 1))?;
        Ok(Box::new(WeightStage::new(gpu, [inputs, outputs], offset, Pairs { errors }, Some(slopes))?))
    }

    fn memory(&self, training: &Training, _: u64) -> OfStage {
        weights::memory(self, training)
    }
}

impl Response for Pairs {
    fn program(
        &self,
        gpu: &Gpu,
        parameters: Parameters,
        controls: &wgpu::Buffer,
        weights: &Vector,
        slopes: Option<&Vector>,
    ) -> Result<()> {
        let slopes = slopes.expect("a crossbar has slopes");
        let parameters = Parameters { has_errors: u32::from(self.errors.is_some()), ..parameters };
        let errors = self.errors.as_ref().unwrap_or(controls);
        let buffers = [controls, errors, &weights.buffer, &slopes.buffer];
        gpu.each(Kernel::PhaseChangeCoefficients, &parameters, &buffers, weights.len)
    }

    /// Each weight has a control of its own.
    fn to_controls(&self, _: &Gpu, _: Parameters, _: &wgpu::Buffer, _: &wgpu::Buffer) -> Result<()> {
        Ok(())
    }
}
