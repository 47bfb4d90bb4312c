//! The files of a run, in folders that are the program's own: plain files, made anew, and nothing else is opened.
//!
//! A link, pipe or device in the place of such a file is never followed, waited for or emptied: to write is to put a new file
//! in its place, to read, to append or to lock is an error that says what lies there. Files that a person names are read by
//! [`super::whole`] and written by [`super::atomic_write`], which follow links.

use super::fault::{Observed, Operation, check};
use super::whole::{read_open, text};
use super::{Draft, replace};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::Path;

/// Writes `path` by way of a temporary file beside it, which takes its place when it is complete and on the disk. A file that was
/// there passes its permissions on.
pub fn write(path: &Path, content: impl FnOnce(&mut Draft) -> io::Result<()>) -> crate::Result<()> {
    let write = || {
        let found = path.symlink_metadata().ok();
        if found.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(io::Error::new(ErrorKind::IsADirectory, "is a folder"));
        }
        replace(path, found.filter(fs::Metadata::is_file).map(|found| found.permissions()), content)
    };
    write().map_err(|source| crate::Error::file(path, source))
}

/// All bytes of a file of at most `most` bytes. Errs with [`crate::Error::File`], or [`crate::Error::Malformed`] where it is longer.
pub fn read(path: &Path, most: u64) -> crate::Result<Vec<u8>> {
    let file = check(Operation::Read, path).and_then(|()| open(path, OpenOptions::new().read(true)));
    read_open(&file.map_err(|source| crate::Error::file(path, source))?, path, most)
}

/// [`read`] as text. Errs with [`crate::Error::Malformed`] where it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> crate::Result<String> {
    text(path, read(path, most)?)
}

/// Puts `bytes` behind the first `length` of a file and brings them to the disk. What lay behind, a piece that a killed process
/// wrote last, is lost. Errs where the file is shorter.
pub fn append(path: &Path, length: u64, bytes: &[u8]) -> crate::Result<()> {
    let append = || {
        check(Operation::Create, path)?;
        let mut file = open(path, OpenOptions::new().write(true))?;
        let found = file.metadata()?.len();
        if found < length {
            return Err(io::Error::other(format!("has {found} bytes, not the {length} that were written to it")));
        }
        if found > length {
            file.set_len(length)?;
        }
        file.seek(SeekFrom::Start(length))?;
        let mut file = Observed::new(&file, path);
        file.write_all(bytes)?;
        file.sync()
    };
    append().map_err(|source| crate::Error::file(path, source))
}

/// Takes the lock that is the file `path`, made where it is missing; its content is nobody's business. `None`: another process has
/// it. It ends with the file that is given back.
pub fn lock(path: &Path) -> io::Result<Option<File>> {
    check(Operation::Lock, path)?;
    let file = open(path, OpenOptions::new().read(true).write(true).create(true).truncate(false))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Makes the folder `path` in a folder that is there, unless it is there itself.
pub fn folder(path: &Path) -> io::Result<()> {
    check(Operation::Create, path)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => is_folder(path),
        made => made,
    }
}

/// Errs where something that is no folder lies at `path`, or a link to one.
pub fn is_folder(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(found) => Err(foreign(&found, "folder")),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Removes a file, a link or a pipe, where it is there.
pub fn remove(path: &Path) -> io::Result<()> {
    check(Operation::Remove, path)?;
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Opens a plain file. It is looked at before, so that nothing that minds is opened, and after, as it may have changed between.
fn open(path: &Path, how: &mut OpenOptions) -> io::Result<File> {
    match path.symlink_metadata() {
        Ok(found) if !found.is_file() => return Err(foreign(&found, "file")),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(how, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let file = how.open(path)?;
    let found = file.metadata()?;
    if found.is_file() { Ok(file) } else { Err(foreign(&found, "file")) }
}

fn foreign(found: &fs::Metadata, wanted: &str) -> io::Error {
    let what = match found.file_type() {
        kind if kind.is_symlink() => "a link",
        kind if kind.is_dir() => "a folder",
        kind if kind.is_file() => "a file",
        _ => "a pipe, a socket or a device",
    };
    io::Error::other(format!("is {what}, and a run has a plain {wanted} of its own there; remove it"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;
    use std::process::Command;

    fn pipe(path: PathBuf) -> PathBuf {
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }

    #[test]
    fn a_link_is_not_followed_and_its_target_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (notes, link) = (folder.path().join("notes"), folder.path().join("link"));
        fs::write(&notes, "years of work").unwrap();
        symlink(&notes, &link).unwrap();
        for error in [
            lock(&link).map(drop),
            read(&link, 99).map(drop).map_err(io::Error::other),
            append(&link, 0, b"x").map_err(io::Error::other),
        ] {
            assert!(error.unwrap_err().to_string().contains("is a link"));
        }
        write(&link, |draft| draft.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&link).unwrap(), b"new");
        assert!(!link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read(&notes).unwrap(), b"years of work");
        symlink(folder.path().join("nowhere"), folder.path().join("dangling")).unwrap();
        assert!(lock(&folder.path().join("dangling")).is_err());
        assert!(!folder.path().join("nowhere").exists());
    }

    #[test]
    fn a_pipe_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = pipe(folder.path().join("pipe"));
        for error in [
            lock(&pipe).map(drop),
            read(&pipe, 99).map(drop).map_err(io::Error::other),
            append(&pipe, 0, b"x").map_err(io::Error::other),
        ] {
            assert!(error.unwrap_err().to_string().contains("is a pipe"));
        }
        write(&pipe, |draft| draft.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&pipe).unwrap(), b"new");
    }

    #[test]
    fn a_folder_elsewhere_is_not_written_into() {
        let place = tempfile::tempdir().unwrap();
        let (cells, link) = (place.path().join("cells"), place.path().join("link"));
        folder(&cells).unwrap();
        folder(&cells).unwrap();
        symlink(&cells, &link).unwrap();
        assert!(folder(&link).unwrap_err().to_string().contains("is a link"));
        fs::write(place.path().join("file"), "").unwrap();
        assert!(folder(&place.path().join("file")).unwrap_err().to_string().contains("is a file"));
    }

    #[test]
    fn what_is_appended_replaces_a_torn_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records");
        write(&path, |draft| draft.write_all(b"one\n")).unwrap();
        append(&path, 4, b"two\n").unwrap();
        fs::write(&path, "one\ntwo\nthr").unwrap();
        append(&path, 8, b"three\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\nthree\n");
        assert!(append(&path, 15, b"four\n").unwrap_err().to_string().contains("has 14 bytes"));
        assert!(append(&folder.path().join("none"), 0, b"").is_err());
    }

    #[test]
    fn a_lock_has_one_holder_and_keeps_what_is_in_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".lock");
        fs::write(&path, "kept").unwrap();
        let held = lock(&path).unwrap();
        assert!(held.is_some() && lock(&path).unwrap().is_none());
        drop(held);
        assert!(lock(&path).unwrap().is_some());
        assert_eq!(fs::read(&path).unwrap(), b"kept");
    }

    #[test]
    fn a_private_file_stays_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.json");
        for mode in [0o600, 0o640, 0o444] {
            fs::write(&path, "old").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            write(&path, |draft| draft.write_all(b"new")).unwrap();
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, mode);
            fs::remove_file(&path).unwrap();
        }
    }
}
