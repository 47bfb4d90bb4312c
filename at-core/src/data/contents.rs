//! Checksums of samples: whether two data sets are the same, whatever files they came from, and in what they differ.

use super::{Dataset, ImageShape, Samples};
use crate::checksum::hex;
use crate::error::Result;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

/// What the samples of a data set are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contents {
    /// Number of classes.
    pub classes: usize,
    /// Where a sample is an image: (rows, columns), behind the channels where there are several.
    #[serde(with = "sizes")]
    pub image: Option<ImageShape>,
    /// The samples to learn from.
    pub train: PartContents,
    /// The samples to be judged by.
    pub test: PartContents,
}

/// What the samples of one part are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartContents {
    /// How many.
    pub samples: usize,
    /// Features of each.
    pub width: usize,
    /// They are complex.
    #[serde(default, skip_serializing_if = "is_false")] // so that what real samples are stays the same text
    pub complex: bool,
    /// MD5 sum of the features' bits.
    pub features: String,
    /// MD5 sum of the labels, or of the bits of real targets.
    pub labels: String,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Dataset {
    /// What its samples are. It takes a pass over all of them. Errs where a file cannot be read.
    pub fn contents(&self) -> Result<Contents> {
        let (train, test) = rayon::join(|| PartContents::of(&self.train), || PartContents::of(&self.test));
        Ok(Contents { classes: self.classes, image: self.image, train: train?, test: test? })
    }
}

/// The sizes of an image as a list: two of one channel, as ever, and three of several.
mod sizes {
    use super::ImageShape;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub fn serialize<S: Serializer>(image: &Option<ImageShape>, to: S) -> Result<S::Ok, S::Error> {
        let sizes = image.map(|ImageShape { channels, height, width }| match channels {
            1 => vec![height, width],
            _ => vec![channels, height, width],
        });
        sizes.serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<ImageShape>, D::Error> {
        match Option::<Vec<usize>>::deserialize(from)?.as_deref() {
            None => Ok(None),
            Some(&[height, width]) => Ok(Some(ImageShape::single(height, width))),
            Some(&[channels, height, width]) => Ok(Some(ImageShape { channels, height, width })),
            Some(others) => Err(D::Error::invalid_length(others.len(), &"two sizes of an image, or three")),
        }
    }
}

impl Contents {
    /// In what `now` differs, as `the training labels have changed`; none where it is the same.
    pub fn difference(&self, now: &Contents) -> Option<String> {
        if self.classes != now.classes {
            return Some(format!("there were {} classes and are {}", self.classes, now.classes));
        }
        let changed = self.train.difference("training", &now.train).or_else(|| self.test.difference("test", &now.test));
        changed.or_else(|| (self.image != now.image).then(|| "the shape of the images has changed".to_string()))
    }
}

impl PartContents {
    fn of(samples: &Samples) -> Result<Self> {
        let (mut features, mut labels) = (Md5::new(), Md5::new());
        samples.features.for_each(samples.stride(), |sample| features.update(bytemuck::cast_slice(sample)))?;
        labels.update(bytemuck::cast_slice(&samples.labels));
        samples.real.iter().for_each(|real| labels.update(bytemuck::cast_slice(&real.values)));
        Ok(PartContents {
            samples: samples.len(),
            width: samples.width,
            complex: samples.complex,
            features: hex(&features.finalize()),
            labels: hex(&labels.finalize()),
        })
    }

    fn difference(&self, part: &str, now: &PartContents) -> Option<String> {
        let PartContents { samples, width, complex, features, labels } = self;
        if (*samples, *width) != (now.samples, now.width) {
            let size = |samples, width| format!("{samples} {part} samples of {width} features");
            return Some(format!("there were {} and are {}", size(*samples, *width), size(now.samples, now.width)));
        }
        if *complex != now.complex {
            let kind = |complex| if complex { "complex" } else { "real" };
            return Some(format!("the {part} features were {} and are {}", kind(*complex), kind(now.complex)));
        }
        match (*features != now.features, *labels != now.labels) {
            (false, false) => None,
            (true, false) => Some(format!("the {part} features have changed")),
            (false, true) => Some(format!("the {part} labels have changed")),
            (true, true) => Some(format!("the {part} features and labels have changed")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dataset::tests::small;
    use super::*;

    #[test]
    fn every_change_of_the_samples_is_seen_and_named() {
        let before = small().contents().unwrap();
        let name = Dataset { name: "other".into(), note: Some("elsewhere".into()), ..small() };
        assert_eq!(before.difference(&name.contents().unwrap()), None);
        assert!(!serde_json::to_string(&before).unwrap().contains("complex"), "real samples are told as ever");
        type Change = fn(&mut Dataset);
        let cases: [(Change, &str); 9] = [
            (
                |data| (data.train.complex, data.train.width) = (true, 1),
                "there were 3 training samples of 2 features and are 3 training samples of 1",
            ),
            (|data| data.train.features.held_mut()[3] = 5.000001, "the training features have changed"),
            (|data| data.train.features.held_mut().swap(0, 2), "the training features have changed"),
            (|data| data.train.labels.swap(0, 1), "the training labels have changed"),
            (|data| data.test.features.held_mut()[0] = -6., "the test features have changed"),
            (|data| data.test.labels[0] = 0, "the test labels have changed"),
            (|data| data.classes = 3, "there were 2 classes and are 3"),
            (|data| data.image = Some(ImageShape::single(2, 1)), "shape of the images"),
            (|data| data.train = data.train.select(&[0, 1]), "there were 3 training samples of 2 features and are 2"),
        ];
        for (change, part) in cases {
            let mut data = small();
            change(&mut data);
            let difference = before.difference(&data.contents().unwrap()).unwrap_or_default();
            assert!(difference.contains(part), "{part}: {difference}");
        }
    }

    #[test]
    fn images_are_told_by_their_sizes_and_one_channel_as_ever() {
        for (image, text) in [
            (Some(ImageShape::single(28, 14)), "[28,14]"),
            (Some(ImageShape { channels: 3, height: 32, width: 16 }), "[3,32,16]"),
            (None, "null"),
        ] {
            let contents = Contents { image, ..small().contents().unwrap() };
            let written = serde_json::to_string(&contents).unwrap();
            assert!(written.contains(&format!("\"image\":{text}")), "{written}");
            assert_eq!(serde_json::from_str::<Contents>(&written).unwrap(), contents);
            assert!(serde_json::from_str::<Contents>(&written.replace(text, "[1]")).is_err());
        }
    }
}
