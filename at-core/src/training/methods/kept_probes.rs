//! Readouts of earlier probes, with which the model is compared again: what one setting of the controls does not tell, many do, and the chip
//! need not be asked twice.
//!
//! Controls and light of a probe follow from its number, so that only what the chip answered is kept, the newest [`KEPT`] of them.

use crate::Result;
use crate::engine::{Engine, Optimizer};
use crate::training::Parameters;
use rand::{Rng, RngExt};

/// Probes that are kept.
const KEPT: usize = 64;

/// How many of them the model is compared with again after every new one. With 3, two banks of 24 units, a third of a linewidth off, take twice
/// the probes; with 15 no fewer.
const REPLAYS: usize = 7;

/// The readouts.
pub struct KeptProbes<E: Engine> {
    /// Per kept probe its power, then the readouts.
    pub readouts: Parameters<E>,
    len: usize,
}

/// The readouts where they can be looked at.
pub struct Answers {
    values: Vec<f64>,
    len: usize,
}

impl<E: Engine> KeptProbes<E> {
    /// None yet, of `len` reals each.
    pub fn new(engine: &E, len: usize) -> Result<Self> {
        let readouts = Parameters::new(engine, Optimizer::Sgd, &vec![0.0; KEPT * (1 + len)])?;
        Ok(KeptProbes { readouts, len })
    }

    /// Keeps the `answer` to probe number `number`, whose light had `power`, instead of an old one.
    pub fn keep(&mut self, engine: &E, number: u64, power: f64, answer: &[f64]) -> Result<()> {
        let mut values = engine.download(&self.readouts.values)?;
        let slot = &mut values[place(number) * (1 + self.len)..][..1 + self.len];
        slot[0] = power;
        slot[1..].copy_from_slice(&answer[..self.len]);
        self.readouts.values = engine.upload(&values)?;
        Ok(())
    }

    /// All that are kept.
    pub fn all(&self, engine: &E) -> Result<Answers> {
        Ok(Answers { values: engine.download(&self.readouts.values)?, len: self.len })
    }

    /// Numbers of kept probes, the newest of which is number `latest`, to compare with.
    pub fn again(random: &mut impl Rng, latest: u64) -> Vec<u64> {
        let count = (latest + 1).min(KEPT as u64);
        (0..REPLAYS).map(|_| latest - random.random_range(0..count)).collect()
    }
}

impl Answers {
    /// The power of probe number `number`, and the answer to it.
    pub fn of(&self, number: u64) -> (f64, &[f64]) {
        let slot = &self.values[place(number) * (1 + self.len)..][..1 + self.len];
        (slot[0], &slot[1..])
    }
}

/// Where probe number `number` is kept.
fn place(number: u64) -> usize {
    (number % KEPT as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Cpu;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn the_newest_are_kept_and_asked_for() {
        let engine = Cpu::<f64>::new();
        let mut kept = KeptProbes::new(&engine, 2).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for number in 0..2 * KEPT as u64 {
            kept.keep(&engine, number, 0.5 * number as f64, &[number as f64, -1.0, 9.0]).unwrap();
            let answers = kept.all(&engine).unwrap();
            let again = KeptProbes::<Cpu<f64>>::again(&mut random, number);
            assert_eq!(again.len(), REPLAYS);
            for asked in again {
                assert!(asked <= number && number - asked < KEPT as u64);
                assert_eq!(answers.of(asked), (0.5 * asked as f64, &[asked as f64, -1.0][..]));
            }
        }
    }
}
