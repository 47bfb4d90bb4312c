//! Cells: trainings that stand by themselves, one method on one chip each, kept for good once they are done.
//!
//! A comparison, a sweep, the reproduction of a figure: each is a list of [`Cell`]s and what is made of their
//! [`CellResult`]s. [`run`] gives the results, and trains what is missing in processes of this same program:
//!
//! ```text
//! FOLDER/cells/NAME/cell.toml              the settings, complete
//!                  /checkpoint.safetensors a half-done training, from which it goes on
//!                  /METHOD.safetensors     what a whole one has trained, without what only a half-done one needs
//!                  /result.json            its numbers; never written again
//!                  /diverged.txt           in its place: the training diverged, as it will again
//!                  /failure.txt            why there is none; the next run tries again
//!                  /.lock                  held by the process that trains; the lock ends with it
//! ```
//!
//! NAME ends with a hash of all that the numbers depend on, so a cell is never trained twice, and never taken for another.

mod cell;
mod pool;
mod progress;
mod result;
pub mod shard;
mod store;
mod train;
pub mod worker;

pub use cell::{Cell, Cells};
#[cfg(feature = "mpi")]
pub use pool::run_share;
pub use pool::{Ending, Options, Trained, ending, run, started_by, usual_jobs};
pub use result::CellResult;
pub use shard::Shard;
pub use store::Store;
