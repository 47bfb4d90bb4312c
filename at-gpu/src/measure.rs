//! What a device can do at best, measured on it: the rates that a training's speed is compared with.

use crate::engine::Gpu;
use crate::layout::Length;
use crate::product::{Afterwards, Product, View};
use crate::vectors::{Vector, count};
use at_core::Result;
use at_shaders::Kernel;
use std::time::Duration;

/// A measurement is long enough from here on.
const LONG: Duration = Duration::from_millis(20);

/// Measurements of which the best counts.
const ATTEMPTS: usize = 3;

/// Rate of a real matrix product in f32 (GFLOP/s, 2n³ operations for n rows and columns), with this engine's own kernel.
///
/// The matrices grow until a product is long enough, up to 4096 rows. Times are the device's own where it has a clock.
pub fn matrix_rate(gpu: &Gpu) -> Result<f64> {
    let mut size: usize = 256;
    loop {
        let context = &gpu.commands.context;
        let [a, b, c] =
            ["left matrix", "right matrix", "product"].map(|name| Vector::zeros(context, name, size * size));
        let (a, b, c) = (a?, b?, c?);
        let product = Product {
            a: View { buffer: &a.buffer, row: size, column: 1 },
            b: View { buffer: &b.buffer, row: size, column: 1 },
            sizes: [size, size, size],
            afterwards: Afterwards::Nothing,
            target: &c.buffer,
            offset: 0,
        };
        let (seconds, long) = best(gpu, || product.record(gpu))?;
        if long || size >= 4096 || 8 * size * size * 4 > largest_binding(gpu) {
            return Ok(2e-9 * (size as f64).powi(3) / seconds);
        }
        size *= 2;
    }
}

/// Memory of the device that this program has taken (bytes), where the driver's interface is one that is told.
pub fn taken_memory(gpu: &Gpu) -> Option<u64> {
    gpu.commands.context.device.generate_allocator_report().map(|report| report.total_allocated_bytes)
}

/// Rate at which the device copies its own memory (GB/s, bytes read plus bytes written).
///
/// The copied buffer grows until a copy is long enough, up to 1 GiB: far more than caches hold.
pub fn copy_rate(gpu: &Gpu) -> Result<f64> {
    let mut bytes: usize = 1 << 24;
    loop {
        let context = &gpu.commands.context;
        let source = Vector::zeros(context, "source of a copy", bytes / 4)?;
        let target = Vector::zeros(context, "target of a copy", bytes / 4)?;
        let parameters = Length { len: count(bytes / 16)? };
        let buffers = [&source.buffer, &target.buffer];
        let (seconds, long) = best(gpu, || gpu.each(Kernel::Copy, &parameters, &buffers, bytes / 16))?;
        if long || bytes >= 1 << 30 || 2 * bytes > largest_binding(gpu) {
            return Ok(2e-9 * bytes as f64 / seconds);
        }
        bytes *= 2;
    }
}

fn largest_binding(gpu: &Gpu) -> usize {
    let limits = &gpu.commands.context.limits;
    limits.max_storage_buffer_binding_size.min(limits.max_buffer_size) as usize
}

/// The shortest time (seconds) of several, after one to warm up, and whether it is long enough to be trusted.
pub(crate) fn best(gpu: &Gpu, record: impl Fn() -> Result<()>) -> Result<(f64, bool)> {
    let mut shortest = gpu.commands.elapsed(&record)?;
    for _ in 0..ATTEMPTS {
        shortest = shortest.min(gpu.commands.elapsed(&record)?);
    }
    Ok((shortest.as_secs_f64(), shortest >= LONG))
}
