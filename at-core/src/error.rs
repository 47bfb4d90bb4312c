//! Everything that can go wrong in at-core, with the numbers that explain it.

use std::path::PathBuf;

/// Result with at-core's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, where, and what to do about it.
///
/// A setting that would mend it is named in backquotes as settings files spell it, `learning-rate`: who lets people set it by another
/// name, as a program by its flags, says that name instead.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Two things that must have the same size do not.
    #[error("{what}: expected {expected}, got {got}")]
    ShapeMismatch {
        /// What was measured.
        what: String,
        /// The size that was needed.
        expected: usize,
        /// The size that was found.
        got: usize,
    },
    /// A setting has a value that has no meaning.
    #[error("{name} = {value} is not valid: {reason}")]
    Invalid {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it must be.
        reason: String,
    },
    /// A request that makes sense and is not supported.
    #[error("{what} is not supported: {instead}")]
    Unsupported {
        /// What was asked for.
        what: String,
        /// What to do instead.
        instead: String,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file was read and makes no sense.
    #[error("{}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        reason: String,
    },
    /// Files that are in none of the places where they were looked for.
    #[error("{what}: not found in {}; {remedy}", places(searched))]
    NotFound {
        /// What was looked for.
        what: String,
        /// The folders, in the order of the search.
        searched: Vec<PathBuf>,
        /// How to get it.
        remedy: String,
    },
    /// Training left the numbers that mean something.
    #[error("{method} diverged in epoch {epoch}: {reason}; lower `learning-rate`")]
    Diverged {
        /// The method that diverged.
        method: String,
        /// The epoch, from 1.
        epoch: usize,
        /// What is beyond all use.
        reason: String,
    },
    /// Somebody who follows a training wanted its end in the middle of an epoch.
    #[error("interrupted in epoch {epoch}, of which nothing is kept")]
    Interrupted {
        /// The epoch, from 1.
        epoch: usize,
    },
    /// A result that is no number.
    #[error("{what} is not finite: {remedy}")]
    NotFinite {
        /// What was to be a number.
        what: String,
        /// Where to look.
        remedy: String,
    },
    /// The device that computes gave up.
    #[error("{device}: {reason}")]
    Device {
        /// The device.
        device: String,
        /// What it said and what to do.
        reason: String,
    },
}

/// Digits beyond which a number is told by its exponent; integers of 64 bits have 20.
const LONGEST_NUMBER: usize = 24;

fn places(searched: &[PathBuf]) -> String {
    if searched.is_empty() {
        return "any folder (none was given)".to_string();
    }
    searched.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}

impl Error {
    /// A [`Error::File`] for `path`.
    pub fn file(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Error::File { path: path.into(), source }
    }

    /// A [`Error::Malformed`] for `path`.
    pub fn malformed(path: impl Into<PathBuf>, reason: impl Into<String>) -> Self {
        Error::Malformed { path: path.into(), reason: reason.into() }
    }

    /// A [`Error::Invalid`] setting. A number that would fill lines with its zeros is told by its exponent.
    pub fn invalid(name: &'static str, value: impl ToString, reason: impl Into<String>) -> Self {
        let value = value.to_string();
        let value = match value.parse::<f64>() {
            Ok(number) if value.len() > LONGEST_NUMBER => format!("{number:e}"),
            Ok(_) | Err(_) => value,
        };
        Error::Invalid { name, value, reason: reason.into() }
    }
}

/// Errs unless `got == expected`.
pub fn same_size(what: &str, expected: usize, got: usize) -> Result<()> {
    if expected == got { Ok(()) } else { Err(Error::ShapeMismatch { what: what.to_string(), expected, got }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_huge_or_tiny_number_does_not_fill_the_line() {
        let said = |value: &dyn ToString| match Error::invalid("chip", value.to_string(), "") {
            Error::Invalid { value, .. } => value,
            other => panic!("{other}"),
        };
        assert_eq!([said(&1e300), said(&-1e-300)], ["1e300", "-1e-300"]);
        assert_eq!(said(&0.1), "0.1");
        assert_eq!([said(&u64::MAX), said(&i64::MIN)], [u64::MAX.to_string(), i64::MIN.to_string()]);
        assert_eq!([said(&"fourier-crop:100000000000000"), said(&f64::NAN)], ["fourier-crop:100000000000000", "NaN"]);
    }
}
