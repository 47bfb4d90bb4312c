//! Samples column by column in the registers of subgroups, neighbouring lanes exchanging the fields at their border: for meshes of at
//! most 32 modes per lane, where the adapter has subgroups of one known size. No barrier, no workgroup memory.

use super::layout::MeshLanes;
use super::optics::{MeshOptics, StateOrder};
use super::passes::{Ends, gradient_of};
use super::stream_plan::{PARTIAL_BYTES, mzis};
use crate::context::LOOP_CAP;
use crate::engine::Gpu;
use crate::scratch::{Scratch, Slot};
use crate::vectors::count;
use at_core::Result;
use at_core::optics::Mesh;
use at_shaders::Kernel;
use std::ops::Range;

/// Invocations of a workgroup.
const GROUP: usize = 64;

/// Elements of a lane's array, and those that leave registers free where a field has its adjoint beside it.
const ELEMENTS: usize = 32;
const ELEMENTS_BACK: usize = 16;

/// How states lie between the passes.
pub(crate) const ORDER: StateOrder = StateOrder::Beside;

/// How samples lie on lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lanes {
    subgroup: usize,
    modes: usize,
    samples: usize,
}

impl Lanes {
    /// The arrangement on this device; `None` where the mesh is too wide or the size of subgroups varies.
    pub fn of(gpu: &Gpu, modes: usize, backward: bool) -> Option<Self> {
        Self::on(gpu.commands.context.subgroup?, modes, backward)
    }

    /// The arrangement on subgroups of so many lanes.
    pub fn on(subgroup: usize, modes: usize, backward: bool) -> Option<Self> {
        let each = modes.div_ceil(subgroup).next_multiple_of(2);
        let elements = if backward { ELEMENTS_BACK } else { ELEMENTS };
        let fits = each <= ELEMENTS && GROUP.is_multiple_of(subgroup) && subgroup > 1;
        fits.then(|| Lanes { subgroup, modes: each, samples: (elements / each).clamp(1, 8) })
    }

    /// Subgroups that `batch` samples need.
    pub fn subgroups(&self, batch: usize) -> usize {
        batch.div_ceil(self.samples)
    }

    /// Samples of a subgroup.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Instructions of a lane for a column, so many per MZI and sample: 20 more per MZI read its coefficients.
    pub fn instructions(&self, each: f64) -> f64 {
        (self.modes / 2) as f64 * (20.0 + each * self.samples as f64)
    }

    fn groups(&self, batch: usize) -> usize {
        self.subgroups(batch).div_ceil(GROUP / self.subgroup)
    }

    fn constants(&self) -> Result<[(&'static str, u32); 3]> {
        Ok([
            ("MODES", count(self.modes)?),
            ("SAMPLES", count(self.samples)?),
            ("SUBGROUPS", count(GROUP / self.subgroup)?),
        ])
    }

    /// The columns of every pass: bounded by the loop cap, by bindings, and by memory for `rows` of phase gradients.
    fn passes(&self, optics: &MeshOptics, rows: usize) -> Vec<Range<usize>> {
        let mesh: &Mesh = &optics.mesh;
        let binding = optics.gpu.commands.context.limits.max_storage_buffer_binding_size as usize;
        let turns = 6 + (self.modes / 2 + 1 + self.modes) * (1 + self.samples);
        let mut longest = (LOOP_CAP - 4 * ELEMENTS) / turns;
        longest = longest.min(optics.columns_at_once()).min(optics.mzis_at_once() / (mesh.modes() / 2));
        if rows > 0 {
            longest = longest.min(PARTIAL_BYTES.min(binding) / (rows * 4 * mesh.modes()));
        }
        let (columns, longest) = (mesh.columns().len(), longest.max(1));
        (0..columns).step_by(longest).map(|first| first..columns.min(first + longest)).collect()
    }

    fn parameters(optics: &MeshOptics, batch: usize, columns: &Range<usize>) -> Result<MeshLanes> {
        let spans = optics.spans(columns);
        Ok(MeshLanes {
            modes: count(optics.mesh.modes())?,
            batch: count(batch)?,
            first_column: count(columns.start)?,
            last_column: count(columns.end)?,
            unbalanced: u32::from(optics.unbalanced()),
            first_mzi: count(optics.mzis(columns).start)?,
            chunk_mzis: count(optics.mzis(columns).len())?,
            coupler_stride: count(optics.coupler_stride)?,
            finish: u32::from(columns.end == optics.mesh.columns().len()),
            base_mzi: count(spans.base_mzi)?,
            base_imbalance: count(spans.base_imbalance)?,
            dies: count(optics.mesh.dies())?,
        })
    }
}

fn lanes(optics: &MeshOptics, backward: bool) -> Result<Lanes> {
    let modes = optics.mesh.modes();
    Lanes::of(&optics.gpu, modes, backward).ok_or_else(|| {
        optics.gpu.commands.context.error(format!("has no subgroups that hold {modes} modes in their registers"))
    })
}

/// Memory for a batch, on the way forward or on both ways.
pub(crate) fn needs(optics: &MeshOptics, batch: usize, backward: bool) -> Vec<(Slot, u64)> {
    let fields = (batch * optics.mesh.modes()) as u64;
    let mut needs = vec![(Slot::Fields, 8 * fields)];
    if let (true, Some(lanes)) = (backward, Lanes::of(&optics.gpu, optics.mesh.modes(), true)) {
        let rows = lanes.subgroups(batch);
        let most = lanes.passes(optics, rows).iter().map(|pass| mzis(&optics.mesh, pass)).max().unwrap_or(0);
        needs.push((Slot::StatesA, 16 * fields));
        needs.push((Slot::StatesB, 16 * fields));
        needs.push((Slot::Partial, 8 * (rows * most) as u64));
    }
    needs
}

/// The mesh's output, its output factors included.
pub(crate) fn forward(optics: &MeshOptics, batch: usize, ends: Ends) -> Result<()> {
    let commands = &optics.gpu.commands;
    let lanes = lanes(optics, false)?;
    let pipeline = commands.pipeline(Kernel::MeshLanesForward, &lanes.constants()?)?;
    let passes = lanes.passes(optics, 0);
    ends.in_turn(passes.len(), |index, before, after| {
        let (columns, table, factors) = (&passes[index], &optics.columns, &optics.factors);
        let spans = optics.spans(columns);
        let buffers = [table.into(), spans.coefficients, spans.imbalance, before.into(), factors.into(), after.into()];
        commands.dispatch(&pipeline, &Lanes::parameters(optics, batch, columns)?, &buffers, lanes.groups(batch))
    })
}

/// Carries `states[0]` back to the mesh's input, with the gradients of θ and φ; gives the buffer that holds them then.
pub(crate) fn backward<'a>(
    optics: &MeshOptics,
    mut states: [&'a wgpu::Buffer; 2],
    batch: usize,
    gradient: &wgpu::Buffer,
    scratch: &Scratch,
) -> Result<&'a wgpu::Buffer> {
    let commands = &optics.gpu.commands;
    let lanes = lanes(optics, true)?;
    let pipeline = commands.pipeline(Kernel::MeshLanesBackward, &lanes.constants()?)?;
    let rows = lanes.subgroups(batch);
    let partial = scratch.get(Slot::Partial);
    for columns in lanes.passes(optics, rows).iter().rev() {
        let parameters = Lanes::parameters(optics, batch, columns)?;
        let spans = optics.spans(columns);
        let [after, before] = states;
        let table = (&optics.columns).into();
        let (coefficients, couplers, imbalance) = (spans.coefficients, spans.couplers, spans.imbalance);
        let buffers = [table, coefficients, couplers, imbalance, after.into(), before.into(), partial.into()];
        commands.dispatch(&pipeline, &parameters, &buffers, lanes.groups(batch))?;
        states.swap(0, 1);
        let reduce = gradient_of(optics, rows, [parameters.chunk_mzis, parameters.first_mzi], 2)?;
        let sums = 2 * mzis(&optics.mesh, columns);
        optics.gpu.each(Kernel::MeshGradientReduce, &reduce, &[partial, gradient], sums)?;
    }
    Ok(states[0])
}
