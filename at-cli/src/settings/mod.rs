//! Settings: what they are, where they come from, and the kinds of chips and the presets that have a name.

pub mod chips;
mod families;
mod file;
mod flags;
mod gain;
mod kinds;
pub mod presets;
mod resolve;

pub use file::{config, parse, read, read_own};
pub use flags::{RunSettings, keys};
pub use gain::LossGain;
pub use resolve::{explained, explained_for, resolve, resolve_own};
