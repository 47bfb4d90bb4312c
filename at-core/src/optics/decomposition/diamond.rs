//! From a matrix that a diamond makes to its phases.
//!
//! The MZIs of a diamond of N modes stand on diagonals. Those that lead up to output a begin at inputs that its MZIs share with the diagonal down
//! to output N-1-b, so that every MZI, upper mode r in column ℓ, is the crossing of one of each, with `2a = r + ℓ - (N/2-1)` and
//! `2b = ℓ - r + (N/2-1)`. Once all MZIs in front of it are taken off, output a gets light from the upper and the lower input of this one, and
//! without it from the upper alone; output N-1-b likewise, and then from the lower alone. Either says θ and φ; the brighter one is believed.

use super::UNITARY_TOLERANCE;
use crate::optics::Mesh;
use crate::optics::mzi::{Coupler, mzi_transfer};
use crate::{Error, Result};
use ndarray::Array2;
use num_complex::Complex64;
use std::f64::consts::PI;

/// Amplitudes below so many defects of the matrix are taken for none.
const DARK: f64 = 10.0;

/// `diag(1, …, 1, U)` of 2N-2 modes for a matrix of N modes: what a diamond makes of its lower N modes, which hold a triangular mesh, when
/// its other MZIs lead light straight on. Errs where the matrix is not square or has fewer than 2 modes.
pub fn embedded_in_diamond(unitary: &Array2<Complex64>) -> Result<Array2<Complex64>> {
    let (outputs, modes) = unitary.dim();
    if outputs != modes || modes < 2 {
        let reason = "a mesh makes square matrices, of 2 modes or more";
        return Err(Error::invalid("matrix", format!("{outputs} × {modes}"), reason));
    }
    let mut all = Array2::eye(2 * modes - 2);
    all.slice_mut(ndarray::s![modes - 2.., modes - 2..]).assign(unitary);
    Ok(all)
}

/// `[θ.., φ..]` and γ of the diamond `mesh` that makes `unitary`, which is unitary but for `defect`. Errs where no light tells the phases.
pub(super) fn diamond(mesh: &Mesh, unitary: &Array2<Complex64>, defect: f64) -> Result<[Vec<f64>; 3]> {
    let (modes, centre) = (mesh.modes(), mesh.modes() / 2 - 1);
    let dark = DARK * (defect + f64::EPSILON * modes as f64);
    let mut left = unitary.to_owned();
    let (mut theta, mut phi) = (vec![0.0; mesh.mzis()], vec![0.0; mesh.mzis()]);
    for (column, [upper, lower]) in mesh.positions() {
        let (top, bottom) = ((upper + column - centre) / 2, modes - 1 - (centre + column - upper) / 2);
        let [above, below] = [top, bottom].map(|output| [left[[output, upper]], left[[output, lower]]]);
        let size = |pair: [Complex64; 2]| pair[0].norm().hypot(pair[1].norm());
        let (angle, turn) = match (size(above), size(below)) {
            (bright, other) if bright.max(other) <= dark => (PI, PI), // straight on, and nothing turned
            (bright, other) if bright >= other => {
                let [a, b] = above;
                (2.0 * a.norm().atan2(b.norm()), ahead(a, b).unwrap_or(PI))
            }
            _ => {
                let [a, b] = below;
                (2.0 * b.norm().atan2(a.norm()), ahead(a, b).map_or(PI, |phase| phase + PI))
            }
        };
        let index = mesh.columns()[column].mzi(upper);
        (theta[index], phi[index]) = (angle, turn);
        let ideal = Coupler::new(0.0);
        let m = mzi_transfer(angle, turn, ideal, ideal).map(|line| line.map(|entry| entry.conj()));
        for mut line in left.rows_mut() {
            let (a, b) = (line[upper], line[lower]);
            line[upper] = a * m[0][0] + b * m[0][1];
            line[lower] = a * m[1][0] + b * m[1][1];
        }
    }
    let beside = |(place, entry): ((usize, usize), &Complex64)| if place.0 == place.1 { 0.0 } else { entry.norm() };
    let worst = left.indexed_iter().map(beside).fold(0.0, f64::max);
    if worst > UNITARY_TOLERANCE {
        let whole = 2 * modes - 2;
        let reason = format!(
            "the (N/2)² MZIs of a diamond of {modes} modes make a part of the unitary matrices, and this is none of them, or one whose light \
             between opposite corners is too dim to tell. A diamond of {whole} modes makes it on its lower {modes}: pass `embed`; the \
             phases that come nearest on {modes} modes are found by gradient (asyt mesh fit)"
        );
        return Err(Error::invalid("amplitude that is left beside the diagonal", format!("{worst:.1e}"), reason));
    }
    let gamma = left.diag().iter().map(|entry| entry.arg()).collect();
    Ok([theta, phi, gamma])
}

/// The phase by which `a` is ahead of `b`; none where one of them is dark, and the phase shifter turns what nobody sees.
fn ahead(a: Complex64, b: Complex64) -> Option<f64> {
    (a.norm() > 0.0 && b.norm() > 0.0).then(|| (a * b.conj()).arg())
}
