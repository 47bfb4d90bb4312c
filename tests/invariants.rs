//! What holds for every mesh, whatever its phases: unitarity, Haar moments, the law of errors, parameter shift.

use at_core::cpu::Cpu;
use at_core::fabrication::Fabrication;
use at_core::imperfections::Imperfections;
use at_core::network::{Detection, Network, Stage};
use at_core::optics::haar::haar_phases;
use at_core::optics::{Activation, Layout, Mesh, transfer_matrix};
use at_core::propagator::{Adjoint, Propagator, Simulator};
use ndarray::Array2;
use num_complex::Complex64;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::f64::consts::FRAC_PI_2;

const LAYOUTS: [Layout; 2] = [Layout::Rectangular, Layout::Triangular];

fn spread(count: usize, width: f64, random: &mut StdRng) -> Vec<f64> {
    (0..count).map(|_| width * (2.0 * random.random::<f64>() - 1.0)).collect()
}

#[test]
fn a_mesh_with_imperfect_couplers_is_unitary() {
    let mut random = StdRng::seed_from_u64(21);
    for modes in [2, 3, 8, 33, 128] {
        for layout in LAYOUTS {
            let mesh = Mesh::universal(modes, layout).unwrap();
            let controls = haar_phases(&mesh, &mut random);
            let [first, second] = [(); 2].map(|()| spread(mesh.mzis(), 0.3, &mut random));
            let matrix = transfer_matrix(&mesh, &controls, Some((&first, &second))).unwrap();
            let product = matrix.t().mapv(|entry| entry.conj()).dot(&matrix);
            let defect =
                (product - Array2::<Complex64>::eye(modes)).iter().map(|entry| entry.norm()).fold(0.0, f64::max);
            assert!(defect < 1e-13 * modes as f64, "{layout:?}, N = {modes}: {defect:e}");
        }
    }
}

/// `E|U_ij|⁴ = 2/(N(N+1))` for every entry of a Haar-random matrix.
#[test]
fn random_meshes_have_the_moments_of_haar() {
    let draws = 20_000;
    let mut random = StdRng::seed_from_u64(22);
    for modes in [2, 3, 4, 5] {
        for layout in LAYOUTS {
            let mesh = Mesh::universal(modes, layout).unwrap();
            let mut moments = Array2::<f64>::zeros((modes, modes));
            for _ in 0..draws {
                let matrix = transfer_matrix(&mesh, &haar_phases(&mesh, &mut random), None).unwrap();
                moments += &matrix.mapv(|entry| entry.norm_sqr().powi(2) / f64::from(draws));
            }
            let expected = 2.0 / (modes * (modes + 1)) as f64;
            for ((row, column), moment) in moments.indexed_iter() {
                let ratio = moment / expected; // deviates by about 1 % in so many draws
                assert!((ratio - 1.0).abs() < 0.05, "{layout:?}, N = {modes}, ({row}, {column}): {ratio}");
            }
        }
    }
}

/// Small errors on a Haar mesh: `‖ΔU‖/√N ≈ √2 σ √N` for couplers of spread σ, `σ √N` for phases.
#[test]
fn matrix_errors_follow_their_law() {
    let sigma = 1e-3;
    let mut random = StdRng::seed_from_u64(23);
    for modes in [8, 16, 32] {
        let mesh = Mesh::rectangular(modes).unwrap();
        let detection = Stage::detection(modes, Detection::Intensity);
        let network = Network::new(vec![vec![Stage::Mesh(mesh.clone()), detection]]).unwrap();
        let couplers = Imperfections { splitter_angle: sigma, ..Imperfections::default() };
        let shifters = Imperfections { phase: sigma, ..Imperfections::default() };
        // finite N lies a little below the law
        for (kind, imperfections, range) in [("couplers", couplers, 1.25..1.45), ("phases", shifters, 0.9..1.05)] {
            let chips = 30;
            let mut mean_square = 0.0;
            for seed in 0..chips {
                let controls = haar_phases(&mesh, &mut random);
                let chip = imperfections.fabricate(&network, seed).unwrap();
                let [first_coupler, second_coupler, phases] =
                    chip.stage(0).get(["first_coupler", "second_coupler", "phases"]).unwrap();
                let told: Vec<f64> = controls.iter().zip(phases).map(|(control, error)| control + error).collect();
                let real = transfer_matrix(&mesh, &told, Some((first_coupler, second_coupler))).unwrap();
                let change = real - transfer_matrix(&mesh, &controls, None).unwrap();
                mean_square +=
                    change.iter().map(|entry| entry.norm_sqr()).sum::<f64>() / (modes * chips as usize) as f64;
            }
            let prefactor = mean_square.sqrt() / (sigma * (modes as f64).sqrt());
            assert!(range.contains(&prefactor), "{kind}, N = {modes}: {prefactor}");
        }
    }
}

/// A network of two lossy, imbalanced meshes with an activation between them, its controls and the input of three samples.
struct Case {
    network: Network,
    chip: Fabrication,
    controls: Vec<f64>,
    fields: Vec<f64>,
    weights: Vec<f64>,
    first: Mesh,
}

const BATCH: usize = 3;

fn case(modes: usize, layout: Layout) -> Case {
    let mut random = StdRng::seed_from_u64(24);
    let first = Mesh::universal(modes, layout).unwrap();
    let activation = Stage::activation(modes, Activation::ELECTRO_OPTIC);
    let detection = Stage::detection(modes, Detection::Intensity);
    let mesh = Stage::Mesh(first.clone());
    let network = Network::new(vec![vec![mesh.clone(), activation], vec![mesh, detection]]).unwrap();
    let errors =
        Imperfections { splitter_angle: 0.1, phase: 0.2, loss_db: 0.1, loss_spread_db: 0.05, ..Default::default() };
    let chip = errors.fabricate(&network, 5).unwrap();
    let controls = (0..2).flat_map(|_| haar_phases(&first, &mut random)).collect();
    let fields = spread(2 * modes * BATCH, 2.0, &mut random);
    let weights = spread(modes * BATCH, 1.0, &mut random);
    Case { network, chip, controls, fields, weights, first }
}

/// `Σ weights · powers` and its gradient.
fn weighted_powers(case: &Case, controls: &[f64]) -> (f64, Vec<f64>) {
    let engine = Cpu::<f64>::new();
    let mut inside = engine.build(&case.network, &case.chip).unwrap();
    inside.program(&controls.to_vec()).unwrap();
    let mut trace = inside.trace(BATCH).unwrap();
    let (mut readout, mut gradient) = (vec![0.0; case.weights.len()], vec![0.0; controls.len()]);
    inside.record(&case.fields, BATCH, &mut trace, &mut readout).unwrap();
    inside.backpropagate(&trace, &case.weights, &mut gradient).unwrap();
    (readout.iter().zip(&case.weights).map(|(power, weight)| power * weight).sum(), gradient)
}

/// Between a shifter of the last mesh and the detectors all is linear: `∂I/∂φ = [I(φ+π/2) - I(φ-π/2)]/2`, exactly.
#[test]
fn the_gradient_of_a_power_is_its_parameter_shift() {
    let other = [(4, Layout::Diamond), (4, Layout::Butterfly), (4, Layout::Benes)];
    for (modes, layout) in [(5, Layout::Rectangular), (4, Layout::Triangular)].into_iter().chain(other) {
        let case = case(modes, layout);
        let (_, gradient) = weighted_powers(&case, &case.controls);
        let largest = gradient.iter().map(|entry| entry.abs()).fold(0.0, f64::max);
        for index in case.first.controls()..case.controls.len() {
            let shifted = |shift: f64| {
                let mut controls = case.controls.clone();
                controls[index] += shift;
                weighted_powers(&case, &controls).0
            };
            let exact = (shifted(FRAC_PI_2) - shifted(-FRAC_PI_2)) / 2.0;
            let error = (gradient[index] - exact).abs();
            assert!(error < 1e-12 * largest, "{layout:?}, control {index}: {error:e}");
        }
    }
}

/// Detectors see no phase: γ of the last mesh has no gradient, and the γ of an earlier mesh none in sum.
#[test]
fn phases_that_no_detector_sees_have_no_gradient() {
    let case = case(5, Layout::Rectangular);
    let (_, gradient) = weighted_powers(&case, &case.controls);
    let (first, last) = gradient.split_at(case.first.controls());
    let largest = gradient.iter().map(|entry| entry.abs()).fold(0.0, f64::max);
    let (_, _, gamma) = case.first.split(last);
    assert!(gamma.iter().all(|entry| entry.abs() < 1e-13 * largest), "{gamma:?}");
    let (_, _, gamma) = case.first.split(first);
    assert!(gamma.iter().any(|entry| entry.abs() > 1e-3 * largest), "{gamma:?}");
    assert!(gamma.iter().sum::<f64>().abs() < 1e-13 * largest);
}
