//! A hybrid of training on the computer and at the chip: the first epochs of a run are those of a method that never reads the chip, and
//! any other goes on from its controls.
//!
//! ```text
//! epochs 1 to p:      Θ by the preparation, the chip untouched
//! from p + 1 on:      the method, which starts from Θ with an optimizer that remembers nothing, and counts its own epochs
//! ```
//!
//! Whatever the method trains as controls, or as a model of them, starts from Θ. Batches, rates and the schedule are those of the run.
//! Update errors count from the first controls, so that the prepared ones arrive with them.
//!
//! Source: common practice; with in-situ steps behind it for example Wright et al., Nature 601, 549 (2022), and L2ight (Gu et al.,
//! NeurIPS 2021).

use super::{Method, MethodFacts, MethodName};
use crate::engine::{Engine, Loss};
use crate::propagator::{Buffer, Propagator};
use crate::training::{Batch, Evaluation, Parameters, Split, Workspace};
use crate::{Error, Result};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// What trains the first epochs of a run. As text `METHOD:EPOCHS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preparation {
    /// One of [`Preparation::METHODS`].
    pub method: MethodName,
    /// How many epochs of the run, at least 1.
    pub epochs: usize,
}

impl Preparation {
    /// The methods that never read the chip, and know nothing of it that a trainer does not.
    pub const METHODS: [MethodName; 3] = [MethodName::InSilico, MethodName::NoiseAware, MethodName::Sat];

    /// Errs unless the method is one of these, and leaves epochs of `all` to the method behind it.
    pub fn check(&self, all: usize) -> Result<()> {
        let wrong = |reason: String| Err(Error::invalid("prepare", self, reason));
        if !Self::METHODS.contains(&self.method) {
            let known: Vec<&str> = Self::METHODS.iter().map(MethodName::as_str).collect();
            return wrong(format!("what prepares never reads the chip; choose {}", known.join(", ")));
        }
        if self.epochs == 0 {
            return wrong("needs at least 1 epoch".to_string());
        }
        if self.epochs >= all {
            return wrong(format!("leaves none of the {all} epochs to the method; prepare fewer, or pass more epochs"));
        }
        Ok(())
    }

    /// Errs for a method that nothing prepares.
    pub fn admits(&self, method: MethodName) -> Result<()> {
        if method != MethodName::Phyll {
            return Ok(());
        }
        Err(Error::Unsupported {
            what: format!(
                "{method} behind a preparation: it writes no control, and nothing would bring the prepared ones to the chip"
            ),
            instead: "start it from the controls of a run that was trained in silico".into(),
        })
    }
}

impl fmt::Display for Preparation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.method, self.epochs)
    }
}

impl FromStr for Preparation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::invalid("prepare", text, "write METHOD:EPOCHS, as in-silico:10");
        let (method, epochs) = text.split_once(':').ok_or_else(wrong)?;
        Ok(Preparation { method: method.parse().map_err(|_| wrong())?, epochs: epochs.parse().map_err(|_| wrong())? })
    }
}

impl Serialize for Preparation {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Preparation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The method with what prepares it.
pub struct Prepared<C: Propagator> {
    engine: C::Engine,
    /// Epochs of the preparation, and the number of the present one, from 0.
    epochs: usize,
    epoch: usize,
    preparer: Box<dyn Method<C>>,
    method: Box<dyn Method<C>>,
}

impl<C: Propagator> Prepared<C> {
    /// `method` behind so many `epochs` of `preparer`; both start from the same controls.
    pub fn new(engine: &C::Engine, preparer: Box<dyn Method<C>>, method: Box<dyn Method<C>>, epochs: usize) -> Self {
        Prepared { engine: engine.clone(), epochs, epoch: 0, preparer, method }
    }

    fn preparing(&self) -> bool {
        self.epoch < self.epochs
    }

    /// What is the preparation's own, under names of its own.
    fn renamed(name: &'static str) -> &'static str {
        match name {
            "controls" => "preparation",
            "model" => "preparation-model",
            other => other,
        }
    }
}

impl<C: Propagator> Method<C> for Prepared<C> {
    fn facts(&self) -> &'static MethodFacts {
        self.method.facts()
    }

    fn begin_epoch(&mut self, epoch: usize, epochs: usize) {
        self.epoch = epoch;
        if self.preparing() {
            self.preparer.begin_epoch(epoch, self.epochs);
        } else {
            self.method.begin_epoch(epoch - self.epochs, epochs.saturating_sub(self.epochs));
        }
    }

    fn step(
        &mut self,
        chip: &mut C,
        batch: &Batch<C::Engine>,
        learning_rate: f64,
        tally: &mut Buffer<C>,
    ) -> Result<()> {
        if !self.preparing() {
            return self.method.step(chip, batch, learning_rate, tally);
        }
        let Prepared { engine, preparer, method, .. } = self;
        preparer.step(chip, batch, learning_rate, tally)?;
        let mut vectors = method.parameters_mut().into_iter().filter(|(name, _)| matches!(*name, "controls" | "model"));
        vectors.try_for_each(|(_, own)| engine.combine(1.0, preparer.controls(), 0.0, &mut own.values))
    }

    fn evaluate(
        &self,
        chip: &mut C,
        engine: &C::Engine,
        split: &Split<C::Engine>,
        loss: &Loss,
        workspace: &mut Workspace<C::Engine>,
    ) -> Result<Evaluation> {
        self.method.evaluate(chip, engine, split, loss, workspace)
    }

    fn controls(&self) -> &Buffer<C> {
        self.method.controls()
    }

    fn finish(&mut self, chip: &mut C) -> Result<()> {
        self.method.finish(chip)
    }

    fn measuring(&self) -> bool {
        !self.preparing() && self.method.measuring()
    }

    fn tethered(&self) -> bool {
        self.method.tethered()
    }

    fn notes(&self) -> Vec<String> {
        self.method.notes()
    }

    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)> {
        let own = self.preparer.parameters().into_iter().map(|(name, own)| (Self::renamed(name), own));
        self.method.parameters().into_iter().chain(own).collect()
    }

    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)> {
        let own = self.preparer.parameters_mut().into_iter().map(|(name, own)| (Self::renamed(name), own));
        self.method.parameters_mut().into_iter().chain(own).collect()
    }
}
