//! What a run leaves for others to read.

pub mod metrics;
pub mod plot;
pub mod summary;
pub mod table;
pub mod verdict;
