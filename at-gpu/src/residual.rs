//! Residual connections: `y = s·(s·x + F(s·x))`, with s = 1 of numbers and 1/√2 of light.

use crate::engine::Gpu;
use crate::scratch::{Needs, Scratch};
use crate::series::{SeriesStage, reserved};
use crate::stage::{Backward, BothWays, Device, GpuStage, OfStage, OnGpu, Training};
use crate::vectors::At;
use at_core::Result;
use at_core::stage::{Element, Residual, StageErrors};
use std::cell::RefCell;

/// The branch, and what enters an arm.
struct ResidualStage {
    gpu: Gpu,
    branch: SeriesStage,
    share: f64,
    width: usize,
    /// s·x, and the adjoint of what leaves an arm, where s is not 1.
    arms: RefCell<[Option<wgpu::Buffer>; 2]>,
}

impl OnGpu for Residual {
    fn on_gpu(&self, gpu: Gpu, errors: &StageErrors, offset: usize) -> Result<Box<dyn GpuStage>> {
        let branch = SeriesStage::of(&self.branch, gpu.clone(), errors, offset)?;
        let (share, width) = (self.share(), self.input().width());
        Ok(Box::new(ResidualStage { gpu, branch, share, width, arms: RefCell::default() }))
    }

    /// That of the branch, and two arms of chip and model.
    fn memory(&self, training: &Training, device: &Device) -> OfStage {
        let own = self.branch.memory(training, device);
        let arms = if self.share() == 1.0 { 0 } else { 4 * 4 * (training.batch * self.input().width()) as u64 };
        OfStage { between: own.between + arms, ..own }
    }
}

impl ResidualStage {
    /// `s·source`, in `slot` where that is not `source` itself.
    fn arm<'a>(
        &self,
        slot: &'a mut Option<wgpu::Buffer>,
        source: &'a wgpu::Buffer,
        batch: usize,
    ) -> Result<&'a wgpu::Buffer> {
        if self.share == 1.0 {
            return Ok(source);
        }
        let reals = batch * self.width;
        let arm = reserved(&self.gpu, slot, reals)?;
        self.gpu.combine_buffers(self.share, source, 0.0, arm, reals)?;
        Ok(arm)
    }
}

impl GpuStage for ResidualStage {
    fn meshes(&self) -> Vec<&dyn BothWays> {
        self.branch.meshes()
    }

    fn program(&self, controls: &wgpu::Buffer) -> Result<()> {
        self.branch.program(controls)
    }

    fn take_on(&mut self, estimate: At) -> Result<()> {
        self.branch.take_on(estimate)
    }

    fn needs(&self, batch: usize, backward: bool) -> Needs {
        self.branch.needs(batch, backward)
    }

    fn needs_of_imperfections(&self, batch: usize) -> Needs {
        self.branch.needs_of_imperfections(batch)
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, scratch: &Scratch) -> Result<()> {
        let mut arms = self.arms.borrow_mut();
        let enters = self.arm(&mut arms[0], input, batch)?;
        self.branch.forward(enters, batch, output, scratch)?;
        self.gpu.combine_buffers(self.share, enters, self.share, output, batch * self.width)
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        let mut arms = self.arms.borrow_mut();
        let [enters, leaves] = &mut *arms;
        let enters = self.arm(enters, pass.input, pass.batch)?;
        let leaves = self.arm(leaves, pass.adjoint, pass.batch)?;
        // the branch makes again what left its stages, and asks for no output
        self.branch.backward(&Backward { input: enters, adjoint: leaves, ..*pass })?;
        self.gpu.combine_buffers(self.share, leaves, self.share, pass.adjoint_in, pass.batch * self.width)
    }
}
