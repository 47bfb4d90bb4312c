//! Every kernel of the GPU means what the reference means, also those that the cost model would not take at these sizes.

use at_core::imperfections::Imperfections;
use at_core::network::{Detection, Network, Stage};
use at_core::optics::{Activation, Layout, Mesh};
use at_gpu::testing::require_gpu;
use at_gpu::{Gpu, MeshVariant, Preferences};
use at_tests::case::{Case, IDEAL, LOSSY, Outcome};
use at_tests::compare::assert_close;
use at_tests::networks::{
    coherent, convolutional, matrices, mesh_and_detectors, other_shapes, patches_through_anything, tiled,
};

/// Error per square root of the columns that light crosses, relative to the largest entry.
const SINGLE: f64 = 1e-5;

fn agrees(gpu: &Gpu, case: &Case, expected: &Outcome, what: &str) {
    let columns = |stage: &Stage| if let Stage::Mesh(mesh) = stage { mesh.columns().len() } else { 1 };
    let tolerance = SINGLE * (case.network.stages().map(columns).sum::<usize>() as f64).sqrt();
    let got = case.run(gpu);
    let what = |part| format!("{part} of {what}, batch {}", case.batch);
    assert_close(&what("readout"), &got.readout, &expected.readout, tolerance);
    assert_close(&what("gradient"), &got.gradient, &expected.gradient, tolerance);
}

fn every_variant_agrees(gpu: &Gpu, network: &Network, batch: usize, what: &str) {
    for (imperfections, chip) in [(IDEAL, "ideal"), (LOSSY, "lossy")] {
        let case = Case::new(network.clone(), &imperfections, batch, 40 + batch as u64);
        let expected = case.expected();
        let modes =
            network.stages().filter_map(|stage| if let Stage::Mesh(mesh) = stage { Some(mesh.modes()) } else { None });
        let widest = modes.max().expect("there is a mesh");
        for mesh in MeshVariant::ALL {
            if !mesh.is_possible(gpu, widest) {
                eprintln!("skipped: {mesh:?} cannot carry {widest} modes on {}", gpu.adapter().name);
                continue;
            }
            let gpu = gpu.preferring(Preferences { mesh: Some(mesh), ..Preferences::default() });
            agrees(&gpu, &case, &expected, &format!("{what}, {chip}, {mesh:?}"));
        }
    }
}

#[test]
fn meshes_of_every_size() {
    let Some(gpu) = require_gpu() else { return };
    for modes in [2, 3, 5, 8, 16, 33, 64] {
        for batch in [1, 7, 64, 257] {
            let network = coherent(modes, 1, Activation::ELECTRO_OPTIC, Detection::Homodyne { phase: 0.3 });
            every_variant_agrees(&gpu, &network, batch, &format!("N = {modes}"));
        }
    }
}

#[test]
fn meshes_of_every_shape() {
    let Some(gpu) = require_gpu() else { return };
    let meshes = [
        Mesh::universal(40, Layout::Triangular).unwrap(),
        Mesh::truncated(2, 1).unwrap(),
        Mesh::truncated(37, 100).unwrap(),
        Mesh::truncated(130, 33).unwrap(),
    ];
    for mesh in meshes.iter().chain(&other_shapes()) {
        let network = mesh_and_detectors(mesh, Detection::Homodyne { phase: 0.3 });
        let what = format!("N = {}, {:?}, {} columns", mesh.modes(), mesh.layout(), mesh.columns().len());
        every_variant_agrees(&gpu, &network, 19, &what);
    }
}

#[test]
fn meshes_on_dies() {
    let Some(gpu) = require_gpu() else { return };
    for (mesh, dies, batch) in [
        (Mesh::rectangular(2).unwrap(), 7, 3),
        (Mesh::rectangular(16).unwrap(), 4, 70),
        (Mesh::rectangular(5).unwrap(), 3, 19),
        (Mesh::triangular(6).unwrap(), 9, 19),
        (Mesh::truncated(44, 70).unwrap(), 3, 19),
    ] {
        let mesh = mesh.on_dies(dies).unwrap();
        let network = mesh_and_detectors(&mesh, Detection::Homodyne { phase: 0.3 });
        every_variant_agrees(&gpu, &network, batch, &format!("{dies} dies of {} modes", mesh.die_modes()));
    }
    every_variant_agrees(&gpu, &tiled(&Mesh::rectangular(8).unwrap()), 33, "tiled layers");
    // more than workgroup memory holds: windows of whole dies
    let wide = Mesh::rectangular(6).unwrap().on_dies(800).unwrap();
    let network = mesh_and_detectors(&wide, Detection::Homodyne { phase: 0.3 });
    let case = Case::new(network, &Imperfections { perturbation: 0.0, ..LOSSY }, 2, 42);
    let gpu = gpu.preferring(Preferences { mesh: Some(MeshVariant::Stream), ..Preferences::default() });
    agrees(&gpu, &case, &case.expected(), "800 dies of 6 modes");
}

#[test]
fn several_meshes_and_activations() {
    let Some(gpu) = require_gpu() else { return };
    let network = coherent(6, 3, Activation::ELECTRO_OPTIC, Detection::Intensity);
    every_variant_agrees(&gpu, &network, 33, "three meshes");
}

#[test]
fn large_and_small_tiles_of_matrix_products() {
    let Some(gpu) = require_gpu() else { return };
    for (widths, batch) in [(&[30, 17, 1, 5], 7), (&[130, 200, 140, 3], 150)] {
        let case = Case::new(matrices(widths), &LOSSY, batch, 6);
        let expected = case.expected();
        for large in [false, true] {
            let gpu = gpu.preferring(Preferences { large_products: Some(large), ..Preferences::default() });
            agrees(&gpu, &case, &expected, &format!("matrices {widths:?}, large tiles: {large}"));
        }
    }
}

/// A gradient is the sum of those of the pieces, whole and broken ones.
#[test]
fn convolutions_in_pieces_of_a_batch() {
    let Some(gpu) = require_gpu() else { return };
    for batch in [1, 7, 12] {
        let case = Case::new(convolutional(), &LOSSY, batch, 8);
        let expected = case.expected();
        for samples in [1, 3, 12] {
            let gpu = gpu.preferring(Preferences { samples_of_patches: Some(samples), ..Preferences::default() });
            agrees(&gpu, &case, &expected, &format!("convolutions, {samples} samples at a time"));
        }
    }
    for (what, network) in patches_through_anything() {
        let case = Case::new(network, &LOSSY, 7, 8);
        let expected = case.expected();
        let gpu = gpu.preferring(Preferences { samples_of_patches: Some(3), ..Preferences::default() });
        agrees(&gpu, &case, &expected, &format!("patches through {what}, 3 samples at a time"));
    }
}
