//! What meshes of other shapes are for: a butterfly is a fast Fourier transform, a Beneš mesh every permutation; and how a GPU carries wide ones.

use at_core::fabrication::Fabrication;
use at_core::imperfections::{Imperfections, Passive};
use at_core::network::Detection;
use at_core::optics::{Mesh, transfer_matrix};
use at_gpu::testing::require_gpu;
use at_gpu::{Gpu, LimitChoice, MeshVariant, Preferences, Selection};
use at_tests::case::{Case, IDEAL, LOSSY};
use at_tests::compare::assert_close;
use at_tests::networks::mesh_and_detectors;
use num_complex::Complex64;
use std::collections::BTreeSet;
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI, TAU};

/// Controls with which a butterfly is a fast Fourier transform of bit-reversed inputs: every MZI an even coupler, θ = π/2, and the twiddle
/// factor w of its lower input in φ.
///
/// Such an MZI is `i e^{iπ/4}/√2 [[e^{iφ}, 1], [e^{iφ}, -1]]`. With light `e^{iσ}` times that of the transform on every waveguide, it makes
/// `a ± w b` where φ = σ_lower - σ_upper - arg w, and leaves σ = 3π/4 + σ_lower - arg w on both; γ takes σ away.
fn fourier(mesh: &Mesh) -> Vec<f64> {
    let mut sigma = vec![0.0; mesh.modes()];
    let mut controls = vec![FRAC_PI_2; mesh.mzis()];
    for (_, [upper, lower]) in mesh.positions() {
        let apart = lower - upper;
        let twiddle = -PI * (upper % apart) as f64 / apart as f64;
        controls.push(sigma[lower] - sigma[upper] - twiddle);
        let pushed = FRAC_PI_2 + FRAC_PI_4 + sigma[lower] - twiddle;
        (sigma[upper], sigma[lower]) = (pushed, pushed);
    }
    controls.extend(sigma.iter().map(|phase| -phase));
    controls
}

#[test]
fn a_butterfly_of_even_couplers_is_the_fourier_transform() {
    for exponent in 1..9 {
        let modes = 1_usize << exponent;
        let mesh = Mesh::butterfly(modes).unwrap();
        let matrix = transfer_matrix(&mesh, &fourier(&mesh), None).unwrap();
        for ((output, input), entry) in matrix.indexed_iter() {
            let reversed = input.reverse_bits() >> (usize::BITS - exponent);
            let turn = -TAU * (output * reversed % modes) as f64 / modes as f64;
            let expected = Complex64::from_polar(1.0 / (modes as f64).sqrt(), turn);
            assert!((entry - expected).norm() < 1e-13 * f64::from(exponent), "N = {modes}, ({output}, {input})");
        }
    }
}

/// All settings of six crossed or uncrossed MZIs.
#[test]
fn a_benes_mesh_of_four_modes_makes_every_permutation() {
    let mesh = Mesh::benes(4).unwrap();
    let mut found = BTreeSet::new();
    for setting in 0..1_u32 << mesh.mzis() {
        let mut controls = vec![0.0; mesh.controls()];
        (0..mesh.mzis()).for_each(|mzi| controls[mzi] = PI * f64::from(setting >> mzi & 1));
        let matrix = transfer_matrix(&mesh, &controls, None).unwrap();
        let goes = |input: usize| (0..4).find(|&output| matrix[[output, input]].norm() > 0.5).unwrap();
        found.insert([0, 1, 2, 3].map(goes));
    }
    assert_eq!(found.len(), 24);
}

/// The mean over all modes of how often light crosses other waveguides, times the loss of one crossing.
#[test]
fn crossings_lose_light() {
    let mesh = Mesh::butterfly(4).unwrap(); // (0,1)(2,3) then (0,2)(1,3): waveguides 1 and 2 cross
    let lost = |passive: Passive| {
        let kind = Imperfections { loss_db: 0.5, passive, ..Imperfections::NONE };
        let network = mesh_and_detectors(&mesh, Detection::Intensity);
        let fabrication: Fabrication = kind.fabricate(&network, 1).unwrap();
        let [loss] = fabrication.stage(0).get(["loss_db"]).unwrap();
        loss.to_vec()
    };
    let crossing = Passive { crossing_db: 0.25, ..Passive::NONE };
    assert_eq!(lost(crossing), [0.5, 0.75, 0.75, 0.5, 0.5, 0.5, 0.5, 0.5]);
    let amplified = lost(Passive { amplified: true, ..crossing });
    assert_eq!(amplified, [-0.125, 0.125, 0.125, -0.125, 0.0, 0.0, 0.0, 0.0]);
    let rectangular = mesh_and_detectors(&Mesh::rectangular(4).unwrap(), Detection::Intensity);
    let kind = Imperfections { loss_db: 0.5, passive: crossing, ..Imperfections::NONE };
    let same = Imperfections { passive: Passive::NONE, ..kind };
    let drawn = |kind: Imperfections| kind.fabricate(&rectangular, 1).unwrap();
    assert_eq!(drawn(kind).stage(0), drawn(same).stage(0), "no waveguides of a rectangular mesh cross");
}

/// 16 KiB of workgroup memory hold 2048 fields, or 1024 beside their adjoints: windows then gather the modes that MZIs join.
#[test]
fn a_gpu_carries_pairs_that_its_workgroups_do_not_hold_together() {
    let Some(shared) = require_gpu() else { return };
    let index = Selection::Index(shared.adapter().index);
    let small = Gpu::with_limits(&index, LimitChoice::WebGpu).unwrap();
    let streamed = small.preferring(Preferences { mesh: Some(MeshVariant::Stream), ..Preferences::default() });
    // every mode meets others far off, some none; two halves that nothing joins; then all of them
    let far: Vec<Vec<[usize; 2]>> = [1, 7, 1030, 1500]
        .into_iter()
        .map(|apart| (0..2101 - apart).step_by(2 * apart).map(|upper| [upper, upper + apart]).collect())
        .collect();
    for (mesh, batch) in [
        (Mesh::butterfly(2048).unwrap(), 19),
        (Mesh::butterfly(4096).unwrap(), 3),
        (Mesh::benes(2048).unwrap(), 3),
        (Mesh::butterfly(2048).unwrap().on_dies(2).unwrap(), 3),
        (Mesh::of_columns(2101, &far).unwrap(), 3),
    ] {
        let network = mesh_and_detectors(&mesh, Detection::Homodyne { phase: 0.3 });
        let what = format!("{} of {} modes", mesh.layout().name(), mesh.modes());
        for imperfections in [IDEAL, Imperfections { perturbation: 0.0, ..LOSSY }] {
            let case = Case::new(network.clone(), &imperfections, batch, 5);
            let (expected, got) = (case.expected(), case.run(&streamed));
            assert_close(&format!("readout of a {what}"), &got.readout, &expected.readout, 4e-5);
            assert_close(&format!("gradient of a {what}"), &got.gradient, &expected.gradient, 4e-5);
        }
    }
    let mesh = Mesh::butterfly(8192).unwrap();
    let network = mesh_and_detectors(&mesh, Detection::Intensity);
    let case = Case::new(network, &IDEAL, 2, 5);
    assert_close("readout by whichever way", &case.run(&small).readout, &case.expected().readout, 4e-5);
}
