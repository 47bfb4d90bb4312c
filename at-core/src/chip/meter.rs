//! What crossed the analogue-digital interface.

use serde::{Deserialize, Serialize};

/// Counts of conversions, added up as they happen. A complex value takes two converters and counts twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accesses {
    /// Values read by analogue-digital converters, output and hidden.
    pub reads: u64,
    /// Hidden values written back by digital-analogue converters.
    pub injections: u64,
    /// Input values written.
    pub inputs: u64,
    /// Controls written.
    pub control_writes: u64,
    /// Samples sent through the chip.
    pub passes: u64,
    /// Sequential analogue-digital-analogue turns, each for a whole batch.
    pub rounds: u64,
    /// Samples that took such turns: a sample that is read and injected layer by layer counts once per layer.
    #[serde(default)]
    pub frames: u64,
    /// Digital operations that the method took: additions and multiplications of reals, each by itself.
    #[serde(default)]
    pub digital_flops: u64,
}

impl Accesses {
    /// One turn of a batch of `samples`.
    pub fn turn(&mut self, samples: usize) {
        self.rounds += 1;
        self.frames += samples as u64;
    }
}
