//! What a few draws say of the mean behind them.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Mean and spread of `count` independent values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Number of values.
    pub count: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation with n − 1 in the denominator; none of a single value.
    pub deviation: Option<f64>,
    /// Half the width of the 95 % confidence interval of the mean, `t_{0.975, n−1}·s/√n`; none of a single value.
    pub half_width: Option<f64>,
}

impl Estimate {
    /// Of `values`; none without a value.
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        if count == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count as f64;
        let freedom = (count - 1) as f64;
        let deviation =
            (count > 1).then(|| (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / freedom).sqrt());
        let half_width = deviation.and_then(|deviation| {
            let t = StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(0.975);
            Some(t * deviation / (count as f64).sqrt())
        });
        Some(Estimate { count, mean, deviation, half_width })
    }

    /// The interval's ends; both the mean where there is no interval.
    pub fn interval(&self) -> (f64, f64) {
        let half = self.half_width.unwrap_or(0.0);
        (self.mean - half, self.mean + half)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_follow_the_t_distribution() {
        // quantiles of the printed tables: t_{0.975} = 12.706, 2.776, 2.045 for 1, 4, 29 degrees of freedom
        for (count, t) in [(2, 12.706), (5, 2.776), (30, 2.045)] {
            let values: Vec<f64> = (0..count).map(f64::from).collect();
            let estimate = Estimate::of(&values).unwrap();
            let n = f64::from(count);
            let deviation = (n * (n + 1.0) / 12.0).sqrt(); // of 0, 1, …, n − 1
            assert!((estimate.mean - 0.5 * (n - 1.0)).abs() < 1e-12);
            assert!((estimate.deviation.unwrap() - deviation).abs() < 1e-12);
            assert!((estimate.half_width.unwrap() - t * deviation / n.sqrt()).abs() < 1e-3 * deviation);
        }
    }

    #[test]
    fn one_value_has_no_spread_and_none_has_no_mean() {
        let one = Estimate::of(&[0.5]).unwrap();
        assert_eq!((one.mean, one.deviation, one.half_width, one.interval()), (0.5, None, None, (0.5, 0.5)));
        assert_eq!(Estimate::of(&[]), None);
    }
}
