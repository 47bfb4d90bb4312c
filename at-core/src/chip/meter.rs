//! What crossed the analogue-digital interface, and what a computer worked out beside the chip.

use crate::network::{Interface, Passage};
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
    /// Controls written. Of a pair of non-volatile cells those cells count that are written, none, one or both.
    pub control_writes: u64,
    /// Non-volatile cells written, of [`Accesses::control_writes`]: what their endurance is spent on.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cell_writes: u64,
    /// Samples sent through the chip; where patches of images cross a part of it in turn ([`crate::network::Interface`]), patches, of every such part.
    pub passes: u64,
    /// Sequential analogue-digital-analogue turns, each for a whole batch.
    pub rounds: u64,
    /// Samples that took such turns: a sample that is read and injected layer by layer counts once per layer, and once per patch where
    /// patches cross a layer in turn.
    #[serde(default)]
    pub frames: u64,
    /// Samples sent forward through a digital model.
    #[serde(default)]
    pub digital_passes: u64,
    /// Samples whose error was carried back through a digital model.
    #[serde(default)]
    pub digital_backward_passes: u64,
    /// Additions and multiplications of reals, each by itself, that digital models took ([`crate::flops::Flops`]), and a
    /// method's own matrices; and those of pooling and rectifiers between convolutions of a chip.
    #[serde(default)]
    pub digital_flops: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Accesses {
    /// A count of any use of a chip lies below this, and so do sums of a few.
    pub const MOST: u64 = 1 << 60;

    /// Errs where a count is none that use of a chip makes: such a record was edited or is damaged.
    pub fn validate(&self) -> Result<(), String> {
        let Accesses { reads, injections, inputs, control_writes, cell_writes, passes, rounds, frames, .. } = *self;
        let Accesses { digital_passes, digital_backward_passes, digital_flops, .. } = *self;
        let counts = [
            ("reads", reads),
            ("injections", injections),
            ("inputs", inputs),
            ("control_writes", control_writes),
            ("cell_writes", cell_writes),
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

/// What the interface of a chip tells its meter, unless it is switched off for an evaluation.
#[derive(Debug)]
pub(crate) struct Counter {
    meter: Meter,
    on: bool,
}

impl Default for Counter {
    fn default() -> Self {
        Counter { meter: Meter::default(), on: true }
    }
}

impl Counter {
    /// The meter.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Whether it counts.
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// Counts from here on or does not; gives what it did before.
    pub fn set(&mut self, on: bool) -> bool {
        std::mem::replace(&mut self.on, on)
    }

    fn count(&self, add: impl FnOnce(&mut Accesses)) {
        if self.on {
            self.meter.count(add);
        }
    }

    /// So many controls were written.
    pub fn written(&self, controls: usize) {
        self.count(|accesses| accesses.control_writes += controls as u64);
    }

    /// So many non-volatile cells were written.
    pub fn cells_written(&self, cells: u64) {
        self.count(|accesses| {
            accesses.control_writes += cells;
            accesses.cell_writes += cells;
        });
    }

    /// A batch entered at the chip's `inputs`, of which `reads` values per sample were read.
    pub fn passed(&self, batch: usize, inputs: usize, reads: usize) {
        self.crossed(batch, &Passage::plain(inputs, reads), 0);
    }

    /// Every sample of a batch took this `passage` through the chip, and `more` values of it were read on the way.
    pub fn crossed(&self, batch: usize, passage: &Passage, more: usize) {
        let (batch, count) = (batch as u64, |values: usize| values as u64);
        self.count(|accesses| {
            accesses.passes += batch * count(passage.passes);
            accesses.inputs += batch * count(passage.inputs);
            accesses.injections += batch * count(passage.injections);
            accesses.reads += batch * (count(passage.reads) + count(more));
            accesses.rounds += count(passage.rounds);
            accesses.frames += batch * count(passage.frames);
            accesses.digital_flops += batch * count(passage.flops);
        });
    }

    /// The same through layer number `layer` alone: the first, at the chip's inputs, or one that was written into.
    pub fn crossed_layer(&self, batch: usize, interface: &Interface, layer: usize) {
        let (passage, part) = (interface.layers[layer], interface.parts[layer]);
        let Passage { inputs, injections, .. } = passage;
        let passes = passage.passes - interface.continued[layer];
        match layer {
            0 => self.crossed(batch, &passage, 0),
            _ => {
                let injections = injections.saturating_add(inputs - part);
                self.crossed(batch, &Passage { inputs: part, passes, injections, ..passage }, 0);
            }
        }
    }

    /// A batch crossed one layer: the first, at the chip's `inputs`, or one that `injected` values per sample were written into.
    pub fn layer(&self, batch: usize, inputs: usize, injected: Option<usize>, reads: usize) {
        let whole = Passage::plain(inputs, reads);
        let injected = injected.map(|injections| Passage { inputs: 0, passes: 0, injections, ..whole });
        self.crossed(batch, &injected.unwrap_or(whole), 0);
    }

    /// A batch of `values` in all was sent into one mesh, by the chip's inputs or elsewhere, and `read` values were read.
    pub fn mesh(&self, batch: usize, values: usize, read: usize, enters: bool) {
        self.count(|accesses| {
            if enters {
                accesses.inputs += values as u64;
            } else {
                accesses.injections += values as u64;
            }
            accesses.reads += read as u64;
            accesses.passes += batch as u64;
            accesses.rounds += 1;
        });
    }
}
