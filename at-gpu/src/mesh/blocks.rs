//! A mesh as blocks of columns and modes, each compiled to a small matrix: light crosses them as matrix products.
//!
//! A block of 32 x 32 MZIs is a diamond over 64 modes (shaders/common/mesh_blocks.wgsl). As a 64 x 64 matrix it costs 32·32² operations
//! per sample instead of 28·32² column by column, at the speed of a matrix product, and fields go to memory once per 32 columns.
//! On the way back a block needs the product of fields and adjoints over the batch (16·64² per sample) instead of single samples.

use super::layout::{BlockGram, BlockProduct, MeshBlocks};
use super::optics::{MeshOptics, StateOrder};
use super::passes::Ends;
use crate::commands::Span;
use crate::scratch::{Scratch, Slot};
use crate::vectors::count;
use at_core::Result;
use at_core::optics::Mesh;
use at_shaders::Kernel;
use std::cell::{Cell, OnceCell};
use std::ops::Range;

/// Modes of a window, and MZIs along a block's edge.
pub(crate) const WIDTH: usize = 64;
const HALF: usize = 32;

/// Samples of a product's workgroup.
const ROWS: usize = 128;

/// Workgroups that the products of fields and adjoints are cut into: two for every multiprocessor of a large GPU.
const BUSY: usize = 256;

/// Samples of a chunk are at least so many: its sums are written and read once per chunk.
const CHUNK: usize = 64;

/// Bytes of a block's matrix, of its phase gradients before their sums, and MZI places.
const MATRIX: usize = 8 * WIDTH * WIDTH;
const PARTIAL: usize = 8 * 2 * 4 * HALF * HALF;
const PLACES: usize = HALF * HALF;

/// Phase gradients and products of blocks take at most so many bytes at once, unless one level needs more.
const GRADIENT_BYTES: usize = 64 << 20;

/// How states lie between the levels.
pub(crate) const ORDER: StateOrder = StateOrder::Stacked;

/// The blocks of a mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Blocks {
    /// Levels -1, 0, …: one more than the first number that is not used.
    levels: usize,
    /// Windows side by side; levels of one parity can have one fewer.
    pub windows: usize,
}

impl Blocks {
    /// The blocks that cover `modes` and `columns`.
    pub fn of(mesh: &Mesh) -> Self {
        let (modes, columns) = (mesh.modes(), mesh.columns().len());
        let most = (modes - 2) / HALF + 1;
        Blocks { levels: (columns - 1) / HALF + 2, windows: most.div_ceil(2) + 1 }
    }

    /// Bytes that the blocks of one level take at least where their gradients are summed.
    pub fn bytes_of_a_level(&self) -> u64 {
        (self.windows * PARTIAL) as u64
    }

    /// Entries of all matrices.
    pub fn entries(&self) -> usize {
        self.levels * self.windows * WIDTH * WIDTH
    }

    /// Levels, in the order of light.
    pub fn levels(&self) -> usize {
        self.levels
    }

    /// First mode of the first window of level number `index`.
    fn low(index: usize) -> i32 {
        // Level index - 1: an odd one begins a window aside.
        let diagonal = if index.is_multiple_of(2) { -1 } else { 0 };
        (diagonal * HALF as i32) - (HALF as i32 - 1)
    }

    /// Columns that the blocks of these levels touch.
    fn columns(levels: &Range<usize>, columns: usize) -> Range<usize> {
        let start = (levels.start.max(1) - 1) * HALF;
        start.min(columns)..((levels.end + 1) * HALF).saturating_sub(HALF + 1).min(columns).max(start.min(columns))
    }
}

/// The matrices of a mesh's blocks at its programmed controls.
pub(crate) struct BlockMatrices {
    blocks: Blocks,
    direct: OnceCell<wgpu::Buffer>,
    inverse: OnceCell<wgpu::Buffer>,
    /// Which of them are those of the present controls.
    direct_known: Cell<bool>,
    inverse_known: Cell<bool>,
}

impl BlockMatrices {
    /// No matrix is made before it is needed.
    pub fn new(mesh: &Mesh) -> Self {
        BlockMatrices {
            blocks: Blocks::of(mesh),
            direct: OnceCell::new(),
            inverse: OnceCell::new(),
            direct_known: Cell::new(false),
            inverse_known: Cell::new(false),
        }
    }

    /// The controls have changed.
    pub fn forget(&self) {
        self.direct_known.set(false);
        self.inverse_known.set(false);
    }

    /// Bytes of one set of matrices.
    pub fn bytes(mesh: &Mesh) -> u64 {
        let blocks = Blocks::of(mesh);
        (MATRIX * blocks.levels * blocks.windows) as u64
    }

    /// Levels whose blocks' columns, matrices and gradients can be bound together, at most `most` at a time.
    fn parts(&self, optics: &MeshOptics, most: usize) -> Vec<Range<usize>> {
        let binding = optics.gpu.commands.context.limits.max_storage_buffer_binding_size as usize;
        let modes = optics.mesh.modes();
        let columns = (optics.mzis_at_once() / modes.div_ceil(2).max(1)).min(optics.columns_at_once()) / HALF;
        let longest = (binding / (MATRIX * self.blocks.windows)).min(columns.saturating_sub(1)).min(most).max(1);
        let levels = self.blocks.levels;
        (0..levels).step_by(longest).map(|first| first..levels.min(first + longest)).collect()
    }

    fn parameters(&self, optics: &MeshOptics, levels: &Range<usize>) -> Result<(MeshBlocks, Range<usize>)> {
        let columns = Blocks::columns(levels, optics.mesh.columns().len());
        let spans = optics.spans(&columns);
        let parameters = MeshBlocks {
            modes: count(optics.mesh.modes())?,
            columns: count(optics.mesh.columns().len())?,
            first_level: levels.start as i32 - 1,
            per_level: count(self.blocks.windows)?,
            unbalanced: u32::from(optics.unbalanced()),
            inverse: 0,
            base_mzi: count(spans.base_mzi)?,
            base_imbalance: count(spans.base_imbalance)?,
            coupler_stride: count(optics.coupler_stride)?,
            chunks: 0,
            mzis: count(optics.mesh.mzis())?,
            offset: count(optics.offset)?,
            dies: count(optics.mesh.dies())?,
        };
        Ok((parameters, columns))
    }

    fn span<'a>(&self, buffer: &'a wgpu::Buffer, levels: &Range<usize>) -> Span<'a> {
        let level = (MATRIX * self.blocks.windows) as u64;
        Span { buffer, start: level * levels.start as u64, bytes: Some(level * levels.len() as u64) }
    }

    /// The matrices, made where they are not those of the present controls.
    fn matrices(&self, optics: &MeshOptics, inverse: bool) -> Result<&wgpu::Buffer> {
        let (cell, known) =
            if inverse { (&self.inverse, &self.inverse_known) } else { (&self.direct, &self.direct_known) };
        let buffer = match cell.get() {
            Some(buffer) => buffer,
            None => {
                let usage = wgpu::BufferUsages::STORAGE;
                let bytes = Self::bytes(&optics.mesh);
                let made = optics.gpu.commands.context.buffer_in_parts("matrices of a mesh's blocks", bytes, usage)?;
                cell.get_or_init(|| made)
            }
        };
        if !known.get() {
            let commands = &optics.gpu.commands;
            let pipeline = commands.pipeline(Kernel::MeshBlockMatrices, &[])?;
            for levels in self.parts(optics, usize::MAX) {
                let (parameters, columns) = self.parameters(optics, &levels)?;
                let parameters = MeshBlocks { inverse: u32::from(inverse), ..parameters };
                let spans = optics.spans(&columns);
                let target = self.span(buffer, &levels);
                let buffers = [(&optics.columns).into(), spans.coefficients, spans.imbalance, target];
                commands.dispatch(&pipeline, &parameters, &buffers, 4 * self.blocks.windows * levels.len())?;
            }
            known.set(true);
        }
        Ok(buffer)
    }

    /// The mesh's output, its output factors included.
    pub fn forward(&self, optics: &MeshOptics, batch: usize, ends: Ends) -> Result<()> {
        let commands = &optics.gpu.commands;
        let matrices = self.matrices(optics, false)?;
        let pipeline = commands.pipeline(Kernel::MeshBlockProduct, &[])?;
        let levels = self.blocks.levels;
        ends.in_turn(levels, |level, before, after| {
            let finish = u32::from(level + 1 == levels);
            let parameters = BlockProduct { finish, ..self.product(optics, level, batch, batch)? };
            let matrix = self.span(matrices, &(level..level + 1));
            let buffers = [before.into(), matrix, matrix, (&optics.factors).into(), after.into()];
            commands.dispatch(&pipeline, &parameters, &buffers, self.blocks.windows * batch.div_ceil(ROWS))
        })
    }

    fn product(&self, optics: &MeshOptics, level: usize, rows: usize, split: usize) -> Result<BlockProduct> {
        Ok(BlockProduct {
            rows: count(rows)?,
            split: count(split)?,
            modes: count(optics.mesh.modes())?,
            inner: WIDTH as u32,
            in_first: Blocks::low(level),
            in_step: WIDTH as i32,
            out_first: Blocks::low(level),
            windows: count(self.blocks.windows)?,
            matrix_step: (WIDTH * WIDTH) as u32,
            matrix_out_step: 0,
            stride: WIDTH as u32,
            finish: 0,
        })
    }

    /// Levels whose gradients are summed together, and chunks of the batch.
    fn gradient_plan(&self, optics: &MeshOptics, batch: usize) -> (usize, usize) {
        let binding = optics.gpu.commands.context.limits.max_storage_buffer_binding_size as usize;
        let chunks = batch.div_ceil(CHUNK).min((BUSY / self.blocks.windows).max(1));
        let level = self.blocks.windows * (chunks * MATRIX).max(PARTIAL);
        ((GRADIENT_BYTES.min(binding) / level).max(1), chunks)
    }

    /// Memory for a batch, on the way forward or on both ways.
    pub fn needs(optics: &MeshOptics, batch: usize, backward: bool) -> Vec<(Slot, u64)> {
        let fields = (batch * optics.mesh.modes()) as u64;
        let mut needs = vec![(Slot::Fields, 8 * fields)];
        if backward {
            let matrices = BlockMatrices::new(&optics.mesh);
            let (most, chunks) = matrices.gradient_plan(optics, batch);
            let levels = matrices.parts(optics, most).iter().map(ExactSizeIterator::len).max().unwrap_or(1);
            let blocks = (levels * matrices.blocks.windows) as u64;
            needs.push((Slot::StatesA, 16 * fields));
            needs.push((Slot::StatesB, 16 * fields));
            needs.push((Slot::Gram, blocks * (chunks * MATRIX) as u64));
            needs.push((Slot::Partial, blocks * PARTIAL as u64));
        }
        needs
    }

    /// Carries `states[0]` back to the mesh's input, with the gradients of θ and φ; gives the buffer that holds them then.
    pub fn backward<'a>(
        &self,
        optics: &MeshOptics,
        mut states: [&'a wgpu::Buffer; 2],
        batch: usize,
        gradient: &wgpu::Buffer,
        scratch: &Scratch,
    ) -> Result<&'a wgpu::Buffer> {
        let commands = &optics.gpu.commands;
        let adjoint = self.matrices(optics, false)?;
        // Without imbalance the inverse is the adjoint.
        let (inverse, split) = if optics.unbalanced() { (self.matrices(optics, true)?, batch) } else { (adjoint, 0) };
        let products = commands.pipeline(Kernel::MeshBlockProduct, &[])?;
        let grams = commands.pipeline(Kernel::MeshBlockGram, &[])?;
        let gradients = commands.pipeline(Kernel::MeshBlockGradient, &[])?;
        let (gram, partial) = (scratch.get(Slot::Gram), scratch.get(Slot::Partial));
        let (most, chunks) = self.gradient_plan(optics, batch);
        let windows = self.blocks.windows;
        for levels in self.parts(optics, most).into_iter().rev() {
            for level in levels.clone().rev() {
                let parameters = BlockGram {
                    samples: count(batch)?,
                    modes: count(optics.mesh.modes())?,
                    chunks: count(chunks)?,
                    chunk: count(batch.div_ceil(chunks))?,
                    first: Blocks::low(level),
                    windows: count(windows)?,
                    whole: 0,
                };
                let bytes = (windows * chunks * MATRIX) as u64;
                let start = bytes * (level - levels.start) as u64;
                let sums = Span { buffer: gram, start, bytes: Some(bytes) };
                commands.dispatch(&grams, &parameters, &[states[0].into(), sums], windows * chunks)?;

                let parameters = self.product(optics, level, 2 * batch, split)?;
                let one = level..level + 1;
                let [after, before] = states;
                let matrices = [self.span(inverse, &one), self.span(adjoint, &one)];
                let buffers = [after.into(), matrices[0], matrices[1], (&optics.factors).into(), before.into()];
                let tiles = split.div_ceil(ROWS) + (2 * batch - split).div_ceil(ROWS);
                commands.dispatch(&products, &parameters, &buffers, windows * tiles)?;
                states.swap(0, 1);
            }
            let (parameters, columns) = self.parameters(optics, &levels)?;
            let parameters = MeshBlocks { chunks: count(chunks)?, ..parameters };
            let spans = optics.spans(&columns);
            let blocks = windows * levels.len();
            let buffers = [
                (&optics.columns).into(),
                spans.coefficients,
                spans.couplers,
                spans.imbalance,
                gram.into(),
                partial.into(),
            ];
            commands.dispatch(&gradients, &parameters, &buffers, 4 * blocks)?;
            optics.gpu.each(
                Kernel::MeshBlockReduce,
                &parameters,
                &[&optics.columns, partial, gradient],
                PLACES * blocks,
            )?;
        }
        Ok(states[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_every_column_of_every_mode_once() {
        for (modes, depth) in [(2, 1), (3, 3), (33, 33), (64, 64), (65, 200), (97, 31), (130, 5)] {
            let mesh = Mesh::truncated(modes, depth).unwrap();
            let blocks = Blocks::of(&mesh);
            let mut covered = vec![0; modes * depth];
            for level in 0..blocks.levels {
                for window in 0..blocks.windows {
                    let low = Blocks::low(level) + (WIDTH * window) as i32;
                    for step in 0..63_i32 {
                        let column = (level as i32 - 1) * HALF as i32 + step;
                        let first = (step - 31).abs();
                        for row in first..64 - first {
                            let mode = low + row;
                            if (0..depth as i32).contains(&column) && (0..modes as i32).contains(&mode) {
                                covered[column as usize * modes + mode as usize] += 1;
                                let columns = Blocks::columns(&(level..level + 1), depth);
                                assert!(columns.contains(&(column as usize)), "{columns:?} {column}");
                            }
                        }
                    }
                }
            }
            assert!(covered.iter().all(|&times| times == 1), "N = {modes}, {depth} columns");
        }
    }
}
