//! Labelled samples as one flat array.

use crate::error::{Error, Result, same_size};

/// Samples of one width with a class label each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Samples {
    /// `[samples, width]`, row-major.
    pub features: Vec<f32>,
    /// Features per sample.
    pub width: usize,
    /// `[samples]`, each below the data set's number of classes.
    pub labels: Vec<u32>,
}

impl Samples {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// There is no sample.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Features of sample `index`, `[width]`. Panics when there is no such sample, as slices do.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.features[index * self.width..(index + 1) * self.width]
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

    /// The samples at `order`, in that order. Panics when an index has no sample, as slices do.
    pub fn select(&self, order: &[u32]) -> Samples {
        let mut features = Vec::with_capacity(order.len() * self.width);
        let mut labels = Vec::with_capacity(order.len());
        for &index in order {
            features.extend_from_slice(self.row(index as usize));
            labels.push(self.labels[index as usize]);
        }
        Samples { features, width: self.width, labels }
    }

    /// Errs unless there is a sample, sizes agree, features are finite and labels are below `classes`.
    ///
    /// `part` names the samples in the error, as in `"train"`.
    pub fn check(&self, part: &str, classes: usize) -> Result<()> {
        if self.is_empty() || self.width == 0 {
            let value = format!("{} samples of {} features", self.len(), self.width);
            return Err(Error::Invalid { name: "dataset", value, reason: format!("{part} must not be empty") });
        }
        let expected = self.len().saturating_mul(self.width);
        same_size(&format!("features in {part}"), expected, self.features.len())?;
        if let Some(at) = self.features.iter().position(|feature| !feature.is_finite()) {
            let reason = format!("{part} sample {}, feature {}: must be finite", at / self.width, at % self.width);
            return Err(Error::invalid("feature", self.features[at], reason));
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
        Samples { features: vec![0., 1., 2., 3., 4., 5.], width: 2, labels: vec![0, 1, 1] }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        three().check("train", 2).unwrap();
        let broken = [
            (Samples::default(), "must not be empty"),
            (Samples { features: vec![0.; 5], ..three() }, "expected 6, got 5"),
            (Samples { features: vec![0., 1., 2., f32::NAN, 4., 5.], ..three() }, "train sample 1, feature 1"),
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
        assert_eq!(two, Samples { features: vec![4., 5., 0., 1.], width: 2, labels: vec![1, 0] });
        assert_eq!(three().class_counts(2), [1, 2]);
    }
}
