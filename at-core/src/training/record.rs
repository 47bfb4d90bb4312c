//! What a run tells of itself, and who listens.

use super::{MethodName, Score};
use crate::chip::Accesses;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

/// One epoch of one method.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The method.
    pub method: MethodName,
    /// Which of the chips that share a model, from 0; 0 where it is alone.
    #[serde(default)]
    pub chip: usize,
    /// The epoch, from 1.
    pub epoch: usize,
    /// The learning rate in it.
    pub learning_rate: f64,
    /// Mean loss over the epoch's batches, each before its step, as the method sees it: on the chip or on its model.
    pub train_loss: f64,
    /// What the scores are.
    #[serde(default, skip_serializing_if = "Score::is_of_classes")]
    pub judged_by: Score,
    /// Score likewise. Files may call it by its name.
    #[serde(alias = "train_accuracy", alias = "train_r_squared", alias = "train_mean_square_error")]
    pub train_score: f64,
    /// Mean loss of the chip on the test split after the epoch.
    pub test_loss: f64,
    /// Score likewise.
    #[serde(alias = "test_accuracy", alias = "test_r_squared", alias = "test_mean_square_error")]
    pub test_score: f64,
    /// What has crossed the chip's interface since the run began; evaluations are not counted.
    pub accesses: Accesses,
    /// How well the epoch's first step points down the true slope ([`super::Alignment`]), where an oracle was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alignment: Option<f64>,
    /// Steps of the epoch measured the chip: there the training loss and score are those of the model.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub measuring: bool,
}

impl Record {
    /// Errs where a number is none that training gives: such a record was edited or is damaged.
    pub fn validate(&self) -> Result<(), String> {
        /// More epochs than any run, and more chips than share a model.
        const MOST: usize = 1 << 40;
        if !(1..=MOST).contains(&self.epoch) || self.chip > MOST {
            return Err(format!("epoch {} of chip {} is not valid", self.epoch, self.chip));
        }
        let of_epoch = |reason: String| format!("epoch {}: {reason}", self.epoch);
        let by = self.judged_by;
        for (part, value) in [("train", self.train_score), ("test", self.test_score)] {
            by.validate(&format!("{part}_{}", by.key()), value).map_err(of_epoch)?;
        }
        if let Some(cosine) = self.alignment.filter(|cosine| !(-1.001..=1.001).contains(cosine)) {
            return Err(of_epoch(format!("alignment = {cosine} is not valid: must be from -1 to 1")));
        }
        let finite =
            [("learning_rate", self.learning_rate), ("train_loss", self.train_loss), ("test_loss", self.test_loss)];
        if let Some((name, value)) = finite.into_iter().find(|(_, value)| !value.is_finite()) {
            return Err(of_epoch(format!("{name} = {value} is not valid: must be finite")));
        }
        self.accesses.validate().map_err(of_epoch)
    }
}

/// Follows a run. All methods may do nothing.
pub trait Observer {
    /// `done` of an epoch's `total` batches are on their way.
    fn batch(&mut self, done: usize, total: usize) {
        let _ = (done, total);
    }

    /// The loss is wanted after steps 1·n, 2·n, … of the run for this n ([`Observer::step`]), or never. It is the same on all ranks: they put
    /// the loss together.
    fn every(&self) -> Option<usize> {
        None
    }

    /// A step is done whose loss was wanted.
    fn step(&mut self, step: &Step) {
        let _ = step;
    }

    /// Asked after every step: the run shall end there, with [`crate::Error::Interrupted`]. Of its epoch nothing is kept.
    fn stopped(&self) -> bool {
        false
    }

    /// An epoch is over. [`ControlFlow::Break`] ends the run here, resumably.
    fn epoch(&mut self, record: &Record) -> ControlFlow<()> {
        let _ = record;
        ControlFlow::Continue(())
    }
}

/// Nobody listens.
impl Observer for () {}

/// The loss within an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Number of the chip, among those that share a model.
    pub chip: usize,
    /// Steps of the run that are done, from 1 on.
    pub step: u64,
    /// Mean loss of the training samples since the step that was told before, or since the epoch began.
    pub loss: f64,
    /// η.
    pub learning_rate: f64,
}
