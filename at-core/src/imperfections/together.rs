//! What imperfections demand of one another.

use super::{Control, Memory, Planes};
use crate::{Error, Result};

impl Control {
    /// Errs where values have no meaning beside one another.
    pub(super) fn validate_together(&self) -> Result<()> {
        if self.crosstalk_length > 100.0 * self.pitch {
            return Err(Error::invalid(
                "crosstalk-length",
                self.crosstalk_length,
                "must be at most 100 times the pitch",
            ));
        }
        let ranged = [("control-bits", f64::from(self.control_bits)), ("heater-quartic", self.heater_quartic)];
        match ranged.iter().find(|(_, value)| *value > 0.0 && self.control_range == 0.0) {
            Some((name, value)) => Err(Error::invalid(name, value, "needs a control-range to be a share of")),
            None => Ok(()),
        }
    }
}

impl Planes {
    /// Errs where a pixel has one level, which is no mask.
    pub(super) fn validate_together(&self) -> Result<()> {
        match self.mask_levels {
            1 => Err(Error::invalid("mask-levels", 1, "a pixel has 2 to 65536 levels; 0 is any")),
            _ => Ok(()),
        }
    }
}

impl Memory {
    /// Errs where a cell has one level, which holds nothing.
    pub(super) fn validate_together(&self) -> Result<()> {
        match self.pcm_levels {
            1 => Err(Error::invalid("pcm-levels", 1, "a cell has 2 to 65536 levels; 0 is any")),
            _ => Ok(()),
        }
    }
}
