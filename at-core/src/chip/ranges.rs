//! What values an imperfection can have: one error, which names the value and says what it would have to be.

use crate::{Error, Result};
use std::f64::consts::FRAC_PI_4;

/// Errs where a value is negative or not finite.
pub(super) fn not_negative(values: &[(&'static str, f64)]) -> Result<()> {
    at_most(f64::MAX, "must be finite and not negative", values)
}

/// Errs where a value does not lie between 0 and `most`, for the `reason`.
pub(super) fn at_most(most: f64, reason: &str, values: &[(&'static str, f64)]) -> Result<()> {
    match values.iter().find(|(_, value)| !(0.0..=most).contains(value)) {
        Some((name, value)) => Err(Error::invalid(name, value, reason)),
        None => Ok(()),
    }
}

/// Errs where a chip's number, `what` of it, does not lie between `least` and `most`.
pub(super) fn within(what: &str, value: f64, least: f64, most: f64) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::invalid("chip", value, format!("{what}: lies between {least} and {most}")))
}

/// Errs where a spread of couplers' angle errors is more than a coupler can have: π/4 makes it all or nothing.
pub(super) fn coupler_angles(values: &[(&'static str, f64)]) -> Result<()> {
    at_most(
        FRAC_PI_4,
        "is a spread of a coupler's angle error (radians), from 0 to π/4, where it couples all or nothing",
        values,
    )
}
