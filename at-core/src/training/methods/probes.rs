//! What is sent to a chip in order to learn its imperfections: random controls and random inputs.

use crate::Result;
use crate::engine::Engine;
use crate::network::Network;
use crate::training::{Initialization, initial_controls};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Power of a random input relative to the data's. Powers at which the chip's nonlinearities answer are learned from fastest; with
/// the electro-optic activation factors of 1 to 5 find the imperfections, 1 takes twice as long as 2, and 10 finds nothing.
const POWER: f64 = 2.0;

/// Bytes 16..32 of the key, so that no other use of the same seed draws the same stream.
const STREAM: [u8; 16] = *b"at probe draws 1";

/// Draws probes: probe k is the same whenever it is drawn.
pub struct Probes {
    network: Network,
    seed: u64,
}

impl Probes {
    /// Probes for a chip of `network`.
    pub fn new(network: &Network, seed: u64) -> Self {
        Probes { network: network.clone(), seed }
    }

    /// Controls and `batch` inputs of probe number `index`.
    ///
    /// Controls are drawn like those from which training starts, meshes Haar-random: every MZI is met in many states and every
    /// output depends on every MZI. Inputs are isotropic: each mode Gaussian, all samples of [`POWER`] times the mean power of
    /// the `data [batch, width]`. Images excite few directions only, and leave the others unlearned.
    pub fn draw<E: Engine>(
        &self,
        engine: &E,
        index: u64,
        batch: usize,
        data: &E::Buffer,
    ) -> Result<(E::Buffer, E::Buffer)> {
        let width = self.network.input().width();
        let data = engine.download(data)?;
        let power = POWER * data[..batch * width].iter().map(|x| x * x).sum::<f64>() / batch as f64;
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..16].copy_from_slice(&index.to_le_bytes());
        key[16..].copy_from_slice(&STREAM);
        let mut random = ChaCha8Rng::from_seed(key);
        let controls = initial_controls(&self.network, random.random(), &Initialization::FanIn)?;
        let mut fields: Vec<f64> = (0..batch * width).map(|_| StandardNormal.sample(&mut random)).collect();
        for sample in fields.chunks_exact_mut(width) {
            let scale = (power / sample.iter().map(|x| x * x).sum::<f64>()).sqrt();
            sample.iter_mut().for_each(|x| *x *= scale);
        }
        Ok((engine.upload(&controls)?, engine.upload(&fields)?))
    }
}
