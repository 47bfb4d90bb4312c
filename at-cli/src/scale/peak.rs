//! What the device can do at most, measured on the spot: products of full matrices, and copies.

use crate::gpu::Gpu;
use anyhow::Result;
use at_core::engine::Engine;
use num_complex::Complex32;
use rayon::prelude::*;
use serde::Serialize;
use std::time::Instant;

/// Matrix products of this size are at their full rate and take a fraction of a second.
const SIZE: usize = 768;
/// Far more than caches hold.
const COPIED_BYTES: usize = 128 << 20;
/// The best of so many is what the device can do.
const TRIES: usize = 5;

/// Rates of one device.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Peak {
    /// Which device.
    pub device: String,
    /// What its matrix product multiplies.
    pub matrix_product: &'static str,
    /// Matrix product, in real operations: 2 per real and 8 per complex multiply-add (operations per second).
    pub matrix_product_flops: f64,
    /// A copy, bytes read plus bytes written (bytes per second).
    pub copy_bandwidth: f64,
}

/// Measures the CPU with all threads of the pool.
pub fn cpu(device: String) -> Peak {
    Peak { device, matrix_product: "complex f32", matrix_product_flops: product_rate(), copy_bandwidth: copy_rate() }
}

/// Measures a GPU with its engine's own matrix product.
pub fn gpu(gpu: &Gpu) -> Result<Peak> {
    Ok(Peak {
        device: gpu.describe(),
        matrix_product: "real f32",
        matrix_product_flops: crate::gpu::matrix_rate(gpu)?,
        copy_bandwidth: crate::gpu::copy_rate(gpu)?,
    })
}

/// The shortest of several runs (seconds), after one to warm up.
fn shortest(mut work: impl FnMut()) -> f64 {
    work();
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    (0..TRIES).map(time).fold(f64::INFINITY, f64::min)
}

fn product_rate() -> f64 {
    let entry = |k: usize| Complex32::new((k % 7) as f32 - 3.0, (k % 5) as f32 - 2.0);
    let lhs: Vec<Complex32> = (0..SIZE * SIZE).map(entry).collect();
    let rhs = lhs.clone();
    let mut product = vec![Complex32::default(); SIZE * SIZE];
    let (one, zero) = (Complex32::new(1.0, 0.0), Complex32::new(0.0, 0.0));
    let line = SIZE as isize;
    // SAFETY: all three matrices are SIZE × SIZE, row-major, and do not overlap.
    let seconds = shortest(|| unsafe {
        gemm::gemm(
            SIZE,
            SIZE,
            SIZE,
            product.as_mut_ptr(),
            1,
            line,
            false,
            lhs.as_ptr(),
            1,
            line,
            rhs.as_ptr(),
            1,
            line,
            zero,
            one,
            false,
            false,
            false,
            gemm::Parallelism::Rayon(0),
        );
    });
    std::hint::black_box(&product);
    8.0 * (SIZE as f64).powi(3) / seconds
}

fn copy_rate() -> f64 {
    let source = vec![1_u8; COPIED_BYTES];
    let mut target = vec![0_u8; COPIED_BYTES];
    let part = COPIED_BYTES / rayon::current_num_threads();
    let seconds = shortest(|| {
        target.par_chunks_mut(part).zip(source.par_chunks(part)).for_each(|(to, from)| to.copy_from_slice(from));
        std::hint::black_box(&target);
    });
    2.0 * COPIED_BYTES as f64 / seconds
}
