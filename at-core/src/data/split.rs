//! Training and test parts of samples that come in one piece.

use super::batches::epoch_order;
use super::samples::Samples;

/// Seed of the splits of `digits`, `iris` and the incomplete `kmnist`. Another seed would be another data set.
const SPLIT_SEED: u64 = 0;

/// Splits off `test` samples, every class in its share, in a fixed pseudo-random order: (train, test).
///
/// Each class gives `floor(count · test / samples)` samples; what is missing then comes from the classes with the
/// largest remainders, lowest class first. Samples are visited in [`epoch_order`] of seed 0 and epoch 0, the first of
/// each class going to the test part. Both parts keep that order, so that the first n samples are a mixture of classes.
pub fn stratified(samples: &Samples, classes: usize, test: usize) -> (Samples, Samples) {
    let counts = samples.class_counts(classes);
    let total = samples.len().max(1);
    let mut quota: Vec<usize> = counts.iter().map(|count| count * test / total).collect();
    let mut by_remainder: Vec<usize> = (0..classes).collect();
    by_remainder.sort_by_key(|&class| std::cmp::Reverse(counts[class] * test % total));
    let missing = test.saturating_sub(quota.iter().sum());
    for &class in by_remainder.iter().take(missing) {
        quota[class] += 1;
    }
    let (mut train_order, mut test_order) = (Vec::new(), Vec::new());
    for index in epoch_order(samples.len(), SPLIT_SEED, 0) {
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

    #[test]
    fn every_class_gives_its_share() {
        let labels: Vec<u32> = (0..50).map(|i| if i < 30 { 0 } else { 1 + u32::from(i >= 45) }).collect();
        let samples = Samples { features: (0..50).map(|x| x as f32).collect(), width: 1, labels, real: None };
        let (train, test) = stratified(&samples, 3, 11);
        assert_eq!(test.class_counts(3), [7, 3, 1]); // shares 6.6, 3.3, 1.1
        assert_eq!(train.class_counts(3), [23, 12, 4]);
        let mut all: Vec<f32> = train.features.iter().chain(&test.features).copied().collect();
        all.sort_by(f32::total_cmp);
        assert_eq!(all, samples.features);
    }
}
