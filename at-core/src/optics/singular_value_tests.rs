//! Matrices come back from their singular values and from the stages that they program.

use super::*;
use crate::cpu::Cpu;
use crate::engine::Engine;
use crate::fabrication::Fabrication;
use crate::network::{Detection, Network, Stage, singular_value_stages};
use crate::propagator::{Propagator, Simulator};
use ndarray::Array1;
use rand::{SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, StandardNormal};
use std::f64::consts::FRAC_PI_2;

const LAYOUTS: [Layout; 2] = [Layout::Rectangular, Layout::Triangular];

fn gaussian(outputs: usize, inputs: usize, random: &mut StdRng) -> Array2<Complex64> {
    Array2::from_shape_simple_fn((outputs, inputs), || {
        Complex64::new(StandardNormal.sample(random), StandardNormal.sample(random))
    })
}

/// Full, real, tall, wide, of low rank, with repeated values, badly scaled, zero.
fn matrices() -> Vec<Array2<Complex64>> {
    let mut random = StdRng::seed_from_u64(11);
    let mut all: Vec<_> = [(2, 2), (3, 2), (2, 5), (8, 8), (16, 9), (7, 20), (40, 40)]
        .map(|(outputs, inputs)| gaussian(outputs, inputs, &mut random))
        .into();
    all.push(gaussian(6, 6, &mut random).mapv(|entry| entry.re.into()));
    all.push(gaussian(9, 2, &mut random).dot(&gaussian(2, 7, &mut random)));
    all.push(gaussian(5, 1, &mut random).dot(&gaussian(1, 12, &mut random)));
    all.push(gaussian(4, 4, &mut random) * Complex64::from(1e200));
    all.push(gaussian(4, 4, &mut random) * Complex64::from(1e-200));
    let graded = Array1::from_iter((0..8).map(|k| Complex64::from(10_f64.powi(-2 * k))));
    all.push(gaussian(8, 8, &mut random).dot(&Array2::from_diag(&graded)));
    all.extend([Array2::eye(5), Array2::zeros((3, 4)), Array2::ones((4, 4))]);
    all
}

fn size(matrix: &Array2<Complex64>) -> f64 {
    matrix.iter().map(|entry| entry.norm()).fold(0.0, f64::max)
}

fn defect(unitary: &Array2<Complex64>) -> f64 {
    size(&(unitary.t().mapv(|entry| entry.conj()).dot(unitary) - Array2::<Complex64>::eye(unitary.ncols())))
}

#[test]
fn the_product_is_the_matrix_and_the_factors_are_unitary() {
    for matrix in matrices() {
        let (outputs, inputs) = matrix.dim();
        let SingularValues { left, values, right } = singular_values(&matrix).unwrap();
        assert_eq!(
            (left.dim(), right.dim(), values.len()),
            ((outputs, outputs), (inputs, inputs), outputs.min(inputs))
        );
        assert!(values.is_sorted_by(|a, b| a >= b) && values.iter().all(|&value| value >= 0.0));
        let mut middle = Array2::<Complex64>::zeros((outputs, inputs));
        values.iter().enumerate().for_each(|(k, &value)| middle[[k, k]] = value.into());
        let error = size(&(left.dot(&middle).dot(&right) - &matrix));
        let bound = 1e-14 * outputs.max(inputs) as f64;
        assert!(error <= bound * values[0], "{outputs} × {inputs}: {error:e}");
        assert!(defect(&left) < bound && defect(&right) < bound, "{:e} {:e}", defect(&left), defect(&right));
    }
}

#[test]
fn known_singular_values_are_found() {
    let ones = singular_values(&Array2::ones((4, 4))).unwrap().values;
    assert!((ones[0] - 4.0).abs() < 1e-14 && ones[1..] == [0.0; 3], "{ones:?}");
    let mut random = StdRng::seed_from_u64(12);
    let (left, right) = [5, 3].map(|n| singular_values(&gaussian(n, n, &mut random)).unwrap().left).into();
    let mut middle = Array2::<Complex64>::zeros((5, 3));
    let known = [3.0, 3.0, 1e-9];
    known.iter().enumerate().for_each(|(k, &value)| middle[[k, k]] = value.into());
    let found = singular_values(&left.dot(&middle).dot(&right)).unwrap().values;
    assert!(found.iter().zip(known).all(|(found, known)| (found - known).abs() < 1e-14), "{found:?}");
}

/// The matrix of the stages as the engine runs them: its columns are the answers to unit fields.
fn run(network: [Stage; 3], controls: &[f64], inputs: usize, outputs: usize) -> Array2<Complex64> {
    let quadrature = |phase: f64| {
        let detection = Stage::detection(outputs, Detection::Homodyne { phase });
        let stages: Vec<Stage> = network.iter().cloned().chain([detection]).collect();
        let engine = Cpu::<f64>::new();
        let network = Network::new(vec![stages]).unwrap();
        let mut built = engine.build(&network, &Fabrication::ideal()).unwrap();
        built.program(&controls.to_vec()).unwrap();
        let units: Vec<f64> = Array2::<f64>::eye(inputs).iter().flat_map(|&re| [re, 0.0]).collect();
        let mut readout = engine.zeros(inputs * outputs).unwrap();
        built.propagate(&units, inputs, &mut readout).unwrap();
        readout
    };
    let (re, im) = (quadrature(0.0), quadrature(FRAC_PI_2));
    Array2::from_shape_fn((outputs, inputs), |(output, input)| {
        Complex64::new(re[input * outputs + output], im[input * outputs + output])
    })
}

#[test]
fn programmed_stages_make_the_matrix() {
    for matrix in matrices() {
        let (outputs, inputs) = matrix.dim();
        for layout in LAYOUTS {
            let controls = singular_value_controls(&matrix, layout).unwrap();
            let stages = singular_value_stages(inputs, outputs, layout).unwrap();
            let made = run(stages, &controls, inputs, outputs);
            let error = size(&(made - &matrix));
            assert!(error <= 1e-12 * size(&matrix), "{outputs} × {inputs}, {layout:?}: {error:e}");
        }
    }
}

#[test]
fn matrices_without_meaning_are_errors() {
    assert!(singular_values(&Array2::zeros((0, 3))).unwrap_err().to_string().contains("0 × 3"));
    let mut matrix = Array2::zeros((2, 2));
    matrix[[1, 0]] = Complex64::new(f64::NAN, 0.0);
    assert!(singular_values(&matrix).unwrap_err().to_string().contains("(1, 0)"));
    assert!(singular_value_controls(&Array2::ones((1, 4)), Layout::Rectangular).is_err());
}
