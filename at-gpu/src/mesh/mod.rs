//! A mesh as a stage on a GPU: chooses how light crosses it, and keeps what depends on the programmed controls.

pub(crate) mod blocks;
mod cost;
mod estimate;
mod gathered;
mod lanes;
mod layout;
mod measured;
mod optics;
mod passes;
mod send;
mod stream;
mod stream_plan;
mod whole;

pub(crate) use cost::side_by_side;
pub use measured::measure_mesh_costs;

use crate::engine::Gpu;
use crate::preferences::{Crossing, MeshVariant};
use crate::scratch::{Needs, Scratch, Slot};
use crate::stage::{Backward, BothWays, Device, GpuStage, OfStage, OnGpu, Training};
use crate::vectors::At;
use at_core::Result;
use at_core::optics::Mesh;
use at_core::stage::StageErrors;
use blocks::BlockMatrices;
use optics::{MeshOptics, StateOrder};
use passes::Ends;
use send::Ways;
use whole::WholeMatrix;

/// A mesh with its errors and matrices.
pub(crate) struct MeshStage {
    optics: MeshOptics,
    blocks: BlockMatrices,
    whole: WholeMatrix,
    ways: Ways,
}

/// Sums over blocks, products and phase gradients in between: what the kernels allow themselves.
const BETWEEN: u64 = 160 << 20;

impl OnGpu for Mesh {
    fn on_gpu(&self, gpu: Gpu, errors: &StageErrors, offset: usize) -> Result<Box<dyn GpuStage>> {
        let optics = MeshOptics::new(gpu, self, errors, offset)?;
        let (blocks, whole, ways) = (BlockMatrices::new(self), WholeMatrix::new(), Ways::default());
        Ok(Box::new(MeshStage { optics, blocks, whole, ways }))
    }

    fn memory(&self, training: &Training, device: &Device) -> OfStage {
        let Training { imperfect, batch, estimate, .. } = *training;
        let (modes, mzis, controls) = (self.modes() as u64, self.mzis() as u64, self.controls() as u64);
        let (errors, variant) = (u64::from(imperfect), device.costs.choose(self, batch, device.binding, None));
        let mut networks = 2 * 32 * mzis + errors * (16 * mzis + 4 * controls);
        // pairs, and where windows gather them for light on either way
        networks += if self.joins_neighbours() { 0 } else { 40 * mzis };
        networks += errors * 4 * modes * self.columns().len() as u64;
        // Couplers, phase errors and turns of the model, and its walk from column to column.
        networks += u64::from(estimate) * (24 * mzis + 4 * controls + 4 * modes);
        if variant.crossing() == Crossing::Blocks {
            networks += (2 + errors) * BlockMatrices::bytes(self);
        }
        let mut crossing = batch as u64;
        if variant.is_whole() {
            networks += 2 * WholeMatrix::bytes(self);
            crossing = crossing.max(modes);
        }
        OfStage { networks, states: 16 * crossing * modes, between: BETWEEN }
    }
}

impl MeshStage {
    fn variant(&self, batch: usize) -> MeshVariant {
        let (gpu, mesh) = (&self.optics.gpu, &self.optics.mesh);
        let preferred = gpu.preferences.mesh.filter(|variant| variant.carries(mesh));
        preferred.unwrap_or_else(|| MeshVariant::chosen(gpu, mesh, batch))
    }

    /// Sends samples through the mesh itself.
    fn cross(&self, crossing: Crossing, batch: usize, ends: Ends) -> Result<()> {
        match crossing {
            Crossing::Lanes => lanes::forward(&self.optics, batch, ends),
            Crossing::Stream => stream::forward(&self.optics, batch, ends),
            Crossing::Blocks => self.blocks.forward(&self.optics, batch, ends),
        }
    }

    fn matrix(&self, variant: MeshVariant, scratch: &Scratch) -> Result<&wgpu::Buffer> {
        self.whole.matrix(&self.optics, scratch, |input, output, between| {
            self.cross(variant.crossing(), self.optics.mesh.modes(), Ends { input, output, between })
        })
    }
}

fn order(crossing: Crossing) -> StateOrder {
    match crossing {
        Crossing::Stream => stream::ORDER,
        Crossing::Lanes => lanes::ORDER,
        Crossing::Blocks => blocks::ORDER,
    }
}

impl GpuStage for MeshStage {
    fn both_ways(&self) -> Option<&dyn BothWays> {
        Some(self)
    }

    fn take_on(&mut self, estimate: At) -> Result<()> {
        self.optics.take_on(estimate)
    }

    fn program(&self, controls: &wgpu::Buffer) -> Result<()> {
        self.blocks.forget();
        self.whole.forget();
        self.optics.program(controls)
    }

    fn needs(&self, batch: usize, backward: bool) -> Needs {
        let (optics, variant) = (&self.optics, self.variant(batch));
        let crossing = if variant.is_whole() { optics.mesh.modes() } else { batch };
        let mut needs = match variant.crossing() {
            Crossing::Lanes => lanes::needs(optics, crossing, backward),
            Crossing::Stream => stream::needs(optics, crossing, backward),
            Crossing::Blocks => BlockMatrices::needs(optics, crossing, backward),
        };
        if variant.is_whole() {
            needs.extend(WholeMatrix::needs(optics, batch, backward));
        }
        if backward {
            needs.push((Slot::Products, 4 * (batch * optics.mesh.modes()) as u64));
        }
        Needs::of(&needs)
    }

    fn needs_of_imperfections(&self, batch: usize) -> Needs {
        let samples = if self.variant(batch).is_whole() { self.optics.mesh.modes() } else { batch };
        let streamed = Needs::of(&stream::needs_of_imperfections(&self.optics, samples));
        let turned = if self.optics.mesh.losses_unknown() { 8 * (batch * self.optics.mesh.modes()) as u64 } else { 0 };
        streamed.max(self.needs(batch, true)).max(Needs::of(&[(Slot::Turned, turned)]))
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, scratch: &Scratch) -> Result<()> {
        let variant = self.variant(batch);
        if variant.is_whole() {
            let matrix = self.matrix(variant, scratch)?;
            return WholeMatrix::multiply(&self.optics, matrix, input, batch, false, output);
        }
        self.cross(variant.crossing(), batch, Ends { input, output, between: scratch.get(Slot::Fields) })
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        if let Some(imperfections) = pass.imperfections.filter(|_| self.optics.mesh.losses_unknown()) {
            let turned = self.optics.turn_adjoint(pass.adjoint, pass.batch, pass.scratch)?;
            self.carry_back(&Backward { adjoint: turned, imperfections: None, ..*pass })?;
            self.optics.loss_gradient(pass.gradient, imperfections)?;
        }
        self.carry_back(pass)
    }
}

impl MeshStage {
    /// From the adjoint of the output to that of the input, and the gradients but for that of losses.
    fn carry_back(&self, pass: &Backward) -> Result<()> {
        let (optics, scratch, batch) = (&self.optics, pass.scratch, pass.batch);
        let variant = self.variant(batch);
        let states = [scratch.get(Slot::StatesA), scratch.get(Slot::StatesB)];
        // Slopes of couplers come from the stage that carries every mesh, whatever is best without them.
        let crossing = if pass.imperfections.is_some() { Crossing::Stream } else { variant.crossing() };
        let entered = if variant.is_whole() { StateOrder::Stacked } else { order(crossing) };
        let products = scratch.get(Slot::Products);
        optics.enter_backward(pass.output, pass.adjoint, batch, entered, states[0], products, pass.gradient)?;
        let mut samples = batch;
        if variant.is_whole() {
            let matrix = self.matrix(variant, scratch)?;
            WholeMatrix::multiply(optics, matrix, pass.adjoint, batch, true, pass.adjoint_in)?;
            WholeMatrix::compress(optics, batch, order(crossing), scratch)?;
            samples = optics.mesh.modes();
        }
        let left = match crossing {
            Crossing::Lanes => lanes::backward(optics, states, samples, pass.gradient, scratch)?,
            Crossing::Stream => stream::backward(optics, states, samples, pass.gradient, pass.imperfections, scratch)?,
            Crossing::Blocks => self.blocks.backward(optics, states, samples, pass.gradient, scratch)?,
        };
        if let Some(imperfections) = pass.imperfections {
            optics.phase_gradient(pass.gradient, imperfections)?;
        }
        if variant.is_whole() {
            return Ok(());
        }
        optics.leave_backward(left, batch, order(crossing), pass.adjoint_in)
    }
}
