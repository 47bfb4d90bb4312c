//! What a run leaves for others to read.

pub mod bars;
pub mod chart;
pub mod columns;
pub mod comparison_csv;
pub mod comparison_markdown;
pub mod comparison_plots;
pub mod comparison_table;
pub mod figure;
pub mod heat_map;
pub mod look;
pub mod metrics;
pub mod picture;
pub mod plot;
pub mod summary;
pub mod table;
mod thin;
pub mod verdict;
