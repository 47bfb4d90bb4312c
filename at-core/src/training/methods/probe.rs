//! Measuring the chip's loss as it is programmed: all that a method without a model can do.

use super::{Ingredients, MethodOption, OptionRange};
use crate::Result;
use crate::engine::{Engine, Loss};
use crate::propagator::{Propagator, Simulator};
use crate::training::Batch;

/// The memory of a measurement.
pub struct Probe<E: Engine> {
    /// Where the vectors live.
    pub engine: E,
    /// The loss that is descended.
    pub loss: Loss,
    /// The last readout, `[batch, outputs]`.
    pub readout: E::Buffer,
}

impl<E: Engine> Probe<E> {
    /// Room for batches of up to `capacity` samples with `outputs` readouts each.
    pub fn new(engine: &E, outputs: usize, loss: Loss, capacity: usize) -> Result<Self> {
        loss.check(outputs)?;
        Ok(Probe { engine: engine.clone(), loss, readout: engine.zeros(outputs * capacity)? })
    }

    /// The loss of `batch` on `chip`, reduced as the loss says; `tally` takes it sample by sample. This waits for the chip.
    pub fn measure<C: Propagator<Engine = E>>(
        &mut self,
        chip: &mut C,
        batch: &Batch<E>,
        tally: &mut E::Buffer,
    ) -> Result<f64> {
        let Probe { engine, loss, readout } = self;
        let mut sums = engine.zeros(3)?;
        chip.propagate(batch.signals(), batch.size(), readout)?;
        engine.loss(loss, readout, chip.outputs(), batch.targets(), batch.size(), None, &mut sums)?;
        self.taken(batch, &sums, tally)
    }

    /// The loss of `batch`, of which a pass of the chip has left the `sums`, which go into the `tally`.
    pub fn taken(&self, batch: &Batch<E>, sums: &E::Buffer, tally: &mut E::Buffer) -> Result<f64> {
        self.engine.combine(1.0, sums, 1.0, tally)?;
        Ok(self.loss.weight(batch.size()) * self.engine.download(sums)?[0])
    }
}

/// How a method without a model probes the chip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probing {
    /// Directions per step, q or Q.
    pub draws: usize,
    /// How far the controls are moved along them, c or μ.
    pub step: f64,
    /// Of the directions.
    pub seed: u64,
}

/// q or Q.
pub const PROBE_DRAWS: MethodOption = MethodOption {
    name: "probe-draws",
    help: "random directions per step [default: 10]",
    range: OptionRange::AtLeastOne,
    read: |options| Some(options.probe_draws as f64),
    multiplies_passes: true,
};

/// c or μ.
pub const PROBE_STEP: MethodOption = MethodOption {
    name: "probe-step",
    help: "how far controls are moved along random directions [default: 0.01]",
    range: OptionRange::Positive,
    read: |options| Some(options.probe_step),
    multiplies_passes: false,
};

impl Probing {
    /// Errs unless there is a direction and a positive step.
    pub fn validate(&self) -> Result<()> {
        PROBE_DRAWS.check(self.draws as f64)?;
        PROBE_STEP.check(self.step)
    }
}

/// The slopes of the chip's loss along directions from the controls, and the gradient that they add up to.
pub struct Explorer<E: Engine> {
    /// Which directions, and how far.
    pub probing: Probing,
    /// The measurement.
    pub probe: Probe<E>,
    /// Their sum.
    pub gradient: E::Buffer,
    moved: E::Buffer,
}

impl<E: Engine> Explorer<E> {
    /// For a method of these parts.
    pub(super) fn of(from: &Ingredients<'_, E>) -> Result<Self>
    where
        E: Simulator,
    {
        let (settings, options) = (from.settings, from.options);
        let probing = Probing { draws: options.probe_draws, step: options.probe_step, seed: settings.seed };
        let (outputs, controls) = (from.network.outputs(), from.initial.len());
        Self::new(from.engine, outputs, probing, controls, settings.loss, settings.batch_size)
    }

    /// For so many `controls` of a chip with `outputs` readouts, and batches of up to `capacity`.
    pub fn new(
        engine: &E,
        outputs: usize,
        probing: Probing,
        controls: usize,
        loss: Loss,
        capacity: usize,
    ) -> Result<Self> {
        probing.validate()?;
        Ok(Explorer {
            probing,
            probe: Probe::new(engine, outputs, loss, capacity)?,
            moved: engine.zeros(controls)?,
            gradient: engine.zeros(controls)?,
        })
    }

    /// The loss of `batch` with the `controls` `step` further along `direction`.
    pub fn loss_along<C: Propagator<Engine = E>>(
        &mut self,
        chip: &mut C,
        controls: &E::Buffer,
        batch: &Batch<E>,
        direction: &E::Buffer,
        step: f64,
        tally: &mut E::Buffer,
    ) -> Result<f64> {
        let Explorer { probe, moved, .. } = self;
        probe.engine.combine(1.0, controls, 0.0, moved)?;
        probe.engine.combine(step, direction, 1.0, moved)?;
        chip.program(moved)?;
        probe.measure(chip, batch, tally)
    }

    /// Fills the gradient with `scale` times the mean of `slope·u` over the draws of directions u, whose slopes are measured one way,
    /// from `controls` where the loss is `here`.
    pub fn one_way<C: Propagator<Engine = E>>(
        &mut self,
        chip: &mut C,
        controls: &E::Buffer,
        batch: &Batch<E>,
        (here, scale): (f64, f64),
        mut direction: impl FnMut() -> Vec<f64>,
        tally: &mut E::Buffer,
    ) -> Result<()> {
        let probing = self.probing;
        for draw in 0..probing.draws {
            let direction = self.probe.engine.upload(&direction())?;
            let there = self.loss_along(chip, controls, batch, &direction, probing.step, tally)?;
            self.add(draw, scale * ((there - here) / (probing.step * probing.draws as f64)), &direction)?;
        }
        Ok(())
    }

    /// Takes the `slope` along draw number `draw` into the gradient.
    pub fn add(&mut self, draw: usize, slope: f64, direction: &E::Buffer) -> Result<()> {
        let keep = if draw == 0 { 0.0 } else { 1.0 };
        self.probe.engine.combine(slope, direction, keep, &mut self.gradient)
    }
}
