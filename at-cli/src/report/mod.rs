//! A page that shows what was trained, how well and at what cost, to a person who sees nothing else.

mod chip_pictures;
mod comparison_section;
mod confusion;
mod cost_section;
mod curves;
mod mesh_grid;
pub mod page;
mod power;
mod run_section;
pub mod trained;

pub use run_section::Choice;

use crate::comparison::Request;
use anyhow::Result;
use std::path::Path;

/// Adds the folder `run`, of whichever command it is. Gives a sentence about what could not be shown.
pub fn section(page: &mut page::Page, run: &Path, choice: &Choice) -> Result<Option<String>> {
    if Request::path(run).exists() {
        comparison_section::section(page, run, choice.data_dir)
    } else {
        run_section::section(page, run, choice)
    }
}
