//! A tiled layer is the matrix that its tiles make, creates no power, and keeps its dies apart.

use super::*;
use crate::cpu::Cpu;
use crate::fabrication::Fabrication;
use crate::files::chip_file::{read_chip, write_chip};
use crate::imperfections::{Control, Imperfections, Process};
use crate::network::{Detection, Network, Owner};
use crate::optics::{Layout, transfer_matrix};
use crate::propagator::{Propagator, Simulator};
use crate::reference::Reference;
use crate::training::{Initialization, initial_controls};
use num_complex::Complex64;

/// Deterministic numbers in [-1, 1).
fn noise(index: usize) -> f64 {
    2.0 * ((index as f64 * 12.9898).sin() * 43758.5453).fract().abs() - 1.0
}

/// A tiled layer as a network whose readout is the real part of its output fields, at the phase 0 or π/2.
fn layer(inputs: usize, outputs: usize, tile: &Mesh, phase: f64) -> Network {
    let mut stages = tiled_stages(inputs, outputs, tile).unwrap();
    stages.push(Stage::detection(outputs, Detection::Homodyne { phase }));
    Network::new(vec![stages]).unwrap()
}

#[test]
fn one_tile_is_its_mesh() {
    let mesh = Mesh::triangular(5).unwrap();
    assert_eq!(tiled_stages(5, 5, &mesh).unwrap(), [Stage::Mesh(mesh)]);
}

#[test]
fn a_layer_is_the_matrix_of_its_tiles() {
    for (tile, p, q) in [
        (Mesh::rectangular(4).unwrap(), 2, 3),
        (Mesh::triangular(3).unwrap(), 3, 1),
        (Mesh::truncated(5, 3).unwrap(), 1, 2),
    ] {
        let modes = tile.modes();
        let (inputs, outputs) = (q * modes, p * modes);
        let mesh = tile.on_dies(p * q).unwrap();
        let controls: Vec<f64> = (0..mesh.controls()).map(|k| 3.0 * noise(k)).collect();
        // the layer's matrix, from the dies' own
        let mut expected = vec![Complex64::ZERO; outputs * inputs];
        for die in 0..p * q {
            let mut own = vec![0.0; tile.controls()];
            for (control, (place, k)) in mesh.die_controls().into_iter().enumerate() {
                if place == die {
                    own[k] = controls[control];
                }
            }
            let matrix = transfer_matrix(&tile, &own, None).unwrap() / ((p * q) as f64).sqrt();
            for ((row, column), entry) in matrix.indexed_iter() {
                expected[(die / q * modes + row) * inputs + die % q * modes + column] = *entry;
            }
        }
        for light in 0..inputs {
            let mut fields = vec![0.0; 2 * inputs];
            fields[2 * light] = 1.0;
            let read = |phase| {
                let network = layer(inputs, outputs, &tile, phase);
                let fabrication = Fabrication::ideal();
                let reference =
                    Reference { network: &network, fabrication: &fabrication, first_controls: &[], drift: &[] };
                let plain = reference.propagate(&controls, &fields).unwrap();
                let mut chip = Cpu::<f64>::new().build(&network, &fabrication).unwrap();
                let mut readout = vec![0.0; outputs];
                chip.program(&controls).unwrap();
                chip.propagate(&fields, 1, &mut readout).unwrap();
                assert!(plain.iter().zip(&readout).all(|(a, b)| (a - b).abs() < 1e-13));
                plain
            };
            let (real, imaginary) = (read(0.0), read(std::f64::consts::FRAC_PI_2));
            for output in 0..outputs {
                let found = Complex64::new(real[output], imaginary[output]);
                assert!((found - expected[output * inputs + light]).norm() < 1e-13, "{output}, {light}");
            }
        }
    }
}

/// The share of light that arrives never exceeds 1, reaches it where all tiles of a column send the same fields in phase, and is
/// about 1/q for random tiles.
#[test]
fn no_light_is_created() {
    let tile = Mesh::rectangular(4).unwrap();
    let (p, q) = (2, 3);
    let mut stages = tiled_stages(q * 4, p * 4, &tile).unwrap();
    stages.push(Stage::detection(p * 4, Detection::Intensity));
    let network = Network::new(vec![stages]).unwrap();
    let fabrication = Fabrication::ideal();
    let reference = Reference { network: &network, fabrication: &fabrication, first_controls: &[], drift: &[] };
    let share = |controls: &[f64], fields: &[f64]| {
        let powers = reference.propagate(controls, fields).unwrap();
        powers.iter().sum::<f64>() / fields.iter().map(|x| x * x).sum::<f64>()
    };
    let mut mean = 0.0;
    for seed in 0..200 {
        let controls = initial_controls(&network, seed, &Initialization::FanIn).unwrap();
        let fields: Vec<f64> = (0..24).map(|k| noise(k + 100 * seed as usize)).collect();
        let arrives = share(&controls, &fields);
        assert!(arrives <= 1.0 + 1e-12, "{arrives}");
        mean += arrives / 200.0;
    }
    assert!((mean - 1.0 / q as f64).abs() < 0.05, "{mean}");
    let same: Vec<f64> = (0..24).map(|k| noise(k % 8)).collect();
    let equal = vec![1.0; network.controls()];
    assert!((share(&equal, &same) - 1.0).abs() < 1e-12);
}

#[test]
fn dies_are_individuals_and_a_chip_file_keeps_them() {
    let tile = Mesh::rectangular(4).unwrap();
    let network = layer(8, 8, &tile, 0.0);
    let kind = Imperfections {
        splitter_angle: 0.05,
        phase: 0.1,
        loss_db: 0.5,
        loss_spread_db: 0.1,
        update_error: 0.2,
        process: Process { process_phase: 0.1, die_phase: 0.5, die_splitter: 0.02, ..Process::NONE },
        control: Control { crosstalk: 0.01, heater_spread: 0.01, ..Control::NONE },
        ..Imperfections::NONE
    };
    let chip = kind.fabricate(&network, 8).unwrap();
    assert_eq!(chip, kind.fabricate(&network, 8).unwrap());
    assert_ne!(chip, kind.fabricate(&network, 9).unwrap());
    let [first_coupler, phases] = chip.stages[1].get(["first_coupler", "phases"]).unwrap();
    for errors in [first_coupler, phases] {
        assert!(errors.iter().enumerate().all(|(k, error)| !errors[..k].contains(error)), "no two are the same");
    }
    let path = std::env::temp_dir().join(format!("at-tiled-{}.npz", std::process::id()));
    write_chip(&path, &network, &chip).unwrap();
    let read = read_chip(&path, &network, None, Owner::ThisNetwork);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(read.unwrap().chip, chip);
}

#[test]
fn no_die_heats_another_and_each_has_its_own_mean() {
    let tile = Mesh::rectangular(4).unwrap();
    let network = layer(8, 8, &tile, 0.0);
    let mesh = tile.on_dies(4).unwrap();
    let control = Control { crosstalk: 0.05, crosstalk_length: 100.0, ..Control::NONE };
    let process = Process { die_phase: 0.5, ..Process::NONE };
    let chip = Imperfections { control, process, ..Imperfections::NONE }.fabricate(&network, 1).unwrap();
    let alone =
        Network::new(vec![vec![Stage::Mesh(tile.clone()), layer(4, 4, &tile, 0.0).layers()[0][1].clone()]]).unwrap();
    let single = Imperfections { control, ..Imperfections::NONE }.fabricate(&alone, 1).unwrap();
    let dies = mesh.die_controls();
    let row = |fabrication: &Fabrication, control: usize, own: &dyn Fn(usize) -> usize| {
        let coupling = &fabrication.control.coupling;
        let entries = coupling.starts[control] as usize..coupling.starts[control + 1] as usize;
        let mut row: Vec<_> =
            entries.map(|k| (own(coupling.neighbours[k] as usize), coupling.strengths[k].to_bits())).collect();
        row.sort_unstable();
        row
    };
    for (control, &(die, own)) in dies.iter().enumerate() {
        let inside = |other: usize| {
            assert_eq!(dies[other].0, die);
            dies[other].1
        };
        assert_eq!(row(&chip, control, &inside), row(&single, own, &|other| other));
    }
    let [phases] = chip.stages[1].get(["phases"]).unwrap();
    let mut means = vec![Vec::new(); 4];
    dies.iter().zip(phases).for_each(|((die, _), phase)| means[*die].push(*phase));
    for (die, phases) in means.iter().enumerate() {
        assert!(phases.iter().all(|phase| *phase == phases[0]));
        assert!(means[..die].iter().all(|other| other[0] != phases[0]));
    }
}

#[test]
fn every_die_starts_haar_random() {
    let tile = Mesh::rectangular(3).unwrap();
    let network = layer(6, 3, &tile, 0.0);
    let draws = 4000;
    let mut fourth = [0.0; 2];
    for seed in 0..draws {
        let controls = initial_controls(&network, seed, &Initialization::FanIn).unwrap();
        let mesh = tile.on_dies(2).unwrap();
        let matrix = transfer_matrix(&mesh, &controls, None).unwrap();
        for (die, sum) in fourth.iter_mut().enumerate() {
            *sum += matrix[[3 * die + 1, 3 * die + 2]].norm_sqr().powi(2) / draws as f64;
        }
        assert!(matrix[[0, 3]].norm() == 0.0 && matrix[[5, 1]].norm() == 0.0);
    }
    // E|U|⁴ = 2/(N(N+1))
    assert!(fourth.iter().all(|moment| (moment * 6.0 - 1.0).abs() < 0.06), "{fourth:?}");
}

#[test]
fn tiles_that_do_not_divide_a_layer_are_refused() {
    let tile = Mesh::universal(16, Layout::Rectangular).unwrap();
    let error = |inputs, outputs| tiled_stages(inputs, outputs, &tile).unwrap_err().to_string();
    assert!(error(60, 64).ends_with("tiles of 16 modes do not divide 60 inputs; use 48 or 64"), "{}", error(60, 64));
    assert!(error(64, 7).ends_with("tiles of 16 modes do not divide 7 outputs; use 16"), "{}", error(64, 7));
    assert!(tiled_stages(0, 16, &tile).is_err());
    assert!(tiled_stages(1 << 20, 1 << 20, &tile).is_err(), "too many modes");
    let block = Stage::combiner(6, 2, 4);
    let detection = Stage::detection(6, Detection::Intensity);
    assert!(Network::new(vec![vec![block, detection]]).is_err());
}

/// Through the pages of the stages, from unit fields.
#[test]
fn tiles_of_singular_values_make_any_matrix() {
    for (outputs, inputs, tile, layout) in [
        (6, 9, 3, Layout::Rectangular),
        (4, 4, 4, Layout::Triangular),
        (8, 2, 2, Layout::Rectangular),
        (4, 8, 4, Layout::Triangular),
    ] {
        let matrix = ndarray::Array2::from_shape_fn((outputs, inputs), |(row, column)| {
            let place = (row * inputs + column) as f64;
            num_complex::Complex64::new((1.3 * place + 0.2).sin(), (0.7 * place).cos())
        });
        let controls = tiled_singular_value_controls(&matrix, tile, layout).unwrap();
        let stages = tiled_singular_value_stages(inputs, outputs, &Mesh::universal(tile, layout).unwrap()).unwrap();
        assert_eq!(controls.len(), stages.iter().map(Stage::controls).sum::<usize>());
        for input in 0..inputs {
            let mut signal = vec![0.0; 2 * inputs];
            signal[2 * input] = 1.0;
            let mut rest = &controls[..];
            for stage in &stages {
                let (own, behind) = rest.split_at(stage.controls());
                signal = stage.element().forward(&crate::stage::StageErrors::NONE, own, &signal);
                rest = behind;
            }
            for (output, field) in signal.chunks_exact(2).enumerate() {
                let made = num_complex::Complex64::new(field[0], field[1]);
                assert!((made - matrix[[output, input]]).norm() < 1e-12, "({output}, {input}) of {outputs} x {inputs}");
            }
        }
    }
    let dark = tiled_singular_value_controls(&ndarray::Array2::zeros((4, 4)), 2, Layout::Rectangular).unwrap();
    assert!(dark.iter().all(|control| control.is_finite()));
    let wrong = ndarray::Array2::ones((4, 5));
    assert!(
        tiled_singular_value_controls(&wrong, 2, Layout::Rectangular).unwrap_err().to_string().contains("use 4 or 6")
    );
}
