//! What is learned from: signals with their targets on the engine, and the batches drawn from them.

use super::{Judge, Score};
use crate::engine::{Engine, Loss, Targets};
use crate::error::same_size;
use crate::{Error, Result};

/// Targets with their memory.
enum Held<E: Engine> {
    Classes(E::Indices),
    Values(E::Buffer),
}

impl<E: Engine> Held<E> {
    fn targets(&self) -> Targets<'_, E> {
        match self {
            Held::Classes(labels) => Targets::Classes(labels),
            Held::Values(values) => Targets::Values(values),
        }
    }
}

/// One part of a data set, uploaded once.
pub struct Split<E: Engine> {
    signals: E::Buffer,
    targets: Held<E>,
    in_order: E::Indices,
    samples: usize,
    width: usize,
    /// One more than the greatest label, or the real targets of a sample.
    classes: usize,
    judge: Judge,
}

impl<E: Engine> Split<E> {
    /// Uploads `signals [samples, width]` and one label per sample, to be judged by accuracy. Errs without samples, on a ragged
    /// array and on signals that are not finite.
    pub fn new(engine: &E, signals: &[f32], labels: &[u32]) -> Result<Self> {
        let classes = labels.iter().max().map_or(0, |most| *most as usize + 1);
        let targets = Held::Classes(engine.upload_indices(labels)?);
        Self::of(engine, signals, labels.len(), targets, classes, Judge::ACCURACY)
    }

    /// Uploads `signals [samples, width]` and real `values [samples, targets]`, to be judged by `score`. Errs as
    /// [`Split::new`] does, on values that are not finite, and on a score that they cannot have.
    pub fn of_values(engine: &E, signals: &[f32], values: &[f32], targets: usize, score: Score) -> Result<Self> {
        if targets == 0 {
            return Err(Error::invalid("targets", 0, "every sample needs at least one"));
        }
        let samples = values.len() / targets;
        same_size("targets of all samples", samples * targets, values.len())?;
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::invalid("target", values[index], format!("sample {} must be finite", index / targets)));
        }
        let held = Held::Values(engine.upload(values)?);
        Self::of(engine, signals, samples, held, targets, Judge::of_values(score, values, targets)?)
    }

    fn of(engine: &E, signals: &[f32], samples: usize, targets: Held<E>, classes: usize, judge: Judge) -> Result<Self> {
        if samples == 0 {
            return Err(Error::invalid("samples", 0, "there is nothing to learn from"));
        }
        let count = u32::try_from(samples).map_err(|_| Error::invalid("samples", samples, "must be below 2^32"))?;
        let width = signals.len() / samples;
        if width == 0 {
            return Err(Error::invalid("width", 0, "every sample needs at least one value"));
        }
        same_size("values of all samples", width * samples, signals.len())?;
        if let Some(index) = signals.iter().position(|value| !value.is_finite()) {
            return Err(Error::invalid("signal", signals[index], format!("sample {} must be finite", index / width)));
        }
        let in_order: Vec<u32> = (0..count).collect();
        Ok(Split {
            signals: engine.upload(signals)?,
            targets,
            in_order: engine.upload_indices(&in_order)?,
            samples,
            width,
            classes,
            judge,
        })
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Reals per sample.
    pub fn width(&self) -> usize {
        self.width
    }

    /// One more than the greatest label, or the real targets of a sample.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Its targets are real values, not classes.
    pub fn is_real(&self) -> bool {
        matches!(self.targets, Held::Values(_))
    }

    /// How results on it are judged.
    pub fn judge(&self) -> Judge {
        self.judge
    }

    /// The order `0, 1, …` of the samples.
    pub fn in_order(&self) -> &E::Indices {
        &self.in_order
    }

    /// Errs unless samples have `inputs` reals and `loss` can compare with their targets.
    pub fn check(&self, inputs: usize, loss: &Loss) -> Result<()> {
        same_size("reals per sample, as many as the chip has inputs", inputs, self.width)?;
        let classes = loss.classes;
        if self.is_real() {
            loss.check_real()?;
            return same_size("real targets per sample, as many as the loss compares", classes, self.classes);
        }
        if self.classes > classes {
            let reason = format!("the loss has {classes} classes, numbered from 0");
            return Err(Error::invalid("label", self.classes - 1, reason));
        }
        Ok(())
    }
}

/// Samples that go through together. Its memory is used again for every batch.
pub struct Batch<E: Engine> {
    signals: E::Buffer,
    targets: Held<E>,
    capacity: usize,
    size: usize,
}

impl<E: Engine> Batch<E> {
    /// Room for `capacity` samples of `width` reals.
    pub fn new(engine: &E, width: usize, capacity: usize) -> Result<Self> {
        let signals = engine.zeros(width * capacity)?;
        Ok(Batch { signals, targets: Held::Classes(engine.zero_indices(capacity)?), capacity, size: 0 })
    }

    /// Takes the samples `order[start..start + size]` of `split`; `size` is at most the capacity. A batch is for splits with the
    /// same number of targets.
    pub fn gather(
        &mut self,
        engine: &E,
        split: &Split<E>,
        order: &E::Indices,
        start: usize,
        size: usize,
    ) -> Result<()> {
        debug_assert!(size <= self.capacity, "{size} samples for a batch of {}", self.capacity);
        self.size = size;
        engine.gather(&split.signals, split.width, order, start, size, &mut self.signals)?;
        match (&split.targets, &mut self.targets) {
            (Held::Classes(source), Held::Classes(target)) => engine.gather_indices(source, order, start, size, target),
            (Held::Values(source), Held::Values(target)) => {
                engine.gather(source, split.classes, order, start, size, target)
            }
            (Held::Classes(source), target) => {
                let mut labels = engine.zero_indices(self.capacity)?;
                engine.gather_indices(source, order, start, size, &mut labels)?;
                *target = Held::Classes(labels);
                Ok(())
            }
            (Held::Values(source), target) => {
                let mut values = engine.zeros(split.classes * self.capacity)?;
                engine.gather(source, split.classes, order, start, size, &mut values)?;
                *target = Held::Values(values);
                Ok(())
            }
        }
    }

    /// `[size, width]`, followed by what earlier batches left.
    pub fn signals(&self) -> &E::Buffer {
        &self.signals
    }

    /// Those of `size` samples, followed by what earlier batches left.
    pub fn targets(&self) -> Targets<'_, E> {
        self.targets.targets()
    }

    /// Number of samples.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Most samples that fit.
    pub fn capacity(&self) -> usize {
        self.capacity
    }
}
