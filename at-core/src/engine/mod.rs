//! Where the numbers of a training live, and what is done with them there: vectors and how they are combined, losses, update rules.
//!
//! An engine knows nothing of light. One that also simulates networks and chips is a [`crate::propagator::Simulator`].

mod loss;
mod optimizer;
mod targets;

pub use loss::{Loss, LossKind, Normalization, Reduction};
pub use optimizer::{Optimizer, OptimizerState, Schedule, adam_rate};
pub use targets::Targets;

use crate::error::same_size;
use crate::{Error, Real, Result};

/// Where numbers live and how flat vectors of them are combined. Vectors never leave it unless [`Engine::download`] is called.
///
/// Lengths are part of each operation's contract; an engine errs where they do not fit.
pub trait Engine: Clone + Sync + 'static {
    /// A flat vector of reals.
    type Buffer: Sync;
    /// A flat vector of indices: labels, sample orders.
    type Indices: Sync;
    /// The device and its precision, for reports: `cpu f32, 2 threads`.
    fn describe(&self) -> String;

    /// All of the device that the last digits of its numbers depend on: `cpu f32, x86_64 V3`.
    fn arithmetic(&self) -> String {
        self.describe()
    }

    /// Ranks that share every batch ([`crate::ranks`]); 1 where the engine works alone.
    fn ranks(&self) -> usize {
        1
    }

    /// What rank 0 has decided; of an engine that works alone, its `own` decision.
    fn agree(&self, own: bool) -> Result<bool> {
        Ok(own)
    }

    /// Errs where ranks have other bits in `buffer`, which is `what` should be the same on all.
    fn require_same(&self, what: &str, buffer: &Self::Buffer) -> Result<()> {
        let _ = (what, buffer);
        Ok(())
    }

    /// Waits until all that was asked of the engine is done; an engine that works while one asks has nothing to wait for.
    fn finish(&self) -> Result<()> {
        Ok(())
    }

    /// `len` zeros.
    fn zeros(&self, len: usize) -> Result<Self::Buffer>;

    /// A copy of `values` on the engine.
    fn upload<R: Real>(&self, values: &[R]) -> Result<Self::Buffer>;

    /// A copy of `buffer` in memory; every engine's reals convert to `f64` and back without loss.
    fn download(&self, buffer: &Self::Buffer) -> Result<Vec<f64>>;

    /// A copy of `values` on the engine.
    fn upload_indices(&self, values: &[u32]) -> Result<Self::Indices>;

    /// `len` zeros.
    fn zero_indices(&self, len: usize) -> Result<Self::Indices> {
        self.upload_indices(&vec![0; len])
    }

    /// `y ← a·x + b·y`. With b = 0, y's old content (NaN too) does not matter.
    fn combine(&self, a: f64, x: &Self::Buffer, b: f64, y: &mut Self::Buffer) -> Result<()>;

    /// `y ← x ∘ y`, elementwise.
    fn multiply(&self, x: &Self::Buffer, y: &mut Self::Buffer) -> Result<()>;

    /// `target [rows, columns] ← A·B` with `sizes = [rows, inner, columns]`, each at least 1; `target` may be longer.
    fn product(
        &self,
        sizes: [usize; 3],
        a: Factor<'_, Self::Buffer>,
        b: Factor<'_, Self::Buffer>,
        target: &mut Self::Buffer,
    ) -> Result<()>;

    /// Rows `order[start..start+count]` of `source [rows, width]` into the first `count` rows of `target`.
    fn gather(
        &self,
        source: &Self::Buffer,
        width: usize,
        order: &Self::Indices,
        start: usize,
        count: usize,
        target: &mut Self::Buffer,
    ) -> Result<()>;

    /// `target[i] ← source[order[start+i]]` for i < count.
    fn gather_indices(
        &self,
        source: &Self::Indices,
        order: &Self::Indices,
        start: usize,
        count: usize,
        target: &mut Self::Indices,
    ) -> Result<()>;

    /// `target[row, to.first + k] ← source[row, from.first + k]` for `row < rows` and `k < count` with `sizes = [rows, count]`: columns of
    /// one matrix into another, whose other columns stay.
    fn copy_columns(
        &self,
        sizes: [usize; 2],
        from: Columns,
        source: &Self::Buffer,
        to: Columns,
        target: &mut Self::Buffer,
    ) -> Result<()>;

    /// Loss of `readout [batch, outputs]` (the buffers may be longer) against `targets`; adds (loss sum over samples, correct
    /// samples or, of real targets, squared errors `Σ_k (gain·x̃_k - t_k)²`, samples) to the three entries of `tally`, and writes dL/d(readout) into `error [batch, outputs]` where one is
    /// given. A tally of 3G entries, `[G, 3]`, takes G groups apart: sample k belongs to group k mod G, and G divides `batch`.
    fn loss(
        &self,
        loss: &Loss,
        readout: &Self::Buffer,
        outputs: usize,
        targets: Targets<'_, Self>,
        batch: usize,
        error: Option<&mut Self::Buffer>,
        tally: &mut Self::Buffer,
    ) -> Result<()>;

    /// Does `work` for every one of `items`, in whatever order and on as many threads as suits the engine.
    fn for_each<I: Send, R: Send>(&self, items: Vec<I>, work: impl Fn(I) -> R + Send + Sync) -> Vec<R> {
        items.into_iter().map(work).collect()
    }

    /// One optimizer step: `parameters ← parameters - learning_rate · direction(gradient, state)`.
    fn optimize(
        &self,
        optimizer: &Optimizer,
        learning_rate: f64,
        gradient: &Self::Buffer,
        state: &mut OptimizerState<Self>,
        parameters: &mut Self::Buffer,
    ) -> Result<()>;
}

/// Columns of a row-major matrix, from one on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Entries of a row.
    pub width: usize,
    /// The first of the columns.
    pub first: usize,
}

impl Columns {
    /// Errs unless `count` columns of `rows` rows lie in a matrix of `len` entries.
    pub fn check(&self, what: &str, [rows, count]: [usize; 2], len: usize) -> Result<()> {
        let Columns { width, first } = *self;
        if width == 0 || first + count > width {
            let reason = format!("{count} columns from {first} on do not lie in rows of {width}");
            return Err(Error::invalid("columns", what, reason));
        }
        if rows * width > len { same_size(what, rows * width, len) } else { Ok(()) }
    }
}

/// A full matrix of a product, row-major.
#[derive(Clone, Copy, Debug)]
pub struct Factor<'a, B> {
    /// The entries; there may be more than the matrix has.
    pub values: &'a B,
    /// The entries are those of the transposed matrix.
    pub transposed: bool,
}

impl<'a, B> Factor<'a, B> {
    /// The matrix of these entries.
    pub fn plain(values: &'a B) -> Self {
        Factor { values, transposed: false }
    }

    /// The transpose of the matrix of these entries.
    pub fn transposed(values: &'a B) -> Self {
        Factor { values, transposed: true }
    }

    /// Distances of two neighbours in a column and in a row, of a factor of `rows` x `columns`.
    pub fn stride(&self, rows: usize, columns: usize) -> (usize, usize) {
        if self.transposed { (1, rows) } else { (columns, 1) }
    }
}

/// The sizes of an [`Engine::product`]; errs where one is 0.
pub fn product_sizes(sizes: [usize; 3]) -> Result<[usize; 3]> {
    if sizes.contains(&0) {
        return Err(Error::invalid("sizes of a product", format!("{sizes:?}"), "must be at least 1"));
    }
    Ok(sizes)
}

/// How many groups a tally of `len` entries takes apart ([`Engine::loss`]). Errs unless it has three per group, and the groups
/// share the `batch` evenly.
pub fn groups(len: usize, batch: usize) -> Result<usize> {
    let groups = len / 3;
    if len > 0 && len.is_multiple_of(3) && batch.is_multiple_of(groups) {
        return Ok(groups);
    }
    Err(Error::invalid("tally", format!("{len} entries"), format!("needs three per group that shares {batch} samples")))
}
