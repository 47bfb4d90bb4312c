//! Memory that Rust has asked for, counted: what a test goes by that nothing large is copied.

use at_cli::library::{peak, restart_peak};
use pyo3::prelude::*;

/// The most bytes that Rust holds at any time of `work()`, beyond those that it held before.
#[pyfunction]
pub fn most_held(work: &Bound<'_, PyAny>) -> PyResult<usize> {
    restart_peak();
    let before = peak();
    work.call0()?;
    Ok(peak() - before)
}
