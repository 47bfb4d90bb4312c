//! The perturbation behind a layer: a full matrix without controls ([`at_core::fabrication::perturbation`]).

use crate::engine::Gpu;
use crate::product::{Afterwards, Product, View};
use crate::scratch::{Needs, Scratch};
use crate::stage::{Backward, GpuStage};
use crate::vectors::Vector;
use at_core::Result;

/// `y = M x` with a fixed M.
pub(crate) struct PerturbationStage {
    gpu: Gpu,
    width: usize,
    /// M, row-major `[output, input]`.
    matrix: Vector,
}

impl PerturbationStage {
    /// M is `matrix [width, width]`.
    pub fn new(gpu: Gpu, width: usize, matrix: &[f64]) -> Result<Self> {
        let matrix = Vector::upload(&gpu.commands.context, "perturbation", matrix)?;
        Ok(PerturbationStage { gpu, width, matrix })
    }

    /// `target ← source Mᵀ` on the way forward, `source M` on the way back.
    fn cross(
        &self,
        source: &wgpu::Buffer,
        batch: usize,
        (row, column): (usize, usize),
        target: &wgpu::Buffer,
    ) -> Result<()> {
        Product {
            a: View { buffer: source, row: self.width, column: 1 },
            b: View { buffer: &self.matrix.buffer, row, column },
            sizes: [batch, self.width, self.width],
            afterwards: Afterwards::Nothing,
            target,
            offset: 0,
        }
        .record(&self.gpu)
    }
}

impl GpuStage for PerturbationStage {
    fn program(&self, _controls: &wgpu::Buffer) -> Result<()> {
        Ok(())
    }

    fn needs(&self, _batch: usize, _backward: bool) -> Needs {
        Needs::default()
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, _: &Scratch) -> Result<()> {
        self.cross(input, batch, (1, self.width), output)
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        self.cross(pass.adjoint, pass.batch, (self.width, 1), pass.adjoint_in)
    }
}
