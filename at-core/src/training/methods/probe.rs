//! Measuring the chip's loss as it is programmed: all that a method without a model can do.

use crate::propagator::{Engine, Propagator};
use crate::training::{Batch, Loss, Optimizer, Parameters};
use crate::{Error, Result};

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
        engine.loss(loss, readout, chip.outputs(), batch.labels(), batch.size(), None, &mut sums)?;
        engine.combine(1.0, &sums, 1.0, tally)?;
        Ok(loss.weight(batch.size()) * engine.download(&sums)?[0])
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

impl Probing {
    /// Errs unless there is a direction and a positive step.
    pub fn validate(&self) -> Result<()> {
        if self.draws == 0 {
            return Err(Error::invalid("probe-draws", 0, "must be at least 1"));
        }
        if !(self.step.is_finite() && self.step > 0.0) {
            return Err(Error::invalid("probe-step", self.step, "must be positive"));
        }
        Ok(())
    }
}

/// Controls, and the slopes of the chip's loss along directions from them.
pub struct Explorer<E: Engine> {
    /// Which directions, and how far.
    pub probing: Probing,
    /// What is trained.
    pub controls: Parameters<E>,
    /// The measurement.
    pub probe: Probe<E>,
    moved: E::Buffer,
    gradient: E::Buffer,
}

impl<E: Engine> Explorer<E> {
    /// Starts from the `initial` values, on a chip with `outputs` readouts.
    pub fn new(
        engine: &E,
        outputs: usize,
        probing: Probing,
        initial: &[f64],
        optimizer: Optimizer,
        loss: Loss,
        capacity: usize,
    ) -> Result<Self> {
        probing.validate()?;
        Ok(Explorer {
            probing,
            controls: Parameters::new(engine, optimizer, initial)?,
            probe: Probe::new(engine, outputs, loss, capacity)?,
            moved: engine.zeros(initial.len())?,
            gradient: engine.zeros(initial.len())?,
        })
    }

    /// The loss of `batch` with the controls `step` further along `direction`.
    pub fn loss_along<C: Propagator<Engine = E>>(
        &mut self,
        chip: &mut C,
        batch: &Batch<E>,
        direction: &E::Buffer,
        step: f64,
        tally: &mut E::Buffer,
    ) -> Result<f64> {
        let Explorer { controls, probe, moved, .. } = self;
        probe.engine.combine(1.0, &controls.values, 0.0, moved)?;
        probe.engine.combine(step, direction, 1.0, moved)?;
        chip.program(moved)?;
        probe.measure(chip, batch, tally)
    }

    /// Takes the `slope` along draw number `draw` into the gradient.
    pub fn add(&mut self, draw: usize, slope: f64, direction: &E::Buffer) -> Result<()> {
        let keep = if draw == 0 { 0.0 } else { 1.0 };
        self.probe.engine.combine(slope, direction, keep, &mut self.gradient)
    }

    /// One step against the gradient.
    pub fn descend(&mut self, learning_rate: f64) -> Result<()> {
        self.controls.descend(&self.probe.engine, learning_rate, &self.gradient)
    }
}
