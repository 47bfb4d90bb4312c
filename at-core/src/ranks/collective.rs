//! What ranks do together.

use crate::Result;
use std::ops::Range;

/// Values up to which a sum is taken by everybody from everything: one exchange in the place of two.
const SHORT: usize = 256;

/// The share of rank number `rank` of `ranks` in `count` items in a row. All shares follow on one another, and differ by 1 at most; where there
/// are fewer items than ranks, some are empty.
pub fn share(count: usize, rank: usize, ranks: usize) -> Range<usize> {
    // of counts and ranks below 2^64 in all
    let start = |rank: usize| (count as u128 * rank as u128 / ranks as u128) as usize;
    start(rank)..start(rank + 1)
}

/// One rank's end of a group of ranks. Every operation is called by all of them, in the same order and with the same sizes, and errs where
/// one has left.
pub trait Collective: Send + Sync {
    /// Number of this one, from 0.
    fn rank(&self) -> usize;

    /// How many there are.
    fn ranks(&self) -> usize;

    /// Comes back when all have called it.
    fn barrier(&self) -> Result<()>;

    /// What rank 0 has in `bytes`, on all.
    fn broadcast(&self, bytes: &mut Vec<u8>) -> Result<()>;

    /// The values of all ranks one after the other; `counts` has the number of each.
    fn gather(&self, own: &[f64], counts: &[usize]) -> Result<Vec<f64>>;

    /// Parts of `values`, of which rank k gets `counts[k]` in a row; gives what all have sent to this one, in the order of ranks.
    fn exchange(&self, values: &[f64], counts: &[usize]) -> Result<Vec<f64>>;

    /// `values ← Σ_rank values`, added from rank 0 to the last in f64: the same bits on all ranks, each time, and whatever the length.
    ///
    /// Each rank adds its share of the sums and sends it to all: 2 (R - 1)/R values pass through every rank, as in a ring.
    fn sum(&self, values: &mut [f64]) -> Result<()> {
        let (ranks, len) = (self.ranks(), values.len());
        if ranks == 1 {
            return Ok(());
        }
        if len <= SHORT {
            let all = self.gather(values, &vec![len; ranks])?;
            add_up(&all, values);
            return Ok(());
        }
        let counts: Vec<usize> = (0..ranks).map(|rank| share(len, rank, ranks).len()).collect();
        let parts = self.exchange(values, &counts)?;
        let mut own = vec![0.0; counts[self.rank()]];
        add_up(&parts, &mut own);
        values.copy_from_slice(&self.gather(&own, &counts)?);
        Ok(())
    }
}

/// `sums ← Σ_k parts[k]`, of parts as long as that.
fn add_up(parts: &[f64], sums: &mut [f64]) {
    if sums.is_empty() {
        return;
    }
    let mut parts = parts.chunks_exact(sums.len());
    sums.copy_from_slice(parts.next().expect("there is rank 0"));
    for part in parts {
        sums.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
    }
}
