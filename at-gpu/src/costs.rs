//! What a device's kernels for meshes take, from which follows which of them carry a mesh.

use at_core::{Error, Result};
use serde::{Deserialize, Serialize};

/// Rates and times of one device. The default is a large GPU (an NVIDIA H200: 67 TFLOP/s in f32, 132 multiprocessors, 4 µs from one
/// dispatch to the next that needs its result), because only there the choice matters much.
///
/// The default is reasoned, not measured: a product with 8 x 8 sums per invocation needs 0.4 bytes of workgroup memory per operation where the
/// hardware gives 0.5, and reaches half of the peak; column by column an MZI moves 32 bytes for 28 operations on the way forward and 64 for 76 on the
/// way back, with a barrier and a read of coefficients per column. [`crate::measure_mesh_costs`] measures those of a device.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeshCosts {
    /// Time from a dispatch to the next that needs its result (seconds).
    pub dispatch_seconds: f64,
    /// Workgroups of a matrix product that run at the same time: multiprocessors.
    pub processors: f64,
    /// Rate of matrix products on all of them (operations per second).
    pub product_flops: f64,
    /// Rates column by column, forward and backward (operations per second).
    pub forward_flops: f64,
    /// See [`MeshCosts::forward_flops`].
    pub backward_flops: f64,
    /// What a column takes at least: a barrier, coefficients from the second-level cache (seconds).
    pub column_seconds: f64,
    /// Fields that the workgroups of a multiprocessor hold. No interface tells it, and it is not measured.
    pub fields: f64,
    /// What a column takes at least in registers: coefficients from the second-level cache, an exchange between lanes (seconds).
    pub lane_column_seconds: f64,
    /// Instructions of one scheduler, of which a multiprocessor has four (per second).
    pub lane_instructions: f64,
    /// Rate of the second-level cache (bytes per second).
    pub cache_bandwidth: f64,
    /// Rate of the device's memory, read plus written (bytes per second).
    pub bandwidth: f64,
}

/// Operations per second of an H200 at best.
const PEAK: f64 = 67e12;

impl Default for MeshCosts {
    fn default() -> Self {
        MeshCosts {
            dispatch_seconds: 4e-6,
            processors: 132.0,
            product_flops: 0.5 * PEAK,
            forward_flops: 0.12 * PEAK,
            backward_flops: 0.15 * PEAK,
            column_seconds: 0.5e-6,
            fields: 228.0 * 128.0, // 228 KiB of 8 bytes
            lane_column_seconds: 0.2e-6,
            lane_instructions: 1.9e9,
            cache_bandwidth: 5.0e12,
            bandwidth: 4.0e12,
        }
    }
}

impl MeshCosts {
    /// Errs unless every one is finite and positive, and there is a processor.
    pub fn check(&self) -> Result<()> {
        let MeshCosts { processors, fields, .. } = *self;
        let values = [
            ("dispatch_seconds", self.dispatch_seconds),
            ("processors", processors),
            ("product_flops", self.product_flops),
            ("forward_flops", self.forward_flops),
            ("backward_flops", self.backward_flops),
            ("column_seconds", self.column_seconds),
            ("fields", fields),
            ("lane_column_seconds", self.lane_column_seconds),
            ("lane_instructions", self.lane_instructions),
            ("cache_bandwidth", self.cache_bandwidth),
            ("bandwidth", self.bandwidth),
        ];
        for (name, value) in values {
            if !(value.is_finite() && value > 0.0) {
                return Err(Error::invalid(name, value, "must be finite and positive"));
            }
        }
        if processors < 1.0 {
            return Err(Error::invalid("processors", processors, "must be at least 1"));
        }
        Ok(())
    }
}
