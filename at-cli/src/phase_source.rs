//! Phases from where they are: a phase file, the folder of a run, or one of a run's checkpoints.

use crate::settings::RunSettings;
use crate::trained::{RunFiles, TrainedRun};
use anyhow::{Context, Result, bail, ensure};
use at_core::deployment::programmed;
use at_core::files::phase_file::{PhaseFile, ProgrammedMesh};
use at_core::network::Network;
use at_core::optics::{Convention, Mesh};
use std::path::{Path, PathBuf};

/// What a method of a run has trained.
pub struct RunControls {
    /// The network.
    pub network: Network,
    /// All its controls.
    pub controls: Vec<f64>,
}

/// A run, and the method of it that is meant, where one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfRun {
    /// The folder.
    pub folder: PathBuf,
    /// The method.
    pub method: Option<String>,
}

impl OfRun {
    /// What `path` and `--method` mean: a folder, or `METHOD.safetensors` in one. None where it is neither.
    pub fn named(path: &Path, method: Option<&str>) -> Result<Option<Self>> {
        let method = method.map(str::to_string);
        if path.is_dir() {
            ensure!(
                path.join("config.toml").is_file(),
                "{} is a folder without a run's config.toml; name a regular file, or the folder of a run",
                path.display()
            );
            return Ok(Some(OfRun { folder: path.to_path_buf(), method }));
        }
        if path.extension().is_none_or(|extension| extension != "safetensors") {
            ensure!(method.is_none(), "--method chooses one of a run's, and {} is a file", path.display());
            return Ok(None);
        }
        let folder = path.parent().map_or(PathBuf::from("."), Path::to_path_buf);
        let own = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        ensure!(
            folder.join("config.toml").is_file(),
            "{} is a checkpoint outside its run: the config.toml beside it tells which network it is of",
            path.display()
        );
        if method.is_some() && method != own {
            bail!("--method {} is another one than {}", method.unwrap_or_default(), path.display());
        }
        Ok(Some(OfRun { folder, method: own }))
    }

    /// The run's settings file.
    pub fn settings(&self) -> PathBuf {
        self.folder.join("config.toml")
    }

    /// Loads it. Errs, naming the methods, where the run has several and none was chosen.
    pub fn load(&self, data_dir: Option<&Path>) -> Result<RunControls> {
        let files = RunFiles::read(&self.folder)?;
        let run = TrainedRun::load(&self.folder, &files, data_dir)?;
        if self.method.is_none() && run.controls.len() > 1 {
            let known: Vec<&str> = run.controls.iter().map(|(method, _)| method.as_str()).collect();
            bail!("{} has trained {}; choose one with --method", self.folder.display(), known.join(", "));
        }
        let controls = run.chosen(self.method.as_deref()).with_context(|| self.folder.display().to_string())?.1.clone();
        Ok(RunControls { network: run.network, controls })
    }
}

/// Meshes and their phases, each read when it is asked for where they are in a file.
pub enum Phases {
    /// A phase file.
    File(PhaseFile),
    /// Those of a run.
    Run(Vec<ProgrammedMesh>),
}

impl Phases {
    /// Opens what `path` names; `convention` as for a phase file, `method` of a run.
    pub fn open(path: &Path, convention: Option<Convention>, method: Option<&str>) -> Result<Self> {
        let Some(run) = OfRun::named(path, method)? else {
            return Ok(Phases::File(PhaseFile::open(path, convention)?));
        };
        let native = convention.is_none_or(|convention| convention == Convention::Native);
        ensure!(native, "the phases of a run are in the native convention; leave the convention out");
        let RunControls { network, controls } = run.load(None)?;
        let meshes = programmed(&network, &controls)?;
        ensure!(!meshes.is_empty(), "{}: its network has no mesh", path.display());
        Ok(Phases::Run(meshes))
    }

    /// Number of meshes.
    pub fn count(&self) -> usize {
        match self {
            Phases::File(file) => file.meshes(),
            Phases::Run(meshes) => meshes.len(),
        }
    }

    /// Mesh number `index`, which is there.
    pub fn mesh(&self, index: usize) -> Result<ProgrammedMesh> {
        Ok(match self {
            Phases::File(file) => file.mesh(index)?,
            Phases::Run(meshes) => meshes[index].clone(),
        })
    }

    /// The geometries of all meshes.
    pub fn geometries(&self) -> Result<Vec<Mesh>> {
        Ok(match self {
            Phases::File(file) => file.geometries()?,
            Phases::Run(meshes) => meshes.iter().map(|own| own.mesh.clone()).collect(),
        })
    }
}

/// The settings of a run without what leads to a chip on a bench: the run's result is looked at elsewhere.
pub fn without_bench(settings: RunSettings) -> RunSettings {
    RunSettings { chip_command: None, chip_address: None, chip_park: None, chip_timeout: None, ..settings }
}
