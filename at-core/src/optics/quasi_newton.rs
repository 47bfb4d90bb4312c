//! Minima of smooth functions of many numbers by the method of Broyden, Fletcher, Goldfarb and Shanno with limited memory (Nocedal, Math. Comp.
//! 35, 773 (1980)): the step is the gradient times what the last [`MEMORY`] steps told of the inverse curvature.

use crate::Result;
use std::collections::VecDeque;

/// Steps that are remembered.
const MEMORY: usize = 20;

/// The search ends where no slope is larger.
const FLAT: f64 = 1e-12;

/// Share of the decrease that the slope promises which a step must bring.
const ENOUGH: f64 = 1e-4;

/// A step that is halved more often leads nowhere.
const HALVINGS: usize = 40;

/// One step: how far it went, how the gradient changed, and one over the product of both.
struct Past {
    step: Vec<f64>,
    change: Vec<f64>,
    inverse: f64,
}

/// Where `value_and_gradient` is least near `start`, asked for at most `most` times. Errs where that errs.
pub fn minimise(
    start: Vec<f64>,
    most: usize,
    mut value_and_gradient: impl FnMut(&[f64]) -> Result<(f64, Vec<f64>)>,
) -> Result<Vec<f64>> {
    let mut place = start;
    let (mut value, mut gradient) = value_and_gradient(&place)?;
    let mut asked = 1;
    let mut past: VecDeque<Past> = VecDeque::new();
    while asked < most && gradient.iter().any(|slope| slope.abs() > FLAT) {
        let direction = downhill(&gradient, &past);
        let slope = dot(&direction, &gradient);
        let mut length = if past.is_empty() { 1.0 / dot(&gradient, &gradient).sqrt().max(1.0) } else { 1.0 };
        let mut found = None;
        for _ in 0..HALVINGS {
            if asked == most {
                break;
            }
            let there: Vec<f64> = place.iter().zip(&direction).map(|(x, d)| x + length * d).collect();
            let (lower, slopes) = value_and_gradient(&there)?;
            asked += 1;
            if lower <= value + ENOUGH * length * slope {
                found = Some((there, lower, slopes));
                break;
            }
            length *= 0.5;
        }
        let Some((there, lower, slopes)) = found else {
            if past.is_empty() {
                break;
            }
            past.clear(); // what is remembered misleads: down the gradient again
            continue;
        };
        let step: Vec<f64> = there.iter().zip(&place).map(|(b, a)| b - a).collect();
        let change: Vec<f64> = slopes.iter().zip(&gradient).map(|(b, a)| b - a).collect();
        let curvature = dot(&step, &change);
        if curvature > 1e-10 * dot(&change, &change).sqrt() * dot(&step, &step).sqrt() {
            if past.len() == MEMORY {
                past.pop_front();
            }
            past.push_back(Past { inverse: 1.0 / curvature, step, change });
        }
        (place, value, gradient) = (there, lower, slopes);
    }
    Ok(place)
}

/// Minus the inverse curvature times the gradient.
fn downhill(gradient: &[f64], past: &VecDeque<Past>) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
    let mut shares = Vec::with_capacity(past.len());
    for Past { step, change, inverse } in past.iter().rev() {
        let share = inverse * dot(step, &direction);
        add(&mut direction, -share, change);
        shares.push(share);
    }
    if let Some(Past { change, inverse, .. }) = past.back() {
        let scale = 1.0 / (inverse * dot(change, change));
        direction.iter_mut().for_each(|d| *d *= scale);
    }
    for (Past { step, change, inverse }, share) in past.iter().zip(shares.into_iter().rev()) {
        let other = inverse * dot(change, &direction);
        add(&mut direction, share - other, step);
    }
    direction
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `a ← a + share·b`.
fn add(a: &mut [f64], share: f64, b: &[f64]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += share * b);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rosenbrock's valley, in which steepest descent takes tens of thousands of steps.
    #[test]
    fn a_bent_valley_is_followed_to_its_end() {
        let mut asked = 0;
        let found = minimise(vec![-1.2, 1.0], 200, |at| {
            asked += 1;
            let (x, y) = (at[0], at[1]);
            let bend = y - x * x;
            Ok((100.0 * bend * bend + (1.0 - x).powi(2), vec![-400.0 * x * bend - 2.0 * (1.0 - x), 200.0 * bend]))
        })
        .unwrap();
        assert!(found.iter().all(|x| (x - 1.0).abs() < 1e-8), "{found:?} after {asked}");
        assert!(asked < 100, "{asked}");
    }

    #[test]
    fn no_more_is_asked_than_was_allowed_and_errors_end_it() {
        for most in [1, 2, 7] {
            let mut asked = 0;
            minimise(vec![3.0; 4], most, |at| {
                asked += 1;
                Ok((at.iter().map(|x| x.powi(4)).sum(), at.iter().map(|x| 4.0 * x.powi(3)).collect()))
            })
            .unwrap();
            assert!(asked <= most, "{asked} of {most}");
        }
        let failure = || crate::Error::invalid("value", 0, "none");
        assert!(minimise(vec![1.0], 5, |_| Err(failure())).is_err());
        assert_eq!(minimise(vec![0.0], 5, |_| Ok((0.0, vec![0.0]))).unwrap(), [0.0]);
    }
}
