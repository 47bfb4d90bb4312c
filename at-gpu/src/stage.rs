//! What every stage does on a GPU.

use crate::costs::MeshCosts;
use crate::engine::Gpu;
use crate::scratch::{Needs, Scratch};
use crate::vectors::At;
use at_core::network::Network;
use at_core::propagator::Direction;
use at_core::stage::{Element, Own, Stage, StageErrors, with_stage};
use at_core::{Error, Result};

/// One stage with its imperfections. Every call records dispatches and returns; nothing is waited for.
pub(crate) trait GpuStage {
    /// Sets the stage's effective controls, which lie at its own offset in the network's `controls`.
    fn program(&self, controls: &wgpu::Buffer) -> Result<()>;

    /// Takes on its part of an estimate of its imperfections, which counts from the next [`GpuStage::program`] on. Only stages that have
    /// any are asked, and each of them answers for itself.
    fn take_on(&mut self, _estimate: At) -> Result<()> {
        let what = "an estimate of the imperfections of one of these stages on a GPU".into();
        Err(Error::Unsupported { what, instead: "pass `engine` cpu".into() })
    }

    /// Memory between its dispatches for a batch, on the way forward or on both ways.
    fn needs(&self, batch: usize, backward: bool) -> Needs;

    /// The same on a way back that also asks for the gradient of its imperfections.
    fn needs_of_imperfections(&self, batch: usize) -> Needs {
        self.needs(batch, true)
    }

    /// Output of the stage. The three buffers differ.
    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, scratch: &Scratch) -> Result<()>;

    /// From the adjoint of the output to that of the input, and the controls' part of the network's `gradient`.
    fn backward(&self, pass: &Backward) -> Result<()>;

    /// The stage as one with ports at both ends, if it is a mesh.
    fn both_ways(&self) -> Option<&dyn BothWays> {
        None
    }

    /// The meshes that it is, or is made of, as light meets them.
    fn meshes(&self) -> Vec<&dyn BothWays> {
        self.both_ways().into_iter().collect()
    }
}

/// A mesh: light crosses it in both directions, and is looked at on its way.
pub(crate) trait BothWays {
    /// Modes and controls.
    fn sizes(&self) -> (usize, usize);

    /// Memory between its dispatches.
    fn needs_of_sending(&self, batch: usize, watch: Watch) -> Needs;

    /// Sends `input [batch, modes]` through; `output` gets what leaves at the other end where it is given.
    fn send(
        &self,
        direction: Direction,
        input: &wgpu::Buffer,
        batch: usize,
        output: Option<&wgpu::Buffer>,
        watch: Watch,
        scratch: &Scratch,
    ) -> Result<()>;
}

/// What is looked at, as the kernel counts, and where it goes.
#[derive(Clone, Copy)]
pub(crate) enum Watch<'a> {
    Nothing,
    /// `[controls of the mesh]`, summed over the batch.
    Powers(&'a wgpu::Buffer),
    /// `[batch, controls of the mesh]`.
    Fields(&'a wgpu::Buffer),
}

/// What a stage meets on the way back.
pub(crate) struct Backward<'a> {
    /// What entered the stage.
    pub input: &'a wgpu::Buffer,
    /// What left it.
    pub output: &'a wgpu::Buffer,
    /// The adjoint of what left it.
    pub adjoint: &'a wgpu::Buffer,
    /// Number of samples.
    pub batch: usize,
    /// Where the adjoint of what entered goes.
    pub adjoint_in: &'a wgpu::Buffer,
    /// The network's gradient.
    pub gradient: &'a wgpu::Buffer,
    /// Where the gradient of its imperfections goes, where an estimate of them is programmed and its gradient asked for.
    pub imperfections: Option<At<'a>>,
    /// Memory of at least [`GpuStage::needs`], or of [`GpuStage::needs_of_imperfections`] where their gradient is asked for.
    pub scratch: &'a Scratch,
}

/// A training, as far as its memory depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Training<'a> {
    /// The chip's design.
    pub network: &'a Network,
    /// Whether the chip has imperfections.
    pub imperfect: bool,
    /// Samples per step.
    pub batch: usize,
    /// Vectors that the optimizer keeps beside the parameters.
    pub moments: usize,
    /// Samples of the data, both splits.
    pub samples: usize,
    /// Whether meshes are lit by themselves, those inside other stages too (`subspace`, `in-situ`, `ffm`).
    pub single_meshes: bool,
    /// Whether fields at a mesh's phase shifters are kept for every sample, of both directions (`ffm`).
    pub shifter_fields: bool,
    /// Whether the model estimates the chip's imperfections (`at-adaptive`).
    pub estimate: bool,
}

/// What one stage adds (bytes), beside what follows from its signals and the number of its controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OfStage {
    /// Coefficients, matrices and errors, of chip and model together.
    pub networks: u64,
    /// States of one direction of a pass, which stages take turns to use.
    pub states: u64,
    /// What its kernels keep between their dispatches, which stages take turns to use.
    pub between: u64,
}

impl OfStage {
    /// No memory of its own.
    pub const NOTHING: OfStage = OfStage { networks: 0, states: 0, between: 0 };
}

/// What of a device decides which kernels its stages take, and how much memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Device {
    /// Bytes that a kernel sees at once.
    pub binding: u64,
    pub costs: MeshCosts,
}

/// A kind of stage on this engine, as the file of its name here makes it from its page.
pub(crate) trait OnGpu {
    /// The stage with its errors; its controls begin at `offset`.
    fn on_gpu(&self, gpu: Gpu, errors: &StageErrors, offset: usize) -> Result<Box<dyn GpuStage>>;

    /// Memory of its own in `training`, on a device of this kind.
    fn memory(&self, training: &Training, device: &Device) -> OfStage;
}

/// Builds a stage with its errors; its controls begin at `offset`.
pub(crate) fn build(gpu: &Gpu, stage: &Stage, errors: &StageErrors, offset: usize) -> Result<Box<dyn GpuStage>> {
    with_stage!(stage, page => OnGpu::on_gpu(page, gpu.clone(), errors, offset))
}

/// [`OnGpu::memory`] of a stage.
pub(crate) fn memory(stage: &Stage, training: &Training, device: &Device) -> OfStage {
    with_stage!(stage, page => OnGpu::memory(page, training, device))
}

/// No GPU runs it.
impl OnGpu for Own {
    fn on_gpu(&self, _: Gpu, _: &StageErrors, _: usize) -> Result<Box<dyn GpuStage>> {
        let what = format!("{}, which has no kernels, on a GPU", self.words());
        let instead = "choose `engine` cpu, which runs the plain meaning of an element of one's own".into();
        Err(Error::Unsupported { what, instead })
    }

    fn memory(&self, _: &Training, _: &Device) -> OfStage {
        OfStage::NOTHING
    }
}
