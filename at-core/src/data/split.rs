//! Training and test parts of samples that come in one piece.

use super::batches::epoch_order;
use super::samples::Samples;
use crate::error::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// Seed of the splits of `digits`, `iris` and the incomplete `kmnist`. Another seed would be another data set.
const SPLIT_SEED: u64 = 0;

/// How samples in one piece become two parts. As text `0.8`, or with a seed `0.8:7`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SplitRule {
    /// Share of the training samples, between 0 and 1.
    share: f64,
    /// Draws which they are.
    seed: u64,
}

impl Default for SplitRule {
    /// Four fifths to learn from.
    fn default() -> Self {
        SplitRule { share: 0.8, seed: SPLIT_SEED }
    }
}

impl FromStr for SplitRule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (share, seed) = text.split_once(':').unwrap_or((text, "0"));
        let share = share.trim().parse().ok().filter(|share: &f64| *share > 0.0 && *share < 1.0);
        let rule = share.zip(seed.trim().parse().ok()).map(|(share, seed)| SplitRule { share, seed });
        let reason = "write the share of training samples, between 0 and 1, as 0.8, or with a seed, as 0.8:7";
        rule.ok_or_else(|| Error::invalid("split", text, reason))
    }
}

impl fmt::Display for SplitRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seed {
            0 => write!(f, "{}", self.share),
            seed => write!(f, "{}:{seed}", self.share),
        }
    }
}

impl SplitRule {
    /// Test samples among so many.
    fn test(self, samples: usize) -> usize {
        samples - (self.share * samples as f64).round() as usize
    }
}

/// (train, test) of `samples`: of every class its share, or at random where targets are real.
///
/// A class of one sample is learned from alone. Errs where a part would be empty.
pub(crate) fn split_off(samples: Samples, classes: usize, rule: SplitRule) -> Result<(Samples, Samples)> {
    let (total, wanted) = (samples.len(), rule.test(samples.len()));
    let empty = |reason: String| Err(Error::Malformed { path: Default::default(), reason });
    if wanted == 0 || wanted == total {
        let part = if wanted == 0 { "test" } else { "training" };
        return empty(format!("split {rule} of {total} samples leaves no {part} sample; choose another `split`"));
    }
    let (train, test) = match samples.real {
        Some(_) => {
            let order = epoch_order(total, rule.seed, 0);
            (samples.select(&order[wanted..]), samples.select(&order[..wanted]))
        }
        None => stratified_by(&samples, classes, wanted, rule.seed),
    };
    if test.is_empty() {
        return empty(format!("every class of its {total} samples has one sample, so that none can be judged by"));
    }
    Ok((train, test))
}

/// Splits off `test` samples, every class in its share, in a fixed pseudo-random order: (train, test).
///
/// Each class gives `floor(count · test / samples)` samples; what is missing then comes from the classes with the
/// largest remainders, lowest class first. A class keeps one sample to learn from at the least, so that there may be fewer test
/// samples. Samples are visited in [`epoch_order`] of seed 0 and epoch 0, the first of
/// each class going to the test part. Both parts keep that order, so that the first n samples are a mixture of classes.
pub fn stratified(samples: &Samples, classes: usize, test: usize) -> (Samples, Samples) {
    stratified_by(samples, classes, test, SPLIT_SEED)
}

fn stratified_by(samples: &Samples, classes: usize, test: usize, seed: u64) -> (Samples, Samples) {
    let counts = samples.class_counts(classes);
    let total = samples.len().max(1);
    let most = |class: usize| counts[class].saturating_sub(1);
    let mut quota: Vec<usize> = (0..classes).map(|class| (counts[class] * test / total).min(most(class))).collect();
    let mut by_remainder: Vec<usize> = (0..classes).collect();
    by_remainder.sort_by_key(|&class| std::cmp::Reverse(counts[class] * test % total));
    let mut missing = test.saturating_sub(quota.iter().sum());
    while missing > 0 {
        let before = missing;
        for &class in &by_remainder {
            if missing > 0 && quota[class] < most(class) {
                quota[class] += 1;
                missing -= 1;
            }
        }
        if missing == before {
            break;
        }
    }
    let (mut train_order, mut test_order) = (Vec::new(), Vec::new());
    for index in epoch_order(samples.len(), seed, 0) {
        match quota.get_mut(samples.labels[index as usize] as usize) {
            Some(left) if *left > 0 => {
                *left -= 1;
                test_order.push(index);
            }
            _ => train_order.push(index),
        }
    }
    (samples.select(&train_order), samples.select(&test_order))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::RealTargets;

    fn of_labels(labels: Vec<u32>) -> Samples {
        let features: Vec<f32> = (0..labels.len()).map(|x| x as f32).collect();
        Samples { features: features.into(), width: 1, labels, ..Samples::default() }
    }

    fn united(train: &Samples, test: &Samples) -> Vec<f32> {
        let mut all: Vec<f32> = train.features.held().iter().chain(test.features.held()).copied().collect();
        all.sort_by(f32::total_cmp);
        all
    }

    #[test]
    fn every_class_gives_its_share() {
        let samples = of_labels((0..50).map(|i| if i < 30 { 0 } else { 1 + u32::from(i >= 45) }).collect());
        let (train, test) = stratified(&samples, 3, 11);
        assert_eq!(test.class_counts(3), [7, 3, 1]); // shares 6.6, 3.3, 1.1
        assert_eq!(train.class_counts(3), [23, 12, 4]);
        assert_eq!(united(&train, &test), samples.features.held());
    }

    #[test]
    fn a_share_and_a_seed_are_read_and_said() {
        for text in ["0.8", "0.75:3", "0.5:18446744073709551615"] {
            assert_eq!(text.parse::<SplitRule>().unwrap().to_string(), text);
        }
        assert_eq!("0.8:0".parse::<SplitRule>().unwrap(), SplitRule::default());
        for text in ["", "0", "1", "80", "80%", "-0.1", "nan", "0.8:", "0.8:x", "0.8:-1", "0.8:1:2"] {
            let error = text.parse::<SplitRule>().unwrap_err().to_string();
            assert!(error.starts_with("split = ") && error.contains("0.8:7"), "{error}");
        }
    }

    #[test]
    fn no_sample_is_in_both_parts_and_a_seed_draws_others() {
        let samples = of_labels((0..60).map(|i| i % 3).collect());
        let split = |rule: &str| split_off(samples.clone(), 3, rule.parse().unwrap()).unwrap();
        let (train, test) = split("0.7");
        assert_eq!((train.class_counts(3), test.class_counts(3)), (vec![14; 3], vec![6; 3]));
        assert_eq!(united(&train, &test), samples.features.held());
        assert_eq!(split("0.7:0").1, test);
        assert_ne!(split("0.7:1").1, test);
        let values = (0..60).map(|y| y as f32 + 0.5).collect();
        let real = Samples { labels: Vec::new(), real: Some(RealTargets { values, width: 1 }), ..samples.clone() };
        let (train, test) = split_off(real, 0, "0.9".parse().unwrap()).unwrap();
        assert_eq!((train.len(), test.len()), (54, 6));
        assert_eq!(united(&train, &test), samples.features.held());
        assert!(test.features.held().iter().zip(&test.real.unwrap().values).all(|(x, y)| x + 0.5 == *y));
    }

    #[test]
    fn a_class_keeps_a_sample_to_learn_from_and_an_empty_part_is_refused() {
        // a class of one sample, one of two, one of nine
        let samples = of_labels([vec![0], vec![1; 2], vec![2; 9]].concat());
        let (train, test) = split_off(samples, 3, "0.2".parse().unwrap()).unwrap();
        assert_eq!((train.class_counts(3), test.class_counts(3)), (vec![1, 1, 1], vec![0, 1, 8]));
        let refused = |labels: Vec<u32>, rule: &str, part: &str| {
            let error = split_off(of_labels(labels), 4, rule.parse().unwrap()).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        refused(vec![0], "0.8", "no test sample");
        refused(vec![0, 1, 0, 1], "0.9", "no test sample");
        refused(vec![0, 1, 0, 1], "0.1", "no training sample");
        refused(vec![0, 1, 2, 3], "0.5", "every class of its 4 samples has one sample");
    }
}
