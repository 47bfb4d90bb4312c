//! Errors as Python exceptions, with the program's own words: `asyt.UsageError` for what makes no sense, `asyt.RunError` for what was
//! tried and failed.

use at_cli::library::{Failure, in_a_line};
use at_core::Error;
use pyo3::prelude::*;

/// The exception of this `class` of `asyt`.
fn exception(class: &str, text: String) -> PyErr {
    Python::attach(|py| match py.import("asyt._errors").and_then(|module| module.getattr(class)?.call1((text,))) {
        Ok(value) => PyErr::from_value(value),
        Err(error) => error,
    })
}

/// A request that makes no sense.
pub fn usage(text: impl Into<String>) -> PyErr {
    exception("UsageError", text.into())
}

/// Something was tried and failed.
pub fn failed(text: impl Into<String>) -> PyErr {
    exception("RunError", text.into())
}

/// An outcome as Python knows it.
pub trait Raised<T> {
    /// The value, or the exception.
    fn raised(self) -> PyResult<T>;
}

impl<T> Raised<T> for Result<T, Failure> {
    fn raised(self) -> PyResult<T> {
        self.map_err(|failure| match failure {
            Failure::Usage(error) => usage(in_a_line(&error)),
            Failure::Run(error) => match error.downcast_ref::<Error>() {
                Some(own) if makes_no_sense(own) => usage(in_a_line(&error)),
                Some(_) | None => failed(in_a_line(&error)),
            },
        })
    }
}

impl<T> Raised<T> for at_core::Result<T> {
    fn raised(self) -> PyResult<T> {
        self.map_err(|error| Failure::Run(error.into())).raised()
    }
}

fn makes_no_sense(error: &Error) -> bool {
    matches!(error, Error::ShapeMismatch { .. } | Error::Invalid { .. } | Error::Unsupported { .. })
}
