//! A run's folder: which files lie where, and that only one process writes them.

use anyhow::{Context, Result, bail, ensure};
use at_core::files::{self, is_part, own};
use at_core::training::MethodName;
use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Its lock is what counts, not that it is there.
const LOCK: &str = ".lock";

/// How often it is tried to take it, and the time between.
const TRIES: usize = 3;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// The folder of one run, locked until it is dropped. It may be a link to a folder; what is in it may not ([`own`]).
///
/// A run has begun once its first file stands: `config.toml` of `asyt train`, `request.json` of `asyt compare` and `asyt sweep`.
/// Until then its folder is as good as new.
pub struct RunFolder {
    path: PathBuf,
    _lock: File,
}

impl RunFolder {
    /// A fresh folder: `out`, which must be new or empty, or the next free `runs/<name>-<n>`.
    pub fn create(out: Option<&Path>, name: &str) -> Result<Self> {
        let path = match out {
            Some(out) => {
                files::create_folders(out).with_context(|| cannot("create", out))?;
                ensure_empty(out)?;
                out.to_path_buf()
            }
            None => next_free(Path::new("runs"), name)?,
        };
        let folder = Self::lock(path)?;
        ensure_empty(&folder.path)?; // another process may have come and gone before the lock
        Ok(folder)
    }

    /// The folder `path`, which other processes of [`RunFolder::shared`] have at the same time and nobody else: new, empty, or with a
    /// request of theirs.
    pub fn shared(path: &Path) -> Result<Self> {
        files::create_folders(path).with_context(|| cannot("create", path))?;
        let file = path.join(LOCK);
        own::lock(&file).map(drop).with_context(|| cannot("lock", &file))?; // makes it
        let lock = File::open(&file).with_context(|| cannot("lock", &file))?;
        for _ in 0..TRIES {
            match lock.try_lock_shared() {
                Ok(()) => return Ok(RunFolder { path: path.to_path_buf(), _lock: lock }),
                Err(TryLockError::WouldBlock) => std::thread::sleep(BETWEEN_TRIES),
                Err(TryLockError::Error(error)) => return Err(error).with_context(|| cannot("lock", &file)),
            }
        }
        bail!("{} is in use by another asyt without --shard; wait for its end", path.display())
    }

    /// Writes a file of the run unless it is there: of several processes one does.
    pub fn write_first(&self, file: &str, text: &str) -> Result<()> {
        let named = || format!("cannot write {}", self.path.join(file).display());
        let mut draft =
            tempfile::Builder::new().prefix(".asyt-").suffix(".part").tempfile_in(&self.path).with_context(named)?;
        debug_assert!(draft.path().file_name().is_some_and(|name| is_part(&name.to_string_lossy())));
        draft.write_all(text.as_bytes()).and_then(|()| draft.as_file().sync_all()).with_context(named)?;
        match draft.persist_noclobber(self.path.join(file)) {
            Err(failure) if failure.error.kind() != ErrorKind::AlreadyExists => Err(failure.error).with_context(named),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Errs unless the folder is as good as new.
    pub fn require_empty(&self) -> Result<()> {
        ensure_empty(&self.path)
    }

    /// The folder of an earlier run, which the caller has found to have begun.
    pub fn open(path: &Path) -> Result<Self> {
        Self::lock(path.to_path_buf())
    }

    fn lock(path: PathBuf) -> Result<Self> {
        let file = path.join(LOCK);
        let Some(lock) = locked(&file).with_context(|| cannot("lock", &file))? else {
            bail!("{} is in use by another asyt; wait for its end or choose another --out", path.display())
        };
        files::remove_parts(&path);
        Ok(RunFolder { path, _lock: lock })
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
        own::write(&path, |draft| draft.write_all(text.as_bytes())).context("the run folder")
    }
}

/// Takes the lock; who only looks whether it is held has let go of it before the last try.
fn locked(file: &Path) -> std::io::Result<Option<File>> {
    for _ in 0..TRIES {
        if let Some(lock) = own::lock(file)? {
            return Ok(Some(lock));
        }
        std::thread::sleep(BETWEEN_TRIES);
    }
    own::lock(file)
}

/// Errs unless there is nothing in `folder` but what a run leaves that was killed before it began.
fn ensure_empty(folder: &Path) -> Result<()> {
    let names = files::names(folder).with_context(|| cannot("read", folder))?;
    ensure!(
        names.iter().all(|name| name == LOCK || is_part(name)),
        "folder {} is not empty; choose another --out, or continue its run with --resume {0}",
        folder.display()
    );
    Ok(())
}

/// Makes the first folder `parent/name-n` that does not exist yet. Two processes never get the same one.
fn next_free(parent: &Path, name: &str) -> Result<PathBuf> {
    files::create_folders(parent).with_context(|| cannot("create", parent))?;
    for number in 1.. {
        let path = parent.join(format!("{name}-{number}"));
        match files::create_folder(&path) {
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
