//! A whole network on a GPU: stages in order, their signals, and the map from programmed to effective controls.

use crate::control::Follower;
use crate::engine::Gpu;
use crate::perturbation::PerturbationStage;
use crate::pointwise::DetectionStage;
use crate::scratch::{Needs, Scratch, Slot};
use crate::stage::{Backward, GpuStage, build};
use crate::vectors::{Vector, check_range};
use at_core::chip::Fabrication;
use at_core::error::same_size;
use at_core::network::{Detection, Network, Stage};
use at_core::propagator::{Adjoint, Drifting, LayerAccess, Layered, Propagator, TapAccess, Tunable, Watched};
use at_core::{Error, Result};
use std::ops::Range;

/// A network with its imperfections on a GPU.
pub struct GpuNetwork {
    gpu: Gpu,
    layers: Vec<Vec<Placed>>,
    inputs: usize,
    controls: usize,
    follower: Follower,
    imperfections: usize,
    scratch: Scratch,
}

/// A stage, where its controls lie, and the reals per sample at both of its ends.
struct Placed {
    stage: Box<dyn GpuStage>,
    is_mesh: bool,
    controls: Range<usize>,
    inputs: usize,
    outputs: usize,
}

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

impl GpuNetwork {
    /// Builds every stage with its errors.
    pub(crate) fn new(gpu: &Gpu, network: &Network, fabrication: &Fabrication) -> Result<Self> {
        fabrication.check(network)?;
        let (mut offset, mut index) = (0, 0);
        let mut layers = Vec::new();
        for (number, layer) in network.layers().iter().enumerate() {
            let mut placed = Vec::new();
            for stage in layer {
                let controls = offset..offset + stage.controls();
                placed.push(Placed {
                    stage: build(gpu, stage, fabrication.stage(index), offset)?,
                    is_mesh: matches!(stage, Stage::Mesh(_)),
                    inputs: stage.input().width(),
                    outputs: stage.output().width(),
                    controls: controls.clone(),
                });
                offset = controls.end;
                index += 1;
            }
            let perturbation = fabrication.perturbation(number);
            if !perturbation.is_empty() {
                let width = network.layer_output(number).width();
                let stage = Box::new(PerturbationStage::new(gpu.clone(), width, perturbation)?);
                let controls = offset..offset;
                placed.push(Placed { stage, is_mesh: false, controls, inputs: width, outputs: width });
            }
            layers.push(placed);
        }
        let inputs = network.input().width();
        Ok(GpuNetwork {
            gpu: gpu.clone(),
            layers,
            inputs,
            controls: offset,
            follower: Follower::new(gpu, fabrication, offset)?,
            imperfections: network.imperfections(),
            scratch: Scratch::default(),
        })
    }

    fn ready(&self, batch: usize) -> Result<()> {
        if !self.follower.programmed() {
            return Err(Error::invalid("controls", "unset", "program the network before light is sent through it"));
        }
        if batch == 0 {
            return Err(Error::invalid("batch", 0, "must hold at least one sample"));
        }
        Ok(())
    }

    /// Memory between and inside the stages, kept from call to call.
    fn reserve(&mut self, batch: usize, backward: bool) -> Result<()> {
        let stages = || self.layers.iter().flatten();
        let widest = stages().map(|placed| placed.inputs.max(placed.outputs)).max().unwrap_or(0);
        let signal = 4 * (batch * widest) as u64;
        let between = Needs::of(&[(Slot::SignalA, signal), (Slot::SignalB, signal)]);
        let needs = stages().fold(between, |needs, placed| needs.max(placed.stage.needs(batch, backward)));
        self.scratch.reserve(&self.gpu.commands.context, &needs)
    }

    /// Runs the stages of `layers`, from `input` to `output`.
    fn run(&mut self, layers: Range<usize>, input: &Vector, batch: usize, output: &Vector) -> Result<()> {
        self.run_watched(layers, input, batch, output, &mut |_, _| Ok(()))
    }

    /// The same; `watch` sees every stage in these layers, and what leaves it.
    fn run_watched(
        &mut self,
        layers: Range<usize>,
        input: &Vector,
        batch: usize,
        output: &Vector,
        watch: &mut dyn FnMut(&Placed, &wgpu::Buffer) -> Result<()>,
    ) -> Result<()> {
        self.reserve(batch, false)?;
        let stages: Vec<_> = self.layers[layers].iter().flatten().collect();
        let mut between = [self.scratch.get(Slot::SignalA), self.scratch.get(Slot::SignalB)];
        let mut source = &input.buffer;
        for (index, placed) in stages.iter().enumerate() {
            let target = if index + 1 == stages.len() { &output.buffer } else { between[0] };
            placed.stage.forward(source, batch, target, &self.scratch)?;
            watch(placed, target)?;
            source = target;
            between.swap(0, 1);
        }
        Ok(())
    }

    fn check_layer(&self, layer: usize) -> Result<()> {
        if layer < self.layers.len() {
            return Ok(());
        }
        Err(Error::invalid("layer", layer, format!("the network has {} layers", self.layers.len())))
    }

    /// Records the stages of a layer whose input `trace` holds already.
    fn trace_layer(&self, layer: usize, batch: usize, trace: &mut LayerTrace) -> Result<()> {
        for (placed, signals) in self.layers[layer].iter().zip(trace.signals.windows(2)) {
            placed.stage.forward(&signals[0].buffer, batch, &signals[1].buffer, &self.scratch)?;
        }
        trace.recorded = batch;
        Ok(())
    }
}

impl Propagator for GpuNetwork {
    type Engine = Gpu;

    fn controls(&self) -> usize {
        self.controls
    }

    fn inputs(&self) -> usize {
        self.inputs
    }

    fn outputs(&self) -> usize {
        self.layer_outputs(self.layers.len() - 1)
    }

    fn program(&mut self, controls: &Vector) -> Result<()> {
        self.program_drifted(controls, None)
    }

    fn propagate(&mut self, fields: &Vector, batch: usize, readout: &mut Vector) -> Result<()> {
        self.ready(batch)?;
        check_range("fields", fields.len, 0, batch * self.inputs)?;
        check_range("readout", readout.len, 0, batch * self.outputs())?;
        self.run(0..self.layers.len(), fields, batch, readout)
    }
}

impl Drifting for GpuNetwork {
    fn program_drifted(&mut self, controls: &Vector, drift: Option<&Vector>) -> Result<()> {
        same_size("controls", self.controls, controls.len)?;
        same_size("drifts of controls", self.controls, drift.map_or(self.controls, |drift| drift.len))?;
        let effective = self.follower.follow(&self.gpu, &controls.buffer, drift)?;
        self.layers.iter().flatten().try_for_each(|placed| placed.stage.program(effective))
    }
}

impl Layered for GpuNetwork {
    fn layers(&self) -> usize {
        self.layers.len()
    }

    fn layer_outputs(&self, layer: usize) -> usize {
        self.layers[layer].last().map_or(0, |placed| placed.outputs)
    }
}

impl TapAccess for GpuNetwork {
    fn propagate_tapped(
        &mut self,
        fields: &Vector,
        batch: usize,
        taps: &mut [Vector],
        readout: &mut Vector,
    ) -> Result<()> {
        self.ready(batch)?;
        let last = self.layers.len() - 1;
        same_size("taps, one per hidden layer", last, taps.len())?;
        check_range("fields", fields.len, 0, batch * self.inputs)?;
        for layer in 0..=last {
            let input = if layer == 0 { fields } else { &taps[layer - 1] };
            let output = if layer == last { &*readout } else { &taps[layer] };
            check_range("output of the layer", output.len, 0, batch * self.layer_outputs(layer))?;
            self.run(layer..layer + 1, input, batch, output)?;
        }
        Ok(())
    }
}

impl LayerAccess for GpuNetwork {
    fn propagate_layer(&mut self, layer: usize, input: &Vector, batch: usize, output: &mut Vector) -> Result<()> {
        self.ready(batch)?;
        self.check_layer(layer)?;
        check_range("fields of the layer", input.len, 0, batch * self.layers[layer][0].inputs)?;
        check_range("output of the layer", output.len, 0, batch * self.layer_outputs(layer))?;
        self.run(layer..layer + 1, input, batch, output)
    }
}

impl Watched for GpuNetwork {
    fn propagate_layer_watched(
        &mut self,
        layer: usize,
        input: &Vector,
        batch: usize,
        powers: &mut [Vector],
        output: &mut Vector,
    ) -> Result<()> {
        self.ready(batch)?;
        self.check_layer(layer)?;
        check_range("fields of the layer", input.len, 0, batch * self.layers[layer][0].inputs)?;
        check_range("output of the layer", output.len, 0, batch * self.layer_outputs(layer))?;
        let meshes: Vec<usize> =
            self.layers[layer].iter().filter(|placed| placed.is_mesh).map(|placed| placed.outputs / 2).collect();
        if powers.len() > meshes.len() {
            same_size("watched meshes of the layer", meshes.len(), powers.len())?;
        }
        for (powers, modes) in powers.iter().zip(meshes) {
            check_range("powers behind a mesh", powers.len, 0, batch * modes)?;
        }
        let (gpu, scratch) = (self.gpu.clone(), Scratch::default());
        let mut next = powers.iter();
        self.run_watched(layer..layer + 1, input, batch, output, &mut |placed, leaves| match placed.is_mesh {
            true => next.next().map_or(Ok(()), |seen| {
                let (gpu, modes) = (gpu.clone(), placed.outputs / 2);
                let detectors = DetectionStage { gpu, modes, detection: Detection::Intensity };
                detectors.forward(leaves, batch, &seen.buffer, &scratch)
            }),
            false => Ok(()),
        })
    }
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

    fn backpropagate(&mut self, trace: &GpuTrace, readout_error: &Vector, gradient: &mut Vector) -> Result<()> {
        same_size("gradient", self.controls, gradient.len)?;
        same_size("layers of the trace", self.layers.len(), trace.layers.len())?;
        let batch = trace.layers[0].recorded;
        self.ready(batch)?;
        for layer in &trace.layers {
            same_size("samples that every layer of the trace holds", batch, layer.recorded)?;
        }
        check_range("readout error", readout_error.len, 0, batch * self.outputs())?;
        self.reserve(batch, true)?;
        let mut between = [self.scratch.get(Slot::SignalA), self.scratch.get(Slot::SignalB)];
        let mut adjoint = &readout_error.buffer;
        for (layer, traced) in self.layers.iter().zip(&trace.layers).rev() {
            for (placed, signals) in layer.iter().zip(traced.signals.windows(2)).rev() {
                self.carry_back(placed, signals, adjoint, batch, between[0], gradient)?;
                adjoint = between[0];
                between.swap(0, 1);
            }
        }
        self.follower.carry_back(&self.gpu, 0..self.controls, gradient)
    }

    fn backpropagate_layer(
        &mut self,
        layer: usize,
        trace: &GpuTrace,
        output_error: &Vector,
        input_error: Option<&mut Vector>,
        gradient: &mut Vector,
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
        self.reserve(batch, true)?;
        let mut between = [self.scratch.get(Slot::SignalA), self.scratch.get(Slot::SignalB)];
        let mut adjoint = &output_error.buffer;
        let stages = &self.layers[layer];
        for (index, (placed, signals)) in stages.iter().zip(traced.signals.windows(2)).enumerate().rev() {
            let adjoint_in = match &input_error {
                Some(input_error) if index == 0 => &input_error.buffer,
                _ => between[0],
            };
            self.carry_back(placed, signals, adjoint, batch, adjoint_in, gradient)?;
            adjoint = adjoint_in;
            between.swap(0, 1);
        }
        let ends = [stages.first(), stages.last()].map(|end| end.expect("a layer has stages").controls.clone());
        self.follower.carry_back(&self.gpu, ends[0].start..ends[1].end, gradient)
    }
}

impl GpuNetwork {
    /// Carries `adjoint` back through a stage with the traced `signals` at its two ends.
    fn carry_back(
        &self,
        placed: &Placed,
        signals: &[Vector],
        adjoint: &wgpu::Buffer,
        batch: usize,
        adjoint_in: &wgpu::Buffer,
        gradient: &Vector,
    ) -> Result<()> {
        placed.stage.backward(&Backward {
            input: &signals[0].buffer,
            output: &signals[1].buffer,
            adjoint,
            batch,
            adjoint_in,
            gradient: &gradient.buffer,
            scratch: &self.scratch,
        })
    }
}

impl Tunable for GpuNetwork {
    fn imperfections(&self) -> usize {
        self.imperfections
    }

    fn set_imperfections(&mut self, estimate: &Vector) -> Result<()> {
        same_size("imperfections", self.imperfections, estimate.len)?;
        if self.imperfections == 0 { Ok(()) } else { Err(no_estimates()) }
    }

    fn backpropagate_imperfections(
        &mut self,
        _trace: &GpuTrace,
        _readout_error: &Vector,
        _gradient: &mut Vector,
        _imperfection_gradient: &mut Vector,
    ) -> Result<()> {
        Err(no_estimates())
    }
}

fn no_estimates() -> Error {
    Error::Unsupported {
        what: "an estimate of a chip's imperfections on a GPU".into(),
        instead: "pass --engine cpu".into(),
    }
}
