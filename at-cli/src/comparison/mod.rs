//! Methods on the same chips and the same budget, at one point (`asyt compare`) or on a grid of settings (`asyt sweep`).

pub mod csv;
mod dry_run;
mod grid;
pub mod markdown;
pub mod plots;
mod report;
mod request;
mod run;
mod shared;
mod sources;
pub mod table;

pub use dry_run::dry_run;
pub use grid::Vary;
pub use report::{MethodReport, PointReport, is_oracle, percents};
pub use request::{GridArguments, Request};
pub use run::{Finished, read, run};
