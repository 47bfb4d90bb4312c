//! The processes that `mpirun` has started together, or that the program was built without MPI (cargo feature `mpi`).
//!
//! Rank 0 is the program as ever: it reads the command line, prints, draws, and writes every file. The other ranks follow ([`crate::follow`]):
//! they hear an [`Order`], take part in it, and wait for the next one.

#[cfg(not(feature = "mpi"))]
mod absent;
mod order;
#[cfg(feature = "mpi")]
mod present;

#[cfg(not(feature = "mpi"))]
pub use absent::{World, begin, world};
pub use order::Order;
#[cfg(feature = "mpi")]
pub use present::{World, begin, world};

use std::ffi::OsStr;

/// This process trains cells for another one: it has inherited what a rank's environment says, and is none.
fn is_a_worker() -> bool {
    std::env::args_os().nth(1).is_some_and(|word| word == OsStr::new("work"))
}

/// What an MPI starter says of how many processes it has started, by the names of Open MPI, and of MPICH and Intel MPI.
const SIZES: [&str; 2] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"];

/// Processes that an MPI starter has started together with this one, itself included.
fn started_together() -> usize {
    let sizes = SIZES.iter().filter_map(|name| std::env::var(name).ok()?.trim().parse().ok());
    if is_a_worker() { 1 } else { sizes.max().unwrap_or(1) }
}
