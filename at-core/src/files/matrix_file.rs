//! Files of one matrix: npy, or a MATLAB file of version 5 to 7.

use super::npy::{self, LARGEST_MATRIX};
use super::whole::read_whole;
use super::{mat, npy::Parsed};
use crate::{Error, Result};
use ndarray::Array2;
use num_complex::Complex64;
use std::path::Path;

/// Reads a matrix [row, column] of real or complex numbers; what kind of file it is shows in its first bytes.
///
/// `variable` names the matrix of a MATLAB file, which is not needed where it holds a single one.
pub fn read_matrix(path: &Path, variable: Option<&str>) -> Result<Array2<Complex64>> {
    parse_matrix(&read_whole(path, LARGEST_MATRIX)?, variable).map_err(|reason| Error::malformed(path, reason))
}

/// The same for a file's `content`. The error is the reason alone, for the caller to say which file.
pub fn parse_matrix(content: &[u8], variable: Option<&str>) -> Parsed<Array2<Complex64>> {
    if mat::is_mat(content) {
        return mat::matrix(content, variable);
    }
    let hdf5 = [0, 512].into_iter().any(|at| content.get(at..).is_some_and(|rest| rest.starts_with(b"\x89HDF")));
    if hdf5 {
        return Err("it is HDF5, as MATLAB files of version 7.3 are; save it with save(…, '-v7'), or as npy".into());
    }
    if !content.starts_with(b"\x93NUMPY") {
        return Err("it is neither an npy array nor a MATLAB file of version 5 to 7".into());
    }
    if let Some(name) = variable {
        return Err(format!("it is an npy array, which has no variable {name}; drop `variable`"));
    }
    npy::matrix(content)
}
