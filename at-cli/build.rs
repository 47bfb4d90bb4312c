//! Tells the program of which commit it is, for `asyt --version`. Only what is built for release knows: other builds would begin anew after
//! every commit.

use std::path::Path;
use std::process::Command;

#[allow(dead_code, reason = "a test of the program includes this file for the function below")]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let released = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let found = if released { commit(Path::new(&folder)) } else { None };
    if let Some((_, log)) = &found {
        println!("cargo::rerun-if-changed={}", Path::new(&folder).join(log).display());
    }
    let said = found.map_or(String::new(), |(commit, _)| format!(" ({commit})"));
    println!("cargo::rustc-env=ASYT_COMMIT={said}");
}

/// The commit of the crate in `folder`, and the file in that folder's sight that changes with it: of a package what Cargo has noted in it, of a
/// checkout what Git says. None where `folder` is no crate of a repository of its own, as one that was copied into another repository.
pub fn commit(folder: &Path) -> Option<(String, String)> {
    const NOTED: &str = ".cargo_vcs_info.json";
    if let Ok(noted) = std::fs::read_to_string(folder.join(NOTED)) {
        let own = noted.split_once("\"sha1\"")?.1.split('"').nth(1)?;
        return Some((own.chars().take(9).collect(), NOTED.to_string()));
    }
    let git = |words: &[&str]| {
        let ended = Command::new("git").arg("-C").arg(folder).args(words).output().ok()?;
        ended.status.success().then(|| String::from_utf8_lossy(&ended.stdout).trim().to_string())
    };
    let name = folder.file_name()?.to_str()?;
    if git(&["rev-parse", "--show-prefix"])? != format!("{name}/") {
        return None;
    }
    Some((git(&["rev-parse", "--short=9", "HEAD"])?, git(&["rev-parse", "--git-path", "logs/HEAD"])?))
}
