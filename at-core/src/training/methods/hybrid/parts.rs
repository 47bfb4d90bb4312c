//! The computer's part of a network, and the signals between its stages and the chip's meshes.

use super::super::Ingredients;
use super::patches::{Cut, Join};
use super::way::{Part, Step, Way};
use super::{Lighting, MeshPlace, check};
use crate::Result;
use crate::engine::{Engine, Loss};
use crate::error::same_size;
use crate::network::Network;
use crate::propagator::{Adjoint, Bidirectional, Buffer, LayerAccess, Simulator};
use crate::training::Batch;

/// A step with what cuts and joins on an engine.
type Equipped<E> = Step<Cut<E>, Join<E>>;

/// Neighbouring stages as the computer runs them.
struct Electronics<M: Adjoint> {
    part: Part,
    model: M,
    trace: M::Trace,
    /// The gradient of its controls.
    slopes: Buffer<M>,
}

/// The computer's part and the signals between the parts.
pub struct Hybrid<M: Adjoint> {
    engine: M::Engine,
    loss: Loss,
    steps: Vec<Equipped<M::Engine>>,
    electronics: Vec<Electronics<M>>,
    meshes: Vec<MeshPlace>,
    /// What enters each step, then the readout.
    signals: Vec<Buffer<M>>,
    /// An adjoint for each of them.
    adjoints: Vec<Buffer<M>>,
    /// Whether each step has controls of its own, and whether these are those of a mesh.
    trained: Vec<Trained>,
    controls: usize,
    outputs: usize,
}

/// What a step has to train.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trained {
    Nothing,
    /// Shifters, where a lighting finds slopes of them.
    Shifters,
    /// Controls of what the computer works out.
    Electronics,
}

impl<M: Adjoint> Hybrid<M> {
    /// Where its numbers live.
    pub fn engine(&self) -> &M::Engine {
        &self.engine
    }

    /// Controls of the chip.
    pub fn controls(&self) -> usize {
        self.controls
    }

    /// All crossings of meshes, as light meets them.
    pub fn meshes(&self) -> &[MeshPlace] {
        &self.meshes
    }
}

impl<M: Adjoint + LayerAccess> Hybrid<M> {
    /// For a chip of `network`, which a method has [checked](check), and batches of up to `capacity`; `build` makes nominal stages of a network.
    pub fn new(
        engine: &M::Engine,
        network: &Network,
        build: impl Fn(&Network) -> Result<M>,
        loss: Loss,
        capacity: usize,
    ) -> Result<Self> {
        check(network, "a method that lights single meshes")?;
        loss.check(network.outputs())?;
        let Way { steps, widths, parts } = Way::of(network)?;
        let trained = steps.iter().map(|step| match step {
            Step::Mesh(_) => Trained::Shifters,
            Step::Electronics { part, layer } if parts[*part].has_controls(*layer) => Trained::Electronics,
            Step::Electronics { .. } | Step::Cut(_) | Step::Join(_) | Step::Split { .. } | Step::Add { .. } => {
                Trained::Nothing
            }
        });
        let trained = trained.collect();
        let electronics = parts.into_iter().map(|part| {
            let model = build(&part.network)?;
            let (trace, slopes) = (model.trace(capacity * part.patches)?, engine.zeros(part.network.controls())?);
            Ok(Electronics { part, model, trace, slopes })
        });
        let electronics = electronics.collect::<Result<_>>()?;
        let steps = steps.into_iter().map(|step| {
            step.equipped(
                |patches| Cut::new(engine, &patches, capacity),
                |[patches, outputs]| Join::new(engine, patches, outputs, capacity),
            )
        });
        let steps = steps.collect::<Result<Vec<_>>>()?;
        let room = || widths.iter().map(|width| engine.zeros(width * capacity)).collect::<Result<Vec<_>>>();
        Ok(Hybrid {
            engine: engine.clone(),
            loss,
            meshes: steps.iter().filter_map(Step::mesh).cloned().collect(),
            steps,
            electronics,
            signals: room()?,
            adjoints: room()?,
            trained,
            controls: network.controls(),
            outputs: network.outputs(),
        })
    }

    /// For a method of these parts.
    pub(in super::super) fn of<E: Simulator<Network = M>>(from: &Ingredients<'_, E>) -> Result<Self>
    where
        M: Adjoint<Engine = E>,
    {
        let settings = from.settings;
        Self::new(from.engine, from.network, |network| from.stages(network), settings.loss, settings.batch_size)
    }

    /// `dL/d(control)` of every control on one batch, as measured by `lighting`; `tally` takes the loss. Both sides are
    /// programmed with `controls` first.
    pub fn gradient<C: Bidirectional<Engine = M::Engine>, L: Lighting<C>>(
        &mut self,
        chip: &mut C,
        lighting: &mut L,
        controls: &Buffer<C>,
        batch: &Batch<M::Engine>,
        tally: &mut Buffer<C>,
    ) -> Result<Vec<f64>> {
        let size = batch.size();
        chip.program(controls)?;
        self.program(controls)?;
        self.engine.combine(1.0, batch.signals(), 0.0, &mut self.signals[0])?;
        for step in 0..self.steps.len() {
            self.ahead(step, chip, lighting, size)?;
        }
        let Hybrid { engine, loss, signals, adjoints, outputs, steps, .. } = self;
        let (readout, error) = (&signals[steps.len()], &mut adjoints[steps.len()]);
        engine.loss(loss, readout, *outputs, batch.targets(), size, Some(error), tally)?;
        let mut gradient = vec![0.0; self.controls];
        // what stands in front of all that is trained needs no error, and the first that is trained passes none on
        let first = self.trained.iter().position(|own| match own {
            Trained::Nothing => false,
            Trained::Shifters => L::SLOPES,
            Trained::Electronics => true,
        });
        let first = first.unwrap_or(self.steps.len());
        for step in (first..self.steps.len()).rev() {
            self.back(step, step > first, chip, lighting, size, &mut gradient)?;
        }
        for Electronics { part, slopes, .. } in &self.electronics {
            if part.electronic.is_empty() {
                continue;
            }
            let (slopes, own) = (self.engine.download(slopes)?, &mut gradient[part.controls.clone()]);
            for range in &part.electronic {
                own[range.clone()].copy_from_slice(&slopes[range.clone()]);
            }
        }
        Ok(gradient)
    }

    /// Sets the controls of the computer's stages.
    fn program(&mut self, controls: &Buffer<M>) -> Result<()> {
        if let [Electronics { part, model, .. }] = &mut self.electronics[..]
            && part.controls == (0..self.controls)
        {
            return model.program(controls);
        }
        let values = self.engine.download(controls)?;
        self.electronics.iter_mut().try_for_each(|Electronics { part, model, .. }| {
            model.program(&self.engine.upload(&values[part.controls.clone()])?)
        })
    }

    /// A step from the signal in front of it to that behind.
    fn ahead<C: Bidirectional<Engine = M::Engine>>(
        &mut self,
        step: usize,
        chip: &mut C,
        lighting: &mut impl Lighting<C>,
        size: usize,
    ) -> Result<()> {
        let Hybrid { engine, steps, electronics, signals, .. } = self;
        let (before, after) = signals.split_at_mut(step + 1);
        let (enters, leaves) = (&before[step], &mut after[0]);
        match &steps[step] {
            Step::Mesh(mesh) => lighting.ahead(chip, mesh, enters, size * mesh.patches, leaves),
            Step::Electronics { part, layer } => {
                let Electronics { part, model, trace, .. } = &mut electronics[*part];
                model.record_layer(*layer, enters, size * part.patches, trace)?;
                model.propagate_layer(*layer, enters, size * part.patches, leaves)
            }
            Step::Cut(cut) => cut.ahead(engine, enters, size, leaves),
            Step::Join(join) => join.ahead(engine, enters, size, leaves),
            Step::Split { share, .. } => engine.combine(*share, enters, 0.0, leaves),
            Step::Add { share, split } => {
                engine.combine(*share, enters, 0.0, leaves)?;
                engine.combine(*share, &before[split + 1], 1.0, leaves)
            }
        }
    }

    /// A step from the adjoint behind it to that in front, where that is `asked` for, and to what the `gradient` has of it.
    fn back<C: Bidirectional<Engine = M::Engine>>(
        &mut self,
        step: usize,
        asked: bool,
        chip: &mut C,
        lighting: &mut impl Lighting<C>,
        size: usize,
        gradient: &mut [f64],
    ) -> Result<()> {
        let Hybrid { engine, steps, electronics, signals, adjoints, .. } = self;
        let (before, after) = adjoints.split_at_mut(step + 1);
        let (input, error) = (&mut before[step], &mut after[0]);
        match &mut steps[step] {
            Step::Mesh(mesh) => {
                let own = lighting.back(chip, mesh, &signals[step], error, size * mesh.patches, input)?;
                same_size("slopes of the mesh", mesh.controls.len(), own.len())?;
                gradient[mesh.controls.clone()].iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
                Ok(())
            }
            Step::Electronics { part, layer } => {
                let Electronics { model, trace, slopes, .. } = &mut electronics[*part];
                model.backpropagate_layer(*layer, trace, error, asked.then_some(input), slopes)
            }
            Step::Cut(cut) => cut.back(engine, error, size, input),
            Step::Join(join) => join.back(engine, error, size, input),
            Step::Add { share, .. } => engine.combine(*share, error, 0.0, input),
            Step::Split { share, add } => {
                engine.combine(*share, error, 0.0, input)?;
                // what stands behind the sum, of which the arm beside has s too
                engine.combine(*share * *share, &after[*add - step], 1.0, input)
            }
        }
    }
}
