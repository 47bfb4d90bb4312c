//! Light through a mesh in either direction, column by column, with a look at what stands at every phase shifter on its way.

use super::layout::{GradientReduce, MeshColumns};
use super::optics::MeshOptics;
use super::stream::{FIELD, parameters, passes, plan};
use super::stream_plan::{GROUP, Plan, mzis};
use crate::commands::Span;
use crate::detection::DetectionStage;
use crate::scratch::{Scratch, Slot};
use crate::stage::{GpuStage, Watch};
use crate::sums::Sum;
use crate::vectors::{Vector, count};
use at_core::Result;
use at_core::network::Detection;
use at_core::propagator::Direction;
use at_shaders::Kernel;
use std::cell::OnceCell;

/// The columns of a mesh as light meets them forward and backward, each with the mean loss on the way to it. Made at their first use.
#[derive(Default)]
pub(crate) struct Ways([OnceCell<wgpu::Buffer>; 2]);

impl Ways {
    fn columns(&self, optics: &MeshOptics, direction: Direction) -> Result<&wgpu::Buffer> {
        let cell = &self.0[usize::from(direction == Direction::Backward)];
        if let Some(columns) = cell.get() {
            return Ok(columns);
        }
        let losses = &optics.column_losses;
        let columns = optics.mesh.columns().iter().enumerate().map(|(index, column)| {
            let crossed = match direction {
                Direction::Forward => &losses[..index.min(losses.len())],
                Direction::Backward => &losses[index.min(losses.len())..],
            };
            let loss = crossed.iter().product::<f64>() as f32;
            Ok([count(column.first_row)?, count(column.count)?, count(column.first_mzi)?, loss.to_bits()])
        });
        let columns: Vec<[u32; 4]> = columns.collect::<Result<_>>()?;
        let made = Vector::pods(&optics.gpu.commands.context, "columns of a mesh with losses", &columns)?;
        Ok(cell.get_or_init(|| made))
    }
}

fn rows(plan: &Plan, batch: usize, watch: Watch) -> usize {
    if matches!(watch, Watch::Powers(_)) { plan.partial_rows(batch) } else { 0 }
}

/// Memory for a batch.
pub(crate) fn needs(optics: &MeshOptics, batch: usize, watch: Watch) -> Vec<(Slot, u64)> {
    let fields = FIELD * batch * optics.mesh.modes();
    let plan = plan(optics, batch, FIELD);
    let rows = rows(&plan, batch, watch);
    let most = passes(optics, &plan, rows).iter().map(|pass| mzis(&optics.mesh, pass)).max().unwrap_or(0);
    let powers = if rows > 0 { fields / 2 } else { 0 };
    // Fields between the passes, and those that leave where nobody wants them.
    let (between, sums) = (fields as u64, 8 * (rows * most) as u64);
    vec![(Slot::Fields, between), (Slot::SignalA, between), (Slot::Partial, sums), (Slot::Products, powers as u64)]
}

/// Sends `input [batch, modes]` through the mesh; `output` gets what leaves at the other end where it is given.
pub(crate) fn send(
    optics: &MeshOptics,
    ways: &Ways,
    direction: Direction,
    input: &wgpu::Buffer,
    batch: usize,
    output: Option<&wgpu::Buffer>,
    watch: Watch,
    scratch: &Scratch,
) -> Result<()> {
    let (commands, backward) = (&optics.gpu.commands, direction == Direction::Backward);
    let (output, between) = (output.unwrap_or_else(|| scratch.get(Slot::SignalA)), scratch.get(Slot::Fields));
    let partial = scratch.get(Slot::Partial);
    let (kind, seen) = match watch {
        Watch::Nothing => (0, partial),
        Watch::Powers(_) => (1, partial),
        Watch::Fields(seen) => (2, seen),
    };
    let table = ways.columns(optics, direction)?;
    let plan = plan(optics, batch, FIELD);
    let constants =
        [("GROUP", GROUP as u32), ("SLOTS", count(plan.slots)?), ("BACKWARD", u32::from(backward)), ("WATCH", kind)];
    let pipeline = commands.pipeline(Kernel::MeshSend, &constants)?;
    let mut passes = passes(optics, &plan, rows(&plan, batch, watch));
    if backward {
        passes.reverse();
    }
    let mut before = input;
    for (index, columns) in passes.iter().enumerate() {
        // In turn, so that the last pass writes the output.
        let last = (passes.len() - 1 - index).is_multiple_of(2);
        let after = if last { output } else { between };
        let spans = optics.spans(columns);
        let buffers = [
            table.into(),
            spans.coefficients,
            spans.couplers,
            spans.imbalance,
            before.into(),
            (&optics.factors).into(),
            after.into(),
            Span::from(seen),
        ];
        let parameters = parameters(optics, &plan, batch, columns)?;
        commands.dispatch(&pipeline, &parameters, &buffers, plan.groups(batch))?;
        if let Watch::Powers(powers) = watch {
            sum_powers(optics, &plan, batch, &parameters, partial, powers)?;
        }
        before = after;
    }
    // γ is the last thing in the mesh: behind it is the light that leaves, or the light that enters backwards.
    if let Watch::Powers(powers) = watch {
        let (gpu, modes, products) = (optics.gpu.clone(), optics.mesh.modes(), scratch.get(Slot::Products));
        let detectors = DetectionStage { gpu, modes, detection: Detection::Intensity };
        detectors.forward(if backward { input } else { output }, batch, products, scratch)?;
        let offset = 2 * optics.mesh.mzis();
        let (source, target) = (products, powers);
        Sum { source, rows: batch, columns: modes, stride: modes, factors: None, scale: 1.0, target, offset }
            .record(&optics.gpu)?;
    }
    Ok(())
}

/// Sums over workgroups, of the columns of one pass.
fn sum_powers(
    optics: &MeshOptics,
    plan: &Plan,
    batch: usize,
    pass: &MeshColumns,
    partial: &wgpu::Buffer,
    powers: &wgpu::Buffer,
) -> Result<()> {
    let reduce = GradientReduce {
        rows: count(plan.partial_rows(batch))?,
        chunk_mzis: pass.chunk_mzis,
        first_mzi: pass.first_mzi,
        mzis: pass.mzis,
        offset: 0,
        scale: 1.0,
        stride: 2 * pass.chunk_mzis,
        start: 0,
    };
    optics.gpu.each(Kernel::MeshGradientReduce, &reduce, &[partial, powers], 2 * pass.chunk_mzis as usize)
}
