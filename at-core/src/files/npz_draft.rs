//! Npz archives in the making: npy arrays one behind the other, stored as they are, and a list of them at the end.
//!
//! The same arrays make the same bytes at any time. Sizes and checksums stand before an array, which is gone through twice for that: nothing is
//! written over. Beyond 4 GiB, or 65 534 arrays, the list ends in records of 64 bits, which NumPy reads and [`super::npz`] refuses.

use super::npy_header;
use flate2::Crc;
use ndarray::{ArrayBase, Data, Dimension};
use num_complex::Complex;
use std::io::{self, Write};

/// Takes the bytes of an array, piece by piece.
type Take<'a> = dyn FnMut(&[u8]) -> io::Result<()> + 'a;

/// A value of an array that is written.
pub trait Stored: Copy {
    /// NumPy's name of the type: `<f8`.
    const DESCR: &'static str;

    /// Adds its bytes.
    fn add_to(self, bytes: &mut Vec<u8>);
}

macro_rules! stored {
    ($($number:ty = $real:literal $(, $complex:literal)?;)*) => {
        $(
            impl Stored for $number {
                const DESCR: &'static str = $real;

                fn add_to(self, bytes: &mut Vec<u8>) {
                    bytes.extend_from_slice(&self.to_le_bytes());
                }
            }

            $(
                impl Stored for Complex<$number> {
                    const DESCR: &'static str = $complex;

                    fn add_to(self, bytes: &mut Vec<u8>) {
                        self.re.add_to(bytes);
                        self.im.add_to(bytes);
                    }
                }
            )?
        )*
    };
}

stored! {
    f32 = "<f4", "<c8";
    f64 = "<f8", "<c16";
    u64 = "<u8";
}

/// Bytes that are made at once.
const PIECE: usize = 1 << 16;
/// Stands for a number of 16 or of 32 bits that is told in a record of 64.
const ELSEWHERE: (u64, u64) = (u16::MAX as u64, u32::MAX as u64);
/// Version 1.0 of the format, and 4.5, the first with records of 64 bits.
const VERSIONS: (u16, u16) = (10, 45);
/// Made on Unix.
const UNIX: u16 = 3 << 8;
/// A file that all may read and its owner may write.
const PERMISSIONS: u32 = 0o100_644 << 16;
/// The first day that the format knows.
const DATE: u16 = 1 << 5 | 1;
/// The name is UTF-8.
const UTF_8: u16 = 1 << 11;

/// An archive in the making, of which so many bytes and arrays are written.
#[derive(Debug)]
pub struct NpzWriter<W> {
    inner: W,
    at: u64,
    list: Vec<u8>,
    count: u64,
}

/// Writes an npz archive of what `arrays` adds. Errs with the first failure.
pub fn write_npz<W: Write>(writer: W, arrays: impl FnOnce(&mut NpzWriter<W>) -> io::Result<()>) -> io::Result<()> {
    let mut file = NpzWriter::new(writer);
    arrays(&mut file)?;
    file.finish().map(drop)
}

/// Writes an array as npy, in C order.
pub fn write_npy<A: Stored, S: Data<Elem = A>, D: Dimension>(
    array: &ArrayBase<S, D>,
    mut writer: impl Write,
) -> io::Result<()> {
    pieces(array, &mut |bytes| writer.write_all(bytes))
}

/// An array's bytes, a piece at a time.
fn pieces<A: Stored, S: Data<Elem = A>, D: Dimension>(
    array: &ArrayBase<S, D>,
    take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut bytes = npy_header::bytes(A::DESCR, array.shape());
    for &value in array {
        value.add_to(&mut bytes);
        if bytes.len() >= PIECE {
            take(&bytes)?;
            bytes.clear();
        }
    }
    take(&bytes)
}

impl<W: Write> NpzWriter<W> {
    /// An archive of no arrays yet; complete only after [`NpzWriter::finish`].
    pub fn new(writer: W) -> Self {
        NpzWriter { inner: writer, at: 0, list: Vec::new(), count: 0 }
    }

    /// Adds `array` as `name`, in C order.
    pub fn add_array<A: Stored, S: Data<Elem = A>, D: Dimension>(
        &mut self,
        name: impl AsRef<str>,
        array: &ArrayBase<S, D>,
    ) -> io::Result<()> {
        self.add(name.as_ref(), &|take| pieces(array, take))
    }

    /// Adds the array `name` that holds one text, as NumPy's `array("text")`.
    pub fn add_text(&mut self, name: &str, text: &str) -> io::Result<()> {
        let mut bytes = npy_header::bytes(&format!("<U{}", text.chars().count()), &[]);
        text.chars().for_each(|character| bytes.extend(u32::from(character).to_le_bytes()));
        self.add(name, &|take| take(&bytes))
    }

    fn add(&mut self, name: &str, pieces: &dyn Fn(&mut Take<'_>) -> io::Result<()>) -> io::Result<()> {
        let (mut crc, mut size) = (Crc::new(), 0);
        pieces(&mut |bytes| {
            crc.update(bytes);
            size += bytes.len() as u64;
            Ok(())
        })?;
        let small = |number: u64| u32::try_from(number).ok().filter(|&number| u64::from(number) < ELSEWHERE.1);
        let size = small(size).ok_or_else(|| {
            io::Error::other(format!("array {name}: its {size} bytes are more than the {} that fit", ELSEWHERE.1 - 1))
        })?;
        let file = format!("{name}.npy");
        let length = u16::try_from(file.len()).map_err(|_| io::Error::other("the name of an array is too long"))?;
        let utf_8 = if file.is_ascii() { 0 } else { UTF_8 };
        let start = self.at;
        let offset = small(start);
        let needs = if offset.is_some() { VERSIONS.0 } else { VERSIONS.1 };

        let mut common = Record::default();
        common.add16([VERSIONS.0, utf_8, 0, 0, DATE]).add32([crc.sum(), size, size]).add16([length]);
        let mut local = Record::new(b"PK\x03\x04");
        local.add(&common.0).add16([0]).add(file.as_bytes());
        self.write(&local.0)?;

        let mut listed = Record::new(b"PK\x01\x02");
        common.0[..2].copy_from_slice(&needs.to_le_bytes());
        let extra = if offset.is_some() { 0 } else { 12 };
        listed.add16([UNIX | needs]).add(&common.0).add16([extra, 0, 0, 0]).add32([PERMISSIONS]);
        listed.add32([offset.unwrap_or(u32::MAX)]).add(file.as_bytes());
        if offset.is_none() {
            listed.add16([1, 8]).add64([start]);
        }
        self.list.extend(listed.0);
        self.count += 1;
        pieces(&mut |bytes| self.write(bytes))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        self.inner.write_all(bytes)
    }

    /// Writes the list of arrays, and gives the writer back, flushed.
    pub fn finish(mut self) -> io::Result<W> {
        let (start, list, count) = (self.at, std::mem::take(&mut self.list), self.count);
        self.write(&list)?;
        let (length, end) = (list.len() as u64, self.at);
        if count >= ELSEWHERE.0 || start >= ELSEWHERE.1 || length >= ELSEWHERE.1 {
            let mut far = Record::new(b"PK\x06\x06");
            far.add64([44]).add16([UNIX | VERSIONS.1, VERSIONS.1]).add32([0, 0]).add64([count, count, length, start]);
            far.add(b"PK\x06\x07").add32([0]).add64([end]).add32([1]);
            self.write(&far.0)?;
        }
        let count = count.min(ELSEWHERE.0) as u16;
        let [length, start] = [length, start].map(|number| number.min(ELSEWHERE.1) as u32);
        let mut last = Record::new(b"PK\x05\x06");
        last.add16([0, 0, count, count]).add32([length, start]).add16([0]);
        self.write(&last.0)?;
        self.inner.flush()?;
        Ok(self.inner)
    }
}

/// Bytes of a zip file's headers.
#[derive(Default)]
struct Record(Vec<u8>);

impl Record {
    fn new(mark: &[u8; 4]) -> Self {
        Record(mark.to_vec())
    }

    fn add(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn add16<const N: usize>(&mut self, numbers: [u16; N]) -> &mut Self {
        self.add(numbers.map(u16::to_le_bytes).as_flattened())
    }

    fn add32<const N: usize>(&mut self, numbers: [u32; N]) -> &mut Self {
        self.add(numbers.map(u32::to_le_bytes).as_flattened())
    }

    fn add64<const N: usize>(&mut self, numbers: [u64; N]) -> &mut Self {
        self.add(numbers.map(u64::to_le_bytes).as_flattened())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array0, Array1, Array2, arr0};
    use ndarray_npy::{NpzReader, WriteNpyExt};
    use std::io::{BufWriter, Cursor};

    /// A disk that takes so many more bytes.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let some = bytes.len().min(self.0);
            if some == 0 && !bytes.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0 -= some;
            Ok(some)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn two_arrays<W: Write>(file: &mut NpzWriter<W>) -> io::Result<()> {
        ["one", "two"].iter().try_for_each(|name| file.add_array(name, &Array1::from(vec![1.0; 40])))
    }

    #[test]
    fn a_disk_that_is_full_after_any_byte_is_one_error_and_no_panic() {
        let mut whole = Vec::new();
        write_npz(&mut whole, two_arrays).unwrap();
        for room in 0..whole.len() {
            for buffer in [1, 64, 8192] {
                let mut disk = BufWriter::with_capacity(buffer, Full(room));
                let written = write_npz(&mut disk, two_arrays).and_then(|()| disk.flush());
                assert_eq!(written.unwrap_err().kind(), io::ErrorKind::StorageFull, "{room} bytes, buffer of {buffer}");
                let _ = disk.into_parts(); // what it could not write it would try again
            }
        }
    }

    #[test]
    fn arrays_that_are_refused_leave_the_writer_usable() {
        let mut disk = Vec::new();
        let refused = write_npz(&mut disk, |file| two_arrays(file).and(Err(io::Error::other("cut"))));
        assert_eq!(refused.unwrap_err().to_string(), "cut");
        disk.clear();
        write_npz(&mut disk, two_arrays).unwrap();
        assert_eq!(NpzReader::new(Cursor::new(disk)).unwrap().names().unwrap(), ["one", "two"]);
    }

    /// Errs with the bytes around the first that differ.
    fn same(own: &[u8], other: &[u8]) {
        let differs = own.iter().zip(other).position(|(own, other)| own != other);
        let around = |bytes: &[u8], at: usize| bytes[at.saturating_sub(8)..bytes.len().min(at + 24)].to_vec();
        assert_eq!(differs.map(|at| (at, around(own, at))), differs.map(|at| (at, around(other, at))));
        assert_eq!(own.len(), other.len());
    }

    /// Arrays of every kind of number, of several pieces and of none, and what another writer makes of them.
    #[test]
    fn archives_are_those_of_another_writer_byte_for_byte() {
        let reals = Array2::from_shape_fn((3, 5000), |(row, column)| row as f64 - 0.1 * column as f64);
        let fields = Array2::from_shape_fn((2, 3), |(row, column)| Complex::new(row as f32, -(column as f32)));
        let wide = fields.mapv(|field| Complex::new(f64::from(field.re), 0.5));
        let single = Array1::from(vec![0.25_f32, f32::NAN]);
        let counts = Array1::from(vec![0, u64::MAX]);
        let none = Array2::<f64>::zeros((0, 4));
        let one: Array0<f64> = arr0(2.0);
        macro_rules! add {
            ($file:expr) => {
                $file.add_array("reals", &reals).unwrap();
                $file.add_array("mesh0.theta", &fields).unwrap();
                $file.add_array("wide", &wide).unwrap();
                $file.add_array("single", &single).unwrap();
                $file.add_array("counts", &counts).unwrap();
                $file.add_array("none", &none).unwrap();
                $file.add_array("θ", &one).unwrap();
            };
        }
        let mut own = NpzWriter::new(Vec::new());
        add!(own);
        let mut other = ndarray_npy::NpzWriter::new(Cursor::new(Vec::new()));
        add!(other);
        same(&own.finish().unwrap(), &other.finish().unwrap().into_inner());
        let (mut own, mut other) = (Vec::new(), Vec::new());
        write_npy(&wide, &mut own).unwrap();
        wide.write_npy(&mut other).unwrap();
        same(&own, &other);
    }

    #[test]
    fn elements_are_in_c_order_however_they_are_held() {
        let table = Array2::from_shape_fn((2, 3), |(row, column)| (10 * row + column) as f64);
        let (mut own, mut turned) = (Vec::new(), Vec::new());
        write_npy(&table, &mut own).unwrap();
        write_npy(&table.t().as_standard_layout().t(), &mut turned).unwrap();
        assert_eq!(own, turned);
    }

    /// A file of so many zeros, and these bytes behind them.
    struct Far {
        zeros: u64,
        rest: Vec<u8>,
        at: u64,
    }

    impl io::Read for Far {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            let some = match self.at.checked_sub(self.zeros) {
                Some(at) => (&self.rest[self.rest.len().min(at as usize)..]).read(bytes)?,
                None => io::repeat(0).take(self.zeros - self.at).read(bytes)?,
            };
            self.at += some as u64;
            Ok(some)
        }
    }

    impl io::Seek for Far {
        fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
            let to = match to {
                io::SeekFrom::Start(at) => Some(at),
                io::SeekFrom::Current(by) => self.at.checked_add_signed(by),
                io::SeekFrom::End(by) => (self.zeros + self.rest.len() as u64).checked_add_signed(by),
            };
            self.at = to.ok_or(io::ErrorKind::InvalidInput)?;
            Ok(self.at)
        }
    }

    #[test]
    fn arrays_beyond_four_gigabytes_are_found_by_another_reader() {
        for before in [u64::from(u32::MAX) - 1, u64::from(u32::MAX), 1 << 40] {
            let mut file = NpzWriter { at: before, ..NpzWriter::new(Vec::new()) };
            two_arrays(&mut file).unwrap();
            let far = Far { zeros: before, rest: file.finish().unwrap(), at: 0 };
            let mut found = NpzReader::new(far).unwrap();
            assert_eq!(found.names().unwrap(), ["one", "two"], "behind {before} bytes");
            let two: Array1<f64> = found.by_name("two").unwrap();
            assert_eq!(two, Array1::from(vec![1.0; 40]), "behind {before} bytes");
        }
    }

    #[test]
    fn more_arrays_than_sixteen_bits_count_are_all_listed() {
        let mut file = NpzWriter::new(Vec::new());
        (0..65_535).for_each(|index| file.add_array(format!("{index}"), &arr0(0.0)).unwrap());
        let mut found = NpzReader::new(Cursor::new(file.finish().unwrap())).unwrap();
        assert_eq!(found.names().unwrap().len(), 65_535);
    }
}
