//! Samples streamed through a mesh, column by column, in workgroup memory: for batches too small to be worth a matrix.

use super::gathered::Gathered;
use super::layout::{GradientReduce, MeshColumns};
use super::optics::{MeshOptics, StateOrder};
use super::passes::{Ends, gradient_of};
use super::stream_plan::{GROUP, Most, PARTIAL_BYTES, Plan, mzis};
use crate::engine::Gpu;
use crate::scratch::{Scratch, Slot};
use crate::vectors::{At, count};
use at_core::Result;
use at_shaders::Kernel;
use std::ops::Range;

/// Bytes of a field, and of a field beside its adjoint.
pub(crate) const FIELD: usize = 8;
pub(crate) const STATE: usize = 16;

/// Sums per MZI and row of a plain way back, of θ and φ, and of one that asks for both couplers' errors too.
const PHASES: usize = 2;
const COUPLERS_TOO: usize = 4;

/// How states lie between the passes.
pub(crate) const ORDER: StateOrder = StateOrder::Beside;

/// The plan where a mode of a sample takes `bytes` of workgroup memory.
pub(crate) fn plan(optics: &MeshOptics, batch: usize, bytes: usize) -> Plan {
    let capacity = capacity(&optics.gpu, bytes);
    match optics.gathered(bytes) {
        Some(gathered) => Plan::gathered(gathered.windows, gathered.width, batch, capacity),
        None => Plan::new(optics.mesh.modes(), optics.mesh.die_modes(), batch, capacity),
    }
}

/// Modes of a sample that workgroup memory holds, of so many bytes each.
pub(crate) fn capacity(gpu: &Gpu, bytes: usize) -> usize {
    gpu.commands.context.limits.max_compute_workgroup_storage_size as usize / bytes
}

/// The constants by which kernels know where MZIs stand whose modes take so many bytes.
pub(crate) fn places(optics: &MeshOptics, bytes: usize) -> [(&'static str, u32); 2] {
    let gathered = optics.gathered(bytes).is_some();
    [("PAIRED", if gathered { 0 } else { paired(optics) }), ("GATHERED", u32::from(gathered))]
}

/// Whether the kernels look up which modes an MZI joins.
pub(crate) fn paired(optics: &MeshOptics) -> u32 {
    u32::from(!optics.mesh.joins_neighbours())
}

pub(crate) fn passes(optics: &MeshOptics, plan: &Plan, bytes: usize, rows: usize) -> Vec<Range<usize>> {
    let binding = optics.gpu.commands.context.limits.max_storage_buffer_binding_size as usize;
    let most =
        Most { mzis: optics.mzis_at_once(), columns: optics.columns_at_once(), partial: PARTIAL_BYTES.min(binding) };
    let all = 0..optics.mesh.columns().len();
    let parts = optics.gathered(bytes).map_or_else(|| vec![all], Gathered::columns);
    plan.passes(&optics.mesh, &parts, rows, most)
}

pub(crate) fn parameters(
    optics: &MeshOptics,
    plan: &Plan,
    bytes: usize,
    batch: usize,
    columns: &Range<usize>,
) -> Result<MeshColumns> {
    let gathered = optics.gathered(bytes).map_or(0, |gathered| gathered.windows_of(&optics.mesh, columns));
    let spans = optics.spans(columns);
    Ok(MeshColumns {
        modes: count(optics.mesh.modes())?,
        batch: count(batch)?,
        first_column: count(columns.start)?,
        last_column: count(columns.end)?,
        windows: count(plan.windows)?,
        tile: count(plan.tile)?,
        halo: count(plan.halo)?,
        samples: count(plan.samples)?,
        pair_lanes: count(plan.pair_lanes)?,
        unbalanced: u32::from(optics.unbalanced()),
        first_mzi: count(optics.mzis(columns).start)?,
        chunk_mzis: count(optics.mzis(columns).len())?,
        coupler_stride: count(optics.coupler_stride)?,
        finish: u32::from(columns.end == optics.mesh.columns().len()),
        base_mzi: count(spans.base_mzi)?,
        base_imbalance: count(spans.base_imbalance)?,
        mzis: count(optics.mesh.mzis())?,
        transmission: optics.transmission as f32,
        dies: count(optics.mesh.dies())?,
        gathered: count(gathered)?,
    })
}

/// Memory for a batch, on the way forward or on both ways.
pub(crate) fn needs(optics: &MeshOptics, batch: usize, backward: bool) -> Vec<(Slot, u64)> {
    needs_of_sums(optics, batch, if backward { PHASES } else { 0 })
}

/// The same for a way back that also asks for the gradient of imperfections.
pub(crate) fn needs_of_imperfections(optics: &MeshOptics, batch: usize) -> Vec<(Slot, u64)> {
    needs_of_sums(optics, batch, COUPLERS_TOO)
}

fn needs_of_sums(optics: &MeshOptics, batch: usize, sums: usize) -> Vec<(Slot, u64)> {
    let fields = batch * optics.mesh.modes();
    let between = passes(optics, &plan(optics, batch, FIELD), FIELD, 0).len() > 1;
    let mut needs = vec![(Slot::Fields, if between { FIELD * fields } else { 0 } as u64)];
    if sums > 0 {
        let plan = plan(optics, batch, STATE);
        let rows = plan.partial_rows(batch);
        let passes = passes(optics, &plan, STATE, sums / PHASES * rows);
        let most = passes.iter().map(|pass| mzis(&optics.mesh, pass)).max().unwrap_or(0);
        needs.push((Slot::StatesA, (STATE * fields) as u64));
        needs.push((Slot::StatesB, (STATE * fields) as u64));
        needs.push((Slot::Partial, (4 * sums * rows * most) as u64));
    }
    needs
}

/// The mesh's output, its output factors included.
pub(crate) fn forward(optics: &MeshOptics, batch: usize, ends: Ends) -> Result<()> {
    let commands = &optics.gpu.commands;
    let plan = plan(optics, batch, FIELD);
    let [pairs, gathered] = places(optics, FIELD);
    let constants = [("GROUP", GROUP as u32), ("SLOTS", count(plan.slots)?), pairs, gathered];
    let pipeline = commands.pipeline(Kernel::MeshForward, &constants)?;
    let passes = passes(optics, &plan, FIELD, 0);
    ends.in_turn(passes.len(), |index, before, after| {
        let (columns, table, factors) = (&passes[index], optics.table(FIELD), &optics.factors);
        let spans = optics.spans(columns);
        let buffers = [table.into(), spans.coefficients, spans.imbalance, before.into(), factors.into(), after.into()];
        let parameters = parameters(optics, &plan, FIELD, batch, columns)?;
        commands.dispatch(&pipeline, &parameters, &buffers, plan.groups(batch))
    })
}

/// Carries `states[0]` back to the mesh's input, with the gradients of θ and φ and, where `imperfections` are asked for, of δ1 and δ2;
/// gives the buffer that holds the states then.
pub(crate) fn backward<'a>(
    optics: &MeshOptics,
    mut states: [&'a wgpu::Buffer; 2],
    batch: usize,
    gradient: &wgpu::Buffer,
    imperfections: Option<At>,
    scratch: &Scratch,
) -> Result<&'a wgpu::Buffer> {
    let commands = &optics.gpu.commands;
    let plan = plan(optics, batch, STATE);
    let sums = if imperfections.is_some() { COUPLERS_TOO } else { PHASES };
    let couplers_too = u32::from(imperfections.is_some());
    let [pairs, gathered] = places(optics, STATE);
    let constants =
        [("GROUP", GROUP as u32), ("SLOTS", count(plan.slots)?), ("IMPERFECTIONS", couplers_too), pairs, gathered];
    let pipeline = commands.pipeline(Kernel::MeshBackward, &constants)?;
    let rows = plan.partial_rows(batch);
    let partial = scratch.get(Slot::Partial);
    for columns in passes(optics, &plan, STATE, sums / PHASES * rows).iter().rev() {
        let parameters = parameters(optics, &plan, STATE, batch, columns)?;
        let spans = optics.spans(columns);
        let [after, before] = states;
        let buffers = [
            optics.table(STATE).into(),
            spans.coefficients,
            spans.couplers,
            spans.imbalance,
            after.into(),
            before.into(),
            partial.into(),
            spans.turns,
        ];
        commands.dispatch(&pipeline, &parameters, &buffers, plan.groups(batch))?;
        states.swap(0, 1);
        let reduce = gradient_of(optics, rows, [parameters.chunk_mzis, parameters.first_mzi], sums)?;
        let items = 2 * mzis(&optics.mesh, columns);
        optics.gpu.each(Kernel::MeshGradientReduce, &reduce, &[partial, gradient], items)?;
        if let Some((target, offset)) = imperfections {
            let reduce = GradientReduce { offset: count(offset)?, start: 2 * parameters.chunk_mzis, ..reduce };
            optics.gpu.each(Kernel::MeshGradientReduce, &reduce, &[partial, target], items)?;
        }
    }
    Ok(states[0])
}
