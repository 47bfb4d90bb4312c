//! What is drawn of a stage, as data: which numbers, on which cells, in which words. How that looks, whoever draws it decides.

use super::StageErrors;
use crate::optics::Mesh;

/// The part of a page that is about pictures.
pub trait Drawn {
    /// On what the values lie.
    fn grid(&self) -> Grid<'_>;

    /// The maps: of what the stage was told (`controls`), then of its errors, where it has some.
    fn maps(&self, errors: &StageErrors, controls: &[f64]) -> Vec<Map>;
}

/// The cells of a stage's maps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Grid<'a> {
    /// A cell per weight, `[output, input]` row-major.
    Weights {
        /// Columns.
        inputs: usize,
        /// Rows.
        outputs: usize,
    },
    /// A cell per pixel, row-major.
    Pixels {
        /// Rows.
        rows: usize,
        /// Columns.
        columns: usize,
    },
    /// Two cells, one above the other, per MZI of this mesh in its order; where a map has more values, they are one per mode behind the
    /// last column.
    Mesh(&'a Mesh),
}

/// One map.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// For its file: `theta`.
    pub name: &'static str,
    /// What it is.
    pub title: &'static str,
    /// What a value is, with its unit.
    pub scale: &'static str,
    /// What it shows, in a sentence or two.
    pub caption: &'static str,
    /// The values, as [`Drawn::grid`] has their cells.
    pub values: Vec<f64>,
    /// Their range.
    pub span: Span,
}

/// Among which numbers a map's values stand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Span {
    /// Phases, of which 0 and 2π are one.
    Phase,
    /// Numbers of either sign around 0.
    AroundZero {
        /// The greatest magnitude, of all values that are to be compared with these.
        limit: f64,
    },
}

impl Span {
    /// Around 0, as far as the greatest magnitude among `values`.
    pub fn around_zero<'a>(values: impl IntoIterator<Item = &'a f64>) -> Self {
        Span::AroundZero { limit: values.into_iter().fold(0.0, |limit, value| value.abs().max(limit)) }
    }
}
