//! Passive combiners.

use super::division::Division;
use super::memory::Held;
use super::stage::{CpuStage, Kept, OnCpu, Recorded, Slopes};
use crate::stage::{Combiner, StageErrors};
use crate::{Real, Result};

/// `y[b·block + m] = Σ_c x[(b·parts + c)·block + m]/√parts`.
struct CombinerStage<T>(Division<T>);

impl OnCpu for Combiner {
    fn on_cpu<T: Real>(&self, _: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        Ok(Box::new(CombinerStage(Division::new(self.block, self.parts, self.outputs / self.block, self.part))))
    }

    fn bytes(&self, _held: &Held) -> usize {
        0
    }
}

impl<T: Real> CpuStage<T> for CombinerStage<T> {
    fn program(&mut self, _controls: &[T]) {}

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        let Division { whole, divided, .. } = self.0;
        self.0.merge(&input[..batch * divided], &mut output[..batch * whole]);
    }

    fn reads_input(&self, _kept: &Kept<T>) -> bool {
        false
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let Division { whole, divided, .. } = self.0;
        self.0.split(&pass.adjoint[..pass.batch * whole], &mut slopes.adjoint_in[..pass.batch * divided]);
    }
}
