//! An estimate of a chip's imperfections on a GPU: readouts with it, and gradients of it, against the CPU in f64.

use at_core::cpu::Cpu;
use at_core::engine::Engine;
use at_core::fabrication::Fabrication;
use at_core::imperfections::Imperfections;
use at_core::network::{Detection, Network, Stage, singular_value_stages};
use at_core::optics::{Activation, AngularSpectrum, Layout, Mesh};
use at_core::propagator::{Adjoint, Propagator, Simulator, Tunable};
use at_core::tiled::tiled_singular_value_stages;
use at_gpu::testing::require_gpu;
use at_gpu::{Gpu, LimitChoice, MeshVariant, Preferences, Selection};
use at_tests::case::{Case, IDEAL, LOSSY};
use at_tests::compare::{assert_close, largest};
use at_tests::draws::normals;
use at_tests::networks::{
    coherent, convolutional, diffractive, looped, mesh_and_detectors, network, other_shapes, patches_through_anything,
    phase_change, residuals, ring_banks, tiled, weight_banks,
};

/// Error per square root of the columns that light crosses, relative to the largest entry.
const SINGLE: f64 = 1e-5;

/// Errors of every kind, but losses that are even.
const EVEN: Imperfections = Imperfections { loss_spread_db: 0.0, perturbation: 0.0, ..LOSSY };

/// Readout, gradient of the controls, gradient of the imperfections.
type Found = [Vec<f64>; 3];

fn estimate(network: &Network) -> Vec<f64> {
    normals(network.imperfections(), 77).into_iter().map(|error| f64::from((0.2 * error) as f32)).collect()
}

/// What `engine` gives with the estimate. Buffers that it overwrites start as NaN.
fn run<E: Simulator>(engine: &E, case: &Case) -> Found {
    let mut model = case.programmed(engine);
    let nothing = |len| engine.upload(&vec![f64::NAN; len]).unwrap();
    model.set_imperfections(&engine.upload(&estimate(&case.network)).unwrap()).unwrap();
    model.program(&engine.upload(&case.controls).unwrap()).unwrap();
    let fields = engine.upload(&case.fields).unwrap();
    let error = engine.upload(&case.error).unwrap();
    let mut trace = model.trace(case.batch).unwrap();
    let (mut readout, mut gradient) = (nothing(case.error.len()), nothing(model.controls()));
    let mut slopes = nothing(model.imperfections());
    model.record(&fields, case.batch, &mut trace, &mut readout).unwrap();
    model.backpropagate_imperfections(&trace, &error, &mut gradient, &mut slopes).unwrap();
    let found = [&readout, &gradient, &slopes].map(|buffer| engine.download(buffer).unwrap());
    assert!(found.iter().all(|values| largest(values).is_finite()), "every entry is written");
    // The plain way back of the same model, with the stages that are best for it, finds the same controls' gradient.
    let mut plain = nothing(model.controls());
    model.backpropagate(&trace, &error, &mut plain).unwrap();
    assert_close("gradient without and with imperfections", &engine.download(&plain).unwrap(), &found[1], 1e-4);
    // And sums run in one order.
    let (mut again, mut slopes) = (nothing(model.controls()), nothing(model.imperfections()));
    model.backpropagate_imperfections(&trace, &error, &mut again, &mut slopes).unwrap();
    assert_eq!(engine.download(&again).unwrap(), found[1]);
    assert_eq!(engine.download(&slopes).unwrap(), found[2]);
    found
}

fn agrees(gpu: &Gpu, case: &Case, expected: &Found, what: &str) {
    let columns = |stage: &Stage| if let Stage::Mesh(mesh) = stage { mesh.columns().len() } else { 1 };
    let tolerance = SINGLE * (case.network.stages().map(columns).sum::<usize>() as f64).sqrt();
    let parts = ["readout", "gradient", "gradient of imperfections"];
    for ((part, got), expected) in parts.iter().zip(run(gpu, case)).zip(expected) {
        assert_close(&format!("{part} of {what}, batch {}", case.batch), &got, expected, tolerance);
    }
}

fn all_agree(gpu: &Gpu, network: &Network, batches: &[usize], what: &str) {
    for &batch in batches {
        for (imperfections, chip) in [(IDEAL, "ideal"), (EVEN, "evenly lossy"), (LOSSY, "lossy")] {
            let case = Case::new(network.clone(), &imperfections, batch, 40 + batch as u64);
            agrees(gpu, &case, &run(&Cpu::<f64>::new(), &case), &format!("{what}, {chip}"));
        }
    }
}

fn loops_agree(gpu: &Gpu) {
    let of_meshes =
        |network: &Network| network.stages().all(|stage| stage.imperfections() == 0 || stage.kind() == "Mesh");
    for (what, network) in looped().into_iter().filter(|(_, network)| of_meshes(network)) {
        for imperfections in [IDEAL, EVEN] {
            let case = Case::new(network.clone(), &imperfections, 7, 47);
            agrees(gpu, &case, &run(&Cpu::<f64>::new(), &case), what);
        }
    }
}

#[test]
fn gradients_of_imperfections_add_up_over_the_steps_of_a_loop() {
    let Some(gpu) = require_gpu() else { return };
    loops_agree(&gpu);
}

#[test]
fn they_do_so_within_small_limits() {
    let Some(shared) = require_gpu() else { return };
    loops_agree(&Gpu::with_limits(&Selection::Index(shared.adapter().index), LimitChoice::WebGpu).unwrap());
}

#[test]
fn gradients_of_imperfections_agree_on_every_layout_depth_and_batch() {
    let Some(gpu) = require_gpu() else { return };
    for (mesh, what) in [
        (Mesh::rectangular(2).unwrap(), "2 modes"),
        (Mesh::rectangular(5).unwrap(), "5 modes"),
        (Mesh::rectangular(16).unwrap(), "16 modes"),
        (Mesh::triangular(12).unwrap(), "triangular"),
        (Mesh::truncated(12, 1).unwrap(), "one column"),
        (Mesh::truncated(9, 40).unwrap(), "40 columns"),
        (Mesh::rectangular(5).unwrap().on_dies(3).unwrap(), "3 dies of 5 modes"),
        (Mesh::triangular(6).unwrap().on_dies(4).unwrap(), "4 triangular dies"),
    ] {
        let network = mesh_and_detectors(&mesh, Detection::Homodyne { phase: 0.3 });
        all_agree(&gpu, &network, &[1, 19, 257], what);
    }
    for mesh in other_shapes() {
        let what = format!("{:?} of {} modes on {} dies", mesh.layout(), mesh.die_modes(), mesh.dies());
        all_agree(&gpu, &mesh_and_detectors(&mesh, Detection::Homodyne { phase: 0.3 }), &[19], &what);
    }
    all_agree(&gpu, &mesh_and_detectors(&Mesh::rectangular(64).unwrap(), Detection::Intensity), &[70], "64 modes");
}

#[test]
fn gradients_of_imperfections_agree_behind_other_stages_and_on_tiles() {
    let Some(gpu) = require_gpu() else { return };
    let network = coherent(6, 3, Activation::ELECTRO_OPTIC, Detection::Intensity);
    all_agree(&gpu, &network, &[1, 33], "three meshes");
    for tile in [Mesh::rectangular(5).unwrap(), Mesh::triangular(6).unwrap(), Mesh::truncated(4, 9).unwrap()] {
        all_agree(&gpu, &tiled(&tile), &[19, 130], &format!("tiles of {} modes", tile.modes()));
    }
}

#[test]
fn gradients_of_imperfections_agree_inside_convolutions_and_residual_connections() {
    let Some(gpu) = require_gpu() else { return };
    let lit = |what: &str| matches!(what, "singular values" | "meshes" | "a residual connection of light");
    for (what, network) in patches_through_anything().into_iter().chain(residuals()).filter(|own| lit(own.0)) {
        all_agree(&gpu, &network, &[1, 7], what);
        let gpu = gpu.preferring(Preferences { samples_of_patches: Some(3), ..Preferences::default() });
        all_agree(&gpu, &network, &[7], &format!("{what}, 3 samples at a time"));
    }
}

#[test]
fn gradients_of_losses_agree() {
    let Some(gpu) = require_gpu() else { return };
    let dies = Mesh::rectangular(5).unwrap().on_dies(3).unwrap();
    let [long, benes] = [Mesh::truncated(9, 40).unwrap(), Mesh::benes(8).unwrap()];
    for (mesh, what) in [(dies, "3 dies"), (long, "40 columns"), (benes, "pairs")] {
        let network = mesh_and_detectors(&mesh, Detection::Homodyne { phase: 0.3 }).with_unknown_losses();
        all_agree(&gpu, &network, &[1, 19, 130], &format!("unknown losses, {what}"));
    }
    let network = coherent(6, 3, Activation::ELECTRO_OPTIC, Detection::Intensity).with_unknown_losses();
    all_agree(&gpu, &network, &[33], "unknown losses, three meshes");
    for (what, network) in patches_through_anything().into_iter().filter(|own| own.0 == "meshes") {
        all_agree(&gpu, &network.with_unknown_losses(), &[7], &format!("unknown losses, patches through {what}"));
    }
    let network = coherent(33, 2, Activation::ELECTRO_OPTIC, Detection::Intensity).with_unknown_losses();
    let case = Case::new(network, &LOSSY, 70, 6);
    let expected = run(&Cpu::<f64>::new(), &case);
    for mesh in MeshVariant::ALL.into_iter().filter(|mesh| mesh.is_possible(&gpu, 33)) {
        let gpu = gpu.preferring(Preferences { mesh: Some(mesh), ..Preferences::default() });
        agrees(&gpu, &case, &expected, &format!("unknown losses, {mesh:?}"));
    }
    let small = Gpu::with_limits(&Selection::Index(gpu.adapter().index), LimitChoice::Binding(400 << 10)).unwrap();
    let wide = mesh_and_detectors(&Mesh::truncated(150, 180).unwrap(), Detection::Homodyne { phase: 0.3 });
    let case = Case::new(wide.with_unknown_losses(), &Imperfections { perturbation: 0.0, ..LOSSY }, 3, 5);
    agrees(&small, &case, &run(&Cpu::<f64>::new(), &case), "unknown losses in several passes");
}

#[test]
fn gradients_of_imperfections_do_not_depend_on_the_way_of_the_light() {
    let Some(gpu) = require_gpu() else { return };
    let network = coherent(33, 2, Activation::ELECTRO_OPTIC, Detection::Intensity);
    for batch in [3, 70] {
        let case = Case::new(network.clone(), &LOSSY, batch, 6);
        let expected = run(&Cpu::<f64>::new(), &case);
        for mesh in MeshVariant::ALL.into_iter().filter(|mesh| mesh.is_possible(&gpu, 33)) {
            let gpu = gpu.preferring(Preferences { mesh: Some(mesh), ..Preferences::default() });
            agrees(&gpu, &case, &expected, &format!("{mesh:?}"));
        }
    }
}

#[test]
fn gradients_of_imperfections_agree_within_small_limits() {
    let Some(shared) = require_gpu() else { return };
    let index = Selection::Index(shared.adapter().index);
    // Two windows of modes and several passes; then 0.6 MB of coefficients in bindings of 400 KiB.
    for (limits, mesh) in [
        (LimitChoice::WebGpu, Mesh::truncated(1100, 150).unwrap()),
        (LimitChoice::Binding(400 << 10), Mesh::rectangular(200).unwrap()),
        (LimitChoice::WebGpu, Mesh::rectangular(6).unwrap().on_dies(300).unwrap()),
        (LimitChoice::WebGpu, Mesh::butterfly(2048).unwrap()),
    ] {
        let gpu = Gpu::with_limits(&index, limits).unwrap();
        let gpu = gpu.preferring(Preferences { mesh: Some(MeshVariant::Stream), ..Preferences::default() });
        let network = mesh_and_detectors(&mesh, Detection::Homodyne { phase: 0.3 });
        // losses of a butterfly too: windows gather the modes that MZIs join
        let network = if mesh.joins_neighbours() { network } else { network.with_unknown_losses() };
        let case = Case::new(network, &Imperfections { perturbation: 0.0, ..LOSSY }, 3, 5);
        agrees(&gpu, &case, &run(&Cpu::<f64>::new(), &case), &format!("{} modes", mesh.modes()));
    }
}

#[test]
fn an_estimate_counts_from_the_next_programming_on() {
    let Some(gpu) = require_gpu() else { return };
    let network = coherent(6, 2, Activation::ELECTRO_OPTIC, Detection::Intensity);
    let case = Case::new(network, &LOSSY, 4, 5);
    let mut model = case.programmed(&gpu);
    let (fields, error) = (gpu.upload(&case.fields).unwrap(), gpu.upload(&case.error).unwrap());
    let controls = gpu.upload(&case.controls).unwrap();
    let (mut readout, mut gradient) = (gpu.zeros(case.error.len()).unwrap(), gpu.zeros(model.controls()).unwrap());
    let mut slopes = gpu.zeros(model.imperfections()).unwrap();
    let mut trace = model.trace(4).unwrap();
    model.record(&fields, 4, &mut trace, &mut readout).unwrap();
    model.backpropagate(&trace, &error, &mut gradient).unwrap();
    let before = [&readout, &gradient].map(|buffer| gpu.download(buffer).unwrap());
    let refused = model.backpropagate_imperfections(&trace, &error, &mut gradient, &mut slopes);
    assert!(refused.unwrap_err().to_string().contains("set an estimate"));
    assert!(model.set_imperfections(&gpu.zeros(3).unwrap()).is_err(), "a wrong length");

    model.set_imperfections(&gpu.upload(&estimate(&case.network)).unwrap()).unwrap();
    assert!(model.backpropagate_imperfections(&trace, &error, &mut gradient, &mut slopes).is_err());
    model.record(&fields, 4, &mut trace, &mut readout).unwrap();
    model.backpropagate(&trace, &error, &mut gradient).unwrap();
    assert_eq!([&readout, &gradient].map(|buffer| gpu.download(buffer).unwrap()), before);
    model.program(&controls).unwrap();
    model.backpropagate_imperfections(&trace, &error, &mut gradient, &mut slopes).unwrap();
    let mut short = gpu.zeros(3).unwrap();
    assert!(model.backpropagate_imperfections(&trace, &error, &mut gradient, &mut short).is_err());

    // A perfect chip as estimate undoes every error that can be estimated: what is left is loss.
    let even = Imperfections { loss_db: 0.2, ..IDEAL };
    let lossy = Case::new(case.network.clone(), &even, 4, 5);
    let whole = Case::new(case.network.clone(), &Imperfections { splitter_angle: 0.1, phase: 0.3, ..even }, 4, 5);
    let mut model = whole.programmed(&gpu);
    model.set_imperfections(&gpu.zeros(model.imperfections()).unwrap()).unwrap();
    model.program(&controls).unwrap();
    model.propagate(&fields, 4, &mut readout).unwrap();
    assert_close("readout", &gpu.download(&readout).unwrap(), &lossy.run(&Cpu::<f64>::new()).readout, 1e-4);
}

#[test]
fn gradients_of_imperfections_agree_on_banks_rings_and_crossbars() {
    let Some(gpu) = require_gpu() else { return };
    let widths = [30, 17, 1, 5];
    for (network, what) in [
        (weight_banks(&widths), "weight banks"),
        (ring_banks(&widths), "ring banks"),
        (phase_change(&widths), "crossbars"),
        (network(vec![vec![Stage::ring_bank(70, 3, 64, 70.0)]]), "a bus of 64 wavelengths and one of 7"),
    ] {
        all_agree(&gpu, &network, &[1, 19, 130], what);
    }
}

#[test]
fn gradients_of_imperfections_agree_on_pixels_and_planes() {
    let Some(gpu) = require_gpu() else { return };
    for (rows, columns) in [(6, 5), (3, 9), (33, 4)] {
        let what = format!("planes of {rows} × {columns} pixels");
        all_agree(&gpu, &diffractive(rows, columns), &[1, 19, 70], &what);
    }
    // pixels so fine that some of their light decays on the way
    let spectrum = AngularSpectrum { rows: 4, columns: 7, pitch_um: 0.2, distance_um: 0.3, wavelength_um: 0.532 };
    let detection = Stage::detection(28, Detection::Homodyne { phase: 0.3 });
    let near = network(vec![vec![Stage::free_space(spectrum)], vec![Stage::free_space(spectrum), detection]]);
    all_agree(&gpu, &near, &[7], "planes that are near");
    // the longest line that a workgroup of these limits has room for
    let gpu = Gpu::with_limits(&Selection::Index(gpu.adapter().index), LimitChoice::WebGpu).unwrap();
    let case = Case::new(diffractive(1024, 3), &Imperfections { perturbation: 0.0, ..LOSSY }, 2, 5);
    agrees(&gpu, &case, &run(&Cpu::<f64>::new(), &case), "long lines");
}

#[test]
fn gradients_of_imperfections_agree_on_singular_value_layers() {
    let Some(gpu) = require_gpu() else { return };
    let behind = |stages: Vec<Stage>, modes| {
        let detection = Stage::detection(modes, Detection::Homodyne { phase: 0.3 });
        network(vec![stages, vec![detection]])
    };
    let whole = behind(singular_value_stages(6, 4, Layout::Rectangular).unwrap().to_vec(), 4);
    all_agree(&gpu, &whole, &[1, 33], "a singular-value layer");
    let tiles = tiled_singular_value_stages(8, 12, &Mesh::rectangular(4).unwrap()).unwrap();
    all_agree(&gpu, &behind(tiles, 12), &[1, 33], "singular-value layers of tiles");
}

#[test]
fn gradients_of_imperfections_agree_on_convolutions_whole_and_in_pieces() {
    let Some(gpu) = require_gpu() else { return };
    all_agree(&gpu, &convolutional(), &[1, 19], "convolutions");
    let pieces = gpu.preferring(Preferences { samples_of_patches: Some(7), ..Preferences::default() });
    all_agree(&pieces, &convolutional(), &[19], "convolutions in pieces");
}

#[test]
fn a_bus_of_more_wavelengths_than_a_kernel_counts_is_refused() {
    let Some(gpu) = require_gpu() else { return };
    let bank = |channels| network(vec![vec![Stage::ring_bank(300, 1, channels, 1000.0)]]);
    let text = gpu.build(&bank(300), &Fabrication::ideal()).err().unwrap().to_string();
    assert!(
        text.contains("300 wavelengths") && text.contains("255 channels") && text.contains("`engine` cpu"),
        "{text}"
    );
    assert!(gpu.build(&bank(255), &Fabrication::ideal()).is_ok());
}
