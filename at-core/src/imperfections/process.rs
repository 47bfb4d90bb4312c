//! Process variation that neighbours share: widths and thicknesses vary slowly over a die, and from die to die.
//!
//! What is added to the errors of a die at the place x is `m + f(x)`: m one draw of N(0, σ_d²) per die, f a Gaussian field with the
//! covariance `s² exp(-d²/2ℓ²)` at the distance d. That covariance is a product of one along and one across the light, so on a
//! grid `f = s·L_x Z L_yᵀ` with the pivoted Cholesky factors of the two and independent draws Z: exact, in cubes of the grid's sides only.

/// Pivots below this (of 1) are rounding: a smooth field has fewer degrees of freedom than a fine grid has points.
const NOTHING: f64 = 1e-10;

/// The field of deviation 1 and correlation length `length` at `places`, from draws of N(0, 1): `draw(count)`.
pub(super) fn field(places: &[[f64; 2]], length: f64, draw: &mut dyn FnMut(usize) -> Vec<f64>) -> Vec<f64> {
    let axis = |index: usize| {
        let mut values: Vec<f64> = places.iter().map(|place| place[index]).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values
    };
    let (along, across) = (axis(0), axis(1));
    let (left, right) = (factor(&along, length), factor(&across, length));
    let noise = draw(along.len() * across.len());
    // rows: places along the light; columns: across it
    let mut half = vec![0.0; noise.len()];
    for (i, slots) in half.chunks_exact_mut(across.len().max(1)).enumerate() {
        for (weight, row) in left[i].iter().zip(noise.chunks_exact(across.len())) {
            slots.iter_mut().zip(row).for_each(|(slot, value)| *slot += weight * value);
        }
    }
    let at = |values: &[f64], x: f64| values.partition_point(|value| *value < x);
    let value = |place: &[f64; 2]| {
        let (i, j) = (at(&along, place[0]), at(&across, place[1]));
        right[j].iter().zip(&half[i * across.len()..]).map(|(weight, value)| weight * value).sum()
    };
    places.iter().map(value).collect()
}

/// Rows of L with `L Lᵀ = exp(-(x_i - x_j)²/2ℓ²)`. The place of which least is known so far comes next: in any fixed order what is divided by small pivots
/// grows from row to row, to deviations of six times what they should be on 64 columns and ℓ of ten of them.
fn factor(places: &[f64], length: f64) -> Vec<Vec<f64>> {
    let mut rows: Vec<Vec<f64>> = vec![Vec::new(); places.len()];
    let mut unknown = vec![1.0; places.len()];
    for _ in places {
        let next = (1..places.len()).fold(0, |next, i| if unknown[i] > unknown[next] { i } else { next });
        if unknown[next] <= NOTHING {
            break;
        }
        let (pivot, known) = (unknown[next].sqrt(), rows[next].clone());
        for (i, row) in rows.iter_mut().enumerate() {
            let covariance = (-((places[i] - places[next]) / length).powi(2) / 2.0).exp();
            let rest = covariance - row.iter().zip(&known).map(|(a, b)| a * b).sum::<f64>();
            let entry = if i == next {
                pivot
            } else if unknown[i] > 0.0 {
                rest / pivot
            } else {
                0.0
            };
            row.push(entry);
            unknown[i] = if i == next { 0.0 } else { (unknown[i] - entry * entry).max(0.0) };
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imperfections::random::{key, normals};

    #[test]
    fn smooth_fields_on_fine_grids_do_not_grow_beyond_their_deviation() {
        for (count, length) in [(64, 2.0), (64, 4.0), (64, 10.0), (128, 16.0), (200, 150.0), (5, 0.1)] {
            let places: Vec<f64> = (0..count).map(f64::from).collect();
            let rows = factor(&places, length);
            for (i, a) in rows.iter().enumerate() {
                for (j, b) in rows.iter().enumerate() {
                    let found: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                    let expected = (-((places[i] - places[j]) / length).powi(2) / 2.0).exp();
                    assert!((found - expected).abs() < 1e-9, "{count} places, ℓ = {length}: {found} for {expected}");
                }
            }
        }
    }

    /// Over many dies the covariance of any two places is `exp(-d²/2ℓ²)`.
    #[test]
    fn a_field_has_the_covariance_of_its_formula() {
        let places: Vec<[f64; 2]> = (0..12).map(|k| [f64::from(k % 4) * 2.0, f64::from(k / 4) * 0.5]).collect();
        for length in [0.7, 3.0, 50.0] {
            let dies = 4000;
            let mut sums = [[0.0; 12]; 12];
            for die in 0..dies {
                let mut draw = |count: usize| (0..count as u32).map(|k| normals(key(die), [k, 0, 0, 0])[0]).collect();
                let values = field(&places, length, &mut draw);
                for i in 0..12 {
                    for j in 0..12 {
                        sums[i][j] += values[i] * values[j] / dies as f64;
                    }
                }
            }
            for i in 0..12 {
                for j in 0..12 {
                    let distance = (places[i][0] - places[j][0]).hypot(places[i][1] - places[j][1]);
                    let expected = (-(distance / length).powi(2) / 2.0).exp();
                    let found = sums[i][j];
                    assert!((found - expected).abs() < 0.09, "ℓ = {length}, d = {distance}: {found} for {expected}");
                }
            }
        }
    }
}
