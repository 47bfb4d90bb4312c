//! One file per command.

pub mod devices;
pub mod train;
