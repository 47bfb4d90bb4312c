//! What every stage does on the CPU.

use super::memory::Held;
use super::mesh::MeshStage;
use super::series::Inside;
use super::sparse::SparseRows;
use crate::stage::{Stage, StageErrors, with_stage};
use crate::{Error, Real, Result};
use std::any::{Any, TypeId};

/// Reals per parallel piece of a stage that treats every mode by itself; even, so that complex pairs stay together.
pub const PIECE: usize = 8192;

/// What a stage keeps of a forward pass besides its input and output.
#[derive(Debug, Default)]
pub struct Kept<T> {
    /// The transposed input without its zeros, where that is how it is used.
    pub columns: Option<SparseRows<T>>,
    /// The light took the way of the transfer matrix.
    pub by_matrix: bool,
    /// What the stages inside left and kept, where it is made of several.
    pub inside: Option<Box<Inside<T>>>,
}

/// A recorded pass on its way back; an adjoint is `∂L/∂z*` of a field and `∂L/∂x` of a real.
pub struct Recorded<'a, T> {
    /// What entered the stage, where it [reads](CpuStage::reads_input) that.
    pub input: &'a [T],
    /// What left it.
    pub output: &'a [T],
    /// The adjoint of what left it.
    pub adjoint: &'a [T],
    /// Number of samples.
    pub batch: usize,
    /// What the stage kept.
    pub kept: &'a Kept<T>,
}

/// What a way back overwrites.
pub struct Slopes<'a, T> {
    /// The adjoint of what entered.
    pub adjoint_in: &'a mut [T],
    /// Somebody asks for it; otherwise it is scratch.
    pub all_the_way: bool,
    /// The gradient of the controls.
    pub gradient: &'a mut [T],
    /// That of the imperfections, where an estimate of them is set and programmed ([`crate::propagator::Tunable`]).
    pub imperfections: Option<&'a mut [T]>,
}

/// One stage with its imperfections. Signals are `[batch, width]`.
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

    /// From the adjoint of the output to that of the input, and the gradients.
    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>);

    /// [`CpuStage::forward`] of `count` unit fields, sample i on mode i.
    fn forward_units(&mut self, units: &[T], count: usize, output: &mut [T]) {
        self.forward(units, count, output);
    }

    /// [`CpuStage::backward`] from what they left. Nobody asks for the adjoint of what entered.
    fn backward_units(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        self.backward(pass, slopes);
    }

    /// Takes on an estimate of its imperfections ([`crate::propagator::Tunable`]), which counts from the next [`CpuStage::program`] on.
    fn set_imperfections(&mut self, _estimate: &[T]) {}

    /// The stage as a mesh, if it is one.
    fn as_mesh(&mut self) -> Option<&mut MeshStage<T>> {
        None
    }

    /// The meshes that it is, or is made of, as light meets them.
    fn meshes(&mut self) -> Vec<&mut MeshStage<T>> {
        self.as_mesh().into_iter().collect()
    }
}

/// A kind of stage on this engine, as the file of its name here makes it from its page.
pub trait OnCpu {
    /// The stage with its errors.
    fn on_cpu<T: Real>(&self, errors: &StageErrors) -> Result<Box<dyn CpuStage<T>>>;

    /// Bytes that it keeps beside a copy of its controls, as long as it stands.
    fn bytes(&self, held: &Held) -> usize;
}

/// Builds a stage with its errors.
///
/// Generic code is compiled anew by every crate that uses it; all kernels stand behind this call. So it goes by way of functions that
/// are not generic, and kernels are compiled here, once.
pub fn build<T: Real>(stage: &Stage, errors: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
    let built: Box<dyn Any> = match TypeId::of::<T>() {
        single if single == TypeId::of::<f32>() => Box::new(single_precision(stage, errors)?),
        double if double == TypeId::of::<f64>() => Box::new(double_precision(stage, errors)?),
        _ => {
            return Err(Error::Unsupported {
                what: format!("reals of type {}", T::NAME),
                instead: "take f32 or f64".into(),
            });
        }
    };
    Ok(*built.downcast().expect("the stage is one of T's"))
}

fn single_precision(stage: &Stage, errors: &StageErrors) -> Result<Box<dyn CpuStage<f32>>> {
    with_stage!(stage, page => OnCpu::on_cpu(page, errors))
}

fn double_precision(stage: &Stage, errors: &StageErrors) -> Result<Box<dyn CpuStage<f64>>> {
    with_stage!(stage, page => OnCpu::on_cpu(page, errors))
}
