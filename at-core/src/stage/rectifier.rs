//! A rectifier on detected signals: `max(x - threshold, 0)`.

use super::{Beside, Controlled, Drawn, Element, Flops, Imperfect, Signal, Sines, Stage, StageErrors};
use crate::{Error, Result};

/// Rectifiers, one per mode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rectifier {
    /// Number of modes.
    pub modes: usize,
    /// What is subtracted first.
    pub threshold: f64,
}

impl Stage {
    /// A [`Rectifier`].
    pub fn rectifier(modes: usize, threshold: f64) -> Self {
        Stage::Rectifier(Rectifier { modes, threshold })
    }
}

impl Element for Rectifier {
    fn input(&self) -> Signal {
        Signal::reals(self.modes)
    }

    fn output(&self) -> Signal {
        Signal::reals(self.modes)
    }

    fn signed(&self) -> bool {
        false
    }

    fn validate(&self) -> Result<()> {
        if self.threshold.is_finite() {
            return Ok(());
        }
        Err(Error::invalid("threshold", self.threshold, "must be finite"))
    }

    fn words(&self) -> String {
        match self.threshold {
            0.0 => "rectifier".to_string(),
            threshold => format!("rectifier(threshold {threshold})"),
        }
    }

    fn description(&self) -> String {
        format!("{} on {} signals", self.words(), self.modes)
    }

    fn flops(&self) -> Flops {
        Flops::NONE
    }

    fn controlled(&self) -> Option<&dyn Controlled> {
        None
    }

    fn imperfect(&self) -> Option<&dyn Imperfect> {
        None
    }

    fn sines(&self) -> Option<Sines> {
        Some(Sines::Broken("a nonlinearity"))
    }

    fn drawn(&self) -> Option<&dyn Drawn> {
        None
    }

    fn beside(&self, count: usize) -> Result<Option<Beside>> {
        Beside::plain(Stage::rectifier(count * self.modes, self.threshold))
    }

    /// NaN stays NaN: a run that diverged must not look dark.
    fn forward(&self, _: &StageErrors, _: &[f64], signal: &[f64]) -> Vec<f64> {
        let threshold = self.threshold;
        signal.iter().map(|&x| if x <= threshold { 0.0 } else { x - threshold }).collect()
    }

    /// The error where the signal passed, 0 elsewhere.
    fn backward(&self, _: &StageErrors, _: &[f64], signal: &[f64], error: &[f64], _: &mut [f64]) -> Vec<f64> {
        signal.iter().zip(error).map(|(&x, &slope)| if x <= self.threshold { 0.0 } else { slope }).collect()
    }
}
