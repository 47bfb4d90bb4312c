//! A mesh as one matrix: how an evaluation sends many batches through a mesh whose controls stand still.
//!
//! A sample's way through a mesh takes a time that grows with the number of MZIs; its product with the transfer matrix takes
//! 4·N² multiplications. To find the matrix, N samples have to cross the mesh once per programming. That is done as soon as so
//! much light has crossed the mesh since it was programmed that it would have paid: with t and t' the times of a sample through
//! mesh and matrix, after N·t/(t - t') samples. However much light comes, all of it then takes at most about twice the least
//! possible time.
//!
//! The first light after a programming always crosses the mesh itself, and so does recorded light. Training, which programs for
//! every batch, never sees the matrix.

use super::mesh::MeshStage;
use super::product::{Matrix, product};
use super::stage::{CpuStage, Kept};
use crate::Real;
use crate::optics::Mesh;

/// Products of fewer modes are too small to be fast.
const NARROWEST: usize = 32;

/// Processor time in ns for `f32` and `f64`. Only the ratios count, and they decide when the matrix is used, never what comes
/// out. Measured on one core of a Xeon with AVX-512: docs/results.md, "Meshes as matrices".
type Times = [f64; 2];

/// One multiplication of a product.
const MULTIPLICATION: Times = [0.013, 0.022];

/// One sample through one MZI with couplers of its own. Uneven losses make it slower; the matrix then pays sooner than supposed.
pub const GENERAL_MZI: Times = [0.37, 0.67];

/// One sample through one ideal MZI.
pub const IDEAL_MZI: Times = [0.25, 0.40];

/// A mesh stage and, once it pays, its transfer matrix.
pub struct TransferStage<T> {
    mesh: Box<dyn CpuStage<T>>,
    /// Reals per sample.
    width: usize,
    /// Samples after which the matrix pays; none where it never does.
    threshold: Option<usize>,
    /// Samples that have crossed the mesh since it was programmed.
    crossed: usize,
    /// Row-major `[real of the input, real of the output]`; empty until known.
    matrix: Vec<T>,
}

impl<T: Real> TransferStage<T> {
    /// Around the stage of `mesh`, one MZI of which takes `mzi`.
    pub fn new(mesh: &Mesh, mzi: Times, stage: Box<dyn CpuStage<T>>) -> Self {
        let width = 2 * mesh.modes();
        let threshold = threshold(mesh, usize::from(size_of::<T>() == 8), mzi);
        TransferStage { mesh: stage, width, threshold, crossed: 0, matrix: Vec::new() }
    }

    /// Sends one unit of light into every mode. With `i` units the outputs are `i` times as much.
    fn find_matrix(&mut self) {
        let width = self.width;
        let modes = width / 2;
        let mut light = vec![T::zero(); modes * width];
        light.iter_mut().step_by(width + 2).for_each(|unit| *unit = T::one());
        let mut outputs = vec![T::zero(); modes * width];
        self.mesh.forward(&light, modes, &mut outputs);
        self.matrix.resize(width * width, T::zero());
        for (rows, output) in self.matrix.chunks_exact_mut(2 * width).zip(outputs.chunks_exact(width)) {
            let (real, imaginary) = rows.split_at_mut(width);
            real.copy_from_slice(output);
            for (turned, field) in imaginary.chunks_exact_mut(2).zip(output.chunks_exact(2)) {
                (turned[0], turned[1]) = (-field[1], field[0]);
            }
        }
    }
}

/// The samples after which the matrix pays.
fn threshold(mesh: &Mesh, precision: usize, mzi: Times) -> Option<usize> {
    let modes = mesh.modes() as f64;
    let (crossing, multiplying) =
        (mesh.mzis() as f64 * mzi[precision], 4.0 * modes * modes * MULTIPLICATION[precision]);
    let pays = mesh.modes() >= NARROWEST && crossing > multiplying;
    pays.then(|| (modes * crossing / (crossing - multiplying)).ceil() as usize)
}

impl<T: Real> CpuStage<T> for TransferStage<T> {
    fn program(&mut self, controls: &[T]) {
        self.mesh.program(controls);
        self.crossed = 0;
        self.matrix.clear();
    }

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        if self.threshold.is_none_or(|threshold| self.crossed < threshold) {
            self.crossed = self.crossed.saturating_add(batch);
            return self.mesh.forward(input, batch, output);
        }
        if self.matrix.is_empty() {
            self.find_matrix();
        }
        let width = self.width;
        let light = Matrix { values: input, rows: batch, columns: width, stride: (width, 1) };
        let matrix = Matrix { values: &self.matrix, rows: width, columns: width, stride: (width, 1) };
        product(light, matrix, false, output);
    }

    fn record(&mut self, input: &[T], batch: usize, output: &mut [T], kept: &mut Kept<T>) {
        self.mesh.record(input, batch, output, kept);
    }

    fn reads_input(&self, kept: &Kept<T>) -> bool {
        self.mesh.reads_input(kept)
    }

    fn backward(
        &mut self,
        input: &[T],
        output: &[T],
        adjoint: &[T],
        batch: usize,
        kept: &Kept<T>,
        adjoint_in: &mut [T],
        gradient: &mut [T],
    ) {
        self.mesh.backward(input, output, adjoint, batch, kept, adjoint_in, gradient);
    }

    fn backward_to_controls(
        &mut self,
        input: &[T],
        output: &[T],
        adjoint: &[T],
        batch: usize,
        kept: &Kept<T>,
        adjoint_in: &mut [T],
        gradient: &mut [T],
    ) {
        self.mesh.backward_to_controls(input, output, adjoint, batch, kept, adjoint_in, gradient);
    }

    fn as_mesh(&mut self) -> Option<&mut MeshStage<T>> {
        self.mesh.as_mesh()
    }

    fn set_imperfections(&mut self, estimate: &[T]) {
        self.mesh.set_imperfections(estimate);
    }

    fn backward_imperfections(
        &mut self,
        input: &[T],
        output: &[T],
        adjoint: &[T],
        batch: usize,
        kept: &Kept<T>,
        adjoint_in: &mut [T],
        gradient: &mut [T],
        imperfection_gradient: &mut [T],
    ) {
        let mesh = &mut self.mesh;
        mesh.backward_imperfections(input, output, adjoint, batch, kept, adjoint_in, gradient, imperfection_gradient);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chip::Imperfections;
    use crate::network::{Detection, Network, Stage};

    const MODES: usize = 35;
    const BATCH: usize = 21;
    const LOSSY: Imperfections =
        Imperfections { splitter_angle: 0.1, phase: 0.3, loss_db: 0.05, loss_spread_db: 0.02, ..Imperfections::NONE };

    fn some<T: Real>(count: usize, step: f64) -> Vec<T> {
        (0..count).map(|k| T::of((step * (k + 1) as f64).sin())).collect()
    }

    fn stage<T: Real>(mesh: &Mesh) -> (TransferStage<T>, MeshStage<T>) {
        let detection = Stage::Detection { modes: MODES, detection: Detection::Intensity };
        let network = Network::new(vec![vec![Stage::Mesh(mesh.clone()), detection]]).unwrap();
        let fabrication = LOSSY.fabricate(&network, 3).unwrap();
        let build = || MeshStage::new(mesh, fabrication.stage(0)).unwrap();
        (TransferStage::new(mesh, GENERAL_MZI, Box::new(build())), build())
    }

    /// Light before the switch, at it and behind it, for two programmings.
    fn agrees<T: Real>(tolerance: f64) {
        let mesh = Mesh::truncated(MODES, 3 * MODES).unwrap();
        let (mut transfer, mut plain) = stage::<T>(&mesh);
        let threshold = transfer.threshold.expect("a deep mesh pays");
        let light = some::<T>(BATCH * 2 * MODES, 0.77);
        let [mut got, mut expected] = [(); 2].map(|()| vec![T::nan(); BATCH * 2 * MODES]);
        for step in [0.37, 0.59] {
            let controls = some::<T>(mesh.controls(), step);
            transfer.program(&controls);
            plain.program(&controls);
            plain.forward(&light, BATCH, &mut expected);
            for crossed in (0..threshold + 3 * BATCH).step_by(BATCH) {
                transfer.forward(&light, BATCH, &mut got);
                assert_eq!(transfer.matrix.is_empty(), crossed < threshold, "after {crossed} of {threshold} samples");
                if crossed < threshold {
                    assert_eq!(got, expected);
                }
                for (got, expected) in got.iter().zip(&expected) {
                    assert!((*got - *expected).abs().wide() < tolerance, "{got} instead of {expected}");
                }
            }
            // recording crosses the mesh even now
            transfer.record(&light, BATCH, &mut got, &mut Kept::default());
            assert_eq!(got, expected);
        }
    }

    #[test]
    fn the_matrix_changes_nothing_but_rounding() {
        agrees::<f64>(1e-13);
        agrees::<f32>(1e-4);
    }

    #[test]
    fn shallow_and_narrow_meshes_stay_meshes() {
        assert!(stage::<f32>(&Mesh::truncated(MODES, 2).unwrap()).0.threshold.is_none());
        assert!(threshold(&Mesh::truncated(NARROWEST - 2, 200).unwrap(), 0, GENERAL_MZI).is_none());
    }
}
