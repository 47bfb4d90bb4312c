//! An estimate of a mesh's imperfections on a GPU: what it makes of couplers and phase errors, and what belongs to it alone.
//!
//! The stages do all of it. Only the walks of the phases of waveguides through the columns are not spread over samples or MZIs: one
//! workgroup per die takes column after column.

use super::layout::{MeshEstimate, MeshLosses, MeshTurnAdjoint, Waveguides};
use super::optics::{COUPLERS, MeshOptics, TURNS};
use super::stream::paired;
use crate::context::LOOP_CAP;
use crate::scratch::{Scratch, Slot};
use crate::vectors::{At, Vector, count};
use at_core::Result;
use at_core::optics::waveguide_phases::waveguides;
use at_shaders::Kernel;
use std::ops::Range;

/// Invocations of a workgroup that walks.
const LANES: usize = 256;

/// What a mesh holds besides where its imperfections are estimated.
pub(crate) struct Estimated {
    /// `(cos φ, sin φ)` of every MZI; can exceed what one binding holds.
    pub turns: wgpu::Buffer,
    /// A number per mode that a walk hands from pass to pass.
    walk: wgpu::Buffer,
}

impl MeshOptics {
    /// Takes on the mesh's part of an estimate, ordered as [`at_core::propagator::Tunable`] says: couplers and phase errors become its
    /// own, and losses, where they are estimated, come beside those that it was built with.
    pub fn take_on(&mut self, (estimate, offset): At) -> Result<()> {
        self.make_room()?;
        let errors = &self.phase_errors.as_ref().expect("there is room").buffer;
        let mzis = self.mesh.mzis();
        for range in self.parts() {
            let couplers = self.part_of(&self.couplers, COUPLERS, &range);
            let buffers = [estimate.into(), couplers, errors.into()];
            let parameters = MeshEstimate {
                mzis: count(mzis)?,
                first: count(range.start)?,
                count: count(range.len())?,
                offset: count(offset)?,
            };
            self.gpu.each(Kernel::MeshEstimate, &parameters, &buffers, range.len())?;
        }
        for columns in self.walks() {
            self.walk(Kernel::MeshWaveguideErrors, &columns, estimate, errors, offset)?;
        }
        let Some([imbalance, known]) = self.losses() else { return Ok(()) };
        let places = self.mesh.columns().len() * self.mesh.modes();
        let first = offset + 3 * mzis + waveguides(&self.mesh);
        let parameters = MeshLosses { count: count(places)?, offset: count(first)? };
        self.gpu.each(Kernel::MeshLosses, &parameters, &[estimate, known, imbalance], places)
    }

    /// The adjoints behind the mesh a quarter turn back, with which the way back finds slopes of losses in the place of those of phases.
    pub fn turn_adjoint<'a>(
        &self,
        adjoint: &wgpu::Buffer,
        batch: usize,
        scratch: &'a Scratch,
    ) -> Result<&'a wgpu::Buffer> {
        let (turned, len) = (scratch.get(Slot::Turned), batch * self.mesh.modes());
        self.gpu.each(Kernel::MeshTurnAdjoint, &MeshTurnAdjoint { len: count(len)? }, &[adjoint, turned], len)?;
        Ok(turned)
    }

    /// From what such a way back has left in the controls' `gradient` to the losses' part of the imperfections'. It writes before that part too,
    /// only to what the slopes of couplers and phases are written to afterwards.
    pub fn loss_gradient(&self, gradient: &wgpu::Buffer, (imperfections, offset): At) -> Result<()> {
        // nothing is lost in front of the first column: the first piece of waveguides lies where the last one's phases will
        self.phase_gradient(gradient, (imperfections, offset + waveguides(&self.mesh) - self.mesh.modes()))
    }

    /// `(cos φ, sin φ)` at these controls, where imperfections are estimated.
    pub fn turn(&self, controls: &wgpu::Buffer) -> Result<()> {
        let (Some(estimated), Some(errors)) = (&self.estimated, &self.phase_errors) else { return Ok(()) };
        for range in self.parts() {
            let turns = self.part_of(&estimated.turns, TURNS, &range);
            let parameters = MeshEstimate {
                mzis: count(self.mesh.mzis())?,
                first: count(range.start)?,
                count: count(range.len())?,
                offset: count(self.offset)?,
            };
            let buffers = [controls.into(), (&errors.buffer).into(), turns];
            self.gpu.each(Kernel::MeshTurns, &parameters, &buffers, range.len())?;
        }
        Ok(())
    }

    /// From the controls' `gradient` to the parts of the imperfections' that follow from it: of δθ and of the waveguides.
    pub fn phase_gradient(&self, gradient: &wgpu::Buffer, (imperfections, offset): At) -> Result<()> {
        self.walks()
            .iter()
            .rev()
            .try_for_each(|columns| self.walk(Kernel::MeshWaveguideGradient, columns, gradient, imperfections, offset))
    }

    /// Buffers for couplers and phase errors of every MZI, where the mesh was built without, and for what an estimate needs besides.
    fn make_room(&mut self) -> Result<()> {
        if self.estimated.is_some() {
            return Ok(());
        }
        let (context, storage) = (&self.gpu.commands.context, wgpu::BufferUsages::STORAGE);
        let mzis = self.mesh.mzis();
        if self.coupler_stride == 0 {
            let bytes = (COUPLERS * mzis) as u64;
            self.couplers = context.buffer_in_parts("couplers of a mesh", bytes, storage)?;
            self.coupler_stride = 1;
        }
        if self.phase_errors.is_none() {
            self.phase_errors = Some(Vector::zeros(context, "phase errors of a mesh", self.mesh.controls())?);
        }
        self.estimated = Some(Estimated {
            turns: context.buffer_in_parts("turns of a mesh", (TURNS * mzis) as u64, storage)?,
            walk: context.buffer("walk through a mesh", 4 * self.mesh.modes() as u64, storage)?,
        });
        Ok(())
    }

    /// One pass through some columns, one way or the other.
    fn walk(
        &self,
        kernel: Kernel,
        columns: &Range<usize>,
        source: &wgpu::Buffer,
        target: &wgpu::Buffer,
        offset: usize,
    ) -> Result<()> {
        let Some(Estimated { walk, .. }) = &self.estimated else { return Ok(()) };
        let parameters = Waveguides {
            modes: count(self.mesh.modes())?,
            dies: count(self.mesh.dies())?,
            mzis: count(self.mesh.mzis())?,
            columns: count(self.mesh.columns().len())?,
            first_column: count(columns.start)?,
            last_column: count(columns.end)?,
            offset: count(offset)?,
            controls: count(self.offset)?,
            ends: u32::from(columns.end == self.mesh.columns().len()),
        };
        let pipeline = self.gpu.commands.pipeline(kernel, &[("PAIRED", paired(self))])?;
        let buffers = [&self.columns, source, walk, target];
        self.gpu.commands.dispatch(&pipeline, &parameters, &buffers, self.mesh.dies())
    }

    /// The columns of every pass, in the order of light.
    fn walks(&self) -> Vec<Range<usize>> {
        let turns = |items: usize| items.div_ceil(LANES);
        let modes = self.mesh.die_modes();
        let column = 1 + turns(modes) + turns(modes / 2);
        let longest = ((LOOP_CAP - turns(modes)) / column).max(1);
        let columns = self.mesh.columns().len();
        (0..columns).step_by(longest).map(|first| first..columns.min(first + longest)).collect()
    }
}
