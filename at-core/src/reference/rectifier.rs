//! A rectifier on detected signals.

/// `max(x - threshold, 0)`. NaN stays NaN: a run that diverged must not look dark.
pub fn forward(threshold: f64, signal: &[f64]) -> Vec<f64> {
    signal.iter().map(|&x| if x <= threshold { 0.0 } else { x - threshold }).collect()
}

/// The error where the signal passed, 0 elsewhere.
pub fn backward(threshold: f64, signal: &[f64], error: &[f64]) -> Vec<f64> {
    signal.iter().zip(error).map(|(&x, &slope)| if x <= threshold { 0.0 } else { slope }).collect()
}
