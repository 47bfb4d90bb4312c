//! Residual connections: `y = s·(s·x + F(s·x))`, with s = 1 of numbers and 1/√2 of light.

use super::memory::Held;
use super::mesh::MeshStage;
use super::series::SeriesStage;
use super::stage::{CpuStage, Kept, OnCpu, Recorded, Slopes};
use crate::real::SERIAL;
use crate::stage::{Element, Residual, StageErrors};
use crate::{Real, Result};
use rayon::prelude::*;

/// The branch, and what enters an arm.
struct ResidualStage<T> {
    branch: SeriesStage<T>,
    share: T,
    width: usize,
    /// s·x, or the adjoint of what leaves an arm.
    arms: [Vec<T>; 2],
}

impl OnCpu for Residual {
    fn on_cpu<T: Real>(&self, errors: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        let branch = SeriesStage::of(&self.branch, errors)?;
        let width = self.input().width();
        Ok(Box::new(ResidualStage { branch, share: T::of(self.share()), width, arms: [Vec::new(), Vec::new()] }))
    }

    /// Those of the branch, and of a batch what enters its arms, there and back.
    fn bytes(&self, held: &Held) -> usize {
        let arms = (1 + usize::from(held.back)) * self.input().width();
        let signals = held.real.saturating_mul(held.batch.saturating_mul(arms));
        OnCpu::bytes(&self.branch, held).saturating_add(signals)
    }
}

/// `target ← share·source`.
fn scale<T: Real>(share: T, source: &[T], target: &mut Vec<T>) {
    target.resize(source.len(), T::zero());
    target.par_iter_mut().zip(source).with_min_len(SERIAL).for_each(|(slot, &value)| *slot = share * value);
}

/// `own ← share·(own + beside)`.
fn add<T: Real>(share: T, beside: &[T], own: &mut [T]) {
    own.par_iter_mut().zip(beside).with_min_len(SERIAL).for_each(|(slot, &value)| *slot = share * (*slot + value));
}

impl<T: Real> CpuStage<T> for ResidualStage<T> {
    fn program(&mut self, controls: &[T]) {
        self.branch.program(controls);
    }

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        let ResidualStage { branch, share, width, arms: [enters, _] } = self;
        scale(*share, &input[..batch * *width], enters);
        let output = &mut output[..batch * *width];
        branch.forward(enters, batch, output);
        add(*share, enters, output);
    }

    fn record(&mut self, input: &[T], batch: usize, output: &mut [T], kept: &mut Kept<T>) {
        let ResidualStage { branch, share, width, arms: [enters, _] } = self;
        scale(*share, &input[..batch * *width], enters);
        let output = &mut output[..batch * *width];
        branch.record(enters, batch, output, kept);
        add(*share, enters, output);
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let Recorded { input, output, adjoint, batch, kept } = *pass;
        let Slopes { adjoint_in, gradient, imperfections, .. } = slopes;
        let ResidualStage { branch, share, width, arms: [enters, leaves] } = self;
        scale(*share, &input[..batch * *width], enters);
        scale(*share, &adjoint[..batch * *width], leaves);
        let adjoint_in = &mut adjoint_in[..batch * *width];
        // the branch keeps what left its stages, and asks for no `output`
        let pass = Recorded { input: enters, output, adjoint: leaves, batch, kept };
        branch.backward(&pass, Slopes { adjoint_in: &mut *adjoint_in, all_the_way: true, gradient, imperfections });
        add(*share, leaves, adjoint_in);
    }

    fn meshes(&mut self) -> Vec<&mut MeshStage<T>> {
        self.branch.meshes()
    }

    fn set_imperfections(&mut self, estimate: &[T]) {
        self.branch.set_imperfections(estimate);
    }
}
