//! How well something that light goes through does on a split.

use super::{Batch, Judge, Score, Split};
use crate::chip::Accesses;
use crate::engine::{Engine, Loss};
use crate::propagator::{Buffer, Propagator};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Mean loss and score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Mean loss per sample.
    pub loss: f64,
    /// What the score is.
    #[serde(default, skip_serializing_if = "Score::is_of_classes")]
    pub judged_by: Score,
    /// By that. Files may call it by its name.
    #[serde(alias = "accuracy", alias = "r_squared", alias = "mean_square_error")]
    pub score: f64,
    /// Number of samples whose greatest class output is their label; 0 where targets are real.
    pub correct: u64,
    /// Number of samples.
    pub samples: u64,
}

impl Evaluation {
    /// Errs where a number is none that an evaluation gives: such a record was edited or is damaged.
    pub fn validate(&self) -> std::result::Result<(), String> {
        let Evaluation { loss, judged_by, score, correct, samples } = *self;
        judged_by.validate(judged_by.as_str(), score)?;
        if loss.is_finite() && correct <= samples && samples <= Accesses::MOST {
            return Ok(());
        }
        Err(format!("{correct} of {samples} samples right and loss {loss} are not valid: a loss is finite"))
    }

    /// Reads the three sums that [`Engine::loss`] adds up.
    pub fn from_tally<E: Engine>(engine: &E, tally: &E::Buffer, judge: Judge) -> Result<Self> {
        let sums = engine.download(tally)?;
        crate::error::same_size("entries of a tally", 3, sums.len())?;
        Ok(Self::of([sums[0], sums[1], sums[2]], judge))
    }

    /// The same for every group of a tally `[groups, 3]`.
    pub fn of_groups<E: Engine>(engine: &E, tally: &E::Buffer, judge: Judge) -> Result<Vec<Self>> {
        let sums = engine.download(tally)?;
        Ok(sums.chunks_exact(3).map(|sums| Self::of([sums[0], sums[1], sums[2]], judge)).collect())
    }

    /// Errs unless the loss is finite: of `what`, for people.
    pub fn finite(self, what: &str) -> Result<Self> {
        if self.loss.is_finite() {
            return Ok(self);
        }
        let remedy = "the readout is beyond what numbers hold; look at the scale of the data, the controls and the `loss-gain`, or \
                      choose `loss-normalization` l2";
        Err(Error::NotFinite { what: format!("the loss of {what}"), remedy: remedy.to_string() })
    }

    fn of([loss, second, samples]: [f64; 3], judge: Judge) -> Self {
        let correct = if judge.score().is_of_classes() { second as u64 } else { 0 };
        Evaluation {
            loss: loss / samples,
            judged_by: judge.score(),
            score: judge.value(second, samples),
            correct,
            samples: samples as u64,
        }
    }
}

/// The memory of an evaluation.
pub struct Workspace<E: Engine> {
    batch: Batch<E>,
    readout: E::Buffer,
}

impl<E: Engine> Workspace<E> {
    /// Room for batches of up to `capacity` samples through `propagator`.
    pub fn new<P: Propagator<Engine = E>>(engine: &E, propagator: &P, capacity: usize) -> Result<Self> {
        let batch = Batch::new(engine, propagator.inputs(), capacity)?;
        Ok(Workspace { batch, readout: engine.zeros(propagator.outputs() * capacity)? })
    }

    /// Room for the samples.
    pub fn batch(&mut self) -> &mut Batch<E> {
        &mut self.batch
    }
}

/// Sends all of `split` through `propagator` as it is programmed, in batches of the workspace's capacity.
pub fn evaluate<P: Propagator>(
    propagator: &mut P,
    engine: &P::Engine,
    split: &Split<P::Engine>,
    loss: &Loss,
    workspace: &mut Workspace<P::Engine>,
) -> Result<Evaluation> {
    split.check(propagator.inputs(), loss)?;
    let Workspace { batch, readout } = workspace;
    let outputs = propagator.outputs();
    let mut tally: Buffer<P> = engine.zeros(3)?;
    for start in (0..split.samples()).step_by(batch.capacity()) {
        let size = batch.capacity().min(split.samples() - start);
        batch.gather(engine, split, split.in_order(), start, size)?;
        propagator.propagate(batch.signals(), size, readout)?;
        engine.loss(loss, readout, outputs, batch.targets(), size, None, &mut tally)?;
    }
    Evaluation::from_tally(engine, &tally, split.judge())
}
