//! Passive combiners that bring the light of C modes to one, `y[b·block + m] = Σ_c x[(b·C + c)·block + m]/√C`: what does not
//! interfere to the output is lost. The transpose of splitters, block by block; there may be [`Part`] of their inputs only.

use super::splitter::{Part, merge, split};
use super::{Beside, Controlled, Drawn, Element, Flops, Imperfect, Signal, Sines, Stage, StageErrors};
use crate::{Error, Result};

/// Modes brought together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Combiner {
    /// Modes that leave, whole blocks.
    pub outputs: usize,
    /// Parts C that are added up.
    pub parts: usize,
    /// Neighbouring modes that belong together.
    pub block: usize,
    /// Which of the `parts·outputs` modes enter; the others are dark.
    pub part: Part,
}

impl Stage {
    /// A [`Combiner`].
    pub fn combiner(outputs: usize, parts: usize, block: usize) -> Self {
        Stage::Combiner(Combiner { outputs, parts, block, part: Part::all(outputs.saturating_mul(parts)) })
    }
}

impl Combiner {
    /// Modes of all parts.
    fn divided(&self) -> usize {
        self.outputs.saturating_mul(self.parts)
    }
}

impl Element for Combiner {
    fn input(&self) -> Signal {
        Signal::fields(self.part.modes)
    }

    fn output(&self) -> Signal {
        Signal::fields(self.outputs)
    }

    fn signed(&self) -> bool {
        true
    }

    fn validate(&self) -> Result<()> {
        let Combiner { outputs, block, .. } = *self;
        if block == 0 || outputs % block != 0 {
            return Err(Error::invalid("block", block, format!("must divide the {outputs} outputs of a combiner")));
        }
        self.part.validate(self.divided())
    }

    fn words(&self) -> String {
        format!("combiner:{}x{}/{}{}", self.outputs, self.parts, self.block, self.part.words(self.divided()))
    }

    fn description(&self) -> String {
        format!("combiners of {} parts to {} modes", self.parts, self.outputs)
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
        merge(self.block, self.parts, &self.part.embed(self.divided(), signal))
    }

    fn backward(&self, _: &StageErrors, _: &[f64], _: &[f64], error: &[f64], _: &mut [f64]) -> Vec<f64> {
        self.part.cut(self.divided(), &split(self.block, self.parts, error))
    }
}
