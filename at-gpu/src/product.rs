//! Real matrix products: views, what happens to the result, and which kernel makes it.

use crate::engine::Gpu;
use crate::layout::MatrixProduct;
use crate::vectors::count;
use at_core::Result;
use at_shaders::Kernel;

/// Rows and columns that one workgroup makes: 4 x 4 or 8 x 8 sums for each of its 256 invocations.
const SMALL: usize = 64;
const LARGE: usize = 128;

/// Large tiles read half as much workgroup memory per operation, and are worth it where they keep a large GPU busy: about three
/// quarters of the 132 multiprocessors of an H200.
const ENOUGH: usize = 96;

/// Inner indices per dispatch: 16 a turn, each turn some forty loop turns, below [`crate::LOOP_CAP`].
const INNER: usize = 16_384;

/// A strided matrix.
pub(crate) struct View<'a> {
    pub buffer: &'a wgpu::Buffer,
    pub row: usize,
    pub column: usize,
}

/// What happens to a product before it is written.
pub(crate) enum Afterwards<'a> {
    Nothing,
    /// Adds `buffer[offset + column]`.
    AddRow(&'a wgpu::Buffer, usize),
    /// Multiplies elementwise.
    Multiply(&'a wgpu::Buffer),
}

/// `target[offset..] [rows, columns] ← A B`.
pub(crate) struct Product<'a> {
    pub a: View<'a>,
    pub b: View<'a>,
    /// Rows, inner, columns.
    pub sizes: [usize; 3],
    pub afterwards: Afterwards<'a>,
    pub target: &'a wgpu::Buffer,
    pub offset: usize,
}

impl Product<'_> {
    /// Records the product.
    pub fn record(&self, gpu: &Gpu) -> Result<()> {
        let [rows, inner, columns] = self.sizes;
        let large = gpu.preferences.large_products.unwrap_or_else(|| tiles(rows, columns, LARGE) >= ENOUGH);
        let (kernel, tile) = if large { (Kernel::MatrixProductLarge, LARGE) } else { (Kernel::MatrixProduct, SMALL) };
        let pipeline = gpu.commands.pipeline(kernel, &[])?;
        let groups = tiles(rows, columns, tile);
        for first in (0..inner).step_by(INNER) {
            let last = inner.min(first + INNER);
            let (afterwards, extra, extra_offset) = match self.afterwards {
                Afterwards::AddRow(extra, offset) if last == inner => (1, extra, offset),
                Afterwards::Multiply(extra) if last == inner => (2, extra, 0),
                _ => (0, self.a.buffer, 0),
            };
            let parameters = MatrixProduct {
                rows: count(rows)?,
                columns: count(columns)?,
                first: count(first)?,
                last: count(last)?,
                a_row: count(self.a.row)?,
                a_column: count(self.a.column)?,
                b_row: count(self.b.row)?,
                b_column: count(self.b.column)?,
                c_offset: count(self.offset)?,
                extra_offset: count(extra_offset)?,
                afterwards,
                add: u32::from(first > 0),
            };
            let buffers = [self.a.buffer, self.b.buffer, extra, self.target];
            gpu.commands.dispatch(&pipeline, &parameters, &buffers, groups)?;
        }
        Ok(())
    }
}

fn tiles(rows: usize, columns: usize, tile: usize) -> usize {
    rows.div_ceil(tile) * columns.div_ceil(tile)
}
