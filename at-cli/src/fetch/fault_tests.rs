//! Downloads whose N-th file operation fails, for every N, in processes of their own: this test program, started again.

use super::tests::{good, run};
use std::path::Path;
use std::process::{Command, Output};

/// Where the processes are told what to fetch.
const MIRROR: &str = "AT_TEST_MIRROR";
const FOLDER: &str = "AT_TEST_FOLDER";

#[test]
#[ignore = "a part of the walk below, which starts it"]
fn one_download() {
    let variable = |name| std::env::var(name).unwrap();
    run(&[variable(MIRROR)], Path::new(&variable(FOLDER))).unwrap();
}

fn download(mirror: &str, folder: &Path, fault: Option<String>) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "fetch::fault_tests::one_download", "--ignored", "--nocapture"]);
    command.env(MIRROR, mirror).env(FOLDER, folder).envs(fault.map(|fault| ("AT_FAULT", fault))).output().unwrap()
}

#[test]
fn a_download_after_a_fault_anywhere_is_whole() {
    if !cfg!(debug_assertions) {
        eprintln!("skipped: no faults in release builds");
        return;
    }
    let mirror = good();
    for kind in ["kill", "space", "io", "access"] {
        for number in 1.. {
            assert!(number < 40, "no end of {kind}");
            let parent = tempfile::tempdir().unwrap();
            let folder = parent.path().join("cache/toy");
            let ended = download(&mirror, &folder, Some(format!("{number}:{kind}")));
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            let hit = said.contains(&format!("fault {number}: "));
            let whole = |name: &str| std::fs::read(folder.join(name)).ok();
            for (name, text) in [("first.gz", &b"hello"[..]), ("second.gz", b"world")] {
                assert!(whole(name).is_none_or(|bytes| bytes == text), "{name} is a part after {said}");
            }
            if hit {
                assert!(download(&mirror, &folder, None).status.success(), "{kind} {number}: {said}");
            } else {
                assert!(ended.status.success() && number > 10, "{kind} {number}: {said}");
            }
            assert_eq!(whole("first.gz").unwrap(), b"hello");
            assert_eq!(whole("second.gz").unwrap(), b"world");
            if !hit {
                break;
            }
        }
    }
}
