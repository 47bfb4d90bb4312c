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
    pub range: Range,
    /// Its value; nothing where it is not set, or a word.
    pub read: fn(&MethodOptions) -> Option<f64>,
    /// The passes of a batch through the chip are in proportion to it.
    pub multiplies_passes: bool,
}

/// The values that have a meaning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
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

impl Range {
    /// Whether `value` lies in it.
    pub fn contains(&self, value: f64) -> bool {
        match self {
            Range::Count => value >= 0.0,
            Range::AtLeastOne => value >= 1.0,
            Range::Positive => value.is_finite() && value > 0.0,
            Range::PositiveOrInfinite => value > 0.0,
            Range::NotNegative => value.is_finite() && value >= 0.0,
            Range::Share => (0.0..=1.0).contains(&value),
            Range::Words(_) => true, // a word has been read as one of them already
        }
    }

    /// What a value must be, for errors.
    pub fn demand(&self) -> String {
        match self {
            Range::Count => "must be a whole number".to_string(),
            Range::AtLeastOne => "must be at least 1".to_string(),
            Range::Positive => "must be positive".to_string(),
            Range::PositiveOrInfinite => "must be positive; inf is no limit".to_string(),
            Range::NotNegative => "must be finite and not negative".to_string(),
            Range::Share => "a share lies in [0, 1]".to_string(),
            Range::Words(words) => format!("choose {}", words.join(" or ")),
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
