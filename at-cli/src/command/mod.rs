//! One file per command.

pub mod data;
pub mod devices;
pub mod evaluate;
pub mod mesh;
pub mod train;
