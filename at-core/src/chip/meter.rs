//! What crossed the analogue-digital interface, and what a computer worked out beside the chip.

use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};

/// Counts of conversions and of digital work, added up as they happen. A complex value takes two converters and counts twice.
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
    /// Samples sent forward through a digital model.
    #[serde(default)]
    pub digital_passes: u64,
    /// Samples whose error was carried back through a digital model.
    #[serde(default)]
    pub digital_backward_passes: u64,
    /// Additions and multiplications of reals, each by itself, that digital models took ([`crate::flops::Flops`]), and a
    /// method's own matrices.
    #[serde(default)]
    pub digital_flops: u64,
}

impl Accesses {
    /// A count of any use of a chip lies below this, and so do sums of a few.
    pub const MOST: u64 = 1 << 60;

    /// Errs where a count is none that use of a chip makes: such a record was edited or is damaged.
    pub fn validate(&self) -> Result<(), String> {
        let Accesses { reads, injections, inputs, control_writes, passes, rounds, frames, .. } = *self;
        let Accesses { digital_passes, digital_backward_passes, digital_flops, .. } = *self;
        let counts = [
            ("reads", reads),
            ("injections", injections),
            ("inputs", inputs),
            ("control_writes", control_writes),
            ("passes", passes),
            ("rounds", rounds),
            ("frames", frames),
            ("digital_passes", digital_passes),
            ("digital_backward_passes", digital_backward_passes),
            ("digital_flops", digital_flops),
        ];
        let wrong = counts.into_iter().find(|(_, count)| *count > Self::MOST);
        wrong.map_or(Ok(()), |(name, count)| Err(format!("{count} {name} are not valid: at most {}", Self::MOST)))
    }

    /// One turn of a batch of `samples`.
    pub fn turn(&mut self, samples: u64) {
        self.rounds += 1;
        self.frames += samples;
    }
}

/// A count under way. Clones add to the same one: a chip has it, and so has the digital model that is trained beside it.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Accesses>>);

impl Meter {
    /// What has been counted so far.
    pub fn read(&self) -> Accesses {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds to the count.
    pub fn count(&self, add: impl FnOnce(&mut Accesses)) {
        add(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
