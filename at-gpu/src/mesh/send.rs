//! Light through a mesh in either direction, column by column, with a look at what stands at every phase shifter on its way.

use super::MeshStage;
use super::layout::{GradientReduce, MeshColumns};
use super::optics::{MeshOptics, column_table};
use super::passes::{Ends, gradient_of};
use super::stream::{FIELD, parameters, passes, places, plan};
use super::stream_plan::{GROUP, Plan, mzis};
use crate::commands::Span;
use crate::detection::DetectionStage;
use crate::scratch::{Needs, Scratch, Slot};
use crate::stage::{BothWays, GpuStage, Watch};
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
        let own = |index: usize| {
            let crossed = match direction {
                Direction::Forward => &losses[..index.min(losses.len())],
                Direction::Backward => &losses[index.min(losses.len())..],
            };
            (crossed.iter().product::<f64>() as f32).to_bits()
        };
        let columns = match optics.gathered(FIELD) {
            Some(gathered) => gathered.table(&optics.mesh, own)?,
            None => column_table(&optics.mesh, own)?,
        };
        let made = Vector::pods(&optics.gpu.commands.context, "columns of a mesh with losses", &columns)?;
        Ok(cell.get_or_init(|| made))
    }
}

fn rows(plan: &Plan, batch: usize, watch: Watch) -> usize {
    if matches!(watch, Watch::Powers(_)) { plan.partial_rows(batch) } else { 0 }
}

impl BothWays for MeshStage {
    fn sizes(&self) -> (usize, usize) {
        (self.optics.mesh.modes(), self.optics.mesh.controls())
    }

    fn needs_of_sending(&self, batch: usize, watch: Watch) -> Needs {
        let optics = &self.optics;
        let fields = FIELD * batch * optics.mesh.modes();
        let plan = plan(optics, batch, FIELD);
        let rows = rows(&plan, batch, watch);
        let most = passes(optics, &plan, FIELD, rows).iter().map(|pass| mzis(&optics.mesh, pass)).max().unwrap_or(0);
        let powers = if rows > 0 { fields / 2 } else { 0 };
        // Fields between the passes, and those that leave where nobody wants them.
        let (between, sums) = (fields as u64, 8 * (rows * most) as u64);
        Needs::of(&[
            (Slot::Fields, between),
            (Slot::SignalA, between),
            (Slot::Partial, sums),
            (Slot::Products, powers as u64),
        ])
    }

    fn send(
        &self,
        direction: Direction,
        input: &wgpu::Buffer,
        batch: usize,
        output: Option<&wgpu::Buffer>,
        watch: Watch,
        scratch: &Scratch,
    ) -> Result<()> {
        let (optics, backward) = (&self.optics, direction == Direction::Backward);
        let commands = &optics.gpu.commands;
        let output = output.unwrap_or_else(|| scratch.get(Slot::SignalA));
        let partial = scratch.get(Slot::Partial);
        let (kind, seen) = match watch {
            Watch::Nothing => (0, partial),
            Watch::Powers(_) => (1, partial),
            Watch::Fields(seen) => (2, seen),
        };
        let table = self.ways.columns(optics, direction)?;
        let plan = plan(optics, batch, FIELD);
        let [pairs, gathered] = places(optics, FIELD);
        let constants = [
            ("GROUP", GROUP as u32),
            ("SLOTS", count(plan.slots)?),
            ("BACKWARD", u32::from(backward)),
            pairs,
            gathered,
            ("WATCH", kind),
        ];
        let pipeline = commands.pipeline(Kernel::MeshSend, &constants)?;
        let mut passes = passes(optics, &plan, FIELD, rows(&plan, batch, watch));
        if backward {
            passes.reverse();
        }
        let ends = Ends { input, output, between: scratch.get(Slot::Fields) };
        ends.in_turn(passes.len(), |index, before, after| {
            let columns = &passes[index];
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
            let parameters = parameters(optics, &plan, FIELD, batch, columns)?;
            commands.dispatch(&pipeline, &parameters, &buffers, plan.groups(batch))?;
            match watch {
                Watch::Powers(powers) => sum_powers(optics, &plan, batch, &parameters, partial, powers),
                Watch::Nothing | Watch::Fields(_) => Ok(()),
            }
        })?;
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
    let sums = gradient_of(optics, plan.partial_rows(batch), [pass.chunk_mzis, pass.first_mzi], 2)?;
    let reduce = GradientReduce { offset: 0, scale: 1.0, ..sums };
    optics.gpu.each(Kernel::MeshGradientReduce, &reduce, &[partial, powers], 2 * pass.chunk_mzis as usize)
}
