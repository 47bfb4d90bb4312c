//! The columns of meshes, as they are asked for.

use super::case::Case;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::str::FromStr;

/// The depth of a mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// As many columns as modes.
    Modes,
    /// So many columns.
    Columns(usize),
}

impl Depth {
    /// The columns of a mesh of so many modes.
    pub fn of(self, modes: usize) -> usize {
        match self {
            Depth::Modes => modes,
            Depth::Columns(columns) => columns,
        }
    }

    /// What may have been asked for where `cases` were measured: their file is of a version that does not say. As many columns as modes
    /// where every number of modes has such a case, or where nothing else explains one.
    pub fn of_cases(cases: &[Case]) -> Vec<Self> {
        let square = |modes: usize| cases.iter().any(|own| (own.modes, own.depth) == (modes, modes));
        let mut asked = Vec::new();
        if cases.iter().all(|case| square(case.modes)) {
            asked.push(Depth::Modes);
        }
        for case in cases.iter().filter(|case| case.depth != case.modes) {
            if !asked.contains(&Depth::Columns(case.depth)) {
                asked.push(Depth::Columns(case.depth));
            }
        }
        if cases.iter().any(|case| asked.iter().all(|depth| depth.of(case.modes) != case.depth)) {
            asked.push(Depth::Modes);
        }
        asked
    }
}

impl FromStr for Depth {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            _ if text == "modes" => Ok(Depth::Modes),
            Ok(columns) if columns > 0 => Ok(Depth::Columns(columns)),
            Ok(_) | Err(_) => Err("must be a whole number from 1, or the word modes"),
        }
    }
}

impl Serialize for Depth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Depth::Modes => serializer.serialize_str("modes"),
            Depth::Columns(columns) => serializer.serialize_str(&columns.to_string()),
        }
    }
}

impl<'de> Deserialize<'de> for Depth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::super::case::{EngineName, Pass};
    use super::*;

    #[test]
    fn what_was_asked_is_told_from_the_sizes_of_an_older_file() {
        let cases = |sizes: &[(usize, usize)]| -> Vec<Case> {
            let case = |&(modes, depth): &(usize, usize)| Case {
                engine: EngineName::Cpu,
                pass: Pass::Step,
                modes,
                depth,
                layers: 1,
                batch: 1,
                chips: 1,
                ranks: 1,
            };
            sizes.iter().map(case).collect()
        };
        let asked = |sizes: &[(usize, usize)]| Depth::of_cases(&cases(sizes));
        assert_eq!(asked(&[(8, 8), (16, 16)]), [Depth::Modes]);
        assert_eq!(asked(&[(8, 8), (16, 8), (32, 8)]), [Depth::Columns(8)]);
        assert_eq!(asked(&[(8, 8), (16, 8), (16, 16)]), [Depth::Modes, Depth::Columns(8)]);
        assert_eq!(asked(&[(8, 4), (8, 8)]), [Depth::Modes, Depth::Columns(4)]);
        assert_eq!(asked(&[(8, 8), (16, 4)]), [Depth::Columns(4), Depth::Modes]);
        assert_eq!(asked(&[]), [Depth::Modes]);
    }

    #[test]
    fn a_depth_is_written_as_it_is_typed() {
        for depth in [Depth::Modes, Depth::Columns(8)] {
            let text = serde_json::to_string(&depth).unwrap();
            assert_eq!(serde_json::from_str::<Depth>(&text).unwrap(), depth, "{text}");
        }
        assert!("0".parse::<Depth>().is_err() && "mode".parse::<Depth>().is_err());
    }
}
