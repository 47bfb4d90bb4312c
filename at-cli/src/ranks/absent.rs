//! The program was built without MPI: it is alone.

use super::{Order, started_together};
use anyhow::{Result, ensure};
use std::process::ExitCode;

/// Nothing to be ended.
pub struct Seat;

/// Never made.
pub enum World {}

/// Errs where several processes were started together: each would do everything, and write over what the others write.
pub fn begin() -> Result<Seat> {
    let together = started_together();
    ensure!(
        together == 1,
        "{together} processes were started together, and this asyt was built without MPI; build it with its feature mpi \
         (docs/scaling.md), or start one process"
    );
    Ok(Seat)
}

/// None.
pub fn world() -> Option<&'static World> {
    None
}

impl Seat {
    /// The exit code.
    pub fn end(self, code: u8) -> ExitCode {
        ExitCode::from(code)
    }
}

impl World {
    /// Number of this process.
    pub fn rank(&self) -> usize {
        match *self {}
    }

    /// How many there are.
    pub fn ranks(&self) -> usize {
        match *self {}
    }

    /// Number of this process on its machine, and how many are there.
    pub fn on_this_machine(&self) -> (usize, usize) {
        match *self {}
    }

    /// Tells all others what to do.
    pub fn tell(&self, _order: &Order, _with: Option<&[u8]>) -> Result<()> {
        match *self {}
    }

    /// Waits until all others have acknowledged.
    pub fn acknowledged(&self, _ended: impl Fn() -> bool) -> bool {
        match *self {}
    }
}
