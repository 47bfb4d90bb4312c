//! Training methods: each turns a batch into new controls, and says in its signature what it must see of the chip.

pub mod at;
mod build;
pub mod coordinate;
pub mod dfa;
pub mod dfa_model;
pub mod feedback;
pub mod fleet;
pub mod ideal;
pub mod in_silico;
mod name;
pub mod noise_aware;
pub mod parameter_shift;
pub mod pat;
pub mod pat_output;
pub mod probe;
mod room;
pub mod spsa;
pub mod zeroth_order;

pub use build::{DigitalStep, MethodOptions, build};
pub use name::MethodName;
pub use room::{Room, backpropagation};

use super::{Batch, Parameters};
use crate::Result;
use crate::propagator::{Buffer, Propagator};

/// A way to train the controls of `C`. It holds its digital model, if it has one, and every vector that it trains.
///
/// The chip counts update errors from the controls that it was programmed with first, so whoever runs a method programs the
/// chip with [`Method::controls`] before the first step, and before older parameters are restored.
pub trait Method<C: Propagator> {
    /// Which method this is.
    fn name(&self) -> MethodName;

    /// One step on one batch. Adds the loss that the method sees to `tally` as [`crate::propagator::Engine::loss`] does: the
    /// chip's where the method uses the chip, otherwise the model's.
    fn step(&mut self, chip: &mut C, batch: &Batch<C::Engine>, learning_rate: f64, tally: &mut Buffer<C>)
    -> Result<()>;

    /// The controls as trained so far.
    fn controls(&self) -> &Buffer<C>;

    /// Leaves the chip at the trained controls: one write of every control. For a method that trains on the computer alone
    /// this is the deployment.
    fn finish(&mut self, chip: &mut C) -> Result<()> {
        chip.program(self.controls())
    }

    /// Everything that the next step depends on, by name.
    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)>;

    /// The same, to be restored.
    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)>;
}
