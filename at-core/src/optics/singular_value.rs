//! Singular values of any complex matrix, and the controls of the two meshes and attenuators that make it.
//!
//! One-sided Jacobi rotations: short, accurate also for small singular values, and needing no linear algebra library.

use super::{Layout, decompose};
use crate::{Error, Result};
use ndarray::Array2;
use num_complex::Complex64;

/// Sweeps over all pairs of columns before giving up; some ten suffice, and LAPACK's Jacobi routine stops at 30.
const MAX_SWEEPS: usize = 60;

/// `W = U diag(σ) Vᴴ` of an outputs × inputs matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct SingularValues {
    /// U, unitary [outputs, outputs].
    pub left: Array2<Complex64>,
    /// σ, descending, as many as the shorter side has. Below rounding (ε · longer side · σ₀) they are 0.
    pub values: Vec<f64>,
    /// Vᴴ, unitary [inputs, inputs].
    pub right: Array2<Complex64>,
}

/// The singular values of `matrix` [output, input] with complete bases. O(N³) per sweep.
///
/// Errs on an empty matrix, on an entry that is not finite, and if the rotations do not converge.
pub fn singular_values(matrix: &Array2<Complex64>) -> Result<SingularValues> {
    let (outputs, inputs) = matrix.dim();
    if matrix.is_empty() {
        return Err(Error::invalid("matrix", format!("{outputs} × {inputs}"), "needs at least one entry"));
    }
    if let Some(((row, column), entry)) = matrix.indexed_iter().find(|(_, entry)| !entry.is_finite()) {
        return Err(Error::invalid("matrix", entry, format!("entry ({row}, {column}) is not finite")));
    }
    if outputs >= inputs {
        let (left, values, right) = tall(&lines(matrix.t().iter().copied(), outputs))?;
        Ok(SingularValues { left: columns(&left), values, right: rows(&right, true) })
    } else {
        let (right, values, left) = tall(&lines(matrix.iter().map(|entry| entry.conj()), inputs))?;
        Ok(SingularValues { left: columns(&left), values, right: rows(&right, true) })
    }
}

/// Controls of [`singular_value_stages`](crate::network::singular_value_stages) that make `matrix` [output, input]:
/// `[θ, φ, γ of Vᴴ; θ_k = 2 asin(σ_k/σ₀).., g = σ₀; θ, φ, γ of U]`.
///
/// Both meshes have the given `layout`. Errs as [`singular_values`] does, and on a side shorter than a mesh's 2 modes.
pub fn singular_value_controls(matrix: &Array2<Complex64>, layout: Layout) -> Result<Vec<f64>> {
    let SingularValues { left, values, right } = singular_values(matrix)?;
    let gain = values[0];
    let mut controls = decompose(&right, layout)?;
    controls.extend(values.iter().map(|value| if gain > 0.0 { 2.0 * (value / gain).asin() } else { 0.0 }));
    controls.push(gain);
    controls.extend(decompose(&left, layout)?);
    Ok(controls)
}

type Vector = Vec<Complex64>;

fn lines(entries: impl Iterator<Item = Complex64>, length: usize) -> Vec<Vector> {
    let all: Vector = entries.collect();
    all.chunks_exact(length).map(<[Complex64]>::to_vec).collect()
}

fn columns(vectors: &[Vector]) -> Array2<Complex64> {
    rows(vectors, false).reversed_axes().as_standard_layout().to_owned()
}

fn rows(vectors: &[Vector], conjugate: bool) -> Array2<Complex64> {
    let entry = |(row, column): (usize, usize)| vectors[row][column];
    let turned = |at| if conjugate { entry(at).conj() } else { entry(at) };
    Array2::from_shape_fn((vectors.len(), vectors[0].len()), turned)
}

/// `aᴴ b`.
fn overlap(a: &[Complex64], b: &[Complex64]) -> Complex64 {
    a.iter().zip(b).map(|(a, b)| a.conj() * b).sum()
}

fn norm(a: &[Complex64]) -> f64 {
    a.iter().map(|entry| entry.norm_sqr()).sum::<f64>().sqrt()
}

/// Left vectors (a complete basis), values and right vectors of a matrix with at least as many rows as columns.
fn tall(matrix: &[Vector]) -> Result<(Vec<Vector>, Vec<f64>, Vec<Vector>)> {
    let (count, length) = (matrix.len(), matrix[0].len());
    let largest = matrix.iter().flatten().map(|entry| entry.re.abs().max(entry.im.abs())).fold(0.0, f64::max);
    let scale = if largest > 0.0 { largest } else { 1.0 }; // squares of any finite entries stay in range
    let mut turned: Vec<Vector> =
        matrix.iter().map(|column| column.iter().map(|entry| entry / scale).collect()).collect();
    let mut right: Vec<Vector> =
        (0..count).map(|k| (0..count).map(|j| if j == k { 1.0 } else { 0.0 }.into()).collect()).collect();
    orthogonalise(&mut turned, &mut right)?;

    let mut order: Vec<(usize, f64)> = turned.iter().map(|column| norm(column)).enumerate().collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let rounding = f64::EPSILON * length as f64 * order[0].1;
    let mut left: Vec<Vector> = Vec::with_capacity(length);
    let mut values = vec![0.0; count];
    for (value, &(index, size)) in values.iter_mut().zip(&order).take_while(|(_, (_, size))| *size > rounding) {
        *value = size * scale;
        left.push(turned[index].iter().map(|entry| entry / size).collect());
    }
    complete(&mut left, length);
    Ok((left, values, order.iter().map(|&(index, _)| std::mem::take(&mut right[index])).collect()))
}

/// Rotates pairs of columns until all are orthogonal; `right` collects the rotations.
fn orthogonalise(columns: &mut [Vector], right: &mut [Vector]) -> Result<()> {
    let tolerance = f64::EPSILON * (columns[0].len() as f64).sqrt();
    for _ in 0..MAX_SWEEPS {
        let mut rotated = false;
        for second in 1..columns.len() {
            for first in 0..second {
                let (a, b) = (&columns[first], &columns[second]);
                let (overlap, size_a, size_b) = (overlap(a, b), norm(a), norm(b));
                let cosine = overlap.norm();
                if cosine <= tolerance * size_a * size_b {
                    continue;
                }
                rotated = true;
                let zeta = (size_b - size_a) * (size_b + size_a) / (2.0 * cosine);
                let tangent = zeta.signum() / (zeta.abs() + zeta.hypot(1.0));
                let c = 1.0 / tangent.hypot(1.0);
                let phase = overlap.conj() / cosine;
                rotate(columns, first, second, c, c * tangent, phase);
                rotate(right, first, second, c, c * tangent, phase);
            }
        }
        if !rotated {
            return Ok(());
        }
    }
    let reason = format!("its singular values did not converge in {MAX_SWEEPS} sweeps");
    Err(Error::invalid("matrix", format!("{} × {}", columns[0].len(), columns.len()), reason))
}

/// `(a, b) ← (c a - s e b, s a + c e b)` with the phase factor e.
fn rotate(columns: &mut [Vector], first: usize, second: usize, c: f64, s: f64, phase: Complex64) {
    let (head, tail) = columns.split_at_mut(second);
    for (a, b) in head[first].iter_mut().zip(&mut tail[0]) {
        let turned = phase * *b;
        (*a, *b) = (*a * c - turned * s, *a * s + turned * c);
    }
}

/// Adds orthonormal vectors until there are `length`: what is left of the unit vectors, the least represented first.
fn complete(basis: &mut Vec<Vector>, length: usize) {
    let mut free = vec![1.0; length];
    let spend = |free: &mut [f64], vector: &[Complex64]| {
        free.iter_mut().zip(vector).for_each(|(free, entry)| *free -= entry.norm_sqr());
    };
    basis.iter().for_each(|vector| spend(&mut free, vector));
    while basis.len() < length {
        let least = (0..length).max_by(|&a, &b| free[a].total_cmp(&free[b])).unwrap_or(0);
        let mut vector: Vector = (0..length).map(|k| if k == least { 1.0 } else { 0.0 }.into()).collect();
        for _ in 0..2 {
            for other in basis.iter() {
                let part = overlap(other, &vector);
                vector.iter_mut().zip(other).for_each(|(entry, other)| *entry -= part * other);
            }
            let size = norm(&vector);
            vector.iter_mut().for_each(|entry| *entry /= size);
        }
        spend(&mut free, &vector);
        basis.push(vector);
    }
}

#[cfg(test)]
#[path = "singular_value_tests.rs"]
mod tests;
