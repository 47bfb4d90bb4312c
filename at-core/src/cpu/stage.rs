//! What every stage does on the CPU.

use super::attenuators::AttenuatorStage;
use super::dense::DenseStage;
use super::ideal_mesh::IdealMesh;
use super::mesh::MeshStage;
use super::pointwise::{ActivationStage, DetectionStage, ModulationStage, RectifierStage};
use super::sparse::SparseRows;
use super::transfer::{self, TransferStage};
use crate::chip::StageErrors;
use crate::network::Stage;
use crate::{Real, Result};

/// What a stage keeps of a forward pass besides its input and output.
#[derive(Debug, Default)]
pub struct Kept<T> {
    /// The transposed input without its zeros, where that is how it is used.
    pub columns: Option<SparseRows<T>>,
    /// The light took the way of the transfer matrix.
    pub by_matrix: bool,
}

/// One stage with its imperfections. Signals are `[batch, width]`; an adjoint is `∂L/∂z*` of a field and `∂L/∂x` of a real.
pub trait CpuStage<T>: Send {
    /// Sets the stage's effective controls.
    fn program(&mut self, controls: &[T]);

    /// Output of the stage.
    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]);

    /// [`CpuStage::forward`] that also prepares what every backward pass from there needs besides input and output.
    fn record(&mut self, input: &[T], batch: usize, output: &mut [T], kept: &mut Kept<T>) {
        let _ = kept;
        self.forward(input, batch, output);
    }

    /// Whether a backward pass from what was `kept` reads its input; otherwise any slice of that length will do.
    fn reads_input(&self, kept: &Kept<T>) -> bool {
        let _ = kept;
        true
    }

    /// From the adjoint of the output to that of the input, and the controls' gradient, which is overwritten.
    fn backward(
        &mut self,
        input: &[T],
        output: &[T],
        adjoint: &[T],
        batch: usize,
        kept: &Kept<T>,
        adjoint_in: &mut [T],
        gradient: &mut [T],
    );

    /// Takes on an estimate of its imperfections ([`crate::propagator::Tunable`]), which counts from the next [`CpuStage::program`] on.
    fn set_imperfections(&mut self, _estimate: &[T]) {}

    /// [`CpuStage::backward`] where nobody asks for the adjoint of the input, which may be left out; `adjoint_in` is scratch.
    fn backward_to_controls(
        &mut self,
        input: &[T],
        output: &[T],
        adjoint: &[T],
        batch: usize,
        kept: &Kept<T>,
        adjoint_in: &mut [T],
        gradient: &mut [T],
    ) {
        self.backward(input, output, adjoint, batch, kept, adjoint_in, gradient);
    }

    /// [`CpuStage::backward`] that also overwrites the gradient with respect to the imperfections.
    fn backward_imperfections(
        &mut self,
        input: &[T],
        output: &[T],
        adjoint: &[T],
        batch: usize,
        kept: &Kept<T>,
        adjoint_in: &mut [T],
        gradient: &mut [T],
        _imperfection_gradient: &mut [T],
    ) {
        self.backward(input, output, adjoint, batch, kept, adjoint_in, gradient);
    }

    /// The stage as a mesh, if it is one.
    fn as_mesh(&mut self) -> Option<&mut MeshStage<T>> {
        None
    }
}

/// Builds a stage with its errors.
pub fn build<T: Real>(stage: &Stage, errors: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
    Ok(match *stage {
        Stage::Mesh(ref mesh) => match IdealMesh::new(mesh, errors)? {
            Some(ideal) => Box::new(TransferStage::new(mesh, transfer::IDEAL_MZI, Box::new(ideal))),
            None => {
                let general = Box::new(MeshStage::new(mesh, errors)?);
                Box::new(TransferStage::new(mesh, transfer::GENERAL_MZI, general))
            }
        },
        Stage::Attenuators { inputs, outputs } => Box::new(AttenuatorStage::new(inputs, outputs)),
        Stage::Activation { modes, activation } => Box::new(ActivationStage { width: 2 * modes, activation }),
        Stage::Detection { modes, detection } => Box::new(DetectionStage { modes, detection }),
        Stage::Modulation { modes } => Box::new(ModulationStage { modes }),
        Stage::Rectifier { modes, threshold } => Box::new(RectifierStage { modes, threshold: T::of(threshold) }),
        Stage::Matrix { inputs, outputs } => Box::new(DenseStage::matrix(inputs, outputs, errors)),
        Stage::WeightBank { inputs, outputs } => Box::new(DenseStage::weight_bank(inputs, outputs, errors)),
    })
}
