//! The way back through a whole network on the CPU: what a forward pass records, and gradients from it.

use super::network::{CpuNetwork, Placed, holds};
use super::stage::{Kept, Recorded, Slopes};
use crate::error::same_size;
use crate::propagator::{Adjoint, Layered, Propagator, Tunable};
use crate::real::SERIAL;
use crate::{Error, Real, Result};
use rayon::prelude::*;

/// The signals before and after every stage: memory of a few fields per layer, whatever the depth of its meshes.
pub struct CpuTrace<T> {
    batch: usize,
    layers: Vec<LayerTrace<T>>,
}

struct LayerTrace<T> {
    /// The layer's input, where the first stage reads it again, then the output of each stage.
    signals: Vec<Vec<T>>,
    /// What each stage keeps besides.
    kept: Vec<Kept<T>>,
    recorded: usize,
}

impl<T> CpuTrace<T> {
    /// What left layer `layer` when it was recorded, `[batch, layer_outputs]`; there may be room for more samples behind.
    pub fn output(&self, layer: usize) -> &[T] {
        self.layers.get(layer).and_then(|layer| layer.signals.last()).map_or(&[], Vec::as_slice)
    }
}

impl<T: Real> Adjoint for CpuNetwork<T> {
    type Trace = CpuTrace<T>;

    fn trace(&self, batch: usize) -> Result<CpuTrace<T>> {
        let layers = self
            .layers
            .iter()
            .map(|layer| {
                let widths = std::iter::once(layer[0].inputs).chain(layer.iter().map(|placed| placed.outputs));
                let signals = widths.map(|width| vec![T::zero(); batch * width]).collect();
                LayerTrace { signals, kept: layer.iter().map(|_| Kept::default()).collect(), recorded: 0 }
            })
            .collect();
        Ok(CpuTrace { batch, layers })
    }

    fn record(&mut self, fields: &Vec<T>, batch: usize, trace: &mut CpuTrace<T>, readout: &mut Vec<T>) -> Result<()> {
        let outputs = self.outputs();
        holds("readout", batch, outputs, readout.len())?;
        for layer in 0..self.layers.len() {
            let previous = if layer == 0 {
                None
            } else {
                trace.layers.get_mut(layer - 1).and_then(|before| before.signals.last_mut()).map(std::mem::take)
            };
            let result = self.record_layer(layer, previous.as_ref().unwrap_or(fields), batch, trace);
            if let Some(previous) = previous {
                *trace.layers[layer - 1].signals.last_mut().expect("a layer has signals") = previous;
            }
            result?;
        }
        let last = trace.layers.last().and_then(|layer| layer.signals.last()).expect("a network has layers");
        readout[..batch * outputs].copy_from_slice(&last[..batch * outputs]);
        Ok(())
    }

    fn record_layer(&mut self, layer: usize, input: &Vec<T>, batch: usize, trace: &mut CpuTrace<T>) -> Result<()> {
        self.ready(batch)?;
        self.check_layer(layer)?;
        same_size("layers of the trace", self.layers.len(), trace.layers.len())?;
        if batch > trace.batch {
            same_size("samples that the trace holds", batch, trace.batch)?;
        }
        let stages = &mut self.layers[layer];
        let width = stages[0].inputs;
        holds("fields of the layer", batch, width, input.len())?;
        let traced = &mut trace.layers[layer];
        for (index, placed) in stages.iter_mut().enumerate() {
            let (before, after) = traced.signals.split_at_mut(index + 1);
            let entering = if index == 0 { input } else { &before[index] };
            let output = &mut after[0][..batch * placed.outputs];
            placed.stage.record(&entering[..batch * placed.inputs], batch, output, &mut traced.kept[index]);
            if index == 0 && placed.stage.reads_input(&traced.kept[0]) {
                copy(&input[..batch * width], &mut before[0][..batch * width]);
            }
        }
        traced.recorded = batch;
        Ok(())
    }

    fn recorded_output(&self, layer: usize, trace: &CpuTrace<T>, output: &mut Vec<T>) -> Result<()> {
        self.check_layer(layer)?;
        same_size("layers of the trace", self.layers.len(), trace.layers.len())?;
        let (batch, width) = (trace.layers[layer].recorded, self.layer_outputs(layer));
        holds("output of the layer", batch, width, output.len())?;
        copy(&trace.output(layer)[..batch * width], &mut output[..batch * width]);
        Ok(())
    }

    fn backpropagate(&mut self, trace: &CpuTrace<T>, readout_error: &Vec<T>, gradient: &mut Vec<T>) -> Result<()> {
        self.carry_back(trace, readout_error, gradient, None)
    }

    fn backpropagate_layer(
        &mut self,
        layer: usize,
        trace: &CpuTrace<T>,
        output_error: &Vec<T>,
        input_error: Option<&mut Vec<T>>,
        gradient: &mut Vec<T>,
    ) -> Result<()> {
        self.carry_back_layer(layer, trace, output_error, input_error, gradient, None)
    }
}

impl<T: Real> Tunable for CpuNetwork<T> {
    fn imperfections(&self) -> usize {
        self.imperfections
    }

    fn set_imperfections(&mut self, estimate: &Vec<T>) -> Result<()> {
        same_size("imperfections", self.imperfections, estimate.len())?;
        for placed in self.layers.iter_mut().flatten() {
            placed.stage.set_imperfections(&estimate[placed.imperfections.clone()]);
        }
        self.estimate = Some(false);
        Ok(())
    }

    fn backpropagate_imperfections(
        &mut self,
        trace: &CpuTrace<T>,
        readout_error: &Vec<T>,
        gradient: &mut Vec<T>,
        imperfection_gradient: &mut Vec<T>,
    ) -> Result<()> {
        self.estimated(imperfection_gradient.len())?;
        self.carry_back(trace, readout_error, gradient, Some(imperfection_gradient))
    }

    fn backpropagate_layer_imperfections(
        &mut self,
        layer: usize,
        trace: &CpuTrace<T>,
        output_error: &Vec<T>,
        input_error: Option<&mut Vec<T>>,
        gradient: &mut Vec<T>,
        imperfection_gradient: &mut Vec<T>,
    ) -> Result<()> {
        self.estimated(imperfection_gradient.len())?;
        self.carry_back_layer(layer, trace, output_error, input_error, gradient, Some(imperfection_gradient))
    }
}

impl<T: Real> CpuNetwork<T> {
    /// Errs unless an estimate is programmed, of which a gradient has so many entries.
    fn estimated(&self, entries: usize) -> Result<()> {
        same_size("gradient of the imperfections", self.imperfections, entries)?;
        if self.estimate == Some(true) {
            return Ok(());
        }
        let reason = "set an estimate, then program the network, before its gradient is asked for";
        Err(Error::invalid("imperfections", "unset", reason))
    }

    /// [`Adjoint::backpropagate_layer`], and the same of the imperfections where their gradient is given.
    fn carry_back_layer(
        &mut self,
        layer: usize,
        trace: &CpuTrace<T>,
        output_error: &[T],
        input_error: Option<&mut Vec<T>>,
        gradient: &mut [T],
        imperfection_gradient: Option<&mut [T]>,
    ) -> Result<()> {
        self.check_layer(layer)?;
        same_size("gradient", self.controls, gradient.len())?;
        same_size("layers of the trace", self.layers.len(), trace.layers.len())?;
        let traced = &trace.layers[layer];
        let (batch, outputs) = (traced.recorded, self.layer_outputs(layer));
        self.ready(batch)?;
        holds("error at the layer's output", batch, outputs, output_error.len())?;
        let inputs = self.layers[layer][0].inputs;
        if let Some(input_error) = &input_error {
            holds("error at the layer's input", batch, inputs, input_error.len())?;
        }
        self.reserve(batch);
        let [mut adjoint, mut adjoint_in] = std::mem::take(&mut self.signals);
        adjoint[..batch * outputs].copy_from_slice(&output_error[..batch * outputs]);
        let stages = &mut self.layers[layer];
        let signals = [&mut adjoint, &mut adjoint_in];
        carry_layer_back(stages, traced, input_error.is_some(), signals, gradient, imperfection_gradient);
        if let Some(input_error) = input_error {
            input_error[..batch * inputs].copy_from_slice(&adjoint[..batch * inputs]);
        }
        self.signals = [adjoint, adjoint_in];
        let ends = [self.layers[layer].first(), self.layers[layer].last()];
        let [first, last] = ends.map(|end| end.expect("a layer has stages").controls.clone());
        self.follower.carry_back(first.start..last.end, gradient);
        Ok(())
    }
    /// [`Adjoint::backpropagate`], and [`Tunable::backpropagate_imperfections`] where `imperfection_gradient` is given.
    fn carry_back(
        &mut self,
        trace: &CpuTrace<T>,
        readout_error: &[T],
        gradient: &mut [T],
        mut imperfection_gradient: Option<&mut [T]>,
    ) -> Result<()> {
        same_size("gradient", self.controls, gradient.len())?;
        same_size("layers of the trace", self.layers.len(), trace.layers.len())?;
        let batch = trace.layers[0].recorded;
        self.ready(batch)?;
        for layer in &trace.layers {
            same_size("samples that every layer of the trace holds", batch, layer.recorded)?;
        }
        holds("readout error", batch, self.outputs(), readout_error.len())?;
        self.reserve(batch);
        let [mut adjoint, mut adjoint_in] = std::mem::take(&mut self.signals);
        let outputs = self.outputs();
        adjoint[..batch * outputs].copy_from_slice(&readout_error[..batch * outputs]);
        for (index, (layer, traced)) in self.layers.iter_mut().zip(&trace.layers).enumerate().rev() {
            let signals = [&mut adjoint, &mut adjoint_in];
            carry_layer_back(layer, traced, index > 0, signals, gradient, imperfection_gradient.as_deref_mut());
        }
        self.signals = [adjoint, adjoint_in];
        self.follower.carry_back(0..self.controls, gradient);
        Ok(())
    }
}

/// Carries the adjoint in `signals[0]`, of what left a layer, back through its stages. Then `signals[0]` holds that of what
/// entered, if `all_the_way`; otherwise it is left out where that saves work.
fn carry_layer_back<T: Real>(
    layer: &mut [Placed<T>],
    traced: &LayerTrace<T>,
    all_the_way: bool,
    signals: [&mut Vec<T>; 2],
    gradient: &mut [T],
    mut imperfection_gradient: Option<&mut [T]>,
) {
    let [adjoint, adjoint_in] = signals;
    let batch = traced.recorded;
    for (index, placed) in layer.iter_mut().enumerate().rev() {
        let input = &traced.signals[index][..batch * placed.inputs];
        let output = &traced.signals[index + 1][..batch * placed.outputs];
        let adjoint_out = &adjoint[..batch * placed.outputs];
        let pass = Recorded { input, output, adjoint: adjoint_out, batch, kept: &traced.kept[index] };
        let imperfections = imperfection_gradient.as_deref_mut().map(|all| &mut all[placed.imperfections.clone()]);
        let slopes = Slopes {
            adjoint_in: &mut adjoint_in[..batch * placed.inputs],
            all_the_way: index > 0 || all_the_way,
            gradient: &mut gradient[placed.controls.clone()],
            imperfections,
        };
        placed.stage.backward(&pass, slopes);
        std::mem::swap(adjoint, adjoint_in);
    }
}

/// Copies, with several threads where that pays.
fn copy<T: Real>(from: &[T], to: &mut [T]) {
    to.par_chunks_mut(SERIAL).zip(from.par_chunks(SERIAL)).for_each(|(to, from)| to.copy_from_slice(from));
}

#[cfg(test)]
#[path = "adjoint_tests.rs"]
mod tests;
