//! 95 % intervals of mean scores that stay where scores can be, also for few chips.

use at_core::statistics::Estimate;
use at_core::training::Score;

/// The interval of the mean behind an estimate, with h half the width of its t-interval; none of a single value.
///
/// An accuracy m has the t-interval of its log-odds, of which the width follows by the delta method: from `L⁻¹(L(m) − h/(m(1−m)))` to
/// `L⁻¹(L(m) + h/(m(1−m)))` with `L(m) = ln(m/(1−m))`, which lies within 0 and 1, holds m, and is the t-interval where h is small.
/// R² and the mean square error have one bound: towards it R² ends at `1 − (1−m)·exp(−h/(1−m))`, an error at `m·exp(−h/m)`, and away from
/// it both end at the t-interval's end.
pub fn interval(by: Score, estimate: &Estimate) -> Option<(f64, f64)> {
    let (m, h) = (estimate.mean, estimate.half_width?);
    Some(match by {
        Score::Accuracy => {
            let spread = m * (1.0 - m);
            if spread <= 0.0 {
                return Some((m, m)); // all chips have it
            }
            let (odds, wide) = ((m / (1.0 - m)).ln(), h / spread);
            let back = |odds: f64| 1.0 / (1.0 + (-odds).exp());
            (back(odds - wide), back(odds + wide))
        }
        Score::RSquared => (m - h, 1.0 - towards(1.0 - m, h)),
        Score::MeanSquareError => return above_zero(estimate),
    })
}

/// The same of what is not below 0, as the mean square error: from `m·exp(−h/m)` to m + h.
pub fn above_zero(estimate: &Estimate) -> Option<(f64, f64)> {
    let (m, h) = (estimate.mean, estimate.half_width?);
    Some((towards(m, h), m + h))
}

/// How far the end towards a bound is from it where the mean is `distance` from it; as far as m·exp(-h/m) is from 0 where all that is known is
/// that it is not below.
fn towards(distance: f64, h: f64) -> f64 {
    if distance > 0.0 { distance * (-h / distance).exp() } else { distance }
}

/// [`interval`], and the mean itself where there is none.
pub fn ends(by: Score, estimate: &Estimate) -> (f64, f64) {
    interval(by, estimate).unwrap_or((estimate.mean, estimate.mean))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(by: Score, values: &[f64]) -> (f64, f64) {
        interval(by, &Estimate::of(values).unwrap()).unwrap()
    }

    #[test]
    fn intervals_of_few_chips_stay_where_scores_can_be() {
        for values in [&[0.98, 1.0][..], &[0.0, 0.02], &[0.0, 1.0], &[0.5, 0.5001], &[0.93, 0.96, 0.99], &[1.0, 1.0]] {
            let (low, high) = of(Score::Accuracy, values);
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            assert!((0.0..=mean).contains(&low) && (mean..=1.0).contains(&high), "{values:?}: {low} to {high}");
        }
        let plain = Estimate::of(&[0.98, 1.0]).unwrap().interval();
        assert!(plain.1 > 1.0, "the plain t-interval does not: {plain:?}");
        let (low, high) = of(Score::RSquared, &[0.9, 0.99]);
        assert!(low < 0.9 && high < 1.0 && high > 0.945, "{low} to {high}");
        let (low, high) = of(Score::MeanSquareError, &[0.001, 0.1]);
        assert!(low > 0.0 && low < 0.05 && high > 0.1, "{low} to {high}");
        assert_eq!(interval(Score::Accuracy, &Estimate::of(&[0.5]).unwrap()), None);
    }

    #[test]
    fn a_narrow_interval_is_that_of_the_t_distribution() {
        let estimate = Estimate::of(&[0.93, 0.931, 0.929, 0.9305]).unwrap();
        let (plain, own) = (estimate.interval(), interval(Score::Accuracy, &estimate).unwrap());
        assert!((plain.0 - own.0).abs() < 2e-5 && (plain.1 - own.1).abs() < 2e-5, "{plain:?} {own:?}");
    }
}
