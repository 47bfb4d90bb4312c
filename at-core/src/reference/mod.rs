//! The plain meaning of a network: f64 loops, no tiles, no threads, nothing rebuilt. Every engine must agree with it. That of a
//! single stage stands on its page ([`crate::stage`]).
//!
//! It shares only the geometry of a mesh with the engines, no formula: light meets shifters and couplers one by one, and the
//! backward pass keeps what passed each shifter, so it takes depth times the memory of an engine.

mod control;
mod drift;
mod noise;
mod perturbation;
mod recurrence;

use crate::error::same_size;
use crate::fabrication::Fabrication;
use crate::fabrication::noise::{Draw, signed};
use crate::imperfections::random;
use crate::network::{Network, Visit};
use crate::propagator::Direction;
use crate::stage::mesh::light;
use crate::stage::{Element, Stage, StageErrors};
use crate::{Error, Result};
use std::ops::Range;

pub use drift::drifted;

/// A network with its imperfections.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'a> {
    /// The design.
    pub network: &'a Network,
    /// The imperfections.
    pub fabrication: &'a Fabrication,
    /// The controls c₀ first programmed, from which update errors count; without update errors they do not matter.
    pub first_controls: &'a [f64],
    /// Added to what stands in the chip; empty for a chip that stands still.
    pub drift: &'a [f64],
}

/// A stage, its imperfections, and where its controls lie.
struct Placed<'a> {
    stage: &'a dyn Element,
    errors: &'a StageErrors,
    controls: Range<usize>,
    /// The perturbation behind a layer's last stage; empty where there is none.
    perturbation: &'a [f64],
}

impl Reference<'_> {
    /// Readout `[batch, outputs]` for `fields [batch, inputs]` at `controls`.
    pub fn propagate(&self, controls: &[f64], fields: &[f64]) -> Result<Vec<f64>> {
        let mut signal = fields.to_vec();
        for visit in self.network.visits() {
            signal = self.visit(&visit, controls, fields, &signal)?;
        }
        Ok(signal)
    }

    /// What leaves one visit, of which the visit before left `signal`.
    fn visit(&self, visit: &Visit, controls: &[f64], fields: &[f64], signal: &[f64]) -> Result<Vec<f64>> {
        self.propagate_layer(visit.layer, controls, &recurrence::enter(self.network, visit, fields, signal))
    }

    /// The readout of the noisy chip at its pass number `pass`: hidden signals are disturbed, and what is read.
    pub fn measure(&self, controls: &[f64], fields: &[f64], pass: u64) -> Result<Vec<f64>> {
        let Fabrication { noise, seed, .. } = self.fabrication;
        let visits = self.network.visits();
        let last = visits.len() - 1;
        let mut signal = fields.to_vec();
        for (number, visit) in visits.iter().enumerate() {
            signal = self.visit(visit, controls, fields, &signal)?;
            let leaves = self.network.layer_output(visit.layer);
            let mut met = Vec::new();
            if number == last {
                met.push((noise.readout(self.network), 1));
            } else {
                met.push((noise.hidden(leaves), 0));
                if self.network.converts(visits[number + 1]) {
                    met.push((noise.read(leaves, signed(self.network, visit.layer)), 1));
                }
            }
            for (disturbance, read) in met {
                let draw = Draw { key: random::key(*seed), pass, site: 2 * number as u32 + read, first: 0 };
                signal = noise::disturb(&disturbance, &draw, &signal);
            }
        }
        Ok(signal)
    }

    /// Output `[batch, layer outputs]` of one layer, of those that the chip has, for its `input [batch, layer inputs]` at `controls`.
    pub fn propagate_layer(&self, layer: usize, controls: &[f64], input: &[f64]) -> Result<Vec<f64>> {
        let layers = self.network.layers();
        let Some(stages) = layers.get(layer) else {
            return Err(Error::invalid("layer", layer, format!("the network has {} layers", layers.len())));
        };
        whole_samples("reals that enter the layer", stages[0].input().width(), input.len())?;
        let controls = self.effective_controls(controls)?;
        let mut signal = input.to_vec();
        for placed in &self.placed()[self.stages_of(layer)] {
            signal = forward(placed, &controls, &signal);
        }
        Ok(signal)
    }

    /// Optical power on every waveguide of a mesh, on every pixel of a mask and on every pixel of a plane of detectors, for one sample's
    /// `fields [inputs]`, in the unit of the input's `|z|²`: per stage that of a mesh before its first column and behind each, `[columns + 1, mode]`,
    /// that of masks and regions where light arrives at them, `[row, column]`; none of other stages. Of a stage that is crossed again the last crossing.
    pub fn powers(&self, controls: &[f64], fields: &[f64]) -> Result<Vec<Option<Vec<f64>>>> {
        same_size("reals of one sample", self.network.input().width(), fields.len())?;
        let controls = self.effective_controls(controls)?;
        let mut signal = fields.to_vec();
        let placed = self.placed();
        let mut powers = vec![None; placed.len()];
        for visit in self.network.visits() {
            signal = recurrence::enter(self.network, &visit, fields, &signal);
            let stages = &self.network.layers()[visit.layer];
            for (index, stage) in self.stages_of(visit.layer).zip(stages) {
                if let Stage::Mesh(mesh) = stage {
                    let own = &controls[placed[index].controls.clone()];
                    powers[index] = Some(light::powers(mesh, placed[index].errors, own, &signal));
                } else if let Stage::Mask(_) | Stage::Regions(_) = stage {
                    powers[index] = Some(signal.chunks_exact(2).map(|z| z[0] * z[0] + z[1] * z[1]).collect());
                }
                signal = forward(&placed[index], &controls, &signal);
            }
        }
        Ok(powers)
    }

    /// `Σ_batch (∂readout/∂controls)ᵀ readout_error` for `readout_error [batch, outputs]`, at `controls` and `fields`.
    pub fn gradient(&self, controls: &[f64], fields: &[f64], readout_error: &[f64]) -> Result<Vec<f64>> {
        let batch = whole_samples("reals that enter the network", self.network.input().width(), fields.len())?;
        same_size("readout error", batch * self.network.outputs(), readout_error.len())?;
        let visits = self.network.visits();
        let mut signals = vec![fields.to_vec()];
        for (number, visit) in visits.iter().enumerate() {
            signals.push(self.visit(visit, controls, fields, &signals[number])?);
        }
        let mut gradient = vec![0.0; self.network.controls()];
        let mut error = readout_error.to_vec();
        for (visit, signal) in visits.iter().zip(&signals).rev() {
            let entered = recurrence::enter(self.network, visit, fields, signal);
            let (own, back) = self.carry_back(self.stages_of(visit.layer), controls, &entered, &error)?;
            gradient.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
            error = recurrence::leave(self.network, visit, signal.len() / batch, &back);
        }
        Ok(gradient)
    }

    /// From `output_error [batch, layer outputs]` at one layer with the given `input`: the gradient, zero outside the layer, and
    /// the error at the layer's input.
    pub fn layer_gradient(
        &self,
        layer: usize,
        controls: &[f64],
        input: &[f64],
        output_error: &[f64],
    ) -> Result<(Vec<f64>, Vec<f64>)> {
        let stages = &self.network.layers()[layer];
        let batch = whole_samples("reals that enter the layer", stages[0].input().width(), input.len())?;
        same_size("output error", batch * self.network.layer_output(layer).width(), output_error.len())?;
        self.carry_back(self.stages_of(layer), controls, input, output_error)
    }

    /// Gradient and input error of neighbouring stages.
    fn carry_back(
        &self,
        stages: Range<usize>,
        told: &[f64],
        input: &[f64],
        output_error: &[f64],
    ) -> Result<(Vec<f64>, Vec<f64>)> {
        let effective = &self.effective_controls(told)?;
        let stages = &self.placed()[stages];
        let mut signals = vec![input.to_vec()];
        for (index, placed) in stages.iter().enumerate() {
            signals.push(forward(placed, effective, &signals[index]));
        }
        let mut gradient = vec![0.0; effective.len()];
        let mut error = output_error.to_vec();
        for (placed, signal) in stages.iter().zip(&signals).rev() {
            error = backward(placed, effective, signal, &error, &mut gradient[placed.controls.clone()]);
        }
        Ok((control::carry_back(self.fabrication, told, self.first_controls, &gradient), error))
    }

    /// Which stages a layer has, counted from the first of the network.
    fn stages_of(&self, layer: usize) -> Range<usize> {
        let layers = self.network.layers();
        let first = layers[..layer].iter().map(Vec::len).sum();
        first..first + layers[layer].len()
    }

    /// Light through mesh number `mesh` of [`Network::all_meshes`] alone: the fields `[batch, modes]` at its other end, and the fields
    /// `[batch, controls of the mesh]` at its shifters, both (re, im). See [`crate::propagator::Bidirectional`].
    pub fn send(
        &self,
        mesh: usize,
        direction: Direction,
        controls: &[f64],
        fields: &[f64],
    ) -> Result<(Vec<f64>, Vec<f64>)> {
        let controls = self.effective_controls(controls)?;
        let mut end = 0;
        let stages = self.network.stages().enumerate();
        let parts = stages.flat_map(|(number, stage)| stage.parts_with_errors(self.fabrication.stage(number)));
        let mut meshes = parts.filter_map(|(part, errors)| {
            let start = end;
            end += part.controls();
            if let Stage::Mesh(own) = part { Some((own, errors, start..end)) } else { None }
        });
        let Some((own, errors, place)) = meshes.nth(mesh) else {
            return Err(Error::invalid("mesh", mesh, "the network has fewer meshes"));
        };
        whole_samples("reals that enter the mesh", 2 * own.modes(), fields.len())?;
        let forward = direction == Direction::Forward;
        let (output, seen) = light::send(own, &errors, &controls[place], forward, fields);
        Ok((output, bytemuck::cast_slice(&seen).to_vec()))
    }

    /// What the chip's stages meet at the set `controls`: after update errors, converters, heaters, crosstalk and drift.
    pub fn effective_controls(&self, controls: &[f64]) -> Result<Vec<f64>> {
        self.fabrication.check(self.network)?;
        same_size("controls", self.network.controls(), controls.len())?;
        if !self.fabrication.update_error.is_empty() {
            same_size("first controls", self.network.controls(), self.first_controls.len())?;
        }
        Ok(control::effective(self.fabrication, controls, self.first_controls, self.drift))
    }

    fn placed(&self) -> Vec<Placed<'_>> {
        let mut end = 0;
        let mut all = Vec::new();
        for (layer, stages) in self.network.layers().iter().enumerate() {
            for (k, stage) in stages.iter().enumerate() {
                let start = end;
                end += stage.controls();
                let perturbation = if k + 1 == stages.len() { self.fabrication.perturbation(layer) } else { &[] };
                let errors = self.fabrication.stage(all.len());
                all.push(Placed { stage: stage.element(), errors, controls: start..end, perturbation });
            }
        }
        all
    }
}

/// The number of samples of `width` reals in `got` reals.
fn whole_samples(what: &str, width: usize, got: usize) -> Result<usize> {
    let batch = got / width;
    same_size(what, batch.max(1) * width, got)?;
    Ok(batch)
}

/// What leaves a stage, and the perturbation behind it.
fn forward(placed: &Placed, controls: &[f64], signal: &[f64]) -> Vec<f64> {
    let Placed { stage, errors, controls: own, perturbation } = placed;
    let leaves = stage.forward(errors, &controls[own.clone()], signal);
    perturbation::forward(perturbation, stage.output().width(), leaves)
}

/// Carries `error` (`∂L/∂z*` of a field, `dL/dx` of a real) back through a stage, and adds to the stage's own `gradient`.
fn backward(placed: &Placed, controls: &[f64], signal: &[f64], error: &[f64], gradient: &mut [f64]) -> Vec<f64> {
    let Placed { stage, errors, controls: own, perturbation } = placed;
    let error = perturbation::backward(perturbation, stage.output().width(), error);
    stage.backward(errors, &controls[own.clone()], signal, &error, gradient)
}

#[cfg(test)]
#[path = "power_tests.rs"]
mod power_tests;
