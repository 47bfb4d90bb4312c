//! Arrays of numpy as vectors of the engine, and back.

use crate::failure::usage;
use at_core::Real;
use num_complex::{Complex32, Complex64};
use numpy::{Element, PyArray, PyArray1, PyArray2, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;

/// A scalar of an engine that numpy has too.
pub trait Scalar: Real + Element {
    /// Its complex numbers.
    type Complex: Element + bytemuck::Pod;
}

impl Scalar for f32 {
    type Complex = Complex32;
}

impl Scalar for f64 {
    type Complex = Complex64;
}

/// Samples `[batch, width]` as they lie in memory.
pub struct Samples<T> {
    /// Row-major; a complex number is two reals.
    pub values: Vec<T>,
    /// Rows.
    pub batch: usize,
}

/// `array [batch, modes]` with samples of `width` reals, which are `complex` fields or not. Its numbers must be of this kind and
/// precision already; `what` names it.
pub fn samples<T: Scalar>(array: &Bound<'_, PyAny>, width: usize, complex: bool, what: &str) -> PyResult<Samples<T>> {
    let kind = |complex: bool| {
        format!("{}{}", if complex { "complex" } else { "float" }, size_of::<T>() * if complex { 16 } else { 8 })
    };
    let wrong = || {
        let dtype = array.getattr("dtype").map_or("no array".to_string(), |dtype| dtype.to_string());
        usage(format!("{what} must be an array of {}, got {dtype}", kind(complex)))
    };
    let (values, shape): (Vec<T>, Vec<usize>) = if complex {
        let array: PyReadonlyArrayDyn<T::Complex> = array.extract().map_err(|_| wrong())?;
        let values = match array.as_slice() {
            Ok(slice) => bytemuck::cast_slice(slice).to_vec(),
            Err(_) => bytemuck::cast_slice(&rows(&array)).to_vec(),
        };
        (values, array.shape().to_vec())
    } else {
        let array: PyReadonlyArrayDyn<T> = array.extract().map_err(|_| wrong())?;
        (rows(&array), array.shape().to_vec())
    };
    let modes = if complex { width / 2 } else { width };
    match shape[..] {
        [batch, found] if found == modes && batch > 0 => Ok(Samples { values, batch }),
        _ => Err(usage(format!("{what} must have the shape [batch, {modes}] with at least one sample, got {shape:?}"))),
    }
}

/// The numbers of an array, row-major.
fn rows<T: Element + Copy>(array: &PyReadonlyArrayDyn<T>) -> Vec<T> {
    match array.as_slice() {
        Ok(slice) => slice.to_vec(),
        Err(_) => array.as_array().iter().copied().collect(),
    }
}

/// A vector of reals of a known length.
pub fn vector<T: Scalar>(array: &Bound<'_, PyAny>, length: usize, what: &str) -> PyResult<Vec<T>> {
    let array: PyReadonlyArrayDyn<T> =
        array.extract().map_err(|_| usage(format!("{what} must be an array of float{}", 8 * size_of::<T>())))?;
    let values = rows(&array);
    if array.shape() != [length] {
        return Err(usage(format!("{what} must have the shape [{length}], got {:?}", array.shape())));
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(usage(format!("{what}: entry {at} is {}; must be finite", values[at]))),
        None => Ok(values),
    }
}

/// `values [batch, width]` as an array of reals, or of complex fields.
pub fn array<'py, T: Scalar>(
    py: Python<'py>,
    values: Vec<T>,
    batch: usize,
    complex: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let columns = values.len().checked_div(batch * if complex { 2 } else { 1 }).unwrap_or(0);
    if complex {
        let fields: Vec<T::Complex> =
            values.chunks_exact(2).map(|z| bytemuck::cast_slice::<T, T::Complex>(z)[0]).collect();
        Ok(shaped(PyArray1::from_vec(py, fields), [batch, columns])?.into_any())
    } else {
        Ok(shaped(PyArray1::from_vec(py, values), [batch, columns])?.into_any())
    }
}

fn shaped<'py, T: Element>(array: Bound<'py, PyArray1<T>>, shape: [usize; 2]) -> PyResult<Bound<'py, PyArray2<T>>> {
    use numpy::PyArrayMethods;
    array.reshape(shape)
}

/// A matrix of reals.
pub fn table<T: Element>(
    py: Python<'_>,
    values: Vec<T>,
    shape: [usize; 2],
) -> PyResult<Bound<'_, PyArray<T, numpy::Ix2>>> {
    shaped(PyArray1::from_vec(py, values), shape)
}
