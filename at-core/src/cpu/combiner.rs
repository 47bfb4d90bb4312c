//! Passive combiners.

use super::division::Division;
use super::stage::{CpuStage, Kept, OnCpu, Recorded, Slopes};
use crate::stage::{Combiner, StageErrors};
use crate::{Real, Result};

/// `y[b·block + m] = Σ_c x[(b·parts + c)·block + m]/√parts`.
struct CombinerStage<T> {
    division: Division<T>,
    /// Reals per sample that leave.
    width: usize,
}

impl OnCpu for Combiner {
    fn on_cpu<T: Real>(&self, _: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        let division = Division::new(self.block, self.parts);
        Ok(Box::new(CombinerStage { division, width: 2 * self.outputs }))
    }

    fn reals(&self) -> usize {
        0
    }
}

impl<T: Real> CpuStage<T> for CombinerStage<T> {
    fn program(&mut self, _controls: &[T]) {}

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        let width = batch * self.width;
        self.division.merge(&input[..width * self.division.copies], &mut output[..width]);
    }

    fn reads_input(&self, _kept: &Kept<T>) -> bool {
        false
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let width = pass.batch * self.width;
        self.division.split(&pass.adjoint[..width], &mut slopes.adjoint_in[..width * self.division.copies]);
    }
}
