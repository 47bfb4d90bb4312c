//! An option of a method: its name, what it means, and what values it takes. Said here, checked everywhere.

use super::MethodOptions;
use crate::{Error, Result};

/// One entry of [`MethodOptions`], as the method that has it says it.
#[derive(Clone, Copy, Debug)]
pub struct MethodOption {
    /// Its name, as a flag and in files.
    pub name: &'static str,
    /// What it is, in one line.
    pub help: &'static str,
    /// The values that have a meaning.
    pub range: OptionRange,
    /// Its value; nothing where it is not set, or a word.
    pub read: fn(&MethodOptions) -> Option<f64>,
    /// The passes of a batch through the chip are in proportion to it.
    pub multiplies_passes: bool,
}

/// The values that have a meaning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OptionRange {
    /// Whole numbers from 0 on.
    Count,
    /// Whole numbers from 1 on.
    AtLeastOne,
    /// Finite numbers above 0.
    Positive,
    /// Numbers above 0, infinity too.
    PositiveOrInfinite,
    /// Finite numbers from 0 on.
    NotNegative,
    /// From 0 to 1.
    Share,
    /// One of these words.
    Words(&'static [&'static str]),
}

impl OptionRange {
    /// Whether `value` lies in it.
    pub fn contains(&self, value: f64) -> bool {
        match self {
            OptionRange::Count => value >= 0.0,
            OptionRange::AtLeastOne => value >= 1.0,
            OptionRange::Positive => value.is_finite() && value > 0.0,
            OptionRange::PositiveOrInfinite => value > 0.0,
            OptionRange::NotNegative => value.is_finite() && value >= 0.0,
            OptionRange::Share => (0.0..=1.0).contains(&value),
            OptionRange::Words(_) => true, // a word has been read as one of them already
        }
    }

    /// What a value must be, for errors.
    pub fn demand(&self) -> String {
        match self {
            OptionRange::Count => "must be a whole number".to_string(),
            OptionRange::AtLeastOne => "must be at least 1".to_string(),
            OptionRange::Positive => "must be positive".to_string(),
            OptionRange::PositiveOrInfinite => "must be positive; inf is no limit".to_string(),
            OptionRange::NotNegative => "must be finite and not negative".to_string(),
            OptionRange::Share => "a share lies in [0, 1]".to_string(),
            OptionRange::Words(words) => format!("choose {}", words.join(" or ")),
        }
    }
}

impl MethodOption {
    /// Errs unless `value` has a meaning.
    pub fn check(&self, value: f64) -> Result<()> {
        if self.range.contains(value) { Ok(()) } else { Err(Error::invalid(self.name, value, self.range.demand())) }
    }

    /// Errs unless what `options` say of it has a meaning.
    pub fn check_in(&self, options: &MethodOptions) -> Result<()> {
        (self.read)(options).map_or(Ok(()), |value| self.check(value))
    }
}
