//! What a run leaves for others to read.

mod axis;
pub mod bars;
pub mod chart;
pub mod columns;
pub mod heat_map;
pub mod look;
pub mod picture;
pub mod scores;
mod thin;
