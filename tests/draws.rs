//! Random numbers, the same on every machine.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// A generator whose stream is fixed by its specification.
pub fn generator(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// `count` draws of N(0, 1).
pub fn normals(count: usize, seed: u64) -> Vec<f64> {
    let mut random = generator(seed);
    (0..count).map(|_| StandardNormal.sample(&mut random)).collect()
}
