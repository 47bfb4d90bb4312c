//! What stages keep in memory on this engine, from their sizes alone.

use super::mesh;
use super::stage::OnCpu;
use crate::optics::Mesh;
use crate::stage::{Stage, with_stage};

/// How a stage is used, as far as its memory goes.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// Bytes of a real.
    pub real: usize,
    /// It has errors of its own, or an estimate of them.
    pub errors: bool,
    /// Its waveguides lose light differently.
    pub uneven: bool,
    /// Gradients are carried back through it.
    pub back: bool,
    /// Those of its imperfections too.
    pub estimated: bool,
    /// Samples at once.
    pub batch: usize,
    /// Samples that cross it while its controls stand still.
    pub still: usize,
}

/// Bytes that a stage keeps on this engine beside a copy of its controls, as long as it stands.
pub fn bytes(stage: &Stage, held: &Held) -> usize {
    with_stage!(stage, page => OnCpu::bytes(page, held))
}

/// Bytes that a mesh keeps besides, where it is lit by itself with so many samples at once ([`crate::propagator::Bidirectional`]): the mesh whose
/// fields can be seen inside, where the stage is another one, and power at every shifter.
pub fn lit_bytes(mesh: &Mesh, held: &Held) -> usize {
    let of = |back| mesh::bytes(mesh, &Held { back, estimated: false, ..*held }, held.batch);
    let there = if held.uneven { of(false) } else { 0 };
    // what lies in front of each MZI, and its coupler, are told anew every time
    of(true).saturating_sub(there).saturating_add(3 * held.real * mesh.mzis())
}
