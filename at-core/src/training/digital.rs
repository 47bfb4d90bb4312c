//! A digital model whose work is counted.

use crate::Result;
use crate::chip::Meter;
use crate::flops::Flops;
use crate::network::Network;
use crate::propagator::{Adjoint, Buffer, Layered, Propagator, Tunable};

/// A model that tells a [`Meter`] of every pass. Otherwise it is the model.
pub struct Digital<M> {
    model: M,
    /// Of each layer, of a looped one once per step.
    flops: Vec<Flops>,
    meter: Meter,
}

/// A trace, and how many samples it holds.
pub struct DigitalTrace<T> {
    trace: T,
    batch: usize,
}

impl<M: Propagator> Digital<M> {
    /// Counts the work of `model`, which runs `network`, on `meter`.
    pub fn new(model: M, network: &Network, meter: &Meter) -> Self {
        let flops = network.visits().iter().map(|visit| Flops::of(&network.layers()[visit.layer])).collect();
        Digital { model, flops, meter: meter.clone() }
    }

    /// Goes on counting on another meter.
    pub fn count_on(&mut self, meter: &Meter) {
        self.meter = meter.clone();
    }

    fn count_forward(&self, layers: &[Flops], batch: usize, whole: bool) {
        let flops: u64 = layers.iter().map(|layer| layer.forward).sum();
        self.meter.count(|accesses| {
            accesses.digital_flops += batch as u64 * flops;
            accesses.digital_passes += if whole { batch as u64 } else { 0 };
        });
    }

    fn count_backward(&self, layers: &[Flops], batch: usize, whole: bool) {
        let flops: u64 = layers.iter().map(|layer| layer.backward).sum();
        self.meter.count(|accesses| {
            accesses.digital_flops += batch as u64 * flops;
            accesses.digital_backward_passes += if whole { batch as u64 } else { 0 };
        });
    }
}

impl<M: Propagator> Propagator for Digital<M> {
    type Engine = M::Engine;

    fn controls(&self) -> usize {
        self.model.controls()
    }

    fn inputs(&self) -> usize {
        self.model.inputs()
    }

    fn outputs(&self) -> usize {
        self.model.outputs()
    }

    fn program(&mut self, controls: &Buffer<Self>) -> Result<()> {
        self.model.program(controls)
    }

    fn propagate(&mut self, fields: &Buffer<Self>, batch: usize, readout: &mut Buffer<Self>) -> Result<()> {
        self.model.propagate(fields, batch, readout)?;
        self.count_forward(&self.flops, batch, true);
        Ok(())
    }
}

impl<M: Layered> Layered for Digital<M> {
    fn layers(&self) -> usize {
        self.model.layers()
    }

    fn layer_outputs(&self, layer: usize) -> usize {
        self.model.layer_outputs(layer)
    }
}

/// Layers that are run one by one make a whole pass together: it is counted at the first one forward, at the last one back.
impl<M: Adjoint> Adjoint for Digital<M> {
    type Trace = DigitalTrace<M::Trace>;

    fn trace(&self, batch: usize) -> Result<Self::Trace> {
        Ok(DigitalTrace { trace: self.model.trace(batch)?, batch: 0 })
    }

    fn record(
        &mut self,
        fields: &Buffer<Self>,
        batch: usize,
        trace: &mut Self::Trace,
        readout: &mut Buffer<Self>,
    ) -> Result<()> {
        self.model.record(fields, batch, &mut trace.trace, readout)?;
        self.count_forward(&self.flops, batch, true);
        trace.batch = batch;
        Ok(())
    }

    fn record_layer(
        &mut self,
        layer: usize,
        input: &Buffer<Self>,
        batch: usize,
        trace: &mut Self::Trace,
    ) -> Result<()> {
        self.model.record_layer(layer, input, batch, &mut trace.trace)?;
        self.count_forward(&self.flops[layer..=layer], batch, layer == 0);
        trace.batch = batch;
        Ok(())
    }

    fn recorded_output(&self, layer: usize, trace: &Self::Trace, output: &mut Buffer<Self>) -> Result<()> {
        self.model.recorded_output(layer, &trace.trace, output)
    }

    fn backpropagate(
        &mut self,
        trace: &Self::Trace,
        readout_error: &Buffer<Self>,
        gradient: &mut Buffer<Self>,
    ) -> Result<()> {
        self.model.backpropagate(&trace.trace, readout_error, gradient)?;
        self.count_backward(&self.flops, trace.batch, true);
        Ok(())
    }

    fn backpropagate_layer(
        &mut self,
        layer: usize,
        trace: &Self::Trace,
        output_error: &Buffer<Self>,
        input_error: Option<&mut Buffer<Self>>,
        gradient: &mut Buffer<Self>,
    ) -> Result<()> {
        self.model.backpropagate_layer(layer, &trace.trace, output_error, input_error, gradient)?;
        let last = layer + 1 == self.flops.len();
        self.count_backward(&self.flops[layer..=layer], trace.batch, last);
        Ok(())
    }
}

impl<M: Tunable> Tunable for Digital<M> {
    fn imperfections(&self) -> usize {
        self.model.imperfections()
    }

    fn set_imperfections(&mut self, estimate: &Buffer<Self>) -> Result<()> {
        self.model.set_imperfections(estimate)
    }

    fn backpropagate_imperfections(
        &mut self,
        trace: &Self::Trace,
        readout_error: &Buffer<Self>,
        gradient: &mut Buffer<Self>,
        imperfection_gradient: &mut Buffer<Self>,
    ) -> Result<()> {
        self.model.backpropagate_imperfections(&trace.trace, readout_error, gradient, imperfection_gradient)?;
        self.count_backward(&self.flops, trace.batch, true);
        Ok(())
    }
    fn backpropagate_layer_imperfections(
        &mut self,
        layer: usize,
        trace: &Self::Trace,
        output_error: &Buffer<Self>,
        input_error: Option<&mut Buffer<Self>>,
        gradient: &mut Buffer<Self>,
        imperfection_gradient: &mut Buffer<Self>,
    ) -> Result<()> {
        let Digital { model, flops, .. } = self;
        model.backpropagate_layer_imperfections(
            layer,
            &trace.trace,
            output_error,
            input_error,
            gradient,
            imperfection_gradient,
        )?;
        let last = layer + 1 == flops.len();
        self.count_backward(&self.flops[layer..=layer], trace.batch, last);
        Ok(())
    }
}
