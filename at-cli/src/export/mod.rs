//! What a run leaves for others to read.

mod axis;
pub mod bars;
pub mod canvas;
pub mod chart;
pub mod columns;
pub mod figures;
mod font;
pub mod heat_map;
mod legend;
pub mod look;
pub mod marks;
mod panel;
mod pdf;
pub mod picture;
mod png;
pub mod scores;
pub mod sheet;
mod svg;
mod thin;
