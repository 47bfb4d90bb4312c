//! What a stage with controls says of them.

use super::{Initialization, Place, Stage};
use crate::Result;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Neighbouring controls that mean the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ControlRun {
    /// How many.
    pub count: usize,
    /// What each of them is.
    pub meaning: Meaning,
}

/// What a control is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meaning {
    /// A phase: an ideal stage does the same after this `period` (radians).
    Phase {
        /// In radians.
        period: f64,
    },
    /// A weight or a gain: no turn of it means nothing.
    Number,
    /// A number in the memory of digital electronics: no converter writes it, and it neither drifts nor follows what it is told with an error.
    Digital,
    /// A weight from -1 to 1 that a pair of non-volatile cells holds: it is written where it changes, and holds by itself.
    Cells,
}

impl ControlRun {
    /// `count` phases with this period (radians).
    pub fn phases(count: usize, period: f64) -> Self {
        ControlRun { count, meaning: Meaning::Phase { period } }
    }

    /// `count` weights or gains.
    pub fn numbers(count: usize) -> Self {
        ControlRun { count, meaning: Meaning::Number }
    }

    /// `count` numbers of digital electronics.
    pub fn digital(count: usize) -> Self {
        ControlRun { count, meaning: Meaning::Digital }
    }

    /// `count` weights of pairs of non-volatile cells.
    pub fn cells(count: usize) -> Self {
        ControlRun { count, meaning: Meaning::Cells }
    }
}

/// Neighbouring controls as an array, row-major.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlArray {
    /// Its name: `theta` on a stage's page, `mesh0.theta` in a network.
    pub name: String,
    /// The lengths of its axes.
    pub shape: Vec<usize>,
}

impl ControlArray {
    /// An array of this shape.
    pub fn new(name: &str, shape: impl Into<Vec<usize>>) -> Self {
        ControlArray { name: name.to_string(), shape: shape.into() }
    }

    /// Number of controls; none where that is beyond all numbers.
    pub fn count(&self) -> Option<usize> {
        self.shape.iter().try_fold(1_usize, |product, length| product.checked_mul(*length))
    }
}

/// From what the first values of a stage's controls are drawn.
pub struct Start<'a> {
    /// How weights are drawn.
    pub initialization: &'a Initialization,
    /// The seed of all first values.
    pub seed: u64,
    /// Stages of the same kind before this one.
    pub earlier: u64,
    /// The stage's own draws.
    pub random: ChaCha8Rng,
}

/// The part of a page that is about controls.
pub trait Controlled {
    /// What the controls are, in their order.
    fn runs(&self) -> Vec<ControlRun>;

    /// How the controls are cut into arrays in files for programs, in their order. Together they are all of them.
    fn arrays(&self) -> Vec<ControlArray> {
        vec![ControlArray::new("control", [self.runs().iter().map(|run| run.count).sum()])]
    }

    /// What the controls are called in files for people, in their order: `theta[3,4]`. Nothing depends on it.
    fn names(&self) -> Vec<String> {
        let count = self.runs().iter().map(|run| run.count).sum();
        (0..count).map(|index: usize| format!("control[{index}]")).collect()
    }

    /// Where training starts.
    fn first(&self, start: Start) -> Result<Vec<f64>>;

    /// The place of every control's heater on its die; none for a control that is no heater.
    fn places(&self) -> Vec<Option<Place>>;

    /// The phase at which a heater without voltage rests, as a share of its range.
    fn rest(&self) -> f64;

    /// The same of every control, where a stage is made of several.
    fn rests(&self) -> Vec<f64> {
        vec![self.rest(); self.runs().iter().map(|run| run.count).sum()]
    }

    /// For every control the one of `other` whose hardware does its work, where a physical module of side `module` does that of
    /// both, and of itself in turns ([`crate::fabrication::copies`]): one that does its own, of no higher index than others that it
    /// works for. None where the two share no hardware; a stage shares its own.
    fn shares(&self, other: &Stage, module: usize) -> Option<Vec<usize>>;
}
