//! Whether the way back through a stage is the derivative of the way there, by differences: for whoever writes a page.

use super::{Element, Signal, StageErrors};

/// Distance h of the points of a difference, `[8 (L(h) − L(−h)) − L(2h) + L(−2h)]/12h`: of fourth order, whose own error is h⁴/30 times the fifth
/// derivative, 3e-9 of a ring of finesse 100, and rounding 1e-12.
const STEP: f64 = 1e-4;

/// The greatest difference between what [`Element::backward`] says and what differences of [`Element::forward`] say, of all inputs and
/// controls, at `controls` and a batch `signal`: 1e-8 or less of a page that is right, with signals of about 1 where it is smooth.
pub fn slope_error(stage: &dyn Element, errors: &StageErrors, controls: &[f64], signal: &[f64]) -> f64 {
    let (inputs, outputs) = (stage.input(), stage.output());
    let width = signal.len() / inputs.width() * outputs.width();
    // the loss is the product of what leaves with this
    let towards: Vec<f64> = (1..=width).map(|k| (1.3 * k as f64 + 0.4).sin()).collect();
    let loss = |controls: &[f64], signal: &[f64]| -> f64 {
        stage.forward(errors, controls, signal).iter().zip(&towards).map(|(y, w)| y * w).sum()
    };
    // ∂L/∂z* is half of the gradient with respect to (re, im)
    let half = |signal: Signal| if signal.complex { 0.5 } else { 1.0 };
    let error: Vec<f64> = towards.iter().map(|w| half(outputs) * w).collect();
    let mut gradient = vec![0.0; controls.len()];
    let carried = stage.backward(errors, controls, signal, &error, &mut gradient);
    let slope = |values: &[f64], k: usize, of: &dyn Fn(&[f64]) -> f64| {
        let moved = |by: f64| {
            let mut moved = values.to_vec();
            moved[k] += by;
            of(&moved)
        };
        (8.0 * (moved(STEP) - moved(-STEP)) - moved(2.0 * STEP) + moved(-2.0 * STEP)) / (12.0 * STEP)
    };
    let of_signal = |k: usize| half(inputs) * slope(signal, k, &|moved| loss(controls, moved));
    let of_control = |k: usize| slope(controls, k, &|moved| loss(moved, signal));
    let of_signals = carried.iter().enumerate().map(|(k, found)| (found - of_signal(k)).abs());
    let of_controls = gradient.iter().enumerate().map(|(k, found)| (found - of_control(k)).abs());
    // NaN is the greatest
    of_signals.chain(of_controls).fold(0.0, |most: f64, own| if own <= most { most } else { own })
}
