//! The perturbation behind a layer: a full matrix without controls ([`crate::fabrication::perturbation`]).

use super::product::{Matrix, product};
use super::stage::{CpuStage, Recorded, Slopes};
use crate::Real;

/// `y = M x` with a fixed M.
pub struct PerturbationStage<T> {
    width: usize,
    /// M, row-major `[output, input]`.
    matrix: Vec<T>,
}

impl<T: Real> PerturbationStage<T> {
    /// M is `matrix [width, width]`.
    pub fn new(width: usize, matrix: &[f64]) -> Self {
        PerturbationStage { width, matrix: matrix.iter().map(|&entry| T::of(entry)).collect() }
    }

    /// `target ← source Mᵀ` on the way forward, `source M` on the way back.
    fn cross(&self, source: &[T], batch: usize, stride: (usize, usize), target: &mut [T]) {
        let width = self.width;
        let source = Matrix { values: source, rows: batch, columns: width, stride: (width, 1) };
        let matrix = Matrix { values: &self.matrix, rows: width, columns: width, stride };
        product(source, matrix, false, target);
    }
}

impl<T: Real> CpuStage<T> for PerturbationStage<T> {
    fn program(&mut self, _controls: &[T]) {}

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        self.cross(input, batch, (1, self.width), output);
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let Recorded { adjoint, batch, .. } = *pass;
        let Slopes { adjoint_in, .. } = slopes;
        self.cross(adjoint, batch, (self.width, 1), adjoint_in);
    }
}
