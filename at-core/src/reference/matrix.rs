//! A real matrix with bias. Every entry is a function of its own control, `w_k = (1 + d_k)·c_k` here.

use crate::chip::StageErrors;

/// One entry of `[W row-major [output, input], b]`.
#[derive(Clone, Copy)]
pub struct Entry {
    /// w, what the signal is multiplied by.
    pub weight: f64,
    /// dw/dc.
    pub slope: f64,
}

/// The entries at `controls`.
pub fn entries(errors: &StageErrors, controls: &[f64]) -> Vec<Entry> {
    let factor = |index: usize| match errors {
        StageErrors::Matrix { spread } => 1.0 + spread[index],
        _ => 1.0,
    };
    controls.iter().enumerate().map(|(k, c)| Entry { weight: factor(k) * c, slope: factor(k) }).collect()
}

/// `y = Wx + b`, `[batch, outputs]`.
pub fn forward(entries: &[Entry], inputs: usize, outputs: usize, signal: &[f64]) -> Vec<f64> {
    let (weights, bias) = entries.split_at(outputs * inputs);
    let mut output = Vec::new();
    for x in signal.chunks_exact(inputs) {
        for row in 0..outputs {
            let products = (0..inputs).map(|column| weights[row * inputs + column].weight * x[column]);
            output.push(products.sum::<f64>() + bias[row].weight);
        }
    }
    output
}

/// `Wᵀe`, and `e·xᵀ` and e times the entries' slopes added to the gradient.
pub fn backward(
    entries: &[Entry],
    inputs: usize,
    outputs: usize,
    signal: &[f64],
    error: &[f64],
    gradient: &mut [f64],
) -> Vec<f64> {
    let mut carried = vec![0.0; signal.len()];
    let samples = signal.chunks_exact(inputs).zip(error.chunks_exact(outputs));
    for (carried, (x, e)) in carried.chunks_exact_mut(inputs).zip(samples) {
        for (row, e) in e.iter().enumerate() {
            for column in 0..inputs {
                let index = row * inputs + column;
                carried[column] += entries[index].weight * e;
                gradient[index] += e * x[column] * entries[index].slope;
            }
            let index = outputs * inputs + row;
            gradient[index] += e * entries[index].slope;
        }
    }
    carried
}
