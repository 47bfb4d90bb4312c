//! The boundary is open: a crate that is no member of the workspace has a method and a chip of its own, and trains with both.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A copy of the crate in the folder of builds, with the workspace's versions of what at-core needs, so that no registry is asked.
fn copied(workspace: &Path) -> PathBuf {
    let (from, to) = (workspace.join("tests/outside"), PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("outside"));
    std::fs::create_dir_all(to.join("src")).unwrap();
    for file in ["chip.rs", "main.rs", "method.rs"] {
        std::fs::copy(from.join("src").join(file), to.join("src").join(file)).unwrap();
    }
    let manifest = std::fs::read_to_string(from.join("Cargo.toml")).unwrap();
    let library = workspace.join("at-core").to_string_lossy().replace('\\', "/");
    assert!(manifest.contains("../../at-core"));
    std::fs::write(to.join("Cargo.toml"), manifest.replace("../../at-core", &library)).unwrap();
    std::fs::copy(workspace.join("Cargo.lock"), to.join("Cargo.lock")).unwrap();
    to
}

#[test]
fn a_method_and_a_chip_of_another_crate_are_trained_as_the_librarys_own_are() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder = copied(workspace);
    let checkpoints = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(folder.join("target"))
        .arg("--")
        .arg(checkpoints.path())
        .output()
        .unwrap();
    let [said, errors] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{said}{errors}");

    for who in ["differences on a board", "differences on a simulated chip", "spsa on a board"] {
        let line = said.lines().find_map(|line| line.strip_prefix(who)?.strip_prefix(": ")).unwrap();
        let losses: Vec<f64> = line.split(' ').map(|loss| loss.parse().unwrap()).collect();
        let [first, last] = losses[..] else { panic!("{line}") };
        assert!(last < 0.7 * first, "{who}: {first} to {last}");
    }
    // 12 epochs of 60 samples, two settings of each of 18 controls, three values
    assert!(said.lines().any(|line| line == format!("reads: {}", 12 * 60 * 2 * 18 * 3)), "{said}");
}
