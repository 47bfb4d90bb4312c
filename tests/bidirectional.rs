//! Light through single meshes in both directions: a GPU sends it through any width, reciprocity holds, and what stands at the
//! shifters gives the gradient of the chip itself.

use at_core::cpu::Cpu;
use at_core::imperfections::Imperfections;
use at_core::network::Detection;
use at_core::optics::Mesh;
use at_core::propagator::Direction;
use at_gpu::testing::require_gpu;
use at_gpu::{Gpu, LimitChoice, Selection};
use at_tests::case::{Case, LOSSY};
use at_tests::compare::assert_close;
use at_tests::conformance::{Precision, send, sends_as_the_reference};
use at_tests::draws::normals;
use at_tests::networks::mesh_and_detectors;
use num_complex::Complex64;

/// A device with no more than every WebGPU adapter offers.
fn small(shared: &Gpu) -> Gpu {
    Gpu::with_limits(&Selection::Index(shared.adapter().index), LimitChoice::WebGpu).unwrap()
}

/// 16 KiB of workgroup memory hold 2048 fields: two windows, more columns than the halo between them.
#[test]
fn a_mesh_wider_than_workgroup_memory_is_lit_from_both_ends_in_windows() {
    let Some(shared) = require_gpu() else { return };
    let mesh = Mesh::truncated(2100, 300).unwrap();
    let network = mesh_and_detectors(&mesh, Detection::Intensity);
    sends_as_the_reference(&small(&shared), Precision::Single, &network, 0, &mesh, &LOSSY, 2);
}

/// Windows gather the modes that MZIs join.
#[test]
fn a_butterfly_wider_than_workgroup_memory_is_lit_from_both_ends() {
    let Some(shared) = require_gpu() else { return };
    for mesh in [Mesh::butterfly(4096).unwrap(), Mesh::butterfly(4096).unwrap().on_dies(2).unwrap()] {
        let network = mesh_and_detectors(&mesh, Detection::Intensity);
        let imperfections = Imperfections { perturbation: 0.0, ..LOSSY };
        sends_as_the_reference(&small(&shared), Precision::Single, &network, 0, &mesh, &imperfections, 2);
    }
}

/// The same where windows hold whole dies, and where dies are wider than windows.
#[test]
fn dies_beyond_workgroup_memory_are_lit_from_both_ends_in_windows() {
    let Some(shared) = require_gpu() else { return };
    for mesh in
        [Mesh::rectangular(6).unwrap().on_dies(400).unwrap(), Mesh::truncated(2101, 9).unwrap().on_dies(2).unwrap()]
    {
        let network = mesh_and_detectors(&mesh, Detection::Intensity);
        let imperfections = Imperfections { perturbation: 0.0, ..LOSSY };
        sends_as_the_reference(&small(&shared), Precision::Single, &network, 0, &mesh, &imperfections, 2);
    }
}

fn inner(a: &[f64], b: &[f64]) -> Complex64 {
    let pairs = a.chunks_exact(2).zip(b.chunks_exact(2));
    pairs.map(|(a, b)| Complex64::new(a[0], a[1]) * Complex64::new(b[0], b[1])).sum()
}

#[test]
fn light_meets_the_transposed_matrix_on_its_way_back() {
    let mesh = Mesh::rectangular(7).unwrap();
    let case = Case::new(mesh_and_detectors(&mesh, Detection::Intensity), &LOSSY, 1, 3);
    let (x, y) = (normals(14, 1), normals(14, 2));
    let engine = Cpu::<f64>::new();
    let ahead = &send(&engine, &case, 0, Direction::Forward, &x, mesh.controls())[0];
    let back = &send(&engine, &case, 0, Direction::Backward, &y, mesh.controls())[0];
    assert!((inner(&y, ahead) - inner(back, &x)).norm() < 1e-13);
}

/// Data light forward and conjugate error light backward: `dL/dφ = -2 Im Σ a* v` at every shifter, of the lossy, imperfect chip.
#[test]
fn the_fields_at_the_shifters_give_the_gradient_of_the_chip_itself() {
    let mesh = Mesh::rectangular(6).unwrap();
    let network = mesh_and_detectors(&mesh, Detection::Intensity);
    // The light of one mesh does not cross what lies between layers.
    let case = Case::new(network, &Imperfections { update_error: 0.0, perturbation: 0.0, ..LOSSY }, 9, 3);
    let engine = Cpu::<f64>::new();
    let [y, v, _] = send(&engine, &case, 0, Direction::Forward, &case.fields, mesh.controls());
    // a = (dL/dI) y, sent as its conjugate
    let conjugate: Vec<f64> =
        case.error.iter().zip(y.chunks_exact(2)).flat_map(|(slope, y)| [slope * y[0], -slope * y[1]]).collect();
    let [_, a, _] = send(&engine, &case, 0, Direction::Backward, &conjugate, mesh.controls());
    let mut gradient = vec![0.0; mesh.controls()];
    for (index, (v, a)) in v.chunks_exact(2).zip(a.chunks_exact(2)).enumerate() {
        gradient[index % mesh.controls()] -= 2.0 * (v[0] * a[1] + v[1] * a[0]);
    }
    assert_close("gradient", &gradient, &case.expected().gradient, 1e-12);
}
