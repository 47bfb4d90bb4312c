//! What lies between layers: taps, the way back through single layers, powers behind meshes.

use super::Precision;
use crate::case::{Case, IDEAL, LOSSY};
use crate::compare::assert_close;
use crate::draws::normals;
use crate::networks::{coherent, every_kind, matrices, tiled, weight_banks};
use at_core::fabrication::Fabrication;
use at_core::network::{Detection, Network, Stage};
use at_core::optics::{Activation, Mesh};
use at_core::propagator::{Layered, Simulator, Watched};

/// Taps show what the reference has between its layers, and one layer's way back, around measured signals and with an error
/// that no readout gave, is the reference's.
pub fn taps_and_the_way_back_through_single_layers<E: Simulator>(engine: &E, precision: Precision) {
    let banks = weight_banks(&[30, 17, 20, 5]);
    let others = [tiled(&Mesh::rectangular(4).unwrap()), matrices(&[30, 17, 1, 5]), banks];
    for network in every_kind().into_iter().chain(others) {
        for imperfections in [IDEAL, LOSSY] {
            let case = Case::new(network.clone(), &imperfections, 33, 12);
            layers_agree(engine, 10.0 * precision.rounding(), &case);
        }
    }
}

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

/// Powers behind meshes are those of detectors that stand there, for as many meshes as are asked about.
pub fn powers_behind_meshes<E: Simulator>(engine: &E, precision: Precision) {
    let network = coherent(6, 3, Activation::ELECTRO_OPTIC, Detection::Intensity);
    let case = Case::new(network.clone(), &LOSSY, 4, 9);
    let expected = expected_powers(&case);
    assert_close(
        &format!("on {}", engine.describe()),
        &watched(engine, &case),
        &expected,
        precision.tolerance(1e-12, 1e-5),
    );
}

/// By the reference: a network that ends behind each layer's mesh reads the power there; then the layer's own output.
fn expected_powers(case: &Case) -> Vec<f64> {
    let mut input = case.fields.clone();
    let mut expected = Vec::new();
    let mut offset = 0;
    for (layer, stages) in case.network.layers().iter().enumerate() {
        let modes = stages[0].output().modes;
        let detection = Stage::detection(modes, Detection::Intensity);
        let network = Network::new(vec![vec![stages[0].clone(), detection]]).unwrap();
        let own = offset..offset + network.controls();
        let first: usize = case.network.layers()[..layer].iter().map(Vec::len).sum();
        let fabrication = Fabrication {
            stages: vec![case.fabrication.stage(first).clone(), Default::default()],
            update_error: case.fabrication.update_error[own.clone()].to_vec(),
            ..Fabrication::ideal()
        };
        let alone = at_core::reference::Reference {
            network: &network,
            fabrication: &fabrication,
            first_controls: &case.first_controls[own.clone()],
            drift: &[],
        };
        expected.extend(alone.propagate(&case.controls[own.clone()], &input).unwrap());
        input = case.reference().propagate_layer(layer, &case.controls, &input).unwrap();
        expected.extend(&input);
        offset = own.end;
    }
    expected
}

/// What detectors behind the meshes of every layer see, and what leaves the layer.
fn watched<E: Simulator>(engine: &E, case: &Case) -> Vec<f64> {
    let mut network = case.programmed(engine);
    let mut input = engine.upload(&case.fields).unwrap();
    let mut seen = Vec::new();
    for (layer, stages) in case.network.layers().iter().enumerate() {
        let meshes = stages.iter().filter_map(|stage| {
            let Stage::Mesh(mesh) = stage else { return None };
            Some(engine.upload(&vec![f64::NAN; case.batch * mesh.modes()]).unwrap())
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
