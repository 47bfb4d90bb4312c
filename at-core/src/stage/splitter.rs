//! Passive splitters that divide the light of every mode evenly: of C copies, c has the fields `y[c·inputs + m] = x[m]/√C`.
//!
//! There may be [`Part`] of their outputs only: those that lead to the dies at hand.

use super::{Beside, Controlled, Drawn, Element, Flops, Imperfect, Signal, Sines, Stage, StageErrors};
use crate::{Error, Result};

/// Modes in a row of the many that lead to or from the dies of a tiled layer: all of them, or those of a rank's dies ([`crate::ranks`]). The others
/// carry no light here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The first one.
    pub first: usize,
    /// How many.
    pub modes: usize,
}

impl Part {
    /// All of so many.
    pub fn all(modes: usize) -> Self {
        Part { first: 0, modes }
    }

    /// Errs unless it lies within `modes`.
    pub(super) fn validate(&self, modes: usize) -> Result<()> {
        if self.first.checked_add(self.modes).is_some_and(|end| end <= modes) {
            return Ok(());
        }
        let value = format!("{} from {}", self.modes, self.first);
        Err(Error::invalid("modes", value, format!("a part of {modes} modes lies within them")))
    }

    /// What stands behind the words of the whole; nothing where it is all of `modes`.
    pub(super) fn words(&self, modes: usize) -> String {
        if *self == Part::all(modes) { String::new() } else { format!("[{},{}]", self.first, self.modes) }
    }

    /// `[batch, modes]` fields → `[batch, part]`.
    pub(super) fn cut(&self, modes: usize, signal: &[f64]) -> Vec<f64> {
        let own = 2 * self.first..2 * (self.first + self.modes);
        signal.chunks_exact(2 * modes).flat_map(|sample| sample[own.clone()].iter().copied()).collect()
    }

    /// `[batch, part]` fields → `[batch, modes]`, 0 elsewhere.
    pub(super) fn embed(&self, modes: usize, signal: &[f64]) -> Vec<f64> {
        let own = 2 * self.first..2 * (self.first + self.modes);
        let whole = |part: &[f64]| {
            let mut sample = vec![0.0; 2 * modes];
            sample[own.clone()].copy_from_slice(part);
            sample
        };
        signal.chunks_exact(2 * self.modes).flat_map(whole).collect()
    }
}

/// Even division of the light of every mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Splitter {
    /// Modes that enter.
    pub inputs: usize,
    /// Copies C that leave.
    pub copies: usize,
    /// Which of the `copies·inputs` modes leave.
    pub part: Part,
}

impl Stage {
    /// A [`Splitter`].
    pub fn splitter(inputs: usize, copies: usize) -> Self {
        Stage::Splitter(Splitter { inputs, copies, part: Part::all(inputs.saturating_mul(copies)) })
    }
}

impl Splitter {
    /// Modes of all copies.
    fn divided(&self) -> usize {
        self.inputs.saturating_mul(self.copies)
    }
}

impl Element for Splitter {
    fn input(&self) -> Signal {
        Signal::fields(self.inputs)
    }

    fn output(&self) -> Signal {
        Signal::fields(self.part.modes)
    }

    fn signed(&self) -> bool {
        true
    }

    fn validate(&self) -> Result<()> {
        self.part.validate(self.divided())
    }

    fn words(&self) -> String {
        format!("splitter:{}x{}{}", self.inputs, self.copies, self.part.words(self.divided()))
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
        self.part.cut(self.divided(), &split(self.inputs, self.copies, signal))
    }

    fn backward(&self, _: &StageErrors, _: &[f64], _: &[f64], error: &[f64], _: &mut [f64]) -> Vec<f64> {
        merge(self.inputs, self.copies, &self.part.embed(self.divided(), error))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Stage;

    #[test]
    fn parts_of_splitters_and_combiners_are_together_the_whole() {
        // 2 × 3 tiles of 2 modes
        let signal = |len: usize| (0..len).map(|k| (1.7 * k as f64 + 0.2).sin()).collect::<Vec<f64>>();
        let run = |stage: &Stage, signal: &[f64]| stage.element().forward(&StageErrors::NONE, &[], signal);
        let (samples, all) = (3, 12);
        for bounds in [[0, 2, 12], [0, 7, 9], [0, 6, 12]] {
            let parts = bounds.windows(2).map(|pair| Part { first: pair[0], modes: pair[1] - pair[0] });
            let whole = run(&Stage::splitter(6, 2), &signal(samples * 12));
            for part in parts.clone() {
                let own = Stage::Splitter(Splitter { inputs: 6, copies: 2, part });
                assert_eq!(run(&own, &signal(samples * 12)), part.cut(all, &whole));
                assert_eq!(own.output(), Signal::fields(part.modes));
            }
            let divided = signal(samples * 24);
            let covered = Part { first: 0, modes: bounds[2] };
            let mut sum = vec![0.0; samples * 8];
            for part in parts {
                let own = super::super::Combiner { outputs: 4, parts: 3, block: 2, part };
                let merged = run(&Stage::Combiner(own), &part.cut(all, &divided));
                sum.iter_mut().zip(merged).for_each(|(sum, x)| *sum += x);
            }
            let dark = covered.embed(all, &covered.cut(all, &divided));
            let whole = run(&Stage::combiner(4, 3, 2), &dark);
            assert!(sum.iter().zip(&whole).all(|(a, b)| (a - b).abs() < 1e-15), "{sum:?} {whole:?}");
        }
    }

    #[test]
    fn a_part_beyond_the_whole_is_refused_and_one_has_words_of_its_own() {
        let stage = |part| Stage::Splitter(Splitter { inputs: 6, copies: 2, part });
        for part in [Part { first: 7, modes: 6 }, Part { first: usize::MAX, modes: 2 }] {
            assert!(stage(part).element().validate().unwrap_err().to_string().contains("12 modes"));
        }
        assert_eq!(stage(Part { first: 7, modes: 5 }).element().words(), "splitter:6x2[7,5]");
        assert_eq!(stage(Part::all(12)).element().words(), "splitter:6x2");
    }
}
