//! A crossbar of phase-change cells, `w = (1 + p)·e` or `(1 + n)·e`, plus o, of each pair.

use crate::engine::Gpu;
use crate::stage::{Device, GpuStage, OfStage, OnGpu, Training};
use crate::weights::{self, ByEntry, Kernels};
use at_core::Result;
use at_core::stage::{PhaseChange, StageErrors};
use at_shaders::Kernel;

impl OnGpu for PhaseChange {
    fn on_gpu(&self, gpu: Gpu, errors: &StageErrors, offset: usize) -> Result<Box<dyn GpuStage>> {
        let errors = errors.get(["positive", "negative", "offset"]);
        let kernels = Kernels { coefficients: Kernel::PhaseChangeCoefficients, of_errors: Kernel::PhaseChangeErrors };
        ByEntry::stage(gpu, [self.inputs, self.outputs], offset, kernels, "pairs of phase-change cells", errors)
    }

    fn memory(&self, training: &Training, _: &Device) -> OfStage {
        weights::memory(self, training)
    }
}
