//! What all cases share: the device, the network, the numbers that enter it, and the clock.

use at_core::Result;
use at_core::network::{Detection, Layer, Network, Stage};
use at_core::optics::{Activation, Mesh};
use at_gpu::{Gpu, MeshVariant};
use std::time::Instant;

/// Operations per MZI and sample: forward, and backward with its phase gradients.
pub const FORWARD: f64 = 28.0;
pub const BACKWARD: f64 = 76.0;

/// The fields of a case's JSON object.
pub type Measured = Result<String>;

/// How to measure.
pub struct Case<'a> {
    pub gpu: &'a Gpu,
    /// The same device as if it had not been measured.
    pub by_default: &'a Gpu,
    pub batch: usize,
    /// Of one case, unless two calls take longer.
    pub seconds: f64,
    /// Of the engine's own matrix product (GFLOP/s).
    pub peak: f64,
}

impl Case<'_> {
    /// The kernels that the engine takes for a mesh of so many modes.
    pub fn chosen(&self, modes: usize) -> Result<MeshVariant> {
        Ok(MeshVariant::chosen(self.gpu, &Mesh::rectangular(modes)?, self.batch))
    }

    /// Calls `work` until the seconds are over, at least twice; gives the seconds of one. Whoever calls has warmed it up.
    pub fn timed(&self, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
        let mut calls = |times: usize| {
            let start = Instant::now();
            (0..times).try_for_each(|_| work())?;
            self.gpu.settle()?;
            Ok(start.elapsed().as_secs_f64() / times as f64)
        };
        let once: f64 = calls(1)?;
        if once > self.seconds && self.seconds > 0.0 {
            return Ok(once.min(calls(1)?));
        }
        calls((self.seconds / once).clamp(2.0, 50.0) as usize)
    }
}

/// Meshes with activations between them, and detectors.
pub fn network(modes: usize, meshes: usize, depth: usize) -> Result<Network> {
    let mut layers: Vec<Layer> = Vec::new();
    for index in 1..=meshes {
        let next = if index < meshes {
            Stage::activation(modes, Activation::ELECTRO_OPTIC)
        } else {
            Stage::detection(modes, Detection::Intensity)
        };
        layers.push(vec![Stage::Mesh(Mesh::truncated(modes, depth)?), next]);
    }
    Network::new(layers)
}

/// Numbers that fill fields, the same on every machine.
pub fn fields(count: usize) -> Vec<f32> {
    (0..count).map(|index| ((index as u32).wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
}
