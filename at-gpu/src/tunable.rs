//! A network on a GPU as a model that learns a chip's imperfections.

use crate::adjoint::GpuTrace;
use crate::learned::Learned;
use crate::network::GpuNetwork;
use crate::vectors::Vector;
use at_core::error::same_size;
use at_core::propagator::Tunable;
use at_core::{Error, Result};

impl GpuNetwork {
    /// Hands the stages their parts of an estimate that is new to them.
    pub(crate) fn take_on_estimate(&mut self) -> Result<()> {
        let Learned { values: Some(values), taken_on, .. } = &mut self.learned else { return Ok(()) };
        if std::mem::replace(taken_on, true) {
            return Ok(());
        }
        let stages = self.layers.iter_mut().flatten().filter(|placed| !placed.imperfections.is_empty());
        stages.into_iter().try_for_each(|placed| placed.stage.take_on((&values.buffer, placed.imperfections.start)))
    }
}

impl GpuNetwork {
    /// Errs unless an estimate is programmed, of which a gradient has so many entries.
    fn estimated(&self, entries: usize) -> Result<()> {
        same_size("gradient of the imperfections", self.learned.len, entries)?;
        if self.learned.taken_on {
            return Ok(());
        }
        let reason = "set an estimate, then program the network, before its gradient is asked for";
        Err(Error::invalid("imperfections", "unset", reason))
    }
}

impl Tunable for GpuNetwork {
    fn imperfections(&self) -> usize {
        self.learned.len
    }

    fn set_imperfections(&mut self, estimate: &Vector) -> Result<()> {
        same_size("imperfections", self.learned.len, estimate.len)?;
        let Learned { values, taken_on, len } = &mut self.learned;
        let values = match values {
            Some(values) => values,
            None => values.insert(Vector::zeros(&self.gpu.commands.context, "estimate of imperfections", *len)?),
        };
        self.gpu.commands.copy(&estimate.buffer, &values.buffer, 4 * *len as u64);
        *taken_on = false;
        Ok(())
    }

    fn backpropagate_imperfections(
        &mut self,
        trace: &GpuTrace,
        readout_error: &Vector,
        gradient: &mut Vector,
        imperfection_gradient: &mut Vector,
    ) -> Result<()> {
        self.estimated(imperfection_gradient.len)?;
        self.carry_all_back(trace, readout_error, gradient, Some(imperfection_gradient))
    }

    fn backpropagate_layer_imperfections(
        &mut self,
        layer: usize,
        trace: &GpuTrace,
        output_error: &Vector,
        input_error: Option<&mut Vector>,
        gradient: &mut Vector,
        imperfection_gradient: &mut Vector,
    ) -> Result<()> {
        self.estimated(imperfection_gradient.len)?;
        self.carry_layer_back(layer, trace, output_error, input_error, gradient, Some(imperfection_gradient))
    }
}
