//! The published demonstration's algorithm, written down again in plain loops, against `at` and `in-silico` with its options.

use super::fixture::{Fixture, clouds, matrices, settings};
use crate::cpu::Cpu;
use crate::engine::{Optimizer, Reduction};
use crate::imperfections::Imperfections;
use crate::stage::StageErrors;
use crate::training::{DigitalStep, MethodName};

const WIDTHS: [usize; 4] = [4, 6, 5, 3];
const RATE: f64 = 0.01;
const STEPS: usize = 12;

/// Hidden signals of every layer, from the input to the softmax.
fn forward(parameters: &[f64], input: &[f64]) -> Vec<Vec<f64>> {
    let mut signals = vec![input.to_vec()];
    let mut rest = parameters;
    for (layer, pair) in WIDTHS.windows(2).enumerate() {
        let (weights, tail) = rest.split_at(pair[0] * pair[1]);
        let (biases, tail) = tail.split_at(pair[1]);
        rest = tail;
        let mut next: Vec<f64> = weights
            .chunks(pair[0])
            .zip(biases)
            .map(|(row, bias)| row.iter().zip(&signals[layer]).map(|(w, x)| w * x).sum::<f64>() + bias)
            .collect();
        if layer + 2 < WIDTHS.len() {
            next.iter_mut().for_each(|z| *z = z.max(0.0));
        } else {
            next.iter_mut().for_each(|z| *z = z.exp());
            let total: f64 = next.iter().sum();
            next.iter_mut().for_each(|z| *z /= total);
        }
        signals.push(next);
    }
    signals
}

/// BP(e): adds the gradient at `signals` and `parameters` to `gradient`.
fn backward(parameters: &[f64], signals: &[Vec<f64>], error: &[f64], weight: f64, gradient: &mut [f64]) {
    let mut delta = error.to_vec();
    let mut end = parameters.len();
    for layer in (0..WIDTHS.len() - 1).rev() {
        let (inputs, outputs) = (WIDTHS[layer], WIDTHS[layer + 1]);
        let start = end - outputs * (inputs + 1);
        let mut back = vec![0.0; inputs];
        for (row, delta) in delta.iter().enumerate() {
            gradient[start + outputs * inputs + row] += weight * delta;
            for column in 0..inputs {
                gradient[start + row * inputs + column] += weight * delta * signals[layer][column];
                back[column] += parameters[start + row * inputs + column] * delta;
            }
        }
        for (back, &signal) in back.iter_mut().zip(&signals[layer]) {
            *back *= f64::from(signal > 0.0);
        }
        (delta, end) = (back, start);
    }
}

/// The demonstration's (programmed, digital) weights after [`STEPS`] steps.
fn demonstration(initial: &[f64], spread: &[f64], projection: &[f64], asymmetric: bool) -> (Vec<f64>, Vec<f64>) {
    let (signals, labels) = clouds(WIDTHS[0], 3, 47, 20);
    let (mut programmed, mut digital) = (initial.to_vec(), initial.to_vec());
    for step in 0..STEPS {
        let physical: Vec<f64> = programmed.iter().zip(spread).map(|(w, d)| w * (1.0 + d)).collect();
        let mut gradients = [vec![0.0; initial.len()], vec![0.0; initial.len()]];
        for sample in step % 4 * 10..step % 4 * 10 + 10 {
            let input: Vec<f64> = signals[sample * 4..][..4].iter().map(|&x| f64::from(x)).collect();
            let hidden = forward(&digital, &input);
            for (output, gradient) in [&hidden[3], &forward(&physical, &input)[3]].into_iter().zip(&mut gradients) {
                let mut error = output.clone();
                error[labels[sample] as usize] -= 1.0;
                backward(&digital, &hidden, &error, 1.0, gradient);
            }
        }
        for index in 0..initial.len() {
            let slope = RATE * (1.0 + projection[index]);
            let [own, chip] = [gradients[0][index], gradients[1][index]];
            programmed[index] -= slope * if asymmetric { 0.5 * own + 0.5 * chip } else { own };
            digital[index] -= slope * if asymmetric { 0.5 * own } else { own };
        }
    }
    (programmed, digital)
}

#[test]
fn the_demonstrations_updates_are_reproduced() {
    let errors = Imperfections { parameter_spread: 0.6, update_error: 0.6, ..Imperfections::default() };
    let mut settings = settings(3, 1, RATE, Optimizer::Sgd);
    settings.loss.reduction = Reduction::Sum;
    let mut fixture = Fixture::new(Cpu::<f64>::new(), matrices(&WIDTHS), &errors, settings);
    fixture.options.digital_step = DigitalStep::AsPublished;
    let spread: Vec<f64> = fixture.fabrication.stages.iter().flat_map(spread_of).copied().collect();
    for (name, asymmetric) in [(MethodName::At, true), (MethodName::InSilico, false)] {
        let projection = &fixture.fabrication.update_error;
        let (programmed, digital) = demonstration(&fixture.initial, &spread, projection, asymmetric);
        let controls = fixture.trajectory(name, STEPS).pop().unwrap();
        for index in 0..controls.len() {
            let initial = fixture.initial[index];
            let followed = initial + (1.0 + projection[index]) * (controls[index] - initial);
            assert!((followed - programmed[index]).abs() < 1e-12, "{name}, control {index}");
        }
        assert_eq!(asymmetric, programmed != digital);
    }
}

fn spread_of(errors: &StageErrors) -> &[f64] {
    errors.get(["spread"]).map_or(&[], |[spread]| spread)
}
