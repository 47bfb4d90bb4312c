//! The features of samples: numbers in memory, or files that are read in parts.

use super::stored::{Stored, rescale};
use crate::error::Result;
use std::borrow::Cow;

/// Numbers that are read at once where all samples are visited in order.
const VISITED: usize = 1 << 18;

/// Features of many samples, row-major.
#[derive(Debug, Clone, PartialEq)]
pub enum Features {
    /// In memory, `[samples, stride]`.
    Held(Vec<f32>),
    /// In files; finite, which was seen when they were opened.
    Stored(Stored),
}

impl Default for Features {
    fn default() -> Self {
        Features::Held(Vec::new())
    }
}

impl From<Vec<f32>> for Features {
    fn from(values: Vec<f32>) -> Self {
        Features::Held(values)
    }
}

impl Features {
    /// Numbers of all samples together.
    pub fn len(&self) -> usize {
        match self {
            Features::Held(values) => values.len(),
            Features::Stored(stored) => stored.samples().saturating_mul(stored.stride()),
        }
    }

    /// There is no number.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers of the samples `order`, of `stride` each. Panics where there is no such sample, as slices do.
    pub fn read(&self, stride: usize, order: &[u32]) -> Result<Vec<f32>> {
        match self {
            Features::Held(values) => {
                let row = |&index: &u32| &values[index as usize * stride..][..stride];
                let mut rows = Vec::with_capacity(order.len() * stride);
                order.iter().for_each(|index| rows.extend_from_slice(row(index)));
                Ok(rows)
            }
            Features::Stored(stored) => {
                let mut rows = vec![0.0; order.len() * stride];
                stored.read(order, &mut rows)?;
                Ok(rows)
            }
        }
    }

    /// The numbers of all samples.
    pub fn all(&self) -> Result<Cow<'_, [f32]>> {
        match self {
            Features::Held(values) => Ok(Cow::Borrowed(values)),
            Features::Stored(stored) => {
                let order: Vec<u32> = (0..stored.samples() as u32).collect();
                Ok(Cow::Owned(self.read(stored.stride(), &order)?))
            }
        }
    }

    /// Calls `visit` with every sample of `stride` numbers, in order.
    pub fn for_each(&self, stride: usize, mut visit: impl FnMut(&[f32])) -> Result<()> {
        let stride = stride.max(1);
        match self {
            Features::Held(values) => values.chunks_exact(stride).for_each(visit),
            Features::Stored(stored) => {
                let at_once = (VISITED / stride).max(1);
                for start in (0..stored.samples()).step_by(at_once) {
                    let end = (start + at_once).min(stored.samples());
                    let order: Vec<u32> = (start as u32..end as u32).collect();
                    self.read(stride, &order)?.chunks_exact(stride).for_each(&mut visit);
                }
            }
        }
        Ok(())
    }

    /// Every number becomes `(x − origin) / scale` of its place in a sample, for which `scale` has one pair each.
    pub(crate) fn rescale(&mut self, scale: &[(f64, f64)]) {
        match self {
            Features::Held(values) => {
                values.chunks_exact_mut(scale.len().max(1)).for_each(|sample| rescale(sample, scale));
            }
            Features::Stored(stored) => stored.rescale(scale),
        }
    }
}

#[cfg(test)]
impl Features {
    /// The numbers, which are in memory.
    pub(crate) fn held(&self) -> &[f32] {
        match self {
            Features::Held(values) => values,
            Features::Stored(_) => panic!("features in files"),
        }
    }

    /// The same, to be changed.
    pub(crate) fn held_mut(&mut self) -> &mut Vec<f32> {
        match self {
            Features::Held(values) => values,
            Features::Stored(_) => panic!("features in files"),
        }
    }
}
