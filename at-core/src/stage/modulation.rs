//! Modulation: real numbers become field amplitudes, `z = x + 0i`.

use super::{Beside, Controlled, Drawn, Element, Flops, Imperfect, Signal, Sines, Stage, StageErrors};
use crate::Result;

/// Modulators, one per mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modulation {
    /// Number of modes.
    pub modes: usize,
}

impl Stage {
    /// A [`Modulation`].
    pub fn modulation(modes: usize) -> Self {
        Stage::Modulation(Modulation { modes })
    }
}

impl Element for Modulation {
    fn input(&self) -> Signal {
        Signal::reals(self.modes)
    }

    fn output(&self) -> Signal {
        Signal::fields(self.modes)
    }

    fn signed(&self) -> bool {
        true
    }

    fn validate(&self) -> Result<()> {
        Ok(())
    }

    fn words(&self) -> String {
        "modulation".to_string()
    }

    fn description(&self) -> String {
        format!("modulation of {} modes", self.modes)
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
        Some(Sines::KeptByTheFirst("a modulation on the way"))
    }

    fn drawn(&self) -> Option<&dyn Drawn> {
        None
    }

    fn beside(&self, count: usize) -> Result<Option<Beside>> {
        Beside::plain(Stage::modulation(count * self.modes))
    }

    fn forward(&self, _: &StageErrors, _: &[f64], signal: &[f64]) -> Vec<f64> {
        signal.iter().flat_map(|&x| [x, 0.0]).collect()
    }

    /// `dL/dx = 2 Re a`.
    fn backward(&self, _: &StageErrors, _: &[f64], _: &[f64], error: &[f64], _: &mut [f64]) -> Vec<f64> {
        error.chunks_exact(2).map(|a| 2.0 * a[0]).collect()
    }
}
