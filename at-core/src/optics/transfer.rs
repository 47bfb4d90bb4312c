//! The matrix of a whole mesh, in plain f64: the meaning that every engine is compared with.

use super::mzi::{Coupler, mzi_transfer};
use super::{Mesh, MeshErrors};
use crate::{Result, error::same_size};
use ndarray::Array2;
use num_complex::Complex64;

/// Transfer matrix `U = diag(e^{iγ}) C_{L-1} … C_1 C_0` of a mesh with columns C, [mode, mode]: outputs `y = U x`.
///
/// `controls` is `[θ, φ, γ]` in radians as [`Mesh`] orders it; `couplers` holds the angle errors (δ1, δ2) of every MZI's
/// first and second coupler, none for ideal ones. Errs where a length is not the mesh's. O(N²) per column.
pub fn transfer_matrix(mesh: &Mesh, controls: &[f64], couplers: Option<(&[f64], &[f64])>) -> Result<Array2<Complex64>> {
    same_size("controls of the mesh", mesh.controls(), controls.len())?;
    if let Some((first, second)) = couplers {
        same_size("angle errors of the first couplers", mesh.mzis(), first.len())?;
        same_size("angle errors of the second couplers", mesh.mzis(), second.len())?;
    }
    let modes = mesh.modes();
    let (theta, phi, gamma) = mesh.split(controls);
    let mut entries = Array2::<Complex64>::eye(modes).into_raw_vec_and_offset().0;
    for (mzi, (_, [upper, lower])) in mesh.positions().enumerate() {
        let (first, second) = couplers.map_or((0.0, 0.0), |(first, second)| (first[mzi], second[mzi]));
        let [[m00, m01], [m10, m11]] = mzi_transfer(theta[mzi], phi[mzi], Coupler::new(first), Coupler::new(second));
        let (above, below) = entries.split_at_mut(lower * modes);
        for (a, b) in above[upper * modes..][..modes].iter_mut().zip(below) {
            (*a, *b) = (m00 * *a + m01 * *b, m10 * *a + m11 * *b);
        }
    }
    for (row, &phase) in entries.chunks_exact_mut(modes).zip(gamma) {
        let turn = Complex64::cis(phase);
        row.iter_mut().for_each(|entry| *entry *= turn);
    }
    Ok(Array2::from_shape_fn((modes, modes), |(row, column)| entries[row * modes + column]))
}

/// [`transfer_matrix`] of a mesh that was programmed with `controls` and has the imperfections `errors`.
pub fn imperfect_transfer_matrix(mesh: &Mesh, controls: &[f64], errors: &MeshErrors) -> Result<Array2<Complex64>> {
    let controls = errors.distort(mesh, controls)?;
    transfer_matrix(mesh, &controls, Some((&errors.first_coupler, &errors.second_coupler)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optics::{Layout, haar::haar_phases};
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    /// `B(δ)`, `diag(e^{ia},1)` and their product on two rows, written out as N×N matrices.
    fn embedded(modes: usize, rows: [usize; 2], block: [[Complex64; 2]; 2]) -> Array2<Complex64> {
        let mut matrix = Array2::eye(modes);
        for (r, line) in block.iter().enumerate() {
            for (c, &entry) in line.iter().enumerate() {
                matrix[[rows[r], rows[c]]] = entry;
            }
        }
        matrix
    }

    fn splitter(delta: f64) -> [[Complex64; 2]; 2] {
        let (s, c) = (std::f64::consts::FRAC_PI_4 + delta).sin_cos();
        [[c.into(), Complex64::new(0.0, s)], [Complex64::new(0.0, s), c.into()]]
    }

    fn shifter(phase: f64) -> [[Complex64; 2]; 2] {
        [[Complex64::cis(phase), 0.0.into()], [0.0.into(), 1.0.into()]]
    }

    #[test]
    fn the_matrix_is_the_product_of_its_elements_in_the_order_of_light() {
        let mut random = StdRng::seed_from_u64(1);
        let universal = [2, 5, 6].map(|modes| [Layout::Rectangular, Layout::Triangular].map(|layout| (modes, layout)));
        let others = [(6, Layout::Diamond), (8, Layout::Butterfly), (8, Layout::Benes)];
        let named = universal.as_flattened().iter().chain(&others);
        let meshes = named.map(|&(modes, layout)| Mesh::universal(modes, layout).unwrap());
        let custom = Mesh::of_columns(5, &[vec![[1, 4], [0, 2]], vec![[3, 4]], vec![[0, 4]]]).unwrap();
        for mesh in meshes.chain([custom]) {
            let modes = mesh.modes();
            let controls = haar_phases(&mesh, &mut random);
            let delta: Vec<f64> = (0..2 * mesh.mzis()).map(|_| 0.2 * (random.random::<f64>() - 0.5)).collect();
            let (first, second) = delta.split_at(mesh.mzis());
            let (theta, phi, gamma) = mesh.split(&controls);
            let mut expected = Array2::<Complex64>::eye(modes);
            for (mzi, (_, rows)) in mesh.positions().enumerate() {
                for element in [shifter(phi[mzi]), splitter(first[mzi]), shifter(theta[mzi]), splitter(second[mzi])] {
                    expected = embedded(modes, rows, element).dot(&expected);
                }
            }
            for (mut row, &phase) in expected.rows_mut().into_iter().zip(gamma) {
                row *= Complex64::cis(phase);
            }
            let matrix = transfer_matrix(&mesh, &controls, Some((first, second))).unwrap();
            assert!((&matrix - &expected).iter().all(|difference| difference.norm() < 1e-14));
            assert!((&matrix - &expected.t()).iter().any(|difference| difference.norm() > 0.1), "symmetric: no pin");
        }
    }

    #[test]
    fn wrong_lengths_are_errors() {
        let mesh = Mesh::rectangular(3).unwrap();
        assert!(transfer_matrix(&mesh, &[0.0; 8], None).is_err());
        assert!(transfer_matrix(&mesh, &[0.0; 9], Some((&[0.0; 3], &[0.0; 2]))).is_err());
    }
}
