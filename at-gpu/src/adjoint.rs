//! The way back through a whole network on a GPU: what a forward pass records, and gradients from it.

use crate::network::{GpuNetwork, Placed};
use crate::scratch::Slot;
use crate::stage::Backward;
use crate::vectors::{Vector, check_range};
use at_core::Result;
use at_core::error::same_size;
use at_core::propagator::{Adjoint, Layered, Propagator};

/// The signals before and after every stage: memory of a few fields per layer, whatever the depth of its meshes.
pub struct GpuTrace {
    batch: usize,
    layers: Vec<LayerTrace>,
}

struct LayerTrace {
    /// The layer's input, then the output of each stage.
    signals: Vec<Vector>,
    recorded: usize,
}

impl Adjoint for GpuNetwork {
    type Trace = GpuTrace;

    fn trace(&self, batch: usize) -> Result<GpuTrace> {
        let context = &self.gpu.commands.context;
        let layers = self.layers.iter().map(|layer| {
            let widths = std::iter::once(layer[0].inputs).chain(layer.iter().map(|placed| placed.outputs));
            let signals = widths.map(|width| Vector::zeros(context, "traced signals", batch * width));
            Ok(LayerTrace { signals: signals.collect::<Result<_>>()?, recorded: 0 })
        });
        Ok(GpuTrace { batch, layers: layers.collect::<Result<_>>()? })
    }

    fn record(&mut self, fields: &Vector, batch: usize, trace: &mut GpuTrace, readout: &mut Vector) -> Result<()> {
        let outputs = self.outputs();
        check_range("readout", readout.len, 0, batch * outputs)?;
        self.record_layer(0, fields, batch, trace)?;
        for layer in 1..self.layers.len() {
            let (before, after) = trace.layers.split_at_mut(layer);
            let leaves = before[layer - 1].signals.last().expect("a layer has signals");
            let bytes = 4 * (batch * self.layers[layer][0].inputs) as u64;
            self.gpu.commands.copy(&leaves.buffer, &after[0].signals[0].buffer, bytes);
            self.trace_layer(layer, batch, &mut after[0])?;
        }
        let last = trace.layers.last().and_then(|layer| layer.signals.last()).expect("a network has layers");
        self.gpu.commands.copy(&last.buffer, &readout.buffer, 4 * (batch * outputs) as u64);
        Ok(())
    }

    fn record_layer(&mut self, layer: usize, input: &Vector, batch: usize, trace: &mut GpuTrace) -> Result<()> {
        self.ready(batch)?;
        self.check_layer(layer)?;
        same_size("layers of the trace", self.layers.len(), trace.layers.len())?;
        check_range("samples that the trace holds", trace.batch, 0, batch)?;
        let width = self.layers[layer][0].inputs;
        check_range("fields of the layer", input.len, 0, batch * width)?;
        self.reserve(batch, false)?;
        let traced = &mut trace.layers[layer];
        self.gpu.commands.copy(&input.buffer, &traced.signals[0].buffer, 4 * (batch * width) as u64);
        self.trace_layer(layer, batch, traced)
    }

    fn recorded_output(&self, layer: usize, trace: &GpuTrace, output: &mut Vector) -> Result<()> {
        self.check_layer(layer)?;
        same_size("layers of the trace", self.layers.len(), trace.layers.len())?;
        let traced = &trace.layers[layer];
        let len = traced.recorded * self.layer_outputs(layer);
        check_range("output of the layer", output.len, 0, len)?;
        let leaves = traced.signals.last().expect("a layer has signals");
        self.gpu.commands.copy(&leaves.buffer, &output.buffer, 4 * len as u64);
        Ok(())
    }

    fn backpropagate(&mut self, trace: &GpuTrace, readout_error: &Vector, gradient: &mut Vector) -> Result<()> {
        self.carry_all_back(trace, readout_error, gradient, None)
    }

    fn backpropagate_layer(
        &mut self,
        layer: usize,
        trace: &GpuTrace,
        output_error: &Vector,
        input_error: Option<&mut Vector>,
        gradient: &mut Vector,
    ) -> Result<()> {
        self.carry_layer_back(layer, trace, output_error, input_error, gradient, None)
    }
}

impl GpuNetwork {
    /// [`Adjoint::backpropagate_layer`], with the gradient of the estimated `imperfections` where that is given.
    pub(crate) fn carry_layer_back(
        &mut self,
        layer: usize,
        trace: &GpuTrace,
        output_error: &Vector,
        input_error: Option<&mut Vector>,
        gradient: &mut Vector,
        imperfections: Option<&Vector>,
    ) -> Result<()> {
        self.check_layer(layer)?;
        same_size("gradient", self.controls, gradient.len)?;
        same_size("layers of the trace", self.layers.len(), trace.layers.len())?;
        let traced = &trace.layers[layer];
        let batch = traced.recorded;
        self.ready(batch)?;
        check_range("error at the layer's output", output_error.len, 0, batch * self.layer_outputs(layer))?;
        if let Some(input_error) = &input_error {
            check_range("error at the layer's input", input_error.len, 0, batch * self.layers[layer][0].inputs)?;
        }
        match imperfections {
            Some(_) => self.reserve_for_imperfections(batch)?,
            None => self.reserve(batch, true)?,
        }
        let mut between = [self.scratch.get(Slot::SignalA), self.scratch.get(Slot::SignalB)];
        let mut adjoint = &output_error.buffer;
        let stages = &self.layers[layer];
        for (index, (placed, signals)) in stages.iter().zip(traced.signals.windows(2)).enumerate().rev() {
            let adjoint_in = match &input_error {
                Some(input_error) if index == 0 => &input_error.buffer,
                _ => between[0],
            };
            self.carry_back(placed, signals, adjoint, batch, adjoint_in, gradient, imperfections)?;
            adjoint = adjoint_in;
            between.swap(0, 1);
        }
        let ends = [stages.first(), stages.last()].map(|end| end.expect("a layer has stages").controls.clone());
        self.follower.carry_back(&self.gpu, ends[0].start..ends[1].end, gradient)
    }

    /// [`Adjoint::backpropagate`], with the gradient of the estimated `imperfections` where that is given.
    pub(crate) fn carry_all_back(
        &mut self,
        trace: &GpuTrace,
        readout_error: &Vector,
        gradient: &mut Vector,
        imperfections: Option<&Vector>,
    ) -> Result<()> {
        same_size("gradient", self.controls, gradient.len)?;
        same_size("layers of the trace", self.layers.len(), trace.layers.len())?;
        let batch = trace.layers[0].recorded;
        self.ready(batch)?;
        for layer in &trace.layers {
            same_size("samples that every layer of the trace holds", batch, layer.recorded)?;
        }
        check_range("readout error", readout_error.len, 0, batch * self.outputs())?;
        match imperfections {
            Some(_) => self.reserve_for_imperfections(batch)?,
            None => self.reserve(batch, true)?,
        }
        let mut between = [self.scratch.get(Slot::SignalA), self.scratch.get(Slot::SignalB)];
        let mut adjoint = &readout_error.buffer;
        for (layer, traced) in self.layers.iter().zip(&trace.layers).rev() {
            for (placed, signals) in layer.iter().zip(traced.signals.windows(2)).rev() {
                self.carry_back(placed, signals, adjoint, batch, between[0], gradient, imperfections)?;
                adjoint = between[0];
                between.swap(0, 1);
            }
        }
        self.follower.carry_back(&self.gpu, 0..self.controls, gradient)
    }

    /// Records the stages of a layer whose input `trace` holds already.
    fn trace_layer(&self, layer: usize, batch: usize, trace: &mut LayerTrace) -> Result<()> {
        for (placed, signals) in self.layers[layer].iter().zip(trace.signals.windows(2)) {
            placed.stage.forward(&signals[0].buffer, batch, &signals[1].buffer, &self.scratch)?;
        }
        trace.recorded = batch;
        Ok(())
    }

    /// Carries `adjoint` back through a stage with the traced `signals` at its two ends.
    fn carry_back(
        &self,
        placed: &Placed,
        signals: &[Vector],
        adjoint: &wgpu::Buffer,
        batch: usize,
        adjoint_in: &wgpu::Buffer,
        gradient: &Vector,
        imperfections: Option<&Vector>,
    ) -> Result<()> {
        let asked = imperfections.filter(|_| !placed.imperfections.is_empty());
        placed.stage.backward(&Backward {
            input: &signals[0].buffer,
            output: &signals[1].buffer,
            adjoint,
            batch,
            adjoint_in,
            gradient: &gradient.buffer,
            imperfections: asked.map(|vector| (&vector.buffer, placed.imperfections.start)),
            scratch: &self.scratch,
        })
    }
}
