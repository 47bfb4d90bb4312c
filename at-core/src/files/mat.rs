//! MATLAB files of version 5 to 7: the matrices of numbers in them, every length checked before it is believed.
//!
//! A file is a header of 128 bytes and elements, each with a type and a size; an element may be one of its kind, packed by
//! zlib. A matrix is an element of four or five others: flags, dimensions, name, real parts, imaginary parts. Those that are
//! not asked for are not unpacked beyond their name.

use super::npy::{MOST_ELEMENTS, Parsed};
use super::number::Number;
use super::whole::shown;
use flate2::read::ZlibDecoder;
use ndarray::Array2;
use num_complex::Complex64;
use std::borrow::Cow;
use std::io::Read;

const HEADER: usize = 128;
/// Flags, dimensions and name of a matrix lie within so many bytes.
const HEAD: usize = 4096;
/// More variables than this are not looked through.
const MOST_VARIABLES: usize = 10_000;
/// Names that an error lists.
const LISTED: usize = 8;
/// An element may unpack to `FREE_UNPACKED` bytes, and beyond that to `MOST_DENSE` times its packed size, at most `LARGEST`.
const FREE_UNPACKED: usize = 1 << 26;
const MOST_DENSE: usize = 16;
const LARGEST: usize = 1 << 33;

/// Types of elements.
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;
const INT8: u32 = 1;
const INT32: u32 = 5;
const UINT32: u32 = 6;
/// Flag of a matrix.
const COMPLEX: u32 = 0x0800;

const UNPACK: &str = "; save it unpacked, with save(…, '-v6')";
const CUT: &str = "it ends within a variable, or is damaged";

/// The content begins as a MATLAB file of version 5 or later does.
pub(super) fn is_mat(content: &[u8]) -> bool {
    matches!(content.get(HEADER - 2..HEADER), Some(b"IM" | b"MI"))
}

/// Reads the matrix called `variable`, or the only one where none is named.
pub fn matrix(content: &[u8], variable: Option<&str>) -> Parsed<Array2<Complex64>> {
    let big_endian = match content.get(HEADER - 4..HEADER) {
        Some([0, 1, b'I', b'M']) => false,
        Some([1, 0, b'M', b'I']) => true,
        Some([0, 2, b'I', b'M'] | [2, 0, b'M', b'I']) => {
            return Err("it is a MATLAB file of version 7.3; save it with save(…, '-v7')".into());
        }
        _ => return Err("it is no MATLAB file of version 5 to 7".into()),
    };
    let variables = variables(&content[HEADER..], big_endian)?;
    let chosen = chosen(&variables, variable)?;
    let whole = chosen.element.body(usize::MAX)?;
    let mut parts = Elements { rest: &whole, big_endian };
    for _ in 0..3 {
        parts.next().ok_or(CUT)??; // flags, dimensions, name
    }
    let [rows, columns] = chosen.dimensions[..] else { return Err(chosen.refusal()) };
    let count = rows.checked_mul(columns).filter(|&count| count <= MOST_ELEMENTS);
    let count = count.ok_or_else(|| format!("{rows} × {columns} are more than {MOST_ELEMENTS} elements"))?;
    let decoded = count * size_of::<Complex64>();
    if chosen.element.kind == COMPRESSED && decoded > 2 * chosen.element.allowed() {
        return Err(format!("{decoded} bytes of numbers are packed in {}{UNPACK}", chosen.element.data.len()));
    }
    let mut part = || parts.next().ok_or(CUT)?;
    let (real, imaginary) = (part()?, if chosen.complex { Some(part()?) } else { None });
    let (real, imaginary) = (real.numbers(count)?, imaginary.as_ref().map(|part| part.numbers(count)).transpose()?);
    let mut values = Vec::new(); // only now: so many numbers are there
    values.try_reserve_exact(count).map_err(|_| format!("{decoded} bytes of memory are not there"))?;
    values.resize(count, Complex64::ZERO);
    let place = |at: usize| at % rows * columns + at / rows; // column by column in the file
    for (at, value) in real.enumerate() {
        values[place(at)].re = value?;
    }
    for (at, value) in imaginary.into_iter().flatten().enumerate() {
        values[place(at)].im = value?;
    }
    Array2::from_shape_vec((rows, columns), values).map_err(|failure| failure.to_string())
}

/// What a file says of one variable before its numbers.
struct Variable<'a> {
    name: String,
    class: u32,
    complex: bool,
    dimensions: Vec<usize>,
    element: Element<'a>,
}

impl Variable<'_> {
    /// A matrix of numbers, and no single number.
    fn is_matrix(&self) -> bool {
        matches!(self.class, 6..=15) && matches!(self.dimensions[..], [rows, columns] if rows > 1 || columns > 1)
    }

    fn refusal(&self) -> String {
        let kind = match self.class {
            1 => "a cell array",
            2 => "a structure",
            4 => "text",
            5 => "a sparse matrix, of which full() makes a full one",
            6..=15 => "an array of other than two axes, or a single number",
            _ => "no array of numbers",
        };
        format!("variable {} is {kind}; a matrix is needed", shown(&self.name))
    }
}

fn chosen<'a, 'b>(variables: &'a [Variable<'b>], name: Option<&str>) -> Parsed<&'a Variable<'b>> {
    let listed = |found: &[&Variable]| {
        let names = found.iter().take(LISTED).map(|variable| shown(&variable.name)).collect::<Vec<_>>().join(", ");
        if found.len() > LISTED { format!("{names} and {} more", found.len() - LISTED) } else { names }
    };
    let matrices: Vec<&Variable> = variables.iter().filter(|variable| variable.is_matrix()).collect();
    match (name, &matrices[..]) {
        (Some(name), _) => match variables.iter().find(|variable| variable.name == name) {
            Some(variable) if variable.is_matrix() => Ok(variable),
            Some(variable) => Err(variable.refusal()),
            None if matrices.is_empty() => Err(format!("it has no variable {}, and no matrix", shown(name))),
            None => Err(format!("it has no variable {}; its matrices are {}", shown(name), listed(&matrices))),
        },
        (None, [only]) => Ok(only),
        (None, []) => match variables {
            [only] => Err(only.refusal()),
            _ => Err("it holds no matrix of numbers".into()),
        },
        (None, several) => Err(format!("it holds the matrices {}; choose one with `variable`", listed(several))),
    }
}

fn variables(content: &[u8], big_endian: bool) -> Parsed<Vec<Variable<'_>>> {
    let mut found = Vec::new();
    for element in (Elements { rest: content, big_endian }) {
        let element = element?;
        if found.len() == MOST_VARIABLES {
            return Err(format!("it holds more than {MOST_VARIABLES} variables"));
        }
        found.extend(variable(element)?);
    }
    Ok(found)
}

/// Flags, dimensions and name; none where the element is no variable.
fn variable(element: Element<'_>) -> Parsed<Option<Variable<'_>>> {
    let big_endian = element.big_endian;
    if !matches!(element.kind, MATRIX | COMPRESSED) {
        return Ok(None);
    }
    let head = element.body(HEAD)?;
    let mut parts = Elements { rest: &head, big_endian };
    let mut part = |kind| match parts.next() {
        Some(Ok(part)) if part.kind == kind => Ok(part.data),
        _ => Err(CUT.to_string()),
    };
    let (flags, dimensions, name) = (part(UINT32)?, part(INT32)?, part(INT8)?);
    let flags = word(flags, 0, big_endian).ok_or(CUT)?;
    let whole = |at| word(dimensions, at, big_endian).and_then(|length| usize::try_from(length.cast_signed()).ok());
    let dimensions = (0..dimensions.len() / 4).map(|axis| whole(4 * axis).ok_or(CUT)).collect::<Result<_, _>>()?;
    let name = String::from_utf8_lossy(name).into_owned();
    let (class, complex) = (flags & 0xff, flags & COMPLEX != 0);
    Ok(Some(Variable { name, class, complex, dimensions, element }))
}

#[derive(Clone, Copy)]
struct Element<'a> {
    kind: u32,
    data: &'a [u8],
    big_endian: bool,
}

impl Element<'_> {
    /// Bytes to which it may unpack.
    fn allowed(&self) -> usize {
        LARGEST.min(FREE_UNPACKED.saturating_add(self.data.len().saturating_mul(MOST_DENSE)))
    }

    /// The content of a matrix, unpacked, as far as `most` bytes of it are needed.
    fn body(&self, most: usize) -> Parsed<Cow<'_, [u8]>> {
        if self.kind != COMPRESSED {
            return Ok(Cow::Borrowed(&self.data[..self.data.len().min(most)]));
        }
        let mut decoder = ZlibDecoder::new(self.data);
        let mut tag = [0; 8];
        let broken = |failure: std::io::Error| format!("a variable cannot be unpacked: {failure}");
        decoder.read_exact(&mut tag).map_err(broken)?;
        let (kind, size) = (word(&tag, 0, self.big_endian), word(&tag, 4, self.big_endian).unwrap_or(0) as usize);
        if kind != Some(MATRIX) {
            return Err("a packed variable is no matrix".into());
        }
        if most == usize::MAX && size > self.allowed() {
            let (packed, allowed) = (self.data.len(), self.allowed());
            return Err(format!("a variable claims {size} bytes in {packed}, more than {allowed}{UNPACK}"));
        }
        let mut body = Vec::new();
        decoder.take(size.min(most) as u64).read_to_end(&mut body).map_err(broken)?;
        if body.len() < size.min(most) { Err(CUT.into()) } else { Ok(Cow::Owned(body)) }
    }

    /// `count` numbers.
    fn numbers(&self, count: usize) -> Parsed<impl Iterator<Item = Parsed<f64>> + '_> {
        let number = match self.kind {
            1 => Number::Signed(1),
            2 => Number::Unsigned(1),
            3 => Number::Signed(2),
            4 => Number::Unsigned(2),
            5 => Number::Signed(4),
            6 => Number::Unsigned(4),
            7 => Number::Float(4),
            9 => Number::Float(8),
            12 => Number::Signed(8),
            13 => Number::Unsigned(8),
            other => return Err(format!("its numbers are of type {other}, which is not known")),
        };
        if count.checked_mul(number.bytes()) != Some(self.data.len()) {
            return Err(format!("{} bytes are there for {count} numbers of {}", self.data.len(), number.bytes()));
        }
        Ok(self.data.chunks_exact(number.bytes()).map(move |bytes| number.read(bytes, self.big_endian)))
    }
}

/// Elements, one behind the other.
struct Elements<'a> {
    rest: &'a [u8],
    big_endian: bool,
}

impl<'a> Elements<'a> {
    fn element(&mut self) -> Option<Element<'a>> {
        let (rest, big_endian) = (self.rest, self.big_endian);
        let first = word(rest, 0, big_endian)?;
        // up to four bytes may stand in the tag itself, their number in its upper half
        let (kind, start, size): (u32, usize, usize) = match first >> 16 {
            0 => (first, 8, word(rest, 4, big_endian)? as usize),
            size => (first & 0xffff, 4, Some(size as usize).filter(|size| *size <= 4)?),
        };
        let data = rest.get(start..start.checked_add(size)?)?;
        let padded = if kind == COMPRESSED { start + size } else { (start + size).next_multiple_of(8) };
        self.rest = rest.get(padded..).unwrap_or_default();
        Some(Element { kind, data, big_endian })
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Parsed<Element<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let element = self.element().ok_or_else(|| CUT.to_string());
        if element.is_err() {
            self.rest = &[];
        }
        Some(element)
    }
}

fn word(bytes: &[u8], at: usize, big_endian: bool) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(if big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
}
