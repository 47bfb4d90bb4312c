//! NumPy archives (npz): a zip file of npy arrays, stored or deflated, read with every length checked before it is believed.

use super::npy::{NpyArray, Parsed};
use crate::{Error, Result};
use flate2::Crc;
use flate2::read::DeflateDecoder;
use ndarray_npy::{NpzWriter, WriteNpyError, WriteNpyExt, WriteNpzError};
use std::collections::BTreeMap;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Largest array that is read (bytes): a mesh of 8192 modes has phases of 0.25 GiB.
const LARGEST_ARRAY: usize = 1 << 30;
/// Deflate packs zeros a thousandfold. An array may unpack to this many bytes, and beyond that to `MOST_DENSE` times its packed
/// size, so that a small file cannot fill the memory.
const FREE_UNPACKED: usize = 1 << 26;
/// Phases that differ do not even halve.
const MOST_DENSE: usize = 16;
/// A zip file ends with a record of 22 bytes and a comment of less than 64 KiB.
const END_RECORD: usize = 22;

/// An open npz file.
#[derive(Debug)]
pub struct Npz {
    path: PathBuf,
    content: Vec<u8>,
    members: BTreeMap<String, Member>,
}

#[derive(Debug)]
struct Member {
    method: u16,
    crc: u32,
    packed: usize,
    size: usize,
    local_header: usize,
}

impl Npz {
    /// Reads a file and the list of its arrays. Errs with [`Error::File`] or, where it is no zip file, [`Error::Malformed`].
    pub fn open(path: &Path) -> Result<Self> {
        Self::parse(path, std::fs::read(path).map_err(|source| Error::file(path, source))?)
    }

    /// The same for a file's `content`; `path` is for messages.
    pub fn parse(path: &Path, content: Vec<u8>) -> Result<Self> {
        let members = members(&content).map_err(|reason| Error::malformed(path, reason))?;
        Ok(Npz { path: path.to_path_buf(), content, members })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The arrays' names, without `.npy`, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }

    /// Reads the array `name`. Errs with [`Error::Malformed`] where it is missing or damaged.
    pub fn array(&self, name: &str) -> Result<NpyArray> {
        let member = self.members.get(name).ok_or_else(|| self.malformed(name, "it is missing"))?;
        let content = member.unpack(&self.content).map_err(|reason| self.malformed(name, &reason))?;
        NpyArray::parse(&content).map_err(|reason| self.malformed(name, &reason))
    }

    /// An error about the array `name` of this file.
    pub fn malformed(&self, name: &str, reason: &str) -> Error {
        Error::malformed(&self.path, format!("array {name}: {reason}"))
    }
}

impl Member {
    fn unpack(&self, content: &[u8]) -> Parsed<Vec<u8>> {
        let cut = "the file ends within it";
        let most = LARGEST_ARRAY.min(FREE_UNPACKED.saturating_add(self.packed.saturating_mul(MOST_DENSE)));
        if self.size > most {
            return Err(format!("it claims {} bytes in {}, more than {most}", self.size, self.packed));
        }
        let header = content.get(self.local_header..).filter(|rest| rest.starts_with(b"PK\x03\x04")).ok_or(cut)?;
        let name = u16_at(header, 26).ok_or(cut)?;
        let extra = u16_at(header, 28).ok_or(cut)?;
        let packed = header.get(30 + name + extra..).and_then(|rest| rest.get(..self.packed)).ok_or(cut)?;
        let bytes = match self.method {
            0 => packed.to_vec(),
            8 => {
                let mut bytes = Vec::new();
                let mut unpacked = DeflateDecoder::new(packed).take(self.size as u64 + 1);
                unpacked.read_to_end(&mut bytes).map_err(|failure| format!("it cannot be unpacked: {failure}"))?;
                bytes
            }
            other => return Err(format!("its compression method {other} is not known; numpy uses 0 and 8")),
        };
        if bytes.len() != self.size {
            return Err("its length is not the one recorded".into());
        }
        let mut crc = Crc::new();
        crc.update(&bytes);
        if crc.sum() == self.crc { Ok(bytes) } else { Err("its checksum does not match: the file is damaged".into()) }
    }
}

/// Reads the zip file's list of members.
fn members(content: &[u8]) -> Parsed<BTreeMap<String, Member>> {
    let cut = "the file is cut short or damaged";
    let earliest = content.len().saturating_sub(END_RECORD + usize::from(u16::MAX));
    let last = content.len().checked_sub(END_RECORD).ok_or("it is not an npz file")?;
    let end = (earliest..=last).rev().find(|&at| content[at..].starts_with(b"PK\x05\x06"));
    let end = &content[end.ok_or("it is not an npz file, or it is cut short")?..];
    let count = u16_at(end, 10).ok_or(cut)?;
    let start = u32_at(end, 16).ok_or(cut)?;
    if count == usize::from(u16::MAX) || start == u32::MAX as usize {
        return Err("zip64 archives are not supported; save fewer or smaller arrays".into());
    }
    let mut rest = content.get(start..).ok_or(cut)?;
    let mut found = BTreeMap::new();
    for _ in 0..count {
        if !rest.starts_with(b"PK\x01\x02") {
            return Err(cut.into());
        }
        let length = |at| u16_at(rest, at).ok_or(cut);
        let (name, extra, comment) = (length(28)?, length(30)?, length(32)?);
        let word = |at| u32_at(rest, at).ok_or(cut);
        let text = rest.get(46..46 + name).ok_or(cut)?;
        let text = std::str::from_utf8(text).map_err(|_| "the name of an array is not text")?;
        let (packed, size, local_header) = (word(20)?, word(24)?, word(42)?);
        if length(8)? & 1 == 1 {
            return Err(format!("array {text} is encrypted"));
        }
        let member = Member { method: length(10)? as u16, crc: word(16)? as u32, packed, size, local_header };
        let name_of_array = text.strip_suffix(".npy").unwrap_or(text).to_string();
        if found.insert(name_of_array, member).is_some() {
            return Err(format!("array {text} is there twice"));
        }
        rest = rest.get(46 + name + extra + comment..).ok_or(cut)?;
    }
    Ok(found)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..at + 2).map(|two| usize::from(two[0]) | usize::from(two[1]) << 8)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u16_at(bytes, at)? | u16_at(bytes, at + 2)? << 16)
}

/// Adds the array `name` that holds one text, as NumPy's `array("text")`.
pub fn add_text<W: Write + Seek>(
    file: &mut NpzWriter<W>,
    name: &str,
    text: &str,
) -> std::result::Result<(), WriteNpzError> {
    file.add_array(name, &Text(text))
}

/// One text as a zero-dimensional array of UTF-32, which ndarray-npy does not write by itself.
struct Text<'a>(&'a str);

impl WriteNpyExt for Text<'_> {
    fn write_npy<W: Write>(&self, mut writer: W) -> std::result::Result<(), WriteNpyError> {
        let length = self.0.chars().count();
        let header = format!("{{'descr': '<U{length}', 'fortran_order': False, 'shape': (), }}");
        let padded = (10 + header.len() + 1).next_multiple_of(64) - 11; // the elements start at a multiple of 64 bytes
        writer.write_all(b"\x93NUMPY\x01\x00")?;
        writer.write_all(&((padded + 1) as u16).to_le_bytes())?;
        writeln!(writer, "{header:padded$}")?;
        Ok(self.0.chars().try_for_each(|character| writer.write_all(&u32::from(character).to_le_bytes()))?)
    }
}
