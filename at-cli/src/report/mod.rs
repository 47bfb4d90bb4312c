//! A page that shows what was trained, how well and at what cost, to a person who sees nothing else.

mod chip_pictures;
pub mod comparison_section;
mod confusion;
pub mod cost_section;
mod curves;
mod estimate_section;
mod estimated;
mod mesh_grid;
pub mod page;
mod power;
mod run_section;
mod together;

pub use run_section::Choice;

pub use together::together;

use crate::comparison::Request;

use crate::export::figures::Figures;
use crate::export::picture;
use crate::session::plot;
use crate::trained::RunFiles;
use anyhow::Result;
use std::path::{Path, PathBuf};

/// Adds the folder `run`, of whichever command it is. Gives a sentence about what could not be shown.
pub fn section(page: &mut page::Page, run: &Path, choice: &Choice) -> Result<Option<String>> {
    if Request::path(run).exists() {
        comparison_section::section(page, run, choice.data_dir)
    } else {
        run_section::section(page, run, choice)
    }
}

/// Draws all pictures of the run of `asyt train` in folder `run` that its page has, into `folder`; gives how many there are.
pub fn pictures(run: &Path, folder: PathBuf, figures: &Figures) -> Result<usize> {
    let mut page = page::Page::new("", folder, figures.clone());
    run_section::section(&mut page, run, &Choice { sample: 0, method: None, data_dir: None })?;
    Ok(page.pictures().1)
}

/// Draws the picture of the scores in the folder of a run of `asyt train` as `figures` say.
pub fn redraw(run: &Path, name: &str, figures: &Figures) -> Result<()> {
    let files = RunFiles::read(run)?;
    let title = crate::session::title(&files.summary);
    let chart = plot::scores(&title, files.summary.judged_by, &files.methods(), &files.rows);
    picture::write(run, name, &chart.picture(figures.sheet), figures).map(drop)
}
