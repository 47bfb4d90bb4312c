//! Phases by gradient: how near a mesh of any layout comes to a matrix.
//!
//! The fit descends `L = (N + ‖U‖² - 2 Re tr U†T)/2N = ‖T - U‖²/2N` over all phases of the ideal mesh T ([`super::quasi_newton`]), from
//! Haar-random phases, several times. Gradients go back through the mesh: with the columns of T as fields and those of U as
//! adjoints, an MZI M between fields x in front and adjoints a behind it has `dL/dθ = -Re Σ a† (∂M/∂θ) x / N`. A layout that makes the
//! matrix need not be found to make it: the loss has local minima.

use super::haar::haar_phases;
use super::mzi::{Coupler, mzi_phi_derivative, mzi_theta_derivative, mzi_transfer};
use super::quasi_newton::minimise;
use super::{Mesh, transfer_matrix};
use crate::{Error, Result};
use ndarray::Array2;
use num_complex::Complex64;
use rand::{SeedableRng, rngs::StdRng};
use rayon::prelude::*;

/// How to search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// Losses and gradients that every start may ask for.
    pub steps: usize,
    /// Random starts, of which the best is taken.
    pub starts: usize,
    /// Of the first phases.
    pub seed: u64,
}

impl Search {
    /// What serves meshes of some hundred modes.
    pub const DEFAULT: Search = Search { steps: 2000, starts: 4, seed: 1 };

    fn validate(&self) -> Result<()> {
        if self.steps == 0 {
            return Err(Error::invalid("steps", self.steps, "a fit takes at least 1 step"));
        }
        if self.starts == 0 {
            return Err(Error::invalid("starts", self.starts, "a fit starts at least once"));
        }
        Ok(())
    }
}

/// The best phases that a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// Native controls `[θ, φ, γ]` (radians).
    pub controls: Vec<f64>,
    /// `|tr U†T|²/(N ‖U‖²)`: 1 where the mesh makes the matrix up to a phase and a factor.
    pub fidelity: f64,
    /// The fidelity that every start reached.
    pub of_starts: Vec<f64>,
}

/// The phases with which `mesh` comes nearest to `target` [output, input]; `progress(start, step, loss)` hears of every step.
///
/// Errs where the matrix is not of the mesh's modes, has an entry that is not finite or none that is not zero, and where the search is none.
pub fn fit(
    mesh: &Mesh,
    target: &Array2<Complex64>,
    search: &Search,
    mut progress: impl FnMut(usize, usize, f64),
) -> Result<Fit> {
    search.validate()?;
    let modes = mesh.modes();
    if target.dim() != (modes, modes) {
        let (outputs, inputs) = target.dim();
        let reason = format!("the mesh has {modes} modes, and makes a matrix of {modes} × {modes}");
        return Err(Error::invalid("matrix", format!("{outputs} × {inputs}"), reason));
    }
    if let Some(((row, column), entry)) = target.indexed_iter().find(|(_, entry)| !entry.is_finite()) {
        let reason = format!("entry ({row}, {column}) of the matrix is not finite");
        return Err(Error::invalid("matrix", format!("{entry:e}"), reason));
    }
    let size = target.iter().map(|entry| entry.norm_sqr()).sum::<f64>();
    if size == 0.0 {
        return Err(Error::invalid("matrix", 0, "all its entries are zero: no phases are nearer to it than others"));
    }
    // columns of light side by side: a row of the matrix is a mode
    let target: Vec<Complex64> = target.iter().copied().collect();
    let mut best = Fit { controls: Vec::new(), fidelity: f64::NEG_INFINITY, of_starts: Vec::new() };
    for start in 0..search.starts {
        let first = haar_phases(mesh, &mut StdRng::seed_from_u64(search.seed.wrapping_add(start as u64)));
        let mut step = 0;
        let controls = minimise(first, search.steps, |controls| {
            let (overlap, gradient) = overlap_and_gradient(mesh, controls, &target)?;
            let loss = (modes as f64 + size - 2.0 * overlap.re) / (2.0 * modes as f64);
            progress(start, step, loss);
            step += 1;
            Ok((loss, gradient))
        })?;
        let made = transfer_matrix(mesh, &controls, None)?;
        let overlap: Complex64 = target.iter().zip(&made).map(|(wanted, made)| wanted.conj() * made).sum();
        let fidelity = overlap.norm_sqr() / (modes as f64 * size);
        best.of_starts.push(fidelity);
        if fidelity > best.fidelity {
            (best.fidelity, best.controls) = (fidelity, controls);
        }
    }
    Ok(best)
}

/// Columns of the matrix that are carried back together.
const PIECE: usize = 32;

/// `tr U†T` and the gradient of L.
fn overlap_and_gradient(mesh: &Mesh, controls: &[f64], target: &[Complex64]) -> Result<(Complex64, Vec<f64>)> {
    let modes = mesh.modes();
    let made = transfer_matrix(mesh, controls, None)?;
    let (theta, phi, gamma) = mesh.split(controls);
    let ideal = Coupler::new(0.0);
    let places: Vec<[usize; 2]> = mesh.positions().map(|(_, rows)| rows).collect();
    let blocks = places.iter().enumerate().map(|(mzi, _)| mzi_transfer(theta[mzi], phi[mzi], ideal, ideal));
    let blocks: Vec<[[Complex64; 2]; 2]> = blocks.collect();
    // of every MZI Σ a_r* x_c, and of every output Σ a* y: over the columns of a piece
    let piece = |first: usize| {
        let width = PIECE.min(modes - first);
        let take = |row: &[Complex64], turn: Complex64| -> Vec<Complex64> {
            row[first..first + width].iter().map(|entry| entry * turn).collect()
        };
        let made = made.as_slice().expect("rows of the matrix lie one behind the other");
        let turns: Vec<Complex64> = gamma.iter().map(|&phase| Complex64::cis(-phase)).collect();
        let rows = |from: &[Complex64]| -> Vec<Vec<Complex64>> {
            from.chunks_exact(modes).zip(&turns).map(|(row, &turn)| take(row, turn)).collect()
        };
        let (mut fields, mut adjoints) = (rows(made), rows(target));
        let ends: Vec<Complex64> = fields.iter().zip(&adjoints).map(|(y, a)| product(a, y)).collect();
        let mut sums = vec![[[Complex64::ZERO; 2]; 2]; places.len()];
        for (mzi, &[upper, lower]) in places.iter().enumerate().rev() {
            let m = &blocks[mzi];
            uncross(m, &mut fields, upper, lower);
            for (r, row) in [upper, lower].into_iter().enumerate() {
                for (c, column) in [upper, lower].into_iter().enumerate() {
                    sums[mzi][r][c] = product(&adjoints[row], &fields[column]);
                }
            }
            uncross(m, &mut adjoints, upper, lower);
        }
        (sums, ends)
    };
    let firsts: Vec<usize> = (0..modes).step_by(PIECE).collect();
    let pieces: Vec<_> = firsts.into_par_iter().map(piece).collect();
    let mut gradient = vec![0.0; controls.len()];
    let (by_theta, rest) = gradient.split_at_mut(places.len());
    let (by_phi, by_gamma) = rest.split_at_mut(places.len());
    let mut overlap = Complex64::ZERO;
    for (sums, ends) in &pieces {
        for (mzi, sums) in sums.iter().enumerate() {
            let slope = |derivative: [[Complex64; 2]; 2]| {
                let terms = (0..2).flat_map(|r| (0..2).map(move |c| (r, c)));
                -terms.map(|(r, c)| (sums[r][c] * derivative[r][c]).re).sum::<f64>() / modes as f64
            };
            by_theta[mzi] += slope(mzi_theta_derivative(theta[mzi], phi[mzi], ideal, ideal));
            by_phi[mzi] += slope(mzi_phi_derivative(theta[mzi], phi[mzi], ideal, ideal));
        }
        for (slope, end) in by_gamma.iter_mut().zip(ends) {
            *slope += end.im / modes as f64;
            overlap += end;
        }
    }
    Ok((overlap, gradient))
}

/// `Σ a* y`.
fn product(a: &[Complex64], y: &[Complex64]) -> Complex64 {
    a.iter().zip(y).map(|(a, y)| a.conj() * y).sum()
}

/// `(upper, lower) ← M† (upper, lower)`.
fn uncross(m: &[[Complex64; 2]; 2], rows: &mut [Vec<Complex64>], upper: usize, lower: usize) {
    let (above, below) = rows.split_at_mut(lower);
    for (a, b) in above[upper].iter_mut().zip(&mut below[0]) {
        (*a, *b) = (m[0][0].conj() * *a + m[1][0].conj() * *b, m[0][1].conj() * *a + m[1][1].conj() * *b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meshes() -> [Mesh; 4] {
        let custom = Mesh::of_columns(5, &[vec![[0, 3], [1, 4]], vec![[2, 4]], vec![[0, 1]]]).unwrap();
        [Mesh::butterfly(8).unwrap(), Mesh::rectangular(5).unwrap(), Mesh::diamond(6).unwrap(), custom]
    }

    fn loss(mesh: &Mesh, controls: &[f64], target: &Array2<Complex64>) -> f64 {
        let difference = transfer_matrix(mesh, controls, None).unwrap() - target;
        difference.iter().map(|entry| entry.norm_sqr()).sum::<f64>() / (2.0 * mesh.modes() as f64)
    }

    #[test]
    fn gradients_match_differences() {
        for mesh in meshes() {
            let modes = mesh.modes();
            let [controls, other] = [3, 4].map(|seed| haar_phases(&mesh, &mut StdRng::seed_from_u64(seed)));
            let mut target = transfer_matrix(&mesh, &other, None).unwrap();
            target[[0, 1]] += 0.3; // no unitary matrix
            let flat: Vec<Complex64> = target.iter().copied().collect();
            let (overlap, gradient) = overlap_and_gradient(&mesh, &controls, &flat).unwrap();
            let size = flat.iter().map(|entry| entry.norm_sqr()).sum::<f64>();
            let told = (modes as f64 + size - 2.0 * overlap.re) / (2.0 * modes as f64);
            assert!((told - loss(&mesh, &controls, &target)).abs() < 1e-13);
            for (control, &slope) in gradient.iter().enumerate() {
                let at = |step: f64| {
                    let mut moved = controls.clone();
                    moved[control] += step;
                    loss(&mesh, &moved, &target)
                };
                let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
                assert!((difference - slope).abs() < 1e-8, "{:?}, control {control}", mesh.layout());
            }
        }
    }

    /// What a mesh makes with some phases, a fit finds again, up to local minima, which several starts leave.
    #[test]
    fn matrices_of_the_mesh_itself_are_found() {
        let search = Search { steps: 600, starts: 3, ..Search::DEFAULT };
        for mesh in meshes() {
            let target = transfer_matrix(&mesh, &haar_phases(&mesh, &mut StdRng::seed_from_u64(8)), None).unwrap();
            let mut first = f64::NAN;
            let found = fit(&mesh, &target, &search, |start, step, loss| {
                if (start, step) == (0, 0) {
                    first = loss;
                }
            })
            .unwrap();
            assert!(first > 0.1, "{first}");
            assert!(found.fidelity > 1.0 - 1e-9, "{:?}: {:?}", mesh.layout(), found.of_starts);
            assert!(loss(&mesh, &found.controls, &target) < 1e-9);
            assert_eq!(found.of_starts.len(), 3);
        }
    }

    #[test]
    fn what_cannot_be_fitted_is_named() {
        let mesh = Mesh::butterfly(4).unwrap();
        let said = |target: Array2<Complex64>, search: Search| {
            fit(&mesh, &target, &search, |_, _, _| ()).unwrap_err().to_string()
        };
        let eye = Array2::<Complex64>::eye;
        assert!(said(eye(3), Search::DEFAULT).contains("4 × 4"));
        assert!(said(Array2::zeros((4, 4)), Search::DEFAULT).contains("zero"));
        let mut infinite = eye(4);
        infinite[[2, 1]].im = f64::INFINITY;
        assert!(said(infinite, Search::DEFAULT).contains("entry (2, 1)"));
        assert!(said(eye(4), Search { steps: 0, ..Search::DEFAULT }).contains("steps"));
        assert!(said(eye(4), Search { starts: 0, ..Search::DEFAULT }).contains("starts"));
    }
}
