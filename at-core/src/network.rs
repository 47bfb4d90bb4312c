//! The description of a photonic network: stages that light crosses, grouped into layers. It runs nothing.

mod bounds;
mod identity;
mod interface;
mod parts;
mod recurrence;

pub use crate::stage::{Detection, Signal, Stage};
pub(crate) use bounds::stands;
pub use bounds::{Bounds, MOST_PHASE, MOST_WEIGHT};
pub use identity::{Identity, Owner};
pub use interface::{Interface, Passage};
pub(crate) use recurrence::refuse_loops;
pub use recurrence::{Entry, Feedback, Recurrence, Visit};

use crate::error::same_size;
use crate::optics::Mesh;
use crate::stage::{ControlArray, check_detectors};
use crate::{Error, Result};
use std::collections::BTreeMap;

/// Stages that a truncated method reads out and re-injects as one: typically a linear stage and its nonlinearity.
pub type Layer = Vec<Stage>;

/// A stack of layers. The output of the last is what the chip's readout gives: real numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    layers: Vec<Layer>,
    recurrence: Option<Recurrence>,
}

impl Network {
    /// Checks that stages fit together and that the last gives real numbers.
    pub fn new(layers: Vec<Layer>) -> Result<Self> {
        let network = Network { layers, recurrence: None };
        let mut previous: Option<Signal> = None;
        for (index, stage) in network.stages().enumerate() {
            validate(stage)?;
            let input = stage.input();
            if let Some(signal) = previous {
                same_size(&format!("modes that enter stage {index}"), input.modes, signal.modes)?;
                if signal.complex != input.complex {
                    let kind = |complex| if complex { "complex fields" } else { "real numbers" };
                    let (need, got) = (kind(input.complex), kind(signal.complex));
                    return Err(Error::invalid(
                        "network",
                        format!("stage {index}"),
                        format!("needs {need}, gets {got}"),
                    ));
                }
            }
            previous = Some(stage.output());
        }
        check_detectors("network", network.stages())?;
        match previous {
            Some(signal) if !signal.complex && network.layers.iter().all(|layer| !layer.is_empty()) => Ok(network),
            Some(signal) if signal.complex => {
                Err(Error::invalid("network", "last stage", "must detect: a readout is real numbers"))
            }
            _ => Err(Error::invalid("network", "empty", "needs at least one stage in every layer")),
        }
    }

    /// The same stages, each a layer of its own.
    pub fn single_stages(&self) -> Result<Self> {
        let single = Self::new(self.stages().map(|stage| vec![stage.clone()]).collect())?;
        let before = |layer: usize| self.layers[..layer].iter().map(Vec::len).sum();
        let recurrence = self
            .recurrence
            .as_ref()
            .map(|own| Recurrence { layers: before(own.layers.start)..before(own.layers.end), ..own.clone() });
        Ok(Network { recurrence, ..single })
    }

    /// The same network as a model of one the losses of whose meshes are not known ([`Mesh::with_unknown_losses`]).
    pub fn with_unknown_losses(&self) -> Self {
        let change = |mesh: &Mesh| mesh.clone().with_unknown_losses();
        let layer = |layer: &Layer| layer.iter().map(|stage| stage.with_meshes(&change)).collect();
        Network { layers: self.layers.iter().map(layer).collect(), recurrence: self.recurrence.clone() }
    }

    /// The layers, each once, as the chip has them; [`Network::visits`] counts them as often as light crosses them.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// All stages in order.
    pub fn stages(&self) -> impl Iterator<Item = &Stage> {
        self.layers.iter().flatten()
    }

    /// What the stages are made of: those inside convolutions, series and residual connections in the place of these, in the order of
    /// their controls.
    pub fn parts(&self) -> impl Iterator<Item = &Stage> {
        self.stages().flat_map(Stage::parts)
    }

    /// All meshes, those inside other stages too, in the order in which light meets them: the numbers of
    /// [`crate::propagator::Bidirectional::send`].
    pub fn all_meshes(&self) -> impl Iterator<Item = &Mesh> {
        self.parts().filter_map(|part| if let Stage::Mesh(mesh) = part { Some(mesh) } else { None })
    }

    /// The meshes that are stages by themselves, in the order in which light meets them.
    pub fn meshes(&self) -> impl Iterator<Item = &Mesh> {
        self.placed_meshes().map(|(_, mesh)| mesh)
    }

    /// The same with the number of their stages.
    pub fn placed_meshes(&self) -> impl Iterator<Item = (usize, &Mesh)> {
        self.stages().enumerate().filter_map(
            |(number, stage)| {
                if let Stage::Mesh(mesh) = stage { Some((number, mesh)) } else { None }
            },
        )
    }

    /// What enters the chip: a sample as a whole, also where it enters part by part ([`Recurrence`]).
    pub fn input(&self) -> Signal {
        let plain = self.layers[0][0].input();
        let modes = self.recurrence.as_ref().map_or(plain.modes, |own| own.sample_modes(plain.modes));
        Signal { modes, ..plain }
    }

    /// Number of values that one readout gives.
    pub fn outputs(&self) -> usize {
        self.layer_output(self.layers.len() - 1).modes
    }

    /// What leaves a layer.
    pub fn layer_output(&self, layer: usize) -> Signal {
        let stages = &self.layers[layer];
        stages[stages.len() - 1].output()
    }

    /// Number of controls of all stages.
    pub fn controls(&self) -> usize {
        self.stages().map(Stage::controls).sum()
    }

    /// What files call the stages: by kind, in the order in which light meets them, `mesh0`, `activation0`, `mesh1`.
    pub fn stage_names(&self) -> Vec<String> {
        let mut earlier: BTreeMap<&str, usize> = BTreeMap::new();
        let mut named = |stage: &Stage| {
            let number = earlier.entry(stage.kind()).or_default();
            *number += 1;
            format!("{}{}", stage.word(), *number - 1)
        };
        self.stages().map(&mut named).collect()
    }

    /// How files call the controls of all stages, in their order: `mesh0.theta`, `mesh0.phi`, `mesh0.gamma`, `mesh1.theta`, …,
    /// `weight-bank0.weight`.
    pub fn control_arrays(&self) -> Vec<ControlArray> {
        let mut arrays = Vec::new();
        for (stage, stage_name) in self.stages().zip(self.stage_names()) {
            let own = stage.control_arrays().into_iter();
            arrays.extend(own.map(|array| ControlArray { name: format!("{stage_name}.{}", array.name), ..array }));
        }
        arrays
    }

    /// Number of imperfections of all stages that can be estimated.
    pub fn imperfections(&self) -> usize {
        self.stages().map(Stage::imperfections).sum()
    }

    /// `M` of the interface counts: signals after the input, hidden and output ones.
    pub fn neurons(&self) -> usize {
        self.visits().iter().map(|visit| self.layer_output(visit.layer).modes).sum()
    }
}

fn validate(stage: &Stage) -> Result<()> {
    stage.element().validate()?;
    if stage.input().modes == 0 || stage.output().modes == 0 {
        return Err(Error::invalid("modes", 0, "every stage needs at least one mode"));
    }
    Ok(())
}

/// The three stages `U·diag(σ)·Vᴴ` that realise any complex `outputs × inputs` matrix up to the gain (physics: Miller's SVD mesh).
pub fn singular_value_stages(inputs: usize, outputs: usize, layout: crate::optics::Layout) -> Result<[Stage; 3]> {
    Ok([
        Stage::Mesh(Mesh::universal(inputs, layout)?),
        Stage::attenuators(inputs, outputs),
        Stage::Mesh(Mesh::universal(outputs, layout)?),
    ])
}
