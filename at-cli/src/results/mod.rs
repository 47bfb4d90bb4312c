//! What a run has learned, as files for other programs: numpy reads the npz, anything the csv.
//!
//! ```text
//! phases.npz  phases.csv      the meshes' phases, in a convention                  (phases)
//! controls.csv                every control: value, voltage, code                  (controls)
//! operators.npz               what every linear stage does, as designed and built  (operators)
//! samples.npz                 chosen samples: hidden fields of the model, readouts (samples)
//! predictions.csv             all test samples: answers and logits                 (predictions)
//! confusion.csv               which class is taken for which, counted              (predictions)
//! ```

mod controls;
mod operators;
mod phases;
mod predictions;
mod samples;

pub use operators::field_matrix;

use crate::trained::TrainedRun;
use anyhow::Result;
use at_core::fabrication::Fabrication;
use at_core::files::atomic_write;
use at_core::files::npz_draft::{NpzWriter, write_npz};
use at_core::optics::Convention;
use std::io::Error as IoError;
use std::path::Path;

/// A piece of what can be taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Piece {
    /// Phases of meshes.
    Phases,
    /// All controls.
    Controls,
    /// Linear stages.
    Operators,
    /// Some samples' way through model and chip.
    Samples,
    /// The chip's answers to all test samples.
    Predictions,
}

/// What is taken out.
pub struct Selection<'a> {
    /// The pieces.
    pub pieces: &'a [Piece],
    /// Of the phases.
    pub convention: Convention,
    /// Test samples whose signals are shown.
    pub samples: &'a [usize],
}

/// One method's result.
pub struct Learned<'a> {
    /// The run.
    pub run: &'a TrainedRun,
    /// Its chip; none where it came from outside.
    pub chip: Option<&'a Fabrication>,
    /// What it has trained.
    pub controls: &'a [f64],
}

/// A file that was written, and what it holds.
pub struct Written {
    /// Its name in the folder.
    pub file: &'static str,
    /// For people: shapes and units.
    pub what: String,
}

/// Writes the `selection` of what was `learned` into `folder`, which exists. Gives the files, and what is missing and why.
pub fn write(learned: &Learned, selection: &Selection, folder: &Path) -> Result<(Vec<Written>, Vec<String>)> {
    let (mut written, mut missing) = (Vec::new(), Vec::new());
    for piece in selection.pieces {
        match piece {
            Piece::Phases => phases::write(learned, selection.convention, folder, &mut written, &mut missing)?,
            Piece::Controls => controls::write(learned, folder, &mut written)?,
            Piece::Operators => operators::write(learned, folder, &mut written, &mut missing)?,
            Piece::Samples => samples::write(learned, selection.samples, folder, &mut written)?,
            Piece::Predictions => predictions::write(learned, folder, &mut written, &mut missing)?,
        }
    }
    Ok((written, missing))
}

/// The file being written.
type Draft<'a, 'b> = NpzWriter<&'a mut at_core::files::Draft<'b>>;

/// Writes an npz file of the arrays that are added.
fn npz(path: &Path, add: impl FnOnce(&mut Draft) -> std::io::Result<()>) -> Result<()> {
    Ok(atomic_write(path, |draft| write_npz(draft, add))?)
}

/// Writes a table.
fn table(path: &Path, heading: &[String], rows: impl IntoIterator<Item = Vec<String>>) -> Result<()> {
    Ok(atomic_write(path, |draft| {
        let mut csv = csv::Writer::from_writer(draft);
        csv.write_record(heading).map_err(IoError::other)?;
        rows.into_iter().try_for_each(|row| csv.write_record(row)).map_err(IoError::other)?;
        csv.flush()
    })?)
}

fn heading<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_string).to_vec()
}
