//! What a driver says of its chip.

use super::limits::Limits;
use super::message::PROTOCOL;
use crate::training::methods::{MethodFacts, Model, Reach};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// A way to reach into a chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Inputs are sent, the output layer is read: every chip offers this.
    Output,
    /// The outputs of hidden layers are read, and the light goes on.
    Taps,
    /// Single layers are lit and read.
    Layers,
    /// Its state can be asked for and set, so that a simulated chip goes on as if nothing had been between.
    State,
}

impl Access {
    /// As the protocol says it.
    pub fn name(self) -> &'static str {
        match self {
            Access::Output => "output",
            Access::Taps => "taps",
            Access::Layers => "layers",
            Access::State => "state",
        }
    }
}

/// A chip as its driver describes it.
#[derive(Clone, Default, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Description {
    /// The version of the protocol that the driver speaks.
    pub protocol: u32,
    /// Which chip this is, for people.
    pub name: String,
    /// Number of controls, in the order of the network's.
    pub controls: usize,
    /// Of the controls, for people: `rad`.
    pub unit: String,
    /// What may be written to the controls.
    pub limits: Limits,
    /// A control that is moved by so much does the same (2π of a phase shifter in radians); none where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<f64>,
    /// Reals per input sample; a complex mode is two of them.
    pub inputs: usize,
    /// The inputs are complex fields, (re, im) in turn.
    #[serde(default)]
    pub complex: bool,
    /// Reals per readout.
    pub outputs: usize,
    /// Reals that leave each layer, the last one's are the outputs; empty where the driver knows of none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<usize>,
    /// Samples that can be sent at once.
    pub largest_batch: usize,
    /// What the chip needs after its controls were written (milliseconds); the driver waits, not the program.
    #[serde(default)]
    pub settle_ms: f64,
    /// What can be asked of it.
    pub access: Vec<Access>,
}

impl Description {
    /// Most controls, values per sample, layers or samples that a description may state.
    const MOST: usize = 1 << 26;

    /// Errs where the description is none of a chip.
    pub fn validate(&self) -> Result<()> {
        let sizes = [
            ("controls", self.controls),
            ("inputs", self.inputs),
            ("outputs", self.outputs),
            ("largest-batch", self.largest_batch),
        ];
        let layers = self.layers.iter().map(|&width| ("layers", width));
        if let Some((name, size)) = sizes.into_iter().chain(layers).find(|(_, size)| !(1..=Self::MOST).contains(size)) {
            return Err(Error::invalid("chip", size, format!("{name}: lies between 1 and {}", Self::MOST)));
        }
        let settle = self.settle_ms;
        if !(0.0..=1e9).contains(&settle) {
            return Err(Error::invalid("chip", settle, "settle-ms: lies between 0 and 1e9"));
        }
        if self.complex && !self.inputs.is_multiple_of(2) {
            return Err(Error::invalid("chip", self.inputs, "inputs: complex ones are two reals each"));
        }
        if self.layers.last().is_some_and(|&last| last != self.outputs) {
            let reason = format!("layers: the last one leaves the {} outputs", self.outputs);
            return Err(Error::invalid("chip", format!("{:?}", self.layers), reason));
        }
        if self.layers.is_empty()
            && let Some(access) = [Access::Taps, Access::Layers].into_iter().find(|access| self.offers(*access))
        {
            return Err(Error::invalid("chip", access.name(), "access: needs the widths of its layers"));
        }
        if let Some(period) = self.period
            && !(period.is_finite() && period > 0.0)
        {
            return Err(Error::invalid("chip", period, "period: must be positive"));
        }
        self.limits.check(self.controls)
    }

    /// The chip offers `access`.
    pub fn offers(&self, access: Access) -> bool {
        access == Access::Output || self.access.contains(&access)
    }

    /// Errs unless the chip offers `access`.
    pub fn require(&self, access: Access) -> Result<()> {
        if self.offers(access) {
            return Ok(());
        }
        let offered: Vec<_> = self.access.iter().map(|access| access.name()).collect();
        Err(Error::Unsupported {
            what: format!("the access {} to {}", access.name(), self.name),
            instead: format!(
                "its driver offers {}",
                if offered.is_empty() { "output".into() } else { offered.join(", ") }
            ),
        })
    }

    /// Errs unless a method of these `facts` can train the chip with the access that is offered.
    pub fn admits(&self, facts: &MethodFacts) -> Result<()> {
        let lacking = |what: &str, instead: String| Error::Unsupported {
            what: format!("{} on {}, which trains by {what},", facts.name, self.name),
            instead,
        };
        match facts.model {
            Model::Oracle => {
                let instead = "only a simulator knows the chip itself; choose a method that meets it at its interface";
                return Err(lacking("the chip's own errors", instead.to_string()));
            }
            Model::None | Model::Electronics | Model::DataSheet | Model::Statistics => {}
        }
        let access = match facts.reach {
            Reach::Output => Access::Output,
            Reach::Taps => Access::Taps,
            Reach::Layers => Access::Layers,
            Reach::Powers | Reach::BothEnds(_) => {
                let instead = format!("version {PROTOCOL} of the protocol offers outputs, taps and layers");
                return Err(lacking(facts.uses, instead));
            }
        };
        let offered: Vec<_> = self.access.iter().map(|access| access.name()).collect();
        let offered = if offered.is_empty() { Access::Output.name().to_string() } else { offered.join(", ") };
        let instead = format!("its driver offers {offered}, and not {}", access.name());
        self.offers(access).then_some(()).ok_or_else(|| lacking(facts.uses, instead))
    }
}
