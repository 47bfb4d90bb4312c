//! A crossbar of phase-change cells, `w = (1 + p)·e` or `(1 + n)·e`, plus o, of each pair.

use crate::engine::Gpu;
use crate::stage::{GpuStage, OfStage, OnGpu, Training};
use crate::weights::{self, ByEntry};
use at_core::Result;
use at_core::stage::{PhaseChange, StageErrors};
use at_shaders::Kernel;

impl OnGpu for PhaseChange {
    fn on_gpu(&self, gpu: Gpu, errors: &StageErrors, offset: usize) -> Result<Box<dyn GpuStage>> {
        let errors = errors.get(["positive", "negative", "offset"]);
        let (sizes, kernel) = ([self.inputs, self.outputs], Kernel::PhaseChangeCoefficients);
        ByEntry::stage(
            gpu,
            sizes,
            offset,
            kernel,
            "pairs of phase-change cells",
            errors,
            |[positive, negative, offset]| [1.0 + positive, 1.0 + negative, offset, 0.0],
        )
    }

    fn memory(&self, training: &Training, _: u64) -> OfStage {
        weights::memory(self, training)
    }
}
