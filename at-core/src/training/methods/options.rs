//! What is particular to some methods, in one struct for all. What each entry means and takes is said by the methods that have it.

use super::at::Weights;
use super::at_adaptive::Estimation;
use super::dat::DatOptions;
use super::in_situ::Subtraction;
use super::prepared::Preparation;
use super::registry;
use super::tiki_taka::Transfer;
use crate::Result;
use crate::fabrication::Fabrication;
use crate::imperfections::Imperfections;
use crate::network::Network;
use serde::{Deserialize, Serialize};

/// How the digital model of `at` and `in-silico` moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DigitalStep {
    /// By its own gradient, undistorted; in `at` with the weight m1 + m2.
    ///
    /// On a perfect chip both errors are the same, so the controls move by (m1 + m2)·BP(e). With this weight the model moves
    /// along, and `at` stays on the trajectory of ideal backpropagation; with any smaller one the two part at the second step
    /// although nothing is wrong with the chip. It learns a little faster than [`DigitalStep::AsPublished`], and needs
    /// no knowledge of the chip.
    #[default]
    Matched,
    /// As in the published demonstration, whose code scales and distorts one shared list in place: in `at` the model moves by
    /// m1·(1+E)∘g, in `in-silico` by (1+E)∘g, where E are the chip's update errors. A trainer of a real chip does not know E;
    /// here it is taken from the simulated one.
    AsPublished,
}

/// What the digital models of all methods know of the chip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DigitalModel {
    /// The data sheet of its kind ([`Imperfections::data_sheet`]): nominal losses, shifters and crosstalk, and nothing of the
    /// individual.
    #[default]
    DataSheet,
    /// Its design only: no loss, no crosstalk, controls followed as told.
    Perfect,
}

/// What is particular to some methods.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct MethodOptions {
    /// `at`: share m1 of the model's error in the control update.
    pub digital_weight: f64,
    /// `at`: share m2 of the chip's error in it.
    pub physical_weight: f64,
    /// `at`: rate κ at which the controls return to the model's values ([`Weights::tether`]).
    pub tether: f64,
    /// `at` and `in-silico`: how the model moves.
    pub digital_step: DigitalStep,
    /// `at-adaptive`: how the chip's imperfections are learned.
    pub estimation: Estimation,
    /// `spsa`, `zeroth-order` and those that are guided: random directions per step.
    pub probe_draws: usize,
    /// The same methods: how far the controls are moved along them.
    pub probe_step: f64,
    /// `coordinate`: controls that are tried per step.
    pub coordinate_subset: usize,
    /// `noise-aware`: batches between two draws of imperfections.
    pub redraw_every: usize,
    /// The chip's kind, of which the digital models know the data sheet and `noise-aware` the statistics.
    pub imperfections: Imperfections,
    /// What the digital models of all methods know.
    pub digital_model: DigitalModel,
    /// `dat`: its error-prediction networks.
    pub dat: DatOptions,
    /// `in-situ`: how interference is told from powers.
    pub subtraction: Subtraction,
    /// `subspace`: sweeps of the calibration of every mesh to the identity.
    pub subspace_calibration: usize,
    /// `subspace`: sweeps of the mapping of every mesh to what it was told.
    pub subspace_mapping: usize,
    /// `sat` and `sat-output`: length ρ of the ascent.
    pub sharpness_radius: f64,
    /// `guided` and `guided-model`: latest guides, k.
    pub guide_directions: usize,
    /// `guided` and `guided-model`: share s of the directions' variance between the guides.
    pub guide_share: f64,
    /// `tiki-taka`: how the fast array goes into the slow one.
    pub transfer: Transfer,
    /// What trains the first epochs in the method's place.
    pub prepare: Option<Preparation>,
}

impl Default for MethodOptions {
    fn default() -> Self {
        MethodOptions {
            digital_weight: 0.5,
            physical_weight: 0.5,
            tether: 0.0,
            digital_step: DigitalStep::Matched,
            estimation: Estimation::default(),
            probe_draws: 10,
            probe_step: 0.01,
            coordinate_subset: 32,
            redraw_every: 1,
            imperfections: Imperfections::default(),
            digital_model: DigitalModel::default(),
            dat: DatOptions::default(),
            subtraction: Subtraction::Measured,
            subspace_calibration: 0,
            subspace_mapping: 0,
            sharpness_radius: 0.05,
            guide_directions: 8,
            guide_share: 0.5,
            transfer: Transfer::default(),
            prepare: None,
        }
    }
}

impl MethodOptions {
    /// Errs where an option of any method has no meaning.
    pub fn validate(&self) -> Result<()> {
        registry::FACTS.iter().flat_map(|facts| facts.options).try_for_each(|option| option.check_in(self))
    }

    /// The chip that digital models of `network` stand for.
    pub fn known(&self, network: &Network) -> Result<Fabrication> {
        match self.digital_model {
            DigitalModel::DataSheet => self.imperfections.typical(network),
            DigitalModel::Perfect => Ok(Fabrication::ideal()),
        }
    }

    /// The weights of `at`.
    pub fn weights(&self) -> Weights {
        let model = match self.digital_step {
            DigitalStep::Matched => self.digital_weight + self.physical_weight,
            DigitalStep::AsPublished => self.digital_weight,
        };
        Weights { digital: self.digital_weight, physical: self.physical_weight, model, tether: self.tether }
    }
}
