//! What light meets that no control changes: couplers, phases as fabricated, losses.

use super::imperfections::not_negative;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

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
    };

    /// Errs where a value has no meaning.
    pub fn validate(&self) -> Result<()> {
        not_negative(&[
            ("splitter-split", self.splitter_split),
            ("propagation-db-cm", self.propagation_db_cm),
            ("facet-db", self.facet_db),
        ])?;
        if !self.splitter_mean.is_finite() {
            return Err(Error::invalid("splitter-mean", self.splitter_mean, "must be finite"));
        }
        if !(0.0..=1.0).contains(&self.path_imbalance) {
            return Err(Error::invalid("path-imbalance", self.path_imbalance, "is a share of the loss, from 0 to 1"));
        }
        Ok(())
    }
}
