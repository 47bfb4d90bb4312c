//! How a vector of controls is cut among ranks: entries of dies lie on one rank, all others on every one.

use std::ops::Range;

/// Entries in a row, and whether they are of this rank's dies alone.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    whole: Range<usize>,
    dealt: bool,
}

/// The entries that every rank holds, in the order of the whole vector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    /// Entries of the whole.
    len: usize,
    ranks: Vec<Vec<Run>>,
}

/// Where an entry lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// On all ranks.
    All,
    /// On this one alone.
    Rank(usize),
}

impl Cut {
    /// Of nothing, among so many ranks.
    pub fn new(ranks: usize) -> Self {
        Cut { len: 0, ranks: vec![Vec::new(); ranks] }
    }

    /// Adds an entry behind the others.
    pub fn push(&mut self, holder: Holder) {
        let entry = self.len;
        self.len += 1;
        let (holders, dealt) = match holder {
            Holder::All => (&mut self.ranks[..], false),
            Holder::Rank(rank) => (&mut self.ranks[rank..=rank], true),
        };
        for runs in holders {
            match runs.last_mut() {
                Some(last) if last.dealt == dealt && last.whole.end == entry => last.whole.end += 1,
                Some(_) | None => runs.push(Run { whole: entry..entry + 1, dealt }),
            }
        }
    }

    /// Ranks among which it is cut.
    pub fn ranks(&self) -> usize {
        self.ranks.len()
    }

    /// Entries of the whole.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Entries on `rank`.
    pub fn held(&self, rank: usize) -> usize {
        self.ranks[rank].iter().map(|run| run.whole.len()).sum()
    }

    /// Entries on `rank` and nowhere else.
    pub fn dealt(&self, rank: usize) -> usize {
        self.ranks[rank].iter().filter(|run| run.dealt).map(|run| run.whole.len()).sum()
    }

    /// The part of `rank`.
    pub fn take<T: Copy>(&self, rank: usize, whole: &[T]) -> Vec<T> {
        self.ranks[rank].iter().flat_map(|run| whole[run.whole.clone()].iter().copied()).collect()
    }

    /// Of the part `held` by `rank` the entries that it holds alone, or those that all hold.
    pub fn split<T: Copy>(&self, rank: usize, held: &[T], dealt: bool) -> Vec<T> {
        let mut before = 0;
        let mut chosen = Vec::new();
        for run in &self.ranks[rank] {
            let own = before..before + run.whole.len();
            before = own.end;
            if run.dealt == dealt {
                chosen.extend_from_slice(&held[own]);
            }
        }
        chosen
    }

    /// The whole, from the part `held` by `rank` and what every rank holds alone, one after the other.
    pub fn join(&self, rank: usize, held: &[f64], alone: &[f64]) -> Vec<f64> {
        let mut whole = vec![0.0; self.len];
        let mut before = 0;
        for run in &self.ranks[rank] {
            whole[run.whole.clone()].copy_from_slice(&held[before..before + run.whole.len()]);
            before += run.whole.len();
        }
        let mut before = 0;
        for run in self.ranks.iter().flatten().filter(|run| run.dealt) {
            whole[run.whole.clone()].copy_from_slice(&alone[before..before + run.whole.len()]);
            before += run.whole.len();
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_and_joined_is_the_whole() {
        let holders = [Holder::All, Holder::Rank(0), Holder::Rank(0), Holder::Rank(1), Holder::All, Holder::Rank(1)];
        let mut cut = Cut::new(3);
        holders.into_iter().for_each(|holder| cut.push(holder));
        let whole: Vec<f64> = (0..6).map(f64::from).collect();
        let parts: Vec<Vec<f64>> = (0..3).map(|rank| cut.take(rank, &whole)).collect();
        assert_eq!(parts, [vec![0.0, 1.0, 2.0, 4.0], vec![0.0, 3.0, 4.0, 5.0], vec![0.0, 4.0]]);
        assert_eq!([0, 1, 2].map(|rank| (cut.held(rank), cut.dealt(rank))), [(4, 2), (4, 2), (2, 0)]);
        let alone: Vec<f64> = (0..3).flat_map(|rank| cut.split(rank, &parts[rank], true)).collect();
        for (rank, part) in parts.iter().enumerate() {
            assert_eq!(cut.join(rank, part, &alone), whole);
            assert_eq!(cut.split(rank, part, false), [0.0, 4.0]);
        }
    }
}
