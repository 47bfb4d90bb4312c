//! Half-written files of processes that were killed: removed by the next that writes into their folder.

use super::fault::{Operation, check};
use super::own;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

/// How the name of a half-written file begins and ends.
pub(crate) const NAME: (&str, &str) = (".asyt-", ".part");

/// A file is locked this soon after it was made, so that an older one without a lock belongs to nobody.
const UNTIL_LOCKED: Duration = Duration::from_secs(60);

/// The folders that this process has looked at.
static VISITED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Removes half-written files from `folder`, once for every process and folder. What cannot be removed does no harm.
///
/// A file that is locked, or was written to within the last minute, is still being written by somebody.
pub(crate) fn remove(folder: &Path) {
    let visited = VISITED.lock().is_ok_and(|mut visited| !visited.insert(folder.to_path_buf()));
    if visited {
        return;
    }
    if check(Operation::List, folder).is_err() {
        return;
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let ours = name.starts_with(NAME.0) && name.ends_with(NAME.1);
        if ours && entry.file_type().is_ok_and(|kind| kind.is_file()) && is_left(&entry.path()) {
            let _ = own::remove(&entry.path());
        }
    }
}

/// Nobody writes the file any more.
fn is_left(path: &Path) -> bool {
    let Ok(file) = File::options().write(true).open(path) else { return false };
    let written = file.metadata().and_then(|found| found.modified());
    let old = written.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > UNTIL_LOCKED));
    old && file.try_lock().is_ok()
}

#[cfg(test)]
mod tests {
    use crate::files::atomic_write;
    use std::fs::{self, File};
    use std::io::Write;
    use std::time::{Duration, SystemTime};

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_is_being_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        let made = |name: &str, age: u64| {
            let path = folder.path().join(name);
            fs::write(&path, "half a fi").unwrap();
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
            (path, file)
        };
        let left = made(".asyt-abc.part", 3600).0;
        let young = made(".asyt-def.part", 0).0;
        let (locked, lock) = made(".asyt-ghi.part", 3600);
        lock.lock().unwrap();
        let others = [made("asyt.part", 3600).0, made(".asyt-notes.txt", 3600).0];
        let target = folder.path().join("result");
        atomic_write(&target, |writer| writer.write_all(b"whole")).unwrap();
        assert!(!left.exists(), "left for ever");
        for kept in others.iter().chain([&young, &locked, &target]) {
            assert!(kept.exists(), "{}", kept.display());
        }
    }
}
