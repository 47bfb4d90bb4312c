//! Modulation.

use super::memory::Held;
use super::stage::{CpuStage, OnCpu, Recorded, Slopes};
use crate::stage::{Modulation, StageErrors};
use crate::{Real, Result};

/// Real numbers onto field amplitudes.
struct ModulationStage {
    /// Number of modes.
    modes: usize,
}

impl OnCpu for Modulation {
    fn on_cpu<T: Real>(&self, _: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        Ok(Box::new(ModulationStage { modes: self.modes }))
    }

    fn bytes(&self, _held: &Held) -> usize {
        0
    }
}

impl<T: Real> CpuStage<T> for ModulationStage {
    fn program(&mut self, _controls: &[T]) {}

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        for (slot, &x) in output.chunks_exact_mut(2).zip(&input[..batch * self.modes]) {
            (slot[0], slot[1]) = (x, T::zero());
        }
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let Recorded { adjoint, batch, .. } = *pass;
        let Slopes { adjoint_in, .. } = slopes;
        let two = T::one() + T::one();
        for (slot, a) in adjoint_in[..batch * self.modes].iter_mut().zip(adjoint.chunks_exact(2)) {
            *slot = two * a[0];
        }
    }
}
