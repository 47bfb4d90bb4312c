//! Modulation: real numbers become field amplitudes.

/// `z = x + 0i`.
pub fn forward(signal: &[f64]) -> Vec<f64> {
    signal.iter().flat_map(|&x| [x, 0.0]).collect()
}

/// `dL/dx = 2 Re a`.
pub fn backward(error: &[f64]) -> Vec<f64> {
    error.chunks_exact(2).map(|a| 2.0 * a[0]).collect()
}
