//! A trial: one method on one chip, from settings to results. `train`, `compare`, `sweep` and `reproduce` run nothing else.
//!
//! ```text
//! Settings → Plan      what the words mean                 (crate::plan)
//!          → Task      with the data and the network       (task.rs)
//!          → Trials    encoded, on an engine, with a chip  (run.rs)
//!          → TrialResult  what a method gave, and doubts
//! ```

pub mod doubts;
mod driver;
mod fingerprint;
mod memory;
pub mod misfit;
mod run;
mod stored;
mod task;

pub use doubts::before;
pub use driver::{Connect, Driver, OF_THE_PROGRAM};
pub use fingerprint::{Fingerprint, RunContents, SourceNames};
pub use memory::memory;
#[cfg(feature = "mpi")]
pub use run::Kept;
pub use run::{TrialResult, Trials};
pub use task::{Task, Tasks, encoded, held_samples, load, prepared, split};
