//! A whole network on the CPU: stages in order, their signals, and the map from programmed to effective controls.

use super::awake;
use super::control::Follower;
use super::engine::Cpu;
use super::perturbation::PerturbationStage;
use super::stage::{CpuStage, build};
use crate::error::same_size;
use crate::fabrication::Fabrication;
use crate::network::{Network, Stage};
use crate::propagator::{Drifting, LayerAccess, Layered, Propagator, TapAccess, Watched};
use crate::{Error, Real, Result};
use std::ops::Range;

/// A network with its imperfections on the CPU.
pub struct CpuNetwork<T> {
    pub(super) layers: Vec<Vec<Placed<T>>>,
    /// Layer and place in it of every mesh that is a stage by itself.
    meshes: Vec<(usize, usize)>,
    /// All meshes, those inside other stages too.
    pub(super) lit: Vec<Lit>,
    inputs: usize,
    pub(super) controls: usize,
    pub(super) follower: Follower<T>,
    pub(super) imperfections: usize,
    /// An estimate of the imperfections was set, and programmed since.
    pub(super) estimate: Option<bool>,
    /// Signals and adjoints between stages, swapped from stage to stage.
    pub(super) signals: [Vec<T>; 2],
}

/// Where a mesh is.
pub(super) struct Lit {
    pub(super) layer: usize,
    pub(super) place: usize,
    /// Its number among those of the stage there.
    pub(super) inside: usize,
}

/// A stage and where its controls lie.
pub(super) struct Placed<T> {
    pub(super) stage: Box<dyn CpuStage<T>>,
    pub(super) controls: Range<usize>,
    pub(super) imperfections: Range<usize>,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
}

impl<T: Real> CpuNetwork<T> {
    /// Builds every stage with its errors. Errs where there is a loop, which [`crate::looped::Looped`] is for.
    pub fn new(network: &Network, fabrication: &Fabrication) -> Result<Self> {
        network.require_no_loop()?;
        fabrication.check(network)?;
        let mut offset = 0;
        let mut imperfections = 0;
        let mut index = 0;
        let mut layers = Vec::new();
        let (mut meshes, mut lit) = (Vec::new(), Vec::new());
        for (number, layer) in network.layers().iter().enumerate() {
            let mut placed = Vec::new();
            for stage in layer {
                if matches!(stage, Stage::Mesh(_)) {
                    meshes.push((number, placed.len()));
                }
                let inside = stage.parts().into_iter().filter(|part| matches!(part, Stage::Mesh(_))).count();
                lit.extend((0..inside).map(|inside| Lit { layer: number, place: placed.len(), inside }));
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
            lit,
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
    pub(super) fn reserve(&mut self, batch: usize) {
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
    pub(super) fn check_layer(&self, layer: usize) -> Result<()> {
        if layer < self.layers.len() {
            Ok(())
        } else {
            Err(Error::invalid("layer", layer, format!("the network has {} layers", self.layers.len())))
        }
    }
}
