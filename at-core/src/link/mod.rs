//! Chips from outside: a text protocol between this program and a process that drives a chip.
//!
//! ```text
//! {"message":"send","number":7,"batch":500,"bytes":256000,"check":2788221093}\n   256000 bytes: f32, little-endian, [batch, inputs]
//! {"message":"readout","number":7,"bytes":128000}\n                               128000 bytes: f32, [batch, outputs]
//! ```
//!
//! A message is one line of JSON, which a person can read, and behind it as many bytes as it says: arrays of little-endian f32.
//! Every request has one answer with the same number. docs/chip-protocol.md is the whole of it, for who writes a driver.
//!
//! - [`Link`] speaks to a driver: over the streams of a command, or TCP. Values leave the program here and nowhere else, so here
//!   the chip's limits are enforced.
//! - [`Outside`] is the chip behind a link as trainers know chips ([`crate::chip::Physical`]), on any engine.
//! - [`serve()`] is the other side: it drives anything that is [`Driven`] for whoever connects; [`Simulated`] is a simulated chip.

mod check;
mod description;
mod exchange;
mod frame;
mod limits;
mod message;
mod outside;
mod serve;
mod simulated;
#[cfg(test)]
mod tests;
mod transport;
mod wire;

pub use check::{Check, Effort, check};
pub use description::{Access, Description};
pub use exchange::{Link, Times};
pub use limits::{Limits, Placed};
pub use message::PROTOCOL;
pub use outside::Outside;
pub use serve::{Driven, serve};
pub use simulated::Simulated;
pub use transport::Transport;
pub use wire::{Handle, Park};
