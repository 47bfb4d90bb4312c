//! What readouts are held against.

use super::Engine;

/// What readouts are compared with, sample by sample.
pub enum Targets<'a, E: Engine> {
    /// A class of each sample, `[batch]`.
    Classes(&'a E::Indices),
    /// Real values, `[batch, targets]`.
    Values(&'a E::Buffer),
}

impl<E: Engine> Clone for Targets<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E: Engine> Copy for Targets<'_, E> {}
