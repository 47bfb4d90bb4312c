//! What `asyt devices --measure` has found out of an adapter, in a file of the user's cache folder, one per adapter and driver.

use crate::fetch::cache_folder;
use anyhow::{Context, Result, anyhow, ensure};
use at_core::files::whole::read_whole;
use at_core::files::{atomic_write, create_folders};
use at_gpu::{AdapterDescription, MeshCosts};
use serde::{Deserialize, Serialize};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Longest such file (bytes).
const LARGEST_FILE: u64 = 1 << 16;

/// The content of a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    adapter: String,
    driver: String,
    mesh_costs: MeshCosts,
}

/// What is known of an adapter, and where that stands.
pub struct Known {
    /// The file.
    pub path: PathBuf,
    /// Its content.
    pub costs: MeshCosts,
}

/// `adapter-NAME-DRIVER.json`; `None` where this user has no cache folder.
fn path(adapter: &AdapterDescription) -> Option<PathBuf> {
    let word = |text: &str| {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { ' ' };
        let plain: String = text.chars().map(plain).collect();
        let words: Vec<&str> = plain.split_whitespace().collect();
        words.join("-").chars().take(80).collect::<String>()
    };
    let name = format!("adapter-{}-{}.json", word(&adapter.name), word(&adapter.driver));
    Some(cache_folder()?.join(name))
}

/// What was measured of an adapter, if anything was. Errs where the file holds something else.
pub fn known(adapter: &AdapterDescription) -> Result<Option<Known>> {
    let Some(path) = path(adapter) else { return Ok(None) };
    if path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Ok(None);
    }
    let read = || -> Result<MeshCosts> {
        let record: Record = serde_json::from_slice(&read_whole(&path, LARGEST_FILE)?)?;
        let own = record.adapter == adapter.name && record.driver == adapter.driver;
        ensure!(own, "it is of {} with the driver {}", record.adapter, record.driver);
        record.mesh_costs.check()?;
        Ok(record.mesh_costs)
    };
    match read() {
        Ok(costs) => Ok(Some(Known { path, costs })),
        Err(error) => Err(anyhow!(
            "{} is not what was measured of {}: {error:#}; delete it, or measure again: asyt devices --measure --adapter {}",
            path.display(),
            adapter.name,
            adapter.index
        )),
    }
}

/// Where to keep what will be measured of an adapter, in a folder that is there.
pub fn place(adapter: &AdapterDescription) -> Result<PathBuf> {
    let path = path(adapter).ok_or_else(|| anyhow!("this user has no cache folder; name one with XDG_CACHE_HOME"))?;
    path.parent().map_or(Ok(()), create_folders).with_context(|| cannot_write(&path))?;
    Ok(path)
}

/// Keeps what was measured of an adapter.
pub fn keep(path: &Path, adapter: &AdapterDescription, costs: MeshCosts) -> Result<()> {
    let record = Record { adapter: adapter.name.clone(), driver: adapter.driver.clone(), mesh_costs: costs };
    let text = format!("{}\n", serde_json::to_string_pretty(&record)?);
    atomic_write(path, |file| file.write_all(text.as_bytes())).with_context(|| cannot_write(path))
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write to {}; name another cache folder with XDG_CACHE_HOME", path.display())
}
