//! What a run takes from files that belong to its network, a chip and first controls: read once and checked, before anything runs.

use crate::measured;
use crate::network_text::{self, NetworkText};
use crate::notes::Notes;
use crate::settings::RunSettings;
use anyhow::{Context, Result, anyhow, bail, ensure};
use at_core::Error;
use at_core::checksum::md5_hex;
use at_core::fabrication::{Fabrication, Measurements};
use at_core::files::chip_file::{KeptChip, chip_checksum, read_chip};
use at_core::files::phase_file;
use at_core::network::{Identity, Network, Owner};
use at_core::optics::{Convention, Mesh};
use at_core::training::Checkpoint;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The contents of the files that the settings name.
#[derive(Clone, Debug, Default)]
pub struct NetworkFiles {
    /// The individual of `--chip-file` or `--chip-errors`.
    pub chip: Option<Arc<Fabrication>>,
    /// What was measured of the chip, where `--chip-file` says that.
    pub measured: Option<Arc<Measurements>>,
    /// The controls of `--start-from`.
    pub controls: Option<Arc<Vec<f64>>>,
    /// What they are.
    pub sums: FileSums,
    /// What makes one doubt that they are the ones that were meant.
    pub notes: Vec<String>,
}

/// Checksums of these contents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileSums {
    /// Of the chip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chip: Option<String>,
    /// Of the first controls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controls: Option<String>,
}

/// The files read last, for settings in a row that share them.
#[derive(Default)]
pub struct FilesCache {
    last: Option<(FileNames, NetworkFiles)>,
}

/// What decides on the contents of a run's files: their names, how they are read, and the network, by its fingerprint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct FileNames {
    /// `--chip-file`.
    pub chip_file: Option<PathBuf>,
    /// `--chip-errors`.
    pub chip_errors: Option<Vec<PathBuf>>,
    /// Their convention.
    pub chip_errors_convention: Option<Convention>,
    /// `--start-from`.
    pub start_from: Option<PathBuf>,
    /// The network's fingerprint; none without files.
    pub network: Option<String>,
}

impl FileNames {
    /// Those of `settings`.
    pub fn of(settings: &RunSettings, network: &Network) -> Self {
        let RunSettings { chip_file, chip_errors, chip_errors_convention, start_from, .. } = settings.clone();
        let any = chip_file.is_some() || chip_errors.is_some() || start_from.is_some();
        let network = any.then(|| network.identity().fingerprint);
        FileNames { chip_file, chip_errors, chip_errors_convention, start_from, network }
    }
}

impl FilesCache {
    /// The files of `settings`, read unless they were the last ones.
    pub fn read(&mut self, settings: &RunSettings, network: &Network) -> Result<NetworkFiles> {
        let names = FileNames::of(settings, network);
        if let Some((last, files)) = &self.last
            && *last == names
        {
            return Ok(files.clone());
        }
        let files = NetworkFiles::read(settings, network)?;
        self.last = Some((names, files.clone()));
        Ok(files)
    }
}

impl NetworkFiles {
    fn read(settings: &RunSettings, network: &Network) -> Result<Self> {
        let mut files = NetworkFiles::default();
        if let Some(file) = settings.measured_chip() {
            let (own, sum) = measured::read(file, network)?;
            own.put_on(network, &mut Fabrication::ideal()).with_context(|| file.display().to_string())?;
            files.sums.chip = Some(sum);
            files.measured = Some(Arc::new(own));
        } else if let Some(KeptChip { chip, notes }) = chip(settings, network)? {
            files.sums.chip = Some(chip_checksum(&chip));
            files.chip = Some(Arc::new(chip));
            files.notes.extend(notes);
        }
        if let Some(file) = &settings.start_from {
            let owner = owner(settings.start_from_other_network);
            let controls = first_controls(file, network, owner, &mut files.notes)?;
            let bytes: Vec<u8> = controls.iter().flat_map(|value| value.to_le_bytes()).collect();
            files.sums.controls = Some(md5_hex(&bytes));
            files.controls = Some(Arc::new(controls));
        }
        Ok(files)
    }
}

/// The chip in `file`, where nothing is known but that: what was not measured is as designed.
pub fn chip_of(file: &Path, network: &Network, owner: Owner, notes: &mut Notes) -> Result<Fabrication> {
    if !measured::is_measured(file) {
        let KeptChip { chip, notes: doubts } = read_chip(file, network, None, owner)?;
        notes.say(doubts);
        return Ok(chip);
    }
    let mut chip = Fabrication::ideal();
    let (own, _) = measured::read(file, network)?;
    own.put_on(network, &mut chip).with_context(|| file.display().to_string())?;
    notes.say([format!("what was not measured in {} is taken as designed", file.display())]);
    Ok(chip)
}

/// Whose files are taken where a flag says so, or does not.
pub fn owner(other_network: Option<bool>) -> Owner {
    if other_network == Some(true) { Owner::AnyNetwork } else { Owner::ThisNetwork }
}

fn chip(settings: &RunSettings, network: &Network) -> Result<Option<KeptChip>> {
    let owner = owner(settings.chip_of_other_network);
    if let Some(file) = &settings.chip_file {
        return Ok(Some(read_chip(file, network, None, owner)?));
    }
    let Some(files) = &settings.chip_errors else { return Ok(None) };
    let meshes: Vec<&Mesh> = network.meshes().collect();
    let errors = phase_file::read_chip(files, settings.chip_errors_convention, &meshes, owner)?;
    let chip = Fabrication::of_meshes(network, &errors)?;
    chip.check(network).context("the errors of --chip-errors together")?;
    Ok(Some(KeptChip { chip, notes: Vec::new() }))
}

/// The controls in the checkpoint `file` of another run, for `network`. Errs unless they are the `owner`'s.
fn first_controls(file: &Path, network: &Network, owner: Owner, notes: &mut Vec<String>) -> Result<Vec<f64>> {
    let checkpoint = Checkpoint::of_any_run(file)?;
    let malformed = |reason: String| anyhow!(Error::malformed(file, reason));
    let controls = checkpoint.controls().ok_or_else(|| malformed("holds no controls".to_string()))?;
    let (own, name) = (network.identity(), file.display());
    let theirs = checkpoint.network.clone().or_else(|| recorded_network(&checkpoint.fingerprint));
    match (&theirs, owner) {
        (Some(theirs), _) if theirs.is(&own) => {}
        (Some(theirs), Owner::ThisNetwork) => bail!(malformed(format!(
            "holds controls of {theirs}, the network is {own}; --start-from-other-network takes them all the same, in their order"
        ))),
        (Some(theirs), Owner::AnyNetwork) => {
            notes.push(format!("{name} holds controls of {theirs}, which {own} takes in their order"));
        }
        (None, _) => {
            let only = "of an earlier version and does not name its network; that it holds as many controls as";
            notes.push(format!("{name} is {only} {own} is all that tells that it fits"));
        }
    }
    if controls.len() != network.controls() {
        let reason = format!("holds {} controls, the network has {}: {own}", controls.len(), network.controls());
        return Err(malformed(reason));
    }
    let finite = controls.iter().position(|value| !value.is_finite());
    ensure!(
        finite.is_none(),
        malformed(format!(
            "control {} is no finite number: the run diverged; choose another",
            finite.unwrap_or_default()
        ))
    );
    Ok(controls.to_vec())
}

/// The network in the settings that the fingerprint of a checkpoint begins with, in files of the version that recorded no more.
fn recorded_network(fingerprint: &str) -> Option<Identity> {
    let mut values = serde_json::Deserializer::from_str(fingerprint).into_iter::<serde_json::Value>();
    let settings = values.next()?.ok()?;
    let text: NetworkText = serde_json::from_value(settings.get("network")?.clone()).ok()?;
    // the words `in` and `out` were replaced before it was recorded; sizes are checked before anything is built
    let layers = text.layers(0, 0).ok()?;
    let sensible = network_text::controls(&layers) < f64::from(u32::MAX);
    sensible.then(|| network_text::build(&layers).ok()).flatten().map(|network| network.identity())
}
