//! A bank of balanced MZI cells, `w = (1 + a)·sin((1 + s)·φ + o)` each.

use crate::engine::Gpu;
use crate::stage::{Device, GpuStage, OfStage, OnGpu, Training};
use crate::weights::{self, ByEntry, Kernels};
use at_core::Result;
use at_core::stage::{StageErrors, WeightBank};
use at_shaders::Kernel;

impl OnGpu for WeightBank {
    fn on_gpu(&self, gpu: Gpu, errors: &StageErrors, offset: usize) -> Result<Box<dyn GpuStage>> {
        let errors = errors.get(["amplitude", "slope", "offset"]);
        let kernels = Kernels { coefficients: Kernel::WeightBankCoefficients, of_errors: Kernel::WeightBankErrors };
        ByEntry::stage(gpu, [self.inputs, self.outputs], offset, kernels, "cells of a weight bank", errors)
    }

    fn memory(&self, training: &Training, _: &Device) -> OfStage {
        weights::memory(self, training)
    }
}
