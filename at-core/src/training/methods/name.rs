//! The names of the methods.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A training method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MethodName {
    /// Asymmetrical training ([`super::at`]).
    At,
    /// Asymmetrical training whose model learns the chip's imperfections ([`super::at_adaptive`]).
    AtAdaptive,
    /// Backpropagation through the nominal model, then deployment ([`super::in_silico`]).
    InSilico,
    /// Backpropagation through the true chip, which only a simulator knows ([`super::ideal`]).
    Ideal,
    /// Physics-aware training with measured hidden signals ([`super::pat`]).
    Pat,
    /// Physics-aware training with the measured output only ([`super::pat_output`]).
    PatOutput,
    /// In-silico training with imperfections drawn again and again ([`super::noise_aware`]).
    NoiseAware,
    /// Direct feedback alignment on tapped signals ([`super::dfa`]).
    Dfa,
    /// Direct feedback alignment on modelled signals ([`super::dfa_model`]).
    DfaModel,
    /// Simultaneous perturbation ([`super::spsa`]).
    Spsa,
    /// Zeroth-order gradient ([`super::zeroth_order`]).
    ZerothOrder,
    /// Zeroth-order coordinate descent ([`super::coordinate`]).
    Coordinate,
    /// The exact gradient from shifted phases ([`super::parameter_shift`]).
    ParameterShift,
    /// Dual adaptive training ([`super::dat`]).
    Dat,
    /// Dual adaptive training that reads powers behind every mesh ([`super::dat::internal`]).
    DatInternal,
    /// In-situ backpropagation ([`super::in_situ`]).
    InSitu,
    /// Fully forward mode ([`super::ffm`]).
    Ffm,
    /// Physical local learning ([`super::phyll`]).
    Phyll,
}

impl MethodName {
    /// Every method.
    pub const ALL: [MethodName; 18] = [
        MethodName::At,
        MethodName::AtAdaptive,
        MethodName::InSilico,
        MethodName::Ideal,
        MethodName::Pat,
        MethodName::PatOutput,
        MethodName::NoiseAware,
        MethodName::Dfa,
        MethodName::DfaModel,
        MethodName::Spsa,
        MethodName::ZerothOrder,
        MethodName::Coordinate,
        MethodName::ParameterShift,
        MethodName::Dat,
        MethodName::DatInternal,
        MethodName::InSitu,
        MethodName::Ffm,
        MethodName::Phyll,
    ];

    /// The name as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        self.facts().name
    }
}

impl fmt::Display for MethodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for MethodName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            Error::invalid("method", format!("{text:?}"), format!("the methods are {names}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_text_and_in_files() {
        for name in MethodName::ALL {
            assert_eq!(name.to_string().parse::<MethodName>().unwrap(), name);
            assert_eq!(serde_json::to_string(&name).unwrap(), format!("\"{name}\""));
        }
        let error = "AT".parse::<MethodName>().unwrap_err().to_string();
        assert!(
            error.contains("\"AT\"")
                && error.contains("at, at-adaptive, in-silico, ideal, pat, pat-output, noise-aware"),
            "{error}"
        );
    }
}
