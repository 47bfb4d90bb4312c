//! Attenuators: mode k < min(inputs, outputs) passes with `g·sin(θ_k/2)`; the others are dumped or dark.

use num_complex::Complex64;

/// Fields `[batch, outputs]` that leave; controls are `[θ_k.., g]`.
pub fn forward(inputs: usize, outputs: usize, controls: &[f64], signal: &[f64]) -> Vec<f64> {
    let passed = inputs.min(outputs);
    let gain = controls[passed];
    let fields: &[Complex64] = bytemuck::cast_slice(signal);
    let mut output = Vec::new();
    for field in fields.chunks_exact(inputs) {
        for k in 0..outputs {
            output.push(if k < passed { field[k] * gain * (0.5 * controls[k]).sin() } else { 0.0.into() });
        }
    }
    bytemuck::cast_slice(&output).to_vec()
}

/// Carries the adjoint back, and adds `dL/dt = 2 Re a* z` times the transmission's derivatives to the gradient.
pub fn backward(
    inputs: usize,
    outputs: usize,
    controls: &[f64],
    signal: &[f64],
    error: &[f64],
    gradient: &mut [f64],
) -> Vec<f64> {
    let passed = inputs.min(outputs);
    let gain = controls[passed];
    let fields: &[Complex64] = bytemuck::cast_slice(signal);
    let adjoints: &[Complex64] = bytemuck::cast_slice(error);
    let mut carried = vec![Complex64::new(0.0, 0.0); fields.len()];
    let samples = fields.chunks_exact(inputs).zip(adjoints.chunks_exact(outputs));
    for (carried, (field, adjoint)) in carried.chunks_exact_mut(inputs).zip(samples) {
        for k in 0..passed {
            let (sine, cosine) = (0.5 * controls[k]).sin_cos();
            let slope = 2.0 * (adjoint[k].conj() * field[k]).re;
            gradient[k] += slope * gain * 0.5 * cosine;
            gradient[passed] += slope * sine;
            carried[k] = adjoint[k] * gain * sine;
        }
    }
    bytemuck::cast_slice(&carried).to_vec()
}
