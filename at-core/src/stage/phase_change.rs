//! A crossbar of phase-change cells: non-volatile transmissions in pairs, whose powers are accumulated without interference and
//! subtracted. Controls `[c row-major, c of b]`, each the weight that a pair is told, -1 to 1.
//!
//! Light of every input, on a wavelength of its own or incoherent with the others, crosses two cells on its way to each output. Of the
//! pair, one stands at the transmission `T_least + |c|·(T_most - T_least)` and the other at T_least; balanced detectors behind all
//! first and all second cells give their difference, here in units of `T_most - T_least`:
//!
//! ```text
//! w = (1 + p)·e  where e > 0,  (1 + n)·e  where e < 0,  plus o;   e = c within -1..1, as it was written
//! ```
//!
//! with the errors p and n of the contrasts of the two cells, and o of their transmissions at rest. What stands in a pair,
//! e, is c in the levels that a cell has, with the noise of its last writing: [`crate::fabrication::control`] and [`crate::chip`] have them.
//! A bias is one more pair, in constant light.
//!
//! Source: Ríos et al., Sci. Adv. 5, eaau5759 (2019); Feldmann et al., Nature 589, 52 (2021).

use super::weights::{Entry, Weights, controlled_of_weights, element_of_weights, error_maps};
use super::{
    ControlRun, Controlled, Drawn, Element, ErrorVector, Estimable, Gain, Grid, Imperfect, Map, Order, Place, Span,
    Stage, StageErrors, Start,
};
use crate::Result;
use crate::imperfections::{Draws, LARGEST_ERROR};

/// The greatest initial weight: at the end of its range a pair would not learn.
const GREATEST_PAIR_WEIGHT: f64 = 0.95;

/// A crossbar of phase-change cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhaseChange {
    /// Inputs.
    pub inputs: usize,
    /// Outputs.
    pub outputs: usize,
}

impl Stage {
    /// A [`PhaseChange`] crossbar.
    pub fn phase_change(inputs: usize, outputs: usize) -> Self {
        Stage::PhaseChange(PhaseChange { inputs, outputs })
    }
}

impl PhaseChange {
    fn weights(&self) -> Weights {
        Weights { inputs: self.inputs, outputs: self.outputs }
    }
}

impl Element for PhaseChange {
    element_of_weights!(entries);

    fn words(&self) -> String {
        format!("pcm:{}-{}", self.inputs, self.outputs)
    }

    fn description(&self) -> String {
        format!("phase-change crossbar of {} × {} pairs of cells", self.outputs, self.inputs)
    }
}

impl Controlled for PhaseChange {
    controlled_of_weights!(PhaseChange);

    fn runs(&self) -> Vec<ControlRun> {
        vec![ControlRun::cells(self.weights().count())]
    }

    /// As [`super::Initialization`] says, as far as cells reach; the fan-in rule is N(0, 2/inputs).
    fn first(&self, mut start: Start) -> Result<Vec<f64>> {
        let (deviations, limit) = (start.initialization.deviations(2.0, self.inputs), GREATEST_PAIR_WEIGHT);
        Ok(self.weights().first(&mut start.random, deviations).map(|weight| weight.clamp(-limit, limit)).collect())
    }

    /// No heaters: nothing is held.
    fn places(&self) -> Vec<Option<Place>> {
        vec![None; self.weights().count()]
    }

    fn rest(&self) -> f64 {
        0.0
    }
}

impl Imperfect for PhaseChange {
    fn errors(&self) -> Vec<ErrorVector> {
        let vector = |name, what| ErrorVector {
            name,
            what,
            unit: "",
            length: self.weights().count(),
            most: LARGEST_ERROR,
            order: Order::Controls,
            stretches: false,
            sheet: None,
        };
        vec![
            vector("positive", "contrast error of a first cell"),
            vector("negative", "contrast error of a second cell"),
            vector("offset", "difference of a pair at rest"),
        ]
    }

    fn draw(&self, draws: &Draws) -> Vec<Vec<f64>> {
        let (kind, pairs) = (&draws.imperfections.memory, self.weights().count());
        let contrast = |stream| draws.normal(stream, pairs, 0.0, kind.pcm_contrast);
        vec![contrast(1), contrast(2), draws.normal(3, pairs, 0.0, kind.pcm_offset)]
    }

    /// Both contrasts and the difference at rest of every pair.
    fn estimable(&self) -> Estimable {
        Estimable::ByBatches(3 * self.weights().count())
    }

    fn estimated(&self, known: &StageErrors, estimate: &[f64]) -> StageErrors {
        known.or_zeros(self).replaced(["positive", "negative", "offset"], estimate)
    }

    fn gain(&self, _: usize, _: &StageErrors, _: bool) -> Result<Gain> {
        Ok(Gain::default())
    }
}

const NOMINAL: &str = "The weight that each pair of cells was told, as far as cells reach; biases are left out.";
const HELD: &str = "What the trainer does not know: the weight that each pair makes of it, by its own contrasts and its difference at rest.";
const FIRST: &str =
    "What the trainer does not know: by what share the contrast of the cell for positive weights is off.";
const SECOND: &str =
    "What the trainer does not know: by what share the contrast of the cell for negative weights is off.";
const OFFSET: &str = "What the trainer does not know: the weight that each pair has when both cells are at rest.";

impl Drawn for PhaseChange {
    fn grid(&self) -> Grid<'_> {
        Grid::Weights { inputs: self.inputs, outputs: self.outputs }
    }

    fn maps(&self, errors: &StageErrors, controls: &[f64]) -> Vec<Map> {
        let map = |name, title, caption, errors: &StageErrors| {
            let entries = entries(errors, controls);
            let values: Vec<f64> = entries[..self.inputs * self.outputs].iter().map(|entry| entry.weight).collect();
            Map { name, title, scale: "weight", caption, span: Span::around_zero(&values), values }
        };
        let mut maps = vec![map("weights", "Weights as programmed", NOMINAL, &StageErrors::NONE)];
        if !errors.is_none() {
            maps.push(map("held", "Weights that the chip holds", HELD, errors));
        }
        maps.extend(error_maps(
            self.weights(),
            errors,
            [
                ("positive", ["positive-error", "Contrast errors of first cells", "relative error", FIRST]),
                ("negative", ["negative-error", "Contrast errors of second cells", "relative error", SECOND]),
                ("offset", ["offset-error", "Differences at rest", "share of the contrast", OFFSET]),
            ],
        ));
        maps
    }
}

fn entries(errors: &StageErrors, controls: &[f64]) -> Vec<Entry> {
    let own = errors.get(["positive", "negative", "offset"]);
    let entry = |(k, &control): (usize, &f64)| {
        let [positive, negative, offset] = own.map_or([0.0; 3], |own| own.map(|vector| vector[k]));
        let contrast = 1.0 + if control < 0.0 { negative } else { positive };
        let reached = control.clamp(-1.0, 1.0);
        Entry { weight: contrast * reached + offset, slope: if reached == control { contrast } else { 0.0 } }
    };
    controls.iter().enumerate().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pair is two detectors' difference; in each, one cell's transmission.
    #[test]
    fn a_pair_is_the_difference_of_the_powers_behind_its_cells() {
        let crossbar = PhaseChange { inputs: 1, outputs: 1 };
        let (least, most) = (0.2, 0.9); // transmissions
        let (p, n, o) = (0.1, -0.3, 0.05);
        let errors = StageErrors::new(&crossbar, vec![vec![p; 2], vec![n; 2], vec![o; 2]]);
        for told in [-1.0, -0.4, 0.0, 0.7, 1.0] {
            let first = least + (most - least) * ((1.0 + p) * f64::max(told, 0.0) + o);
            let second = least + (most - least) * (1.0 + n) * f64::max(-told, 0.0);
            let read = |light: f64| crossbar.forward(&errors, &[told, 0.0], &[light])[0];
            let found = read(1.7) - read(0.0);
            assert!((found - 1.7 * (first - second) / (most - least)).abs() < 1e-12, "{told}: {found}");
        }
    }

    #[test]
    fn beyond_its_range_a_pair_stays_where_it_is_and_has_no_slope() {
        let crossbar = PhaseChange { inputs: 1, outputs: 1 };
        let read = |told: f64| crossbar.forward(&StageErrors::NONE, &[told, 0.0], &[1.0])[0];
        assert_eq!([read(1.5), read(-3.0), read(1.0)], [1.0, -1.0, 1.0]);
        let mut gradient = vec![0.0; 2];
        crossbar.backward(&StageErrors::NONE, &[1.5, 0.2], &[1.0], &[1.0], &mut gradient);
        assert_eq!(gradient, [0.0, 1.0]);
    }
}
