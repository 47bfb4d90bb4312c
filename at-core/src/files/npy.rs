//! NumPy arrays: the header checked against the bytes that are there, so no header can ask for memory that the file has not.

use super::atomic_write;
use super::npy_header::{self, NpyHeader};
use super::npz_draft::write_npy;
use super::number::Number;
use super::whole::{read_whole, shown};
use crate::{Error, Result};
use ndarray::Array2;
use num_complex::Complex64;
use std::path::Path;

/// A value, or the reason why there is none: the caller knows which file and array it concerns.
pub type Parsed<T> = std::result::Result<T, String>;

/// Longest header that is read: NumPy's own reader refuses more than 10 000 characters unless told otherwise.
const LONGEST_HEADER: usize = 1 << 16;
/// Most elements of an array: a matrix of some 23 000 modes.
pub(crate) const MOST_ELEMENTS: usize = 1 << 29;
/// Longest file of a matrix: so many elements of complex128.
pub(super) const LARGEST_MATRIX: u64 = (16 * MOST_ELEMENTS + 2 * LONGEST_HEADER) as u64;

/// What the elements of an array are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Real {
        number: Number,
        big_endian: bool,
    },
    Complex {
        number: Number,
        big_endian: bool,
    },
    /// Text of a fixed number of characters, one byte or four each.
    Text {
        characters: usize,
        width: usize,
        big_endian: bool,
    },
}

/// A byte that is a number from 0 to 255.
pub(crate) const BYTE: Element = Element::Real { number: Number::Unsigned(1), big_endian: false };

/// What the header of an array says, and where its elements begin.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NpyHead {
    /// The lengths of the axes.
    pub shape: Vec<usize>,
    /// Elements are in column-major order.
    pub fortran: bool,
    /// What they are.
    pub element: Element,
    /// Bytes before the first.
    pub start: usize,
}

impl NpyHead {
    /// More bytes of a file's beginning are not needed for [`NpyHead::parse`].
    pub const LONGEST: usize = LONGEST_HEADER + 12;

    /// Reads the `beginning` of an npy file of `length` bytes. Errs with a reason where these do not fit together.
    pub fn parse(beginning: &[u8], length: u64) -> Parsed<Self> {
        let (header, rest) = split_header(beginning)?;
        let start = beginning.len() - rest.len();
        let NpyHeader { descr, fortran, shape } = npy_header::parse(header)?;
        let element = element(&descr)?;
        let wanted = shape.iter().try_fold(element.bytes(), |product, &length| product.checked_mul(length));
        let following = length.saturating_sub(start as u64);
        if wanted.is_none_or(|wanted| wanted as u64 != following) {
            return Err(format!("its header says shape {shape:?} of {descr}, and {following} bytes follow"));
        }
        Ok(NpyHead { shape, fortran, element, start })
    }

    /// Elements of all axes together.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// What kind of elements an array has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Boolean,
    /// Integers.
    Whole,
    /// Floats.
    Float,
    /// Complex numbers.
    Complex,
    /// Text.
    Text,
}

/// An array of real or complex numbers or of text, as read. Its elements are its own, or those of a file's content.
#[derive(Clone, Debug, PartialEq)]
pub struct NpyArray<B = Vec<u8>> {
    shape: Vec<usize>,
    fortran: bool,
    element: Element,
    bytes: B,
}

impl NpyArray {
    /// Reads the content of an npy file. The error is the reason alone, for the caller to say which file and array.
    pub fn parse(content: &[u8]) -> Parsed<Self> {
        let NpyArray { shape, fortran, element, bytes } = NpyArray::view(content)?;
        Ok(NpyArray { shape, fortran, element, bytes: bytes.to_vec() })
    }

    /// Reads an npy file of at most `most` bytes.
    pub fn read(path: &Path, most: u64) -> Result<Self> {
        let mut content = read_whole(path, most)?;
        let viewed = NpyArray::view(&content).map_err(|reason| Error::malformed(path, reason))?;
        let NpyArray { shape, fortran, element, bytes } = viewed;
        let header = content.len() - bytes.len();
        content.drain(..header); // in place: the file may be as large as the memory
        Ok(NpyArray { shape, fortran, element, bytes: content })
    }
}

impl<'a> NpyArray<&'a [u8]> {
    /// [`NpyArray::parse`] without a copy of the elements.
    fn view(content: &'a [u8]) -> Parsed<Self> {
        let NpyHead { shape, fortran, element, start } = NpyHead::parse(content, content.len() as u64)?;
        let bytes = &content[start..];
        if bytes.len() / element.bytes() > MOST_ELEMENTS {
            return Err(format!("it has shape {shape:?}, more than {MOST_ELEMENTS} elements"));
        }
        Ok(NpyArray { shape, fortran, element, bytes })
    }
}

impl<B: AsRef<[u8]>> NpyArray<B> {
    /// Bytes of its elements as f64, however they are stored.
    pub(super) fn decoded_bytes(&self) -> usize {
        let reals = match self.element {
            Element::Real { number, .. } | Element::Complex { number, .. } => {
                self.bytes.as_ref().len() / number.bytes()
            }
            Element::Text { .. } => 0,
        };
        size_of::<f64>() * reals
    }

    /// What its elements are.
    pub fn kind(&self) -> Kind {
        self.element.kind()
    }

    /// How its elements are stored.
    pub(crate) fn element(&self) -> Element {
        self.element
    }

    /// The lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The real numbers in row-major order, of any width, integers and booleans too. Errs with a reason where the elements
    /// are no real numbers, or one is none that f64 has.
    pub fn reals(&self) -> Parsed<Vec<f64>> {
        match self.element {
            Element::Real { number, big_endian } => self.in_order(|bytes| number.read(bytes, big_endian)),
            Element::Complex { .. } => Err("its elements are complex, and real numbers belong here".into()),
            Element::Text { .. } => Err("its elements are text, and numbers belong here".into()),
        }
    }

    /// [`reals`](Self::reals) rounded to f32; infinite where that has none so large.
    pub fn singles(&self) -> Parsed<Vec<f32>> {
        match self.element {
            Element::Real { number, big_endian } => {
                self.in_order(|bytes| number.read(bytes, big_endian).map(|value| value as f32))
            }
            Element::Complex { .. } | Element::Text { .. } => self.reals().map(|_| Vec::new()), // which says why not
        }
    }

    /// [`complexes`](Self::complexes) rounded to pairs of f32, (re, im).
    pub fn complex_singles(&self) -> Parsed<Vec<f32>> {
        let Element::Complex { number, big_endian } = self.element else {
            return self.singles().map(|reals| reals.into_iter().flat_map(|re| [re, 0.0]).collect());
        };
        let pairs = self.in_order(|bytes| {
            let (re, im) = bytes.split_at(number.bytes());
            Ok([number.read(re, big_endian)? as f32, number.read(im, big_endian)? as f32])
        })?;
        Ok(pairs.into_flattened())
    }

    /// The complex (or real) numbers in row-major order. Errs with a reason where the elements are no numbers.
    pub fn complexes(&self) -> Parsed<Vec<Complex64>> {
        match self.element {
            Element::Real { number, big_endian } => {
                self.in_order(|bytes| number.read(bytes, big_endian).map(Complex64::from))
            }
            Element::Complex { number, big_endian } => self.in_order(|bytes| {
                let (re, im) = bytes.split_at(number.bytes());
                Ok(Complex64::new(number.read(re, big_endian)?, number.read(im, big_endian)?))
            }),
            Element::Text { .. } => Err("its elements are text, and numbers belong here".into()),
        }
    }

    /// The text of an array that holds a single one.
    pub fn text(&self) -> Parsed<String> {
        if !matches!(self.element, Element::Text { .. }) {
            return Err("it is not text".into());
        }
        match &self.texts()?[..] {
            [text] => Ok(text.clone()),
            _ => Err(format!("it has shape {:?}, not a single text", self.shape)),
        }
    }

    /// The texts of an array of them, in row-major order, without the zeros that fill them up.
    pub fn texts(&self) -> Parsed<Vec<String>> {
        let Element::Text { width, big_endian, .. } = self.element else { return Err("it is not text".into()) };
        if self.fortran && self.shape.len() > 1 {
            return Err("texts in column-major order are not supported; save them in C order".into());
        }
        let code = |bytes: &[u8]| {
            let number = |code: u32, &byte: &u8| code << 8 | u32::from(byte);
            let code = if big_endian { bytes.iter().fold(0, number) } else { bytes.iter().rev().fold(0, number) };
            char::from_u32(code).ok_or_else(|| format!("its text holds the code {code:#x}, which is no character"))
        };
        let text = |bytes: &[u8]| {
            let text: String = bytes.chunks_exact(width).map(code).collect::<Parsed<_>>()?;
            Ok(text.trim_end_matches('\0').to_string())
        };
        self.bytes.as_ref().chunks_exact(self.element.bytes()).map(text).collect()
    }

    /// Decodes every element; a matrix in column-major order is turned.
    fn in_order<T: Copy>(&self, decode: impl Fn(&[u8]) -> Parsed<T>) -> Parsed<Vec<T>> {
        let elements = self.bytes.as_ref().chunks_exact(self.element.bytes());
        // a vector that grows by itself takes up to three times as much on the way
        let mut values = Vec::new();
        values
            .try_reserve_exact(elements.len())
            .map_err(|_| format!("no memory for its {} elements", elements.len()))?;
        for element in elements {
            values.push(decode(element)?);
        }
        match *self.shape {
            [rows, columns] if self.fortran && !values.is_empty() => Ok((0..rows)
                .flat_map(|row| (0..columns).map(move |column| row + column * rows))
                .map(|at| values[at])
                .collect()),
            [] | [_] | [_, _] => Ok(values),
            _ if !self.fortran => Ok(values),
            _ => Err(format!("shape {:?} in column-major order is not supported; save it in C order", self.shape)),
        }
    }
}

impl Element {
    /// What kind of elements these are.
    pub fn kind(self) -> Kind {
        match self {
            Element::Real { number: Number::Boolean, .. } => Kind::Boolean,
            Element::Real { number: Number::Signed(_) | Number::Unsigned(_), .. } => Kind::Whole,
            Element::Real { number: Number::Float(_) | Number::Extended, .. } => Kind::Float,
            Element::Complex { .. } => Kind::Complex,
            Element::Text { .. } => Kind::Text,
        }
    }

    /// Numbers of one: two of a complex one.
    pub fn reals(self) -> usize {
        match self {
            Element::Real { .. } => 1,
            Element::Complex { .. } => 2,
            Element::Text { .. } => 0,
        }
    }

    /// The numbers of the elements in `bytes`, rounded to f32, into `values`, which has room for them. Errs with a reason as
    /// [`NpyArray::reals`] does.
    pub fn decode(self, bytes: &[u8], values: &mut [f32]) -> Parsed<()> {
        let (number, big_endian) = match self {
            BYTE => {
                values.iter_mut().zip(bytes).for_each(|(value, &byte)| *value = f32::from(byte));
                return Ok(());
            }
            Element::Real { number, big_endian } | Element::Complex { number, big_endian } => (number, big_endian),
            Element::Text { .. } => return Err("its elements are text, and numbers belong here".into()),
        };
        for (value, bytes) in values.iter_mut().zip(bytes.chunks_exact(number.bytes())) {
            *value = number.read(bytes, big_endian)? as f32;
        }
        Ok(())
    }

    /// Bytes of one.
    pub fn bytes(self) -> usize {
        match self {
            Element::Real { number, .. } => number.bytes(),
            Element::Complex { number, .. } => 2 * number.bytes(),
            Element::Text { characters, width, .. } => characters * width,
        }
    }
}

/// The header's text and the bytes of the elements.
fn split_header(content: &[u8]) -> Parsed<(&str, &[u8])> {
    let cut = || "it ends within its header".to_string();
    let rest = content.strip_prefix(b"\x93NUMPY").ok_or("it is not an npy array")?;
    let (length, rest) = match *rest {
        [1, 0, a, b, ref rest @ ..] => (usize::from(u16::from_le_bytes([a, b])), rest),
        [2 | 3, 0, a, b, c, d, ref rest @ ..] => (u32::from_le_bytes([a, b, c, d]) as usize, rest),
        [major, minor, ..] if !matches!(major, 1..=3) || minor != 0 => {
            return Err(format!("its npy version {major}.{minor} is not known"));
        }
        _ => return Err(cut()),
    };
    if length > LONGEST_HEADER {
        return Err(format!("its header claims {length} bytes, more than {LONGEST_HEADER}"));
    }
    let (header, bytes) = rest.split_at_checked(length).ok_or_else(cut)?;
    Ok((std::str::from_utf8(header).map_err(|_| "its header is not text")?, bytes))
}

/// The elements of type `descr`: `<f8` and so on.
fn element(descr: &str) -> Parsed<Element> {
    let unsupported = || {
        let known = "booleans, integers, floats and complex numbers of every width, and text are read";
        format!("its elements are {}; {known}", shown(descr))
    };
    if descr.trim_start_matches('|').starts_with('O') {
        return Err(
            "its elements are Python objects; save numbers, or text of a fixed width (numpy: astype(str))".into()
        );
    }
    let big_endian = descr.starts_with('>');
    let bare = descr.strip_prefix(['<', '>', '|', '=']).unwrap_or(descr);
    let kind = bare.chars().next().ok_or_else(unsupported)?;
    let count: usize = bare[kind.len_utf8()..].parse().map_err(|_| unsupported())?;
    let float = |bytes| match bytes {
        2 | 4 | 8 => Ok(Number::Float(bytes)),
        16 if !big_endian => Ok(Number::Extended),
        _ => Err(unsupported()),
    };
    match (kind, count) {
        ('b', 1) => Ok(Element::Real { number: Number::Boolean, big_endian }),
        ('i', 1 | 2 | 4 | 8) => Ok(Element::Real { number: Number::Signed(count), big_endian }),
        ('u', 1 | 2 | 4 | 8) => Ok(Element::Real { number: Number::Unsigned(count), big_endian }),
        ('f', _) => Ok(Element::Real { number: float(count)?, big_endian }),
        ('c', 8 | 16 | 32) => Ok(Element::Complex { number: float(count / 2)?, big_endian }),
        ('S', 1..=1024) => Ok(Element::Text { characters: count, width: 1, big_endian }),
        ('U', 1..=1024) => Ok(Element::Text { characters: count, width: 4, big_endian }),
        _ => Err(unsupported()),
    }
}

/// Reads a matrix of complex or real numbers, [row, column], from the content of an npy file in either order of elements.
pub(super) fn matrix(content: &[u8]) -> Parsed<Array2<Complex64>> {
    let array = NpyArray::view(content)?;
    let &[rows, columns] = array.shape() else {
        return Err(format!("expected a matrix, got an array of shape {:?}", array.shape()));
    };
    Array2::from_shape_vec((rows, columns), array.complexes()?).map_err(|failure| failure.to_string())
}

/// Reads the file of a [`write_matrix`], or any other npy file of a matrix of numbers.
pub fn read_matrix(path: &Path) -> Result<Array2<Complex64>> {
    matrix(&read_whole(path, LARGEST_MATRIX)?).map_err(|reason| Error::malformed(path, reason))
}

/// Writes a matrix as complex128 in C order, atomically.
pub fn write_matrix(path: &Path, matrix: &Array2<Complex64>) -> Result<()> {
    atomic_write(path, |writer| write_npy(matrix, writer))
}
