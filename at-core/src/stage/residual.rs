//! A residual connection: the signal is split, one part crosses a branch F, and both are added behind it.
//!
//! ```text
//! numbers   y = x + F(x)                             in electronics
//! fields    y = s·(s·x + F(s·x)),   s = 1/√2         in light: a 3 dB splitter, and a 3 dB combiner whose other port is lost
//! ```
//!
//! Both arms are equally long, so that fields add in phase where F leaves them alone.
//!
//! Source: He et al., CVPR, 770 (2016).

use super::{
    Beside, ControlArray, ControlRun, Controlled, Drawn, Element, ErrorVector, Estimable, Flops, Gain, Imperfect,
    Place, Series, Signal, Sines, Stage, StageErrors, Start,
};
use crate::error::same_size;
use crate::imperfections::Draws;
use crate::{Error, Result};
use std::f64::consts::FRAC_1_SQRT_2;

/// A residual connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Residual {
    /// What one part crosses.
    pub branch: Series,
}

impl Stage {
    /// A [`Residual`] around these stages.
    pub fn residual(stages: Vec<Stage>) -> Self {
        Stage::Residual(Residual { branch: Series { stages } })
    }
}

impl Residual {
    /// s: the part of the amplitude that enters an arm, and that leaves it.
    pub fn share(&self) -> f64 {
        if self.branch.input().complex { FRAC_1_SQRT_2 } else { 1.0 }
    }

    fn scaled(&self, values: &[f64]) -> Vec<f64> {
        let share = self.share();
        values.iter().map(|value| share * value).collect()
    }
}

impl Element for Residual {
    fn input(&self) -> Signal {
        self.branch.input()
    }

    fn output(&self) -> Signal {
        self.branch.output()
    }

    fn signed(&self) -> bool {
        true
    }

    fn validate(&self) -> Result<()> {
        self.branch.validate()?;
        let (enters, leaves) = (self.input(), self.output());
        same_size("what leaves the branch of a residual connection, as many as enter", enters.modes, leaves.modes)?;
        if enters.complex != leaves.complex {
            let reason =
                "light is added to light, and numbers to numbers: what leaves the branch is of the kind that enters";
            return Err(Error::invalid("residual", self.branch.inner_words(), reason));
        }
        Ok(())
    }

    fn words(&self) -> String {
        format!("residual({})", self.branch.inner_words())
    }

    fn description(&self) -> String {
        format!("residual connection around a {}", self.branch.description())
    }

    fn flops(&self) -> Flops {
        self.branch.flops()
    }

    fn controlled(&self) -> Option<&dyn Controlled> {
        self.branch.controlled().map(|_| self as &dyn Controlled)
    }

    fn imperfect(&self) -> Option<&dyn Imperfect> {
        self.branch.imperfect().map(|_| self as &dyn Imperfect)
    }

    fn sines(&self) -> Option<Sines> {
        Some(Sines::Broken("a residual connection"))
    }

    fn drawn(&self) -> Option<&dyn Drawn> {
        None
    }

    fn beside(&self, _: usize) -> Result<Option<Beside>> {
        Ok(None)
    }

    fn forward(&self, errors: &StageErrors, controls: &[f64], signal: &[f64]) -> Vec<f64> {
        let enters = self.scaled(signal);
        let leaves = self.branch.forward(errors, controls, &enters);
        let share = self.share();
        leaves.iter().zip(&enters).map(|(own, beside)| share * (own + beside)).collect()
    }

    fn backward(
        &self,
        errors: &StageErrors,
        controls: &[f64],
        signal: &[f64],
        error: &[f64],
        gradient: &mut [f64],
    ) -> Vec<f64> {
        let (enters, error, share) = (self.scaled(signal), self.scaled(error), self.share());
        let carried = self.branch.backward(errors, controls, &enters, &error, gradient);
        carried.iter().zip(&error).map(|(own, beside)| share * (own + beside)).collect()
    }
}

/// Those of the branch.
impl Controlled for Residual {
    fn runs(&self) -> Vec<ControlRun> {
        self.branch.runs()
    }

    fn arrays(&self) -> Vec<ControlArray> {
        self.branch.arrays()
    }

    fn names(&self) -> Vec<String> {
        Controlled::names(&self.branch)
    }

    fn first(&self, start: Start) -> Result<Vec<f64>> {
        self.branch.first(start)
    }

    fn places(&self) -> Vec<Option<Place>> {
        self.branch.places()
    }

    fn rest(&self) -> f64 {
        self.branch.rest()
    }

    fn rests(&self) -> Vec<f64> {
        self.branch.rests()
    }

    fn shares(&self, other: &Stage, module: usize) -> Option<Vec<usize>> {
        let Stage::Residual(other) = other else { return None };
        self.branch.shares(&Stage::Series(other.branch.clone()), module)
    }
}

/// Those of the branch.
impl Imperfect for Residual {
    fn errors(&self) -> Vec<ErrorVector> {
        self.branch.errors()
    }

    fn draw(&self, draws: &Draws) -> Vec<Vec<f64>> {
        self.branch.draw(draws)
    }

    fn estimable(&self) -> Estimable {
        self.branch.estimable()
    }

    fn estimated(&self, known: &StageErrors, estimate: &[f64]) -> StageErrors {
        self.branch.estimated(known, estimate)
    }

    /// Along the better arm.
    fn gain(&self, stage: usize, errors: &StageErrors, amplified: bool) -> Result<Gain> {
        let own = self.branch.gain(stage, errors, amplified)?;
        Ok(Gain { best_db: own.best_db.max(0.0), ..own })
    }
}
