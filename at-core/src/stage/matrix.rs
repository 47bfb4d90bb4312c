//! A real matrix and bias whose entries are the controls `[W row-major [output, input], b]`: the stand-in for a chip in the
//! published demonstration. An entry with the error d is `w = (1 + d)·c`.

use super::weights::{Entry, Weights, controlled_of_weights, element_of_weights};
use super::{
    ControlRun, Controlled, Drawn, Element, ErrorVector, Estimable, Gain, Grid, Imperfect, Initialization, Map, Order,
    Place, Span, Stage, StageErrors, Start,
};
use crate::imperfections::{Draws, LARGEST_ERROR};
use crate::numpy_random::LegacyNormal;
use crate::{Error, Result};

/// A real matrix with a bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// Inputs.
    pub inputs: usize,
    /// Outputs.
    pub outputs: usize,
}

impl Stage {
    /// A [`Matrix`].
    pub fn matrix(inputs: usize, outputs: usize) -> Self {
        Stage::Matrix(Matrix { inputs, outputs })
    }
}

impl Matrix {
    fn weights(&self) -> Weights {
        Weights { inputs: self.inputs, outputs: self.outputs }
    }
}

impl Element for Matrix {
    element_of_weights!(entries);

    fn words(&self) -> String {
        format!("matrix:{}-{}", self.inputs, self.outputs)
    }

    fn description(&self) -> String {
        format!("matrix of {} × {} weights", self.outputs, self.inputs)
    }
}

impl Controlled for Matrix {
    controlled_of_weights!(Matrix);

    fn runs(&self) -> Vec<ControlRun> {
        vec![ControlRun::numbers(self.weights().count())]
    }

    /// As [`Initialization`] says; the fan-in rule is N(0, 2/inputs).
    fn first(&self, mut start: Start) -> Result<Vec<f64>> {
        if *start.initialization == Initialization::Demonstration {
            let numpy = || numpy_seed(start.seed, start.earlier).map(LegacyNormal::seed);
            let (mut weights, mut biases) = (numpy()?, numpy()?);
            let weights = weights.draw(self.inputs * self.outputs, 0.1);
            return Ok(weights.chain(biases.draw(self.outputs, 0.5)).collect());
        }
        let deviations = start.initialization.deviations(2.0, self.inputs);
        Ok(self.weights().first(&mut start.random, deviations).collect())
    }

    /// No heaters.
    fn places(&self) -> Vec<Option<Place>> {
        vec![None; self.weights().count()]
    }

    fn rest(&self) -> f64 {
        0.0
    }
}

impl Imperfect for Matrix {
    fn errors(&self) -> Vec<ErrorVector> {
        vec![ErrorVector {
            name: "spread",
            what: "spread",
            unit: "",
            length: self.weights().count(),
            most: LARGEST_ERROR,
            order: Order::Controls,
            stretches: false,
            sheet: None,
        }]
    }

    fn draw(&self, draws: &Draws) -> Vec<Vec<f64>> {
        vec![draws.normal(1, self.weights().count(), 0.0, draws.imperfections.parameter_spread)]
    }

    /// None yet.
    fn estimable(&self) -> Estimable {
        Estimable::Nothing
    }

    fn estimated(&self, known: &StageErrors, _: &[f64]) -> StageErrors {
        known.clone()
    }

    fn gain(&self, _: usize, _: &StageErrors, _: bool) -> Result<Gain> {
        Ok(Gain::default())
    }
}

const WEIGHTS: &str = "The weights that the chip was told; biases are left out.";
const SPREAD: &str = "What the trainer does not know: the relative error of every weight.";

impl Drawn for Matrix {
    fn grid(&self) -> Grid<'_> {
        Grid::Weights { inputs: self.inputs, outputs: self.outputs }
    }

    fn maps(&self, errors: &StageErrors, controls: &[f64]) -> Vec<Map> {
        let map = |name, title, scale, caption, values: &[f64]| {
            let values = values[..self.inputs * self.outputs].to_vec();
            Map { name, title, scale, caption, span: Span::around_zero(&values), values }
        };
        let mut maps = vec![map("weights", "Weights as programmed", "weight", WEIGHTS, controls)];
        if let Some([spread]) = errors.get(["spread"]) {
            maps.push(map("spread", "Spread of the weights", "relative error", SPREAD, spread));
        }
        maps
    }
}

fn entries(errors: &StageErrors, controls: &[f64]) -> Vec<Entry> {
    let spread = errors.get(["spread"]).map_or(&[][..], |[spread]| spread);
    let factor = |index: usize| 1.0 + spread.get(index).unwrap_or(&0.0);
    controls.iter().enumerate().map(|(k, c)| Entry { weight: factor(k) * c, slope: factor(k) }).collect()
}

/// The demonstration's seed of layer `layer`. Errs where NumPy would refuse it.
fn numpy_seed(seed: u64, layer: u64) -> Result<u32> {
    let reason = "the demonstration seeds NumPy with it, which takes numbers below 2^32";
    let own = seed.checked_add(layer).and_then(|own| u32::try_from(own).ok());
    own.ok_or_else(|| Error::invalid("seed", seed, reason))
}
