//! The data sets that have a name.

use crate::error::{Error, Result};
use crate::image_shape::ImageShape;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A data set known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DatasetName {
    /// Handwritten digits, 60000 + 10000 images of 28x28.
    Mnist,
    /// Clothes, 60000 + 10000 images of 28x28.
    FashionMnist,
    /// Cursive Japanese characters, 60000 + 10000 images of 28x28.
    Kmnist,
    /// Small photographs, 50000 + 10000 images of 3x32x32.
    #[serde(rename = "cifar-10")]
    Cifar10,
    /// Deterding's spoken vowels, 528 + 462 samples of 10 features, 11 classes.
    Vowel,
    /// Handwritten digits, 1437 + 360 images of 8x8; part of this library.
    Digits,
    /// Fisher's irises, 120 + 30 samples of 4 features, 3 classes; part of this library.
    Iris,
}

impl DatasetName {
    /// Every named data set.
    pub const ALL: [DatasetName; 7] =
        [Self::Mnist, Self::FashionMnist, Self::Kmnist, Self::Cifar10, Self::Vowel, Self::Digits, Self::Iris];

    /// The name as written on a command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion-mnist",
            Self::Kmnist => "kmnist",
            Self::Cifar10 => "cifar-10",
            Self::Vowel => "vowel",
            Self::Digits => "digits",
            Self::Iris => "iris",
        }
    }

    /// The shape of its samples, where these are images.
    pub fn image(self) -> Option<ImageShape> {
        match self {
            Self::Mnist | Self::FashionMnist | Self::Kmnist => Some(ImageShape::single(28, 28)),
            Self::Cifar10 => Some(ImageShape::new(3, 32, 32)),
            Self::Digits => Some(ImageShape::single(8, 8)),
            Self::Vowel | Self::Iris => None,
        }
    }

    /// The samples travel with this library and need no file.
    pub fn is_embedded(self) -> bool {
        matches!(self, Self::Digits | Self::Iris)
    }

    /// The files can be downloaded.
    pub fn is_downloadable(self) -> bool {
        matches!(self, Self::Mnist | Self::FashionMnist | Self::Kmnist | Self::Cifar10)
    }

    /// What the data set holds and under which licence, in a line.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Mnist => {
                "handwritten digits, 60000 + 10000 images 28x28, 10 classes (LeCun, Cortes, Burges; CC BY-SA 3.0)"
            }
            Self::FashionMnist => "clothes, 60000 + 10000 images 28x28, 10 classes (Zalando; MIT)",
            Self::Kmnist => "cursive Japanese, 60000 + 10000 images 28x28, 10 classes (CODH; CC BY-SA 4.0)",
            Self::Cifar10 => {
                "photographs, 50000 + 10000 images 3x32x32, 10 classes (Krizhevsky; no licence is stated, cite the report)"
            }
            Self::Vowel => "Deterding vowels, 528 + 462 samples of 10 features, 11 classes (UCI; CC BY 4.0)",
            Self::Digits => "handwritten digits, 1437 + 360 images 8x8, 10 classes (UCI; CC BY 4.0)",
            Self::Iris => "Fisher's irises, 120 + 30 samples of 4 features, 3 classes (UCI; CC BY 4.0)",
        }
    }
}

impl fmt::Display for DatasetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for DatasetName {
    type Err = Error;

    /// Errs on an unknown name with the nearest and with all names.
    fn from_str(text: &str) -> Result<Self> {
        if let Some(name) = Self::ALL.into_iter().find(|name| name.as_str() == text) {
            return Ok(name);
        }
        let nearest = Self::ALL
            .into_iter()
            .map(|name| (edits(text, name.as_str()), name))
            .min_by_key(|&(edits, _)| edits)
            .filter(|&(edits, name)| edits <= name.as_str().len() / 2);
        let all = Self::ALL.map(Self::as_str).join(", ");
        let reason = match nearest {
            Some((_, name)) => format!("did you mean {name}? The names are {all}"),
            None => format!("the names are {all}"),
        };
        Err(Error::invalid("dataset", text, reason))
    }
}

/// Levenshtein distance: insertions, deletions and replacements between two words, in bytes.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for name in DatasetName::ALL {
            assert_eq!(name.to_string().parse::<DatasetName>().unwrap(), name);
            assert_eq!(serde_json::to_value(name).unwrap(), name.as_str());
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        for (text, nearest) in [
            ("minst", "mean mnist?"),
            ("fashion_mnist", "mean fashion-mnist?"),
            ("vowels", "vowel?"),
            ("cifar10", "cifar-10?"),
        ] {
            let error = text.parse::<DatasetName>().unwrap_err().to_string();
            assert!(error.contains(nearest) && error.contains("digits, iris"), "{error}");
        }
        assert!(!"imagenet-1k-full".parse::<DatasetName>().unwrap_err().to_string().contains("did you mean"));
    }
}
