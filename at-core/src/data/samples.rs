//! Samples with their targets, as flat arrays.

use super::features::Features;
use crate::error::{Error, Result, same_size};
use std::borrow::Cow;

/// Real targets of samples.
#[derive(Debug, Clone, PartialEq)]
pub struct RealTargets {
    /// `[samples, width]`, row-major.
    pub values: Vec<f32>,
    /// Targets per sample.
    pub width: usize,
}

/// Samples of one width with a class label each, or real targets.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Samples {
    /// `[samples, width]`, row-major; interleaved pairs (re, im) where `complex`. In memory, or in files that are read in parts.
    pub features: Features,
    /// Features per sample.
    pub width: usize,
    /// Features are complex: fields.
    pub complex: bool,
    /// `[samples]`, each below the data set's number of classes; empty where targets are real.
    pub labels: Vec<u32>,
    /// Real targets in the place of labels.
    pub real: Option<RealTargets>,
}

impl Samples {
    /// Number of samples.
    pub fn len(&self) -> usize {
        match &self.real {
            Some(RealTargets { values, width }) => values.len() / (*width).max(1),
            None => self.labels.len(),
        }
    }

    /// There is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reals per sample: two of every complex feature.
    pub fn stride(&self) -> usize {
        if self.complex { self.width.saturating_mul(2) } else { self.width }
    }

    /// Features of sample `index`, `[width]`, or pairs of complex ones. Panics when there is no such sample, as slices do. Errs where
    /// a file cannot be read.
    pub fn row(&self, index: usize) -> Result<Cow<'_, [f32]>> {
        let stride = self.stride();
        match &self.features {
            Features::Held(values) => Ok(Cow::Borrowed(&values[index * stride..(index + 1) * stride])),
            Features::Stored(_) => Ok(Cow::Owned(self.features.read(stride, &[index as u32])?)),
        }
    }

    /// Features stay in files, and are read in parts.
    pub fn is_stored(&self) -> bool {
        matches!(self.features, Features::Stored(_))
    }

    /// The same samples with all features in memory. Errs where a file cannot be read.
    pub fn loaded(&self) -> Result<Cow<'_, Samples>> {
        if !self.is_stored() {
            return Ok(Cow::Borrowed(self));
        }
        let features = self.features.all()?.into_owned().into();
        let (labels, real) = (self.labels.clone(), self.real.clone());
        Ok(Cow::Owned(Samples { features, width: self.width, complex: self.complex, labels, real }))
    }

    /// The same samples with complex features, whose imaginary parts are 0 where they were real.
    pub(crate) fn into_complex(self) -> Samples {
        if self.complex {
            return self;
        }
        let features = match self.features {
            Features::Held(values) => Features::Held(values.into_iter().flat_map(|re| [re, 0.0]).collect()),
            Features::Stored(stored) => Features::Stored(stored.into_complex()),
        };
        Samples { features, complex: true, ..self }
    }

    /// Number of samples of each of `classes` classes; labels beyond them are not counted.
    pub fn class_counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        for &label in &self.labels {
            if let Some(count) = counts.get_mut(label as usize) {
                *count += 1;
            }
        }
        counts
    }

    /// The samples at `order`, in that order; what lies in files stays there. Panics when an index has no sample, as slices do.
    pub fn select(&self, order: &[u32]) -> Samples {
        let features = match &self.features {
            Features::Held(values) => {
                let stride = self.stride();
                let mut features = Vec::with_capacity(order.len() * stride);
                let row = |&index: &u32| &values[index as usize * stride..][..stride];
                order.iter().for_each(|index| features.extend_from_slice(row(index)));
                Features::Held(features)
            }
            Features::Stored(stored) => Features::Stored(stored.select(order)),
        };
        let labels =
            if self.real.is_some() { Vec::new() } else { order.iter().map(|&k| self.labels[k as usize]).collect() };
        let real = self.real.as_ref().map(|RealTargets { values, width }| {
            let row = |&index: &u32| &values[index as usize * width..][..*width];
            RealTargets { values: order.iter().flat_map(row).copied().collect(), width: *width }
        });
        Samples { features, width: self.width, complex: self.complex, labels, real }
    }

    /// Keeps the first `count`, of which there are at least so many.
    pub(crate) fn truncate(&mut self, count: usize) {
        let stride = self.stride();
        match &mut self.features {
            Features::Held(values) => values.truncate(count * stride),
            Features::Stored(stored) => stored.truncate(count),
        }
        self.labels.truncate(count);
        if let Some(RealTargets { values, width }) = &mut self.real {
            values.truncate(count * *width);
        }
    }

    /// Errs unless there is a sample, sizes agree, features and real targets are finite and labels are below `classes`.
    ///
    /// `part` names the samples in the error, as in `"train"`.
    pub fn check(&self, part: &str, classes: usize) -> Result<()> {
        if self.is_empty() || self.width == 0 {
            let value = format!("{} samples of {} features", self.len(), self.width);
            return Err(Error::Invalid { name: "dataset", value, reason: format!("{part} must not be empty") });
        }
        let expected = self.len().saturating_mul(self.stride());
        same_size(&format!("features in {part}"), expected, self.features.len())?;
        if let Features::Held(values) = &self.features
            && let Some(at) = values.iter().position(|feature| !feature.is_finite())
        {
            let (sample, place) = (at / self.stride(), at % self.stride());
            let feature = if self.complex { place / 2 } else { place };
            let reason = format!("{part} sample {sample}, feature {feature}: must be finite");
            return Err(Error::invalid("feature", values[at], reason));
        }
        if let Some(RealTargets { values, width }) = &self.real {
            same_size(&format!("targets in {part}"), self.len() * width, values.len())?;
            same_size(&format!("labels in {part}, whose targets are real"), 0, self.labels.len())?;
            if let Some(at) = values.iter().position(|value| !value.is_finite()) {
                let reason = format!("{part} sample {}, target {}: must be finite", at / width, at % width);
                return Err(Error::invalid("target", values[at], reason));
            }
        }
        if let Some(at) = self.labels.iter().position(|&label| label as usize >= classes) {
            let reason = format!("{part} sample {at}: labels of {classes} classes lie below {classes}");
            return Err(Error::invalid("label", self.labels[at], reason));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Samples {
        Samples {
            features: vec![0., 1., 2., 3., 4., 5.].into(),
            width: 2,
            complex: false,
            labels: vec![0, 1, 1],
            real: None,
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        three().check("train", 2).unwrap();
        let broken = [
            (Samples::default(), "must not be empty"),
            (Samples { features: vec![0.; 5].into(), ..three() }, "expected 6, got 5"),
            (Samples { features: vec![0., 1., 2., f32::NAN, 4., 5.].into(), ..three() }, "train sample 1, feature 1"),
            (Samples { labels: vec![0, 1, 2], ..three() }, "train sample 2"),
        ];
        for (samples, message) in broken {
            let error = samples.check("train", 2).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn selecting_keeps_features_with_their_labels() {
        let two = three().select(&[2, 0]);
        assert_eq!(two, Samples { features: vec![4., 5., 0., 1.].into(), labels: vec![1, 0], ..three() });
        assert_eq!(three().class_counts(2), [1, 2]);
    }

    #[test]
    fn complex_features_are_counted_as_pairs() {
        let pairs = Samples { width: 1, complex: true, ..three() };
        pairs.check("train", 2).unwrap();
        assert_eq!((&*pairs.row(1).unwrap(), pairs.select(&[2]).features.held()), (&[2., 3.][..], &[4., 5.][..]));
        let broken = Samples { features: vec![0., 1., 2., 3., 4., f32::NAN].into(), ..pairs.clone() };
        assert!(broken.check("train", 2).unwrap_err().to_string().contains("train sample 2, feature 0"));
        assert!(Samples { width: 2, ..pairs }.check("train", 2).is_err());
        assert_eq!(*three().into_complex().row(1).unwrap(), [2., 0., 3., 0.]);
    }

    #[test]
    fn real_targets_stay_with_their_samples() {
        let real = Some(RealTargets { values: vec![0.5, 1.5, 2.5], width: 1 });
        let samples = Samples { labels: Vec::new(), real, ..three() };
        samples.check("train", 0).unwrap();
        assert_eq!((samples.len(), samples.select(&[2, 0]).real.unwrap().values), (3, vec![2.5, 0.5]));
        let mut first = samples.clone();
        first.truncate(1);
        assert_eq!((first.len(), first.features.len()), (1, 2));
        let broken = Samples { real: Some(RealTargets { values: vec![0.5, f32::INFINITY, 2.5], width: 1 }), ..samples };
        let error = broken.check("test", 0).unwrap_err().to_string();
        assert!(error.contains("test sample 1, target 0"), "{error}");
    }
}
