//! From a unitary matrix to the phases of an ideal mesh that makes it.
//!
//! Ideal MZI: `M(θ,φ) = i e^{iθ/2} [[e^{iφ} s, c],[e^{iφ} c, -s]]` with `s = sin θ/2`, `c = cos θ/2`.

mod diamond;

pub use diamond::embedded_in_diamond;

use super::mzi::{Coupler, mzi_transfer};
use super::{Layout, Mesh, singular_values};
use crate::error::same_size;
use crate::{Error, Result};
use ndarray::Array2;
use num_complex::Complex64;
use std::f64::consts::{PI, TAU};

/// A matrix passes as unitary when no entry of `UᴴU - I` exceeds this: rounding to single precision is allowed, more is not.
pub const UNITARY_TOLERANCE: f64 = 1e-5;

/// Controls `[θ, φ, γ]` (radians) with which the mesh of `layout` with as many modes makes `unitary` [mode, mode], `y = U x`:
/// [`decompose_onto`] without redundant columns.
pub fn decompose(unitary: &Array2<Complex64>, layout: Layout) -> Result<Vec<f64>> {
    require_square(unitary)?;
    require_algorithm(layout)?;
    decompose_onto(unitary, &Mesh::universal(unitary.nrows(), layout)?)
}

/// Controls `[θ, φ, γ]` (radians) with which `mesh` makes `unitary` [mode, mode], `y = U x`.
///
/// θ lies in [0, π], φ and γ in [0, 2π). Rectangular: Clements et al., Optica 3, 1460 (2016), columns beyond the N-th lead light straight on;
/// triangular: Reck et al., PRL 73, 58 (1994); diamond: light between opposite corners tells its MZIs one by one, first column first. O(N³). Errs where the matrix is
/// not square, is not of the mesh's modes, has an entry that is not finite, or is not unitary within [`UNITARY_TOLERANCE`]; within it, the mesh
/// makes the matrix to the size of that defect. Errs where the layout has no algorithm, a rectangular mesh fewer than N columns, and where
/// no phases of the diamond make the matrix.
pub fn decompose_onto(unitary: &Array2<Complex64>, mesh: &Mesh) -> Result<Vec<f64>> {
    require_square(unitary)?;
    require_algorithm(mesh.layout())?;
    same_size("modes of the mesh", unitary.nrows(), mesh.die_modes())?;
    if mesh.dies() > 1 {
        return Err(Error::invalid(
            "dies",
            mesh.dies(),
            "each makes a matrix of its own: decompose one after the other",
        ));
    }
    let (modes, depth) = (mesh.modes(), mesh.columns().len());
    if mesh.layout() == Layout::Rectangular && depth < modes {
        let reason = format!(
            "a rectangular mesh of {modes} modes makes any unitary with {modes} columns or more; the phases of fewer that come \
             nearest are found by gradient (asyt mesh fit)"
        );
        return Err(Error::invalid("depth", depth, reason));
    }
    let defect = check_unitary(unitary)?;
    let [theta, phi, gamma] = match mesh.layout() {
        Layout::Rectangular => {
            let mut found = Decomposition::new(unitary, Mesh::rectangular(modes)?);
            let gamma = found.rectangular();
            found.theta.resize(mesh.mzis(), PI); // with φ = π the identity
            found.phi.resize(mesh.mzis(), PI);
            [found.theta, found.phi, gamma]
        }
        Layout::Triangular => {
            let mut found = Decomposition::new(unitary, mesh.clone());
            let gamma = found.triangular();
            [found.theta, found.phi, gamma]
        }
        Layout::Diamond => diamond::diamond(mesh, unitary, defect)?,
        Layout::Butterfly | Layout::Benes | Layout::Custom => unreachable!("they have been refused"),
    };
    Ok(theta.into_iter().chain(phi.into_iter().chain(gamma).map(wrap)).collect())
}

fn require_square(matrix: &Array2<Complex64>) -> Result<()> {
    let (outputs, inputs) = matrix.dim();
    if outputs == inputs {
        return Ok(());
    }
    let reason = format!("a mesh makes a square matrix. {SINGULAR}");
    Err(Error::invalid("matrix", format!("{outputs} × {inputs}"), reason))
}

fn require_algorithm(layout: Layout) -> Result<()> {
    match layout {
        Layout::Rectangular | Layout::Triangular | Layout::Diamond => Ok(()),
        Layout::Butterfly | Layout::Benes | Layout::Custom => {
            let reason = "only rectangular, triangular and diamond meshes have a decomposition; fit the phases by gradient (asyt mesh fit)";
            Err(Error::invalid("layout", layout.name(), reason))
        }
    }
}

/// What to do with a matrix that no single mesh makes.
const SINGULAR: &str = "W as it is is made by two meshes with attenuators σ between them, W = U diag(σ) Vᴴ: pass `svd`; in the \
                        library, singular_value_controls gives all three";

/// Beyond so many modes the singular values take too long for an error.
const MOST_EXPLAINED: usize = 128;

/// The largest entry of `UᴴU - I`. Errs where it is beyond [`UNITARY_TOLERANCE`], and on entries that are not finite.
fn check_unitary(unitary: &Array2<Complex64>) -> Result<f64> {
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
        return Ok(worst);
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
    fn new(unitary: &Array2<Complex64>, mesh: Mesh) -> Self {
        let matrix = unitary.iter().copied().collect();
        let [theta, phi] = [(); 2].map(|()| vec![0.0; mesh.mzis()]);
        Decomposition { modes: mesh.modes(), matrix, theta, phi, mesh }
    }

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
#[path = "decomposition_tests.rs"]
mod tests;
