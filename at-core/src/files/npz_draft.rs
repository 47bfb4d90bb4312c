//! Npz archives in the making: what the disk refuses is told once, as what it is.
//!
//! An archive that is left half done is ended by its own destructor, which would write on into a file that has already failed and
//! complain of that on stderr. So it writes through [`Steady`], which after the first failure only counts.

use ndarray_npy::NpzWriter;
use std::io::{self, Seek, SeekFrom, Write};

/// A writer that takes everything once it has failed, and keeps that failure.
pub struct Steady<W> {
    inner: W,
    /// Where the next byte goes, and where the last one went.
    at: u64,
    end: u64,
    failure: Option<io::Error>,
}

/// Writes an npz archive of what `arrays` adds. Errs with the first failure of `writer`, if it had one.
pub fn write_npz<W: Write + Seek>(
    writer: W,
    arrays: impl FnOnce(&mut NpzWriter<&mut Steady<W>>) -> io::Result<()>,
) -> io::Result<()> {
    let mut steady = Steady { inner: writer, at: 0, end: 0, failure: None };
    let written = (|| {
        let mut file = NpzWriter::new(&mut steady);
        arrays(&mut file)?;
        file.finish().map(drop).map_err(io::Error::other)
    })();
    steady.failure.map_or(written, Err)
}

impl<W> Steady<W> {
    fn fail(&mut self, failure: io::Error) {
        self.failure = Some(failure);
    }

    fn reach(&mut self, at: u64) -> u64 {
        self.at = at;
        self.end = self.end.max(at);
        at
    }
}

impl<W: Write> Write for Steady<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut taken = bytes.len();
        if self.failure.is_none() {
            match self.inner.write(bytes) {
                Ok(0) if !bytes.is_empty() => self.fail(io::ErrorKind::WriteZero.into()),
                Ok(some) => taken = some,
                Err(again) if again.kind() == io::ErrorKind::Interrupted => return Err(again),
                Err(failure) => self.fail(failure),
            }
        }
        self.reach(self.at + taken as u64);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.failure.is_none()
            && let Err(failure) = self.inner.flush()
        {
            self.fail(failure);
        }
        Ok(())
    }
}

impl<W: Seek> Seek for Steady<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        if self.failure.is_none() {
            match self.inner.seek(to) {
                Ok(at) => return Ok(self.reach(at)),
                Err(failure) => self.fail(failure),
            }
        }
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.end.checked_add_signed(by),
        };
        at.map(|at| self.reach(at)).ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }
}

#[cfg(test)]
#[allow(clippy::redundant_closure, reason = "the function itself is not general enough in its lifetime")]
mod tests {
    use super::*;
    use ndarray::Array1;
    use std::io::{BufWriter, Cursor};

    /// A disk that takes so many more bytes.
    struct Full(Cursor<Vec<u8>>, usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let some = bytes.len().min(self.1);
            if some == 0 && !bytes.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.1 -= some;
            self.0.write(&bytes[..some])
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Full {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    fn two_arrays<W: Write + Seek>(file: &mut NpzWriter<W>) -> io::Result<()> {
        for name in ["one", "two"] {
            file.add_array(name, &Array1::from(vec![1.0; 40])).map_err(io::Error::other)?;
        }
        Ok(())
    }

    #[test]
    fn a_disk_that_is_full_after_any_byte_is_one_error_and_no_panic() {
        let mut whole = Cursor::new(Vec::new());
        write_npz(&mut whole, |file| two_arrays(file)).unwrap();
        let size = whole.into_inner().len();
        for room in 0..size {
            for buffer in [1, 64, 8192] {
                let mut disk = BufWriter::with_capacity(buffer, Full(Cursor::new(Vec::new()), room));
                let written = write_npz(&mut disk, |file| two_arrays(file)).and_then(|()| disk.flush());
                assert_eq!(written.unwrap_err().kind(), io::ErrorKind::StorageFull, "{room} bytes, buffer of {buffer}");
                let _ = disk.into_parts(); // what it could not write it would try again
            }
        }
    }

    #[test]
    fn arrays_that_are_refused_leave_the_writer_usable() {
        let mut disk = Cursor::new(Vec::new());
        let refused = write_npz(&mut disk, |file| two_arrays(file).and(Err(io::Error::other("cut"))));
        assert_eq!(refused.unwrap_err().to_string(), "cut");
        let mut disk = Cursor::new(Vec::new());
        write_npz(&mut disk, |file| two_arrays(file)).unwrap();
        let names = ndarray_npy::NpzReader::new(disk).unwrap().names().unwrap();
        assert_eq!(names, ["one", "two"]);
    }
}
