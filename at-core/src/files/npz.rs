//! NumPy archives (npz): a zip file of npy arrays, stored or deflated, read with every length checked before it is believed.

use super::npy::{NpyArray, NpyHead, Parsed};
use super::whole::{open_regular, read_whole, shown};
use crate::{Error, Result};
use flate2::Crc;
use flate2::read::DeflateDecoder;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Largest array that is read (bytes): a mesh of 8192 modes has phases of 0.25 GiB.
const LARGEST_ARRAY: usize = 1 << 30;
/// Deflate packs zeros a thousandfold. An array may unpack to this many bytes, and beyond that to `MOST_DENSE` times its packed
/// size, so that a small file cannot fill the memory; as f64 it may take twice that.
const FREE_UNPACKED: usize = 1 << 26;
/// Phases that differ do not even halve.
const MOST_DENSE: usize = 16;
/// A zip file ends with a record of 22 bytes and a comment of less than 64 KiB.
const END_RECORD: usize = 22;
/// An array's header in the file, without its name and extra fields.
const LOCAL_HEADER: usize = 30;
/// Most bytes of the list of arrays, some 200 000 of them.
const LONGEST_LIST: usize = 1 << 24;
/// More characters are no name of an array.
const LONGEST_NAME: usize = 256;

/// An open npz file, of which only the list of arrays is read at first.
#[derive(Debug)]
pub struct Npz {
    path: PathBuf,
    content: Content,
    members: BTreeMap<String, Member>,
}

#[derive(Debug)]
struct Member {
    method: u16,
    crc: u32,
    packed: usize,
    size: usize,
    local_header: usize,
    /// Where the next member, or the list of members, begins.
    end: usize,
}

impl Npz {
    /// Longest array that is read as a whole (bytes).
    pub(crate) const LARGEST: u64 = LARGEST_ARRAY as u64;

    /// Reads the list of a file's arrays. Errs with [`Error::File`] or, where it is no zip file, [`Error::Malformed`].
    pub fn open(path: &Path) -> Result<Self> {
        let file = open_regular(path)?;
        let found = file.metadata().map_err(|source| Error::file(path, source))?;
        if found.is_file() {
            Self::read(path, Content::File(file, found.len()))
        } else {
            Self::parse(path, read_whole(path, LARGEST_ARRAY as u64)?)
        }
    }

    /// The same for a file's `content`; `path` is for messages.
    pub fn parse(path: &Path, content: Vec<u8>) -> Result<Self> {
        Self::read(path, Content::Memory(content))
    }

    fn read(path: &Path, content: Content) -> Result<Self> {
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

    /// There is an array `name`.
    pub fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Reads the array `name` and no other. Errs with [`Error::Malformed`] where it is missing or damaged.
    pub fn array(&self, name: &str) -> Result<NpyArray> {
        let member = self.members.get(name).ok_or_else(|| self.malformed(name, "it is missing"))?;
        let read = || {
            let array = NpyArray::parse(&member.unpack(&self.content)?)?;
            let (decoded, most) = (array.decoded_bytes(), 2 * member.most());
            if decoded > most {
                return Err(format!("it is {decoded} bytes of float64 in {}, more than {most}{UNPACK}", member.packed));
            }
            Ok(array)
        };
        read().map_err(|reason| self.malformed(name, &reason))
    }

    /// The header of the array `name`, of which no more is read than its beginning.
    pub(crate) fn head(&self, name: &str) -> Result<NpyHead> {
        let member = self.members.get(name).ok_or_else(|| self.malformed(name, "it is missing"))?;
        let beginning = member.beginning(&self.content);
        let head = beginning.and_then(|beginning| NpyHead::parse(&beginning, member.size as u64));
        head.map_err(|reason| self.malformed(name, &reason))
    }

    /// Where in the file the array `name` begins, of which no part is packed; its checksum is compared, in a pass over it. `None`
    /// where it is packed.
    pub(crate) fn unpacked(&self, name: &str) -> Result<Option<u64>> {
        let member = self.members.get(name).ok_or_else(|| self.malformed(name, "it is missing"))?;
        match member.method {
            0 => member.checked(&self.content).map(Some).map_err(|reason| self.malformed(name, &reason)),
            _ => Ok(None),
        }
    }

    /// An error about the array `name` of this file.
    pub fn malformed(&self, name: &str, reason: &str) -> Error {
        Error::malformed(&self.path, format!("array {}: {reason}", shown(name)))
    }
}

/// The bytes of a file, in memory or still in the file.
#[derive(Debug)]
enum Content {
    Memory(Vec<u8>),
    File(File, u64),
}

impl Content {
    fn len(&self) -> usize {
        match self {
            Content::Memory(bytes) => bytes.len(),
            Content::File(_, length) => usize::try_from(*length).unwrap_or(usize::MAX),
        }
    }

    /// `length` bytes from `start` on, which must be there.
    fn part(&self, start: usize, length: usize) -> Parsed<Cow<'_, [u8]>> {
        let end = start.checked_add(length).filter(|&end| end <= self.len()).ok_or(CUT)?;
        let mut bytes = Vec::new();
        match self {
            Content::Memory(content) => return Ok(Cow::Borrowed(&content[start..end])),
            Content::File(file, _) => {
                let mut file = file;
                let read = file.seek(SeekFrom::Start(start as u64));
                let read = read.and_then(|_| file.take(length as u64).read_to_end(&mut bytes));
                read.map_err(|failure| format!("it cannot be read: {failure}"))?;
            }
        }
        if bytes.len() == length { Ok(Cow::Owned(bytes)) } else { Err(CUT.into()) }
    }
}

const CUT: &str = "the file is cut short or damaged";
const DAMAGED: &str = "its checksum does not match: the file is damaged";
/// Bytes that are read at once where an array is not held.
const CHECKED: usize = 1 << 20;
const UNPACK: &str = "; save it unpacked, with numpy.savez";

fn unknown_method(method: u16) -> String {
    format!("its compression method {method} is not known; numpy uses 0 and 8")
}

impl Member {
    /// Bytes to which it may unpack.
    fn most(&self) -> usize {
        LARGEST_ARRAY.min(FREE_UNPACKED.saturating_add(self.packed.saturating_mul(MOST_DENSE)))
    }

    /// Where its bytes begin.
    fn start(&self, content: &Content) -> Parsed<usize> {
        let cut = "the file ends within it";
        let header = content.part(self.local_header, LOCAL_HEADER).map_err(|_| cut)?;
        let (name, extra) = (u16_at(&header, 26).ok_or(cut)?, u16_at(&header, 28).ok_or(cut)?);
        let start = self.local_header + LOCAL_HEADER + name + extra;
        if !header.starts_with(b"PK\x03\x04") || start + self.packed > self.end {
            return Err(cut.into());
        }
        Ok(start)
    }

    /// The first bytes of it, as many as a header can have.
    fn beginning(&self, content: &Content) -> Parsed<Vec<u8>> {
        let start = self.start(content)?;
        let packed = content.part(start, self.packed.min(2 * NpyHead::LONGEST))?;
        let mut bytes = Vec::new();
        let most = self.size.min(NpyHead::LONGEST) as u64;
        match self.method {
            0 => packed.take(most).read_to_end(&mut bytes),
            8 => {
                let mut unpacked = DeflateDecoder::new(&packed[..]).take(most);
                let read = unpacked.read_to_end(&mut bytes);
                // the packed bytes may be cut behind the header
                if bytes.is_empty() { read } else { Ok(bytes.len()) }
            }
            other => return Err(unknown_method(other)),
        }
        .map_err(|failure| format!("it cannot be unpacked: {failure}"))?;
        Ok(bytes)
    }

    /// Where its bytes begin, after a pass over all of them, which are not packed, for the checksum.
    fn checked(&self, content: &Content) -> Parsed<u64> {
        let start = self.start(content)?;
        if self.packed != self.size {
            return Err("its length is not the one recorded".into());
        }
        let mut crc = Crc::new();
        for from in (start..start + self.size).step_by(CHECKED) {
            crc.update(&content.part(from, CHECKED.min(start + self.size - from))?);
        }
        if crc.sum() == self.crc { Ok(start as u64) } else { Err(DAMAGED.into()) }
    }

    fn unpack(&self, content: &Content) -> Parsed<Vec<u8>> {
        let most = self.most();
        if self.size > most {
            return Err(format!("it claims {} bytes in {}, more than {most}{UNPACK}", self.size, self.packed));
        }
        let start = self.start(content)?;
        let packed = content.part(start, self.packed)?;
        let bytes = match self.method {
            0 => packed.into_owned(),
            8 => {
                let mut bytes = Vec::new();
                let mut unpacked = DeflateDecoder::new(&packed[..]).take(self.size as u64 + 1);
                unpacked.read_to_end(&mut bytes).map_err(|failure| format!("it cannot be unpacked: {failure}"))?;
                bytes
            }
            other => return Err(unknown_method(other)),
        };
        if bytes.len() != self.size {
            return Err("its length is not the one recorded".into());
        }
        let mut crc = Crc::new();
        crc.update(&bytes);
        if crc.sum() == self.crc { Ok(bytes) } else { Err(DAMAGED.into()) }
    }
}

/// Reads the zip file's list of members. No two may share a byte of the file or have one name, so that all of them together
/// unpack to no more than the file justifies.
fn members(content: &Content) -> Parsed<BTreeMap<String, Member>> {
    let length = content.len();
    let tail_start = length.saturating_sub(END_RECORD + usize::from(u16::MAX));
    let tail = content.part(tail_start, length - tail_start)?;
    let last = tail.len().checked_sub(END_RECORD).ok_or("it is not an npz file")?;
    let end = (0..=last).rev().find(|&at| tail[at..].starts_with(b"PK\x05\x06"));
    let end = end.ok_or("it is not an npz file, or it is cut short")?;
    let record = &tail[end..];
    let count = u16_at(record, 10).ok_or(CUT)?;
    let start = u32_at(record, 16).ok_or(CUT)?;
    if count == usize::from(u16::MAX) || start == u32::MAX as usize {
        return Err("zip64 archives are not supported; save fewer or smaller arrays".into());
    }
    let list = (tail_start + end).checked_sub(start).ok_or(CUT)?;
    if list > LONGEST_LIST {
        return Err(format!("its list of arrays has {list} bytes, more than {LONGEST_LIST}"));
    }
    let list = content.part(start, list)?;
    let mut rest = &list[..];
    let mut found = BTreeMap::new();
    for _ in 0..count {
        if !rest.starts_with(b"PK\x01\x02") {
            return Err(CUT.into());
        }
        let length = |at| u16_at(rest, at).ok_or(CUT);
        let (name, extra, comment) = (length(28)?, length(30)?, length(32)?);
        let word = |at| u32_at(rest, at).ok_or(CUT);
        let text = rest.get(46..46 + name).ok_or(CUT)?;
        let text = std::str::from_utf8(text).map_err(|_| "the name of an array is not text")?;
        if text.len() > LONGEST_NAME {
            return Err(format!("an array has a name of {} bytes, {}", text.len(), shown(text)));
        }
        let (packed, size, local_header) = (word(20)?, word(24)?, word(42)?);
        if length(8)? & 1 == 1 {
            return Err(format!("array {} is encrypted", shown(text)));
        }
        let (method, crc) = (length(10)? as u16, word(16)? as u32);
        let name_of_array = text.strip_suffix(".npy").unwrap_or(text).to_string();
        let member = Member { method, crc, packed, size, local_header, end: start };
        if found.insert(name_of_array, member).is_some() {
            return Err(format!("array {} is there twice", shown(text)));
        }
        rest = rest.get(46 + name + extra + comment..).ok_or(CUT)?;
    }
    let mut order: Vec<(&String, &mut Member)> = found.iter_mut().collect();
    order.sort_by_key(|(_, member)| std::cmp::Reverse(member.local_header));
    let mut end = start;
    for (name, member) in order {
        member.end = end;
        let least = member.local_header.checked_add(LOCAL_HEADER + member.packed).filter(|&least| least <= end);
        least.ok_or_else(|| {
            format!("array {}: it overlaps with what follows it, or the file is cut short", shown(name))
        })?;
        end = member.local_header;
    }
    Ok(found)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..at + 2).map(|two| usize::from(two[0]) | usize::from(two[1]) << 8)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u16_at(bytes, at)? | u16_at(bytes, at + 2)? << 16)
}
