//! IDX, the file format of the MNIST family: 0, 0, type, rank, then each size as a big-endian `u32`, then the bytes.
//!
//! Only unsigned bytes (type 8) occur there. A file may be gzipped; what it is shows in its first two bytes.

use crate::error::{Error, Result};
use crate::files::whole::open_regular;
use flate2::read::MultiGzDecoder;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// No more bytes than this are read; the largest usual file of the family (EMNIST) holds 0.55 GB, and of larger ones a part can be
/// asked for.
const MOST_BYTES: usize = 1 << 30;
/// A gzipped file may unpack to this many bytes, and beyond that to `MOST_DENSE` times its own size: images of the family
/// pack fivefold, zeros a thousandfold.
const FREE_UNPACKED: u64 = 1 << 26;
const MOST_DENSE: u64 = 64;

/// An array of unsigned bytes.
#[derive(Debug, PartialEq)]
pub(crate) struct Idx {
    /// Sizes of the array in the file, outermost first.
    pub shape: Vec<usize>,
    /// Row-major, as many as the product of the sizes, or as many as were asked for.
    pub bytes: Vec<u8>,
}

/// Reads an IDX file of `rank` dimensions, gzipped or not, and of its outermost dimension the first `most` items at most.
pub(crate) fn read(path: &Path, rank: usize, most: Option<usize>) -> Result<Idx> {
    let file = open_regular(path)?;
    let size = file.metadata().map_err(|error| Error::file(path, error))?.len();
    parse(BufReader::with_capacity(1 << 16, file), path, rank, most, size)
}

/// What the header of an IDX file says.
#[derive(Debug, PartialEq)]
pub(crate) struct Head {
    /// Sizes of the array, outermost first.
    pub shape: Vec<usize>,
    /// Bytes before the values; `None` where the file is gzipped.
    pub start: Option<u64>,
}

/// Reads the header of an IDX file of `rank` dimensions, gzipped or not. One that is not has as many bytes as its sizes say.
pub(crate) fn head(path: &Path, rank: usize) -> Result<Head> {
    let file = open_regular(path)?;
    let size = file.metadata().map_err(|error| Error::file(path, error))?.len();
    let mut input = BufReader::with_capacity(1 << 12, file);
    let start = input.fill_buf().map_err(|error| Error::file(path, error))?;
    if start.starts_with(&GZIP) {
        let shape = parse_header(&mut MultiGzDecoder::new(input), path, rank)?;
        return Ok(Head { shape, start: None });
    }
    let shape = parse_header(&mut input, path, rank)?;
    let start = 4 + 4 * rank as u64;
    let there = size - start;
    let reason = match shape.iter().try_fold(1u64, |product, &size| product.checked_mul(size as u64)) {
        None => format!("the header claims {shape:?} values, and {there} bytes follow"),
        Some(whole) if whole > there => format!("ends after {there} of the {whole} values {shape:?} of the header"),
        Some(whole) if whole < there => format!("bytes follow after the {whole} values {shape:?} of the header"),
        Some(_) => return Ok(Head { shape, start: Some(start) }),
    };
    Err(Error::malformed(path, reason))
}

/// The first bytes of a gzipped file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Reads an IDX array of `rank` dimensions from `input`, a file of `size` bytes; `path` is only named in errors.
fn parse(mut input: impl BufRead, path: &Path, rank: usize, most: Option<usize>, size: u64) -> Result<Idx> {
    let start = input.fill_buf().map_err(|error| Error::file(path, error))?;
    if start.starts_with(&GZIP) {
        let most_bytes = FREE_UNPACKED.saturating_add(size.saturating_mul(MOST_DENSE));
        parse_plain(MultiGzDecoder::new(input), path, rank, most, most_bytes)
    } else {
        parse_plain(input, path, rank, most, u64::MAX)
    }
}

/// The sizes that a header of `rank` dimensions says.
fn parse_header(input: &mut impl Read, path: &Path, rank: usize) -> Result<Vec<usize>> {
    let wrong = |reason: String| Error::malformed(path, reason);
    let header_bytes = 4 + 4 * rank;
    let mut header = Vec::with_capacity(header_bytes);
    fill(input, header_bytes, &mut header, path)?;
    if header.is_empty() {
        return Err(wrong("the file is empty".into()));
    }
    if header.len() >= 4 && header[..4] != [0, 0, 8, rank as u8] {
        let found = u32::from_be_bytes([header[0], header[1], header[2], header[3]]);
        return Err(wrong(format!("magic number {found:#010x} at byte 0, not {:#010x}", 0x0800 + rank)));
    }
    if header.len() < header_bytes {
        return Err(wrong(format!("ends at byte {} inside the header of {header_bytes} bytes", header.len())));
    }
    let (sizes, _) = header[4..].as_chunks::<4>();
    Ok(sizes.iter().map(|size| u32::from_be_bytes(*size) as usize).collect())
}

fn parse_plain(mut input: impl Read, path: &Path, rank: usize, most: Option<usize>, most_bytes: u64) -> Result<Idx> {
    let wrong = |reason: String| Error::malformed(path, reason);
    let shape = parse_header(&mut input, path, rank)?;
    let bytes_of = |shape: &[usize]| shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    let too_much = || wrong(format!("the header claims {shape:?} values, and more than {MOST_BYTES} are not read"));
    let whole = bytes_of(&shape).ok_or_else(too_much)?;
    let asked = match most {
        Some(most) if shape.first().is_some_and(|&items| most < items) => whole / shape[0] * most,
        _ => whole,
    };
    if asked > MOST_BYTES {
        return Err(too_much());
    }
    if asked as u64 > most_bytes {
        let remedy = "if that is meant, unpack the file with gunzip";
        return Err(wrong(format!("{asked} values are packed into a file that justifies {most_bytes}; {remedy}")));
    }
    // the buffer grows with what is there, whatever the header claims; one byte more shows that there is too much
    let mut bytes = Vec::new();
    let one_more = usize::from(asked == whole);
    fill(&mut input, asked + one_more, &mut bytes, path)?;
    if bytes.len() > asked {
        return Err(wrong(format!("bytes follow after the {whole} values {shape:?} of the header")));
    }
    if bytes.len() < asked {
        return Err(wrong(format!("ends after {} of the {whole} values {shape:?} of the header", bytes.len())));
    }
    Ok(Idx { shape, bytes })
}

/// Appends up to `most` bytes; fewer only where the input ends. A broken gzip stream is the file's fault, not the system's.
fn fill(input: &mut impl Read, most: usize, into: &mut Vec<u8>, path: &Path) -> Result<()> {
    use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match input.take(most as u64).read_to_end(into) {
        Ok(_) => Ok(()),
        Err(error) if matches!(error.kind(), UnexpectedEof | InvalidData | InvalidInput) => {
            Err(Error::malformed(path, format!("the gzip stream is broken after {} values: {error}", into.len())))
        }
        Err(error) => Err(Error::file(path, error)),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    pub(crate) fn write(shape: &[usize], bytes: &[u8]) -> Vec<u8> {
        let mut file = vec![0, 0, 8, shape.len() as u8];
        shape.iter().for_each(|&size| file.extend((size as u32).to_be_bytes()));
        file.extend_from_slice(bytes);
        file
    }

    pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read_bytes(bytes: &[u8], rank: usize) -> Result<Idx> {
        parse(bytes, Path::new("some.idx"), rank, None, bytes.len() as u64)
    }

    #[test]
    fn broken_files_say_where() {
        let good = write(&[2, 2], &[1, 2, 3, 4]);
        assert_eq!(read_bytes(&good, 2).unwrap().bytes, [1, 2, 3, 4]);
        let zipped = gzip(&good);
        let mut flipped = zipped.clone();
        let checksum = flipped.len() - 6;
        flipped[checksum] ^= 1;
        let cases = [
            (vec![], "empty"),
            (good[..3].to_vec(), "ends at byte 3"),
            (good[..11].to_vec(), "ends at byte 11"),
            (good[..14].to_vec(), "ends after 2 of the 4 values"),
            ([&good[..], &[0]].concat(), "bytes follow after the 4 values"),
            (write(&[4], &[1, 2, 3, 4]), "magic number 0x00000801 at byte 0, not 0x00000802"),
            (b"<html>not found</html>".to_vec(), "magic number"),
            (write(&[usize::MAX, usize::MAX], &[]), "the header claims"),
            (write(&[1 << 20, 1 << 10], &[]), "ends after 0"),
            (zipped[..zipped.len() - 9].to_vec(), "gzip stream is broken"),
            (zipped[..15].to_vec(), "gzip stream is broken"),
            (flipped, "gzip stream is broken"),
            ([&zipped[..], b"trailing"].concat(), "gzip stream is broken"),
            (gzip(&[&good[..], &[0]].concat()), "bytes follow"),
            (gzip(&[]), "empty"),
        ];
        for (bytes, message) in cases {
            let error = read_bytes(&bytes, 2).unwrap_err().to_string();
            assert!(error.starts_with("some.idx: ") && error.contains(message), "{error} is not about {message}");
        }
    }

    #[test]
    fn a_limit_reads_the_first_items_and_no_more() {
        let path = Path::new("some.idx");
        let good = write(&[3, 2], &[1, 2, 3, 4, 5, 6]);
        let broken_behind = gzip(&good)[..].to_vec();
        for (file, size) in [(good[..16].to_vec(), 16), (broken_behind, 30)] {
            let some = parse(&file[..], path, 2, Some(2), size).unwrap();
            assert_eq!((some.shape, some.bytes), (vec![3, 2], vec![1, 2, 3, 4]));
        }
        assert_eq!(parse(&good[..], path, 2, Some(7), 18).unwrap().bytes.len(), 6);
        assert!(parse(&good[..13], path, 2, Some(2), 13).unwrap_err().to_string().contains("ends after 1 of the 6"));
    }

    #[test]
    fn of_a_file_that_is_larger_than_any_that_is_read_a_part_is_read() {
        let path = Path::new("some.idx");
        let images = write(&[8_100_000, 28, 28], &[7; 3 * 784]); // 6.4 GB by its header, as infinite MNIST
        let read = |most| parse(&images[..], path, 3, most, images.len() as u64);
        assert_eq!(read(Some(3)).unwrap().bytes, vec![7; 3 * 784]);
        assert!(read(Some(4)).unwrap_err().to_string().contains("ends after 2352"));
        for most in [None, Some(8_100_001), Some(2_000_000)] {
            let error = read(most).unwrap_err().to_string();
            assert!(error.contains("[8100000, 28, 28]") && error.contains("1073741824"), "{error}");
        }
    }

    #[test]
    fn a_small_gzipped_file_does_not_unpack_to_much_unless_little_is_asked_for() {
        let (path, zeros) = (Path::new("some.idx"), gzip(&write(&[100_000, 28, 28], &vec![0; 78_400_000])));
        assert!(zeros.len() < 1 << 20, "{}", zeros.len());
        let read = |most| parse(&zeros[..], path, 3, most, 100_000);
        let error = read(None).unwrap_err().to_string();
        assert!(error.contains("78400000 values are packed") && error.contains("gunzip"), "{error}");
        assert_eq!(read(Some(10)).unwrap().bytes.len(), 7840);
    }

    proptest! {
        #[test]
        fn arrays_read_back(rows in 0usize..9, columns in 0usize..9, seed in any::<u8>(), zip in any::<bool>()) {
            let bytes: Vec<u8> = (0..rows * columns).map(|i| seed.wrapping_mul(31).wrapping_add(i as u8)).collect();
            let file = write(&[rows, columns], &bytes);
            let file = if zip { gzip(&file) } else { file };
            prop_assert_eq!(read_bytes(&file, 2).unwrap(), Idx { shape: vec![rows, columns], bytes });
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), rank in 1usize..4) {
            let _ = read_bytes(&bytes, rank);
            let _ = read_bytes(&[&[0, 0, 8, rank as u8], &bytes[..]].concat(), rank);
            let _ = read_bytes(&[&[0x1f, 0x8b, 8, 0], &bytes[..]].concat(), rank);
            let _ = read_bytes(&gzip(&bytes), rank);
        }
    }
}
