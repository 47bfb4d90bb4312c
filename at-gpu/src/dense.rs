//! Weight matrices: the distorted matrix and the weight bank differ only in how a weight follows its control.

use crate::engine::Gpu;
use crate::layout::Dense;
use crate::product::{Afterwards, Product, View};
use crate::scratch::{Needs, Scratch};
use crate::stage::{Backward, GpuStage};
use crate::sums::Sum;
use crate::vectors::{Vector, count};
use at_core::Result;
use at_core::chip::StageErrors;
use at_shaders::Kernel;

/// `y = W x + b` with every weight and bias a function of its own control.
pub(crate) struct DenseStage {
    gpu: Gpu,
    inputs: usize,
    outputs: usize,
    offset: usize,
    bank: bool,
    /// `(1+a, 1+s, o, 0)` per cell of a bank; empty where ideal.
    cells: Option<wgpu::Buffer>,
    /// Effective `[W row-major [output, input], b]`.
    weights: Vector,
    /// d(weight)/d(control) of every weight; none where all are 1.
    slopes: Option<Vector>,
}

impl DenseStage {
    /// The matrix of the published demonstration.
    pub fn matrix(gpu: Gpu, inputs: usize, outputs: usize, errors: &StageErrors, offset: usize) -> Result<Self> {
        let slopes = match errors.get(["spread"]) {
            Some([spread]) => {
                let slopes: Vec<f64> = spread.iter().map(|spread| 1.0 + spread).collect();
                Some(Vector::upload(&gpu.commands.context, "slopes of weights", &slopes)?)
            }
            None => None,
        };
        Self::new(gpu, inputs, outputs, offset, false, None, slopes)
    }

    /// A bank of balanced MZI cells.
    pub fn weight_bank(gpu: Gpu, inputs: usize, outputs: usize, errors: &StageErrors, offset: usize) -> Result<Self> {
        let context = &gpu.commands.context;
        let cells = match errors.get(["amplitude", "slope", "offset"]) {
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
        let slopes = Vector::zeros(context, "slopes of weights", outputs * (inputs + 1))?;
        Self::new(gpu, inputs, outputs, offset, true, cells, Some(slopes))
    }

    fn new(
        gpu: Gpu,
        inputs: usize,
        outputs: usize,
        offset: usize,
        bank: bool,
        cells: Option<wgpu::Buffer>,
        slopes: Option<Vector>,
    ) -> Result<Self> {
        let weights = Vector::zeros(&gpu.commands.context, "weights", outputs * (inputs + 1))?;
        Ok(DenseStage { gpu, inputs, outputs, offset, bank, cells, weights, slopes })
    }
}

impl GpuStage for DenseStage {
    fn program(&self, controls: &wgpu::Buffer) -> Result<()> {
        let weights = &self.weights.buffer;
        let mut parameters = Dense { len: count(self.weights.len)?, offset: count(self.offset)?, has_errors: 0 };
        match (&self.slopes, self.bank) {
            (Some(slopes), true) => {
                parameters.has_errors = u32::from(self.cells.is_some());
                let cells = self.cells.as_ref().unwrap_or(controls);
                let buffers = [controls, cells, weights, &slopes.buffer];
                self.gpu.each(Kernel::WeightBankCoefficients, &parameters, &buffers, self.weights.len)
            }
            (slopes, _) => {
                parameters.has_errors = u32::from(slopes.is_some());
                let slopes = slopes.as_ref().map_or(controls, |slopes| &slopes.buffer);
                let buffers = [controls, slopes, weights];
                self.gpu.each(Kernel::MatrixCoefficients, &parameters, &buffers, self.weights.len)
            }
        }
    }

    fn needs(&self, _batch: usize, _backward: bool) -> Needs {
        Needs::default()
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, _: &Scratch) -> Result<()> {
        let weights = &self.weights.buffer;
        Product {
            a: View { buffer: input, row: self.inputs, column: 1 },
            b: View { buffer: weights, row: 1, column: self.inputs },
            sizes: [batch, self.inputs, self.outputs],
            afterwards: Afterwards::AddRow(weights, self.inputs * self.outputs),
            target: output,
            offset: 0,
        }
        .record(&self.gpu)
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        let (inputs, outputs, batch) = (self.inputs, self.outputs, pass.batch);
        Product {
            a: View { buffer: pass.adjoint, row: outputs, column: 1 },
            b: View { buffer: &self.weights.buffer, row: inputs, column: 1 },
            sizes: [batch, outputs, inputs],
            afterwards: Afterwards::Nothing,
            target: pass.adjoint_in,
            offset: 0,
        }
        .record(&self.gpu)?;
        let slopes = self.slopes.as_ref().map(|slopes| &slopes.buffer);
        Product {
            a: View { buffer: pass.adjoint, row: 1, column: outputs },
            b: View { buffer: pass.input, row: inputs, column: 1 },
            sizes: [outputs, batch, inputs],
            afterwards: slopes.map_or(Afterwards::Nothing, Afterwards::Multiply),
            target: pass.gradient,
            offset: self.offset,
        }
        .record(&self.gpu)?;
        Sum {
            source: pass.adjoint,
            rows: batch,
            columns: outputs,
            stride: outputs,
            factors: slopes.map(|slopes| (slopes, inputs * outputs)),
            scale: 1.0,
            target: pass.gradient,
            offset: self.offset + inputs * outputs,
        }
        .record(&self.gpu)
    }
}
