use super::*;
use crate::cpu::Cpu;
use crate::imperfections::{Imperfections, Planes, Rings};
use crate::network::{Detection, Network, Stage, singular_value_stages};
use crate::optics::{Activation, AngularSpectrum, Layout, Mesh};
use crate::propagator::Simulator;
use crate::stage::Transmission;
use crate::tiled::tiled_stages;

/// A deterministic stand-in for random numbers in [-1, 1).
fn noise(index: usize) -> f64 {
    2.0 * ((index as f64 * 12.9898).sin() * 43758.5453).fract().abs() - 1.0
}

fn gradient_matches_differences(network: &Network, imperfections: &Imperfections, batch: usize) {
    let engine = Cpu::<f64>::new();
    let fabrication = imperfections.fabricate(network, 3).unwrap();
    let mut runner = engine.build(network, &fabrication).unwrap();
    let controls: Vec<f64> = (0..network.controls()).map(|k| 2.0 * noise(k + 7)).collect();
    let fields: Vec<f64> = (0..batch * network.input().width()).map(|k| noise(k + 100)).collect();
    let weights: Vec<f64> = (0..batch * network.outputs()).map(|k| noise(k + 900)).collect();
    let mut readout = vec![0.0; batch * network.outputs()];
    let mut trace = runner.trace(batch).unwrap();
    let mut gradient = vec![0.0; controls.len()];
    runner.program(&controls).unwrap();
    runner.record(&fields, batch, &mut trace, &mut readout).unwrap();
    runner.backpropagate(&trace, &weights, &mut gradient).unwrap();
    let largest = gradient.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
    let mut value = |controls: &Vec<f64>| {
        runner.program(controls).unwrap();
        runner.propagate(&fields, batch, &mut readout).unwrap();
        readout.iter().zip(&weights).map(|(r, w)| r * w).sum::<f64>()
    };
    for k in 0..controls.len() {
        let mut at = |step: f64| {
            let mut moved = controls.clone();
            moved[k] += step;
            value(&moved)
        };
        let h = 1e-3;
        let difference = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
        assert!(
            (difference - gradient[k]).abs() < 1e-8 * largest + 1e-11,
            "control {k}: {difference} against {}",
            gradient[k]
        );
    }
}

/// Three tiled layers, one of them wide and one narrow.
fn tiled_layers(tile: &Mesh) -> Network {
    let modes = tile.modes();
    let mut layers =
        vec![tiled_stages(2 * modes, 3 * modes, tile).unwrap(), tiled_stages(3 * modes, modes, tile).unwrap()];
    layers[0].push(Stage::activation(3 * modes, Activation::ELECTRO_OPTIC));
    layers[1].push(Stage::activation(modes, Activation::Spm { gain: 0.4 }));
    layers.push(tiled_stages(modes, 2 * modes, tile).unwrap());
    layers[2].push(Stage::detection(2 * modes, Detection::Intensity));
    Network::new(layers).unwrap()
}

#[test]
fn gradients_of_tiled_layers_match_differences() {
    let loss = Imperfections {
        splitter_angle: 0.1,
        phase: 0.3,
        loss_db: 0.3,
        loss_spread_db: 0.2,
        update_error: 0.3,
        ..Imperfections::NONE
    };
    for (tile, errors) in [
        (Mesh::rectangular(4).unwrap(), Imperfections::NONE),
        (Mesh::rectangular(3).unwrap(), loss),
        (Mesh::triangular(4).unwrap(), Imperfections { loss_spread_db: 0.0, ..loss }),
    ] {
        gradient_matches_differences(&tiled_layers(&tile), &errors, 5);
    }
}

#[test]
fn gradients_of_meshes_of_other_shapes_match_differences() {
    let loss =
        Imperfections { splitter_angle: 0.1, phase: 0.3, loss_db: 0.3, loss_spread_db: 0.2, ..Imperfections::NONE };
    let custom = Mesh::of_columns(7, &[vec![[1, 6], [0, 2]], vec![[4, 5]], vec![[2, 6], [3, 5]]]).unwrap();
    let named = [Mesh::diamond(6), Mesh::butterfly(8), Mesh::benes(4)].map(|mesh| mesh.unwrap());
    for mesh in named.into_iter().chain([custom]) {
        for errors in [Imperfections::NONE, loss, Imperfections { loss_spread_db: 0.0, ..loss }] {
            let (modes, stage) = (mesh.modes(), || Stage::Mesh(mesh.clone()));
            let hidden = vec![stage(), Stage::activation(modes, Activation::ELECTRO_OPTIC)];
            let last = vec![stage(), Stage::detection(modes, Detection::Intensity)];
            gradient_matches_differences(&Network::new(vec![hidden, last]).unwrap(), &errors, 5);
        }
        gradient_matches_differences(&tiled_layers(&mesh), &loss, 3);
    }
}

#[test]
fn gradients_of_imperfections_match_differences() {
    let loss = Imperfections { loss_db: 0.3, loss_spread_db: 0.2, update_error: 0.3, ..Default::default() };
    let other = [(6, Layout::Diamond), (8, Layout::Butterfly)];
    let known = [(2, Layout::Rectangular), (5, Layout::Rectangular), (6, Layout::Triangular)];
    for (modes, layout) in known.into_iter().chain(other) {
        for errors in [Imperfections::default(), loss] {
            let mesh = || Stage::Mesh(Mesh::universal(modes, layout).unwrap());
            let network = Network::new(vec![
                vec![mesh(), Stage::activation(modes, Activation::ELECTRO_OPTIC)],
                vec![mesh(), Stage::detection(modes, Detection::Intensity)],
            ])
            .unwrap();
            imperfection_gradient_matches_differences(&network, &errors, 19);
            imperfection_gradient_matches_differences(&network.with_unknown_losses(), &errors, 19);
        }
    }
    let mut tiled = tiled_stages(6, 3, &Mesh::rectangular(3).unwrap()).unwrap();
    tiled.push(Stage::detection(3, Detection::Intensity));
    let tiled = Network::new(vec![tiled]).unwrap();
    imperfection_gradient_matches_differences(&tiled, &loss, 19);
    imperfection_gradient_matches_differences(&tiled.with_unknown_losses(), &loss, 19);
    let banks = vec![Stage::weight_bank(5, 20), Stage::weight_bank(20, 3)];
    imperfection_gradient_matches_differences(&Network::new(vec![banks]).unwrap(), &loss, 19);
    let rings = Rings { ring_leak: 0.1, ring_loss_db: 0.7, ..Rings::NONE };
    let lossy = Imperfections { rings, ..Imperfections::NONE };
    let banks = vec![Stage::ring_bank(5, 20, 4, 8.0), Stage::ring_bank(20, 3, 5, 10.0)];
    imperfection_gradient_matches_differences(&Network::new(vec![banks]).unwrap(), &lossy, 19);
    let crossbars = vec![Stage::phase_change(5, 20), Stage::phase_change(20, 3)];
    imperfection_gradient_matches_differences(&Network::new(vec![crossbars]).unwrap(), &loss, 19);
}

#[test]
fn gradients_of_pixels_and_planes_match_differences() {
    let planes = Planes { pixel_phase: 0.3, plane_shift: 60.0, plane_distance: 90.0, plane_tilt: 0.05, ..Planes::NONE };
    // pixels of the second are so fine that some of their light decays on the way
    for (rows, columns, pitch_um, distance_um, wavelength_um) in
        [(5, 3, 400.0, 1_500.0, 750.0), (4, 6, 0.2, 0.3, 0.532), (6, 12, 400.0, 3_000.0, 750.0)]
    {
        let spectrum = AngularSpectrum { rows, columns, pitch_um, distance_um, wavelength_um };
        let space = || Stage::free_space(spectrum);
        let mask = |transmission| Stage::mask(rows, columns, transmission);
        let regions = Stage::regions(rows, columns, 2, 1);
        let homodyne = Stage::detection(rows * columns, Detection::Homodyne { phase: 0.3 });
        let planes = if pitch_um > 1.0 { planes } else { Planes { pixel_phase: 0.3, ..Planes::NONE } };
        for last in [regions, homodyne] {
            let aside = Stage::residual(vec![mask(Transmission::Amplitude), space()]);
            let layers = vec![
                vec![space(), mask(Transmission::Phase), Stage::activation(rows * columns, Activation::ELECTRO_OPTIC)],
                vec![space(), mask(Transmission::Complex), aside, space(), last],
            ];
            let errors = Imperfections { planes, ..Imperfections::NONE };
            imperfection_gradient_matches_differences(&Network::new(layers).unwrap(), &errors, 7);
        }
    }
}

fn imperfection_gradient_matches_differences(network: &Network, imperfections: &Imperfections, batch: usize) {
    let mut runner = Cpu::<f64>::new().build(network, &imperfections.fabricate(network, 3).unwrap()).unwrap();
    let controls: Vec<f64> = (0..network.controls()).map(|k| 2.0 * noise(k + 7)).collect();
    let estimate: Vec<f64> = (0..runner.imperfections()).map(|k| 0.2 * noise(k + 70)).collect();
    let fields: Vec<f64> = (0..batch * network.input().width()).map(|k| noise(k + 100)).collect();
    let weights: Vec<f64> = (0..batch * network.outputs()).map(|k| noise(k + 900)).collect();
    let mut readout = vec![0.0; batch * network.outputs()];
    let mut trace = runner.trace(batch).unwrap();
    let (mut gradient, mut plain) = (vec![0.0; controls.len()], vec![0.0; controls.len()]);
    let mut slopes = vec![0.0; estimate.len()];
    runner.program(&controls).unwrap();
    runner.record(&fields, batch, &mut trace, &mut readout).unwrap();
    assert!(runner.backpropagate_imperfections(&trace, &weights, &mut gradient, &mut slopes).is_err());
    runner.set_imperfections(&estimate).unwrap();
    runner.program(&controls).unwrap();
    runner.record(&fields, batch, &mut trace, &mut readout).unwrap();
    runner.backpropagate(&trace, &weights, &mut plain).unwrap();
    runner.backpropagate_imperfections(&trace, &weights, &mut gradient, &mut slopes).unwrap();
    assert_eq!(gradient, plain);
    let largest = slopes.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
    for k in 0..estimate.len() {
        let mut at = |step: f64| {
            let mut moved = estimate.clone();
            moved[k] += step;
            runner.set_imperfections(&moved).unwrap();
            runner.program(&controls).unwrap();
            runner.propagate(&fields, batch, &mut readout).unwrap();
            readout.iter().zip(&weights).map(|(r, w)| r * w).sum::<f64>()
        };
        let h = 1e-3;
        let difference = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
        let found = slopes[k];
        assert!((difference - found).abs() < 1e-8 * largest + 1e-11, "{k}: {difference} against {found}");
    }
}

#[test]
fn gradients_of_lossy_mesh_networks_match_differences() {
    let errors = Imperfections {
        splitter_angle: 0.1,
        phase: 0.3,
        loss_db: 0.3,
        loss_spread_db: 0.2,
        update_error: 0.4,
        ..Default::default()
    };
    for (modes, layout) in [(2, Layout::Rectangular), (5, Layout::Rectangular), (6, Layout::Triangular)] {
        for errors in [errors, Imperfections::default()] {
            let mesh = || Stage::Mesh(Mesh::universal(modes, layout).unwrap());
            let network = Network::new(vec![
                vec![mesh(), Stage::activation(modes, Activation::ELECTRO_OPTIC)],
                vec![mesh(), Stage::detection(modes, Detection::Intensity)],
            ])
            .unwrap();
            gradient_matches_differences(&network, &errors, 19);
        }
    }
}

#[test]
fn gradients_of_long_and_singular_value_meshes_match_differences() {
    let detect = Stage::detection(4, Detection::Homodyne { phase: 0.7 });
    let deep = Stage::Mesh(Mesh::truncated(4, 19).unwrap());
    let [v, sigma, u] = singular_value_stages(3, 4, Layout::Triangular).unwrap();
    let network = Network::new(vec![vec![v, sigma, u], vec![deep, detect]]).unwrap();
    gradient_matches_differences(&network, &Imperfections::default(), 3);
}

#[test]
fn gradients_of_weight_networks_match_differences() {
    let errors = Imperfections {
        parameter_spread: 0.6,
        response_amplitude: 0.2,
        response_slope: 0.2,
        response_offset: 0.1,
        ..Default::default()
    };
    let network =
        Network::new(vec![vec![Stage::matrix(5, 7), Stage::rectifier(7, 0.1)], vec![Stage::weight_bank(7, 3)]])
            .unwrap();
    gradient_matches_differences(&network, &errors, 9);
}

#[test]
fn gradients_through_every_activation_detection_and_modulation_match_differences() {
    let errors = Imperfections {
        splitter_angle: 0.1,
        phase: 0.3,
        loss_db: 0.3,
        loss_spread_db: 0.2,
        parameter_spread: 0.3,
        ..Default::default()
    };
    let activations = [
        Activation::ELECTRO_OPTIC,
        Activation::Saturable { depth: 1.7, saturation: 0.6 },
        Activation::ModRelu { bias: 0.2 },
        Activation::Spm { gain: 0.8 },
    ];
    let detections =
        [Detection::Intensity, Detection::Amplitude, Detection::Homodyne { phase: 0.7 }, Detection::Balanced];
    for activation in activations {
        for detection in detections {
            // Balanced detectors need pairs, the others stand at an odd number of modes.
            let modes = if detection == Detection::Balanced { 6 } else { 5 };
            let mesh = || Stage::Mesh(Mesh::universal(modes, Layout::Rectangular).unwrap());
            let network = Network::new(vec![
                vec![Stage::matrix(4, modes)],
                vec![Stage::modulation(modes), mesh(), Stage::activation(modes, activation)],
                vec![mesh(), Stage::detection(modes, detection)],
            ])
            .unwrap();
            gradient_matches_differences(&network, &errors, 7);
        }
    }
}
