//! What is learned from: signals with their labels on the engine, and the batches drawn from them.

use crate::error::same_size;
use crate::propagator::Engine;
use crate::{Error, Result};

/// One part of a data set, uploaded once.
pub struct Split<E: Engine> {
    signals: E::Buffer,
    labels: E::Indices,
    in_order: E::Indices,
    samples: usize,
    width: usize,
    classes: usize,
}

impl<E: Engine> Split<E> {
    /// Uploads `signals [samples, width]` and one label per sample. Errs without samples, on a ragged array and on signals
    /// that are not finite.
    pub fn new(engine: &E, signals: &[f32], labels: &[u32]) -> Result<Self> {
        let samples = labels.len();
        let Some(most) = labels.iter().max() else {
            return Err(Error::invalid("samples", 0, "there is nothing to learn from"));
        };
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
            labels: engine.upload_indices(labels)?,
            in_order: engine.upload_indices(&in_order)?,
            samples,
            width,
            classes: *most as usize + 1,
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

    /// One more than the greatest label.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The order `0, 1, …` of the samples.
    pub fn in_order(&self) -> &E::Indices {
        &self.in_order
    }

    /// Errs unless samples have `inputs` reals and every label is one of `classes`.
    pub fn check(&self, inputs: usize, classes: usize) -> Result<()> {
        same_size("reals per sample, as many as the chip has inputs", inputs, self.width)?;
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
    labels: E::Indices,
    capacity: usize,
    size: usize,
}

impl<E: Engine> Batch<E> {
    /// Room for `capacity` samples of `width` reals.
    pub fn new(engine: &E, width: usize, capacity: usize) -> Result<Self> {
        let signals = engine.zeros(width * capacity)?;
        Ok(Batch { signals, labels: engine.zero_indices(capacity)?, capacity, size: 0 })
    }

    /// Takes the samples `order[start..start + size]` of `split`; `size` is at most the capacity.
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
        engine.gather_indices(&split.labels, order, start, size, &mut self.labels)
    }

    /// `[size, width]`, followed by what earlier batches left.
    pub fn signals(&self) -> &E::Buffer {
        &self.signals
    }

    /// `[size]`, followed by what earlier batches left.
    pub fn labels(&self) -> &E::Indices {
        &self.labels
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
