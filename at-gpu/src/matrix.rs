//! A real matrix and bias whose entries are the controls.

use crate::engine::Gpu;
use crate::layout::Weights as Parameters;
use crate::vectors::Vector;
use crate::weights::{Response, WeightStage};
use at_core::Result;
use at_core::chip::StageErrors;
use at_shaders::Kernel;

/// `w = s·c` with the stage's slopes; `w = c` where it has none.
pub(crate) struct Linear;

/// A matrix with its errors, whose controls begin at `offset`.
pub(crate) fn stage(gpu: Gpu, sizes: [usize; 2], errors: &StageErrors, offset: usize) -> Result<WeightStage<Linear>> {
    let slopes = match errors.get(["spread"]) {
        Some([spread]) => {
            let slopes: Vec<f64> = spread.iter().map(|spread| 1.0 + spread).collect();
            Some(Vector::upload(&gpu.commands.context, "slopes of weights", &slopes)?)
        }
        None => None,
    };
    WeightStage::new(gpu, sizes, offset, Linear, slopes)
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
}
