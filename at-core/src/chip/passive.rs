//! What light meets that no control changes: couplers, phases as fabricated, losses.

use super::ranges::{at_most, not_negative};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::f64::consts::FRAC_PI_4;

/// Static imperfections of meshes beside the plain spreads of [`super::Imperfections`], to which they add.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Passive {
    /// Mean angle error of all couplers (radians); of either sign.
    pub splitter_mean: f64,
    /// Standard deviation of the couplers' power split ε, powers `(1 ± ε)/2`: an angle error `-½ asin ε`.
    pub splitter_split: f64,
    /// Both couplers of an MZI have the same error.
    pub splitter_equal: bool,
    /// Phases of θ and φ, and of a weight bank's cells, are uniform over 2π: nothing was ever calibrated.
    pub uncalibrated: bool,
    /// Loss of the waveguides (dB of power per cm); a column is two pitches long.
    pub propagation_db_cm: f64,
    /// Loss differs between waveguides by up to ± this share of it, uniformly.
    pub path_imbalance: f64,
    /// Loss (dB of power) where light enters a chip and again where it leaves, for every mesh.
    pub facet_db: f64,
    /// Behind every mesh an optical amplifier makes up for the mesh's nominal loss: that of the data sheet, not the individual's.
    /// It is noiseless and linear.
    pub amplified: bool,
}

impl Passive {
    /// As designed.
    pub const NONE: Passive = Passive {
        splitter_mean: 0.0,
        splitter_split: 0.0,
        splitter_equal: false,
        uncalibrated: false,
        propagation_db_cm: 0.0,
        path_imbalance: 0.0,
        facet_db: 0.0,
        amplified: false,
    };

    /// Errs where a value has no meaning.
    pub fn validate(&self) -> Result<()> {
        at_most(1.0, "is of a share of the power, from 0 to 1", &[("splitter-split", self.splitter_split)])?;
        not_negative(&[("propagation-db-cm", self.propagation_db_cm), ("facet-db", self.facet_db)])?;
        if !(-FRAC_PI_4..=FRAC_PI_4).contains(&self.splitter_mean) {
            let reason = "an angle error of a coupler lies between -π/4 (no coupling) and π/4 (all of it)";
            return Err(Error::invalid("splitter-mean", self.splitter_mean, reason));
        }
        at_most(1.0, "is a share of the loss, from 0 to 1", &[("path-imbalance", self.path_imbalance)])
    }
}
