//! A data set: training and test samples and what they mean.

use super::samples::Samples;
use crate::error::{Error, Result, same_size};
use crate::image_shape::ImageShape;

/// How many samples of each part are asked for, from the first on; `None` is all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SampleLimits {
    /// Training samples.
    pub train: Option<usize>,
    /// Test samples.
    pub test: Option<usize>,
}

/// Training and test samples of one task: of classes, or of real targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Name in reports.
    pub name: String,
    /// Number of classes; labels are `0..classes`. 0 where targets are real.
    pub classes: usize,
    /// What the classes are called, where they have names: one each.
    pub class_names: Option<Vec<String>>,
    /// Where a sample is an image: its shape, channels first, which has as many features as the samples.
    pub image: Option<ImageShape>,
    /// What a reader of a result must know: features rescaled, a split that is not the official one. Always shown.
    pub note: Option<String>,
    /// What makes one doubt that these are the samples that were meant, a sentence each. Always shown.
    pub notes: Vec<String>,
    /// Samples to learn from.
    pub train: Samples,
    /// Samples to be judged by.
    pub test: Samples,
}

impl Dataset {
    /// These samples, with nothing else to say of them.
    pub fn of(name: &str, classes: usize, train: Samples, test: Samples) -> Self {
        let name = name.to_string();
        Dataset { name, classes, class_names: None, image: None, note: None, notes: Vec::new(), train, test }
    }

    /// Errs unless both parts pass [`Samples::check`], have one width and are both complex or both real, and the image size (if any) is that width.
    pub fn check(&self) -> Result<()> {
        self.train.check("train", self.classes)?;
        self.test.check("test", self.classes)?;
        same_size("features of a test sample", self.train.stride(), self.test.stride())?;
        let targets = |samples: &Samples| samples.real.as_ref().map_or(0, |real| real.width);
        same_size("real targets of a test sample", targets(&self.train), targets(&self.test))?;
        if let Some(names) = &self.class_names {
            same_size("names of classes", self.classes, names.len())?;
        }
        if let Some(image) = self.image {
            same_size("features of an image", image.features(), self.train.width)?;
        }
        Ok(())
    }

    /// [`check`](Self::check)s and gives itself back.
    pub(crate) fn checked(self) -> Result<Self> {
        self.check()?;
        Ok(self)
    }

    /// Real targets per sample; none where targets are classes.
    pub fn real_targets(&self) -> Option<usize> {
        self.train.real.as_ref().map(|real| real.width)
    }

    /// Features are complex: fields, which only networks with complex inputs take.
    pub fn is_complex(&self) -> bool {
        self.train.complex
    }

    /// Outputs that a chip needs: one per class, or per real target.
    pub fn outputs(&self) -> usize {
        self.real_targets().unwrap_or(self.classes)
    }

    /// What class `class` is called: its name, else its number.
    pub fn class_name(&self, class: usize) -> String {
        let name = self.class_names.as_ref().and_then(|names| names.get(class));
        name.cloned().unwrap_or_else(|| class.to_string())
    }

    /// Features of a part stay in files, and are read in parts.
    pub fn is_stored(&self) -> bool {
        self.train.is_stored() || self.test.is_stored()
    }

    /// Features per sample.
    pub fn width(&self) -> usize {
        self.train.width
    }

    /// The same data set with `line` added to its note.
    pub(crate) fn with_note(mut self, line: &str) -> Self {
        self.note = Some(match self.note {
            Some(note) => format!("{note}; {line}"),
            None => line.to_string(),
        });
        self
    }

    /// Keeps the first `train` and `test` samples; `None` keeps all. Errs on 0 and on more than there are.
    pub fn limit(mut self, train: Option<usize>, test: Option<usize>) -> Result<Self> {
        let parts = [("train-limit", &mut self.train, train), ("test-limit", &mut self.test, test)];
        for (name, samples, limit) in parts {
            let Some(limit) = limit else { continue };
            if limit == 0 || limit > samples.len() {
                return Err(Error::invalid(name, limit, format!("must be 1 to {}", samples.len())));
            }
            samples.truncate(limit);
        }
        Ok(self)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Three samples to learn from and one to be judged by.
    pub fn small() -> Dataset {
        let train = Samples {
            features: vec![0., 5., 2., 5., 4., 5.].into(),
            width: 2,
            complex: false,
            labels: vec![0, 1, 0],
            real: None,
        };
        let test = Samples { features: vec![6., 7.].into(), width: 2, complex: false, labels: vec![1], real: None };
        Dataset { image: Some(ImageShape::single(1, 2)), ..Dataset::of("small", 2, train, test) }
    }

    #[test]
    fn parts_of_unequal_width_are_refused() {
        small().check().unwrap();
        let test = Samples { features: vec![6.].into(), width: 1, complex: false, labels: vec![1], real: None };
        assert!(Dataset { test, ..small() }.check().is_err());
        assert!(Dataset { image: Some(ImageShape::single(2, 2)), ..small() }.check().is_err());
        assert!(Dataset { image: Some(ImageShape::single(usize::MAX, 2)), ..small() }.check().is_err());
    }

    #[test]
    fn a_limit_takes_the_first_samples_and_never_clamps() {
        let two = small().limit(Some(2), None).unwrap();
        assert_eq!((two.train.features.held(), two.test.len()), (&[0., 5., 2., 5.][..], 1));
        assert!(small().limit(Some(4), None).is_err());
        assert!(small().limit(None, Some(0)).is_err());
    }
}
