//! Measuring the chip's loss as it is programmed: all that a method without a model can do.

use crate::Result;
use crate::propagator::{Engine, Propagator};
use crate::training::{Batch, Loss};

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
