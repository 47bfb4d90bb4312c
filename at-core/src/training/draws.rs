//! The random numbers of methods: functions of a seed, a purpose and a step, so that a resumed run draws what it would have drawn.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// What is drawn. Chips and data sets use lower streams of the same generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Imperfections of `noise-aware`.
    Imperfections = 1,
    /// Feedback matrices of `dfa` and `dfa-model`.
    Feedback = 2,
    /// Directions of `spsa`, `zeroth-order`, and those that are guided.
    Directions = 3,
    /// Subsets of `coordinate`.
    Subset = 4,
    /// What guided directions have of their guides.
    Guides = 5,
}

/// The generator for step number `step` (below 2^48).
pub fn stream(seed: u64, purpose: Purpose, step: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(((purpose as u64) << 48) | step);
    random
}

/// `count` draws of N(0, deviation²).
pub fn normals(random: &mut ChaCha8Rng, count: usize, deviation: f64) -> Vec<f64> {
    (0..count)
        .map(|_| {
            let draw: f64 = StandardNormal.sample(random);
            deviation * draw
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_purpose_and_step_draws_its_own_numbers_again_and_again() {
        let draw = |seed, purpose, step| normals(&mut stream(seed, purpose, step), 4, 1.0);
        let one = draw(7, Purpose::Directions, 3);
        assert_eq!(one, draw(7, Purpose::Directions, 3));
        for other in [(8, Purpose::Directions, 3), (7, Purpose::Subset, 3), (7, Purpose::Directions, 4)] {
            assert_ne!(one, draw(other.0, other.1, other.2));
        }
    }
}
