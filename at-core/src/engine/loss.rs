//! What a readout is worth: losses and their derivatives with respect to the readout.

use crate::error::same_size;
use crate::{Error, Real, Result};
use serde::{Deserialize, Serialize};

/// How a readout is scaled before it becomes logits. The norm runs over all outputs, also those that are no class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalization {
    /// As read.
    #[default]
    None,
    /// `x̃ = N·x/Σx` for N outputs: the mean becomes 1.
    Total,
    /// `x̃ = x/‖x‖₂`.
    L2,
}

/// Whether the error of a batch is the sum over its samples or their mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reduction {
    /// Mean over the batch.
    #[default]
    Mean,
    /// Sum over the batch, as in the published demonstration.
    Sum,
    /// Mean over a whole batch of so many, of which the samples at hand are a part; no setting, but what ranks make of the mean.
    #[serde(skip)]
    MeanOf(usize),
}

/// Which loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// Softmax cross-entropy of `gain·x̃` over the first `classes` outputs.
    #[default]
    CrossEntropy,
    /// `Σ_k (gain·x̃_k - t_k)²` over the first `classes` outputs, t one-hot or the sample's real targets.
    MeanSquare,
}

/// The loss of one sample's readout x against its label, or against its real targets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// Which loss.
    pub kind: LossKind,
    /// The scaling before it.
    pub normalization: Normalization,
    /// Factor on the scaled readout.
    pub gain: f64,
    /// Outputs that are compared, from the first on: one per class, or per real target.
    pub classes: usize,
    /// Sum or mean over a batch.
    pub reduction: Reduction,
}

impl Loss {
    /// Softmax cross-entropy on the raw readout, averaged over the batch.
    pub fn cross_entropy(classes: usize) -> Self {
        Loss {
            kind: LossKind::CrossEntropy,
            normalization: Normalization::None,
            gain: 1.0,
            classes,
            reduction: Reduction::Mean,
        }
    }

    /// Errs unless the gain is positive and 1 ≤ classes ≤ `outputs`.
    pub fn check(&self, outputs: usize) -> Result<()> {
        if !(self.gain.is_finite() && self.gain > 0.0) {
            return Err(Error::invalid("gain", self.gain, "must be positive"));
        }
        if self.classes == 0 {
            return Err(Error::invalid("classes", 0, "must be at least 1"));
        }
        if self.classes > outputs {
            same_size("outputs of the chip, one per class", self.classes, outputs)?;
        }
        Ok(())
    }

    /// Errs unless it can compare a readout with real targets.
    pub fn check_real(&self) -> Result<()> {
        match self.kind {
            LossKind::MeanSquare => Ok(()),
            LossKind::CrossEntropy => {
                let reason = "tells classes apart, and the targets are real values; choose mean-square";
                Err(Error::invalid("loss", "cross-entropy", reason))
            }
        }
    }

    /// Factor on each sample's derivative for a batch of `batch`.
    pub fn weight(&self, batch: usize) -> f64 {
        match self.reduction {
            Reduction::Mean => 1.0 / batch as f64,
            Reduction::MeanOf(whole) => 1.0 / whole as f64,
            Reduction::Sum => 1.0,
        }
    }

    /// Loss of one sample and, with its weight, `dL/dx` in `error`; returns (loss, largest class output).
    ///
    /// With `s_k = dL/dx̃_k`, the chain through the scaling is `s` for none, `(N s_j - Σ_k s_k x̃_k)/Σx` for the total and
    /// `(s_j - x̃_j Σ_k s_k x̃_k)/‖x‖` for L2. A dark readout (norm 0) is not scaled.
    pub fn sample<T: Real>(&self, readout: &[T], label: usize, weight: T, error: &mut [T]) -> (T, usize) {
        let (inverse, gain) = self.scale(readout);
        let classes = &readout[..self.classes];
        let best = argmax(classes);
        let peak = gain * classes[best];
        let mut loss = T::zero();
        match self.kind {
            LossKind::CrossEntropy => {
                let mut total = T::zero();
                for (slot, &x) in error.iter_mut().zip(classes) {
                    *slot = (gain * x - peak).exp();
                    total += *slot;
                }
                error[..self.classes].iter_mut().for_each(|slot| *slot /= total);
                error[label] -= T::one();
                loss += total.ln() - (gain * classes[label] - peak);
            }
            LossKind::MeanSquare => {
                for (class, (slot, &x)) in error.iter_mut().zip(classes).enumerate() {
                    let miss = gain * x - if class == label { T::one() } else { T::zero() };
                    loss += miss * miss;
                    *slot = miss + miss;
                }
            }
        }
        self.through_scaling(readout, inverse, gain, weight, error);
        (loss, best)
    }

    /// The same against real `targets`, one per compared output; returns (loss, squared error). Errs as
    /// [`Loss::check_real`] does before the first sample, so that here every loss has a meaning.
    pub fn sample_of_values<T: Real>(&self, readout: &[T], targets: &[T], weight: T, error: &mut [T]) -> (T, T) {
        debug_assert!(self.kind == LossKind::MeanSquare, "was checked before");
        let (inverse, gain) = self.scale(readout);
        let mut squares = T::zero();
        for ((slot, &x), &target) in error.iter_mut().zip(&readout[..self.classes]).zip(targets) {
            let miss = gain * x - target;
            squares += miss * miss;
            *slot = miss + miss;
        }
        self.through_scaling(readout, inverse, gain, weight, error);
        (squares, squares)
    }

    /// What is compared of a readout x: `gain·x̃_k` of the first outputs, logits where classes are told apart.
    pub fn compared<T: Real>(&self, readout: &[T]) -> Vec<T> {
        let (_, gain) = self.scale(readout);
        readout[..self.classes].iter().map(|&x| gain * x).collect()
    }

    /// (inverse of the norm, factor from a readout to what is compared).
    fn scale<T: Real>(&self, readout: &[T]) -> (T, T) {
        let outputs = T::of(readout.len() as f64);
        let norm = match self.normalization {
            Normalization::None => T::one(),
            Normalization::Total => readout.iter().copied().sum::<T>() / outputs,
            Normalization::L2 => readout.iter().map(|&x| x * x).sum::<T>().sqrt(),
        };
        let inverse = if norm == T::zero() { T::one() } else { norm.recip() };
        (inverse, T::of(self.gain) * inverse)
    }

    /// From `dL/ds`, s what is compared, in the first entries of `error` to `weight·dL/dx`.
    fn through_scaling<T: Real>(&self, readout: &[T], inverse: T, gain: T, weight: T, error: &mut [T]) {
        let outputs = T::of(readout.len() as f64);
        error[self.classes..readout.len()].fill(T::zero());
        // s_k = gain·error_k here and inverse·x is x̃ up to the factor that the norms define.
        let projection: T = error.iter().zip(readout).map(|(&e, &x)| e * x).sum::<T>() * inverse;
        let scale = weight * gain;
        for (slot, &x) in error.iter_mut().zip(readout) {
            *slot = scale
                * match self.normalization {
                    Normalization::None => *slot,
                    Normalization::Total => *slot - projection / outputs,
                    Normalization::L2 => *slot - projection * x * inverse,
                };
        }
    }
}

/// Index of the first largest value.
fn argmax<T: Real>(values: &[T]) -> usize {
    let mut best = 0;
    for (index, &value) in values.iter().enumerate() {
        if value > values[best] {
            best = index;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_match_central_differences() {
        let readout = [0.3, 1.2, 0.1, 0.8, 0.5];
        let h = 1e-5;
        for kind in [LossKind::CrossEntropy, LossKind::MeanSquare] {
            for normalization in [Normalization::None, Normalization::Total, Normalization::L2] {
                let loss = Loss { kind, normalization, gain: 2.5, classes: 3, reduction: Reduction::Mean };
                let mut error = [0.0; 5];
                let mut scratch = [0.0; 5];
                loss.sample(&readout, 1, 0.5, &mut error);
                for index in 0..5 {
                    let mut shifted = |step: f64| {
                        let mut moved = readout;
                        moved[index] += step;
                        loss.sample(&moved, 1, 1.0, &mut scratch).0
                    };
                    let difference = 0.5 * (shifted(h) - shifted(-h)) / (2.0 * h);
                    assert!((difference - error[index]).abs() < 1e-8, "{kind:?} {normalization:?} {index}");
                }
            }
        }
    }

    #[test]
    fn derivatives_against_real_targets_match_central_differences() {
        let (readout, targets) = ([0.3, 1.2, 0.1, 0.8, 0.5], [0.7, -2.0, 0.25]);
        for normalization in [Normalization::None, Normalization::Total, Normalization::L2] {
            let kind = LossKind::MeanSquare;
            let loss = Loss { kind, normalization, gain: 2.5, classes: 3, reduction: Reduction::Mean };
            let (mut error, mut scratch) = ([0.0; 5], [0.0; 5]);
            loss.sample_of_values(&readout, &targets, 0.5, &mut error);
            for index in 0..5 {
                let mut shifted = |step: f64| {
                    let mut moved = readout;
                    moved[index] += step;
                    loss.sample_of_values(&moved, &targets, 1.0, &mut scratch).0
                };
                let difference = 0.5 * (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
                assert!((difference - error[index]).abs() < 1e-8, "{normalization:?} {index}");
            }
        }
    }

    #[test]
    fn one_hot_targets_are_a_class() {
        let loss = Loss { kind: LossKind::MeanSquare, ..Loss::cross_entropy(3) };
        let (readout, mut of_class, mut of_values) = ([0.3_f64, 1.2, 0.1, 0.8], [0.0; 4], [0.0; 4]);
        let (value, _) = loss.sample(&readout, 1, 0.5, &mut of_class);
        assert_eq!(loss.sample_of_values(&readout, &[0.0, 1.0, 0.0], 0.5, &mut of_values), (value, value));
        assert_eq!(of_class, of_values);
        assert!(Loss::cross_entropy(3).check_real().unwrap_err().to_string().contains("mean-square"));
    }

    #[test]
    fn a_dark_readout_gives_a_finite_loss() {
        let loss = Loss { normalization: Normalization::L2, ..Loss::cross_entropy(3) };
        let mut error = [0.0_f64; 4];
        let (value, _) = loss.sample(&[0.0; 4], 2, 1.0, &mut error);
        assert!((value - 3.0_f64.ln()).abs() < 1e-12 && error.iter().all(|e| e.is_finite()));
    }
}
