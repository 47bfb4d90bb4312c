//! A page that shows what was trained, how well and at what cost, to a person who sees nothing else.

mod chip_pictures;
mod confusion;
mod curves;
pub mod page;
mod power;
mod run_section;
mod trained;

pub use run_section::{Choice, section};
