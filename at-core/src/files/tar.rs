//! Archives of the kind `tar.gz`: the files that are wanted of one, unpacked into memory.

use crate::error::{Error, Result};
use flate2::read::MultiGzDecoder;
use std::io::Read;
use std::path::Path;

/// Bytes of a header, and of what a file is filled up to a multiple of.
const RECORD: usize = 512;
/// An archive may unpack to this many bytes, and beyond that to `MOST_DENSE` times its own size: photographs hardly pack at all.
const FREE_UNPACKED: u64 = 1 << 26;
const MOST_DENSE: u64 = 8;

/// The files of the gzipped archive `path` whose own name, without folders, `wanted` is true of; each of at most `most` bytes.
pub(crate) fn files(path: &Path, wanted: impl Fn(&str) -> bool, most: usize) -> Result<Vec<(String, Vec<u8>)>> {
    let file = super::whole::open_regular(path)?;
    let size = file.metadata().map_err(|error| Error::file(path, error))?.len();
    let limit = FREE_UNPACKED.saturating_add(size.saturating_mul(MOST_DENSE));
    let input = MultiGzDecoder::new(std::io::BufReader::with_capacity(1 << 16, file));
    parse(input.take(limit), wanted, most).map_err(|reason| Error::malformed(path, reason))
}

fn parse(
    mut input: impl Read,
    wanted: impl Fn(&str) -> bool,
    most: usize,
) -> std::result::Result<Vec<(String, Vec<u8>)>, String> {
    const CUT: &str = "the archive is cut short, damaged, or larger than its size justifies";
    let mut found = Vec::new();
    loop {
        let mut header = Vec::with_capacity(RECORD);
        let read = input.by_ref().take(RECORD as u64).read_to_end(&mut header);
        read.map_err(|error| format!("the archive cannot be unpacked: {error}"))?;
        if header.len() < RECORD {
            return Err(CUT.into());
        }
        if header.iter().all(|&byte| byte == 0) {
            return Ok(found); // the end of every archive
        }
        let sum: u64 =
            header.iter().enumerate().map(|(at, &byte)| if (148..156).contains(&at) { 32 } else { byte.into() }).sum();
        if octal(&header[148..156]) != Some(sum) {
            return Err("the checksum of a header does not match: it is no tar archive, or damaged".into());
        }
        let size = octal(&header[124..136]).ok_or(CUT)?;
        let end = header[..100].iter().position(|&byte| byte == 0).unwrap_or(100);
        let path = String::from_utf8_lossy(&header[..end]).into_owned();
        let name = path.rsplit('/').next().unwrap_or_default();
        let is_file = matches!(header[156], b'0' | 0);
        let padded = size.div_ceil(RECORD as u64) * RECORD as u64;
        if is_file && wanted(name) {
            if size > most as u64 {
                return Err(format!("{name} has {size} bytes in it, more than {most}"));
            }
            let mut bytes = Vec::new();
            let read = input.by_ref().take(padded).read_to_end(&mut bytes);
            read.map_err(|error| format!("{name} cannot be unpacked: {error}"))?;
            if (bytes.len() as u64) < padded {
                return Err(CUT.into());
            }
            bytes.truncate(size as usize);
            found.push((name.to_string(), bytes));
        } else {
            let skipped = std::io::copy(&mut input.by_ref().take(padded), &mut std::io::sink());
            if skipped.map_err(|error| format!("the archive cannot be unpacked: {error}"))? < padded {
                return Err(CUT.into());
            }
        }
    }
}

/// A number in octal digits, between blanks and zeros. Longer ones, which tar writes in another way, are no files that are wanted.
fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches([' ', '\0']);
    u64::from_str_radix(text, 8).ok().filter(|_| !text.starts_with('+'))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An archive of these files.
    pub(crate) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut all = Vec::new();
        for (name, bytes) in files {
            let mut header = [0u8; RECORD];
            header[..name.len()].copy_from_slice(name.as_bytes());
            header[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
            header[156] = b'0';
            header[148..156].fill(b' ');
            let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
            header[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
            header[154] = 0;
            all.extend(header);
            all.extend_from_slice(bytes);
            all.resize(all.len().next_multiple_of(RECORD), 0);
        }
        all.resize(all.len() + 2 * RECORD, 0);
        all
    }

    #[test]
    fn the_files_that_are_wanted_are_unpacked() {
        let all = archive(&[("folder/a.bin", b"hello"), ("folder/b.txt", &[7; 600]), ("c.bin", b"")]);
        let found = parse(&all[..], |name| name.ends_with(".bin"), 100).unwrap();
        assert_eq!(found, [("a.bin".to_string(), b"hello".to_vec()), ("c.bin".to_string(), Vec::new())]);
        assert!(parse(&all[..], |_| true, 100).unwrap_err().contains("b.txt has 600 bytes"));
        for (length, reason) in [(100, "cut short"), (514, "cut short"), (1024, "cut short"), (1030, "cut short")] {
            assert!(parse(&all[..length], |_| true, 1000).unwrap_err().contains(reason), "{length}");
        }
        let mut damaged = all.clone();
        damaged[0] ^= 1;
        assert!(parse(&damaged[..], |_| true, 1000).unwrap_err().contains("checksum"));
    }

    proptest! {
        #[test]
        fn damaged_archives_never_panic(at in 0usize..3000, byte in any::<u8>(), cut in 0usize..3000) {
            let mut all = archive(&[("folder/a.bin", b"hello"), ("b.txt", &[7; 600])]);
            let at = at % all.len();
            all[at] = byte;
            let _ = parse(&all[..], |_| true, 1 << 20);
            let _ = parse(&all[..cut.min(all.len())], |_| true, 1 << 20);
        }
    }
}
