//! Convolutional networks are trained as all others are: patches share one bank, and methods learn of the one.

use super::adaptive::misses;
use super::fixture::{Fixture, losses, settings, suitable};
use crate::cpu::Cpu;
use crate::data::ImageShape;
use crate::engine::Optimizer;
use crate::fabrication::Fabrication;
use crate::imperfections::Imperfections;
use crate::network::{Network, Stage};
use crate::propagator::{Propagator, Simulator, Tunable};
use crate::stage::{Patches, Pool};
use crate::training::MethodName;

const CELLS: Imperfections =
    Imperfections { response_amplitude: 0.2, response_slope: 0.2, response_offset: 0.3, ..Imperfections::NONE };

/// 1×4×4 pixels, six 3×3 kernels with a border of zeros, maxima of 2×2, a bank to three classes.
fn network() -> Network {
    let patches = Patches { image: ImageShape::new(1, 4, 4), kernel: [3, 3], stride: 1, padding: 1 };
    Network::new(vec![
        vec![
            Stage::convolution(patches, Stage::weight_bank(9, 6)),
            Stage::rectifier(96, 0.0),
            Stage::pooling(ImageShape::new(6, 4, 4), 2, Pool::Max),
        ],
        vec![Stage::weight_bank(24, 3)],
    ])
    .unwrap()
}

#[test]
fn methods_lower_the_loss_of_a_convolutional_network() {
    let fixture = Fixture::new(Cpu::<f32>::new(), network(), &CELLS, settings(3, 40, 0.01, Optimizer::ADAM));
    for name in [MethodName::At, MethodName::AtAdaptive, MethodName::Pat, MethodName::PatOutput, MethodName::Ideal] {
        let (first, last) = losses(&fixture, name);
        assert!(last < 0.7 * first, "{name}: {first} to {last}");
    }
}

/// All others, too, but those that are for meshes, which say so before anything begins.
#[test]
fn every_method_trains_it_or_refuses_it() {
    let network = network();
    let fits = suitable(&network);
    for name in MethodName::ALL {
        if !fits.contains(&name) {
            continue;
        }
        let fixture = Fixture::new(Cpu::<f32>::new(), network.clone(), &CELLS, settings(3, 2, 0.001, Optimizer::Sgd));
        let (first, last) = losses(&fixture, name);
        assert!(first.is_finite() && last.is_finite() && last != first, "{name}: {first} to {last}");
    }
    for name in [MethodName::InSitu, MethodName::ParameterShift, MethodName::Subspace] {
        assert!(!fits.contains(&name), "{name} is for meshes");
    }
    assert!(fits.len() > 8, "{fits:?}");
}

#[test]
fn what_is_learned_of_the_one_bank_explains_what_all_patches_meet() {
    let fixture = Fixture::new(Cpu::<f64>::new(), network(), &CELLS, settings(3, 60, 0.01, Optimizer::ADAM));
    let (learned, nominal, numbers) = misses(&fixture);
    assert_eq!(numbers, 3 * (6 * 10 + 3 * 25), "three numbers of every cell, however many patches");
    assert!(learned < 0.4 * nominal, "{learned} {nominal}");
}

/// The gradient of the estimate is the derivative of the readout, summed over all patches and all pieces of a batch.
#[test]
fn the_gradient_of_an_estimate_is_its_derivative() {
    use crate::propagator::Adjoint;
    let engine = Cpu::<f64>::new();
    let network = network();
    let mut model = engine.build(&network, &Fabrication::ideal()).unwrap();
    let count = network.imperfections();
    let wave = |len: usize, by: f64| (0..len).map(|k| by * (1.9 * k as f64 + 0.3).sin()).collect::<Vec<f64>>();
    let (controls, estimate, x) = (wave(network.controls(), 0.6), wave(count, 0.1), wave(2 * 16, 1.0));
    let error = wave(2 * 3, 1.0);
    let mut readout = vec![0.0; 6];
    let mut loss = |estimate: &Vec<f64>| {
        model.set_imperfections(estimate).unwrap();
        model.program(&controls).unwrap();
        model.propagate(&x, 2, &mut readout).unwrap();
        readout.iter().zip(&error).map(|(r, e)| r * e).sum::<f64>()
    };
    let step = 1e-3;
    let slopes: Vec<f64> = (0..count)
        .map(|k| {
            let [more, less, beyond, before] = [step, -step, 2.0 * step, -2.0 * step].map(|by| {
                let mut moved = estimate.clone();
                moved[k] += by;
                loss(&moved)
            });
            (8.0 * (more - less) - beyond + before) / (12.0 * step) // of fourth order
        })
        .collect();
    model.set_imperfections(&estimate).unwrap();
    model.program(&controls).unwrap();
    let mut trace = model.trace(2).unwrap();
    model.record(&x, 2, &mut trace, &mut readout).unwrap();
    let (mut gradient, mut found) = (vec![0.0; network.controls()], vec![0.0; count]);
    model.backpropagate_imperfections(&trace, &error, &mut gradient, &mut found).unwrap();
    let far = found.iter().zip(&slopes).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(far < 1e-8 && slopes.iter().any(|slope| slope.abs() > 0.1), "{far}");
}
