//! Phase errors of the waveguides between the columns of a mesh, as errors of its controls.
//!
//! A mesh with errors of its φ and γ alone reaches every phase error of its waveguides, because a phase b in front of both inputs
//! of an MZI leaves by both outputs: `diag(e^{ia}, e^{ib})` there is an error a - b of φ and a phase b for both waveguides
//! behind. Carried to the outputs that way, independent errors of waveguides become sums along the light's path. Waveguides are
//! therefore the coordinates in which phase errors are small and independent, wherever the chip has its phase shifters.

use super::Mesh;
use crate::Real;

/// Number of waveguide pieces: one per mode in front of every column and behind the last, `[column, mode]`.
pub fn waveguides(mesh: &Mesh) -> usize {
    (mesh.columns().len() + 1) * mesh.modes()
}

/// Errors `[δφ, δγ]` (radians) of the controls that give the same transfer matrix as the phase errors
/// `waveguides [columns + 1, modes]`.
pub fn control_errors<T: Real>(mesh: &Mesh, waveguides: &[T]) -> Vec<T> {
    let modes = mesh.modes();
    let mut errors = vec![T::zero(); mesh.mzis() + modes];
    let (phi, gamma) = errors.split_at_mut(mesh.mzis());
    let mut pieces = waveguides.chunks_exact(modes);
    for (column, pieces) in mesh.columns().iter().zip(&mut pieces) {
        gamma.iter_mut().zip(pieces).for_each(|(phase, &piece)| *phase += piece);
        for pair in 0..column.count {
            let [upper, lower] = mesh.rows(column, pair);
            phi[column.first_mzi + pair] = gamma[upper] - gamma[lower];
            gamma[upper] = gamma[lower];
        }
    }
    gamma.iter_mut().zip(pieces.next().unwrap_or_default()).for_each(|(phase, &piece)| *phase += piece);
    errors
}

/// The transpose of [`control_errors`]: from the gradient with respect to `[φ, γ]` to that with respect to the waveguides.
pub fn waveguide_gradient<T: Real>(mesh: &Mesh, gradient: &[T], waveguides: &mut [T]) {
    let modes = mesh.modes();
    let (phi, gamma) = gradient.split_at(mesh.mzis());
    let mut behind = gamma.to_vec();
    let (pieces, last) = waveguides.split_at_mut(mesh.columns().len() * modes);
    last.copy_from_slice(gamma);
    for (column, pieces) in mesh.columns().iter().zip(pieces.chunks_exact_mut(modes)).rev() {
        for pair in 0..column.count {
            let ([upper, lower], slope) = (mesh.rows(column, pair), phi[column.first_mzi + pair]);
            behind[lower] = behind[upper] + behind[lower] - slope;
            behind[upper] = slope;
        }
        pieces.copy_from_slice(&behind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optics::transfer_matrix;
    use num_complex::Complex64;

    fn noise(index: usize) -> f64 {
        (index as f64 * 1.7).sin()
    }

    /// The waveguides' phases stand where they are, as γ of meshes cut behind each column.
    #[test]
    fn the_matrix_is_that_of_the_mesh_with_its_phases_in_place() {
        let dies = Mesh::rectangular(3).unwrap().on_dies(2).unwrap();
        let neighbours = [Mesh::rectangular(5).unwrap(), Mesh::triangular(4).unwrap(), Mesh::truncated(4, 7).unwrap()];
        let others = [Mesh::diamond(6).unwrap(), Mesh::butterfly(8).unwrap().on_dies(2).unwrap()];
        for mesh in neighbours.into_iter().chain(others).chain([dies]) {
            let modes = mesh.modes();
            let pieces: Vec<f64> = (0..waveguides(&mesh)).map(noise).collect();
            let controls: Vec<f64> = (0..mesh.controls()).map(|k| noise(k + 50)).collect();
            let (theta, phi, gamma) = mesh.split(&controls);
            let dark = vec![0.0; mesh.mzis()];
            let mut expected = ndarray::Array2::<Complex64>::eye(modes);
            for (column, pieces) in mesh.columns().iter().zip(pieces.chunks_exact(modes)) {
                for (mut row, &phase) in expected.rows_mut().into_iter().zip(pieces) {
                    row.mapv_inplace(|z| z * Complex64::cis(phase));
                }
                for pair in 0..column.count {
                    let ([upper, lower], mzi) = (mesh.rows(column, pair), column.first_mzi + pair);
                    let coupler = crate::optics::mzi::Coupler::new(0.0);
                    let m = crate::optics::mzi::mzi_transfer(theta[mzi], phi[mzi], coupler, coupler);
                    for light in 0..modes {
                        let (a, b) = (expected[[upper, light]], expected[[lower, light]]);
                        expected[[upper, light]] = m[0][0] * a + m[0][1] * b;
                        expected[[lower, light]] = m[1][0] * a + m[1][1] * b;
                    }
                }
            }
            for (mode, mut row) in expected.rows_mut().into_iter().enumerate() {
                let phase = pieces[pieces.len() - modes + mode] + gamma[mode];
                row.mapv_inplace(|z| z * Complex64::cis(phase));
            }
            let errors = dark.into_iter().chain(control_errors(&mesh, &pieces));
            let moved: Vec<f64> = controls.iter().zip(errors).map(|(control, error)| control + error).collect();
            let found = transfer_matrix(&mesh, &moved, None).unwrap();
            assert!((found - expected).iter().all(|z| z.norm() < 1e-13));
        }
    }

    #[test]
    fn the_gradient_is_the_transpose() {
        for mesh in [Mesh::rectangular(6).unwrap(), Mesh::benes(8).unwrap()] {
            is_the_transpose(&mesh);
        }
    }

    fn is_the_transpose(mesh: &Mesh) {
        let pieces: Vec<f64> = (0..waveguides(mesh)).map(noise).collect();
        let gradient: Vec<f64> = (0..mesh.mzis() + mesh.modes()).map(|k| noise(k + 90)).collect();
        let mut carried = vec![0.0; pieces.len()];
        waveguide_gradient(mesh, &gradient, &mut carried);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        assert!((dot(&control_errors(mesh, &pieces), &gradient) - dot(&pieces, &carried)).abs() < 1e-12);
    }
}
