//! Cells on disk: what is there of each, and whose turn it is.

use super::{Cell, CellResult};
use crate::settings::{self, RunSettings};
use crate::trial::{SourceNames, Task};
use crate::work::seconds;
use anyhow::{Context, Result, anyhow, bail};
use at_core::files::whole::{LONGEST_TEXT, shown};
use at_core::files::{self, own};
use at_core::training::journal::records_file;
use at_core::training::{Checkpoint, MethodName};
use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Says why a cell that is done has no result.
const DIVERGED: &str = "diverged.txt";
/// Longest file of a result (bytes), of some million epochs.
const LARGEST_RESULT: u64 = 1 << 30;

/// The folder of all cells of a run.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// A cell that this process alone may train, until this is dropped or the process ends.
pub struct Claim {
    folder: PathBuf,
    _lock: File,
}

impl Store {
    /// The cells in `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Store { folder: folder.into() }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    fn file(&self, name: &str, file: &str) -> PathBuf {
        self.folder.join(name).join(file)
    }

    /// Makes the cell's folder with its settings, where it is missing.
    pub fn add(&self, cell: &Cell) -> Result<()> {
        let path = self.file(&cell.name, "cell.toml");
        if path.exists() {
            return Ok(());
        }
        let folder = self.folder.join(&cell.name);
        for folder in [&self.folder, &folder] {
            own::folder(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let text = toml::to_string(&cell.settings).context("cell.toml")?;
        Ok(own::write(&path, |draft| draft.write_all(text.as_bytes()))?)
    }

    /// The cell's settings.
    pub fn settings(&self, name: &str) -> Result<RunSettings> {
        settings::read_own(&self.file(name, "cell.toml"))
    }

    /// The cell is done: it has a result, or its training diverged.
    pub fn is_done(&self, name: &str) -> bool {
        self.file(name, "result.json").exists() || self.file(name, DIVERGED).exists()
    }

    /// How the training of the cell diverged, where it did.
    pub fn divergence(&self, name: &str) -> Option<String> {
        own::read_text(&self.file(name, DIVERGED), LONGEST_TEXT).ok().map(|text| text.trim_end().to_string())
    }

    /// Notes for good that the training of the cell diverged.
    pub fn diverge(&self, name: &str, reason: &str) -> Result<()> {
        let text = format!("{reason}\n");
        Ok(own::write(&self.file(name, DIVERGED), |draft| draft.write_all(text.as_bytes()))?)
    }

    /// The cell's result, if it is done. Errs where the file is damaged.
    pub fn result(&self, name: &str) -> Result<Option<CellResult>> {
        let path = self.file(name, "result.json");
        let remedy = || format!("{} is damaged; delete it to train its cell anew", path.display());
        if !path.try_exists().with_context(|| path.display().to_string())? {
            return Ok(None);
        }
        let text = match own::read_text(&path, LARGEST_RESULT) {
            Err(error @ at_core::Error::Malformed { .. }) => return Err(error).with_context(remedy),
            text => text?,
        };
        let result: CellResult = serde_json::from_str(&text).with_context(remedy)?;
        let ours = name.starts_with(&format!("{}-{}-", result.method, result.chip_seed));
        let foreign = match &result.cell {
            Some(cell) if cell != name => Some(format!("it is the result of {}", shown(cell))),
            Some(_) | None => (!ours).then(|| format!("it is of {} on chip {}", result.method, result.chip_seed)),
        };
        let checked = result.validate().and_then(|()| foreign.map_or(Ok(()), Err));
        checked.map_err(|reason| anyhow!(reason)).with_context(remedy)?;
        Ok(Some(result))
    }

    /// Why the cell has no result, where somebody tried.
    pub fn failure(&self, name: &str) -> Option<String> {
        own::read_text(&self.file(name, "failure.txt"), LONGEST_TEXT).ok().map(|text| text.trim_end().to_string())
    }

    /// Notes why the cell has no result.
    pub fn fail(&self, name: &str, reason: &str) -> Result<()> {
        let text = format!("{reason}\n");
        Ok(own::write(&self.file(name, "failure.txt"), |draft| draft.write_all(text.as_bytes()))?)
    }

    /// Forgets why the cell had no result, so that it is tried again.
    pub fn forgive(&self, name: &str) -> Result<()> {
        let path = self.file(name, "failure.txt");
        own::remove(&path).with_context(|| path.display().to_string())
    }

    /// Takes a cell, unless another process has it.
    pub fn claim(&self, name: &str) -> Result<Option<Claim>> {
        let folder = self.folder.join(name);
        let path = folder.join(".lock");
        let lock = own::lock(&path).with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(lock.map(|lock| Claim { folder, _lock: lock }))
    }
}

impl Claim {
    /// The cell's name.
    pub fn name(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Errs where `task`, which was made of the `settings` of this cell, reads other contents than those after which the cell
    /// was named; cells of an earlier version are named after their settings alone.
    pub fn require_contents(&self, settings: &RunSettings, task: &Task) -> Result<()> {
        let own = self.name();
        let hash = own.rsplit('-').next().unwrap_or_default();
        let named_after = |contents| Ok::<_, anyhow::Error>(super::cell::hash(settings, contents)? == hash);
        if named_after(Some(&task.contents))? || named_after(None)? {
            return Ok(());
        }
        let SourceNames { data, chip, controls } = SourceNames::of(&task.plan);
        let sources: Vec<String> = [data, chip, controls].into_iter().filter(|name| !name.is_empty()).collect();
        bail!("what the cell reads has changed since it was begun: {}; put back what was there", sources.join(", "))
    }

    /// Where a half-done training goes on.
    pub fn checkpoint(&self) -> PathBuf {
        self.folder.join("checkpoint.safetensors")
    }

    /// Keeps what `method` has trained, out of the checkpoint after the last epoch.
    pub fn keep_trained(&self, method: MethodName) -> Result<()> {
        let trained = Checkpoint::open(&self.checkpoint())?.without_moments();
        Ok(trained.save(&self.folder.join(format!("{method}.safetensors")))?)
    }

    /// Seconds that were spent on the cell by processes before this one.
    pub fn spent(&self) -> f64 {
        let text = own::read_text(&self.folder.join("seconds"), LONGEST_TEXT).unwrap_or_default();
        text.trim().parse().ok().filter(|spent| seconds("seconds", *spent).is_ok()).unwrap_or_default()
    }

    /// Notes the seconds spent so far.
    pub fn spend(&self, seconds: f64) -> Result<()> {
        Ok(own::write(&self.folder.join("seconds"), |draft| writeln!(draft, "{seconds}"))?)
    }

    /// Keeps the result for good, and removes what only a half-done training needs.
    pub fn finish(&self, result: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(result).context("result.json")?;
        own::write(&self.folder.join("result.json"), |draft| writeln!(draft, "{text}"))?;
        let (checkpoint, other) = (self.checkpoint(), ["seconds", "failure.txt"].map(|file| self.folder.join(file)));
        for leftover in [records_file(&checkpoint), checkpoint].iter().chain(&other) {
            let _ = own::remove(leftover); // what stays does no harm
        }
        files::remove_parts(&self.folder);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_one_owner_at_a_time_and_its_failure_is_forgiven() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let cell = Cell { settings: RunSettings::default(), name: "at-1-0".to_string() };
        store.add(&cell).unwrap();
        let claim = store.claim(&cell.name).unwrap().unwrap();
        assert!(store.claim(&cell.name).unwrap().is_none());
        drop(claim);
        assert!(store.claim(&cell.name).unwrap().is_some());
        assert_eq!(store.failure(&cell.name), None);
        store.fail(&cell.name, "diverged").unwrap();
        assert_eq!(store.failure(&cell.name).as_deref(), Some("diverged"));
        store.forgive(&cell.name).unwrap();
        store.forgive(&cell.name).unwrap();
        assert_eq!(store.failure(&cell.name), None);
        assert_eq!(store.settings(&cell.name).unwrap(), cell.settings);
    }

    #[test]
    fn a_damaged_result_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        store.add(&Cell { settings: RunSettings::default(), name: "x".to_string() }).unwrap();
        assert!(store.result("x").unwrap().is_none());
        for damage in [&b"{\"version\": "[..], b"\xff\xff"] {
            std::fs::write(folder.path().join("x/result.json"), damage).unwrap();
            assert!(format!("{:#}", store.result("x").unwrap_err()).contains("delete it"));
        }
    }
}
