//! The stages that light or its detected signal crosses, a page each: everything that is particular to one of them stands in its
//! file, in one order, and the rest of the program asks [`Stage::element`].
//!
//! A page has: the sentence and the formula, signals, controls and where they start, imperfections, the plain f64 meaning. What it
//! takes to add one is written down in `docs/adding-a-stage.md`.

mod activation;
mod attenuators;
mod combiner;
mod controlled;
mod detection;
mod differences;
mod element;
mod errors;
mod floorplan;
pub mod flops;
mod initialization;
mod matrix;
pub(crate) mod mesh;
mod modulation;
mod own;
mod rectifier;
mod splitter;
mod weight_bank;
mod weights;

pub use activation::Nonlinearity;
pub use attenuators::Attenuators;
pub use combiner::Combiner;
pub use controlled::{ControlRun, Controlled, Meaning, Start};
pub use detection::{Detection, Photodetection};
pub use differences::slope_error;
pub use element::{Beside, Element, Signal};
pub use errors::{ErrorVector, Gain, Imperfect, Order, Sheet, StageErrors};
pub use floorplan::Place;
pub use flops::Flops;
pub use initialization::Initialization;
pub use matrix::Matrix;
pub use modulation::Modulation;
pub use own::Own;
pub use rectifier::Rectifier;
pub use splitter::Splitter;
pub use weight_bank::WeightBank;

use crate::optics::Mesh;

/// One thing that light or its detected signal crosses.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// A mesh of MZIs.
    Mesh(Mesh),
    /// Attenuators between the two meshes of a singular-value stage.
    Attenuators(Attenuators),
    /// Passive splitters that divide the light of every mode evenly.
    Splitter(Splitter),
    /// Passive combiners that bring the light of several modes to one.
    Combiner(Combiner),
    /// An optical nonlinearity on every mode.
    Activation(Nonlinearity),
    /// Photodetection: complex fields become real numbers.
    Detection(Photodetection),
    /// Modulation: real numbers become field amplitudes.
    Modulation(Modulation),
    /// Rectification of detected signals.
    Rectifier(Rectifier),
    /// A real matrix and bias whose entries are the controls.
    Matrix(Matrix),
    /// A bank of incoherent, balanced MZI weight cells.
    WeightBank(WeightBank),
    /// An element of one's own, whose page stands in another crate.
    Own(Own),
}

impl Stage {
    /// Its page: the only place in this crate, beside the tables of its engines, that knows all kinds.
    pub fn element(&self) -> &dyn Element {
        match self {
            Stage::Mesh(own) => own,
            Stage::Attenuators(own) => own,
            Stage::Splitter(own) => own,
            Stage::Combiner(own) => own,
            Stage::Activation(own) => own,
            Stage::Detection(own) => own,
            Stage::Modulation(own) => own,
            Stage::Rectifier(own) => own,
            Stage::Matrix(own) => own,
            Stage::WeightBank(own) => own,
            Stage::Own(own) => own,
        }
    }

    /// What enters.
    pub fn input(&self) -> Signal {
        self.element().input()
    }

    /// What leaves.
    pub fn output(&self) -> Signal {
        self.element().output()
    }

    /// What its controls are, in their order.
    pub fn runs(&self) -> Vec<ControlRun> {
        self.element().controlled().map_or(Vec::new(), Controlled::runs)
    }

    /// Number of controls.
    pub fn controls(&self) -> usize {
        self.runs().iter().map(|run| run.count).sum()
    }

    /// The place of every control's heater; none for a control that is no heater.
    pub fn places(&self) -> Vec<Option<Place>> {
        self.element().controlled().map_or(Vec::new(), Controlled::places)
    }

    /// The schema of its errors.
    pub fn errors(&self) -> Vec<ErrorVector> {
        self.element().imperfect().map_or(Vec::new(), Imperfect::errors)
    }

    /// Number of imperfections that can be estimated ([`crate::propagator::Tunable`]).
    pub fn imperfections(&self) -> usize {
        self.element().imperfect().map_or(0, Imperfect::estimable)
    }
}

#[cfg(test)]
mod tests;
