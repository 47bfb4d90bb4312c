//! Least squares of few unknowns.

use num_complex::Complex64;

/// Functions of a setting of which any power behind an MZI is a sum: 1, cos φ, sin φ, and their products with cos θ and sin θ.
pub const FUNCTIONS: usize = 9;

/// Least squares of powers at some settings as such sums.
pub struct Powers {
    functions: Vec<[f64; FUNCTIONS]>,
    inverse: [[f64; FUNCTIONS]; FUNCTIONS],
}

impl Powers {
    /// At settings e^{iθ} and e^{iφ}.
    pub fn new(theta: &[Complex64], phi: &[Complex64]) -> Self {
        let of = |(theta, phi): (&Complex64, &Complex64)| {
            let ([c, s], [cosine, sine]) = ([theta.re, theta.im], [phi.re, phi.im]);
            [1.0, cosine, sine, c, s, s * cosine, s * sine, c * cosine, c * sine]
        };
        let functions: Vec<[f64; FUNCTIONS]> = theta.iter().zip(phi).map(of).collect();
        let mut normal = [[0.0; FUNCTIONS]; FUNCTIONS];
        for (row, own) in normal.iter_mut().enumerate() {
            let product = |other: usize| functions.iter().map(|f| f[row] * f[other]).sum();
            own.iter_mut().enumerate().for_each(|(other, slot)| *slot = product(other));
            // functions that are the same leave a sum that is as good
            own[row] += 1e-9 * functions.len() as f64;
        }
        Powers { inverse: inverse(&normal), functions }
    }

    /// What the functions are multiplied by, of the values of one sample.
    pub fn coefficients(&self, values: &[f64]) -> [f64; FUNCTIONS] {
        let mut sums = [0.0; FUNCTIONS];
        for (own, value) in self.functions.iter().zip(values) {
            sums.iter_mut().zip(own).for_each(|(sum, f)| *sum += f * value);
        }
        self.inverse.map(|row| dot(&row, &sums))
    }

    /// Sums of the squares of `values [sample, setting]` that no such sums account for, of every sample.
    pub fn left(&self, values: &[f64]) -> impl Iterator<Item = f64> {
        values.chunks_exact(self.functions.len()).map(|sample| {
            let own = self.coefficients(sample);
            self.functions.iter().zip(sample).map(|(f, value)| (value - dot(f, &own)).powi(2)).sum::<f64>()
        })
    }
}

/// The sum of the products, in sums of eight, which one instruction adds.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 8;
    let (whole, rest) = (a.chunks_exact(LANES).zip(b.chunks_exact(LANES)), a.len() - a.len() % LANES);
    let mut sums = [0.0; LANES];
    for (a, b) in whole {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let last: f64 = a[rest..].iter().zip(&b[rest..]).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + last
}

/// The inverse of a positive definite matrix.
pub fn inverse<const N: usize>(matrix: &[[f64; N]; N]) -> [[f64; N]; N] {
    let (mut left, mut right) = (*matrix, [[0.0; N]; N]);
    right.iter_mut().enumerate().for_each(|(row, own)| own[row] = 1.0);
    for pivot in 0..N {
        let by = 1.0 / left[pivot][pivot];
        left[pivot].iter_mut().chain(&mut right[pivot]).for_each(|x| *x *= by);
        let (own, made) = (left[pivot], right[pivot]);
        for row in (0..N).filter(|row| *row != pivot) {
            let by = left[row][pivot];
            left[row].iter_mut().zip(own).for_each(|(x, own)| *x -= by * own);
            right[row].iter_mut().zip(made).for_each(|(x, own)| *x -= by * own);
        }
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_times_its_inverse_is_one() {
        let matrix = [[4.0, 1.0, -0.5], [1.0, 3.0, 0.2], [-0.5, 0.2, 2.0]];
        let inverse = inverse(&matrix);
        for (row, own) in matrix.iter().enumerate() {
            for column in 0..3 {
                let product: f64 = own.iter().zip(&inverse).map(|(a, b)| a * b[column]).sum();
                assert!((product - f64::from(u8::from(row == column))).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn sums_of_eight_are_the_sum() {
        let own: Vec<f64> = (0..19).map(f64::from).collect();
        assert_eq!(dot(&own, &own), 2109.0);
    }

    #[test]
    fn powers_behind_an_mzi_are_found_and_others_are_not() {
        let turns = |by: f64| (0..24).map(|k| Complex64::cis(by * f64::from(k * k))).collect::<Vec<_>>();
        let (theta, phi) = (turns(0.7), turns(1.3));
        let powers = Powers::new(&theta, &phi);
        let own: Vec<f64> = theta.iter().zip(&phi).map(|(t, f)| 0.3 + 0.2 * t.re - 0.4 * t.im * f.re).collect();
        let coefficients = powers.coefficients(&own);
        assert!((coefficients[0] - 0.3).abs() + (coefficients[3] - 0.2).abs() + (coefficients[5] + 0.4).abs() < 1e-6);
        let other: Vec<f64> = turns(2.1).iter().map(|z| z.re).collect();
        let left = |values: &[f64]| powers.left(values).sum::<f64>();
        assert!(left(&own) < 1e-12 && left(&other) > 1.0);
    }
}
