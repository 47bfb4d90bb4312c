//! Asymmetrical training: the chip gives its output only; a digital model, trained in parallel, carries errors backwards.
//!
//! With controls Θc on the chip, parameters Θd of the model, and e_p, e_d the errors at the two readouts of the same batch:
//!
//! ```text
//! BP(e)  the model's backward pass of e at its own hidden signals, with its own parameters
//! Θc ← Θc − η·BP(m1·e_d + m2·e_p)        = η·(m1·g1 + m2·g2), one backward pass because BP is linear
//! Θd ← Θd − η·w·BP(e_d)                  w: DigitalStep
//! ```
//!
//! Both start from the same values. Nothing else of the chip is used: no hidden signal, no calibration.
//!
//! Not part of the published method is the tether ([`Weights::tether`]), which pulls the controls back to the model's values after
//! each step, `Θc ← Θc + η·κ·(Θd − Θc)`. Where fields interfere, model and chip part by phases until the model's Jacobian has
//! nothing to do with the chip's, and only a tether keeps them together.
//!
//! Source: Wang et al., Nat. Commun. 16, 2143 (2025), and its published demonstration (AsymmetricalTrainingDemo, atCode.py).

use super::{
    Dash, Ingredients, Marker, Method, MethodFacts, MethodName, MethodOption, Model, OptionRange, Reach, Room,
};
use crate::engine::{Engine, Loss, Optimizer};
use crate::propagator::{Adjoint, Buffer, Propagator, Simulator};
use crate::training::{Batch, Parameters};
use crate::{Error, Result};

/// m1.
pub const DIGITAL_WEIGHT: MethodOption = MethodOption {
    name: "digital-weight",
    help: "weight of the digital model's error",
    range: OptionRange::NotNegative,
    read: |options| Some(options.digital_weight),
    multiplies_passes: false,
};

/// m2.
pub const PHYSICAL_WEIGHT: MethodOption = MethodOption {
    name: "physical-weight",
    help: "weight of the chip's error",
    range: OptionRange::NotNegative,
    read: |options| Some(options.physical_weight),
    multiplies_passes: false,
};

/// κ.
pub const TETHER: MethodOption = MethodOption {
    name: "tether",
    help: "rate at which the controls return to the model's values, per unit of the learning rate; meshes need it [default: 0, as published]",
    range: OptionRange::NotNegative,
    read: |options| Some(options.tether),
    multiplies_passes: false,
};

/// [`super::DigitalStep`].
pub const DIGITAL_STEP: MethodOption = MethodOption {
    name: "digital-step",
    help: "step of the digital model: matched or as-published",
    range: OptionRange::Words(&["matched", "as-published"]),
    read: |_| None,
    multiplies_passes: false,
};

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("at"),
    title: "asymmetrical training",
    uses: "its output",
    reach: Reach::Output,
    summary: "asymmetrical training: a digital model runs in parallel, chip and model each follow their errors",
    manner: super::facts::OUTPUT_ONLY,
    colour: [213, 94, 0],
    dash: Dash::Solid,
    marker: Marker::Circle,
    model: Model::DataSheet,
    needs_classes: false,
    options: &[DIGITAL_WEIGHT, PHYSICAL_WEIGHT, TETHER, DIGITAL_STEP],
    passes: MethodFacts::one_pass,
    check: MethodFacts::any_network,
};

/// The method from its parts.
pub fn build<E: Simulator, C: Propagator<Engine = E> + 'static>(
    from: &Ingredients<'_, E>,
) -> Result<Box<dyn Method<C>>> {
    let (weights, mask, settings) = (from.options.weights(), from.update_mask()?, from.settings);
    let (optimizer, loss, capacity) = (settings.optimizer, settings.loss, settings.batch_size);
    let model = from.nominal()?;
    Ok(Box::new(Asymmetric::new(from.engine, model, weights, mask, from.initial, optimizer, loss, capacity)?))
}

/// Shares of the two errors, and what holds chip and model together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// m1, the share of the model's error in the control update.
    pub digital: f64,
    /// m2, the share of the chip's error in it.
    pub physical: f64,
    /// w, the weight of the model's own update.
    pub model: f64,
    /// κ, the rate at which the controls return to the model's values, per unit of the learning rate, so that it follows the
    /// schedule; 0 as published.
    pub tether: f64,
}

impl Weights {
    /// Errs unless all weights are finite and not negative, and m1 and m2 not both zero.
    pub fn validate(&self) -> Result<()> {
        DIGITAL_WEIGHT.check(self.digital)?;
        PHYSICAL_WEIGHT.check(self.physical)?;
        TETHER.check(self.tether)?;
        if self.digital + self.physical == 0.0 {
            return Err(Error::invalid("physical-weight", 0, "the weights of both errors are zero"));
        }
        Ok(())
    }

    /// `controls ← controls + η·κ·(model − controls)`, at most all the way.
    pub(super) fn pull<E: Engine>(
        &self,
        engine: &E,
        learning_rate: f64,
        model: &E::Buffer,
        controls: &mut E::Buffer,
    ) -> Result<()> {
        let share = (learning_rate * self.tether).min(1.0);
        if share == 0.0 { Ok(()) } else { engine.combine(share, model, 1.0 - share, controls) }
    }
}

/// What asymmetrical training needs beyond a model's room.
pub struct Pair<E: Engine> {
    /// The error of the chip's readout, then mixtures of both errors, `[batch, outputs]`.
    error: E::Buffer,
    /// The gradient of the controls.
    pub(super) control_gradient: E::Buffer,
    /// The model's own losses, which nobody asks for.
    tally: E::Buffer,
}

impl<E: Engine> Pair<E> {
    /// Room for batches of up to `capacity` samples through `model`.
    pub fn new<M: Adjoint<Engine = E>>(engine: &E, model: &M, capacity: usize) -> Result<Self> {
        Ok(Pair {
            error: engine.zeros(model.outputs() * capacity)?,
            control_gradient: engine.zeros(model.controls())?,
            tally: engine.zeros(3)?,
        })
    }
}

/// Fills `pair.control_gradient ← BP(m1·e_d + m2·e_p)` and `room.gradient ← w·BP(e_d)`; `tally` takes the chip's loss.
pub fn asymmetric<C: Propagator, M: Adjoint<Engine = C::Engine>>(
    chip: &mut C,
    model: &mut M,
    controls: &Buffer<C>,
    parameters: &Buffer<M>,
    weights: &Weights,
    batch: &Batch<C::Engine>,
    room: &mut Room<M>,
    pair: &mut Pair<C::Engine>,
    tally: &mut Buffer<C>,
) -> Result<()> {
    digital_pass(model, parameters, batch, room, pair)?;
    physical_pass(chip, model, controls, weights, batch, room, pair, tally)?;
    model_gradient(model, weights, room, pair)
}

/// The model's forward pass and its error: `room.trace` and `room.error ← e_d`.
pub(super) fn digital_pass<M: Adjoint>(
    model: &mut M,
    parameters: &Buffer<M>,
    batch: &Batch<M::Engine>,
    room: &mut Room<M>,
    pair: &mut Pair<M::Engine>,
) -> Result<()> {
    let Room { engine, loss, trace, readout, error, .. } = room;
    model.program(parameters)?;
    model.record(batch.signals(), batch.size(), trace, readout)?;
    engine.loss(loss, readout, model.outputs(), batch.targets(), batch.size(), Some(error), &mut pair.tally)
}

/// The chip's pass, and `pair.control_gradient ← BP(m1·e_d + m2·e_p)` after [`digital_pass`].
pub(super) fn physical_pass<C: Propagator, M: Adjoint<Engine = C::Engine>>(
    chip: &mut C,
    model: &mut M,
    controls: &Buffer<C>,
    weights: &Weights,
    batch: &Batch<C::Engine>,
    room: &mut Room<M>,
    pair: &mut Pair<C::Engine>,
    tally: &mut Buffer<C>,
) -> Result<()> {
    let Room { engine, loss, trace, readout, error, .. } = room;
    let (size, targets) = (batch.size(), batch.targets());
    chip.program(controls)?;
    chip.propagate(batch.signals(), size, readout)?;
    engine.loss(loss, readout, chip.outputs(), targets, size, Some(&mut pair.error), tally)?;
    engine.combine(weights.digital, error, weights.physical, &mut pair.error)?;
    model.backpropagate(trace, &pair.error, &mut pair.control_gradient)
}

/// `room.gradient ← w·BP(e_d)` after [`physical_pass`], from whose result it follows where one of the weights is zero.
pub(super) fn model_gradient<M: Adjoint>(
    model: &mut M,
    weights: &Weights,
    room: &mut Room<M>,
    pair: &mut Pair<M::Engine>,
) -> Result<()> {
    let Room { engine, trace, error, gradient, .. } = room;
    if weights.physical == 0.0 || weights.model == 0.0 {
        let ratio = if weights.model == 0.0 { 0.0 } else { weights.model / weights.digital };
        return engine.combine(ratio, &pair.control_gradient, 0.0, gradient);
    }
    engine.combine(weights.model, error, 0.0, &mut pair.error)?;
    model.backpropagate(trace, &pair.error, gradient)
}

/// The method with its model.
pub struct Asymmetric<M: Adjoint> {
    model: M,
    weights: Weights,
    digital_mask: Option<Buffer<M>>,
    controls: Parameters<M::Engine>,
    digital: Parameters<M::Engine>,
    room: Room<M>,
    pair: Pair<M::Engine>,
}

impl<M: Adjoint> Asymmetric<M> {
    /// Starts chip and `model` from the same `initial` values. `digital_mask` multiplies the model's gradient entry by entry.
    pub fn new(
        engine: &M::Engine,
        mut model: M,
        weights: Weights,
        digital_mask: Option<Buffer<M>>,
        initial: &[f64],
        optimizer: Optimizer,
        loss: Loss,
        capacity: usize,
    ) -> Result<Self> {
        weights.validate()?;
        let controls = Parameters::new(engine, optimizer, initial)?;
        model.program(&controls.values)?;
        let room = Room::new(engine, &model, loss, capacity)?;
        let pair = Pair::new(engine, &model, capacity)?;
        let digital = Parameters::new(engine, optimizer, initial)?;
        Ok(Asymmetric { model, weights, digital_mask, controls, digital, room, pair })
    }
}

impl<M: Adjoint, C: Propagator<Engine = M::Engine>> Method<C> for Asymmetric<M> {
    fn facts(&self) -> &'static MethodFacts {
        &FACTS
    }

    fn step(
        &mut self,
        chip: &mut C,
        batch: &Batch<C::Engine>,
        learning_rate: f64,
        tally: &mut Buffer<C>,
    ) -> Result<()> {
        let Asymmetric { model, weights, digital_mask, controls, digital, room, pair } = self;
        asymmetric(chip, model, &controls.values, &digital.values, weights, batch, room, pair, tally)?;
        if let Some(mask) = digital_mask {
            room.engine.multiply(mask, &mut room.gradient)?;
        }
        controls.descend(&room.engine, learning_rate, &pair.control_gradient)?;
        digital.descend(&room.engine, learning_rate, &room.gradient)?;
        weights.pull(&room.engine, learning_rate, &digital.values, &mut controls.values)
    }

    fn controls(&self) -> &Buffer<C> {
        &self.controls.values
    }

    fn tethered(&self) -> bool {
        self.weights.tether > 0.0
    }

    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)> {
        vec![("controls", &self.controls), ("model", &self.digital)]
    }

    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)> {
        vec![("controls", &mut self.controls), ("model", &mut self.digital)]
    }
}
