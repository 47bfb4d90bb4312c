//! An element of one's own: a page that stands in another crate.
//!
//! Whoever has an element implements [`Element`] for it, with [`Controlled`] and [`Imperfect`] where it has controls and errors of its
//! own, and hands it to [`Stage::own`]. From there on it is a stage as any other: trained by every method, drawn, checked, kept in chip
//! files and named in all files by its words. Its plain meaning is what runs, on the reference and on the CPU; a GPU needs kernels, and
//! refuses it.
//!
//! What a page outside must keep to besides: `forward` treats every sample by itself, for the CPU cuts batches into pieces; equal words
//! mean equal elements; no imperfection is `estimable`, for engines know no slope of it; and errors are drawn from [`Draws`] alone, so
//! that digital models get the mean of a kind and not an individual.

use super::{
    Beside, Controlled, Drawn, Element, Estimable, Flops, Imperfect, Initialization, Signal, Sines, Stage, StageErrors,
    Start,
};
use crate::error::same_size;
use crate::imperfections::{Draws, Imperfections};
use crate::{Error, Result};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// What precedes the words of an element of one's own, so that none of them is ever taken for one of the library's.
const PREFIX: &str = "own:";

/// An element of one's own, shared by all copies of its stage.
#[derive(Clone)]
pub struct Own(Arc<dyn Outside>);

/// An element whose type can be asked for.
trait Outside: Element + Any + Send + Sync {}

impl<E: Element + Any + Send + Sync> Outside for E {}

impl Stage {
    /// An element that this library does not know.
    pub fn own(element: impl Element + Send + Sync + 'static) -> Self {
        Stage::Own(Own(Arc::new(element)))
    }

    /// The element behind [`Stage::own`], where it is one of this type.
    pub fn as_own<E: Element + 'static>(&self) -> Option<&E> {
        if let Stage::Own(own) = self { (&*own.0 as &dyn Any).downcast_ref() } else { None }
    }
}

/// Words are all that there is to an element.
impl PartialEq for Own {
    fn eq(&self, other: &Self) -> bool {
        self.words() == other.words()
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, text: &mut fmt::Formatter) -> fmt::Result {
        write!(text, "Own({:?})", self.words())
    }
}

impl Element for Own {
    fn input(&self) -> Signal {
        self.0.input()
    }

    fn output(&self) -> Signal {
        self.0.output()
    }

    fn signed(&self) -> bool {
        self.0.signed()
    }

    /// Errs also where the page does not fit together: what it says is tried with light before anything is built from it.
    fn validate(&self) -> Result<()> {
        self.0.validate()?;
        let words = self.0.words();
        let separates = |c: char| c.is_control() || "|>".contains(c);
        if words.trim().is_empty() || words.contains(separates) {
            let reason = "an element of one's own has a name without `|`, `>` and line breaks, which networks put between stages";
            return Err(Error::invalid("network", format!("{:?}", self.words()), reason));
        }
        if self.input().modes == 0 || self.output().modes == 0 {
            return Ok(()); // asked of all stages
        }
        let controls = self.first_controls()?;
        self.check_schema()?;
        self.check_light(&controls)
    }

    fn words(&self) -> String {
        PREFIX.to_string() + &self.0.words()
    }

    fn description(&self) -> String {
        self.0.description()
    }

    fn flops(&self) -> Flops {
        self.0.flops()
    }

    fn controlled(&self) -> Option<&dyn Controlled> {
        self.0.controlled()
    }

    fn imperfect(&self) -> Option<&dyn Imperfect> {
        self.0.imperfect()
    }

    fn sines(&self) -> Option<Sines> {
        self.0.sines()
    }

    fn drawn(&self) -> Option<&dyn Drawn> {
        self.0.drawn()
    }

    fn beside(&self, count: usize) -> Result<Option<Beside>> {
        self.0.beside(count)
    }

    fn forward(&self, errors: &StageErrors, controls: &[f64], signal: &[f64]) -> Vec<f64> {
        self.0.forward(errors, controls, signal)
    }

    fn backward(
        &self,
        errors: &StageErrors,
        controls: &[f64],
        signal: &[f64],
        error: &[f64],
        gradient: &mut [f64],
    ) -> Vec<f64> {
        self.0.backward(errors, controls, signal, error, gradient)
    }
}

impl Own {
    /// First values of its controls. Errs where their number, that of their places or what they share is not that of the controls.
    fn first_controls(&self) -> Result<Vec<f64>> {
        let Some(own) = self.controlled() else { return Ok(Vec::new()) };
        let count = own.runs().iter().map(|run| run.count).sum();
        let random = ChaCha8Rng::seed_from_u64(0);
        let first = own.first(Start { initialization: &Initialization::FanIn, seed: 0, earlier: 0, random })?;
        same_size(&self.of("first values of the controls"), count, first.len())?;
        same_size(&self.of("places of the controls"), count, own.places().len())?;
        let Some(cells) = own.shares(&Stage::Own(self.clone()), 1) else {
            return Err(self.wrong("shares", "an element shares at least its own hardware"));
        };
        same_size(&self.of("controls that share hardware"), count, cells.len())?;
        match cells.iter().enumerate().all(|(k, &cell)| cell <= k && cells[cell] == cell) {
            true => Ok(first),
            false => Err(self.wrong("shares", "a control shares itself or one of lower index that shares itself")),
        }
    }

    /// Errs where what is drawn is not what the schema announces.
    fn check_schema(&self) -> Result<()> {
        let Some(own) = self.imperfect() else { return Ok(()) };
        let schema = own.errors();
        let in_a_file = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        for (index, vector) in schema.iter().enumerate() {
            if !in_a_file(vector.name) || schema[..index].iter().any(|other| other.name == vector.name) {
                return Err(self.wrong(vector.name, "names of errors differ and have letters, digits and `_` only"));
            }
        }
        if own.estimable() != Estimable::Nothing {
            let reason = "imperfections of an element of one's own are not estimated: it is `Nothing`";
            return Err(self.wrong("estimable", reason));
        }
        let stage = Stage::Own(self.clone());
        let drawn = own.draw(&Draws::new(&Imperfections::NONE, &stage, 0, 0));
        same_size(&self.of("vectors of errors"), schema.len(), drawn.len())?;
        let vectors = schema.iter().zip(drawn);
        vectors.into_iter().try_for_each(|(vector, values)| {
            same_size(&self.of(&format!("entries of {}", vector.name)), vector.length, values.len())
        })
    }

    /// Errs where signals do not have the widths that the page says, or samples touch each other.
    fn check_light(&self, controls: &[f64]) -> Result<()> {
        let (inputs, outputs) = (self.input().width(), self.output().width());
        let signal: Vec<f64> = (0..2 * inputs).map(|k| 0.5 + 0.25 * (1.3 * k as f64).sin()).collect();
        let leaves = self.forward(&StageErrors::NONE, controls, &signal);
        same_size(&self.of("reals that leave for two samples"), 2 * outputs, leaves.len())?;
        let alone = signal.chunks_exact(inputs).flat_map(|one| self.forward(&StageErrors::NONE, controls, one));
        if !leaves.iter().zip(alone).all(|(both, one)| (both - one).abs() <= 1e-9 * (1.0 + one.abs())) {
            return Err(self.wrong("forward", "what leaves for one sample does not depend on the others"));
        }
        let mut gradient = vec![0.0; controls.len()];
        let carried = self.backward(&StageErrors::NONE, controls, &signal, &vec![0.0; leaves.len()], &mut gradient);
        same_size(&self.of("reals that come back for two samples"), 2 * inputs, carried.len())
    }

    fn of(&self, what: &str) -> String {
        format!("{what} of {}", self.words())
    }

    fn wrong(&self, name: &str, reason: &str) -> Error {
        Error::invalid("network", self.of(name), reason)
    }
}

#[cfg(test)]
#[path = "own_tests.rs"]
pub(super) mod tests;
