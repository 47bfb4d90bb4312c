//! Sums over a batch: from one product per sample and control to gradients.

use crate::engine::Gpu;
use crate::layout::ColumnSum;
use crate::vectors::{check_range, count};
use at_core::Result;
use at_shaders::Kernel;

/// Columns that one workgroup sums.
const COLUMNS: usize = 32;

/// Most rows that its eight lanes add up without passing [`crate::LOOP_CAP`].
pub(crate) const MOST_ROWS: usize = 8 * 60_000;

/// `target[offset + c] ← scale · factor_c · Σ_r source[r·stride + c]` for c < columns.
pub(crate) struct Sum<'a> {
    /// `[rows, stride]`.
    pub source: &'a wgpu::Buffer,
    pub rows: usize,
    pub columns: usize,
    pub stride: usize,
    /// `factor_c = factors[at + c]`, 1 where there is none.
    pub factors: Option<(&'a wgpu::Buffer, usize)>,
    pub scale: f32,
    pub target: &'a wgpu::Buffer,
    pub offset: usize,
}

impl Sum<'_> {
    /// Records the sum.
    pub fn record(&self, gpu: &Gpu) -> Result<()> {
        self.record_spread(gpu, 1)
    }

    /// Records the sum with the pairs of its columns `spread` pairs apart.
    pub fn record_spread(&self, gpu: &Gpu, spread: usize) -> Result<()> {
        check_range("samples whose gradients are summed in one batch on a GPU", MOST_ROWS, 0, self.rows)?;
        let (factors, at) = self.factors.unwrap_or((self.source, 0));
        let parameters = ColumnSum {
            rows: count(self.rows)?,
            columns: count(self.columns)?,
            stride: count(self.stride)?,
            target_offset: count(self.offset)?,
            factor_offset: count(at)?,
            has_factor: u32::from(self.factors.is_some()),
            scale: self.scale,
            spread: count(spread)?,
        };
        let pipeline = gpu.commands.pipeline(Kernel::ColumnSum, &[])?;
        let buffers = [self.source, factors, self.target];
        gpu.commands.dispatch(&pipeline, &parameters, &buffers, self.columns.div_ceil(COLUMNS))
    }
}
