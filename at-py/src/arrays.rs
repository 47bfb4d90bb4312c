//! Arrays of numpy as vectors of the engine, and back: borrowed both ways wherever they lie as the engine's do.

use crate::failure::usage;
use at_core::Real;
use num_complex::{Complex32, Complex64};
use numpy::{
    Element, PyArray, PyArray1, PyArray2, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyReadwriteArrayDyn,
    PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use std::ops::Deref;

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

/// Numbers of an array of Python as they lie in its memory, row-major; nothing is copied that lies so already.
pub struct Plain<'py, E: Element>(PyReadonlyArrayDyn<'py, E>);

impl<'py, E: Element> Plain<'py, E> {
    /// The numbers of `array`, which may lie column by column, with gaps, or astray, and are then copied. None where they are of another kind.
    fn of(array: &Bound<'py, PyAny>) -> PyResult<Option<Self>> {
        let Ok(array) = array.cast::<PyArrayDyn<E>>() else { return Ok(None) };
        let array = match lies_plainly(array) {
            true => array.clone(),
            false => array.call_method1("copy", ("C",))?.cast_into()?,
        };
        Ok(Some(Plain(array.try_readonly().map_err(|error| usage(error.to_string()))?)))
    }
}

impl<E: Element> Deref for Plain<'_, E> {
    type Target = [E];

    fn deref(&self) -> &[E] {
        self.0.as_slice().expect("it lies plainly")
    }
}

/// Row by row, without gaps, where numbers of this kind may lie.
fn lies_plainly<E: Element>(array: &Bound<'_, PyArrayDyn<E>>) -> bool {
    array.is_c_contiguous() && array.data().is_aligned()
}

/// Samples `[batch, width]`, reals or complex fields.
pub enum Samples<'py, T: Scalar> {
    Reals(Plain<'py, T>),
    Fields(Plain<'py, T::Complex>),
}

impl<T: Scalar> Samples<'_, T> {
    /// Row-major; a complex number is two reals.
    pub fn values(&self) -> &[T] {
        match self {
            Samples::Reals(reals) => reals,
            Samples::Fields(fields) => bytemuck::cast_slice(fields),
        }
    }
}

/// What an array must hold.
#[derive(Clone, Copy)]
pub struct Kind<'a> {
    /// Its name.
    pub what: &'a str,
    /// Reals per sample.
    pub width: usize,
    /// They are complex fields.
    pub complex: bool,
}

impl Kind<'_> {
    fn modes(&self) -> usize {
        if self.complex { self.width / 2 } else { self.width }
    }

    fn wrong<T: Scalar>(&self, array: &Bound<'_, PyAny>) -> PyErr {
        let kind = if self.complex { "complex" } else { "float" };
        let bits = size_of::<T>() * if self.complex { 16 } else { 8 };
        let dtype = array.getattr("dtype").map_or("no array".to_string(), |dtype| dtype.to_string());
        usage(format!("{} must be an array of {kind}{bits}, got {dtype}", self.what))
    }

    /// The samples of an array of this shape.
    fn batch(&self, shape: &[usize]) -> PyResult<usize> {
        match *shape {
            [batch, found] if found == self.modes() && batch > 0 => Ok(batch),
            _ => Err(usage(format!(
                "{} must have the shape [batch, {}] with at least one sample, got {shape:?}",
                self.what,
                self.modes()
            ))),
        }
    }
}

/// The samples of `array [batch, modes]`, and how many. Its numbers must be of this kind and precision already.
pub fn samples<'py, T: Scalar>(array: &Bound<'py, PyAny>, kind: Kind<'_>) -> PyResult<(Samples<'py, T>, usize)> {
    let wrong = || kind.wrong::<T>(array);
    if kind.complex {
        let fields = Plain::of(array)?.ok_or_else(wrong)?;
        let batch = kind.batch(fields.0.shape())?;
        Ok((Samples::Fields(fields), batch))
    } else {
        let reals = Plain::of(array)?.ok_or_else(wrong)?;
        let batch = kind.batch(reals.0.shape())?;
        Ok((Samples::Reals(reals), batch))
    }
}

/// Room for samples in an array of Python's, to be written in place.
pub enum Room<'py, T: Scalar> {
    Reals(PyReadwriteArrayDyn<'py, T>),
    Fields(PyReadwriteArrayDyn<'py, T::Complex>),
}

impl<T: Scalar> Room<'_, T> {
    /// Row-major; a complex number is two reals.
    pub fn values(&mut self) -> &mut [T] {
        match self {
            Room::Reals(reals) => reals.as_slice_mut().expect("it lies plainly"),
            Room::Fields(fields) => bytemuck::cast_slice_mut(fields.as_slice_mut().expect("it lies plainly")),
        }
    }
}

fn writable<'py, E: Element>(
    array: &Bound<'py, PyAny>,
    what: &str,
    wrong: impl Fn() -> PyErr,
) -> PyResult<PyReadwriteArrayDyn<'py, E>> {
    let array = array.cast::<PyArrayDyn<E>>().map_err(|_| wrong())?;
    if !lies_plainly(array) {
        return Err(usage(format!("{what} must lie row by row without gaps, for it is written in place")));
    }
    array.try_readwrite().map_err(|error| usage(format!("{what}: {error}")))
}

/// Room for `batch` samples in `array [batch, modes]`.
pub fn room<'py, T: Scalar>(array: &Bound<'py, PyAny>, batch: usize, kind: Kind<'_>) -> PyResult<Room<'py, T>> {
    let wrong = || kind.wrong::<T>(array);
    let (room, shape) = if kind.complex {
        let fields = writable::<T::Complex>(array, kind.what, wrong)?;
        let shape = fields.shape().to_vec();
        (Room::Fields(fields), shape)
    } else {
        let reals = writable::<T>(array, kind.what, wrong)?;
        let shape = reals.shape().to_vec();
        (Room::Reals(reals), shape)
    };
    if shape != [batch, kind.modes()] {
        return Err(usage(format!("{} must have the shape [{batch}, {}], got {shape:?}", kind.what, kind.modes())));
    }
    Ok(room)
}

/// Room for a vector of reals of a known length.
pub fn vector_room<'py, T: Scalar>(array: &Bound<'py, PyAny>, length: usize, what: &str) -> PyResult<Room<'py, T>> {
    let wrong = || usage(format!("{what} must be an array of float{}", 8 * size_of::<T>()));
    let reals = writable::<T>(array, what, wrong)?;
    if reals.shape() != [length] {
        return Err(usage(format!("{what} must have the shape [{length}], got {:?}", reals.shape())));
    }
    Ok(Room::Reals(reals))
}

/// A vector of reals of a known length.
pub fn vector<'py, T: Scalar>(array: &Bound<'py, PyAny>, length: usize, what: &str) -> PyResult<Plain<'py, T>> {
    let wrong = || usage(format!("{what} must be an array of float{}", 8 * size_of::<T>()));
    let values = Plain::<T>::of(array)?.ok_or_else(wrong)?;
    if values.0.shape() != [length] {
        return Err(usage(format!("{what} must have the shape [{length}], got {:?}", values.0.shape())));
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(usage(format!("{what}: entry {at} is {}; must be finite", values[at]))),
        None => Ok(values),
    }
}

/// `values [batch, width]` as an array of reals, or of complex fields: copied once, into memory of Python.
pub fn array<'py, T: Scalar>(
    py: Python<'py>,
    values: &[T],
    batch: usize,
    complex: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let columns = values.len().checked_div(batch * if complex { 2 } else { 1 }).unwrap_or(0);
    if complex {
        // pairs lie as complex numbers do, and are aligned as their halves
        let fields: &[T::Complex] = bytemuck::cast_slice(values);
        Ok(shaped(PyArray1::from_slice(py, fields), [batch, columns])?.into_any())
    } else {
        Ok(shaped(PyArray1::from_slice(py, values), [batch, columns])?.into_any())
    }
}

fn shaped<'py, T: Element>(array: Bound<'py, PyArray1<T>>, shape: [usize; 2]) -> PyResult<Bound<'py, PyArray2<T>>> {
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
