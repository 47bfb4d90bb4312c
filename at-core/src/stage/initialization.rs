//! How the weights of stages are first drawn.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// How the weights of matrices and weight banks are drawn. Meshes start Haar-random, attenuators transparent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Initialization {
    /// Matrices N(0, 2/inputs) (He et al., 2015, for rectifiers), weight banks N(0, 1/inputs); biases 0.
    #[default]
    FanIn,
    /// As the published demonstration draws them ([`crate::fabrication::demonstration`]): weights N(0, 0.1²), biases N(0, 0.5²), both
    /// from NumPy's stream of the seed plus the layer's number. Matrices only; weight banks as with [`Initialization::FanIn`].
    Demonstration,
    /// Weights N(0, weight²), biases N(0, bias²).
    Normal {
        /// Standard deviation of the weights.
        weight: f64,
        /// Standard deviation of the biases.
        bias: f64,
    },
}

impl Initialization {
    /// Errs where a standard deviation is negative or not finite.
    pub fn validate(&self) -> Result<()> {
        let Initialization::Normal { weight, bias } = *self else { return Ok(()) };
        for (name, value) in [("weight", weight), ("bias", bias)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(Error::invalid(name, value, "must be finite and not negative"));
            }
        }
        Ok(())
    }

    /// Standard deviations (weight, bias) of a stage whose fan-in rule is N(0, `numerator`/`inputs`).
    pub(super) fn deviations(&self, numerator: f64, inputs: usize) -> (f64, f64) {
        match *self {
            Initialization::FanIn | Initialization::Demonstration => ((numerator / inputs as f64).sqrt(), 0.0),
            Initialization::Normal { weight, bias } => (weight, bias),
        }
    }
}
