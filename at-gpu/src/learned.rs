//! What a network on a GPU was told of its imperfections.

use crate::vectors::Vector;

/// The estimate of a network's imperfections.
pub(crate) struct Learned {
    /// Number of imperfections.
    pub len: usize,
    /// The estimate last set; none before the first.
    pub values: Option<Vector>,
    /// Whether the stages have taken it on, which they do when they are programmed.
    pub taken_on: bool,
}

impl Learned {
    /// None yet, of `len` imperfections.
    pub fn of(len: usize) -> Self {
        Learned { len, values: None, taken_on: false }
    }
}
