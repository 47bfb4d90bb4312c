//! `asyt watch`: what a folder of a run says of how far it is. Everything is read, nothing is written, and no data set is looked at.
//!
//! ```text
//! Watched → Snapshot   of asyt train (run.rs), of cells (grid.rs)
//!         → text       one snapshot in lines (text.rs)
//!         → frame      in a terminal: curves and a table (draw.rs)
//! ```

mod draw;
mod grid;
mod run;
mod snapshot;
mod text;

pub use draw::{View, draw};
pub use snapshot::{Snapshot, Watched};
pub use text::text;
