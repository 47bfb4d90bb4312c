//! The perturbation behind a layer: a real matrix on the reals of a signal, or none.

/// `y = M x` for every sample of `width` reals; x where `matrix [output, input]` is empty.
pub fn forward(matrix: &[f64], width: usize, signal: Vec<f64>) -> Vec<f64> {
    if matrix.is_empty() {
        return signal;
    }
    let row = |x: &[f64], row: usize| (0..width).map(|column| matrix[row * width + column] * x[column]).sum::<f64>();
    signal.chunks_exact(width).flat_map(|x| (0..width).map(move |k| row(x, k))).collect()
}

/// `Mᵀ e`. An adjoint `∂L/∂z*` is half the gradient with respect to (re, im), so Mᵀ carries it too.
pub fn backward(matrix: &[f64], width: usize, error: &[f64]) -> Vec<f64> {
    if matrix.is_empty() {
        return error.to_vec();
    }
    let column = |e: &[f64], column: usize| (0..width).map(|row| matrix[row * width + column] * e[row]).sum::<f64>();
    error.chunks_exact(width).flat_map(|e| (0..width).map(move |k| column(e, k))).collect()
}
