//! A bank of balanced MZI cells, `w = (1 + a)·sin((1 + s)·φ + o)` each.

use crate::engine::Gpu;
use crate::stage::{GpuStage, OfStage, OnGpu, Training};
use crate::weights::{self, ByEntry};
use at_core::Result;
use at_core::stage::{StageErrors, WeightBank};
use at_shaders::Kernel;

impl OnGpu for WeightBank {
    fn on_gpu(&self, gpu: Gpu, errors: &StageErrors, offset: usize) -> Result<Box<dyn GpuStage>> {
        let errors = errors.get(["amplitude", "slope", "offset"]);
        let (sizes, kernel) = ([self.inputs, self.outputs], Kernel::WeightBankCoefficients);
        ByEntry::stage(gpu, sizes, offset, kernel, "cells of a weight bank", errors, |[amplitude, slope, offset]| {
            [1.0 + amplitude, 1.0 + slope, offset, 0.0]
        })
    }

    fn memory(&self, training: &Training, _: u64) -> OfStage {
        weights::memory(self, training)
    }
}
