//! How vectors lie on the ranks.

use std::ops::Deref;

/// How a vector lies on the ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The same on all.
    Whole,
    /// Each has its [`super::share`] of the first `batch` rows in front; what follows on it has no meaning.
    Rows {
        /// Rows on all ranks together.
        batch: usize,
        /// Entries of a row.
        width: usize,
    },
    /// The vector is the sum over all ranks.
    Partial,
    /// Of a vector of controls those of the rank's own dies, and those that belong to no die.
    Tiles,
}

/// A vector of [`super::Ranked`]: this rank's part.
pub struct RankedBuffer<B> {
    pub(super) values: B,
    pub(super) len: usize,
    pub(super) place: Place,
}

impl<B> RankedBuffer<B> {
    pub(super) fn whole(values: B, len: usize) -> Self {
        RankedBuffer { values, len, place: Place::Whole }
    }

    /// How it lies on the ranks.
    pub fn place(&self) -> Place {
        self.place
    }
}

/// Indices of [`super::Ranked`]: this rank's part. They are whole, or the rows of a batch of so many.
pub struct RankedIndices<I> {
    pub(super) values: I,
    pub(super) rows: Option<usize>,
}

/// A vector as it lies already, or a copy that lies elsewhere.
pub(super) enum Seen<'a, B> {
    There(&'a B),
    Made(B),
}

impl<B> Deref for Seen<'_, B> {
    type Target = B;

    fn deref(&self) -> &B {
        match self {
            Seen::There(own) => own,
            Seen::Made(own) => own,
        }
    }
}
