//! A network whose meshes are the chip's and all else the computer's: what in-situ methods share.
//!
//! Light crosses one mesh at a time; detection, nonlinearity and their derivatives between meshes are digital, from the nominal
//! stages, as in the published experiments. How a mesh's own gradient is measured is the method's.

use super::{Gradient, Ingredients, MethodFacts};
use crate::engine::{Engine, Loss};
use crate::error::same_size;
use crate::network::{Entry, Network, Stage, refuse_loops};
use crate::propagator::{Adjoint, Bidirectional, Buffer, LayerAccess, Simulator};
use crate::training::{Batch, Parameters};
use crate::{Error, Result};
use std::ops::Range;

/// One crossing of one mesh of the chip.
#[derive(Clone, Debug)]
pub struct MeshPlace {
    /// Its number, as light meets it first.
    pub index: usize,
    /// The number of this crossing, of all of all meshes: a looped mesh is crossed at every step.
    pub crossing: usize,
    /// Its stage as light meets them, which is also the signal that enters it.
    pub stage: usize,
    /// Where its controls lie.
    pub controls: Range<usize>,
    /// Reals per sample that enter and leave.
    pub width: usize,
}

/// How a mesh is lit.
pub trait Lighting<C: Bidirectional> {
    /// Sends `fields [size, modes]` forward through `mesh` and reads them into `output`.
    fn ahead(
        &mut self,
        chip: &mut C,
        mesh: &MeshPlace,
        fields: &Buffer<C>,
        size: usize,
        output: &mut Buffer<C>,
    ) -> Result<()>;

    /// From `adjoint = ∂L/∂y*` at the end of `mesh`, in front of which stood `fields`, to that at its inputs in `input`, and to
    /// `dL/d(control)` of each of its shifters. May change `adjoint`.
    fn back(
        &mut self,
        chip: &mut C,
        mesh: &MeshPlace,
        fields: &Buffer<C>,
        adjoint: &mut Buffer<C>,
        size: usize,
        input: &mut Buffer<C>,
    ) -> Result<Vec<f64>>;
}

/// Errs where a network has no mesh, or weights that are no mesh, or meshes that cannot be lit by themselves; `method` is who would light them.
pub fn check(network: &Network, method: &str) -> Result<()> {
    if network.recurrence().is_some_and(|own| own.entry != Entry::Once) {
        let reason = "it lights single meshes, and parts of a sample that enter at a step beside light are not among what it sends";
        refuse_loops(network, method, reason)?;
    }
    if let Some(stage) = network.stages().find(|stage| hides_a_mesh(stage)) {
        return Err(Error::Unsupported {
            what: format!("{method} on meshes inside a {}", stage.word()),
            instead: "it lights meshes that stand by themselves; choose another `network`, or at-adaptive".into(),
        });
    }
    // what is no mesh is the computer's: what stands in the light between meshes, and no weights of detected signals
    let refused = |stage: &Stage| stage.controls() > 0 && !stage.input().complex;
    if network.stages().any(refused) {
        return Err(Error::Unsupported {
            what: format!("{method} on matrices or weight banks"),
            instead: "it lights meshes; choose a `network` of meshes".into(),
        });
    }
    if network.meshes().next().is_none() {
        return Err(Error::Unsupported {
            what: format!("{method} without a mesh"),
            instead: "choose a `network` of meshes".into(),
        });
    }
    Ok(())
}

/// Whether there is a mesh inside a stage that is none itself.
pub fn hides_a_mesh(stage: &Stage) -> bool {
    stage.inside().is_some() && stage.parts().into_iter().any(|part| matches!(part, Stage::Mesh(_)))
}

/// The computer's part and the signals between the parts.
pub struct Hybrid<M: Adjoint> {
    engine: M::Engine,
    loss: Loss,
    digital: M,
    meshes: Vec<MeshPlace>,
    trace: M::Trace,
    /// What enters each stage, then the readout.
    signals: Vec<Buffer<M>>,
    /// An adjoint for each of them.
    adjoints: Vec<Buffer<M>>,
    /// Controls of stages that are the computer's.
    electronic: Vec<Range<usize>>,
    /// Their gradient.
    slopes: Buffer<M>,
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
        let network = network.single_stages()?;
        let (mut places, mut electronic, mut end, mut index) = (Vec::new(), Vec::new(), 0, 0);
        for own in network.stages() {
            let controls = end..end + own.controls();
            end = controls.end;
            places.push((index, controls.clone()));
            if matches!(own, Stage::Mesh(_)) {
                index += 1;
            } else if !controls.is_empty() {
                electronic.push(controls);
            }
        }
        let mut meshes: Vec<MeshPlace> = Vec::new();
        for (stage, (visit, own)) in network.visits().iter().zip(network.crossed_stages()).enumerate() {
            if let Stage::Mesh(mesh) = own {
                let (index, controls) = places[visit.layer].clone();
                meshes.push(MeshPlace { index, crossing: meshes.len(), stage, controls, width: 2 * mesh.modes() });
            }
        }
        let digital = build(&network)?;
        loss.check(digital.outputs())?;
        let widths: Vec<usize> =
            network.crossed_stages().map(|stage| stage.input().width()).chain([network.outputs()]).collect();
        let room = || widths.iter().map(|width| engine.zeros(width * capacity)).collect::<Result<Vec<_>>>();
        Ok(Hybrid {
            engine: engine.clone(),
            loss,
            trace: digital.trace(capacity)?,
            signals: room()?,
            adjoints: room()?,
            slopes: engine.zeros(network.controls())?,
            digital,
            meshes,
            electronic,
        })
    }

    /// For a method of these parts.
    pub(super) fn of<E: Simulator<Network = M>>(from: &Ingredients<'_, E>) -> Result<Self>
    where
        M: Adjoint<Engine = E>,
    {
        let settings = from.settings;
        Self::new(from.engine, from.network, |network| from.stages(network), settings.loss, settings.batch_size)
    }

    /// All crossings of meshes, as light meets them.
    pub fn meshes(&self) -> &[MeshPlace] {
        &self.meshes
    }

    /// `dL/d(control)` of every control on one batch, as measured by `lighting`; `tally` takes the loss. Both sides are
    /// programmed with `controls` first.
    pub fn gradient<C: Bidirectional<Engine = M::Engine>>(
        &mut self,
        chip: &mut C,
        lighting: &mut impl Lighting<C>,
        controls: &Buffer<C>,
        batch: &Batch<M::Engine>,
        tally: &mut Buffer<C>,
    ) -> Result<Vec<f64>> {
        let Hybrid { engine, loss, digital, meshes, trace, signals, adjoints, electronic, slopes } = self;
        let size = batch.size();
        let stages = signals.len() - 1;
        chip.program(controls)?;
        digital.program(controls)?;
        engine.combine(1.0, batch.signals(), 0.0, &mut signals[0])?;
        let mesh_at = |stage: usize| meshes.iter().find(|mesh| mesh.stage == stage);
        for stage in 0..stages {
            let (before, after) = signals.split_at_mut(stage + 1);
            match mesh_at(stage) {
                Some(mesh) => lighting.ahead(chip, mesh, &before[stage], size, &mut after[0])?,
                None => {
                    digital.record_layer(stage, &before[stage], size, trace)?;
                    digital.propagate_layer(stage, &before[stage], size, &mut after[0])?;
                }
            }
        }
        let error = adjoints.last_mut().expect("there is a readout");
        engine.loss(loss, &signals[stages], digital.outputs(), batch.targets(), size, Some(error), tally)?;
        let mut gradient = vec![0.0; digital.controls()];
        for stage in (0..stages).rev() {
            let (before, after) = adjoints.split_at_mut(stage + 1);
            match mesh_at(stage) {
                Some(mesh) => {
                    let own = lighting.back(chip, mesh, &signals[stage], &mut after[0], size, &mut before[stage])?;
                    same_size("slopes of the mesh", mesh.controls.len(), own.len())?;
                    gradient[mesh.controls.clone()].iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
                }
                None => {
                    let input = if stage == 0 { None } else { Some(&mut before[stage]) };
                    digital.backpropagate_layer(stage, trace, &after[0], input, slopes)?;
                }
            }
        }
        if !electronic.is_empty() {
            let slopes = engine.download(slopes)?;
            for range in electronic {
                gradient[range.clone()].copy_from_slice(&slopes[range.clone()]);
            }
        }
        Ok(gradient)
    }
}

/// The gradient as measured with the lighting `L`, with the computer's part of the network.
pub struct Measured<M: Adjoint, L> {
    facts: &'static MethodFacts,
    hybrid: Hybrid<M>,
    lighting: L,
    gradient: Buffer<M>,
}

impl<M: Adjoint, L> Measured<M, L> {
    /// That of the method with these `facts`.
    pub fn new(facts: &'static MethodFacts, hybrid: Hybrid<M>, lighting: L) -> Result<Self> {
        let gradient = hybrid.engine.zeros(hybrid.digital.controls())?;
        Ok(Measured { facts, hybrid, lighting, gradient })
    }
}

impl<M, L, C> Gradient<C> for Measured<M, L>
where
    M: Adjoint + LayerAccess,
    C: Bidirectional<Engine = M::Engine>,
    L: Lighting<C>,
{
    fn facts(&self) -> &'static MethodFacts {
        self.facts
    }

    fn gradient(
        &mut self,
        chip: &mut C,
        controls: &Parameters<C::Engine>,
        batch: &Batch<C::Engine>,
        tally: &mut Buffer<C>,
    ) -> Result<&Buffer<C>> {
        let Measured { hybrid, lighting, gradient, .. } = self;
        let slopes = hybrid.gradient(chip, lighting, &controls.values, batch, tally)?;
        *gradient = hybrid.engine.upload(&slopes)?;
        Ok(gradient)
    }
}

/// Complex fields by elementwise operations of an engine: conjugation and multiplication by ∓i.
pub struct Turns<E: Engine> {
    engine: E,
    /// +1, -1, …
    alternating: E::Buffer,
    /// 1, 0, 3, 2, …
    swapped: E::Indices,
}

impl<E: Engine> Turns<E> {
    /// For vectors of `len` reals.
    pub fn new(engine: &E, len: usize) -> Result<Self> {
        let signs: Vec<f64> = (0..len).map(|index| if index % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let swapped: Vec<u32> = (0..len as u32).map(|index| index ^ 1).collect();
        let (alternating, swapped) = (engine.upload(&signs)?, engine.upload_indices(&swapped)?);
        Ok(Turns { engine: engine.clone(), alternating, swapped })
    }

    /// `z ← z*`.
    pub fn conjugate(&self, z: &mut E::Buffer) -> Result<()> {
        self.engine.multiply(&self.alternating, z)
    }

    /// `target ← x - i·scale·a`, of which `reals` values matter.
    pub fn quarter_turn(
        &self,
        x: &E::Buffer,
        scale: f64,
        a: &E::Buffer,
        reals: usize,
        target: &mut E::Buffer,
    ) -> Result<()> {
        self.engine.gather(a, 1, &self.swapped, 0, reals, target)?;
        self.engine.multiply(&self.alternating, target)?;
        self.engine.combine(1.0, x, scale, target)
    }
}
