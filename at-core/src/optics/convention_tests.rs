//! Conversions against the published formulas, and there and back.

use super::*;
use crate::optics::{Layout, imperfect_transfer_matrix};
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// The published formula, row vectors: `U = diag(e^{iγ}) U_0 U_1 …`, written from the coupler amplitudes; returns `Uᵀ`.
fn published(convention: Convention, mesh: &Mesh, phases: &[f64], errors: &MeshErrors) -> Array2<Complex64> {
    let (theta, phi, gamma) = mesh.split(phases);
    let modes = mesh.modes();
    let amplitudes = |error: f64| match convention {
        Convention::DatMpnn => (((1.0 + error) / 2.0).sqrt(), ((1.0 - error) / 2.0).sqrt()),
        _ => ((std::f64::consts::FRAC_PI_4 + error).cos(), (std::f64::consts::FRAC_PI_4 + error).sin()),
    };
    let i = Complex64::i();
    let screen = gamma.iter().zip(&errors.gamma).map(|(gamma, error)| Complex64::cis(gamma + error));
    let mut product = Array2::from_diag(&Array1::from_iter(screen));
    for (index, column) in mesh.columns().iter().enumerate() {
        let mut layer = Array2::<Complex64>::eye(modes);
        let first = index % 2;
        for upper in (first..modes + first).step_by(2) {
            let lower = (upper + 1) % modes;
            let pair = (upper - first) / 2;
            if pair < column.count {
                let mzi = column.first_mzi + pair;
                let (p, t) = (phi[mzi] + errors.phi[mzi], theta[mzi] + errors.theta[mzi]);
                let (c0, s0) = amplitudes(errors.first_coupler[mzi]);
                let (c1, s1) = amplitudes(errors.second_coupler[mzi]);
                let (u, d, e) = (Complex64::cis(t / 2.0), Complex64::cis(-t / 2.0), Complex64::cis(p));
                layer[[upper, upper]] = (c0 * c1 * u - s0 * s1 * d) * e;
                layer[[upper, lower]] = i * (c0 * s1 * u + s0 * c1 * d);
                layer[[lower, upper]] = i * (s0 * c1 * u + c0 * s1 * d) * e;
                layer[[lower, lower]] = c0 * c1 * d - s0 * s1 * u;
            } else if modes.is_multiple_of(2) || pair < modes / 2 {
                layer[[upper, upper]] = -i;
                layer[[lower, lower]] = -i;
            }
        }
        product = product.dot(&layer);
    }
    product.reversed_axes()
}

fn distance(a: &Array2<Complex64>, b: &Array2<Complex64>) -> f64 {
    (a - b).iter().map(|difference| difference.norm()).fold(0.0, f64::max)
}

fn meshes() -> Vec<Mesh> {
    let truncated =
        [(4, 1), (4, 3), (5, 4), (6, 9), (3, 8)].map(|(modes, depth)| Mesh::truncated(modes, depth).unwrap());
    let universal = (2..8).flat_map(|modes| {
        [Layout::Rectangular, Layout::Triangular].map(|layout| Mesh::universal(modes, layout).unwrap())
    });
    truncated.into_iter().chain(universal).collect()
}

/// Phases of several turns, coupler and phase errors.
fn draw(mesh: &Mesh, random: &mut StdRng) -> (Vec<f64>, MeshErrors) {
    let mut list = |count: usize, width: f64| (0..count).map(|_| width * (random.random::<f64>() - 0.5)).collect();
    let phases = list(mesh.controls(), 30.0);
    let (mzis, modes) = (mesh.mzis(), mesh.modes());
    let (first_coupler, second_coupler) = (list(mzis, 0.3), list(mzis, 0.3));
    let (theta, phi, gamma) = (list(mzis, 0.4), list(mzis, 0.4), list(modes, 0.4));
    (phases, MeshErrors { first_coupler, second_coupler, theta, phi, gamma })
}

#[test]
fn a_converted_imperfect_mesh_makes_the_published_matrix() {
    let mut random = StdRng::seed_from_u64(3);
    for mesh in meshes() {
        for convention in [Convention::Neurophox, Convention::DatMpnn] {
            let (phases, errors) = draw(&mesh, &mut random);
            let expected = published(convention, &mesh, &phases, &errors);
            let controls = convention.to_native(&mesh, &phases).unwrap();
            let native = convention.errors_to_native(&mesh, &errors).unwrap();
            let matrix = imperfect_transfer_matrix(&mesh, &controls, &native).unwrap();
            assert!(distance(&matrix, &expected) < 1e-13, "{convention} {mesh:?}");
            if mesh.modes() > 2 && mesh.columns().len() > 2 {
                assert!(distance(&matrix, &expected.t().to_owned()) > 1e-2, "symmetric: pins no orientation");
            }
        }
    }
}

#[test]
fn phases_return_from_native_within_one_turn() {
    let mut random = StdRng::seed_from_u64(4);
    for mesh in meshes() {
        for convention in [Convention::Neurophox, Convention::DatMpnn] {
            let (controls, errors) = draw(&mesh, &mut random);
            let phases = convention.from_native(&mesh, &controls).unwrap();
            assert!(phases.iter().all(|angle| (0.0..TAU).contains(angle)));
            let back = convention.to_native(&mesh, &phases).unwrap();
            let one = imperfect_transfer_matrix(&mesh, &controls, &errors).unwrap();
            let other = imperfect_transfer_matrix(&mesh, &back, &errors).unwrap();
            assert!(distance(&one, &other) < 1e-12, "{convention} {mesh:?}");
            let again = convention.from_native(&mesh, &back).unwrap();
            let turn = |(a, b): (&f64, &f64)| (Complex64::cis(*a) - Complex64::cis(*b)).norm();
            assert!(phases.iter().zip(&again).map(turn).all(|distance| distance < 1e-11));
        }
    }
}

#[test]
fn errors_return_from_native() {
    let mut random = StdRng::seed_from_u64(5);
    for mesh in meshes() {
        for convention in CONVENTIONS {
            let (_, errors) = draw(&mesh, &mut random);
            let theirs = convention.errors_from_native(&mesh, &errors).unwrap();
            let back = convention.errors_to_native(&mesh, &theirs).unwrap();
            let lists = |errors: &MeshErrors| {
                [&errors.first_coupler[..], &errors.second_coupler, &phase_errors(errors)].concat()
            };
            let near = |(a, b): (f64, f64)| (a - b).abs() < 1e-13;
            assert!(lists(&errors).into_iter().zip(lists(&back)).all(near), "{convention} {mesh:?}");
        }
    }
    let mesh = Mesh::rectangular(2).unwrap();
    let errors = MeshErrors { first_coupler: vec![0.8], ..MeshErrors::none(&mesh) };
    assert!(Convention::DatMpnn.errors_from_native(&mesh, &errors).is_err());
    assert!(Convention::Neurophox.errors_from_native(&mesh, &errors).is_ok());
}

#[test]
fn conventions_have_names_and_splits_beyond_one_are_errors() {
    for convention in CONVENTIONS {
        assert_eq!(convention.to_string().parse::<Convention>().unwrap(), convention);
        assert_eq!(serde_json::to_string(&convention).unwrap(), format!("{:?}", convention.name()));
    }
    let text = "clements".parse::<Convention>().unwrap_err().to_string();
    assert!(text.contains("native, neurophox, dat-mpnn"), "{text}");
    let mesh = Mesh::rectangular(2).unwrap();
    let errors = MeshErrors { first_coupler: vec![1.1], ..MeshErrors::none(&mesh) };
    assert!(Convention::DatMpnn.errors_to_native(&mesh, &errors).is_err());
    assert!(Convention::Neurophox.to_native(&mesh, &[0.0; 3]).is_err());
}
