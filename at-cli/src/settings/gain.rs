//! The factor on the readout before the loss: a number, or the one that the program chooses.

use super::flags::RunSettings;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// As written: `auto`, or a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LossGain {
    /// [`at_core::training::gain`] chooses it from the first logits.
    Auto,
    /// This one.
    Number(f64),
}

const AUTO: &str = "auto";

impl FromStr for LossGain {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            AUTO => Ok(LossGain::Auto),
            number => number.parse().map(LossGain::Number).map_err(|_| format!("write {AUTO} or a positive number")),
        }
    }
}

impl fmt::Display for LossGain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LossGain::Auto => out.write_str(AUTO),
            LossGain::Number(number) => number.fmt(out),
        }
    }
}

impl Serialize for LossGain {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            LossGain::Auto => to.serialize_str(AUTO),
            LossGain::Number(number) => to.serialize_f64(*number),
        }
    }
}

impl<'de> Deserialize<'de> for LossGain {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Written;

        impl Visitor<'_> for Written {
            type Value = LossGain;

            fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
                write!(out, "{AUTO:?} or a number")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<LossGain, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<LossGain, E> {
                Ok(LossGain::Number(number))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<LossGain, E> {
                Ok(LossGain::Number(number as f64))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<LossGain, E> {
                Ok(LossGain::Number(number as f64))
            }
        }

        from.deserialize_any(Written)
    }
}

impl RunSettings {
    /// Which loss, at which gain, for people.
    pub fn loss_in_words(&self) -> String {
        let gain = self.loss_gain.map(|gain| format!(", gain {gain}")).unwrap_or_default();
        format!("{}{gain}", self.loss.as_deref().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_is_a_number_or_left_to_the_program() {
        #[derive(Serialize, Deserialize, PartialEq, Debug)]
        struct File {
            gain: LossGain,
        }
        for (text, gain) in [
            ("\"auto\"", LossGain::Auto),
            ("0.25", LossGain::Number(0.25)),
            ("2", LossGain::Number(2.0)),
            ("\"0.25\"", LossGain::Number(0.25)),
        ] {
            let file: File = toml::from_str(&format!("gain = {text}")).unwrap();
            assert_eq!(file.gain, gain, "{text}");
            assert_eq!(toml::from_str::<File>(&toml::to_string(&file).unwrap()).unwrap(), file);
            assert_eq!(gain.to_string().parse(), Ok(gain));
        }
        for text in ["\"automatic\"", "true", "[1.0]"] {
            let error = toml::from_str::<File>(&format!("gain = {text}")).unwrap_err();
            assert!(error.to_string().contains("auto"), "{error}");
        }
    }
}
