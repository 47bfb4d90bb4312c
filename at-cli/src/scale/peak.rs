//! What the device can do at most, measured on the spot: products of full matrices, and copies.

use crate::gpu::Gpu;
use anyhow::Result;
use at_core::cpu::Cpu;
use at_core::engine::{Engine, Factor};
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
    /// Matrix product, two operations per multiply-add (operations per second).
    pub matrix_product_flops: f64,
    /// A copy, bytes read plus bytes written (bytes per second).
    pub copy_bandwidth: f64,
}

/// Measures the CPU with all threads of the pool, and its engine's own matrix product.
pub fn cpu(device: String) -> Result<Peak> {
    Ok(Peak { device, matrix_product: "real f32", matrix_product_flops: product_rate()?, copy_bandwidth: copy_rate()? })
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
fn shortest(mut work: impl FnMut() -> at_core::Result<()>) -> Result<f64> {
    work()?;
    let mut least = f64::INFINITY;
    for _ in 0..TRIES {
        let start = Instant::now();
        work()?;
        least = start.elapsed().as_secs_f64().min(least);
    }
    Ok(least)
}

fn product_rate() -> Result<f64> {
    let factor: Vec<f32> = (0..SIZE * SIZE).map(|k| (k % 7) as f32 - 3.0).collect();
    let mut product = vec![0.0; SIZE * SIZE];
    let engine = Cpu::<f32>::new();
    let seconds = shortest(|| engine.product([SIZE; 3], Factor::plain(&factor), Factor::plain(&factor), &mut product))?;
    Ok(2.0 * (SIZE as f64).powi(3) / seconds)
}

fn copy_rate() -> Result<f64> {
    let source = vec![1_u8; COPIED_BYTES];
    let mut target = vec![0_u8; COPIED_BYTES];
    let part = COPIED_BYTES / rayon::current_num_threads();
    let seconds = shortest(|| {
        target.par_chunks_mut(part).zip(source.par_chunks(part)).for_each(|(to, from)| to.copy_from_slice(from));
        std::hint::black_box(&target);
        Ok(())
    })?;
    Ok(2.0 * COPIED_BYTES as f64 / seconds)
}
