//! What is learned from: signals with their targets on the engine, and the batches drawn from them.

use super::{Judge, Score};
use crate::engine::{Engine, Loss, Targets};
use crate::error::same_size;
use crate::{Error, Result};
use std::fmt::Debug;

/// Signals of samples that are made when a batch asks for them, because all of them together are too many to be held.
pub trait Signals: Debug + Send + Sync {
    /// Number of samples.
    fn samples(&self) -> usize;

    /// Reals per sample.
    fn width(&self) -> usize;

    /// The signals of the samples `order` into `[order, width]`, all finite. The same sample has the same signals every time.
    fn read(&self, order: &[u32], into: &mut [f32]) -> Result<()>;
}

/// An order of samples, here and on the engine.
pub struct Order<E: Engine> {
    samples: Vec<u32>,
    indices: E::Indices,
}

impl<E: Engine> Order<E> {
    /// This order.
    pub fn new(engine: &E, samples: Vec<u32>) -> Result<Self> {
        let indices = engine.upload_indices(&samples)?;
        Ok(Order { samples, indices })
    }
}

/// Where the signals of a split are.
enum Source<E: Engine> {
    /// On the engine, `[samples, width]`.
    Held(E::Buffer),
    /// Elsewhere.
    Read(Box<dyn Signals>),
}

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

/// One part of a data set: uploaded once, or, of signals that are too many for that, batch by batch.
pub struct Split<E: Engine> {
    signals: Source<E>,
    targets: Held<E>,
    in_order: Order<E>,
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
        let (samples, source) = (labels.len(), held(engine, signals, labels.len())?);
        Self::of_classes(engine, source, samples, labels)
    }

    /// The same of `signals` that stay where they are.
    pub fn reading(engine: &E, signals: Box<dyn Signals>, labels: &[u32]) -> Result<Self> {
        same_size("labels, one per sample", signals.samples(), labels.len())?;
        Self::of_classes(engine, read(signals)?, labels.len(), labels)
    }

    fn of_classes(engine: &E, source: (Source<E>, usize), samples: usize, labels: &[u32]) -> Result<Self> {
        let classes = labels.iter().max().map_or(0, |most| *most as usize + 1);
        let targets = Held::Classes(engine.upload_indices(labels)?);
        Self::of(engine, source, samples, targets, classes, Judge::ACCURACY)
    }

    /// Uploads `signals [samples, width]` and real `values [samples, targets]`, to be judged by `score`. Errs as
    /// [`Split::new`] does, on values that are not finite, and on a score that they cannot have.
    pub fn of_values(engine: &E, signals: &[f32], values: &[f32], targets: usize, score: Score) -> Result<Self> {
        let samples = samples_of(values, targets)?;
        Self::of_targets(engine, held(engine, signals, samples)?, values, targets, score)
    }

    /// The same of `signals` that stay where they are.
    pub fn reading_values(
        engine: &E,
        signals: Box<dyn Signals>,
        values: &[f32],
        targets: usize,
        score: Score,
    ) -> Result<Self> {
        same_size("real targets, so many of every sample", signals.samples(), samples_of(values, targets)?)?;
        Self::of_targets(engine, read(signals)?, values, targets, score)
    }

    fn of_targets(
        engine: &E,
        source: (Source<E>, usize),
        values: &[f32],
        targets: usize,
        score: Score,
    ) -> Result<Self> {
        let samples = samples_of(values, targets)?;
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::invalid("target", values[index], format!("sample {} must be finite", index / targets)));
        }
        let own = Held::Values(engine.upload(values)?);
        Self::of(engine, source, samples, own, targets, Judge::of_values(score, values, targets)?)
    }

    fn of(
        engine: &E,
        (signals, width): (Source<E>, usize),
        samples: usize,
        targets: Held<E>,
        classes: usize,
        judge: Judge,
    ) -> Result<Self> {
        let count = u32::try_from(samples).map_err(|_| Error::invalid("samples", samples, "must be below 2^32"))?;
        Ok(Split {
            signals,
            targets,
            in_order: Order::new(engine, (0..count).collect())?,
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
    pub fn in_order(&self) -> &Order<E> {
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

/// Signals on the engine, and their width. Errs where there are none, and on what is ragged or not finite.
fn held<E: Engine>(engine: &E, signals: &[f32], samples: usize) -> Result<(Source<E>, usize)> {
    let width = width_of(signals.len(), samples)?;
    same_size("values of all samples", width * samples, signals.len())?;
    if let Some(index) = signals.iter().position(|value| !value.is_finite()) {
        return Err(Error::invalid("signal", signals[index], format!("sample {} must be finite", index / width)));
    }
    Ok((Source::Held(engine.upload(signals)?), width))
}

/// Signals that stay where they are, and their width. Errs where there are none.
fn read<E: Engine>(signals: Box<dyn Signals>) -> Result<(Source<E>, usize)> {
    let (samples, width) = (signals.samples(), signals.width());
    width_of(width.saturating_mul(samples), samples)?;
    Ok((Source::Read(signals), width))
}

fn width_of(values: usize, samples: usize) -> Result<usize> {
    if samples == 0 {
        return Err(Error::invalid("samples", 0, "there is nothing to learn from"));
    }
    match values / samples {
        0 => Err(Error::invalid("width", 0, "every sample needs at least one value")),
        width => Ok(width),
    }
}

/// How many samples have these real values.
fn samples_of(values: &[f32], targets: usize) -> Result<usize> {
    if targets == 0 {
        return Err(Error::invalid("targets", 0, "every sample needs at least one"));
    }
    let samples = values.len() / targets;
    same_size("targets of all samples", samples * targets, values.len())?;
    Ok(samples)
}

/// Samples that go through together. Its memory is used again for every batch.
pub struct Batch<E: Engine> {
    signals: E::Buffer,
    /// What is read of samples that are not on the engine.
    read: Vec<f32>,
    targets: Held<E>,
    capacity: usize,
    size: usize,
}

impl<E: Engine> Batch<E> {
    /// Room for `capacity` samples of `width` reals.
    pub fn new(engine: &E, width: usize, capacity: usize) -> Result<Self> {
        let signals = engine.zeros(width * capacity)?;
        let targets = Held::Classes(engine.zero_indices(capacity)?);
        Ok(Batch { signals, read: Vec::new(), targets, capacity, size: 0 })
    }

    /// Takes the samples `order[start..start + size]` of `split`; `size` is at most the capacity. A batch is for splits with the
    /// same number of targets.
    pub fn gather(&mut self, engine: &E, split: &Split<E>, order: &Order<E>, start: usize, size: usize) -> Result<()> {
        debug_assert!(size <= self.capacity, "{size} samples for a batch of {}", self.capacity);
        self.size = size;
        match &split.signals {
            Source::Held(signals) => {
                engine.gather(signals, split.width, &order.indices, start, size, &mut self.signals)?;
            }
            Source::Read(signals) => {
                let samples = &order.samples[start..start + size];
                self.read.resize(size * split.width, 0.0);
                signals.read(samples, &mut self.read)?;
                let rows = engine.upload(&self.read)?;
                // a batch may be larger than the split, where samples are repeated
                let own = Order::new(engine, (0..size as u32).collect())?;
                engine.gather(&rows, split.width, &own.indices, 0, size, &mut self.signals)?;
            }
        }
        let order = &order.indices;
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
