//! The name of a method: a text of its own, so that anybody's method has one.

use crate::{Error, Result};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// The name of a training method: 1 to [`MethodName::LONGEST`] of `a-z`, `0-9` and `-`, a letter first.
///
/// The library's own are constants here ([`MethodName::ALL`], [`MethodName::facts`]); a method of another crate names itself
/// with [`MethodName::new`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MethodName {
    /// Zeros behind the text.
    text: [u8; MethodName::LONGEST],
}

impl MethodName {
    /// Letters of the longest name.
    pub const LONGEST: usize = 32;

    /// The name with this text.
    ///
    /// # Panics
    /// Where the text is no name: in a constant, when it is compiled.
    pub const fn new(text: &str) -> Self {
        match Self::checked(text) {
            Some(name) => name,
            None => panic!("the name of a method is 1 to 32 of a-z, 0-9 and '-', a letter first"),
        }
    }

    const fn checked(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.is_empty() || bytes.len() > Self::LONGEST || !bytes[0].is_ascii_lowercase() {
            return None;
        }
        let mut name = MethodName { text: [0; Self::LONGEST] };
        let mut at = 0;
        while at < bytes.len() {
            if !(bytes[at].is_ascii_lowercase() || bytes[at].is_ascii_digit() || bytes[at] == b'-') {
                return None;
            }
            name.text[at] = bytes[at];
            at += 1;
        }
        Some(name)
    }

    /// The name as it is written everywhere.
    pub fn as_str(&self) -> &str {
        let end = self.text.iter().position(|&byte| byte == 0).unwrap_or(Self::LONGEST);
        std::str::from_utf8(&self.text[..end]).expect("letters, digits and dashes")
    }
}

impl fmt::Display for MethodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for MethodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

/// Any name, also of a method that is not the library's.
impl FromStr for MethodName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::checked(text).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(Self::as_str).collect();
            let reason = format!(
                "a name is 1 to {} of a-z, 0-9 and '-', a letter first, as {}",
                Self::LONGEST,
                names.join(", ")
            );
            Error::invalid("method", format!("{text:?}"), reason)
        })
    }
}

impl Serialize for MethodName {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for MethodName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_text_and_in_files() {
        for name in MethodName::ALL.into_iter().chain([MethodName::new("a-method-of-somebody-else-2")]) {
            assert_eq!(name.to_string().parse::<MethodName>().unwrap(), name);
            let written = serde_json::to_string(&name).unwrap();
            assert_eq!(written, format!("\"{name}\""));
            assert_eq!(serde_json::from_str::<MethodName>(&written).unwrap(), name);
            assert_eq!(format!("{name:?}"), written);
        }
        let error = "AT".parse::<MethodName>().unwrap_err().to_string();
        assert!(
            error.contains("\"AT\"")
                && error.contains("at, at-adaptive, in-silico, ideal, pat, pat-output, noise-aware"),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_name_is_refused_wherever_it_is_read() {
        let long = "a".repeat(MethodName::LONGEST + 1);
        for text in ["", "-at", "2at", "at adaptive", "at\u{e9}", "at\0", &long] {
            assert!(text.parse::<MethodName>().is_err(), "{text:?}");
            assert!(serde_json::from_value::<MethodName>(text.into()).is_err(), "{text:?}");
        }
        assert_eq!(long[1..].parse::<MethodName>().unwrap().as_str(), &long[1..]);
    }
}
