//! The simulated physical chip: an individual with imperfections that nobody outside sees, and a meter at its interface.

mod demonstration;
mod fabrication;
mod imperfections;
mod meter;

pub use demonstration::demonstration;
pub use fabrication::{Fabrication, StageErrors};
pub use imperfections::Imperfections;
pub use meter::Accesses;

use crate::Result;
use crate::network::Network;
use crate::propagator::{Buffer, Engine, LayerAccess, Propagator};

/// A chip behind its interface. It offers controls, inputs and readouts, and nothing else: the network inside is private and
/// no trait of a known inside is implemented, so a method that looks inside does not compile.
///
/// ```compile_fail
/// fn needs_the_inside(_: &impl at_core::propagator::Adjoint) {}
/// fn peek<E: at_core::propagator::Engine>(chip: &at_core::chip::Chip<E>) {
///     needs_the_inside(chip);
/// }
/// ```
pub struct Chip<E: Engine> {
    inside: E::Network,
    /// Signals per layer output; complex ones count as two values at a converter.
    converters: Vec<usize>,
    accesses: Accesses,
    metered: bool,
}

impl<E: Engine> Chip<E> {
    /// Fabricates the chip on `engine`.
    pub fn new(engine: &E, network: &Network, fabrication: &Fabrication) -> Result<Self> {
        let converters = (0..network.layers().len()).map(|layer| network.layer_output(layer).width()).collect();
        Ok(Chip {
            inside: engine.build(network, fabrication)?,
            converters,
            accesses: Accesses::default(),
            metered: true,
        })
    }

    /// What has crossed the interface so far.
    pub fn accesses(&self) -> Accesses {
        self.accesses
    }

    /// Continues the count of an earlier run.
    pub fn resume_accesses(&mut self, accesses: Accesses) {
        self.accesses = accesses;
    }

    /// Runs `work` without counting: for the evaluation of a result, which is the same for every method.
    pub fn unmetered<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let before = std::mem::replace(&mut self.metered, false);
        let result = work(self);
        self.metered = before;
        result
    }
}

impl<E: Engine> Propagator for Chip<E> {
    type Engine = E;

    fn controls(&self) -> usize {
        self.inside.controls()
    }

    fn inputs(&self) -> usize {
        self.inside.inputs()
    }

    fn outputs(&self) -> usize {
        self.inside.outputs()
    }

    fn program(&mut self, controls: &Buffer<Self>) -> Result<()> {
        self.inside.program(controls)?;
        if self.metered {
            self.accesses.control_writes += self.inside.controls() as u64;
        }
        Ok(())
    }

    fn propagate(&mut self, fields: &Buffer<Self>, batch: usize, readout: &mut Buffer<Self>) -> Result<()> {
        self.inside.propagate(fields, batch, readout)?;
        if self.metered {
            self.accesses.turn(batch);
            let batch = batch as u64;
            self.accesses.passes += batch;
            self.accesses.inputs += batch * self.inside.inputs() as u64;
            self.accesses.reads += batch * self.inside.outputs() as u64;
        }
        Ok(())
    }
}

impl<E: Engine> LayerAccess for Chip<E> {
    fn layers(&self) -> usize {
        self.inside.layers()
    }

    fn layer_outputs(&self, layer: usize) -> usize {
        self.inside.layer_outputs(layer)
    }

    fn propagate_layer(
        &mut self,
        layer: usize,
        input: &Buffer<Self>,
        batch: usize,
        output: &mut Buffer<Self>,
    ) -> Result<()> {
        self.inside.propagate_layer(layer, input, batch, output)?;
        if self.metered {
            self.accesses.turn(batch);
            let batch = batch as u64;
            if layer == 0 {
                self.accesses.passes += batch;
                self.accesses.inputs += batch * self.inside.inputs() as u64;
            } else {
                self.accesses.injections += batch * self.converters[layer - 1] as u64;
            }
            self.accesses.reads += batch * self.converters[layer] as u64;
        }
        Ok(())
    }
}
