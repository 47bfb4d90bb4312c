//! Training methods: each turns a batch into new controls, and says in its signature what it must see of the chip.

pub mod at;
pub mod at_adaptive;
mod build;
mod calibration;
mod chain;
pub mod coordinate;
pub mod dat;
mod descent;
pub mod dfa;
pub mod dfa_model;
mod facts;
pub mod feedback;
pub mod ffm;
pub mod fleet;
mod guide;
pub mod guided;
pub mod guided_model;
mod heater_path;
pub mod hybrid;
pub mod ideal;
pub mod in_silico;
pub mod in_situ;
mod ingredients;
mod kept_probes;
pub mod learned_model;
mod measuring;
mod misfit;
mod name;
pub mod noise_aware;
mod option;
mod options;
pub mod parameter_shift;
pub mod pat;
pub mod pat_output;
pub mod phyll;
mod prepared;
pub mod probe;
mod probes;
mod receiver;
pub mod registry;
mod room;
mod same_terms;
pub mod sat;
pub mod sat_output;
mod sent;
mod sharpness;
pub mod spsa;
pub mod subspace;
pub mod tiki_taka;
mod turned_back;
pub mod zeroth_order;

pub use at_adaptive::{ESTIMATE, Estimation};
pub use build::{Reachable, build, build_fleet};
pub use descent::{Descent, Gradient};
pub use facts::{Dash, Marker, MethodFacts, Model, Reach, Seen};
pub use ingredients::Ingredients;
pub use measuring::{MEASURING, Standing};
pub use name::MethodName;
pub use option::{MethodOption, OptionRange};
pub use options::{DigitalModel, DigitalStep, MethodOptions};
pub use prepared::Preparation;
pub use probes::probe_samples;
pub(super) use receiver::rounded_up;
pub use room::{Modelled, Room, backpropagation};
pub use same_terms::PHASE_ERROR;
pub use sent::{Measured, Measures};
pub use sharpness::Sharpness;
pub use tiki_taka::Transfer;

use super::{Batch, Evaluation, Parameters, Split, Workspace, evaluate};
use crate::Result;
use crate::engine::Loss;
use crate::propagator::{Buffer, Propagator};

/// A way to train the controls of `C`. It holds its digital model, if it has one, and every vector that it trains.
///
/// A method that descends a gradient of the controls, and trains nothing else, is a [`Gradient`] in a [`Descent`].
///
/// The chip counts update errors from the controls that it was programmed with first, so whoever runs a method programs the
/// chip with [`Method::controls`] before the first step, and before older parameters are restored.
pub trait Method<C: Propagator> {
    /// What there is to say of it.
    fn facts(&self) -> &'static MethodFacts;

    /// Its name.
    fn name(&self) -> MethodName {
        self.facts().name
    }

    /// Epoch number `epoch` from 0 of `epochs` begins. For methods whose steps change over the epochs.
    fn begin_epoch(&mut self, epoch: usize, epochs: usize) {
        let _ = (epoch, epochs);
    }

    /// One step on one batch. Adds the loss that the method sees to `tally` as [`crate::engine::Engine::loss`] does: the
    /// chip's where the method uses the chip, otherwise the model's.
    fn step(&mut self, chip: &mut C, batch: &Batch<C::Engine>, learning_rate: f64, tally: &mut Buffer<C>)
    -> Result<()>;

    /// How the chip does on `split` with what has been trained so far. Unless a method says otherwise, by its output layer.
    fn evaluate(
        &self,
        chip: &mut C,
        engine: &C::Engine,
        split: &Split<C::Engine>,
        loss: &Loss,
        workspace: &mut Workspace<C::Engine>,
    ) -> Result<Evaluation> {
        chip.program(self.controls())?;
        evaluate(chip, engine, split, loss, workspace)
    }

    /// The controls as trained so far.
    fn controls(&self) -> &Buffer<C>;

    /// Leaves the chip at the trained controls: one write of every control. For a method that trains on the computer alone
    /// this is the deployment.
    fn finish(&mut self, chip: &mut C) -> Result<()> {
        chip.program(self.controls())
    }

    /// The next step measures the chip, and the loss that it adds to the tally is the model's.
    fn measuring(&self) -> bool {
        false
    }

    /// The distance between its controls and its model counts, so that whole turns are taken off both together.
    fn tethered(&self) -> bool {
        false
    }

    /// What makes one doubt what has been trained so far, a sentence each.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Everything that the next step depends on, by name.
    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)>;

    /// The same, to be restored.
    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)>;
}
