//! Asymmetrical training of many chips with one digital model.
//!
//! The digital model never sees a chip, so its run is the same for all copies of one: its forward pass and the backward pass of
//! its own error are done once per step, and every chip costs one more backward pass, of its own error:
//!
//! ```text
//! once       e_d,  Θd ← Θd − η·w·BP(e_d)
//! per chip   Θc_k ← Θc_k − η·BP(m1·e_d + m2·e_p,k)
//! ```
//!
//! Each chip gets bit for bit what it would get from [`super::at`] alone.
//!
//! Source: Wang et al., Nat. Commun. 16, 2143 (2025), Fig. 6c.

use super::at::{Pair, Weights, digital_pass, model_gradient, physical_pass};
use super::turned_back::{LOOK, named, turn_back};
use super::{MethodName, Room};
use crate::chip::{Accesses, Meter};
use crate::engine::{Loss, Optimizer};
use crate::error::same_size;
use crate::propagator::{Adjoint, Buffer, Propagator};
use crate::training::{Batch, Digital, Parameters};
use crate::turns::FreePhases;
use crate::{Error, Result};

/// One model and what it has taught every chip so far.
pub struct Fleet<M: Adjoint> {
    model: Digital<M>,
    weights: Weights,
    digital: Parameters<M::Engine>,
    controls: Vec<Parameters<M::Engine>>,
    room: Room<Digital<M>>,
    pair: Pair<M::Engine>,
    shared: Meter,
    free: Option<FreePhases>,
    epoch: usize,
    steps: usize,
}

impl<M: Adjoint> Fleet<M> {
    /// Starts `chips` chips and the `model` from the same `initial` values. What is done for all is counted on `shared`.
    pub fn new(
        engine: &M::Engine,
        mut model: Digital<M>,
        chips: usize,
        weights: Weights,
        initial: &[f64],
        optimizer: Optimizer,
        loss: Loss,
        capacity: usize,
        shared: &Meter,
    ) -> Result<Self> {
        weights.validate()?;
        if chips == 0 {
            return Err(Error::invalid("share-model", 0, "must be at least 1"));
        }
        let controls = (0..chips).map(|_| Parameters::new(engine, optimizer, initial)).collect::<Result<Vec<_>>>()?;
        let digital = Parameters::new(engine, optimizer, initial)?;
        model.program(&digital.values)?;
        let room = Room::new(engine, &model, loss, capacity)?;
        let pair = Pair::new(engine, &model, capacity)?;
        let shared = shared.clone();
        Ok(Fleet { model, weights, digital, controls, room, pair, shared, free: None, epoch: 0, steps: 0 })
    }

    /// The same, turning these phases back where they run away from zero.
    pub fn with_free_phases(mut self, free: FreePhases) -> Self {
        self.free = Some(free).filter(|free| !free.is_empty());
        self
    }

    /// Epoch number `epoch` from 0 begins.
    pub fn begin_epoch(&mut self, epoch: usize) {
        (self.epoch, self.steps) = (epoch, 0);
    }

    /// Turns all phases back: with a tether by the turns of the model.
    fn look(&mut self) -> Result<()> {
        let Fleet { weights, digital, controls, room, free, epoch, .. } = self;
        let Some(free) = free else { return Ok(()) };
        let vectors = std::iter::once(digital).chain(controls).map(|own| &mut own.values).collect();
        turn_back(&room.engine, free, weights.tether > 0.0, vectors)
            .map_err(|error| named(error, MethodName::At, *epoch))
    }

    /// One step of every chip on one batch. `meters` are the chips' own, and take the work done for one chip only; `tallies`
    /// take each chip's loss.
    pub fn step<C: Propagator<Engine = M::Engine>>(
        &mut self,
        chips: &mut [C],
        meters: &[Meter],
        batch: &Batch<C::Engine>,
        learning_rate: f64,
        tallies: &mut [Buffer<C>],
    ) -> Result<()> {
        if self.steps.is_multiple_of(LOOK) {
            self.look()?;
        }
        self.steps += 1;
        let Fleet { model, weights, digital, controls, room, pair, shared, .. } = self;
        same_size("chips of the fleet", controls.len(), chips.len())?;
        same_size("meters of the fleet", controls.len(), meters.len())?;
        same_size("tallies of the fleet", controls.len(), tallies.len())?;
        model.count_on(shared);
        digital_pass(model, &digital.values, batch, room, pair)?;
        let members = chips.iter_mut().zip(meters).zip(controls.iter_mut()).zip(tallies);
        for (((chip, meter), controls), tally) in members {
            model.count_on(meter);
            physical_pass(chip, model, &controls.values, weights, batch, room, pair, tally)?;
            controls.descend(&room.engine, learning_rate, &pair.control_gradient)?;
        }
        model.count_on(shared);
        model_gradient(model, weights, room, pair)?;
        digital.descend(&room.engine, learning_rate, &room.gradient)?;
        let mut controls = controls.iter_mut();
        controls.try_for_each(|own| weights.pull(&room.engine, learning_rate, &digital.values, &mut own.values))
    }

    /// Number of chips.
    pub fn chips(&self) -> usize {
        self.controls.len()
    }

    /// Everything that the next step depends on, by name: the first chip's controls by theirs in [`super::at`].
    pub fn parameters(&self) -> Vec<(String, &Parameters<M::Engine>)> {
        let controls = self.controls.iter().enumerate().map(|(chip, own)| (name(chip), own));
        controls.chain([("model".to_string(), &self.digital)]).collect()
    }

    /// The same, to be restored.
    pub fn parameters_mut(&mut self) -> Vec<(String, &mut Parameters<M::Engine>)> {
        let controls = self.controls.iter_mut().enumerate().map(|(chip, own)| (name(chip), own));
        controls.chain([("model".to_string(), &mut self.digital)]).collect()
    }

    /// What has been done for all.
    pub fn shared(&self) -> &Meter {
        &self.shared
    }

    /// The controls of chip number `chip` as trained so far.
    pub fn controls(&self, chip: usize) -> &Buffer<M> {
        &self.controls[chip].values
    }

    /// What one chip has cost: its own `accesses`, and its share of the model's work for all.
    pub fn accesses_of_one(&self, accesses: Accesses) -> Accesses {
        let (shared, chips) = (self.shared.read(), self.controls.len() as u64);
        Accesses {
            digital_passes: accesses.digital_passes + shared.digital_passes / chips,
            digital_backward_passes: accesses.digital_backward_passes + shared.digital_backward_passes / chips,
            digital_flops: accesses.digital_flops + shared.digital_flops / chips,
            ..accesses
        }
    }
}

fn name(chip: usize) -> String {
    if chip == 0 { "controls".to_string() } else { format!("controls.{chip}") }
}
