//! From a unitary matrix to the phases of an ideal mesh that makes it.
//!
//! Ideal MZI: `M(θ,φ) = i e^{iθ/2} [[e^{iφ} s, c],[e^{iφ} c, -s]]` with `s = sin θ/2`, `c = cos θ/2`.

use super::mzi::{Coupler, mzi_transfer};
use super::{Layout, Mesh, singular_values};
use crate::{Error, Result};
use ndarray::Array2;
use num_complex::Complex64;
use std::f64::consts::{PI, TAU};

/// A matrix passes as unitary when no entry of `UᴴU - I` exceeds this: rounding to single precision is allowed, more is not.
pub const UNITARY_TOLERANCE: f64 = 1e-5;

/// Controls `[θ, φ, γ]` (radians) with which the universal mesh of `layout` makes `unitary` [mode, mode], `y = U x`.
///
/// θ lies in [0, π], φ and γ in [0, 2π). Rectangular: Clements et al., Optica 3, 1460 (2016); triangular: Reck et al.,
/// PRL 73, 58 (1994). O(N³). Errs where the matrix is not square, has fewer than 2 modes, an entry that is not finite, or is
/// not unitary within [`UNITARY_TOLERANCE`]; within it, the mesh makes the matrix to the size of that defect.
pub fn decompose(unitary: &Array2<Complex64>, layout: Layout) -> Result<Vec<f64>> {
    let (outputs, inputs) = unitary.dim();
    if outputs != inputs {
        let reason = format!("a mesh makes a square matrix. {SINGULAR}");
        return Err(Error::invalid("matrix", format!("{outputs} × {inputs}"), reason));
    }
    if !layout.is_universal() {
        let reason =
            "only rectangular and triangular meshes have a decomposition; fit the phases by gradient (asyt mesh fit)";
        return Err(Error::invalid("layout", layout.name(), reason));
    }
    let mesh = Mesh::universal(unitary.nrows(), layout)?;
    check_unitary(unitary)?;
    let mut phases = Decomposition {
        modes: mesh.modes(),
        matrix: unitary.iter().copied().collect(),
        theta: vec![0.0; mesh.mzis()],
        phi: vec![0.0; mesh.mzis()],
        mesh,
    };
    let gamma = if layout == Layout::Triangular { phases.triangular() } else { phases.rectangular() };
    let wrapped = phases.phi.into_iter().chain(gamma).map(wrap);
    Ok(phases.theta.into_iter().chain(wrapped).collect())
}

/// What to do with a matrix that no single mesh makes.
const SINGULAR: &str = "W as it is is made by two meshes with attenuators σ between them, W = U diag(σ) Vᴴ: pass `svd`; in the \
                        library, singular_value_controls gives all three";

/// Beyond so many modes the singular values take too long for an error.
const MOST_EXPLAINED: usize = 128;

/// Errs where the largest entry of `UᴴU - I` is beyond [`UNITARY_TOLERANCE`], and on entries that are not finite.
fn check_unitary(unitary: &Array2<Complex64>) -> Result<()> {
    if let Some(((row, column), entry)) = unitary.indexed_iter().find(|(_, entry)| !entry.is_finite()) {
        return Err(Error::invalid(
            "unitary",
            format!("{entry:e}"),
            format!("entry ({row}, {column}) of the matrix is not finite"),
        ));
    }
    let mut defect = unitary.t().mapv(|entry| entry.conj()).dot(unitary);
    defect.diag_mut().mapv_inplace(|entry| entry - 1.0);
    let worst = defect.iter().map(|entry| entry.norm()).fold(0.0, f64::max);
    if worst <= UNITARY_TOLERANCE {
        return Ok(());
    }
    let values = if unitary.nrows() <= MOST_EXPLAINED { singular_values(unitary).ok() } else { None };
    let values = values.map_or(String::new(), |found| {
        let (largest, least) = (found.values[0], found.values[found.values.len() - 1]);
        let told = |value: f64| match value {
            value if value == 0.0 || (1e-3..1e6).contains(&value) => format!("{value:.6}"),
            value => format!("{value:.1e}"), // which would fill lines with its zeros
        };
        format!(" (its singular values are {} to {}, of a unitary matrix all are 1)", told(least), told(largest))
    });
    let reason = format!(
        "a mesh makes unitary matrices, and an entry of UᴴU - I exceeds {UNITARY_TOLERANCE:e}{values}. If W is meant to be \
         unitary, decompose the nearest one that is, U Vᴴ of W = U diag(σ) Vᴴ. {SINGULAR}"
    );
    Err(Error::invalid("largest entry of UᴴU - I", format!("{worst:.3e}"), reason))
}

/// The angle in [0, 2π).
pub(crate) fn wrap(angle: f64) -> f64 {
    let wrapped = angle.rem_euclid(TAU);
    if wrapped < TAU { wrapped } else { 0.0 } // a tiny negative angle rounds up to 2π
}

/// The rotation that empties one of two amplitudes: (θ, phase of the first against the second) with tan θ/2 = |over|/|under|.
fn nulling(over: Complex64, under: Complex64, phase: Complex64) -> (f64, f64) {
    let theta = if over.norm() == 0.0 && under.norm() == 0.0 { PI } else { 2.0 * over.norm().atan2(under.norm()) };
    (theta, if phase.norm() == 0.0 { 0.0 } else { phase.arg() })
}

struct Decomposition {
    mesh: Mesh,
    modes: usize,
    /// What is left of the matrix, row-major.
    matrix: Vec<Complex64>,
    theta: Vec<f64>,
    phi: Vec<f64>,
}

impl Decomposition {
    fn index(&self, column: usize, row: usize) -> usize {
        self.mesh.columns()[column].mzi(row)
    }

    fn entry(&self, row: usize, column: usize) -> Complex64 {
        self.matrix[row * self.modes + column]
    }

    /// Empties (`target`, `row`) by `U ← U Mᴴ` on columns (`row`, `row`+1); the MZI stands in mesh column `place`.
    ///
    /// Rows below `target` hold zeros in both columns.
    fn null_from_the_right(&mut self, place: usize, row: usize, target: usize) {
        let (a, b) = (self.entry(target, row), self.entry(target, row + 1));
        let (theta, phase) = nulling(b, a, a * b.conj());
        let phi = if a.norm() == 0.0 || b.norm() == 0.0 { 0.0 } else { phase + PI };
        let index = self.index(place, row);
        (self.theta[index], self.phi[index]) = (theta, phi);
        let ideal = Coupler::new(0.0);
        let m = mzi_transfer(theta, phi, ideal, ideal).map(|line| line.map(|entry| entry.conj()));
        for line in self.matrix.chunks_exact_mut(self.modes).take(target + 1) {
            let (a, b) = (line[row], line[row + 1]);
            line[row] = a * m[0][0] + b * m[0][1];
            line[row + 1] = a * m[1][0] + b * m[1][1];
        }
        self.matrix[target * self.modes + row] = Complex64::ZERO;
    }

    /// Empties (`row`+1, `target`) by `U ← M(θ,0)ᴴ diag(e^{-iα}, 1) U` on rows (`row`, `row`+1); returns α.
    ///
    /// Columns before `target` hold zeros in both rows.
    fn null_from_the_left(&mut self, place: usize, row: usize, target: usize) -> f64 {
        let (a, b) = (self.entry(row, target), self.entry(row + 1, target));
        let (theta, alpha) = nulling(a, b, a * b.conj());
        let index = self.index(place, row);
        self.theta[index] = theta;
        let ideal = Coupler::new(0.0);
        let m = mzi_transfer(theta, 0.0, ideal, ideal).map(|line| line.map(|entry| entry.conj()));
        let turn = Complex64::cis(-alpha);
        let (upper, lower) = self.matrix[row * self.modes..(row + 2) * self.modes].split_at_mut(self.modes);
        for (a, b) in upper[target..].iter_mut().zip(&mut lower[target..]) {
            let turned = turn * *a;
            (*a, *b) = (m[0][0] * turned + m[1][0] * *b, m[0][1] * turned + m[1][1] * *b);
        }
        self.matrix[(row + 1) * self.modes + target] = Complex64::ZERO;
        alpha
    }

    /// `U M₁ᴴ M₂ᴴ … = diag(e^{iγ})`, row after row from the last: light meets M₁ first, and M₁ is as early as it can be.
    fn triangular(&mut self) -> Vec<f64> {
        for target in (1..self.modes).rev() {
            for row in 0..target {
                self.null_from_the_right(row + 2 * (self.modes - 1 - target), row, target);
            }
        }
        self.screen()
    }

    /// `… L₂ L₁ U M₁ᴴ M₂ᴴ … = D`, antidiagonals alternately from the right and the left, so `U = L₁⁻¹ L₂⁻¹ … D … M₂ M₁`.
    ///
    /// With `L⁻¹ = diag(e^{iα},1) M(θ,0)`, a screen D in front of it is `φ = d_upper - d_lower` and a phase `d_lower` that
    /// both outputs share, so that the screen moves through to the outputs.
    fn rectangular(&mut self) -> Vec<f64> {
        let modes = self.modes;
        let mut left = Vec::new();
        for diagonal in 1..modes {
            for step in 0..diagonal {
                if diagonal % 2 == 1 {
                    self.null_from_the_right(step, diagonal - 1 - step, modes - 1 - step);
                } else {
                    let (place, row) = (modes - 1 - step, modes - 1 + step - diagonal);
                    let alpha = self.null_from_the_left(place, row, step);
                    left.push((place, row, alpha));
                }
            }
        }
        let mut screen = self.screen();
        for (place, row, alpha) in left.into_iter().rev() {
            let index = self.index(place, row);
            self.phi[index] = screen[row] - screen[row + 1];
            screen[row] = screen[row + 1] + alpha;
        }
        screen
    }

    /// The phases of the diagonal, once it is all that is left.
    fn screen(&self) -> Vec<f64> {
        (0..self.modes).map(|mode| self.entry(mode, mode).arg()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optics::transfer_matrix;
    use rand::{SeedableRng, rngs::StdRng};
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
            let screen =
                Array2::from_diag(&ndarray::Array1::from_iter((0..modes).map(|k| Complex64::cis(1.0 + k as f64))));
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
}
