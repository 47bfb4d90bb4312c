//! Writing files so that a reader sees the old content or the whole new one, never a part.

pub mod chip_file;
#[cfg(test)]
mod damage_tests;
mod leftovers;
mod mat;
#[cfg(test)]
mod mat_tests;
pub mod matrix_file;
pub mod npy;
mod npy_header;
pub mod npz;
mod number;
pub mod phase_file;
#[cfg(test)]
mod phase_file_tests;
pub mod whole;

use crate::{Error, Result};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes `path` by way of a temporary file in the same folder, which takes the place of `path` when it is complete.
///
/// `write` gets a buffered, seekable writer; flushing is done here. If it fails, `path` stays as it was. A link is
/// followed; something that is no regular file (`/dev/stdout`) is written directly. Errs with [`Error::File`].
pub fn atomic_write(path: &Path, write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>) -> Result<()> {
    replace(path, write).map_err(|source| Error::file(path, source))
}

fn replace(path: &Path, write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>) -> io::Result<()> {
    let target = match path.metadata() {
        Ok(found) if found.is_dir() => return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder")),
        Ok(found) if found.is_file() => path.canonicalize()?,
        Ok(_) => return fill(&File::options().write(true).open(path)?, write),
        Err(_) => path.to_path_buf(),
    };
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    leftovers::remove(folder);
    let mut builder = tempfile::Builder::new();
    builder.prefix(leftovers::NAME.0).suffix(leftovers::NAME.1);
    #[cfg(unix)] // otherwise only the owner could read the result; the process's mask still applies
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let temporary = builder.tempfile_in(folder)?;
    let _ = temporary.as_file().try_lock(); // says that it is being written; where nothing can be locked, nothing is removed
    fill(temporary.as_file(), write)?;
    temporary.as_file().sync_all()?;
    temporary.persist(&target).map(drop).map_err(|failure| failure.error)
}

fn fill(file: &File, write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>) -> io::Result<()> {
    let mut writer = BufWriter::new(file);
    write(&mut writer)?;
    writer.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("phases");
        atomic_write(&path, |writer| writer.write_all(b"first")).unwrap();
        let failed = atomic_write(&path, |writer| {
            writer.write_all(b"second")?;
            Err(io::Error::other("cut"))
        });
        assert!(failed.unwrap_err().to_string().contains("phases: cut"));
        assert_eq!(fs::read(&path).unwrap(), b"first");
        atomic_write(&path, |writer| writer.write_all(b"third")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"third");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_or_a_missing_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(atomic_write(folder.path(), |_| Ok(())).is_err());
        assert!(atomic_write(&folder.path().join("none/phases"), |_| Ok(())).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        atomic_write(&link, |writer| writer.write_all(b"new")).unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
        assert!(link.symlink_metadata().unwrap().is_symlink());
    }
}
