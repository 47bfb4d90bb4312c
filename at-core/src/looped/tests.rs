//! Loops against networks of as many copies, plain loops over a recurrent cell, and differences.

use crate::cpu::Cpu;
use crate::engine::Engine;
use crate::fabrication::Fabrication;
use crate::imperfections::{Imperfections, Noise};
use crate::network::{Detection, Entry, Feedback, Layer, Network, Recurrence, Stage};
use crate::optics::{Activation, Mesh};
use crate::propagator::{Adjoint, LayerAccess, Layered, Propagator, Simulator, TapAccess, Tunable};
use crate::reference::Reference;

fn wave(count: usize, step: f64) -> Vec<f64> {
    (0..count).map(|k| (step * (k + 1) as f64).sin()).collect()
}

fn mesh(modes: usize) -> Stage {
    Stage::Mesh(Mesh::rectangular(modes).unwrap())
}

fn light(modes: usize) -> Vec<Layer> {
    let activation = Stage::activation(modes, Activation::Saturable { depth: 1.7, saturation: 0.6 });
    vec![vec![mesh(modes), activation], vec![mesh(modes), Stage::detection(modes, Detection::Intensity)]]
}

fn cell(inputs: usize, state: usize, outputs: usize) -> Vec<Layer> {
    vec![vec![Stage::matrix(inputs + state, state), Stage::rectifier(state, 0.1)], vec![Stage::matrix(state, outputs)]]
}

fn looped(layers: Vec<Layer>, steps: usize, entry: Entry) -> Network {
    let own = Recurrence { layers: 0..layers.len() - 1, steps, entry, feedback: Feedback::Analogue };
    Network::recurrent(layers, own).unwrap()
}

/// Readout, gradient of controls and of imperfections at an estimate.
struct Run {
    readout: Vec<f64>,
    gradient: Vec<f64>,
    of_estimate: Vec<f64>,
}

fn run(network: &Network, controls: &[f64], estimate: &[f64], fields: &[f64], error: &[f64]) -> Run {
    let batch = fields.len() / network.input().width();
    let mut own = Cpu::<f64>::new().build(network, &Fabrication::ideal()).unwrap();
    own.set_imperfections(&estimate.to_vec()).unwrap();
    own.program(&controls.to_vec()).unwrap();
    let mut trace = own.trace(batch).unwrap();
    let (mut readout, mut gradient) = (vec![0.0; error.len()], vec![f64::NAN; controls.len()]);
    let mut of_estimate = vec![f64::NAN; estimate.len()];
    own.record(&fields.to_vec(), batch, &mut trace, &mut readout).unwrap();
    own.backpropagate(&trace, &error.to_vec(), &mut gradient).unwrap();
    let mut again = vec![f64::NAN; controls.len()];
    own.backpropagate_imperfections(&trace, &error.to_vec(), &mut again, &mut of_estimate).unwrap();
    assert_eq!(gradient, again);
    Run { readout, gradient, of_estimate }
}

fn close(one: &[f64], other: &[f64], tolerance: f64) {
    let largest = other.iter().fold(1e-300, |most: f64, x| most.max(x.abs()));
    assert_eq!(one.len(), other.len());
    let apart = one.iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(apart <= tolerance * largest, "{apart} of {largest}");
}

#[test]
fn a_loop_is_as_many_copies_with_equal_controls() {
    let (steps, batch, modes) = (4, 3, 4);
    let own = looped(light(modes), steps, Entry::Once);
    let mut copies = vec![light(modes)[0].clone(); steps];
    copies.push(light(modes)[1].clone());
    let unrolled = Network::new(copies).unwrap();
    let (controls, estimate) = (wave(own.controls(), 1.3), wave(own.imperfections(), 0.7));
    let repeated = |all: &[f64], one: usize| {
        let mut many = all[..one].repeat(steps);
        many.extend(&all[one..]);
        many
    };
    let (per_copy, per_estimate) = (own.controls() / 2, own.imperfections() / 2);
    let (fields, error) = (wave(batch * 2 * modes, 0.9), wave(batch * modes, 2.1));
    let one = run(&own, &controls, &estimate, &fields, &error);
    let many = run(&unrolled, &repeated(&controls, per_copy), &repeated(&estimate, per_estimate), &fields, &error);
    assert_eq!(one.readout, many.readout);
    let added = |all: &[f64], one: usize| {
        let mut sum: Vec<f64> = (0..one).map(|k| (0..steps).rev().map(|step| all[step * one + k]).sum()).collect();
        sum.extend(&all[steps * one..]);
        sum
    };
    close(&one.gradient, &added(&many.gradient, per_copy), 1e-14);
    close(&one.of_estimate, &added(&many.of_estimate, per_estimate), 1e-14);
}

#[test]
fn parts_beside_a_state_are_a_recurrent_cell() {
    let (parts, state, outputs, steps, batch) = (2, 3, 2, 4, 5);
    let network = looped(cell(parts, state, outputs), steps, Entry::Parts(parts));
    let controls = wave(network.controls(), 1.1);
    let fields = wave(batch * parts * steps, 0.8);
    let mut own = Cpu::<f64>::new().build(&network, &Fabrication::ideal()).unwrap();
    own.program(&controls).unwrap();
    let mut readout = vec![0.0; batch * outputs];
    own.propagate(&fields, batch, &mut readout).unwrap();
    // h ← max(W [x_t; h] + b - 0.1, 0), y = V h + c
    let weights = |from: usize, rows: usize, columns: usize| {
        let (weights, biases) = controls[from..].split_at(rows * columns);
        move |row: usize, x: &[f64]| {
            biases[row] + weights[row * columns..][..columns].iter().zip(x).map(|(w, x)| w * x).sum::<f64>()
        }
    };
    let inner = weights(0, state, parts + state);
    let outer = weights(state * (parts + state) + state, outputs, state);
    for (sample, fields) in fields.chunks_exact(parts * steps).enumerate() {
        let mut h = vec![0.0; state];
        for part in fields.chunks_exact(parts) {
            let entered = [part, &h].concat();
            h = (0..state).map(|row| (inner(row, &entered) - 0.1).max(0.0)).collect();
        }
        let expected: Vec<f64> = (0..outputs).map(|row| outer(row, &h)).collect();
        close(&readout[sample * outputs..][..outputs], &expected, 1e-14);
    }
}

#[test]
fn gradients_of_controls_and_imperfections_are_those_of_differences() {
    let networks = [
        looped(light(4), 5, Entry::Once),
        looped(light(5), 3, Entry::Parts(2)),
        looped(light(4), 3, Entry::Held(1)),
        looped(cell(2, 3, 2), 4, Entry::Parts(2)),
        looped(cell(2, 3, 2), 4, Entry::Held(2)),
    ];
    for network in networks {
        let batch = 2;
        let (controls, estimate) = (wave(network.controls(), 1.3), wave(network.imperfections(), 0.7));
        let fields = wave(batch * network.input().width(), 0.9);
        let error = wave(batch * network.outputs(), 2.1);
        let found = run(&network, &controls, &estimate, &fields, &error);
        let value = |controls: &[f64], estimate: &[f64]| -> f64 {
            let readout = run(&network, controls, estimate, &fields, &error).readout;
            readout.iter().zip(&error).map(|(y, e)| y * e).sum()
        };
        let slopes = |at: &[f64], value: &dyn Fn(&[f64]) -> f64| -> Vec<f64> {
            let moved = |k: usize, step: f64| {
                let mut moved = at.to_vec();
                moved[k] += step;
                value(&moved)
            };
            // of fourth order
            let slope =
                |k, h: f64| (8.0 * (moved(k, h) - moved(k, -h)) - moved(k, 2.0 * h) + moved(k, -2.0 * h)) / (12.0 * h);
            (0..at.len()).map(|k| slope(k, 1e-3)).collect()
        };
        close(&found.gradient, &slopes(&controls, &|controls| value(controls, &estimate)), 1e-8);
        close(&found.of_estimate, &slopes(&estimate, &|estimate| value(&controls, estimate)), 1e-8);
    }
}

#[test]
fn layer_by_layer_it_is_the_same_gradient_every_time() {
    let network = looped(light(5), 3, Entry::Parts(2));
    let batch = 2;
    let (controls, fields) = (wave(network.controls(), 1.3), wave(batch * network.input().width(), 0.9));
    let error = wave(batch * network.outputs(), 2.1);
    let expected = run(&network, &controls, &wave(network.imperfections(), 0.0), &fields, &error).gradient;
    let mut own = Cpu::<f64>::new().build(&network, &Fabrication::ideal()).unwrap();
    own.program(&controls).unwrap();
    assert_eq!(own.layers(), 4);
    let mut taps: Vec<Vec<f64>> = (0..3).map(|layer| vec![0.0; batch * own.layer_outputs(layer)]).collect();
    own.propagate_tapped(&fields, batch, &mut taps, &mut vec![0.0; error.len()]).unwrap();
    let mut trace = own.trace(batch).unwrap();
    let mut gradient = vec![f64::NAN; controls.len()];
    for _ in 0..2 {
        for layer in 0..4 {
            let input = if layer == 0 { &fields } else { &taps[layer - 1] };
            own.record_layer(layer, input, batch, &mut trace).unwrap();
        }
        let mut errors = [error.clone(), vec![0.0; batch * 30]];
        errors[0].resize(batch * 30, 0.0);
        for layer in (0..4).rev() {
            let [from, to] = &mut errors;
            own.backpropagate_layer(layer, &trace, from, Some(to), &mut gradient).unwrap();
            errors.swap(0, 1);
        }
        close(&gradient, &expected, 1e-13);
    }
}

#[test]
fn parts_that_enter_on_the_way_are_those_of_the_samples_that_were_lit() {
    let network = looped(cell(2, 3, 2), 4, Entry::Parts(2));
    let mut own = Cpu::<f64>::new().build(&network, &Fabrication::ideal()).unwrap();
    own.program(&wave(network.controls(), 1.3)).unwrap();
    let mut output = vec![0.0; 6];
    let error = own.propagate_layer(1, &vec![0.0; 6], 2, &mut output).unwrap_err().to_string();
    assert!(error.contains("light layer 0"), "{error}");
    own.propagate_layer(0, &wave(16, 0.4), 2, &mut output).unwrap();
    assert!(own.propagate_layer(1, &vec![0.0; 3], 1, &mut output).is_err(), "another batch");
    own.propagate_layer(1, &vec![0.0; 6], 2, &mut output).unwrap();
    let error = own.propagate_layer(9, &vec![0.0; 6], 2, &mut output).unwrap_err().to_string();
    assert!(error.contains("crosses 5 layers"), "{error}");
}

/// Errors are the chip's, and the same at every step; noise is drawn anew at every one, and a converter reads what it feeds back.
#[test]
fn every_step_has_its_own_noise_and_converters_read_what_they_feed_back() {
    let noise = Noise {
        gain_noise: 0.1,
        hidden_relative_noise: 0.2,
        hidden_absolute_noise: 0.1,
        laser_noise: 0.15,
        thermal_noise: 0.05,
        adc_bits: 5,
        adc_range: 3.0,
        ..Noise::NONE
    };
    let chip = Imperfections { parameter_spread: 0.3, noise, ..Imperfections::NONE };
    for (entry, feedback) in [
        (Entry::Parts(2), Feedback::Analogue),
        (Entry::Parts(2), Feedback::Converted),
        (Entry::Held(2), Feedback::Converted),
    ] {
        let own = Recurrence { layers: 0..1, steps: 4, entry, feedback };
        let network = Network::recurrent(cell(2, 3, 2), own).unwrap();
        let converters = Noise { adc_bits: 4, adc_range: 1.0, ..Noise::NONE };
        for kind in [chip, Imperfections { noise: converters, ..chip }] {
            let fabrication = kind.fabricate(&network, 5).unwrap();
            let controls = wave(network.controls(), 1.1);
            let fields = wave(3 * network.input().width(), 0.8);
            let reference =
                Reference { network: &network, fabrication: &fabrication, first_controls: &controls, drift: &[] };
            let engine = Cpu::<f64>::new();
            let mut chip = crate::chip::Chip::new(&engine, &network, &fabrication).unwrap();
            chip.program(&controls).unwrap();
            let mut readout = engine.zeros(6).unwrap();
            for pass in 0..2 {
                chip.propagate(&fields, 3, &mut readout).unwrap();
                close(&readout, &reference.measure(&controls, &fields, pass).unwrap(), 1e-12);
            }
            // taps see the light of the same kind of pass
            let mut taps: Vec<Vec<f64>> = (0..4).map(|_| vec![0.0; 9]).collect();
            chip.propagate_tapped(&fields, 3, &mut taps, &mut readout).unwrap();
            close(&readout, &reference.measure(&controls, &fields, 2).unwrap(), 1e-12);
            let plain = reference.propagate(&controls, &fields).unwrap();
            let differs = readout.iter().zip(&plain).any(|(a, b)| (a - b).abs() > 1e-3);
            assert!(differs, "{feedback:?}");
        }
    }
}
