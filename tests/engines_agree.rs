//! Every engine means what the reference means: readouts and gradients of all sizes, batches, stages and imperfections.

use at_core::chip::Imperfections;
use at_core::cpu::Cpu;
use at_core::network::{Detection, Network, Stage};
use at_core::optics::{Activation, Layout, Mesh};
use at_core::propagator::{Layered, Propagator, Simulator, Watched};
use at_gpu::testing::require_gpu;
use at_tests::case::{Case, IDEAL, LOSSY};
use at_tests::compare::assert_close;
use at_tests::draws::normals;
use at_tests::networks::{
    ACTIVATIONS, DETECTIONS, coherent, every_stage, matrices, mesh_and_detectors, tiled, weight_banks,
};

/// Error per square root of the columns that light crosses, relative to the largest entry: rounding adds up like a walk.
const SINGLE: f64 = 1e-5;
const DOUBLE: f64 = 1e-13;

/// Columns of all meshes; a stage of another kind counts as one.
fn columns(network: &Network) -> usize {
    network.stages().map(|stage| if let Stage::Mesh(mesh) = stage { mesh.columns().len() } else { 1 }).sum()
}

fn agrees<E: Simulator>(engine: &E, tolerance: f64, case: &Case, what: &str) {
    let (got, expected) = (case.run(engine), case.expected());
    let tolerance = tolerance * (columns(&case.network) as f64).sqrt();
    let what = |part| format!("{} of {what}, batch {}, on {}", part, case.batch, engine.describe());
    assert_close(&what("readout"), &got.readout, &expected.readout, tolerance);
    assert_close(&what("gradient"), &got.gradient, &expected.gradient, tolerance);
}

fn all_agree(network: &Network, imperfections: &Imperfections, batch: usize, what: &str) {
    let case = Case::new(network.clone(), imperfections, batch, 40 + batch as u64);
    agrees(&Cpu::<f64>::new(), DOUBLE, &case, what);
    agrees(&Cpu::<f32>::new(), SINGLE, &case, what);
    if let Some(gpu) = require_gpu() {
        agrees(&gpu, SINGLE, &case, what);
    }
}

#[test]
fn on_meshes_of_every_size() {
    for modes in [2, 3, 5, 8, 16, 33, 64] {
        for batch in [1, 7, 64, 257] {
            for imperfections in [IDEAL, LOSSY] {
                let network = coherent(modes, 2, Activation::ELECTRO_OPTIC, Detection::Intensity);
                all_agree(&network, &imperfections, batch, &format!("two meshes, N = {modes}"));
            }
        }
    }
}

#[test]
fn on_every_layout_and_depth() {
    let even = Imperfections { loss_spread_db: 0.0, ..LOSSY };
    for modes in [2, 5, 12] {
        let meshes = [
            Mesh::universal(modes, Layout::Triangular).unwrap(),
            Mesh::truncated(modes, 1).unwrap(),
            Mesh::truncated(modes, 7).unwrap(),
            Mesh::truncated(modes, 40).unwrap(),
        ];
        for (mesh, imperfections) in meshes.iter().flat_map(|mesh| [(mesh, IDEAL), (mesh, even), (mesh, LOSSY)]) {
            let network = mesh_and_detectors(mesh, Detection::Homodyne { phase: 0.3 });
            let what = format!("N = {modes}, {:?}, {} columns", mesh.layout(), mesh.columns().len());
            all_agree(&network, &imperfections, 19, &what);
        }
    }
}

#[test]
fn on_every_stage_activation_and_detection() {
    for imperfections in [IDEAL, LOSSY] {
        all_agree(&every_stage(), &imperfections, 33, "every stage");
        for activation in ACTIVATIONS {
            let network = coherent(6, 3, activation, Detection::Homodyne { phase: 0.0 });
            all_agree(&network, &imperfections, 33, &format!("{activation:?}"));
        }
        for detection in DETECTIONS {
            let network = coherent(6, 1, Activation::ELECTRO_OPTIC, detection);
            all_agree(&network, &imperfections, 33, &format!("{detection:?}"));
        }
    }
}

#[test]
fn on_tiled_layers() {
    let tiles = [
        Mesh::rectangular(2).unwrap(),
        Mesh::rectangular(5).unwrap(),
        Mesh::rectangular(16).unwrap(),
        Mesh::triangular(6).unwrap(),
        Mesh::truncated(4, 9).unwrap(),
    ];
    let even = Imperfections { loss_spread_db: 0.0, perturbation: 0.0, ..LOSSY };
    for (tile, batch) in tiles.iter().flat_map(|tile| [(tile, 1), (tile, 19), (tile, 130)]) {
        for imperfections in [IDEAL, even, LOSSY] {
            all_agree(&tiled(tile), &imperfections, batch, &format!("tiles of {} modes", tile.modes()));
        }
    }
}

#[test]
fn on_matrices_and_weight_banks() {
    for imperfections in [IDEAL, LOSSY] {
        for batch in [1, 7, 64, 257] {
            all_agree(&matrices(&[30, 17, 1, 5]), &imperfections, batch, "matrices");
            all_agree(&weight_banks(&[30, 17, 1, 5]), &imperfections, batch, "weight banks");
        }
    }
}

/// Taps show what the reference has between its layers, and one layer's way back, around measured signals and with an error
/// that no readout gave, is the reference's.
fn layers_agree<E: Simulator>(engine: &E, tolerance: f64, case: &Case) {
    let tapped = case.run_tapped(engine);
    let mut input = case.fields.clone();
    let mut offset = 0;
    for (layer, (stages, tap)) in case.network.layers().iter().zip(&tapped).enumerate() {
        let what = |part| format!("{part} of layer {layer} on {}", engine.describe());
        let output = case.reference().propagate_layer(layer, &case.controls, &input).unwrap();
        assert_close(&what("tap"), tap, &output, tolerance);
        let error: Vec<f64> = normals(output.len(), 77).iter().map(|&value| f64::from(value as f32)).collect();
        let single: Vec<f64> = input.iter().map(|&value| f64::from(value as f32)).collect();
        let (gradient, input_error) = case.reference().layer_gradient(layer, &case.controls, &single, &error).unwrap();
        let controls: usize = stages.iter().map(Stage::controls).sum();
        let own = offset..offset + controls;
        let [asked, unasked] = case.run_layer_gradient(engine, layer, &single, &error);
        assert_close(&what("input error"), &asked.1, &input_error, tolerance);
        assert!(unasked.1.iter().all(|value| value.is_nan()), "{}", what("unasked input error"));
        for (got, _) in [&asked, &unasked] {
            assert_close(&what("gradient"), &got[own.clone()], &gradient[own.clone()], tolerance);
            let (before, after) = (&got[..own.start], &got[own.end..]);
            assert!(before.iter().chain(after).all(|&value| value == 7.0), "{}", what("other layers' gradient"));
        }
        offset = own.end;
        input = output;
    }
}

#[test]
fn on_taps_and_the_way_back_through_single_layers() {
    for network in [
        every_stage(),
        tiled(&Mesh::rectangular(4).unwrap()),
        matrices(&[30, 17, 1, 5]),
        weight_banks(&[30, 17, 20, 5]),
    ] {
        for imperfections in [IDEAL, LOSSY] {
            let case = Case::new(network.clone(), &imperfections, 33, 12);
            layers_agree(&Cpu::<f64>::new(), 10.0 * DOUBLE, &case);
            layers_agree(&Cpu::<f32>::new(), 10.0 * SINGLE, &case);
            if let Some(gpu) = require_gpu() {
                layers_agree(&gpu, 10.0 * SINGLE, &case);
            }
        }
    }
}

/// What detectors behind the meshes of every layer see, layer by layer around the reference's own taps.
fn watched<E: Simulator>(engine: &E, case: &Case) -> Vec<f64> {
    let mut network = case.programmed(engine);
    let mut input = engine.upload(&case.fields).unwrap();
    let mut seen = Vec::new();
    for (layer, stages) in case.network.layers().iter().enumerate() {
        let meshes = stages.iter().filter_map(|stage| match stage {
            Stage::Mesh(mesh) => Some(engine.upload(&vec![f64::NAN; case.batch * mesh.modes()]).unwrap()),
            _ => None,
        });
        let mut powers: Vec<_> = meshes.collect();
        let mut output = engine.zeros(case.batch * network.layer_outputs(layer)).unwrap();
        network.propagate_layer_watched(layer, &input, case.batch, &mut powers, &mut output).unwrap();
        powers.iter().for_each(|powers| seen.extend(engine.download(powers).unwrap()));
        // too many are refused, fewer are not
        let mut more: Vec<_> = (0..=powers.len()).map(|_| engine.zeros(1000).unwrap()).collect();
        assert!(network.propagate_layer_watched(layer, &input, case.batch, &mut more, &mut output).is_err());
        network.propagate_layer_watched(layer, &input, case.batch, &mut [], &mut output).unwrap();
        seen.extend(engine.download(&output).unwrap());
        input = output;
    }
    seen
}

#[test]
fn on_powers_behind_meshes() {
    let network = coherent(6, 3, Activation::ELECTRO_OPTIC, Detection::Intensity);
    let case = Case::new(network.clone(), &LOSSY, 4, 9);
    let expected = watched(&Cpu::<f64>::new(), &case);
    // behind the first mesh, what a network that ends there gives: powers of the fields that its activation meets
    let first = vec![network.layers()[0][0].clone(), Stage::detection(6, Detection::Intensity)];
    let (network, controls) = (Network::new(vec![first]).unwrap(), 36);
    let fabrication = at_core::chip::Fabrication {
        stages: vec![case.fabrication.stages[0].clone(), Default::default()],
        update_error: case.fabrication.update_error[..controls].to_vec(),
        ..at_core::chip::Fabrication::ideal()
    };
    let engine = Cpu::<f64>::new();
    let mut alone = engine.build(&network, &fabrication).unwrap();
    alone.program(&case.first_controls[..controls].to_vec()).unwrap();
    alone.program(&case.controls[..controls].to_vec()).unwrap();
    let mut powers = vec![0.0; 4 * 6];
    alone.propagate(&case.fields, 4, &mut powers).unwrap();
    assert_close("powers", &expected[..4 * 6], &powers, 1e-12);
    assert_close("cpu f32", &watched(&Cpu::<f32>::new(), &case), &expected, 1e-5);
    let Some(gpu) = require_gpu() else { return };
    assert_close("gpu", &watched(&gpu, &case), &expected, 1e-5);
}

#[test]
fn where_light_is_hard_to_rebuild() {
    // 51 dB of loss on the way, which an engine that rebuilds fields must not amplify.
    let imperfections = Imperfections { loss_db: 0.2, ..IDEAL };
    let network = mesh_and_detectors(&Mesh::truncated(32, 256).unwrap(), Detection::Intensity);
    all_agree(&network, &imperfections, 5, "256 lossy columns");
    let uneven = Imperfections { loss_spread_db: 0.05, ..imperfections };
    all_agree(&network, &uneven, 5, "256 unevenly lossy columns");
}
