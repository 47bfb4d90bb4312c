//! A mesh on a GPU: coefficients from controls, passes of columns in workgroup memory, gradients by rebuilding fields backwards.

use crate::engine::Gpu;
use crate::layout::{GradientReduce, Length, MeshCoefficients, MeshColumns, MeshEnter};
use crate::mesh_plan::{GROUP, Plan, mzis};
use crate::scratch::{Needs, Scratch, Slot};
use crate::shaders::Stage;
use crate::stage::{Backward, GpuStage};
use crate::sums::Sum;
use crate::vectors::{Vector, count};
use at_core::Result;
use at_core::chip::StageErrors;
use at_core::optics::mzi::Coupler;
use at_core::optics::{Mesh, MeshLoss};
use std::ops::Range;

/// Bytes of a field, and of a field beside its adjoint.
const FIELD: usize = 8;
const STATE: usize = 16;

/// A mesh, its fabrication errors, and its coefficients at the programmed controls.
pub(crate) struct MeshStage {
    gpu: Gpu,
    mesh: Mesh,
    offset: usize,
    phase_errors: Option<Vector>,
    /// `(c, s)` of both couplers; one entry when all are ideal.
    couplers: wgpu::Buffer,
    coupler_stride: usize,
    transmission: f64,
    imbalance: Option<Vector>,
    /// `(first row, count, first MZI, 0)` of every column.
    columns: wgpu::Buffer,
    /// `M00, M01, M10, M11` of every MZI.
    coefficients: wgpu::Buffer,
    /// Output phases and common loss.
    factors: wgpu::Buffer,
}

impl MeshStage {
    /// The mesh with the given errors ([`StageErrors::None`] or [`StageErrors::Mesh`]); its controls begin at `offset`.
    pub fn new(gpu: Gpu, mesh: &Mesh, errors: &StageErrors, offset: usize) -> Result<Self> {
        let context = &gpu.commands.context;
        let coupler = |first, second| {
            let (first, second) = (Coupler::<f64>::new(first), Coupler::<f64>::new(second));
            [first.c, first.s, second.c, second.s].map(|x| x as f32)
        };
        let mut couplers = vec![coupler(0.0, 0.0)];
        let mut loss = MeshLoss { transmission: 1.0, imbalance: None };
        let mut phase_errors = None;
        if let StageErrors::Mesh { first_coupler, second_coupler, phases, loss_db } = errors {
            if first_coupler.iter().chain(second_coupler).any(|&delta| delta != 0.0) {
                couplers = first_coupler.iter().zip(second_coupler).map(|(&a, &b)| coupler(a, b)).collect();
            }
            if phases.iter().any(|&phase| phase != 0.0) {
                phase_errors = Some(Vector::upload(context, "phase errors of a mesh", phases)?);
            }
            loss = MeshLoss::new(mesh, loss_db)?;
        }
        let imbalance = match &loss.imbalance {
            Some(factors) => Some(Vector::upload(context, "loss imbalance of a mesh", factors)?),
            None => None,
        };
        let columns: Vec<[u32; 4]> = mesh
            .columns()
            .iter()
            .map(|column| Ok([count(column.first_row)?, count(column.count)?, count(column.first_mzi)?, 0]))
            .collect::<Result<_>>()?;
        let storage = wgpu::BufferUsages::STORAGE;
        Ok(MeshStage {
            offset,
            phase_errors,
            coupler_stride: usize::from(couplers.len() > 1),
            couplers: Vector::pods(context, "couplers of a mesh", &couplers)?,
            transmission: loss.transmission,
            imbalance,
            columns: Vector::pods(context, "columns of a mesh", &columns)?,
            coefficients: context.buffer("coefficients of a mesh", 32 * mesh.mzis() as u64, storage)?,
            factors: context.buffer("output factors of a mesh", 8 * mesh.modes() as u64, storage)?,
            mesh: mesh.clone(),
            gpu,
        })
    }

    /// The plan where a mode of a sample takes `bytes` of workgroup memory.
    fn plan(&self, batch: usize, bytes: usize) -> Plan {
        let memory = self.gpu.commands.context.limits.max_compute_workgroup_storage_size as usize;
        Plan::new(self.mesh.modes(), batch, memory / bytes)
    }

    /// Passes on the way back, and the rows of their phase gradients.
    fn passes_back(&self, plan: &Plan, batch: usize) -> (Vec<Range<usize>>, usize) {
        let rows = plan.partial_rows(batch);
        (plan.passes(&self.mesh, rows), rows)
    }

    fn parameters(&self, plan: &Plan, batch: usize, columns: &Range<usize>) -> Result<MeshColumns> {
        Ok(MeshColumns {
            modes: count(self.mesh.modes())?,
            batch: count(batch)?,
            first_column: count(columns.start)?,
            last_column: count(columns.end)?,
            windows: count(plan.windows)?,
            tile: count(plan.tile)?,
            halo: count(plan.halo)?,
            samples: count(plan.samples)?,
            pair_lanes: count(plan.pair_lanes)?,
            unbalanced: u32::from(self.imbalance.is_some()),
            first_mzi: count(self.mesh.columns()[columns.start].first_mzi)?,
            chunk_mzis: count(mzis(&self.mesh, columns))?,
            coupler_stride: count(self.coupler_stride)?,
            finish: u32::from(columns.end == self.mesh.columns().len()),
        })
    }

    /// Something must be bound where nothing is read.
    fn imbalance(&self) -> &wgpu::Buffer {
        self.imbalance.as_ref().map_or(&self.factors, |imbalance| &imbalance.buffer)
    }
}

impl GpuStage for MeshStage {
    fn program(&self, controls: &wgpu::Buffer) -> Result<()> {
        let (mzis, modes) = (self.mesh.mzis(), self.mesh.modes());
        let parameters = MeshCoefficients {
            mzis: count(mzis)?,
            first: 0,
            count: count(mzis)?,
            outputs: count(modes)?,
            offset: count(self.offset)?,
            has_errors: u32::from(self.phase_errors.is_some()),
            coupler_stride: count(self.coupler_stride)?,
            transmission: self.transmission as f32,
        };
        let errors = self.phase_errors.as_ref().map_or(controls, |errors| &errors.buffer);
        let buffers = [controls, errors, &self.couplers, &self.coefficients, &self.factors];
        self.gpu.each(Stage::MeshCoefficients, &parameters, &buffers, mzis + modes)
    }

    fn needs(&self, batch: usize, backward: bool) -> Needs {
        let fields = batch * self.mesh.modes();
        let forward = self.plan(batch, FIELD);
        let between = forward.passes(&self.mesh, 0).len() > 1;
        let mut needs = vec![(Slot::Fields, if between { FIELD * fields } else { 0 } as u64)];
        if backward {
            let plan = self.plan(batch, STATE);
            let (passes, rows) = self.passes_back(&plan, batch);
            let most = passes.iter().map(|pass| mzis(&self.mesh, pass)).max().unwrap_or(0);
            needs.push((Slot::StatesA, (STATE * fields) as u64));
            needs.push((Slot::StatesB, (STATE * fields) as u64));
            needs.push((Slot::Products, 4 * fields as u64));
            needs.push((Slot::Partial, 8 * (rows * most) as u64));
        }
        Needs::of(&needs)
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, scratch: &Scratch) -> Result<()> {
        let commands = &self.gpu.commands;
        let plan = self.plan(batch, FIELD);
        let constants = [("GROUP", GROUP as u32), ("SLOTS", count(plan.slots)?)];
        let pipeline = commands.pipeline(Stage::MeshForward, &constants)?;
        let passes = plan.passes(&self.mesh, 0);
        let mut before = input;
        for (index, columns) in passes.iter().enumerate() {
            // In turn, so that the last pass writes the output.
            let last = (passes.len() - 1 - index).is_multiple_of(2);
            let after = if last { output } else { scratch.get(Slot::Fields) };
            let buffers = [&self.columns, &self.coefficients, self.imbalance(), before, &self.factors, after];
            commands.dispatch(&pipeline, &self.parameters(&plan, batch, columns)?, &buffers, plan.groups(batch))?;
            before = after;
        }
        Ok(())
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        let (commands, scratch, batch) = (&self.gpu.commands, pass.scratch, pass.batch);
        let (modes, total) = (self.mesh.modes(), self.mesh.mzis());
        let fields = batch * modes;
        let products = scratch.get(Slot::Products);
        let mut states = [scratch.get(Slot::StatesA), scratch.get(Slot::StatesB)];
        let rebuild = self.transmission.recip() as f32;
        let enter = MeshEnter { len: count(fields)?, modes: count(modes)?, rebuild };
        let buffers = [&self.factors, pass.output, pass.adjoint, states[0], products];
        self.gpu.each(Stage::MeshEnterBackward, &enter, &buffers, fields)?;
        Sum {
            source: products,
            rows: batch,
            columns: modes,
            stride: modes,
            factors: None,
            scale: -2.0,
            target: pass.gradient,
            offset: self.offset + 2 * total,
        }
        .record(&self.gpu)?;

        let plan = self.plan(batch, STATE);
        let constants = [("GROUP", GROUP as u32), ("SLOTS", count(plan.slots)?)];
        let pipeline = commands.pipeline(Stage::MeshBackward, &constants)?;
        let (passes, rows) = self.passes_back(&plan, batch);
        let partial = scratch.get(Slot::Partial);
        for columns in passes.iter().rev() {
            let parameters = self.parameters(&plan, batch, columns)?;
            let [after, before] = states;
            let buffers = [&self.columns, &self.coefficients, &self.couplers, self.imbalance(), after, before, partial];
            commands.dispatch(&pipeline, &parameters, &buffers, plan.groups(batch))?;
            states.swap(0, 1);
            let reduce = GradientReduce {
                rows: count(rows)?,
                chunk_mzis: parameters.chunk_mzis,
                first_mzi: parameters.first_mzi,
                mzis: count(total)?,
                offset: count(self.offset)?,
            };
            let sums = 2 * mzis(&self.mesh, columns);
            self.gpu.each(Stage::GradientReduce, &reduce, &[partial, pass.gradient], sums)?;
        }
        self.gpu.each(Stage::MeshLeaveBackward, &Length { len: count(fields)? }, &[states[0], pass.adjoint_in], fields)
    }
}
