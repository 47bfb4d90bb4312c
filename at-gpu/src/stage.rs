//! What every stage does on a GPU.

use crate::attenuators::AttenuatorStage;
use crate::dense::DenseStage;
use crate::engine::Gpu;
use crate::mesh::MeshStage;
use crate::mesh_estimate::At;
use crate::pointwise::{ActivationStage, DetectionStage, ModulationStage, RectifierStage};
use crate::scratch::{Needs, Scratch};
use crate::tiling::TilingStage;
use at_core::chip::StageErrors;
use at_core::stage::{
    Attenuators, Combiner, Element, Matrix, Modulation, Nonlinearity, Photodetection, Rectifier, Splitter, Stage,
    WeightBank,
};
use at_core::{Error, Result};

/// One stage with its imperfections. Every call records dispatches and returns; nothing is waited for.
pub(crate) trait GpuStage {
    /// Sets the stage's effective controls, which lie at its own offset in the network's `controls`.
    fn program(&self, controls: &wgpu::Buffer) -> Result<()>;

    /// Takes on its part of an estimate of its imperfections, which counts from the next [`GpuStage::program`] on. Only stages that have
    /// any are asked.
    fn take_on(&mut self, _estimate: At) -> Result<()> {
        Ok(())
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

    /// The stage as a mesh, if it is one.
    fn as_mesh(&self) -> Option<&MeshStage> {
        None
    }
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

/// Builds a stage with its errors; its controls begin at `offset`.
pub(crate) fn build(gpu: &Gpu, stage: &Stage, errors: &StageErrors, offset: usize) -> Result<Box<dyn GpuStage>> {
    let gpu = gpu.clone();
    Ok(match *stage {
        Stage::Mesh(ref mesh) => Box::new(MeshStage::new(gpu, mesh, errors, offset)?),
        Stage::Attenuators(Attenuators { inputs, outputs }) => {
            Box::new(AttenuatorStage::new(gpu, inputs, outputs, offset)?)
        }
        Stage::Splitter(Splitter { inputs, copies }) => Box::new(TilingStage::splitter(gpu, inputs, copies)?),
        Stage::Combiner(Combiner { outputs, parts, block }) => {
            Box::new(TilingStage::combiner(gpu, outputs, parts, block)?)
        }
        Stage::Activation(Nonlinearity { modes, activation }) => Box::new(ActivationStage { gpu, modes, activation }),
        Stage::Detection(Photodetection { modes, detection }) => Box::new(DetectionStage { gpu, modes, detection }),
        Stage::Modulation(Modulation { modes }) => Box::new(ModulationStage { gpu, modes }),
        Stage::Rectifier(Rectifier { modes, threshold }) => {
            Box::new(RectifierStage { gpu, modes, threshold: threshold as f32 })
        }
        Stage::Matrix(Matrix { inputs, outputs }) => {
            Box::new(DenseStage::matrix(gpu, inputs, outputs, errors, offset)?)
        }
        Stage::WeightBank(WeightBank { inputs, outputs }) => {
            Box::new(DenseStage::weight_bank(gpu, inputs, outputs, errors, offset)?)
        }
        Stage::Own(ref element) => {
            let what = format!("{}, which has no kernels, on a GPU", element.words());
            let instead = "choose `engine` cpu, which runs the plain meaning of an element of one's own".into();
            return Err(Error::Unsupported { what, instead });
        }
    })
}
