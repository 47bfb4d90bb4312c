//! What a trainer needs of a chip, simulated or not.

use super::{Accesses, Meter, State};
use crate::Result;
use crate::propagator::{Buffer, Propagator};

/// A chip in a trainer's hands: its interface is metered, and a run can put it down and take it up again.
///
/// [`super::Chip`] is one that is simulated; [`super::Metered`] makes one of any [`Propagator`].
pub trait Physical: Propagator {
    /// The chip's meter, to which the computer beside it adds its own work.
    fn meter(&self) -> &Meter;

    /// Counts from here on or does not; gives what it did before.
    fn set_metered(&mut self, metered: bool) -> bool;

    /// What changes while it works: with it, the chip goes on after an interruption as it would have without.
    fn state(&mut self) -> Result<State>;

    /// Goes on from a `state` of an earlier run. Errs where it is another chip's.
    fn resume(&mut self, state: &State) -> Result<()>;

    /// What of these `controls` no useful training reaches, in words; nothing where the chip knows of no such bound.
    fn astray(&self, controls: &Buffer<Self>) -> Result<Option<String>> {
        let _ = controls;
        Ok(None)
    }

    /// What has crossed the interface so far, and what [`Physical::meter`] was told of.
    fn accesses(&self) -> Accesses {
        self.meter().read()
    }

    /// Runs `work` without counting: for the evaluation of a result, which is the same for every method.
    fn unmetered<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R
    where
        Self: Sized,
    {
        let before = self.set_metered(false);
        let result = work(self);
        self.set_metered(before);
        result
    }
}
