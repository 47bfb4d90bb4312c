//! A mesh that light crosses in several passes, some of its columns or levels each.

use super::layout::GradientReduce;
use super::optics::MeshOptics;
use crate::vectors::count;
use at_core::Result;

/// Where light comes from, where it goes, and memory that is neither.
#[derive(Clone, Copy)]
pub(crate) struct Ends<'a> {
    pub input: &'a wgpu::Buffer,
    pub output: &'a wgpu::Buffer,
    pub between: &'a wgpu::Buffer,
}

impl<'a> Ends<'a> {
    /// Runs so many passes, each `pass(index, before, after)` from what the one before it wrote. Two buffers take turns, so that the last pass
    /// writes the output.
    pub fn in_turn(
        self,
        passes: usize,
        mut pass: impl FnMut(usize, &'a wgpu::Buffer, &'a wgpu::Buffer) -> Result<()>,
    ) -> Result<()> {
        let mut before = self.input;
        for index in 0..passes {
            let after = if (passes - 1 - index).is_multiple_of(2) { self.output } else { self.between };
            pass(index, before, after)?;
            before = after;
        }
        Ok(())
    }
}

/// How the sums of θ and φ over so many `rows` of workgroups become gradients of the mesh's controls: `chunk` MZIs of a pass from `first` on,
/// each with so many `sums`.
pub(crate) fn gradient_of(
    optics: &MeshOptics,
    rows: usize,
    [chunk, first]: [u32; 2],
    sums: usize,
) -> Result<GradientReduce> {
    Ok(GradientReduce {
        rows: count(rows)?,
        chunk_mzis: chunk,
        first_mzi: first,
        mzis: count(optics.mesh.mzis())?,
        offset: count(optics.offset)?,
        scale: -2.0,
        stride: count(sums)? * chunk,
        start: 0,
    })
}
