//! NumPy arrays: the header checked against the bytes that are there, so no header can ask for memory that the file has not.

use super::atomic_write;
use crate::{Error, Result};
use ndarray::Array2;
use ndarray_npy::WriteNpyExt;
use num_complex::Complex64;
use std::path::Path;

/// A value, or the reason why there is none: the caller knows which file and array it concerns.
pub type Parsed<T> = std::result::Result<T, String>;

/// Longest header that is read: NumPy's own reader refuses more than 10 000 characters unless told otherwise.
const LONGEST_HEADER: usize = 1 << 16;

/// What the elements of an array are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Real {
        size: usize,
        big_endian: bool,
    },
    Complex {
        size: usize,
        big_endian: bool,
    },
    /// Text of a fixed number of characters, one byte or four each.
    Text {
        characters: usize,
        width: usize,
        big_endian: bool,
    },
}

/// An array of real or complex numbers or of text, as read.
#[derive(Clone, Debug, PartialEq)]
pub struct NpyArray {
    shape: Vec<usize>,
    fortran: bool,
    element: Element,
    bytes: Vec<u8>,
}

impl NpyArray {
    /// Reads the content of an npy file. The error is the reason alone, for the caller to say which file and array.
    pub fn parse(content: &[u8]) -> Parsed<Self> {
        let (header, bytes) = split_header(content)?;
        let descr = field(header, "descr")?;
        let element = element(descr)?;
        let fortran = match field(header, "fortran_order")? {
            text if text.starts_with("True") => true,
            text if text.starts_with("False") => false,
            _ => return Err("its header has no order of elements".into()),
        };
        let shape = shape(field(header, "shape")?)?;
        let wanted = shape.iter().try_fold(element.bytes(), |product, &length| product.checked_mul(length));
        if wanted != Some(bytes.len()) {
            return Err(format!("its header says shape {shape:?} of {descr}, and {} bytes follow", bytes.len()));
        }
        Ok(NpyArray { shape, fortran, element, bytes: bytes.to_vec() })
    }

    /// The lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The real numbers in row-major order; f32 is widened. Errs with a reason where the elements are no real numbers.
    pub fn reals(&self) -> Parsed<Vec<f64>> {
        match self.element {
            Element::Real { size, big_endian } => self.in_order(|bytes| real(bytes, size, big_endian)),
            _ => Err("its elements are not float32 or float64".into()),
        }
    }

    /// The complex (or real) numbers in row-major order. Errs with a reason where the elements are no numbers.
    pub fn complexes(&self) -> Parsed<Vec<Complex64>> {
        match self.element {
            Element::Real { size, big_endian } => self.in_order(|bytes| real(bytes, size, big_endian).into()),
            Element::Complex { size, big_endian } => self.in_order(|bytes| {
                let (re, im) = bytes.split_at(size);
                Complex64::new(real(re, size, big_endian), real(im, size, big_endian))
            }),
            Element::Text { .. } => Err("its elements are not numbers".into()),
        }
    }

    /// The text of an array that holds a single one.
    pub fn text(&self) -> Parsed<String> {
        let Element::Text { width, big_endian, .. } = self.element else { return Err("it is not text".into()) };
        if self.shape.iter().any(|&length| length != 1) {
            return Err(format!("it has shape {:?}, not a single text", self.shape));
        }
        let code = |bytes: &[u8]| {
            let number = |code: u32, &byte: &u8| code << 8 | u32::from(byte);
            let code = if big_endian { bytes.iter().fold(0, number) } else { bytes.iter().rev().fold(0, number) };
            char::from_u32(code).ok_or_else(|| format!("its text holds the code {code:#x}, which is no character"))
        };
        let text: String = self.bytes.chunks_exact(width).map(code).collect::<Parsed<_>>()?;
        Ok(text.trim_end_matches('\0').to_string())
    }

    /// Decodes every element; a matrix in column-major order is turned.
    fn in_order<T: Copy>(&self, decode: impl Fn(&[u8]) -> T) -> Parsed<Vec<T>> {
        let values: Vec<T> = self.bytes.chunks_exact(self.element.bytes()).map(decode).collect();
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
    fn bytes(self) -> usize {
        match self {
            Element::Real { size, .. } => size,
            Element::Complex { size, .. } => 2 * size,
            Element::Text { characters, width, .. } => characters * width,
        }
    }
}

/// A float of 4 or 8 bytes; `bytes` holds `size` of them.
fn real(bytes: &[u8], size: usize, big_endian: bool) -> f64 {
    let mut word = [0; 8];
    word[..size].copy_from_slice(&bytes[..size]);
    if big_endian {
        word[..size].reverse();
    }
    if size == 4 {
        f64::from(f32::from_le_bytes([word[0], word[1], word[2], word[3]]))
    } else {
        f64::from_le_bytes(word)
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

/// The text that follows `'key':` in the header.
fn field<'a>(header: &'a str, key: &str) -> Parsed<&'a str> {
    let (_, rest) = header.split_once(&format!("'{key}'")).ok_or_else(|| format!("its header has no '{key}'"))?;
    Ok(rest.trim_start().strip_prefix(':').ok_or_else(|| format!("its header has no value of '{key}'"))?.trim_start())
}

/// `'<f8'` and so on, at the start of `text`.
fn element(text: &str) -> Parsed<Element> {
    let name = text.strip_prefix('\'').and_then(|rest| rest.split('\'').next()).unwrap_or("a structure");
    let unsupported = || format!("its elements are {name}; float32, float64, complex64, complex128 and text are read");
    let big_endian = name.starts_with('>');
    let bare = name.trim_start_matches(['<', '>', '|', '=']);
    let kind = bare.chars().next().ok_or_else(unsupported)?;
    let count: usize = bare[kind.len_utf8()..].parse().map_err(|_| unsupported())?;
    match (kind, count) {
        ('f', 4 | 8) => Ok(Element::Real { size: count, big_endian }),
        ('c', 8 | 16) => Ok(Element::Complex { size: count / 2, big_endian }),
        ('S', 1..=1024) => Ok(Element::Text { characters: count, width: 1, big_endian }),
        ('U', 1..=1024) => Ok(Element::Text { characters: count, width: 4, big_endian }),
        _ => Err(unsupported()),
    }
}

/// `(3, 4)` at the start of `text`.
fn shape(text: &str) -> Parsed<Vec<usize>> {
    let bad = || "its header has no shape".to_string();
    let list = text.strip_prefix('(').and_then(|rest| rest.split_once(')')).ok_or_else(bad)?.0;
    let lengths = list.split(',').map(str::trim).filter(|length| !length.is_empty());
    lengths.map(|length| length.parse().map_err(|_| bad())).collect()
}

/// Reads a matrix of complex or real numbers from an npy file, [row, column], either order of elements.
pub fn read_matrix(path: &Path) -> Result<Array2<Complex64>> {
    let content = std::fs::read(path).map_err(|source| Error::file(path, source))?;
    let parsed = NpyArray::parse(&content).and_then(|array| Ok((array.complexes()?, array)));
    let (values, array) = parsed.map_err(|reason| Error::malformed(path, reason))?;
    match *array.shape() {
        [rows, columns] => Array2::from_shape_vec((rows, columns), values)
            .map_err(|failure| Error::malformed(path, failure.to_string())),
        ref other => Err(Error::malformed(path, format!("expected a matrix, got an array of shape {other:?}"))),
    }
}

/// Writes a matrix as complex128 in C order, atomically.
pub fn write_matrix(path: &Path, matrix: &Array2<Complex64>) -> Result<()> {
    let standard = matrix.as_standard_layout();
    atomic_write(path, |writer| standard.write_npy(writer).map_err(std::io::Error::other))
}
