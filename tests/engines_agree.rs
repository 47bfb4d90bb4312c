//! Every engine passes the conformance suite: it means what the reference means.

use at_core::cpu::Cpu;
use at_gpu::testing::require_gpu;
use at_gpu::{Gpu, LimitChoice, Selection};
use at_tests::conformance::Precision;
use at_tests::conforms;

/// A device with no more than every WebGPU adapter offers.
fn small_gpu() -> Option<Gpu> {
    let shared = require_gpu()?;
    Some(Gpu::with_limits(&Selection::Index(shared.adapter().index), LimitChoice::WebGpu).unwrap())
}

conforms!(cpu_f64, Precision::Double, Some(Cpu::<f64>::new()));
conforms!(cpu_f32, Precision::Single, Some(Cpu::<f32>::new()));
conforms!(gpu, Precision::Single, require_gpu());
conforms!(gpu_within_the_least_limits, Precision::Single, small_gpu());
