use super::*;
use crate::optics::transfer_matrix;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, StandardNormal};

const LAYOUTS: [Layout; 2] = [Layout::Rectangular, Layout::Triangular];

/// Gram-Schmidt, twice, on Gaussian rows.
fn haar(modes: usize, random: &mut StdRng) -> Array2<Complex64> {
    let mut matrix = Array2::from_shape_simple_fn((modes, modes), || {
        Complex64::new(StandardNormal.sample(random), StandardNormal.sample(random))
    });
    for row in 0..modes {
        for before in (0..row).chain(0..row) {
            let (done, mut rest) = matrix.multi_slice_mut((ndarray::s![before, ..], ndarray::s![row, ..]));
            let overlap: Complex64 = done.iter().zip(&rest).map(|(a, b)| a.conj() * b).sum();
            rest.zip_mut_with(&done, |b, a| *b -= overlap * a);
        }
        let norm = matrix.row(row).iter().map(|entry| entry.norm_sqr()).sum::<f64>().sqrt();
        matrix.row_mut(row).mapv_inplace(|entry| entry / norm);
    }
    matrix
}

fn rebuild_error(unitary: &Array2<Complex64>, layout: Layout) -> f64 {
    let controls = decompose(unitary, layout).unwrap();
    let mesh = Mesh::universal(unitary.nrows(), layout).unwrap();
    let (theta, phi, gamma) = mesh.split(&controls);
    assert!(theta.iter().all(|angle| (0.0..=PI).contains(angle)));
    assert!(phi.iter().chain(gamma).all(|angle| (0.0..TAU).contains(angle)));
    let rebuilt = transfer_matrix(&mesh, &controls, None).unwrap();
    (&rebuilt - unitary).iter().map(|difference| difference.norm()).fold(0.0, f64::max)
}

#[test]
fn haar_matrices_are_rebuilt_for_every_size() {
    let mut random = StdRng::seed_from_u64(7);
    for modes in [2, 3, 4, 5, 6, 7, 8, 15, 16, 33, 64, 255, 256] {
        let unitary = haar(modes, &mut random);
        for layout in LAYOUTS {
            let error = rebuild_error(&unitary, layout);
            eprintln!("N = {modes}, {layout:?}: error {error:.1e}");
            assert!(error < 1e-11, "N = {modes}, {layout:?}: {error:e}");
        }
    }
}

/// Of the difference between `unitary` and what the mesh makes with the phases that were found for it.
fn error_on(mesh: &Mesh, unitary: &Array2<Complex64>) -> f64 {
    let controls = decompose_onto(unitary, mesh).unwrap();
    let (theta, phi, gamma) = mesh.split(&controls);
    assert!(theta.iter().all(|angle| (0.0..=PI).contains(angle)));
    assert!(phi.iter().chain(gamma).all(|angle| (0.0..TAU).contains(angle)));
    let rebuilt = transfer_matrix(mesh, &controls, None).unwrap();
    (&rebuilt - unitary).iter().map(|difference| difference.norm()).fold(0.0, f64::max)
}

#[test]
fn redundant_columns_lead_light_straight_on() {
    let mut random = StdRng::seed_from_u64(11);
    for modes in [2, 3, 6, 7] {
        let unitary = haar(modes, &mut random);
        for depth in modes..2 * modes + 2 {
            let mesh = Mesh::truncated(modes, depth).unwrap();
            assert!(error_on(&mesh, &unitary) < 1e-13, "{modes} modes in {depth} columns");
        }
    }
    let said = decompose_onto(&haar(5, &mut random), &Mesh::truncated(5, 4).unwrap()).unwrap_err().to_string();
    assert!(said.starts_with("depth = 4") && said.contains("asyt mesh fit"), "{said}");
    let dies = Mesh::rectangular(3).unwrap().on_dies(2).unwrap();
    assert!(decompose_onto(&haar(3, &mut random), &dies).unwrap_err().to_string().contains("dies = 2"));
    assert!(decompose_onto(&haar(3, &mut random), &Mesh::rectangular(4).unwrap()).is_err());
}

#[test]
fn what_a_diamond_makes_is_found() {
    let mut random = StdRng::seed_from_u64(12);
    for modes in [2, 4, 6, 8, 16, 32] {
        let mesh = Mesh::diamond(modes).unwrap();
        for _ in 0..5 {
            let controls: Vec<f64> = (0..mesh.controls()).map(|_| TAU * random.random::<f64>()).collect();
            let unitary = transfer_matrix(&mesh, &controls, None).unwrap();
            let error = error_on(&mesh, &unitary);
            eprintln!("N = {modes}: error {error:.1e}");
            assert!(error < 1e-7, "N = {modes}: {error:e}");
        }
        let screen: Vec<Complex64> = (0..modes).map(|k| Complex64::cis(1.0 + k as f64)).collect();
        assert!(error_on(&mesh, &Array2::from_diag(&ndarray::Array1::from(screen))) < 1e-13);
    }
}

#[test]
fn any_unitary_is_embedded_in_a_diamond() {
    let mut random = StdRng::seed_from_u64(13);
    for modes in [2, 3, 4, 5, 8, 33] {
        let unitary = haar(modes, &mut random);
        let whole = embedded_in_diamond(&unitary).unwrap();
        let mesh = Mesh::diamond(2 * modes - 2).unwrap();
        assert!(error_on(&mesh, &whole) < 1e-12, "lower {modes} modes");
        let rows: Vec<usize> = (0..mesh.modes()).rev().collect();
        let mirrored = whole.select(ndarray::Axis(0), &rows).select(ndarray::Axis(1), &rows);
        assert!(error_on(&mesh, &mirrored) < 1e-12, "upper {modes} modes");
        let rounded = whole.mapv(|entry| Complex64::new(f64::from(entry.re as f32), f64::from(entry.im as f32)));
        assert!(error_on(&mesh, &rounded) < 1e-6);
    }
    assert!(embedded_in_diamond(&Array2::zeros((2, 3))).is_err());
    assert!(embedded_in_diamond(&Array2::eye(1)).is_err());
    let said = decompose(&haar(6, &mut random), Layout::Diamond).unwrap_err().to_string();
    assert!(["beside the diagonal", "10 modes", "asyt mesh fit"].iter().all(|part| said.contains(part)), "{said}");
    assert!(decompose(&haar(5, &mut random), Layout::Diamond).unwrap_err().to_string().contains("use 4 or 6"));
    assert!(decompose(&haar(8, &mut random), Layout::Butterfly).unwrap_err().to_string().contains("asyt mesh fit"));
}

#[test]
fn matrices_full_of_zeros_are_rebuilt() {
    let mut random = StdRng::seed_from_u64(8);
    for modes in [2, 3, 4, 7, 8] {
        let identity = Array2::<Complex64>::eye(modes);
        let place = |source: Vec<usize>| identity.select(ndarray::Axis(0), &source);
        let mut blocks = identity.clone();
        let half = modes / 2;
        if half > 1 {
            blocks.slice_mut(ndarray::s![..half, ..half]).assign(&haar(half, &mut random));
        }
        blocks.slice_mut(ndarray::s![half.., half..]).assign(&haar(modes - half, &mut random));
        let screen = Array2::from_diag(&ndarray::Array1::from_iter((0..modes).map(|k| Complex64::cis(1.0 + k as f64))));
        let cases = [
            ("identity", identity.clone()),
            ("minus identity", identity.mapv(|entry| -entry)),
            ("reversal", place((0..modes).rev().collect())),
            ("shift", place((0..modes).map(|k| (k + 1) % modes).collect())),
            ("shift back", place((0..modes).map(|k| (k + modes - 1) % modes).collect())),
            ("one swap", place((0..modes).map(|k| if k < 2 { 1 - k } else { k }).collect())),
            ("screen", screen.clone()),
            ("screened reversal", screen.dot(&place((0..modes).rev().collect()))),
            ("blocks", blocks.clone()),
            ("blocks turned over", blocks.dot(&place((0..modes).rev().collect()))),
        ];
        for (name, unitary) in cases {
            for layout in LAYOUTS {
                let error = rebuild_error(&unitary, layout);
                assert!(error < 1e-14 * modes as f64, "{name}, N = {modes}, {layout:?}: {error:e}");
            }
        }
    }
}

#[test]
fn what_no_mesh_can_make_is_an_error() {
    let text = |matrix: Array2<Complex64>| decompose(&matrix, Layout::Rectangular).unwrap_err().to_string();
    assert!(text(Array2::zeros((3, 2))).contains("square matrix"));
    assert!(text(Array2::eye(1)).contains("2 to"));
    let scaled = text(Array2::eye(3) * Complex64::new(1.001, 0.0));
    for part in ["UᴴU - I", "1.001000 to 1.001000", "U Vᴴ", "singular_value_controls"] {
        assert!(scaled.contains(part), "{scaled}");
    }
    for (rows, columns) in [(3, 2), (2, 3), (0, 4)] {
        assert!(text(Array2::zeros((rows, columns))).contains("singular_value_controls"));
    }
    let huge = text(Array2::eye(3) * Complex64::new(1e300, 0.0));
    assert!(huge.contains("1.0e300 to 1.0e300"), "its zeros fill lines: {huge}");
    assert!(text(Array2::eye(3) * Complex64::new(1.0001, 0.0)).contains("1.000100 to 1.000100"));
    assert!(text(Array2::zeros((129, 129))).contains("exceeds 1e-5. If"));
    for bad in [f64::NAN, f64::INFINITY] {
        let mut matrix = Array2::eye(3);
        matrix[[1, 2]] = Complex64::new(0.0, bad);
        matrix[[1, 2]].re = -1e300;
        let said = text(matrix);
        assert!(said.contains("entry (1, 2)") && said.contains("-1e300"), "{said}");
    }
}

#[test]
fn a_matrix_in_single_precision_is_made_to_single_precision() {
    let unitary = haar(32, &mut StdRng::seed_from_u64(9));
    let rounded = unitary.mapv(|entry| Complex64::new(f64::from(entry.re as f32), f64::from(entry.im as f32)));
    for layout in LAYOUTS {
        assert!(rebuild_error(&rounded, layout) < 1e-6);
    }
}
