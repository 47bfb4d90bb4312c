//! One file per command.

pub mod devices;
pub mod evaluate;
pub mod mesh;
pub mod train;
