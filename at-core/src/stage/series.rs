//! Stages one behind the other as one: what leaves each enters the next, `y = F_n(… F_2(F_1(x)))`.
//!
//! Of such a stage a convolution makes its element where patches cross more than one thing (modulators, a mesh, detectors), and a
//! residual connection its branch. Controls, errors and heaters are those of the stages, in their order and under their names
//! (`mesh0.theta`), each on dies of its own.

use super::{
    Beside, ControlArray, ControlRun, Controlled, Drawn, Element, ErrorVector, Estimable, Flops, Gain, Imperfect,
    Order, Place, Signal, Sines, Stage, StageErrors, Start,
};
use crate::error::same_size;
use crate::imperfections::Draws;
use crate::optics::Mesh;
use crate::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Stages one behind the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The stages, the first that is met first.
    pub stages: Vec<Stage>,
}

impl Stage {
    /// A [`Series`].
    pub fn series(stages: Vec<Stage>) -> Self {
        Stage::Series(Series { stages })
    }

    /// What it is made of: of a series, a residual connection and a convolution the stages inside, in the order of their controls and
    /// errors, else itself.
    pub fn parts(&self) -> Vec<&Stage> {
        match self.inside() {
            Some(inside) => inside.iter().flat_map(Stage::parts).collect(),
            None => vec![self],
        }
    }

    /// [`Stage::parts`], each with its own of the stage's `errors`.
    pub fn parts_with_errors(&self, errors: &StageErrors) -> Vec<(&Stage, StageErrors)> {
        let parts = self.parts();
        let own = Series { stages: parts.iter().map(|part| (*part).clone()).collect() }.errors_of_stages(errors);
        parts.into_iter().zip(own).collect()
    }

    /// Whether there is a mesh inside a stage that is none itself.
    pub fn hides_a_mesh(&self) -> bool {
        self.inside().is_some() && self.parts().into_iter().any(|part| matches!(part, Stage::Mesh(_)))
    }

    /// The stages right inside; none where it has none.
    pub fn inside(&self) -> Option<&[Stage]> {
        if let Stage::Convolution(own) = self {
            return Some(std::slice::from_ref(&*own.element));
        }
        self.series_inside().map(|own| &own.stages[..])
    }

    /// What stands one behind the other in it, or in what its patches cross.
    pub fn series_inside(&self) -> Option<&Series> {
        match self {
            Stage::Series(own) => Some(own),
            Stage::Residual(own) => Some(&own.branch),
            Stage::Convolution(own) => own.element.series_inside(),
            Stage::Mesh(_)
            | Stage::Attenuators(_)
            | Stage::Splitter(_)
            | Stage::Combiner(_)
            | Stage::Activation(_)
            | Stage::Detection(_)
            | Stage::Modulation(_)
            | Stage::Rectifier(_)
            | Stage::Normalization(_)
            | Stage::Pooling(_)
            | Stage::Matrix(_)
            | Stage::WeightBank(_)
            | Stage::RingBank(_)
            | Stage::PhaseChange(_)
            | Stage::Mask(_)
            | Stage::FreeSpace(_)
            | Stage::Regions(_)
            | Stage::Own(_) => None,
        }
    }
}

impl Stage {
    /// The same stage with the meshes that it is, or is made of, as `change` makes them.
    pub fn with_meshes(&self, change: &dyn Fn(&Mesh) -> Mesh) -> Self {
        let each = |stages: &[Stage]| stages.iter().map(|stage| stage.with_meshes(change)).collect();
        match self {
            Stage::Mesh(mesh) => Stage::Mesh(change(mesh)),
            Stage::Series(own) => Stage::series(each(&own.stages)),
            Stage::Residual(own) => Stage::residual(each(&own.branch.stages)),
            Stage::Convolution(own) => Stage::convolution(own.patches, own.element.with_meshes(change)),
            Stage::Attenuators(_)
            | Stage::Splitter(_)
            | Stage::Combiner(_)
            | Stage::Activation(_)
            | Stage::Detection(_)
            | Stage::Modulation(_)
            | Stage::Rectifier(_)
            | Stage::Normalization(_)
            | Stage::Pooling(_)
            | Stage::Matrix(_)
            | Stage::WeightBank(_)
            | Stage::RingBank(_)
            | Stage::PhaseChange(_)
            | Stage::Mask(_)
            | Stage::FreeSpace(_)
            | Stage::Regions(_)
            | Stage::Own(_) => self.clone(),
        }
    }
}

impl Series {
    /// Reals per sample between its stages, of all of them, and of the widest signal.
    pub fn widths(&self) -> (usize, usize) {
        let leave = self.stages.iter().map(|stage| stage.output().width());
        let widest = leave.clone().max().unwrap_or(0).max(self.input().width());
        (leave.fold(0, usize::saturating_add), widest)
    }

    /// Names of the stages as those of networks are: `mesh0`, `attenuators0`, `mesh1`.
    fn names(&self) -> Vec<String> {
        let mut earlier: BTreeMap<&str, usize> = BTreeMap::new();
        let mut named = |stage: &Stage| {
            let number = earlier.entry(stage.kind()).or_default();
            *number += 1;
            format!("{}{}", stage.word(), *number - 1)
        };
        self.stages.iter().map(&mut named).collect()
    }

    /// Of every stage its errors.
    pub fn errors_of_stages(&self, errors: &StageErrors) -> Vec<StageErrors> {
        let mut rest = errors.iter();
        let own = |stage: &Stage| match stage.element().imperfect() {
            Some(own) if !errors.is_none() => {
                let count = own.errors().len();
                StageErrors::new(own, rest.by_ref().take(count).map(|(_, values)| values.to_vec()).collect())
            }
            Some(_) | None => StageErrors::NONE,
        };
        self.stages.iter().map(own).collect()
    }

    /// Where every stage's controls begin among its own, and behind all.
    pub fn first_controls(&self) -> Vec<usize> {
        running(self.stages.iter().map(Stage::controls))
    }

    /// The same of imperfections that can be estimated.
    pub fn first_imperfections(&self) -> Vec<usize> {
        running(self.stages.iter().map(Stage::imperfections))
    }

    /// The signals in front of and behind every stage.
    fn signals(&self, errors: &[StageErrors], controls: &[f64], signal: &[f64]) -> Vec<Vec<f64>> {
        let starts = self.first_controls();
        let mut signals = vec![signal.to_vec()];
        for (index, stage) in self.stages.iter().enumerate() {
            let own = &controls[starts[index]..starts[index + 1]];
            signals.push(stage.element().forward(&errors[index], own, &signals[index]));
        }
        signals
    }

    fn controlled_stages(&self) -> impl Iterator<Item = (usize, &dyn Controlled)> {
        self.stages.iter().enumerate().filter_map(|(index, stage)| Some((index, stage.element().controlled()?)))
    }
}

/// Sums of the counts before each, and of all.
fn running(counts: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut sums = vec![0];
    sums.extend(counts.scan(0, |sum, count| {
        *sum += count;
        Some(*sum)
    }));
    sums
}

/// The name of a vector of errors as schemas carry it. There are as many as kinds of stages have vectors, times their places.
fn kept(name: String) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name.as_str()) {
        return known;
    }
    let own: &'static str = Box::leak(name.into_boxed_str());
    names.insert(own);
    own
}

impl Element for Series {
    fn input(&self) -> Signal {
        self.stages.first().map_or(Signal::reals(0), Stage::input)
    }

    fn output(&self) -> Signal {
        self.stages.last().map_or(Signal::reals(0), Stage::output)
    }

    fn signed(&self) -> bool {
        self.stages.last().is_some_and(|stage| stage.element().signed())
    }

    fn validate(&self) -> Result<()> {
        if self.stages.is_empty() {
            return Err(Error::invalid("series", "empty", "needs at least one stage"));
        }
        for (index, stage) in self.stages.iter().enumerate() {
            if let Stage::Series(_) = stage {
                let reason = "stages one behind the other are one series, without another inside";
                return Err(Error::invalid("series", format!("stage {index}"), reason));
            }
            stage.element().validate()?;
        }
        for (index, pair) in self.stages.windows(2).enumerate() {
            let (leaves, enters) = (pair[0].output(), pair[1].input());
            same_size(&format!("modes that enter stage {} of a series", index + 1), enters.modes, leaves.modes)?;
            if leaves.complex != enters.complex {
                let kind = |complex| if complex { "complex fields" } else { "real numbers" };
                let reason = format!("needs {}, gets {}", kind(enters.complex), kind(leaves.complex));
                return Err(Error::invalid("series", format!("stage {}", index + 1), reason));
            }
        }
        super::check_detectors("series", self.stages.iter())
    }

    fn words(&self) -> String {
        format!("series({})", self.inner_words())
    }

    fn description(&self) -> String {
        let parts: Vec<String> = self.stages.iter().map(|stage| stage.element().description()).collect();
        format!("series of {}", parts.join(", "))
    }

    fn flops(&self) -> Flops {
        Flops::of(&self.stages)
    }

    fn controlled(&self) -> Option<&dyn Controlled> {
        self.controlled_stages().next().map(|_| self as &dyn Controlled)
    }

    fn imperfect(&self) -> Option<&dyn Imperfect> {
        self.stages.iter().any(|stage| stage.element().imperfect().is_some()).then_some(self as &dyn Imperfect)
    }

    /// Phases inside would be shifted one by one, which needs to know where in the series each stands: `parameter-shift` looks at stages alone.
    fn sines(&self) -> Option<Sines> {
        Some(Sines::Broken("a series of stages as one"))
    }

    fn drawn(&self) -> Option<&dyn Drawn> {
        None
    }

    fn beside(&self, _: usize) -> Result<Option<Beside>> {
        Ok(None)
    }

    fn forward(&self, errors: &StageErrors, controls: &[f64], signal: &[f64]) -> Vec<f64> {
        let errors = self.errors_of_stages(errors);
        self.signals(&errors, controls, signal).pop().unwrap_or_default()
    }

    fn backward(
        &self,
        errors: &StageErrors,
        controls: &[f64],
        signal: &[f64],
        error: &[f64],
        gradient: &mut [f64],
    ) -> Vec<f64> {
        let (errors, starts) = (self.errors_of_stages(errors), self.first_controls());
        let signals = self.signals(&errors, controls, signal);
        let mut error = error.to_vec();
        for (index, stage) in self.stages.iter().enumerate().rev() {
            let own = starts[index]..starts[index + 1];
            let (controls, gradient) = (&controls[own.clone()], &mut gradient[own]);
            error = stage.element().backward(&errors[index], controls, &signals[index], &error, gradient);
        }
        error
    }
}

impl Series {
    /// The words of its stages.
    pub(super) fn inner_words(&self) -> String {
        self.stages.iter().map(|stage| stage.element().words()).collect::<Vec<_>>().join(" > ")
    }
}

impl Controlled for Series {
    fn runs(&self) -> Vec<ControlRun> {
        self.stages.iter().flat_map(Stage::runs).collect()
    }

    fn arrays(&self) -> Vec<ControlArray> {
        let named = self.stages.iter().zip(Series::names(self));
        let of = |(stage, name): (&Stage, String)| {
            let own = stage.control_arrays().into_iter();
            own.map(move |array| ControlArray { name: format!("{name}.{}", array.name), ..array })
        };
        named.flat_map(of).collect()
    }

    fn names(&self) -> Vec<String> {
        let names = Series::names(self);
        let of = |(index, own): (usize, &dyn Controlled)| {
            let name = &names[index];
            own.names().into_iter().map(|control| format!("{name}.{control}")).collect::<Vec<_>>()
        };
        self.controlled_stages().flat_map(of).collect()
    }

    fn first(&self, mut start: Start) -> Result<Vec<f64>> {
        let mut first = Vec::new();
        let mut earlier: BTreeMap<&str, u64> = BTreeMap::new();
        for (index, own) in self.controlled_stages() {
            let before = earlier.entry(self.stages[index].kind()).or_insert(start.earlier * self.stages.len() as u64);
            let random = ChaCha8Rng::seed_from_u64(start.random.random());
            first.extend(own.first(Start { earlier: *before, random, ..start })?);
            *before += 1;
        }
        Ok(first)
    }

    fn places(&self) -> Vec<Option<Place>> {
        let (mut all, mut dies) = (Vec::new(), 0);
        for stage in &self.stages {
            let own = stage.places();
            let here = own.iter().flatten().map(|place| place.die + 1).max().unwrap_or(0);
            all.extend(own.into_iter().map(|place| place.map(|place| Place { die: dies + place.die, ..place })));
            dies += here;
        }
        all
    }

    fn rest(&self) -> f64 {
        self.rests().first().copied().unwrap_or(0.0)
    }

    fn rests(&self) -> Vec<f64> {
        self.controlled_stages().flat_map(|(_, own)| own.rests()).collect()
    }

    /// A series shares where all its stages do.
    fn shares(&self, other: &Stage, module: usize) -> Option<Vec<usize>> {
        let Stage::Series(other) = other else { return None };
        if self.stages.len() != other.stages.len() {
            return None;
        }
        let (mut all, theirs) = (Vec::new(), other.first_controls());
        for ((own, other), first) in self.stages.iter().zip(&other.stages).zip(theirs) {
            match own.element().controlled() {
                Some(own) => all.extend(own.shares(other, module)?.into_iter().map(|cell| first + cell)),
                None if own == other => {}
                None => return None,
            }
        }
        Some(all)
    }
}

impl Imperfect for Series {
    fn errors(&self) -> Vec<ErrorVector> {
        let (names, starts) = (Series::names(self), self.first_controls());
        let of = |(index, stage): (usize, &Stage)| {
            let (name, start) = (names[index].clone(), starts[index]);
            let moved = move |vector: ErrorVector| {
                let order = match vector.order {
                    Order::Controls => Order::ControlsFrom(start),
                    Order::ControlsFrom(first) => Order::ControlsFrom(start + first),
                    Order::Stage => Order::Stage,
                    waveguides @ Order::Waveguides { .. } => waveguides,
                };
                ErrorVector { name: kept(format!("{name}.{}", vector.name)), order, ..vector }
            };
            stage.errors().into_iter().map(moved).collect::<Vec<_>>()
        };
        self.stages.iter().enumerate().flat_map(of).collect()
    }

    fn draw(&self, draws: &Draws) -> Vec<Vec<f64>> {
        let of = |(index, stage): (usize, &Stage)| {
            let own = stage.element().imperfect();
            own.map_or(Vec::new(), |own| own.draw(&draws.inside(index, stage)))
        };
        self.stages.iter().enumerate().flat_map(of).collect()
    }

    /// As told by probes only where all of it is.
    fn estimable(&self) -> Estimable {
        let kinds: Vec<Estimable> = self.stages.iter().map(Stage::estimable).collect();
        let count = kinds.iter().map(|kind| kind.count()).sum();
        if count == 0 {
            Estimable::Nothing
        } else if kinds.iter().any(|kind| matches!(kind, Estimable::ByBatches(count) if *count > 0)) {
            Estimable::ByBatches(count)
        } else if kinds.iter().any(|kind| matches!(kind, Estimable::PhasesByBatches(count) if *count > 0)) {
            Estimable::PhasesByBatches(count)
        } else {
            Estimable::ByProbes(count)
        }
    }

    fn estimated(&self, known: &StageErrors, estimate: &[f64]) -> StageErrors {
        let (starts, known) = (self.first_imperfections(), self.errors_of_stages(known));
        let of = |(index, stage): (usize, &Stage)| {
            let own = stage.element().imperfect()?;
            Some(own.estimated(&known[index], &estimate[starts[index]..starts[index + 1]]).or_zeros(own))
        };
        let stages = self.stages.iter().enumerate().filter_map(of);
        let vectors = stages.flat_map(|own| own.iter().map(|(_, values)| values.to_vec()).collect::<Vec<_>>());
        StageErrors::new(self, vectors.collect())
    }

    fn gain(&self, stage: usize, errors: &StageErrors, amplified: bool) -> Result<Gain> {
        let mut all = Gain::default();
        for (own, errors) in self.stages.iter().zip(self.errors_of_stages(errors)) {
            let Some(page) = own.element().imperfect() else { continue };
            let gain = page.gain(stage, &errors, amplified)?;
            all = Gain { best_db: all.best_db + gain.best_db, columns: all.columns + gain.columns };
        }
        Ok(all)
    }
}

#[cfg(test)]
#[path = "series_tests.rs"]
mod tests;
