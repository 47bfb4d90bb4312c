//! What a run tells of itself, and who listens.

use super::MethodName;
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
    /// Accuracy likewise.
    pub train_accuracy: f64,
    /// Mean loss of the chip on the test split after the epoch.
    pub test_loss: f64,
    /// Accuracy likewise.
    pub test_accuracy: f64,
    /// What has crossed the chip's interface since the run began; evaluations are not counted.
    pub accesses: Accesses,
    /// How well the epoch's first step points down the true slope ([`super::Alignment`]), where an oracle was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alignment: Option<f64>,
    /// Steps of the epoch measured the chip: there the training loss and accuracy are those of the model.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub measuring: bool,
}

/// Follows a run. Both methods may do nothing.
pub trait Observer {
    /// `done` of an epoch's `total` batches are on their way.
    fn batch(&mut self, done: usize, total: usize) {
        let _ = (done, total);
    }

    /// An epoch is over. [`ControlFlow::Break`] ends the run here, resumably.
    fn epoch(&mut self, record: &Record) -> ControlFlow<()> {
        let _ = record;
        ControlFlow::Continue(())
    }
}

/// Nobody listens.
impl Observer for () {}
