//! The device's own rates are finite and positive, with its clock and without.

use at_gpu::measure::{copy_rate, matrix_rate};
use at_gpu::testing::require_gpu;
use at_gpu::{Gpu, LimitChoice, Selection};

#[test]
fn rates_are_measured_with_and_without_a_clock() {
    let Some(shared) = require_gpu() else { return };
    let without = Gpu::with_limits(&Selection::Index(shared.adapter().index), LimitChoice::WebGpu).unwrap();
    for gpu in [&shared, &without] {
        let (matrix, copy) = (matrix_rate(gpu).unwrap(), copy_rate(gpu).unwrap());
        println!("{}: {matrix:.1} GFLOP/s, {copy:.1} GB/s", gpu.adapter().name);
        // Nothing between a slow processor and the fastest GPU measures otherwise.
        assert!((0.01..1e6).contains(&matrix), "{matrix} GFLOP/s");
        assert!((0.01..1e5).contains(&copy), "{copy} GB/s");
    }
}
