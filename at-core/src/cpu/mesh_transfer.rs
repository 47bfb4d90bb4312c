//! A mesh as one matrix: how much light crosses a mesh whose controls stand still.
//!
//! A sample's way through a mesh takes a time that grows with the number of MZIs; its product with the transfer matrix U takes
//! 4·N² multiplications. To find the matrix, N samples have to cross the mesh once per programming: with t and t' the times of a
//! sample through mesh and matrix, that pays from N·ε·t/(t - t') samples on, where ε is the share of the MZIs that such samples, unit
//! fields, meet with their light: 2/3 in a rectangular mesh as deep as wide. It is done at once where one batch is as large, and
//! otherwise as soon as so much light has crossed the mesh since it was programmed; however much comes, all of it then takes at
//! most about twice the least possible time.
//!
//! A recorded batch of B samples x with adjoints a needs no more of the mesh than its N unit fields e_i do:
//!
//! ```text
//! y = U x        ∂L/∂x* = Uᴴ a
//! dL = Σ_b 2 Re(a_bᴴ dU x_b) = Σ_i 2 Re(a'_iᴴ dU e_i)     with  a'_i = Σ_b x*_b[i]·a_b
//! ```
//!
//! so the gradient of the controls is that of N samples e_i with outputs U e_i and adjoints a'_i, and three products take the
//! place of B - N samples through the mesh and back. [`Times`] say when that is less.

use super::memory::Held;
use super::mesh::{self, MeshStage};
use super::mesh_rotated::{self, RotatedMesh};
use super::product::{Matrix, product};
use super::stage::{CpuStage, Kept, OnCpu, Recorded, Slopes};
use crate::optics::Mesh;
use crate::real::SERIAL;
use crate::stage::StageErrors;
use crate::{Real, Result};
use rayon::prelude::*;

/// Products of fewer modes are too small to be fast.
const NARROWEST: usize = 32;

/// Processor time in ns for `f32` and `f64`. Only the ratios count, and they decide when the matrix is used, never what comes
/// out. Measured with AVX-512: docs/results/cpu-engine.md, "Meshes as matrices".
type Times = [f64; 2];

/// One multiplication of a product.
const MULTIPLICATION: Times = [0.0186, 0.037];

/// How a stage takes light through its mesh.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// One sample through one MZI.
    mzi: Times,
    /// It passes over MZIs that no light meets.
    spares_dark: bool,
}

/// As 2x2 matrices. Uneven losses make it slower; the matrix then pays sooner than supposed.
pub const GENERAL: Way = Way { mzi: [0.37, 0.67], spares_dark: false };

/// As rotations.
pub const ROTATIONS: Way = Way { mzi: [0.20, 0.40], spares_dark: true };

/// The way back through a mesh, in ways forward.
const BACKWARD: f64 = 2.5;

/// A mesh stage and, once it pays, its transfer matrix.
pub struct TransferStage<T> {
    mesh: Box<dyn CpuStage<T>>,
    /// Reals per sample.
    width: usize,
    /// Samples after which the matrix pays; none where it never does.
    threshold: Option<usize>,
    /// Samples of a recorded batch from which on the matrix pays, and a batch that is not recorded takes it, too, so that recording changes
    /// no readout; none where it never does.
    record_threshold: Option<usize>,
    /// Samples that have crossed the mesh since it was programmed.
    crossed: usize,
    /// Row-major `[real of the input, real of the output]`; empty until known.
    matrix: Vec<T>,
    units: Units<T>,
}

/// The N unit fields that stand for a batch, where one is carried back.
#[derive(Default)]
struct Units<T> {
    /// `[unit, real]`.
    adjoints: Vec<T>,
    /// `Σ_b x_b a_bᵀ` of reals, `[real of the input, real of the output]`; then room for what leaves the units, and their adjoints on the other side.
    moments: Vec<T>,
}

impl OnCpu for Mesh {
    fn on_cpu<T: Real>(&self, errors: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        Ok(Box::new(match RotatedMesh::new(self, errors)? {
            Some(rotated) => TransferStage::new(self, ROTATIONS, Box::new(rotated)),
            None => TransferStage::new(self, GENERAL, Box::new(MeshStage::new(self, errors)?)),
        }))
    }

    fn bytes(&self, held: &Held) -> usize {
        let general = held.uneven || self.losses_unknown();
        let (precision, way) = (usize::from(held.real == 8), if general { GENERAL } else { ROTATIONS });
        let pays = |threshold: Option<usize>, samples| threshold.is_some_and(|threshold| samples >= threshold);
        let recorded = held.back && pays(record_threshold(self, precision, way), held.batch);
        let matrix = recorded || pays(threshold(self, precision, way, 1.0, 1.0), held.still);
        // the matrix, and where a batch is carried back by it the moments and the units' adjoints
        let squares = 4 * usize::from(matrix) + 6 * usize::from(recorded);
        // where batches do not take the matrix, they cross the mesh whole
        let batch = if recorded { self.modes() } else { held.batch };
        let own = if general { mesh::bytes(self, held, batch) } else { mesh_rotated::bytes(self, held, batch) };
        own.saturating_add(squares.saturating_mul(held.real * self.modes() * self.modes()))
    }
}

impl<T: Real> TransferStage<T> {
    /// Around the stage of `mesh`, which takes light through it this `way`.
    pub fn new(mesh: &Mesh, way: Way, stage: Box<dyn CpuStage<T>>) -> Self {
        let width = 2 * mesh.modes();
        let precision = usize::from(size_of::<T>() == 8);
        TransferStage {
            mesh: stage,
            width,
            threshold: threshold(mesh, precision, way, 1.0, 1.0),
            record_threshold: record_threshold(mesh, precision, way),
            crossed: 0,
            matrix: Vec::new(),
            units: Units::default(),
        }
    }

    /// Sends one unit of light into every mode. With `i` units the outputs are `i` times as much.
    fn find_matrix(&mut self) {
        if !self.matrix.is_empty() {
            return;
        }
        let (width, modes) = (self.width, self.width / 2);
        // the fields stand where the first half of the rows will be, and what leaves where the second half will be
        self.matrix.resize(width * width, T::zero());
        let (fields, outputs) = self.matrix.split_at_mut(modes * width);
        fields.iter_mut().step_by(width + 2).for_each(|unit| *unit = T::one());
        self.mesh.forward_units(fields, modes, outputs);
        for unit in 0..modes {
            // what is written lies in front of all that is still to be read, but for the imaginary row of the last unit, which is its own source
            let (row, output) = (2 * unit * width, (modes + unit) * width);
            self.matrix.copy_within(output..output + width, row);
            let (real, imaginary) = self.matrix[row..row + 2 * width].split_at_mut(width);
            for (turned, field) in imaginary.chunks_exact_mut(2).zip(real.chunks_exact(2)) {
                (turned[0], turned[1]) = (-field[1], field[0]);
            }
        }
    }

    /// `output ← input·U` of `batch` samples.
    fn multiply(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        self.find_matrix();
        let width = self.width;
        let light = Matrix { values: input, rows: batch, columns: width, stride: (width, 1) };
        let matrix = Matrix { values: &self.matrix, rows: width, columns: width, stride: (width, 1) };
        product(light, matrix, false, output);
    }

    /// `adjoint_in ← Uᴴ a` of every sample.
    fn carry_back(&self, adjoint: &[T], batch: usize, adjoint_in: &mut [T]) {
        let width = self.width;
        let adjoints = Matrix { values: adjoint, rows: batch, columns: width, stride: (width, 1) };
        let transposed = Matrix { values: &self.matrix, rows: width, columns: width, stride: (1, width) };
        product(adjoints, transposed, false, adjoint_in);
    }

    /// Fills the units' adjoints from those of a batch.
    fn gather(&mut self, input: &[T], adjoint: &[T], batch: usize) {
        debug_assert!(!self.matrix.is_empty(), "the controls are those of the recorded pass");
        let (width, modes) = (self.width, self.width / 2);
        let Units { adjoints, moments } = &mut self.units;
        moments.resize(width * width, T::zero());
        adjoints.resize(modes * width, T::zero());
        let light = Matrix { values: input, rows: width, columns: batch, stride: (1, width) };
        let errors = Matrix { values: adjoint, rows: batch, columns: width, stride: (width, 1) };
        product(light, errors, false, moments);
        let units = adjoints.par_chunks_exact_mut(width).zip(moments.par_chunks_exact(2 * width));
        units.with_min_len(SERIAL.div_ceil(width)).for_each(|(unit, moments)| {
            let (real, imaginary) = moments.split_at(width);
            let pairs = real.chunks_exact(2).zip(imaginary.chunks_exact(2));
            for (slot, (real, imaginary)) in unit.chunks_exact_mut(2).zip(pairs) {
                (slot[0], slot[1]) = (real[0] + imaginary[1], real[1] - imaginary[0]);
            }
        });
    }
}

/// The samples after which the matrix pays, for light that takes `ways` ways through the mesh or `products` of the matrix.
fn threshold(mesh: &Mesh, precision: usize, way: Way, ways: f64, products: f64) -> Option<usize> {
    let modes = mesh.modes() as f64;
    let crossing = ways * mesh.mzis() as f64 * way.mzi[precision];
    let multiplying = products * 4.0 * modes * modes * MULTIPLICATION[precision];
    let pays = mesh.modes() >= NARROWEST && crossing > multiplying;
    let met = if way.spares_dark && mesh.joins_neighbours() { met_by_units(mesh) } else { 1.0 };
    pays.then(|| (modes * met * crossing / (crossing - multiplying)).ceil() as usize)
}

/// The same for a recorded batch that is carried back.
fn record_threshold(mesh: &Mesh, precision: usize, way: Way) -> Option<usize> {
    let [ahead, back] = [(1.0, 1.0), (1.0 + BACKWARD, 3.0)];
    let of = |(ways, products)| threshold(mesh, precision, way, ways, products);
    Some(of(ahead)?.max(of(back)?))
}

/// The share of a mesh of neighbours that a unit field meets, in the mean over the modes it enters on: in column c of N modes light has
/// come to c further rows on either side, as far as there are any.
fn met_by_units(mesh: &Mesh) -> f64 {
    let columns = mesh.columns().len().max(1);
    let modes = mesh.die_modes() as f64;
    let reached = |column: usize| {
        let x = ((column as f64 + 0.5) / modes).min(1.0);
        x * (2.0 - x)
    };
    (0..columns).map(reached).sum::<f64>() / (columns * mesh.dies()) as f64
}

impl<T: Real> CpuStage<T> for TransferStage<T> {
    fn program(&mut self, controls: &[T]) {
        self.mesh.program(controls);
        self.crossed = 0;
        self.matrix.clear();
    }

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        let pays = self.threshold.is_some_and(|threshold| self.crossed.max(batch) >= threshold);
        if pays || !self.matrix.is_empty() {
            return self.multiply(input, batch, output);
        }
        self.crossed = self.crossed.saturating_add(batch);
        self.mesh.forward(input, batch, output);
    }

    fn record(&mut self, input: &[T], batch: usize, output: &mut [T], kept: &mut Kept<T>) {
        kept.by_matrix = self.record_threshold.is_some_and(|threshold| batch >= threshold);
        if kept.by_matrix {
            self.multiply(input, batch, output);
        } else {
            self.mesh.record(input, batch, output, kept);
        }
    }

    fn reads_input(&self, kept: &Kept<T>) -> bool {
        kept.by_matrix || self.mesh.reads_input(kept)
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let Recorded { input, adjoint, batch, kept, .. } = *pass;
        if !kept.by_matrix {
            return self.mesh.backward(pass, slopes);
        }
        self.gather(input, adjoint, batch);
        if slopes.all_the_way {
            self.carry_back(adjoint, batch, slopes.adjoint_in);
        }
        let (width, modes) = (self.width, self.width / 2);
        let Units { adjoints, moments } = &mut self.units;
        let (outputs, adjoints_in) = moments.split_at_mut(modes * width);
        for (output, rows) in outputs.chunks_exact_mut(width).zip(self.matrix.chunks_exact(2 * width)) {
            output.copy_from_slice(&rows[..width]);
        }
        debug_assert!(!self.mesh.reads_input(kept), "the units' fields are not kept");
        let units = Recorded { input: outputs, output: outputs, adjoint: adjoints, batch: modes, kept };
        self.mesh.backward_units(&units, Slopes { adjoint_in: adjoints_in, all_the_way: false, ..slopes });
    }

    fn as_mesh(&mut self) -> Option<&mut MeshStage<T>> {
        self.mesh.as_mesh()
    }

    fn set_imperfections(&mut self, estimate: &[T]) {
        self.mesh.set_imperfections(estimate);
    }
}

#[cfg(test)]
#[path = "mesh_transfer_tests.rs"]
mod tests;
