//! Update rules and their learning-rate schedules.

use crate::engine::Engine;
use crate::real::SERIAL;
use crate::{Error, Real, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// How a gradient becomes a step `parameters ← parameters - learning_rate · direction`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Optimizer {
    /// The gradient itself.
    Sgd,
    /// `v ← momentum·v + g`, direction v.
    Momentum {
        /// Share of the last direction that is kept.
        momentum: f64,
    },
    /// Adam (Kingma & Ba, 2015) with bias correction; direction `m̂/(√v̂ + ε)`.
    Adam {
        /// Decay of the first moment.
        beta1: f64,
        /// Decay of the second moment.
        beta2: f64,
        /// ε in the denominator.
        epsilon: f64,
    },
}

impl Optimizer {
    /// Adam with its authors' constants.
    pub const ADAM: Optimizer = Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

    /// Number of state vectors as long as the parameters.
    pub fn moments(&self) -> usize {
        match self {
            Optimizer::Sgd => 0,
            Optimizer::Momentum { .. } => 1,
            Optimizer::Adam { .. } => 2,
        }
    }

    /// Errs where a constant is outside its range.
    pub fn validate(&self) -> Result<()> {
        let decay = |name, value: f64| {
            if (0.0..1.0).contains(&value) { Ok(()) } else { Err(Error::invalid(name, value, "lies in [0, 1)")) }
        };
        match *self {
            Optimizer::Sgd => Ok(()),
            Optimizer::Momentum { momentum } => decay("momentum", momentum),
            Optimizer::Adam { beta1, beta2, epsilon } => {
                decay("beta1", beta1)?;
                decay("beta2", beta2)?;
                if epsilon.is_finite() && epsilon > 0.0 {
                    Ok(())
                } else {
                    Err(Error::invalid("epsilon", epsilon, "must be positive"))
                }
            }
        }
    }

    /// The plain meaning of one step, number `step` from 1. `moments` holds [`Optimizer::moments`] vectors.
    pub fn apply<T: Real>(
        &self,
        learning_rate: f64,
        step: u64,
        gradient: &[T],
        moments: &mut [Vec<T>],
        parameters: &mut [T],
    ) {
        let rate = T::of(learning_rate);
        match *self {
            Optimizer::Sgd => {
                let steps = parameters.par_iter_mut().zip(gradient).with_min_len(SERIAL);
                steps.for_each(|(parameter, &slope)| *parameter -= rate * slope);
            }
            Optimizer::Momentum { momentum } => {
                let keep = T::of(momentum);
                let steps = parameters.par_iter_mut().zip(gradient).zip(&mut moments[0]).with_min_len(SERIAL);
                steps.for_each(|((parameter, &slope), velocity)| {
                    *velocity = keep * *velocity + slope;
                    *parameter -= rate * *velocity;
                });
            }
            Optimizer::Adam { beta1, beta2, epsilon } => {
                let [first, second] = moments else { unreachable!("Adam keeps two moments") };
                let scale = T::of(adam_rate(learning_rate, step, beta1, beta2));
                let floor = T::of(epsilon * (1.0 - beta2.powf(step as f64)).sqrt());
                let (b1, b2) = (T::of(beta1), T::of(beta2));
                let (n1, n2) = (T::of(1.0 - beta1), T::of(1.0 - beta2));
                let steps = parameters.par_iter_mut().zip(gradient).zip(first).zip(second).with_min_len(SERIAL);
                steps.for_each(|(((parameter, &slope), m), v)| {
                    *m = b1 * *m + n1 * slope;
                    *v = b2 * *v + n2 * slope * slope;
                    *parameter -= scale * *m / (v.sqrt() + floor);
                });
            }
        }
    }
}

/// Adam's rate with both bias corrections folded in: `η√(1-β2ᵗ)/(1-β1ᵗ)`; ε is then scaled by `√(1-β2ᵗ)` too.
pub fn adam_rate(learning_rate: f64, step: u64, beta1: f64, beta2: f64) -> f64 {
    let step = step as f64;
    learning_rate * (1.0 - beta2.powf(step)).sqrt() / (1.0 - beta1.powf(step))
}

/// What an optimizer remembers between steps; it stays on the engine.
pub struct OptimizerState<E: Engine> {
    /// Steps done.
    pub step: u64,
    /// [`Optimizer::moments`] vectors as long as the parameters.
    pub moments: Vec<E::Buffer>,
}

impl<E: Engine> OptimizerState<E> {
    /// The state before the first step.
    pub fn new(engine: &E, optimizer: &Optimizer, parameters: usize) -> Result<Self> {
        let moments = (0..optimizer.moments()).map(|_| engine.zeros(parameters)).collect::<Result<_>>()?;
        Ok(OptimizerState { step: 0, moments })
    }
}

/// The learning rate over the epochs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// Always the same.
    #[default]
    Constant,
    /// Multiplied by `factor` every `every` epochs.
    Step {
        /// Epochs between two drops.
        every: usize,
        /// Factor of each drop.
        factor: f64,
    },
    /// Half a cosine from the full rate to zero after the last epoch.
    Cosine,
}

impl Schedule {
    /// Factor on the learning rate in `epoch` (from 0) of `epochs`.
    pub fn factor(&self, epoch: usize, epochs: usize) -> f64 {
        match *self {
            Schedule::Constant => 1.0,
            Schedule::Step { every, factor } => factor.powi((epoch / every.max(1)) as i32),
            Schedule::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * epoch as f64 / epochs.max(1) as f64).cos()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adams_first_step_is_the_learning_rate_against_the_gradient() {
        let mut moments = vec![vec![0.0; 2]; 2];
        let mut parameters = [1.0, 1.0];
        Optimizer::ADAM.apply(0.01, 1, &[3.0, -0.2], &mut moments, &mut parameters);
        assert!((parameters[0] - 0.99_f64).abs() < 1e-9 && (parameters[1] - 1.01_f64).abs() < 1e-9);
    }

    #[test]
    fn momentum_adds_up_a_constant_gradient() {
        let mut moments = vec![vec![0.0]];
        let mut parameters = [0.0_f64];
        for step in 1..=2 {
            Optimizer::Momentum { momentum: 0.5 }.apply(0.1, step, &[1.0], &mut moments, &mut parameters);
        }
        assert!((parameters[0] + 0.25).abs() < 1e-15);
    }

    #[test]
    fn schedules_start_at_one() {
        for schedule in [Schedule::Constant, Schedule::Step { every: 10, factor: 0.5 }, Schedule::Cosine] {
            assert_eq!(schedule.factor(0, 50), 1.0);
        }
        assert_eq!(Schedule::Step { every: 10, factor: 0.5 }.factor(25, 50), 0.25);
    }
}
