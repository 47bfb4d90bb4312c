//! A mesh compiled to one matrix: for batches larger than the mesh.
//!
//! The identity is sent through once (N samples); then `y = U x` and `a_x = U^H a_y` are matrix products for any batch. Phase gradients
//! depend on the batch only through `K = Σ a y^H`, so N samples with the rows of the identity as fields and those of K as adjoints
//! stand for it on the way back through the mesh.

use super::blocks::WIDTH;
use super::layout::{BlockGram, BlockProduct, Identity};
use super::optics::{MeshOptics, StateOrder};
use crate::scratch::{Scratch, Slot};
use crate::sums::Sum;
use crate::vectors::count;
use at_core::Result;
use at_core::optics::Mesh;
use at_shaders::Kernel;
use std::cell::{Cell, OnceCell};

/// Samples of a product's workgroup, and of a chunk of the products of fields and adjoints.
const ROWS: usize = 128;
const CHUNK: usize = 256;

/// Workgroups that those products are cut into.
const BUSY: usize = 256;

/// The matrix of a mesh at its programmed controls, output phases and losses included.
pub(crate) struct WholeMatrix {
    matrix: OnceCell<wgpu::Buffer>,
    known: Cell<bool>,
}

impl WholeMatrix {
    /// No matrix is made before it is needed.
    pub fn new() -> Self {
        WholeMatrix { matrix: OnceCell::new(), known: Cell::new(false) }
    }

    /// The controls have changed.
    pub fn forget(&self) {
        self.known.set(false);
    }

    /// Bytes of the matrix.
    pub fn bytes(mesh: &Mesh) -> u64 {
        8 * (mesh.modes() as u64).pow(2)
    }

    /// The matrix, made by `through` where it is not that of the present controls: it sends the samples of its first argument to
    /// its second, with the third between.
    pub fn matrix(
        &self,
        optics: &MeshOptics,
        scratch: &Scratch,
        through: impl FnOnce(&wgpu::Buffer, &wgpu::Buffer, &wgpu::Buffer) -> Result<()>,
    ) -> Result<&wgpu::Buffer> {
        let matrix = match self.matrix.get() {
            Some(matrix) => matrix,
            None => {
                let usage = wgpu::BufferUsages::STORAGE;
                let made = optics.gpu.commands.context.buffer("matrix of a mesh", Self::bytes(&optics.mesh), usage)?;
                self.matrix.get_or_init(|| made)
            }
        };
        if !self.known.get() {
            let size = optics.mesh.modes();
            let rows = scratch.get(Slot::Identity);
            identity(optics, rows, StateOrder::Stacked)?;
            debug_assert!(size > 0);
            through(rows, matrix, scratch.get(Slot::Fields))?;
            self.known.set(true);
        }
        Ok(matrix)
    }

    /// Memory beside that of N samples on their way through the mesh.
    pub fn needs(optics: &MeshOptics, batch: usize, backward: bool) -> Vec<(Slot, u64)> {
        let modes = optics.mesh.modes() as u64;
        let mut needs = vec![(Slot::Identity, 8 * modes * modes)];
        if backward {
            needs.push((Slot::StatesA, 16 * batch as u64 * modes));
            needs.push((Slot::Gram, 8 * chunks(optics, batch) as u64 * modes * modes));
        }
        needs
    }

    /// `target ← source Uᵀ`, or with `adjoint` `source conj(U)`: every row is a sample.
    pub fn multiply(
        optics: &MeshOptics,
        matrix: &wgpu::Buffer,
        source: &wgpu::Buffer,
        batch: usize,
        adjoint: bool,
        target: &wgpu::Buffer,
    ) -> Result<()> {
        let modes = optics.mesh.modes();
        let parameters = BlockProduct {
            rows: count(batch)?,
            split: if adjoint { 0 } else { count(batch)? },
            modes: count(modes)?,
            inner: count(modes)?,
            in_first: 0,
            in_step: 0,
            out_first: 0,
            windows: count(modes.div_ceil(WIDTH))?,
            matrix_step: 0,
            matrix_out_step: WIDTH as u32,
            stride: count(modes)?,
            finish: 0,
        };
        let pipeline = optics.gpu.commands.pipeline(Kernel::MeshBlockProduct, &[])?;
        let buffers = [source, matrix, matrix, &optics.factors, target];
        let groups = modes.div_ceil(WIDTH) * batch.div_ceil(ROWS);
        optics.gpu.commands.dispatch(&pipeline, &parameters, &buffers, groups)
    }

    /// From the stacked states of a batch in `scratch`'s [`Slot::StatesA`] to the N that stand for them, there too.
    pub fn compress(optics: &MeshOptics, batch: usize, order: StateOrder, scratch: &Scratch) -> Result<()> {
        let modes = optics.mesh.modes();
        let chunks = chunks(optics, batch);
        let parameters = BlockGram {
            samples: count(batch)?,
            modes: count(modes)?,
            chunks: count(chunks)?,
            chunk: count(batch.div_ceil(chunks))?,
            first: 0,
            windows: count(modes.div_ceil(WIDTH).pow(2))?,
            whole: 1,
        };
        let pipeline = optics.gpu.commands.pipeline(Kernel::MeshBlockGram, &[])?;
        let (states, gram) = (scratch.get(Slot::StatesA), scratch.get(Slot::Gram));
        let groups = modes.div_ceil(WIDTH).pow(2) * chunks;
        optics.gpu.commands.dispatch(&pipeline, &parameters, &[states, gram], groups)?;
        identity(optics, states, order)?;
        let (stride, second) = order.places(modes * modes);
        Sum {
            source: gram,
            rows: chunks,
            columns: 2 * modes * modes,
            stride: 2 * modes * modes,
            factors: None,
            scale: 1.0,
            target: states,
            offset: 2 * second,
        }
        .record_spread(&optics.gpu, stride)
    }
}

/// Chunks of the batch whose products are summed apart, so that a small mesh keeps the device busy too.
fn chunks(optics: &MeshOptics, batch: usize) -> usize {
    let windows = optics.mesh.modes().div_ceil(WIDTH).pow(2);
    batch.div_ceil(CHUNK).min((BUSY / windows).max(1))
}

fn identity(optics: &MeshOptics, fields: &wgpu::Buffer, order: StateOrder) -> Result<()> {
    let size = optics.mesh.modes();
    let (stride, _) = order.places(size * size);
    let parameters = Identity { size: count(size)?, stride: count(stride)? };
    optics.gpu.each(Kernel::Identity, &parameters, &[fields], size * size)
}
