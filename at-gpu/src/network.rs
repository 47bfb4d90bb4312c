//! A whole network on a GPU: stages in order, their signals, and the map from programmed to effective controls.

use crate::control::Follower;
use crate::detection::DetectionStage;
use crate::engine::Gpu;
use crate::learned::Learned;
use crate::perturbation::PerturbationStage;
use crate::scratch::{Needs, Scratch, Slot};
use crate::stage::{GpuStage, build};
use crate::vectors::{Vector, check_range};
use at_core::error::same_size;
use at_core::fabrication::Fabrication;
use at_core::network::{Detection, Network};
use at_core::propagator::{Drifting, LayerAccess, Layered, Propagator, TapAccess, Watched};
use at_core::{Error, Result};
use std::ops::Range;

/// A network with its imperfections on a GPU.
pub struct GpuNetwork {
    pub(crate) gpu: Gpu,
    pub(crate) layers: Vec<Vec<Placed>>,
    pub(crate) inputs: usize,
    pub(crate) controls: usize,
    pub(crate) follower: Follower,
    pub(crate) learned: Learned,
    pub(crate) scratch: Scratch,
}

/// A stage, where its controls lie, and the reals per sample at both of its ends.
pub(crate) struct Placed {
    pub(crate) stage: Box<dyn GpuStage>,
    pub(crate) controls: Range<usize>,
    pub(crate) imperfections: Range<usize>,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

impl GpuNetwork {
    /// Builds every stage with its errors.
    pub(crate) fn new(gpu: &Gpu, network: &Network, fabrication: &Fabrication) -> Result<Self> {
        network.require_no_loop()?;
        fabrication.check(network)?;
        let (mut offset, mut imperfections, mut index) = (0, 0, 0);
        let mut layers = Vec::new();
        for (number, layer) in network.layers().iter().enumerate() {
            let mut placed = Vec::new();
            for stage in layer {
                let controls = offset..offset + stage.controls();
                placed.push(Placed {
                    stage: build(gpu, stage, fabrication.stage(index), offset)?,
                    inputs: stage.input().width(),
                    outputs: stage.output().width(),
                    controls: controls.clone(),
                    imperfections: imperfections..imperfections + stage.imperfections(),
                });
                offset = controls.end;
                imperfections += stage.imperfections();
                index += 1;
            }
            let perturbation = fabrication.perturbation(number);
            if !perturbation.is_empty() {
                let width = network.layer_output(number).width();
                let stage = Box::new(PerturbationStage::new(gpu.clone(), width, perturbation)?);
                let controls = offset..offset;
                placed.push(Placed {
                    stage,
                    controls,
                    imperfections: imperfections..imperfections,
                    inputs: width,
                    outputs: width,
                });
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
            learned: Learned::of(imperfections),
            scratch: Scratch::default(),
        })
    }

    pub(crate) fn ready(&self, batch: usize) -> Result<()> {
        if !self.follower.programmed() {
            return Err(Error::invalid("controls", "unset", "program the network before light is sent through it"));
        }
        if batch == 0 {
            return Err(Error::invalid("batch", 0, "must hold at least one sample"));
        }
        Ok(())
    }

    /// Memory between and inside the stages, kept from call to call.
    pub(crate) fn reserve(&mut self, batch: usize, backward: bool) -> Result<()> {
        self.reserve_for(batch, |stage| stage.needs(batch, backward))
    }

    /// The same where the gradient of imperfections is asked for.
    pub(crate) fn reserve_for_imperfections(&mut self, batch: usize) -> Result<()> {
        self.reserve_for(batch, |stage| stage.needs_of_imperfections(batch))
    }

    fn reserve_for(&mut self, batch: usize, needs_of: impl Fn(&dyn GpuStage) -> Needs) -> Result<()> {
        let stages = || self.layers.iter().flatten();
        let widest = stages().map(|placed| placed.inputs.max(placed.outputs)).max().unwrap_or(0);
        let signal = 4 * (batch * widest) as u64;
        let between = Needs::of(&[(Slot::SignalA, signal), (Slot::SignalB, signal)]);
        let needs = stages().fold(between, |needs, placed| needs.max(needs_of(&*placed.stage)));
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

    pub(crate) fn check_layer(&self, layer: usize) -> Result<()> {
        if layer < self.layers.len() {
            return Ok(());
        }
        Err(Error::invalid("layer", layer, format!("the network has {} layers", self.layers.len())))
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
        self.take_on_estimate()?;
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
        let meshes: Vec<usize> = self.layers[layer]
            .iter()
            .filter(|placed| placed.stage.both_ways().is_some())
            .map(|placed| placed.outputs / 2)
            .collect();
        if powers.len() > meshes.len() {
            same_size("watched meshes of the layer", meshes.len(), powers.len())?;
        }
        for (powers, modes) in powers.iter().zip(meshes) {
            check_range("powers behind a mesh", powers.len, 0, batch * modes)?;
        }
        let (gpu, scratch) = (self.gpu.clone(), Scratch::default());
        let mut next = powers.iter();
        self.run_watched(layer..layer + 1, input, batch, output, &mut |placed, leaves| match placed.stage.both_ways() {
            Some(_) => next.next().map_or(Ok(()), |seen| {
                let (gpu, modes) = (gpu.clone(), placed.outputs / 2);
                let detectors = DetectionStage { gpu, modes, detection: Detection::Intensity };
                detectors.forward(leaves, batch, &seen.buffer, &scratch)
            }),
            None => Ok(()),
        })
    }
}
