//! What there is to say of a method: the form that every method fills in, in its own file.

use super::{MethodName, MethodOption, MethodOptions};
use crate::network::Network;
use crate::{Error, Result};

/// The facts of one method: help, tables, presets, pictures and checks take them from here.
///
/// Methods that share a dash or a marker should have colours that remain apart for colour-blind eyes, and all colours of their
/// own; a test holds the library's own to that. The first six of their palette are those of Okabe & Ito (2008).
#[derive(Clone, Copy, Debug)]
pub struct MethodFacts {
    /// Its name.
    pub name: MethodName,
    /// Its name in full, as publications have it.
    pub title: &'static str,
    /// What it uses of the chip, in words.
    pub uses: &'static str,
    /// The access to the chip that its type asks for.
    pub reach: Reach,
    /// What it does, in one line.
    pub summary: &'static str,
    /// What it does with the chip, as the predicate of a sentence.
    pub manner: &'static str,
    /// Its colour in plots (red, green, blue).
    pub colour: [u8; 3],
    /// Its line in plots.
    pub dash: Dash,
    /// Its marks in plots.
    pub marker: Marker,
    /// What it computes with beside the chip.
    pub model: Model,
    /// It learns classes only, and no real targets.
    pub needs_classes: bool,
    /// Its options.
    pub options: &'static [MethodOption],
    /// At least so many passes of each batch, through the chip or its model.
    pub passes: fn(&MethodOptions, &Network) -> f64,
    /// Errs where it cannot train a chip of this network, or has nothing there that sets it apart from another method.
    pub check: fn(&Network) -> Result<()>,
}

impl MethodFacts {
    /// Why a method that [`MethodFacts::needs_classes`] does not learn real targets.
    pub fn refuse_real_targets(&self) -> Error {
        Error::Unsupported {
            what: format!("{} with real targets", self.name),
            instead: "it learns to tell classes apart; choose another method, or a column of classes".into(),
        }
    }

    /// [`MethodFacts::passes`] of a method that sends a batch once.
    pub fn one_pass(_: &MethodOptions, _: &Network) -> f64 {
        1.0
    }

    /// [`MethodFacts::check`] of a method that trains any chip.
    pub fn any_network(_: &Network) -> Result<()> {
        Ok(())
    }
}

/// How far a method reaches into a chip: the trait that its type asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Its output layer: [`crate::propagator::Propagator`].
    Output,
    /// The outputs of hidden layers as light goes on: [`crate::propagator::TapAccess`].
    Taps,
    /// Single layers: [`crate::propagator::LayerAccess`].
    Layers,
    /// The power behind every mesh: [`crate::propagator::PowerTapAccess`].
    Powers,
    /// Both ends of every mesh, and so much of what is between them: [`crate::propagator::Bidirectional`].
    BothEnds(Seen),
}

/// What is seen of the light inside meshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing.
    Nothing,
    /// The power of a batch at every shifter.
    Powers,
    /// The field of every sample at every shifter.
    Fields,
}

/// What a method computes with beside the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// Nothing that light goes through.
    None,
    /// What stands between the chip's meshes, by design.
    Electronics,
    /// A chip by the data sheet of its kind.
    DataSheet,
    /// Chips drawn from the statistics of the kind.
    Statistics,
    /// The chip itself, which only a simulator knows.
    Oracle,
}

impl Model {
    /// Whether what its kind's data sheet says enters the training.
    pub fn knows_the_kind(self) -> bool {
        match self {
            Model::DataSheet | Model::Statistics => true,
            Model::None | Model::Electronics | Model::Oracle => false,
        }
    }
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dash {
    /// Without gaps.
    Solid,
    /// In strokes.
    Dashed,
    /// In dots.
    Dotted,
    /// In strokes with a dot between them.
    DashDotted,
}

/// How a point is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// A disc.
    Circle,
    /// A square.
    Square,
    /// A triangle that points upwards.
    Triangle,
    /// A square on its corner.
    Diamond,
    /// A triangle that points downwards.
    Wedge,
    /// Two crossed strokes.
    Cross,
}

/// Predicates that several methods share.
pub(super) const OUTPUT_ONLY: &str = "reads the chip's output only";
pub(super) const WITHOUT_MODEL: &str = "reads the chip's output again and again, and has no model";

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
