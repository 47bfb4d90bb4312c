//! A whole network on the CPU: stages in order, their signals, and the map from programmed to effective controls.

use super::awake;
use super::control::Follower;
use super::engine::Cpu;
use super::perturbation::PerturbationStage;
use super::stage::{CpuStage, Kept, build};
use crate::chip::Fabrication;
use crate::error::same_size;
use crate::network::{Network, Stage};
use crate::propagator::{Adjoint, Drifting, LayerAccess, Layered, Propagator, TapAccess, Tunable, Watched};
use crate::real::SERIAL;
use crate::{Error, Real, Result};
use rayon::prelude::*;
use std::ops::Range;

/// A network with its imperfections on the CPU.
pub struct CpuNetwork<T> {
    pub(super) layers: Vec<Vec<Placed<T>>>,
    /// Layer and place in it of every mesh.
    pub(super) meshes: Vec<(usize, usize)>,
    inputs: usize,
    controls: usize,
    follower: Follower<T>,
    imperfections: usize,
    /// An estimate of the imperfections was set, and programmed since.
    estimate: Option<bool>,
    /// Signals and adjoints between stages, swapped from stage to stage.
    signals: [Vec<T>; 2],
}

/// A stage and where its controls lie.
pub(super) struct Placed<T> {
    pub(super) stage: Box<dyn CpuStage<T>>,
    controls: Range<usize>,
    imperfections: Range<usize>,
    inputs: usize,
    outputs: usize,
}

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

impl<T: Real> CpuNetwork<T> {
    /// Builds every stage with its errors.
    pub fn new(network: &Network, fabrication: &Fabrication) -> Result<Self> {
        fabrication.check(network)?;
        let mut offset = 0;
        let mut imperfections = 0;
        let mut index = 0;
        let mut layers = Vec::new();
        let mut meshes = Vec::new();
        for (number, layer) in network.layers().iter().enumerate() {
            let mut placed = Vec::new();
            for stage in layer {
                if matches!(stage, Stage::Mesh(_)) {
                    meshes.push((layers.len(), placed.len()));
                }
                let controls = offset..offset + stage.controls();
                offset = controls.end;
                let start = imperfections;
                imperfections += stage.imperfections();
                placed.push(Placed {
                    stage: build(stage, fabrication.stage(index))?,
                    controls,
                    imperfections: start..imperfections,
                    inputs: stage.input().width(),
                    outputs: stage.output().width(),
                });
                index += 1;
            }
            let perturbation = fabrication.perturbation(number);
            if !perturbation.is_empty() {
                let width = network.layer_output(number).width();
                let (controls, imperfections) = (offset..offset, imperfections..imperfections);
                let stage = Box::new(PerturbationStage::new(width, perturbation));
                placed.push(Placed { stage, controls, imperfections, inputs: width, outputs: width });
            }
            layers.push(placed);
        }
        Ok(CpuNetwork {
            layers,
            meshes,
            inputs: network.input().width(),
            controls: offset,
            follower: Follower::new(fabrication),
            imperfections,
            estimate: None,
            signals: [Vec::new(), Vec::new()],
        })
    }

    pub(super) fn ready(&self, batch: usize) -> Result<()> {
        if !self.follower.programmed() {
            return Err(Error::invalid("controls", "unset", "program the network before light is sent through it"));
        }
        if batch == 0 {
            return Err(Error::invalid("batch", 0, "must hold at least one sample"));
        }
        awake::keep(self.controls, batch);
        Ok(())
    }

    /// Room for the widest signal of a layer, kept from call to call.
    fn reserve(&mut self, batch: usize) {
        let widest = self.layers.iter().flatten().map(|placed| placed.inputs.max(placed.outputs)).max().unwrap_or(0);
        for signal in &mut self.signals {
            if signal.len() < batch * widest {
                signal.resize(batch * widest, T::zero());
            }
        }
    }

    /// Runs the stages of `layers`, from `input` to `output`.
    fn run(&mut self, layers: Range<usize>, input: &[T], batch: usize, output: &mut [T]) {
        self.run_watched(layers, input, batch, output, &mut |_, _| {});
    }

    /// The same; `watch` sees the number of every stage in these layers, and what leaves it.
    fn run_watched(
        &mut self,
        layers: Range<usize>,
        input: &[T],
        batch: usize,
        output: &mut [T],
        watch: &mut dyn FnMut(usize, &[T]),
    ) {
        self.reserve(batch);
        let [mut source, mut target] = std::mem::take(&mut self.signals);
        let count = self.layers[layers.clone()].iter().map(Vec::len).sum::<usize>();
        for (index, placed) in self.layers[layers].iter_mut().flatten().enumerate() {
            let from = if index == 0 { input } else { &source[..batch * placed.inputs] };
            let to = if index + 1 == count { &mut *output } else { &mut target[..] };
            let to = &mut to[..batch * placed.outputs];
            placed.stage.forward(from, batch, to);
            watch(index, to);
            std::mem::swap(&mut source, &mut target);
        }
        self.signals = [source, target];
    }
}

/// Errs unless `got` values hold `batch` samples of `width`.
pub(super) fn holds(what: &str, batch: usize, width: usize, got: usize) -> Result<()> {
    if got >= batch * width { Ok(()) } else { same_size(what, batch * width, got) }
}

impl<T: Real> Propagator for CpuNetwork<T> {
    type Engine = Cpu<T>;

    fn controls(&self) -> usize {
        self.controls
    }

    fn inputs(&self) -> usize {
        self.inputs
    }

    fn outputs(&self) -> usize {
        self.layer_outputs(self.layers.len() - 1)
    }

    fn program(&mut self, controls: &Vec<T>) -> Result<()> {
        self.program_drifted(controls, None)
    }

    fn propagate(&mut self, fields: &Vec<T>, batch: usize, readout: &mut Vec<T>) -> Result<()> {
        self.ready(batch)?;
        holds("fields", batch, self.inputs, fields.len())?;
        holds("readout", batch, self.outputs(), readout.len())?;
        self.run(0..self.layers.len(), &fields[..batch * self.inputs], batch, readout);
        Ok(())
    }
}

impl<T: Real> Drifting for CpuNetwork<T> {
    fn program_drifted(&mut self, controls: &Vec<T>, drift: Option<&Vec<T>>) -> Result<()> {
        same_size("controls", self.controls, controls.len())?;
        same_size("drifts of controls", self.controls, drift.map_or(self.controls, Vec::len))?;
        let effective = self.follower.follow(controls, drift.map(Vec::as_slice));
        self.estimate = self.estimate.map(|_| true);
        for placed in self.layers.iter_mut().flatten() {
            placed.stage.program(&effective[placed.controls.clone()]);
        }
        Ok(())
    }
}

impl<T: Real> Layered for CpuNetwork<T> {
    fn layers(&self) -> usize {
        self.layers.len()
    }

    fn layer_outputs(&self, layer: usize) -> usize {
        self.layers[layer].last().map_or(0, |placed| placed.outputs)
    }
}

impl<T: Real> TapAccess for CpuNetwork<T> {
    fn propagate_tapped(
        &mut self,
        fields: &Vec<T>,
        batch: usize,
        taps: &mut [Vec<T>],
        readout: &mut Vec<T>,
    ) -> Result<()> {
        self.ready(batch)?;
        let last = self.layers.len() - 1;
        same_size("taps, one per hidden layer", last, taps.len())?;
        holds("fields", batch, self.inputs, fields.len())?;
        for layer in 0..=last {
            let (before, after) = taps.split_at_mut(layer);
            let input = before.last().unwrap_or(fields);
            let output = if layer == last { &mut *readout } else { &mut after[0] };
            holds("output of the layer", batch, self.layer_outputs(layer), output.len())?;
            self.run(layer..layer + 1, &input[..batch * self.layers[layer][0].inputs], batch, output);
        }
        Ok(())
    }
}

impl<T: Real> LayerAccess for CpuNetwork<T> {
    fn propagate_layer(&mut self, layer: usize, input: &Vec<T>, batch: usize, output: &mut Vec<T>) -> Result<()> {
        self.ready(batch)?;
        self.check_layer(layer)?;
        let inputs = self.layers[layer][0].inputs;
        holds("fields of the layer", batch, inputs, input.len())?;
        holds("output of the layer", batch, self.layer_outputs(layer), output.len())?;
        self.run(layer..layer + 1, &input[..batch * inputs], batch, output);
        Ok(())
    }
}

impl<T: Real> Watched for CpuNetwork<T> {
    fn propagate_layer_watched(
        &mut self,
        layer: usize,
        input: &Vec<T>,
        batch: usize,
        powers: &mut [Vec<T>],
        output: &mut Vec<T>,
    ) -> Result<()> {
        self.ready(batch)?;
        self.check_layer(layer)?;
        holds("fields of the layer", batch, self.layers[layer][0].inputs, input.len())?;
        holds("output of the layer", batch, self.layer_outputs(layer), output.len())?;
        let meshes: Vec<usize> = self.meshes.iter().filter(|mesh| mesh.0 == layer).map(|mesh| mesh.1).collect();
        if powers.len() > meshes.len() {
            same_size("watched meshes of the layer", meshes.len(), powers.len())?;
        }
        for (powers, &place) in powers.iter().zip(&meshes) {
            holds("powers behind a mesh", batch, self.layers[layer][place].outputs / 2, powers.len())?;
        }
        let input = &input[..batch * self.layers[layer][0].inputs];
        self.run_watched(layer..layer + 1, input, batch, output, &mut |stage, leaves| {
            if let Some(seen) = meshes.iter().position(|&place| place == stage).and_then(|mesh| powers.get_mut(mesh)) {
                seen.iter_mut().zip(leaves.chunks_exact(2)).for_each(|(power, z)| *power = z[0] * z[0] + z[1] * z[1]);
            }
        });
        Ok(())
    }
}

impl<T: Real> CpuNetwork<T> {
    fn check_layer(&self, layer: usize) -> Result<()> {
        if layer < self.layers.len() {
            Ok(())
        } else {
            Err(Error::invalid("layer", layer, format!("the network has {} layers", self.layers.len())))
        }
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
        carry_layer_back(stages, traced, input_error.is_some(), [&mut adjoint, &mut adjoint_in], gradient, None);
        if let Some(input_error) = input_error {
            input_error[..batch * inputs].copy_from_slice(&adjoint[..batch * inputs]);
        }
        self.signals = [adjoint, adjoint_in];
        let ends = [self.layers[layer].first(), self.layers[layer].last()];
        let [first, last] = ends.map(|end| end.expect("a layer has stages").controls.clone());
        self.follower.carry_back(first.start..last.end, gradient);
        Ok(())
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
        same_size("gradient of the imperfections", self.imperfections, imperfection_gradient.len())?;
        if self.estimate != Some(true) {
            let reason = "set an estimate, then program the network, before its gradient is asked for";
            return Err(Error::invalid("imperfections", "unset", reason));
        }
        self.carry_back(trace, readout_error, gradient, Some(imperfection_gradient))
    }
}

impl<T: Real> CpuNetwork<T> {
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
        let (kept, leaves) = (&traced.kept[index], &mut adjoint_in[..batch * placed.inputs]);
        let (arrives, slopes) = (&adjoint[..batch * placed.outputs], &mut gradient[placed.controls.clone()]);
        let own = imperfection_gradient.as_deref_mut().map(|all| &mut all[placed.imperfections.clone()]);
        if let Some(own) = own {
            placed.stage.backward_imperfections(input, output, arrives, batch, kept, leaves, slopes, own);
        } else if index > 0 || all_the_way {
            placed.stage.backward(input, output, arrives, batch, kept, leaves, slopes);
        } else {
            placed.stage.backward_to_controls(input, output, arrives, batch, kept, leaves, slopes);
        }
        std::mem::swap(adjoint, adjoint_in);
    }
}

/// Copies, with several threads where that pays.
fn copy<T: Real>(from: &[T], to: &mut [T]) {
    to.par_chunks_mut(SERIAL).zip(from.par_chunks(SERIAL)).for_each(|(to, from)| to.copy_from_slice(from));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chip::Imperfections;
    use crate::network::{Detection, singular_value_stages};
    use crate::optics::{Activation, Layout, Mesh};
    use crate::propagator::Engine;

    /// A deterministic stand-in for random numbers in [-1, 1).
    fn noise(index: usize) -> f64 {
        2.0 * ((index as f64 * 12.9898).sin() * 43758.5453).fract().abs() - 1.0
    }

    fn gradient_matches_differences(network: &Network, imperfections: &Imperfections, batch: usize) {
        let engine = Cpu::<f64>::new();
        let fabrication = imperfections.fabricate(network, 3).unwrap();
        let mut runner = engine.build(network, &fabrication).unwrap();
        let controls: Vec<f64> = (0..network.controls()).map(|k| 2.0 * noise(k + 7)).collect();
        let fields: Vec<f64> = (0..batch * network.input().width()).map(|k| noise(k + 100)).collect();
        let weights: Vec<f64> = (0..batch * network.outputs()).map(|k| noise(k + 900)).collect();
        let mut readout = vec![0.0; batch * network.outputs()];
        let mut trace = runner.trace(batch).unwrap();
        let mut gradient = vec![0.0; controls.len()];
        runner.program(&controls).unwrap();
        runner.record(&fields, batch, &mut trace, &mut readout).unwrap();
        runner.backpropagate(&trace, &weights, &mut gradient).unwrap();
        let largest = gradient.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
        let mut value = |controls: &Vec<f64>| {
            runner.program(controls).unwrap();
            runner.propagate(&fields, batch, &mut readout).unwrap();
            readout.iter().zip(&weights).map(|(r, w)| r * w).sum::<f64>()
        };
        for k in 0..controls.len() {
            let mut at = |step: f64| {
                let mut moved = controls.clone();
                moved[k] += step;
                value(&moved)
            };
            let h = 1e-3;
            let difference = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
            assert!(
                (difference - gradient[k]).abs() < 1e-8 * largest + 1e-11,
                "control {k}: {difference} against {}",
                gradient[k]
            );
        }
    }

    #[test]
    fn gradients_of_imperfections_match_differences() {
        let loss = Imperfections { loss_db: 0.3, loss_spread_db: 0.2, update_error: 0.3, ..Default::default() };
        for (modes, layout) in [(2, Layout::Rectangular), (5, Layout::Rectangular), (6, Layout::Triangular)] {
            for errors in [Imperfections::default(), loss] {
                let mesh = || Stage::Mesh(Mesh::universal(modes, layout).unwrap());
                let network = Network::new(vec![
                    vec![mesh(), Stage::Activation { modes, activation: Activation::ELECTRO_OPTIC }],
                    vec![mesh(), Stage::Detection { modes, detection: Detection::Intensity }],
                ])
                .unwrap();
                imperfection_gradient_matches_differences(&network, &errors, 19);
            }
        }
    }

    fn imperfection_gradient_matches_differences(network: &Network, imperfections: &Imperfections, batch: usize) {
        let mut runner = Cpu::<f64>::new().build(network, &imperfections.fabricate(network, 3).unwrap()).unwrap();
        let controls: Vec<f64> = (0..network.controls()).map(|k| 2.0 * noise(k + 7)).collect();
        let estimate: Vec<f64> = (0..runner.imperfections()).map(|k| 0.2 * noise(k + 70)).collect();
        let fields: Vec<f64> = (0..batch * network.input().width()).map(|k| noise(k + 100)).collect();
        let weights: Vec<f64> = (0..batch * network.outputs()).map(|k| noise(k + 900)).collect();
        let mut readout = vec![0.0; batch * network.outputs()];
        let mut trace = runner.trace(batch).unwrap();
        let (mut gradient, mut plain) = (vec![0.0; controls.len()], vec![0.0; controls.len()]);
        let mut slopes = vec![0.0; estimate.len()];
        runner.program(&controls).unwrap();
        runner.record(&fields, batch, &mut trace, &mut readout).unwrap();
        assert!(runner.backpropagate_imperfections(&trace, &weights, &mut gradient, &mut slopes).is_err());
        runner.set_imperfections(&estimate).unwrap();
        runner.program(&controls).unwrap();
        runner.record(&fields, batch, &mut trace, &mut readout).unwrap();
        runner.backpropagate(&trace, &weights, &mut plain).unwrap();
        runner.backpropagate_imperfections(&trace, &weights, &mut gradient, &mut slopes).unwrap();
        assert_eq!(gradient, plain);
        let largest = slopes.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
        for k in 0..estimate.len() {
            let mut at = |step: f64| {
                let mut moved = estimate.clone();
                moved[k] += step;
                runner.set_imperfections(&moved).unwrap();
                runner.program(&controls).unwrap();
                runner.propagate(&fields, batch, &mut readout).unwrap();
                readout.iter().zip(&weights).map(|(r, w)| r * w).sum::<f64>()
            };
            let h = 1e-3;
            let difference = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
            let found = slopes[k];
            assert!((difference - found).abs() < 1e-8 * largest + 1e-11, "{k}: {difference} against {found}");
        }
    }

    #[test]
    fn gradients_of_lossy_mesh_networks_match_differences() {
        let errors = Imperfections {
            splitter_angle: 0.1,
            phase: 0.3,
            loss_db: 0.3,
            loss_spread_db: 0.2,
            update_error: 0.4,
            ..Default::default()
        };
        for (modes, layout) in [(2, Layout::Rectangular), (5, Layout::Rectangular), (6, Layout::Triangular)] {
            for errors in [errors, Imperfections::default()] {
                let mesh = || Stage::Mesh(Mesh::universal(modes, layout).unwrap());
                let network = Network::new(vec![
                    vec![mesh(), Stage::Activation { modes, activation: Activation::ELECTRO_OPTIC }],
                    vec![mesh(), Stage::Detection { modes, detection: Detection::Intensity }],
                ])
                .unwrap();
                gradient_matches_differences(&network, &errors, 19);
            }
        }
    }

    #[test]
    fn gradients_of_long_and_singular_value_meshes_match_differences() {
        let detect = Stage::Detection { modes: 4, detection: Detection::Homodyne { phase: 0.7 } };
        let deep = Stage::Mesh(Mesh::truncated(4, 19).unwrap());
        let [v, sigma, u] = singular_value_stages(3, 4, Layout::Triangular).unwrap();
        let network = Network::new(vec![vec![v, sigma, u], vec![deep, detect]]).unwrap();
        gradient_matches_differences(&network, &Imperfections::default(), 3);
    }

    #[test]
    fn gradients_of_weight_networks_match_differences() {
        let errors = Imperfections {
            parameter_spread: 0.6,
            response_amplitude: 0.2,
            response_slope: 0.2,
            response_offset: 0.1,
            ..Default::default()
        };
        let network = Network::new(vec![
            vec![Stage::Matrix { inputs: 5, outputs: 7 }, Stage::Rectifier { modes: 7, threshold: 0.1 }],
            vec![Stage::WeightBank { inputs: 7, outputs: 3 }],
        ])
        .unwrap();
        gradient_matches_differences(&network, &errors, 9);
    }
}
