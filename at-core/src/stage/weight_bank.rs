//! A bank of incoherent, balanced MZI weight cells: `w = sin φ` per cell and per bias; controls `[φ row-major, φ of b]`. With the
//! errors a of its amplitude, s of its slope and o of its offset, a cell answers `w = (1 + a)·sin((1 + s)·φ + o)`.

use super::weights::{Entry, Weights, controlled_of_weights, element_of_weights, error_maps};
use super::{
    ControlRun, Controlled, Drawn, Element, ErrorVector, Estimable, Gain, Grid, Imperfect, Map, Order, Place, Span,
    Stage, StageErrors, Start,
};
use crate::Result;
use crate::imperfections::{Draws, LARGEST_ERROR};
use std::f64::consts::TAU;

/// The greatest initial weight: at |w| = 1 a cell's response `sin φ` has no slope and would not learn.
const GREATEST_CELL_WEIGHT: f64 = 0.95;

/// A bank of weight cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeightBank {
    /// Inputs.
    pub inputs: usize,
    /// Outputs.
    pub outputs: usize,
}

impl Stage {
    /// A [`WeightBank`].
    pub fn weight_bank(inputs: usize, outputs: usize) -> Self {
        Stage::WeightBank(WeightBank { inputs, outputs })
    }
}

impl WeightBank {
    fn weights(&self) -> Weights {
        Weights { inputs: self.inputs, outputs: self.outputs }
    }
}

impl Element for WeightBank {
    element_of_weights!(entries);

    fn words(&self) -> String {
        format!("bank:{}-{}", self.inputs, self.outputs)
    }

    fn description(&self) -> String {
        format!("weight bank of {} × {} cells", self.outputs, self.inputs)
    }
}

impl Controlled for WeightBank {
    controlled_of_weights!(WeightBank);

    fn runs(&self) -> Vec<ControlRun> {
        vec![ControlRun::phases(self.weights().count(), TAU)]
    }

    /// As [`super::Initialization`] says; the fan-in rule is N(0, 1/inputs).
    fn first(&self, mut start: Start) -> Result<Vec<f64>> {
        let (deviations, limit) = (start.initialization.deviations(1.0, self.inputs), GREATEST_CELL_WEIGHT);
        let weights = self.weights().first(&mut start.random, deviations);
        Ok(weights.map(|w| w.clamp(-limit, limit).asin()).collect())
    }

    /// Cells on a square grid, rows are outputs, the biases last.
    fn places(&self) -> Vec<Option<Place>> {
        self.weights().places()
    }

    /// A weight's sign is that of its phase, so cells are built to rest in the middle of their range.
    fn rest(&self) -> f64 {
        -0.5
    }
}

impl Imperfect for WeightBank {
    fn errors(&self) -> Vec<ErrorVector> {
        let vector = |name, what, unit, stretches| ErrorVector {
            name,
            what,
            unit,
            length: self.weights().count(),
            most: LARGEST_ERROR,
            order: Order::Controls,
            stretches,
            sheet: None,
        };
        vec![
            vector("amplitude", "amplitude error", "", false),
            vector("slope", "slope error", "", true),
            vector("offset", "offset error", "rad", false),
        ]
    }

    fn draw(&self, draws: &Draws) -> Vec<Vec<f64>> {
        let (kind, cells) = (draws.imperfections, self.weights().count());
        let mut offset = draws.normal(3, cells, 0.0, kind.response_offset);
        draws.add_phases(&mut offset);
        let amplitude = draws.normal(1, cells, 0.0, kind.response_amplitude);
        vec![amplitude, draws.normal(2, cells, 0.0, kind.response_slope), offset]
    }

    /// Amplitude, slope and offset of every cell.
    fn estimable(&self) -> Estimable {
        Estimable::ByBatches(3 * self.weights().count())
    }

    fn estimated(&self, known: &StageErrors, estimate: &[f64]) -> StageErrors {
        known.or_zeros(self).replaced(["amplitude", "slope", "offset"], estimate)
    }

    fn gain(&self, _: usize, _: &StageErrors, _: bool) -> Result<Gain> {
        Ok(Gain::default())
    }
}

const NOMINAL: &str = "The weight that each control would set in a perfect cell; biases are left out.";
const HELD: &str = "What the trainer does not know: the weight that each cell really holds, by its own response.";
const AMPLITUDE: &str = "What the trainer does not know: by what share the largest weight of each cell is beside 1.";
const SLOPE: &str = "What the trainer does not know: by what share each cell follows its control too fast.";
const OFFSET: &str = "What the trainer does not know: the phase that stands in each cell at a control of 0.";

impl Drawn for WeightBank {
    fn grid(&self) -> Grid<'_> {
        Grid::Weights { inputs: self.inputs, outputs: self.outputs }
    }

    fn maps(&self, errors: &StageErrors, controls: &[f64]) -> Vec<Map> {
        let map = |name, title, scale, caption, errors: &StageErrors| {
            let cells = &entries(errors, controls)[..self.inputs * self.outputs];
            let values: Vec<f64> = cells.iter().map(|cell| cell.weight).collect();
            Map { name, title, scale, caption, span: Span::around_zero(&values), values }
        };
        let (nominal, none) = ("Weights as the trainer sees them", StageErrors::NONE);
        let mut maps = vec![map("weights", nominal, "weight sin φ", NOMINAL, &none)];
        if !errors.is_none() {
            maps.push(map("held", "Weights that the chip holds", "weight", HELD, errors));
        }
        maps.extend(error_maps(
            self.weights(),
            errors,
            [
                ("amplitude", ["amplitude-error", "Errors of the amplitudes", "relative error", AMPLITUDE]),
                ("slope", ["slope-error", "Errors of the slopes", "relative error", SLOPE]),
                ("offset", ["offset-error", "Offsets of the cells", "phase (rad)", OFFSET]),
            ],
        ));
        maps
    }
}

fn entries(errors: &StageErrors, controls: &[f64]) -> Vec<Entry> {
    let own = errors.get(["amplitude", "slope", "offset"]);
    let entry = |(k, control): (usize, &f64)| {
        let (height, stretch, offset) = match own {
            Some([amplitude, slope, offset]) => (1.0 + amplitude[k], 1.0 + slope[k], offset[k]),
            None => (1.0, 1.0, 0.0),
        };
        let angle = stretch * control + offset;
        Entry { weight: height * angle.sin(), slope: height * stretch * angle.cos() }
    };
    controls.iter().enumerate().map(entry).collect()
}
