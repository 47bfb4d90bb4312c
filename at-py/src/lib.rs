//! What the Python package `asyt` has of Rust: the program as a library, chips, and networks with their way back. The words that
//! people use are in python/asyt; here are numbers, and threads that leave the interpreter alone while they work.

mod arrays;
mod bench;
mod chip;
mod data;
mod failure;
mod memory;
mod meshes;
mod model;
mod run;
mod seat;
mod trained;

use pyo3::pymodule;

#[global_allocator]
static ALLOCATOR: at_cli::Counted = at_cli::Counted;

/// Rust's part of asyt; its own words are in `asyt`.
#[pymodule]
mod _asyt {
    #[pymodule_export]
    use super::bench::serve;
    #[pymodule_export]
    use super::chip::Chip;
    #[pymodule_export]
    use super::data::Data;
    #[pymodule_export]
    use super::memory::most_held;
    #[pymodule_export]
    use super::meshes::{convert, decompose, fit, mesh_matrix, read_meshes, singular_values, write_meshes};
    #[pymodule_export]
    use super::model::{Model, Trace};
    #[pymodule_export]
    use super::run::{program, settings_names, train};
    #[pymodule_export]
    use super::trained::Trained;
}
