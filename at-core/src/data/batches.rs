//! The order in which an epoch visits the samples.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Bytes 16..32 of the key, so that no other use of the same seed draws the same stream.
const STREAM: [u8; 16] = *b"at epoch order 1";

/// A random order of `0..samples`, the same for the same `seed` and `epoch` on every machine.
///
/// Fisher–Yates with ChaCha8 keyed by (seed, epoch): a run that resumes at an epoch needs no generator state. Every
/// order is equally likely as far as ChaCha8 goes.
pub fn epoch_order(samples: usize, seed: u64, epoch: u64) -> Vec<u32> {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&epoch.to_le_bytes());
    key[16..].copy_from_slice(&STREAM);
    let mut random = ChaCha8Rng::from_seed(key);
    debug_assert!(u32::try_from(samples).is_ok(), "samples are counted in u32");
    let mut order: Vec<u32> = (0..samples as u32).collect();
    for last in (1..samples).rev() {
        order.swap(last, below(&mut random, last as u32 + 1) as usize);
    }
    order
}

/// Uniform on `0..bound` without bias (Lemire 2019), `bound > 0`. Spelled out because the order is part of a result.
fn below(random: &mut impl Rng, bound: u32) -> u32 {
    let rejected = bound.wrapping_neg() % bound;
    loop {
        let product = u64::from(random.next_u32()) * u64::from(bound);
        if product as u32 >= rejected {
            return (product >> 32) as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sample_comes_once() {
        for samples in [0, 1, 2, 1000] {
            let mut order = epoch_order(samples, 7, 3);
            order.sort_unstable();
            assert_eq!(order, (0..samples as u32).collect::<Vec<_>>());
        }
    }

    #[test]
    fn seed_and_epoch_both_change_the_order() {
        let order = epoch_order(100, 1, 0);
        assert_eq!(order, epoch_order(100, 1, 0));
        assert_ne!(order, epoch_order(100, 1, 1));
        assert_ne!(order, epoch_order(100, 0, 1));
        assert_ne!(epoch_order(100, 0, 1), epoch_order(100, 1, 0));
    }

    #[test]
    fn the_order_is_that_of_another_implementation() {
        // ChaCha8 and Fisher–Yates written in Python
        assert_eq!(epoch_order(8, 42, 1), [5, 6, 2, 4, 7, 3, 0, 1]);
    }

    #[test]
    fn orders_of_four_are_equally_frequent() {
        let mut counts = std::collections::HashMap::new();
        for epoch in 0..24_000 {
            *counts.entry(epoch_order(4, 5, epoch)).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 24);
        // 1000 expected, standard deviation 31
        assert!(counts.values().all(|&count| (850..1150).contains(&count)), "{counts:?}");
    }
}
