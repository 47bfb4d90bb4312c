//! The law that times follow: `t = a·N^p`, a straight line in double-logarithmic axes.

use serde::Serialize;

/// A fitted power law.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PowerLaw {
    /// The exponent p.
    pub exponent: f64,
    /// The factor a: the value at N = 1.
    pub factor: f64,
    /// The greatest relative distance of a point to the law, `max |t / a·N^p - 1|`.
    pub greatest_deviation: f64,
}

impl PowerLaw {
    /// Least squares of `ln t` over `ln N`, all points alike. None for fewer than two different N.
    pub fn fit(points: &[(f64, f64)]) -> Option<Self> {
        let logs: Vec<(f64, f64)> = points.iter().map(|&(n, t)| (n.ln(), t.ln())).collect();
        let count = logs.len() as f64;
        let mean = |part: fn(&(f64, f64)) -> f64| logs.iter().map(part).sum::<f64>() / count;
        let (x, y) = (mean(|point| point.0), mean(|point| point.1));
        let spread: f64 = logs.iter().map(|point| (point.0 - x).powi(2)).sum();
        if logs.len() < 2 || spread < 1e-12 || !y.is_finite() {
            return None;
        }
        let exponent = logs.iter().map(|point| (point.0 - x) * (point.1 - y)).sum::<f64>() / spread;
        let factor = (y - exponent * x).exp();
        let law = PowerLaw { exponent, factor, greatest_deviation: 0.0 };
        let deviations = points.iter().map(|&(n, t)| (t / law.at(n) - 1.0).abs());
        Some(PowerLaw { greatest_deviation: deviations.fold(0.0, f64::max), ..law })
    }

    /// Its value at N.
    pub fn at(&self, n: f64) -> f64 {
        self.factor * n.powf(self.exponent)
    }
}

/// The middle of sorted values, the mean of the two middle ones where their number is even.
pub fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { 0.5 * (sorted[half - 1] + sorted[half]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_law_is_found_and_a_point_beside_it_is_noticed() {
        let points: Vec<_> = [4.0_f64, 8.0, 16.0, 64.0].map(|n| (n, 3.0 * n.powf(2.5))).to_vec();
        let law = PowerLaw::fit(&points).unwrap();
        assert!((law.exponent - 2.5).abs() < 1e-12 && (law.factor - 3.0).abs() < 1e-9, "{law:?}");
        assert!(law.greatest_deviation < 1e-9);
        let bent = PowerLaw::fit(&[(1.0, 1.0), (2.0, 8.0), (4.0, 16.0)]).unwrap();
        assert!((bent.exponent - 2.0).abs() < 1e-12, "{bent:?}");
        assert!((bent.greatest_deviation - (4.0_f64.powf(1.0 / 3.0) - 1.0)).abs() < 1e-9, "{bent:?}");
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!((median(&[1.0, 2.0, 9.0]), median(&[1.0, 3.0])), (2.0, 2.0));
    }

    #[test]
    fn a_single_size_has_no_law() {
        assert_eq!(PowerLaw::fit(&[]), None);
        assert_eq!(PowerLaw::fit(&[(8.0, 1.0), (8.0, 2.0)]), None);
    }
}
