//! What may be written to a chip: enforced where values leave the program.
//!
//! ```text
//! c ← c − P·round-towards-the-range      where the chip has a period P and this reaches its range
//! c ← min(max(c, lower), upper)
//! ```

use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The range of every control, both ends included. In messages: `"none"`, `[lower, upper]` or `"each"`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Word", into = "Word")]
pub enum Limits {
    /// The driver takes every finite number.
    #[default]
    None,
    /// The same range for all: `[lower, upper]`.
    All([f64; 2]),
    /// A range for each. In messages the arrays stand behind the line: all lower ones, then all upper ones.
    Each {
        /// Of every control.
        lower: Vec<f32>,
        /// Of every control.
        upper: Vec<f32>,
    },
}

/// [`Limits`] as a line says them.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Word {
    All([f64; 2]),
    Kind(Kind),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    None,
    Each,
}

impl From<Word> for Limits {
    fn from(word: Word) -> Self {
        match word {
            Word::All(ends) => Limits::All(ends),
            Word::Kind(Kind::None) => Limits::None,
            Word::Kind(Kind::Each) => Limits::Each { lower: Vec::new(), upper: Vec::new() },
        }
    }
}

impl From<Limits> for Word {
    fn from(limits: Limits) -> Self {
        match limits {
            Limits::All(ends) => Word::All(ends),
            Limits::None => Word::Kind(Kind::None),
            Limits::Each { .. } => Word::Kind(Kind::Each),
        }
    }
}

/// What became of the controls on their way out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// Were moved by whole periods.
    pub turned: usize,
    /// Were written at an end of their range.
    pub held: usize,
}

impl Limits {
    /// Errs unless every control of `controls` has a range.
    pub fn check(&self, controls: usize) -> Result<()> {
        match self {
            Limits::None => return Ok(()),
            Limits::All(_) => {}
            Limits::Each { lower, upper } => {
                for ends in [lower, upper] {
                    crate::error::same_size("limits of the chip's controls", controls, ends.len())?;
                }
            }
        }
        let wrong = (0..controls).find(|&control| {
            let [lower, upper] = self.of(control);
            // a range without a number in it, or one that is NaN
            !(lower <= upper && lower < f32::INFINITY && upper > f32::NEG_INFINITY)
        });
        match wrong {
            None => Ok(()),
            Some(control) => {
                let [lower, upper] = self.of(control);
                Err(Error::invalid(
                    "chip",
                    format!("[{lower}, {upper}]"),
                    format!("limits: no range of control {control}"),
                ))
            }
        }
    }

    /// The range of one control.
    pub fn of(&self, control: usize) -> [f32; 2] {
        match self {
            Limits::None => [f32::NEG_INFINITY, f32::INFINITY],
            // rounded into the range
            Limits::All([lower, upper]) => [up(*lower), down(*upper)],
            Limits::Each { lower, upper } => [lower[control], upper[control]],
        }
    }

    /// Moves `controls` into their ranges: by whole periods where there is a `period` and one of them lies there, else to the
    /// nearer end. Errs at the first one that is not finite; then nothing may be written.
    pub fn place(&self, period: Option<f64>, controls: &mut [f32]) -> Result<Placed> {
        if let Some(index) = controls.iter().position(|control| !control.is_finite()) {
            let reason = "is not finite and was not written to the chip: the training diverged";
            return Err(Error::invalid("control", index, format!("{} {reason}", controls[index])));
        }
        let mut placed = Placed::default();
        for (index, control) in controls.iter_mut().enumerate() {
            let [lower, upper] = self.of(index);
            if (lower..=upper).contains(control) {
                continue;
            }
            let turned = period.map(|period| nearest_turn(*control, lower, upper, period));
            match turned {
                Some(turned) if (lower..=upper).contains(&turned) => {
                    *control = turned;
                    placed.turned += 1;
                }
                Some(_) | None => {
                    *control = control.clamp(lower, upper);
                    placed.held += 1;
                }
            }
        }
        Ok(placed)
    }
}

/// `control` moved by as few whole periods as bring it past the end of the range that it lies beyond.
fn nearest_turn(control: f32, lower: f32, upper: f32, period: f64) -> f32 {
    let value = f64::from(control);
    let periods = if control < lower {
        ((f64::from(lower) - value) / period).ceil()
    } else {
        ((f64::from(upper) - value) / period).floor()
    };
    (value + periods * period) as f32
}

fn up(value: f64) -> f32 {
    let near = value as f32;
    if f64::from(near) < value { near.next_up() } else { near }
}

fn down(value: f64) -> f32 {
    let near = value as f32;
    if f64::from(near) > value { near.next_down() } else { near }
}
