//! Even division of light: what splitters and combiners, which are transposes of one another, have in common.

use crate::context::LOOP_CAP;
use crate::engine::Gpu;
use crate::layout::Division as Parameters;
use crate::vectors::count;
use at_core::stage::Part;
use at_core::{Error, Result};
use at_shaders::Kernel;

/// Blocks of modes and their copies.
pub(crate) struct Division {
    gpu: Gpu,
    /// Modes of a block.
    modes: usize,
    copies: usize,
    /// Blocks of a sample.
    blocks: usize,
    /// Which modes of a sample's copies are there.
    part: Part,
}

impl Division {
    /// `blocks` of `modes` modes into `copies` each, of which `part` is there. Errs where they are too many for a kernel.
    pub fn new(gpu: Gpu, modes: usize, copies: usize, blocks: usize, part: Part) -> Result<Self> {
        if copies < LOOP_CAP {
            return Ok(Division { gpu, modes, copies, blocks, part });
        }
        let what = format!("a splitter or combiner of {copies} parts on a GPU");
        Err(Error::Unsupported { what, instead: "choose `engine` cpu, or larger tiles".into() })
    }

    /// From blocks to their copies.
    pub fn split(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer) -> Result<()> {
        self.go(Kernel::Splitter, batch * self.part.modes, input, output)
    }

    /// From copies to their block.
    pub fn merge(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer) -> Result<()> {
        self.go(Kernel::Combiner, batch * self.blocks * self.modes, input, output)
    }

    fn go(&self, kernel: Kernel, len: usize, input: &wgpu::Buffer, output: &wgpu::Buffer) -> Result<()> {
        let share = (1.0 / (self.copies as f64).sqrt()) as f32;
        let parameters = Parameters {
            modes: count(self.modes)?,
            copies: count(self.copies)?,
            blocks: count(self.blocks)?,
            first: count(self.part.first)?,
            part: count(self.part.modes)?,
            len: count(len)?,
            share,
        };
        self.gpu.each(kernel, &parameters, &[input, output], len)
    }
}
