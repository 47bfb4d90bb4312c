//! Passive splitters.

use super::division::Division;
use super::memory::Held;
use super::stage::{CpuStage, Kept, OnCpu, Recorded, Slopes};
use crate::stage::{Splitter, StageErrors};
use crate::{Real, Result};

/// `y[c·inputs + m] = x[m]/√copies`.
struct SplitterStage<T>(Division<T>);

impl OnCpu for Splitter {
    fn on_cpu<T: Real>(&self, _: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        Ok(Box::new(SplitterStage(Division::new(self.inputs, self.copies, 1, self.part))))
    }

    fn bytes(&self, _held: &Held) -> usize {
        0
    }
}

impl<T: Real> CpuStage<T> for SplitterStage<T> {
    fn program(&mut self, _controls: &[T]) {}

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        let Division { whole, divided, .. } = self.0;
        self.0.split(&input[..batch * whole], &mut output[..batch * divided]);
    }

    fn reads_input(&self, _kept: &Kept<T>) -> bool {
        false
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let Division { whole, divided, .. } = self.0;
        self.0.merge(&pass.adjoint[..pass.batch * divided], &mut slopes.adjoint_in[..pass.batch * whole]);
    }
}
