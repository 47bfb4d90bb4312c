//! What a kind of stage says of itself: every page of this room implements [`Element`], and all else asks it.
//!
//! Nothing here has a default: what a stage has not, its page says with `None`, so that nobody else decides it for a new kind.

use super::{Controlled, Drawn, Flops, Imperfect, Sines, Stage, StageErrors};
use crate::Result;

/// What travels between two stages: one complex field or one real number per mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Number of modes.
    pub modes: usize,
    /// Complex fields (interleaved re, im) or real numbers (powers, voltages).
    pub complex: bool,
}

impl Signal {
    /// Complex fields on `modes` waveguides.
    pub fn fields(modes: usize) -> Self {
        Signal { modes, complex: true }
    }

    /// Real numbers on `modes` wires.
    pub fn reals(modes: usize) -> Self {
        Signal { modes, complex: false }
    }

    /// Reals per sample: `modes`, twice that for complex fields.
    pub fn width(&self) -> usize {
        if self.complex { 2 * self.modes } else { self.modes }
    }
}

/// The page of one kind of stage.
pub trait Element {
    /// What enters.
    fn input(&self) -> Signal;

    /// What leaves.
    fn output(&self) -> Signal;

    /// Whether what leaves can be negative: a converter that reads it then needs a sign.
    fn signed(&self) -> bool;

    /// Errs where there is no such stage. That modes enter and leave is asked of all.
    fn validate(&self) -> Result<()>;

    /// The stage with all its parameters in the notation of networks, except for what follows from the stage before it. Files
    /// carry it: it must never change.
    fn words(&self) -> String;

    /// The stage for people: `matrix of 4 × 3 weights`.
    fn description(&self) -> String;

    /// Operations per sample on a computer.
    fn flops(&self) -> Flops;

    /// Its controls, if it has some.
    fn controlled(&self) -> Option<&dyn Controlled>;

    /// Its own imperfections, if it has some.
    fn imperfect(&self) -> Option<&dyn Imperfect>;

    /// What it makes of readouts that are sines of every control; none where nobody knows, and methods that need to know refuse it.
    fn sines(&self) -> Option<Sines>;

    /// What is drawn of it, if something is.
    fn drawn(&self) -> Option<&dyn Drawn>;

    /// `count` of these stages side by side as one ([`crate::fabrication::side_by_side`]); none where they cannot be.
    fn beside(&self, count: usize) -> Result<Option<Beside>>;

    /// The plain meaning: what leaves for `signal [batch, input width]` at the effective `controls`.
    fn forward(&self, errors: &StageErrors, controls: &[f64], signal: &[f64]) -> Vec<f64>;

    /// Carries `error [batch, output width]` (`∂L/∂z*` of a field, `dL/dx` of a real) back to what entered, `signal`, and adds to
    /// the `gradient` of the stage's controls.
    fn backward(
        &self,
        errors: &StageErrors,
        controls: &[f64],
        signal: &[f64],
        error: &[f64],
        gradient: &mut [f64],
    ) -> Vec<f64>;
}

/// Equal stages side by side.
pub struct Beside {
    /// The wide stage.
    pub stage: Stage,
    /// Per control of the wide stage: which of the stages has it, and as which of its controls. None for what keeps two apart.
    pub controls: Vec<Option<(usize, usize)>>,
}

impl Beside {
    /// Of stages without controls.
    pub fn plain(stage: Stage) -> Result<Option<Self>> {
        Ok(Some(Beside { stage, controls: Vec::new() }))
    }
}
