//! The errors of one stage: named vectors, of which its page says what each is. Everything that draws, checks, keeps, copies or
//! shows errors goes through that schema.

use crate::Result;
use crate::imperfections::Draws;
use std::sync::Arc;

/// What one vector of a stage's errors is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorVector {
    /// Its name in files and in Rust.
    pub name: &'static str,
    /// One entry in messages: `phase error`.
    pub what: &'static str,
    /// `rad`, `dB`, or nothing for a relative deviation.
    pub unit: &'static str,
    /// Number of entries.
    pub length: usize,
    /// Largest entry of either sign.
    pub most: f64,
    /// Which entry belongs to what.
    pub order: Order,
    /// It multiplies its control, so whole turns of that change what the stage does.
    pub stretches: bool,
    /// What a data sheet tells of the mean of all its entries; none where it tells nothing.
    pub sheet: Option<Sheet>,
}

/// Which entry of a vector belongs to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// All of them to the stage as a whole.
    Stage,
    /// Entry k to the control k; there may be fewer entries than controls.
    Controls,
    /// Entry k to the control k behind so many others.
    ControlsFrom(usize),
    /// `[column, mode]` of waveguides, of which dies have equally many.
    Waveguides {
        /// Of all dies together.
        modes: usize,
        /// Of each die.
        die_modes: usize,
    },
}

impl Order {
    /// The control that the first entry belongs to, where entries belong to controls.
    pub fn first_control(self) -> usize {
        match self {
            Order::ControlsFrom(first) => first,
            Order::Stage | Order::Controls | Order::Waveguides { .. } => 0,
        }
    }
}

/// A mean that a data sheet tells. Vectors and stages with the same name have one mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sheet {
    /// What it is.
    pub name: &'static str,
    /// Its unit, with what stands between number and unit.
    pub unit: &'static str,
    /// A difference that is the spread of one kind.
    pub least: f64,
    /// That difference is of all columns of a mesh together.
    pub per_column: bool,
}

/// Light that a stage can gain by its errors.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gain {
    /// Along the best way (dB of power).
    pub best_db: f64,
    /// Columns that light crosses.
    pub columns: usize,
}

/// How many of a stage's imperfections can be estimated, and what tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Estimable {
    /// None.
    Nothing,
    /// So many that random light at random controls tells all of them within some hundred batches, before anything is trained.
    ByProbes(usize),
    /// As many, but one setting of the controls tells less than it asks, as on both sides of a resonance: readouts of many settings are kept
    /// and compared again.
    BySettings(usize),
    /// More than that: what matters of them is told by the batches that are trained on.
    ByBatches(usize),
    /// As many, all of them phases that light meets: batches tell those sooner than errors of weights.
    PhasesByBatches(usize),
}

impl Estimable {
    /// How many.
    pub fn count(self) -> usize {
        match self {
            Estimable::Nothing => 0,
            Estimable::ByProbes(count)
            | Estimable::BySettings(count)
            | Estimable::ByBatches(count)
            | Estimable::PhasesByBatches(count) => count,
        }
    }
}

/// The part of a page that is about imperfections.
pub trait Imperfect {
    /// The schema of the stage's errors.
    fn errors(&self) -> Vec<ErrorVector>;

    /// One individual's vectors, in the order of the schema.
    fn draw(&self, draws: &Draws) -> Vec<Vec<f64>>;

    /// Its imperfections that can be estimated ([`crate::propagator::Tunable`]).
    fn estimable(&self) -> Estimable;

    /// The errors of a chip that is as an `estimate` of its imperfections says, which has as many numbers as [`Imperfect::estimable`] counts, and else
    /// as it is `known`: in the coordinates of the schema, whatever those of the estimate are.
    fn estimated(&self, known: &StageErrors, estimate: &[f64]) -> StageErrors;

    /// How much light these errors, which fit the schema, gain. Errs where stage number `stage` would create power and no
    /// amplifier explains it.
    fn gain(&self, stage: usize, errors: &StageErrors, amplified: bool) -> Result<Gain>;
}

/// The errors of one stage by name, in the order of its schema; none for a stage as designed. Copies share their vectors until one is changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StageErrors {
    vectors: Vec<(&'static str, Arc<Vec<f64>>)>,
}

impl StageErrors {
    /// As designed.
    pub const NONE: StageErrors = StageErrors { vectors: Vec::new() };

    /// These `vectors`, in the order of the stage's schema.
    pub fn new(stage: &dyn Imperfect, vectors: Vec<Vec<f64>>) -> Self {
        let schema = stage.errors();
        assert_eq!(schema.len(), vectors.len(), "one vector for every one of the schema");
        let vectors = vectors.into_iter().map(|mut own| {
            own.shrink_to_fit(); // one that was lengthened has room for twice as many
            Arc::new(own)
        });
        StageErrors { vectors: schema.iter().map(|vector| vector.name).zip(vectors).collect() }
    }

    /// All errors zero, to be filled in.
    pub fn zeros(stage: &dyn Imperfect) -> Self {
        let vectors = stage.errors().into_iter().map(|vector| (vector.name, Arc::new(vec![0.0; vector.length])));
        StageErrors { vectors: vectors.collect() }
    }

    /// These, or, for a stage as designed, all of them zero.
    pub fn or_zeros(&self, stage: &dyn Imperfect) -> Self {
        if self.is_none() { Self::zeros(stage) } else { self.clone() }
    }

    /// The same with the vectors `names` one after the other in `values`.
    pub(super) fn replaced<const N: usize>(mut self, names: [&str; N], values: &[f64]) -> Self {
        let mut rest = values;
        for name in names {
            let own = self.get_mut(name);
            let (first, behind) = rest.split_at(own.len());
            own.copy_from_slice(first);
            rest = behind;
        }
        self
    }

    /// Whether the stage is as designed.
    pub fn is_none(&self) -> bool {
        self.vectors.is_empty()
    }

    /// All vectors with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &[f64])> {
        self.vectors.iter().map(|(name, values)| (*name, values.as_slice()))
    }

    /// The vectors with these names; none for a stage as designed.
    ///
    /// # Panics
    /// Where a stage with errors has no vector of that name: they are those of its schema.
    pub fn get<const N: usize>(&self, names: [&str; N]) -> Option<[&[f64]; N]> {
        let vector = |name: &str| self.iter().find(|(own, _)| *own == name).expect("names are those of the schema").1;
        (!self.is_none()).then(|| names.map(vector))
    }

    /// The vector with this name, to be kept; none for a stage as designed. Panics as [`StageErrors::get`].
    pub fn shared(&self, name: &str) -> Option<Arc<Vec<f64>>> {
        let vector = self.vectors.iter().find(|(own, _)| *own == name);
        (!self.is_none()).then(|| vector.expect("names are those of the schema").1.clone())
    }

    /// One vector to be changed. Panics as [`StageErrors::get`], and for a stage as designed.
    pub fn get_mut(&mut self, name: &str) -> &mut Vec<f64> {
        let vector = self.vectors.iter_mut().find(|(own, _)| *own == name);
        Arc::make_mut(&mut vector.expect("names are those of the schema").1)
    }
}
