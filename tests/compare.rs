//! How far two vectors are apart.

/// The largest magnitude.
pub fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, value| if value.is_nan() { f64::NAN } else { value.abs().max(most) })
}

/// The largest difference, relative to the largest entry of `truth`.
pub fn distance(got: &[f64], truth: &[f64]) -> f64 {
    assert_eq!(got.len(), truth.len(), "lengths of the vectors to compare");
    let differences: Vec<f64> = got.iter().zip(truth).map(|(a, b)| a - b).collect();
    let scale = largest(truth);
    if scale == 0.0 { largest(&differences) } else { largest(&differences) / scale }
}

/// Panics unless `got` is within `tolerance` of `truth`, relative to truth's largest entry. NaN is never within.
#[track_caller]
pub fn assert_close(what: &str, got: &[f64], truth: &[f64], tolerance: f64) {
    let distance = distance(got, truth);
    assert!(distance <= tolerance, "{what}: {distance:.2e} apart, {tolerance:.2e} allowed");
}
