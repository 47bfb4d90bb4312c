//! What a GPU knows of a mesh, whichever kernels carry light through it: its errors, and its coefficients at the programmed controls.

use super::estimate::Estimated;
use super::gathered::Gathered;
use super::layout::{MeshCoefficients, MeshEnter, MeshLeave};
use super::stream::{FIELD, STATE, capacity};
use crate::commands::Span;
use crate::engine::Gpu;
use crate::sums::Sum;
use crate::vectors::{Vector, count};
use at_core::Result;
use at_core::optics::mzi::Coupler;
use at_core::optics::{Mesh, MeshLoss};
use at_core::stage::StageErrors;
use at_shaders::Kernel;
use std::ops::Range;

/// Bytes of the coefficients, the couplers and the turn of an MZI, and of a column's loss in one mode.
const COEFFICIENTS: usize = 32;
pub(crate) const COUPLERS: usize = 16;
pub(crate) const TURNS: usize = 8;
const IMBALANCE: usize = 4;

/// Parts of buffers begin at multiples of 256 bytes: of so many MZIs, or modes.
const MZI_STEP: usize = 32;
const MODE_STEP: usize = 64;

/// A mesh, its fabrication errors, and its coefficients.
pub(crate) struct MeshOptics {
    pub gpu: Gpu,
    pub mesh: Mesh,
    /// Where its controls begin.
    pub offset: usize,
    pub phase_errors: Option<Vector>,
    /// `(c, s)` of both couplers; one entry when all are ideal.
    pub couplers: wgpu::Buffer,
    pub coupler_stride: usize,
    /// Field transmission of all columns together, and of each one; none of them where there is no loss.
    pub transmission: f64,
    pub column_losses: Vec<f64>,
    imbalance: Option<wgpu::Buffer>,
    /// The imbalance that it was built with, where losses are estimated.
    known_imbalance: Option<wgpu::Buffer>,
    /// The [`column_table`].
    pub columns: wgpu::Buffer,
    /// `M00, M01, M10, M11` of every MZI; can exceed what one binding holds.
    coefficients: wgpu::Buffer,
    /// Output phases and common loss.
    pub factors: wgpu::Buffer,
    /// Where imperfections are estimated.
    pub estimated: Option<Estimated>,
    /// Of fields and of states (bytes of a mode), the windows and their table, where workgroup memory does not hold all modes that MZIs join.
    gathered: [Option<(Gathered, wgpu::Buffer)>; 2],
}

/// Bytes of a mode in workgroup memory: its field alone, or with the adjoint.
const OF_A_MODE: [usize; 2] = [FIELD, STATE];

/// Parts of the buffers that belong to some columns, and the numbers from which they count.
pub(crate) struct ColumnSpans<'a> {
    pub coefficients: Span<'a>,
    pub couplers: Span<'a>,
    pub imbalance: Span<'a>,
    /// Of no use unless imperfections are estimated.
    pub turns: Span<'a>,
    pub base_mzi: usize,
    pub base_imbalance: usize,
}

impl MeshOptics {
    /// The mesh with the given errors; its controls begin at `offset`.
    pub fn new(gpu: Gpu, mesh: &Mesh, errors: &StageErrors, offset: usize) -> Result<Self> {
        let context = &gpu.commands.context;
        let coupler = |first, second| {
            let (first, second) = (Coupler::<f64>::new(first), Coupler::<f64>::new(second));
            [first.c, first.s, second.c, second.s].map(|x| x as f32)
        };
        let mut couplers = vec![coupler(0.0, 0.0)];
        let mut loss = MeshLoss { transmission: 1.0, columns: Vec::new(), imbalance: None };
        let mut phase_errors = None;
        let own = errors.get(["first_coupler", "second_coupler", "phases", "loss_db"]);
        if let Some([first_coupler, second_coupler, phases, loss_db]) = own {
            if first_coupler.iter().chain(second_coupler).any(|&delta| delta != 0.0) {
                couplers = first_coupler.iter().zip(second_coupler).map(|(&a, &b)| coupler(a, b)).collect();
            }
            if phases.iter().any(|&phase| phase != 0.0) {
                phase_errors = Some(Vector::upload(context, "phase errors of a mesh", phases)?);
            }
            loss = MeshLoss::new(mesh, loss_db)?;
        }
        if mesh.losses_unknown() {
            loss.imbalance.get_or_insert_with(|| vec![1.0; mesh.columns().len() * mesh.modes()]);
        }
        let upload = |factors: &Vec<f64>| {
            let factors: Vec<f32> = factors.iter().map(|&factor| factor as f32).collect();
            Vector::pods_in_parts(context, "loss imbalance of a mesh", &factors)
        };
        let imbalance = loss.imbalance.as_ref().map(upload).transpose()?;
        let known_imbalance = loss.imbalance.as_ref().filter(|_| mesh.losses_unknown()).map(upload).transpose()?;
        let columns = column_table(mesh, |_| 0)?;
        let windows = |bytes: usize| -> Result<Option<(Gathered, wgpu::Buffer)>> {
            let capacity = capacity(&gpu, bytes);
            if mesh.joins_neighbours() || mesh.die_modes() <= capacity {
                return Ok(None);
            }
            let gathered = Gathered::new(mesh, capacity);
            let table = Vector::pods(context, "windows of a mesh", &gathered.table(mesh, |_| 0)?)?;
            Ok(Some((gathered, table)))
        };
        let [of_fields, of_states] = OF_A_MODE.map(windows);
        let storage = wgpu::BufferUsages::STORAGE;
        let bytes = (COEFFICIENTS * mesh.mzis()) as u64;
        Ok(MeshOptics {
            offset,
            phase_errors,
            coupler_stride: usize::from(couplers.len() > 1),
            couplers: Vector::pods_in_parts(context, "couplers of a mesh", &couplers)?,
            transmission: loss.transmission,
            column_losses: loss.columns,
            imbalance,
            known_imbalance,
            columns: Vector::pods(context, "columns of a mesh", &columns)?,
            coefficients: context.buffer_in_parts("coefficients of a mesh", bytes, storage)?,
            factors: context.buffer("output factors of a mesh", 8 * mesh.modes() as u64, storage)?,
            estimated: None,
            gathered: [of_fields?, of_states?],
            mesh: mesh.clone(),
            gpu,
        })
    }

    /// The windows of modes that take so many bytes each, where MZIs join more of them than workgroup memory holds.
    pub fn gathered(&self, bytes: usize) -> Option<&Gathered> {
        self.of_bytes(bytes).map(|(gathered, _)| gathered)
    }

    /// What kernels that stream such modes read of columns.
    pub fn table(&self, bytes: usize) -> &wgpu::Buffer {
        self.of_bytes(bytes).map_or(&self.columns, |(_, table)| table)
    }

    fn of_bytes(&self, bytes: usize) -> Option<&(Gathered, wgpu::Buffer)> {
        OF_A_MODE.iter().zip(&self.gathered).find(|(own, _)| **own == bytes).and_then(|(_, gathered)| gathered.as_ref())
    }

    /// Most MZIs whose coefficients one binding holds.
    pub fn mzis_at_once(&self) -> usize {
        let most = self.gpu.commands.context.limits.max_storage_buffer_binding_size as usize / COEFFICIENTS;
        (most / MZI_STEP * MZI_STEP).saturating_sub(MZI_STEP).max(MZI_STEP)
    }

    /// Most columns whose imbalance one binding holds.
    pub fn columns_at_once(&self) -> usize {
        match &self.imbalance {
            Some(_) => {
                let bytes = self.gpu.commands.context.limits.max_storage_buffer_binding_size as usize;
                (bytes / IMBALANCE - MODE_STEP) / self.mesh.modes()
            }
            None => usize::MAX,
        }
    }

    /// The imbalance and that which the mesh was built with; none unless losses are estimated. Both are shorter than an estimate, which one
    /// binding holds.
    pub fn losses(&self) -> Option<[&wgpu::Buffer; 2]> {
        Some([self.imbalance.as_ref()?, self.known_imbalance.as_ref()?])
    }

    /// Whether waveguides of a column lose differently.
    pub fn unbalanced(&self) -> bool {
        self.imbalance.is_some()
    }

    /// MZIs of some columns, as a range.
    pub fn mzis(&self, columns: &Range<usize>) -> Range<usize> {
        let first = |column: usize| self.mesh.columns().get(column).map_or(self.mesh.mzis(), |column| column.first_mzi);
        first(columns.start)..first(columns.end)
    }

    /// What kernels bind for some columns.
    pub fn spans(&self, columns: &Range<usize>) -> ColumnSpans<'_> {
        let mzis = self.mzis(columns);
        let base_mzi = mzis.start / MZI_STEP * MZI_STEP;
        let modes = self.mesh.modes();
        let base_imbalance = columns.start * modes / MODE_STEP * MODE_STEP;
        // At least one element: a binding is never empty.
        let part = |buffer, size: usize, base: usize, end: usize| {
            let bytes = Some((size * (end - base).max(1)) as u64);
            Span { buffer, start: (size * base) as u64, bytes }
        };
        let base_mzi = base_mzi.min(self.mesh.mzis().saturating_sub(1) / MZI_STEP * MZI_STEP);
        ColumnSpans {
            coefficients: part(&self.coefficients, COEFFICIENTS, base_mzi, mzis.end.max(base_mzi)),
            couplers: match self.coupler_stride {
                0 => (&self.couplers).into(),
                _ => part(&self.couplers, COUPLERS, base_mzi, mzis.end.max(base_mzi)),
            },
            imbalance: match &self.imbalance {
                Some(imbalance) => part(imbalance, IMBALANCE, base_imbalance, columns.end * modes),
                // Something must be bound where nothing is read.
                None => (&self.factors).into(),
            },
            turns: match &self.estimated {
                Some(estimated) => part(&estimated.turns, TURNS, base_mzi, mzis.end.max(base_mzi)),
                None => (&self.factors).into(),
            },
            base_mzi,
            base_imbalance,
        }
    }

    /// Coefficients at these controls.
    pub fn program(&self, controls: &wgpu::Buffer) -> Result<()> {
        let (mzis, modes) = (self.mesh.mzis(), self.mesh.modes());
        let errors = self.phase_errors.as_ref().map_or(controls, |errors| &errors.buffer);
        for range in self.parts() {
            let outputs = if range.start == 0 { modes } else { 0 };
            let parameters = MeshCoefficients {
                mzis: count(mzis)?,
                first: count(range.start)?,
                count: count(range.len())?,
                outputs: count(outputs)?,
                offset: count(self.offset)?,
                has_errors: u32::from(self.phase_errors.is_some()),
                coupler_stride: count(self.coupler_stride)?,
                transmission: self.transmission as f32,
            };
            let couplers = match self.coupler_stride {
                0 => (&self.couplers).into(),
                _ => self.part_of(&self.couplers, COUPLERS, &range),
            };
            let coefficients = self.part_of(&self.coefficients, COEFFICIENTS, &range);
            let buffers = [controls.into(), errors.into(), couplers, coefficients, (&self.factors).into()];
            self.gpu.each(Kernel::MeshCoefficients, &parameters, &buffers, range.len() + outputs)?;
        }
        self.turn(controls)
    }

    /// Ranges of MZIs, at least one, each of which a binding holds.
    pub fn parts(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (mzis, most) = (self.mesh.mzis(), self.mzis_at_once());
        (0..mzis.max(1)).step_by(most).map(move |first| first..mzis.min(first + most))
    }

    /// The part of a buffer with `size` bytes per MZI that belongs to such a range.
    pub fn part_of<'a>(&self, buffer: &'a wgpu::Buffer, size: usize, range: &Range<usize>) -> Span<'a> {
        // At least one element: a binding is never empty.
        let bytes = Some((size * range.len().max(1)) as u64);
        Span { buffer, start: (size * range.start) as u64, bytes }
    }

    /// Starts the way back: fields and adjoints before the output phases into `states`, and the gradient of the output phases.
    pub fn enter_backward(
        &self,
        output: &wgpu::Buffer,
        adjoint: &wgpu::Buffer,
        batch: usize,
        order: StateOrder,
        states: &wgpu::Buffer,
        products: &wgpu::Buffer,
        gradient: &wgpu::Buffer,
    ) -> Result<()> {
        let modes = self.mesh.modes();
        let fields = batch * modes;
        let (stride, second) = order.places(fields);
        let enter = MeshEnter {
            len: count(fields)?,
            modes: count(modes)?,
            rebuild: self.transmission.recip() as f32,
            stride: count(stride)?,
            second: count(second)?,
        };
        self.gpu.each(
            Kernel::MeshEnterBackward,
            &enter,
            &[&self.factors, output, adjoint, states, products],
            fields,
        )?;
        Sum {
            source: products,
            rows: batch,
            columns: modes,
            stride: modes,
            factors: None,
            scale: -2.0,
            target: gradient,
            offset: self.offset + 2 * self.mesh.mzis(),
        }
        .record(&self.gpu)
    }

    /// Ends the way back: the adjoints of `states` alone.
    pub fn leave_backward(
        &self,
        states: &wgpu::Buffer,
        batch: usize,
        order: StateOrder,
        adjoint: &wgpu::Buffer,
    ) -> Result<()> {
        let fields = batch * self.mesh.modes();
        let (stride, second) = order.places(fields);
        let leave = MeshLeave { len: count(fields)?, stride: count(stride)?, second: count(second)? };
        self.gpu.each(Kernel::MeshLeaveBackward, &leave, &[states, adjoint], fields)
    }
}

/// Of every column `(first row, count, first MZI, what is the column's own)`. In a mesh whose MZIs do not join neighbours the first number is instead
/// the place in this table where the column's pairs begin: `(upper, lower, upper, lower)` of two MZIs each, behind all columns.
pub(crate) fn column_table(mesh: &Mesh, own: impl Fn(usize) -> u32) -> Result<Vec<[u32; 4]>> {
    let mut table = Vec::with_capacity(mesh.columns().len());
    let mut pairs = Vec::new();
    for (index, column) in mesh.columns().iter().enumerate() {
        let mut first = column.first_row;
        if !mesh.joins_neighbours() {
            first = mesh.columns().len() + pairs.len();
            for pair in (0..column.count).step_by(2) {
                let [upper, lower] = mesh.rows(column, pair);
                let [next, below] = mesh.rows(column, (pair + 1).min(column.count - 1));
                pairs.push([count(upper)?, count(lower)?, count(next)?, count(below)?]);
            }
        }
        table.push([count(first)?, count(column.count)?, count(column.first_mzi)?, own(index)]);
    }
    table.extend(pairs);
    Ok(table)
}

/// How fields and adjoints lie in one buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StateOrder {
    /// Every field beside its adjoint.
    Beside,
    /// All fields, then all adjoints.
    Stacked,
}

impl StateOrder {
    /// Distance of two fields, and place of the first adjoint.
    pub fn places(self, fields: usize) -> (usize, usize) {
        match self {
            StateOrder::Beside => (2, 1),
            StateOrder::Stacked => (1, fields),
        }
    }
}
