//! Passive splitters that divide the light of every mode evenly: of C copies, c has the fields `y[c·inputs + m] = x[m]/√C`.

use super::{Beside, Controlled, Drawn, Element, Flops, Imperfect, Signal, Sines, Stage, StageErrors};
use crate::Result;

/// Even division of the light of every mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Splitter {
    /// Modes that enter.
    pub inputs: usize,
    /// Copies C that leave.
    pub copies: usize,
}

impl Stage {
    /// A [`Splitter`].
    pub fn splitter(inputs: usize, copies: usize) -> Self {
        Stage::Splitter(Splitter { inputs, copies })
    }
}

impl Element for Splitter {
    fn input(&self) -> Signal {
        Signal::fields(self.inputs)
    }

    fn output(&self) -> Signal {
        Signal::fields(self.inputs.saturating_mul(self.copies))
    }

    fn signed(&self) -> bool {
        true
    }

    fn validate(&self) -> Result<()> {
        Ok(())
    }

    fn words(&self) -> String {
        format!("splitter:{}x{}", self.inputs, self.copies)
    }

    fn description(&self) -> String {
        format!("splitters of {} modes into {} copies", self.inputs, self.copies)
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
        Some(Sines::Kept)
    }

    fn drawn(&self) -> Option<&dyn Drawn> {
        None
    }

    fn beside(&self, _: usize) -> Result<Option<Beside>> {
        Ok(None)
    }

    fn forward(&self, _: &StageErrors, _: &[f64], signal: &[f64]) -> Vec<f64> {
        split(self.inputs, self.copies, signal)
    }

    fn backward(&self, _: &StageErrors, _: &[f64], _: &[f64], error: &[f64], _: &mut [f64]) -> Vec<f64> {
        merge(self.inputs, self.copies, error)
    }
}

/// `[batch, block, mode]` → `[batch, block, copy, mode]`, each copy divided by √copies; a block has `modes` modes.
pub(super) fn split(modes: usize, copies: usize, input: &[f64]) -> Vec<f64> {
    let share = 1.0 / (copies as f64).sqrt();
    let blocks = input.chunks_exact(2 * modes);
    blocks.flat_map(|block| (0..copies).flat_map(move |_| block.iter().map(move |x| share * x))).collect()
}

/// `[batch, block, part, mode]` → `[batch, block, mode]`, the sum of the parts divided by √parts: the transpose of [`split`].
pub(super) fn merge(modes: usize, parts: usize, input: &[f64]) -> Vec<f64> {
    let share = 1.0 / (parts as f64).sqrt();
    let blocks = input.chunks_exact(2 * modes * parts);
    let sum = |block: &[f64], real: usize| share * block.iter().skip(real).step_by(2 * modes).sum::<f64>();
    blocks.flat_map(|block| (0..2 * modes).map(move |real| sum(block, real))).collect()
}
