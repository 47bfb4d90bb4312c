//! Methods on the same chips and the same budget, at one point (`asyt compare`) or on a grid of settings (`asyt sweep`).

mod grid;
mod report;
mod request;
mod run;
mod sources;

pub use grid::Vary;
pub use report::{MethodReport, PointReport, Report, is_oracle};
pub use request::{GridArguments, Request};
pub use run::{Finished, read, run};
