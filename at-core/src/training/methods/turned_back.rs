//! A method whose phases do not run away from zero: from time to time whole turns are taken off, which no chip and no model sees.
//!
//! A tether measures the distance between controls and model, so there both are turned by the same.

use super::{Method, MethodFacts, MethodName};
use crate::engine::{Engine, Loss};
use crate::propagator::{Buffer, Propagator};
use crate::training::{Batch, Evaluation, Parameters, Split, Workspace};
use crate::turns::FreePhases;
use crate::{Error, Result};

/// Steps from one look at the controls to the next; the first step of an epoch has one too.
pub(super) const LOOK: usize = 256;

/// The method inside, and the phases that it may turn.
pub struct TurnedBack<C: Propagator> {
    method: Box<dyn Method<C>>,
    engine: C::Engine,
    free: FreePhases,
    epoch: usize,
    steps: usize,
}

impl<C: Propagator> TurnedBack<C> {
    /// `method` with `free` phases.
    pub fn new(method: Box<dyn Method<C>>, engine: &C::Engine, free: FreePhases) -> Self {
        TurnedBack { method, engine: engine.clone(), free, epoch: 0, steps: 0 }
    }

    fn look(&mut self) -> Result<()> {
        let (name, tethered) = (self.method.name(), self.method.tethered());
        let vectors = self.method.parameters_mut().into_iter();
        let mut phases: Vec<_> = vectors.filter(|(name, _)| matches!(*name, "controls" | "model")).collect();
        phases.sort_by_key(|(name, _)| *name == "controls"); // the model first, which holds the tether
        let phases: Vec<_> = phases.into_iter().map(|(_, own)| &mut own.values).collect();
        turn_back(&self.engine, &self.free, tethered, phases).map_err(|error| named(error, name, self.epoch))
    }
}

/// A divergence found between two epochs, with its method and its epoch (from 0).
pub(super) fn named(error: Error, name: MethodName, number: usize) -> Error {
    match error {
        Error::Diverged { reason, .. } => Error::Diverged { method: name.to_string(), epoch: number + 1, reason },
        error => error,
    }
}

/// Turns every one of `vectors` back by its own turns, or, `together`, all by those of the first. Errs with
/// [`Error::Diverged`] where one is beyond all use.
pub(super) fn turn_back<E: Engine>(
    engine: &E,
    free: &FreePhases,
    together: bool,
    vectors: Vec<&mut E::Buffer>,
) -> Result<()> {
    let mut first = None;
    for vector in vectors {
        let values = engine.download(vector)?;
        let own = free.excess(&values);
        let own = own.map_err(|reason| Error::Diverged { method: String::new(), epoch: 0, reason })?;
        let excess = if together { first.get_or_insert(own).clone() } else { own };
        if let Some(excess) = excess {
            let near: Vec<f64> = values.iter().zip(&excess).map(|(value, turns)| value - turns).collect();
            *vector = engine.upload(&near)?;
        }
    }
    Ok(())
}

impl<C: Propagator> Method<C> for TurnedBack<C> {
    fn facts(&self) -> &'static MethodFacts {
        self.method.facts()
    }

    fn begin_epoch(&mut self, epoch: usize, epochs: usize) {
        (self.epoch, self.steps) = (epoch, 0); // so that a resumed run looks when an uninterrupted one does
        self.method.begin_epoch(epoch, epochs);
    }

    fn step(
        &mut self,
        chip: &mut C,
        batch: &Batch<C::Engine>,
        learning_rate: f64,
        tally: &mut Buffer<C>,
    ) -> Result<()> {
        if self.steps.is_multiple_of(LOOK) {
            self.look()?;
        }
        self.steps += 1;
        self.method.step(chip, batch, learning_rate, tally)
    }

    fn evaluate(
        &self,
        chip: &mut C,
        engine: &C::Engine,
        split: &Split<C::Engine>,
        loss: &Loss,
        workspace: &mut Workspace<C::Engine>,
    ) -> Result<Evaluation> {
        self.method.evaluate(chip, engine, split, loss, workspace)
    }

    fn controls(&self) -> &Buffer<C> {
        self.method.controls()
    }

    fn finish(&mut self, chip: &mut C) -> Result<()> {
        self.method.finish(chip)
    }

    fn measuring(&self) -> bool {
        self.method.measuring()
    }

    fn tethered(&self) -> bool {
        self.method.tethered()
    }

    fn notes(&self) -> Vec<String> {
        self.method.notes()
    }

    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)> {
        self.method.parameters()
    }

    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)> {
        self.method.parameters_mut()
    }
}
