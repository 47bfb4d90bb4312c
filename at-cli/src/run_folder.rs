//! A run's folder: which files lie where, and that only one process writes them.

use anyhow::{Context, Result, bail, ensure};
use at_core::files::atomic_write;
use at_core::training::MethodName;
use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Its lock is what counts, not that it is there.
const LOCK: &str = ".lock";

/// The folder of one run, locked until it is dropped.
pub struct RunFolder {
    path: PathBuf,
    _lock: File,
}

impl RunFolder {
    /// A fresh folder: `out`, which must be new or empty, or the next free `runs/<name>-<n>`.
    pub fn create(out: Option<&Path>, name: &str) -> Result<Self> {
        let path = match out {
            Some(out) => {
                fs::create_dir_all(out).with_context(|| cannot("create", out))?;
                ensure_empty(out)?;
                out.to_path_buf()
            }
            None => next_free(Path::new("runs"), name)?,
        };
        let folder = Self::lock(path)?;
        ensure_empty(&folder.path)?; // another process may have come and gone before the lock
        Ok(folder)
    }

    /// The folder of an earlier run.
    pub fn open(path: &Path) -> Result<Self> {
        let config = path.join("config.toml");
        ensure!(config.is_file(), "{} is no run to resume: it has no config.toml", path.display());
        Self::lock(path.to_path_buf())
    }

    fn lock(path: PathBuf) -> Result<Self> {
        let file = path.join(LOCK);
        let lock = File::create(&file).with_context(|| cannot("write", &file))?;
        match lock.try_lock() {
            Ok(()) => {
                sweep(&path);
                Ok(RunFolder { path, _lock: lock })
            }
            Err(TryLockError::WouldBlock) => {
                bail!("{} is in use by another asyt; wait for its end or choose another --out", path.display())
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(|| cannot("lock", &file)),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The table of records.
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.csv")
    }

    /// The state of one method.
    pub fn checkpoint(&self, method: MethodName) -> PathBuf {
        self.path.join(format!("{method}.safetensors"))
    }

    /// Writes a text file of the run, whole or not at all.
    pub fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = self.path.join(file);
        atomic_write(&path, |writer| writer.write_all(text.as_bytes())).context("the run folder")
    }
}

/// A file that a killed process left half-written.
pub fn is_part(name: &str) -> bool {
    name.starts_with(".asyt-") && name.ends_with(".part")
}

/// Errs unless there is nothing in `folder` but what a run leaves that was killed before it began.
fn ensure_empty(folder: &Path) -> Result<()> {
    let names = names(folder).with_context(|| cannot("read", folder))?;
    ensure!(
        names.iter().all(|name| name == LOCK || is_part(name)),
        "folder {} is not empty; choose another --out, or continue its run with --resume {0}",
        folder.display()
    );
    Ok(())
}

/// Removes half-written files; what cannot be removed does no harm.
fn sweep(folder: &Path) {
    let parts = names(folder).unwrap_or_default().into_iter().filter(|name| is_part(name));
    parts.for_each(|name| drop(fs::remove_file(folder.join(name))));
}

fn names(folder: &Path) -> std::io::Result<Vec<String>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// Makes the first folder `parent/name-n` that does not exist yet. Two processes never get the same one.
fn next_free(parent: &Path, name: &str) -> Result<PathBuf> {
    fs::create_dir_all(parent).with_context(|| cannot("create", parent))?;
    for number in 1.. {
        let path = parent.join(format!("{name}-{number}"));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| cannot("create", &path)),
        }
    }
    unreachable!("numbers do not end")
}

fn cannot(verb: &str, path: &Path) -> String {
    format!("cannot {verb} {}; choose a folder that can be written with --out", path.display())
}
