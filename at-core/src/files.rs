//! The file room: everything that is written or kept goes through here, so that a reader sees the old content or the whole new
//! one, never a part.
//!
//! [`atomic_write`] and [`whole`] are for files that a person names, [`own`] for those of a run; [`fault`] makes any of these
//! operations fail, for tests.

pub mod chip_file;
#[cfg(test)]
pub(crate) mod damage_tests;
pub mod fault;
pub mod layout_file;
mod leftovers;
mod mat;
#[cfg(test)]
mod mat_tests;
pub mod matrix_file;
pub mod npy;
mod npy_header;
pub mod npz;
pub mod npz_draft;
mod number;
pub mod own;
pub mod phase_file;
#[cfg(test)]
mod phase_file_tests;
pub(crate) mod pickle;
pub(crate) mod tar;
pub mod whole;

use crate::{Error, Result};
use fault::{Observed, Operation, check};
use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

/// A file in the making: buffered and seekable.
pub type Draft<'a> = BufWriter<Observed<'a>>;

/// Whether a file in a folder of ours has the name of one that is not complete yet, or whose process was killed.
pub fn is_part(name: &str) -> bool {
    name.starts_with(leftovers::NAME.0) && name.ends_with(leftovers::NAME.1)
}

/// Writes `path` by way of a temporary file in the same folder, which takes the place of `path` when it is complete.
///
/// Flushing is done here. If `write` fails, `path` stays as it was. A link is followed, and a file that was there passes its
/// permissions on; a pipe or device (`/dev/stdout`) gets the whole content once it is complete. Errs with [`Error::File`].
pub fn atomic_write(path: &Path, write: impl FnOnce(&mut Draft) -> io::Result<()>) -> Result<()> {
    let write = || match path.metadata() {
        Ok(found) if found.is_dir() => Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder")),
        Ok(found) if found.is_file() => replace(&path.canonicalize()?, Some(found.permissions()), write),
        Ok(_) => hand_over(path, write),
        Err(_) => replace(path, None, write),
    };
    write().map_err(|source| Error::file(path, source))
}

/// Puts a new file in the place of `target`, with these permissions or, without, those that new files get.
fn replace(
    target: &Path,
    permissions: Option<Permissions>,
    write: impl FnOnce(&mut Draft) -> io::Result<()>,
) -> io::Result<()> {
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    leftovers::remove(folder);
    let mut builder = tempfile::Builder::new();
    builder.prefix(leftovers::NAME.0).suffix(leftovers::NAME.1);
    #[cfg(unix)] // otherwise only the owner could read the result; the process's mask still applies
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = permissions.as_ref().map_or(0o666, |kept| kept.mode() & 0o777);
        builder.permissions(Permissions::from_mode(mode));
    }
    check(Operation::Create, target)?;
    let temporary = builder.tempfile_in(folder)?;
    let _ = temporary.as_file().try_lock(); // says that it is being written; where nothing can be locked, nothing is removed
    let file = temporary.as_file();
    fill(file, target, write)?;
    if let Some(permissions) = permissions {
        file.set_permissions(permissions)?;
    }
    check(Operation::Sync, target)?;
    file.sync_all()?;
    check(Operation::Rename, target)?;
    temporary.persist(target).map(drop).map_err(|failure| failure.error)
}

/// Writes to a pipe or device, in which no writer could go back, what a file without a name has collected.
fn hand_over(path: &Path, write: impl FnOnce(&mut Draft) -> io::Result<()>) -> io::Result<()> {
    check(Operation::Create, path)?;
    let mut collected = tempfile::tempfile()?;
    fill(&collected, path, write)?;
    collected.rewind()?;
    let mut to = File::options().write(true).open(path)?;
    io::copy(&mut collected, &mut to)?;
    to.flush()
}

fn fill(file: &File, path: &Path, write: impl FnOnce(&mut Draft) -> io::Result<()>) -> io::Result<()> {
    let mut writer = BufWriter::new(Observed::new(file, path));
    write(&mut writer)?;
    writer.flush()
}

/// Makes a folder, with those above it.
pub fn create_folders(path: &Path) -> io::Result<()> {
    check(Operation::Create, path)?;
    fs::create_dir_all(path)
}

/// Makes a folder that must not be there yet.
pub fn create_folder(path: &Path) -> io::Result<()> {
    check(Operation::Create, path)?;
    fs::create_dir(path)
}

/// The names in a folder.
pub fn names(folder: &Path) -> io::Result<Vec<String>> {
    check(Operation::List, folder)?;
    fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// Removes half-written files from a folder that no other process writes into; what cannot be removed does no harm.
pub fn remove_parts(folder: &Path) {
    let parts = names(folder).unwrap_or_default().into_iter().filter(|name| is_part(name));
    let paths: Vec<PathBuf> = parts.map(|name| folder.join(name)).collect();
    paths.iter().for_each(|path| drop(own::remove(path)));
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[cfg(unix)]
    #[test]
    fn a_private_file_does_not_become_public_when_it_is_overwritten() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("phases"), folder.path().join("link"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for name in [&path, &link] {
            atomic_write(name, |writer| writer.write_all(b"new")).unwrap();
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
        atomic_write(&path, |writer| writer.write_all(b"new")).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o664, "nor narrower");
    }
}
