//! Signals of samples that stay in their files: each batch is read and encoded when it is its turn.

use at_core::data::{Encoding, ImageShape, Samples};
use at_core::training::Signals;

/// Samples in files, and how they become signals.
#[derive(Debug)]
pub struct StoredSignals {
    samples: Samples,
    encoding: Encoding,
    image: Option<ImageShape>,
    /// Signals get imaginary parts where they have none.
    complex: bool,
    width: usize,
}

impl StoredSignals {
    /// Those of `samples` for a network that takes `width` reals per sample, of fields where `complex`.
    pub fn new(samples: &Samples, encoding: Encoding, image: Option<ImageShape>, complex: bool, width: usize) -> Self {
        StoredSignals { samples: samples.clone(), encoding, image, complex, width }
    }
}

impl Signals for StoredSignals {
    fn samples(&self) -> usize {
        self.samples.len()
    }

    fn width(&self) -> usize {
        self.width
    }

    fn read(&self, order: &[u32], into: &mut [f32]) -> at_core::Result<()> {
        let encoded = self.encoding.encode(&self.samples.select(order), self.image)?;
        let encoded = if self.complex { encoded.into_complex() } else { encoded };
        at_core::error::same_size("signals of a batch", into.len(), encoded.signals.len())?;
        into.copy_from_slice(&encoded.signals);
        Ok(())
    }
}
