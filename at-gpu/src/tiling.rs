//! The passive optics of tiled layers: splitters and combiners, which are transposes of one another.

use crate::engine::{Gpu, LOOP_CAP};
use crate::layout::Tiling;
use crate::scratch::{Needs, Scratch};
use crate::stage::{Backward, GpuStage};
use crate::vectors::count;
use at_core::{Error, Result};
use at_shaders::Kernel;

/// Which way a stage goes forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// From blocks to their copies.
    Split,
    /// From copies to their block.
    Merge,
}

/// Splitters or combiners.
pub(crate) struct TilingStage {
    gpu: Gpu,
    /// Modes of a block.
    modes: usize,
    copies: usize,
    /// Blocks of a sample.
    blocks: usize,
    way: Way,
}

impl TilingStage {
    /// `y[c·inputs + m] = x[m]/√copies`.
    pub fn splitter(gpu: Gpu, inputs: usize, copies: usize) -> Result<Self> {
        TilingStage { gpu, modes: inputs, copies, blocks: 1, way: Way::Split }.checked()
    }

    /// `y[b·block + m] = Σ_c x[(b·parts + c)·block + m]/√parts`.
    pub fn combiner(gpu: Gpu, outputs: usize, parts: usize, block: usize) -> Result<Self> {
        TilingStage { gpu, modes: block, copies: parts, blocks: outputs / block, way: Way::Merge }.checked()
    }

    fn checked(self) -> Result<Self> {
        if self.copies < LOOP_CAP {
            return Ok(self);
        }
        let what = format!("a splitter or combiner of {} parts on a GPU", self.copies);
        Err(Error::Unsupported { what, instead: "choose `engine` cpu, or larger tiles".into() })
    }

    fn go(&self, way: Way, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer) -> Result<()> {
        let whole = batch * self.blocks * self.modes;
        let (kernel, len) = match way {
            Way::Split => (Kernel::TilingSplit, whole * self.copies),
            Way::Merge => (Kernel::TilingMerge, whole),
        };
        let share = (1.0 / (self.copies as f64).sqrt()) as f32;
        let parameters = Tiling { modes: count(self.modes)?, copies: count(self.copies)?, len: count(len)?, share };
        self.gpu.each(kernel, &parameters, &[input, output], len)
    }
}

impl GpuStage for TilingStage {
    fn program(&self, _: &wgpu::Buffer) -> Result<()> {
        Ok(())
    }

    fn needs(&self, _: usize, _: bool) -> Needs {
        Needs::default()
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, _: &Scratch) -> Result<()> {
        self.go(self.way, input, batch, output)
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        let back = if self.way == Way::Split { Way::Merge } else { Way::Split };
        self.go(back, pass.adjoint, pass.batch, pass.adjoint_in)
    }
}
