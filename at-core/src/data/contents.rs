//! Checksums of samples: whether two data sets are the same, whatever files they came from, and in what they differ.

use super::{Dataset, Samples};
use crate::checksum::hex;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

/// What the samples of a data set are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contents {
    /// Number of classes.
    pub classes: usize,
    /// (rows, columns) where a sample is an image.
    pub image: Option<(usize, usize)>,
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
    /// What its samples are. It takes a pass over all of them.
    pub fn contents(&self) -> Contents {
        let (train, test) = rayon::join(|| PartContents::of(&self.train), || PartContents::of(&self.test));
        Contents { classes: self.classes, image: self.image, train, test }
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
    fn of(samples: &Samples) -> Self {
        let (mut features, mut labels) = (Md5::new(), Md5::new());
        features.update(bytemuck::cast_slice(&samples.features));
        labels.update(bytemuck::cast_slice(&samples.labels));
        samples.real.iter().for_each(|real| labels.update(bytemuck::cast_slice(&real.values)));
        PartContents {
            samples: samples.len(),
            width: samples.width,
            complex: samples.complex,
            features: hex(&features.finalize()),
            labels: hex(&labels.finalize()),
        }
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
        let before = small().contents();
        let name = Dataset { name: "other".into(), note: Some("elsewhere".into()), ..small() };
        assert_eq!(before.difference(&name.contents()), None);
        assert!(!serde_json::to_string(&before).unwrap().contains("complex"), "real samples are told as ever");
        type Change = fn(&mut Dataset);
        let cases: [(Change, &str); 9] = [
            (
                |data| (data.train.complex, data.train.width) = (true, 1),
                "there were 3 training samples of 2 features and are 3 training samples of 1",
            ),
            (|data| data.train.features[3] = 5.000001, "the training features have changed"),
            (|data| data.train.features.swap(0, 2), "the training features have changed"),
            (|data| data.train.labels.swap(0, 1), "the training labels have changed"),
            (|data| data.test.features[0] = -6., "the test features have changed"),
            (|data| data.test.labels[0] = 0, "the test labels have changed"),
            (|data| data.classes = 3, "there were 2 classes and are 3"),
            (|data| data.image = Some((2, 1)), "shape of the images"),
            (|data| data.train = data.train.select(&[0, 1]), "there were 3 training samples of 2 features and are 2"),
        ];
        for (change, part) in cases {
            let mut data = small();
            change(&mut data);
            let difference = before.difference(&data.contents()).unwrap_or_default();
            assert!(difference.contains(part), "{part}: {difference}");
        }
    }
}
