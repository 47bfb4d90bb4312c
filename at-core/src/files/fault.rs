//! Faults on demand: the N-th operation on files fails, so that a test can walk through all of them.
//!
//! Builds with debug assertions read `AT_FAULT=N:KIND` from the environment, where KIND is `kill` (the process ends on the spot, as
//! after `kill -9`), `space` (no space left), `io` (the disk answers with an error) or `access` (no permission). The N-th
//! operation of a process, from 1, then fails in that way, and says so on stderr; a write fails after half of its bytes.
//! Processes that train cells inherit the variable and count for themselves. Release builds never read it: there every
//! function here is what it wraps.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// What is done to a file or a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A file or folder is made.
    Create,
    /// Bytes are written.
    Write,
    /// What was written is brought to the disk.
    Sync,
    /// A file takes the place of another.
    Rename,
    /// A file is removed.
    Remove,
    /// A lock is opened and taken.
    Lock,
    /// A file is opened and read.
    Read,
    /// The names in a folder are read.
    List,
}

/// Errs where `operation` on `path` is the one that has to fail. Does not come back where it has to kill.
#[cfg(debug_assertions)]
pub fn check(operation: Operation, path: &Path) -> io::Result<()> {
    on_demand::due(operation, path).map_or(Ok(()), |fault| Err(fault.strike()))
}

/// Nothing fails on demand.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn check(_: Operation, _: &Path) -> io::Result<()> {
    Ok(())
}

/// A file whose writes are operations.
#[derive(Debug)]
pub struct Observed<'a> {
    file: &'a File,
    path: &'a Path,
}

impl<'a> Observed<'a> {
    /// `file`, which lies at `path` or will.
    pub fn new(file: &'a File, path: &'a Path) -> Self {
        Observed { file, path }
    }

    /// Brings what was written to the disk.
    pub fn sync(&self) -> io::Result<()> {
        check(Operation::Sync, self.path)?;
        self.file.sync_data()
    }
}

impl Write for Observed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        #[cfg(debug_assertions)]
        if let Some(fault) = on_demand::due(Operation::Write, self.path) {
            self.file.write_all(&bytes[..bytes.len() / 2])?;
            return Err(fault.strike());
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Observed<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl Read for Observed<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.read(bytes)
    }
}

#[cfg(debug_assertions)]
mod on_demand {
    use super::Operation;
    use std::io::{self, Write};
    use std::path::Path;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// How it fails.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Fault {
        Kill,
        Space,
        Io,
        Access,
    }

    impl Fault {
        /// The system's error, unless the process ends here.
        pub fn strike(self) -> io::Error {
            match self {
                Fault::Kill => std::process::abort(),
                Fault::Space => io::ErrorKind::StorageFull.into(),
                Fault::Io => io::Error::other("input/output error"),
                Fault::Access => io::ErrorKind::PermissionDenied.into(),
            }
        }
    }

    /// `N:KIND`.
    pub fn parse(text: &str) -> Option<(u64, Fault)> {
        let (number, kind) = text.split_once(':')?;
        let kinds = [("kill", Fault::Kill), ("space", Fault::Space), ("io", Fault::Io), ("access", Fault::Access)];
        let (_, fault) = kinds.into_iter().find(|(name, _)| *name == kind)?;
        Some((number.parse().ok()?, fault))
    }

    /// The fault that `operation` has to suffer.
    pub fn due(operation: Operation, path: &Path) -> Option<Fault> {
        static ORDER: OnceLock<Option<(u64, Fault)>> = OnceLock::new();
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let order = ORDER.get_or_init(|| {
            let text = std::env::var("AT_FAULT").ok()?;
            Some(
                parse(&text)
                    .unwrap_or_else(|| panic!("AT_FAULT = {text}: write it as 7:kill, 7:space, 7:io or 7:access")),
            )
        });
        let (number, fault) = (*order)?;
        let hit = COUNT.fetch_add(1, Ordering::SeqCst) + 1 == number;
        if hit {
            let _ = writeln!(io::stderr(), "fault {number}: {fault:?} at {operation:?} {}", path.display());
        }
        hit.then_some(fault)
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::on_demand::{Fault, parse};

    #[test]
    fn an_order_has_a_number_and_a_kind() {
        assert_eq!(parse("7:kill"), Some((7, Fault::Kill)));
        assert_eq!(parse("1:access"), Some((1, Fault::Access)));
        for wrong in ["", "7", "kill", "7:", "-1:io", "7:full"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
