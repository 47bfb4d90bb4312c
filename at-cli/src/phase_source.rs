//! Phases from where they are: a phase file, the folder of a run, or one of a run's checkpoints.

use crate::settings::RunSettings;
use crate::trained::{RunFiles, TrainedRun};
use anyhow::{Context, Result, bail, ensure};
use at_core::deployment::programmed;
use at_core::files::phase_file::{PhaseFile, ProgrammedMesh};
use at_core::network::{Detection, Network, Stage};
use at_core::optics::{Convention, Mesh};
use std::path::{Path, PathBuf};

/// What a method of a run has trained.
pub struct RunControls {
    /// The network.
    pub network: Network,
    /// All its controls.
    pub controls: Vec<f64>,
    /// Those that were programmed first.
    pub initial: Vec<f64>,
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
                RunFiles::settings_file(path).is_some(),
                "{} is a folder without a run's config.toml or a cell's cell.toml; name a regular file, or the folder of a run",
                path.display()
            );
            return Ok(Some(OfRun { folder: path.to_path_buf(), method }));
        }
        if path.extension().is_none_or(|extension| extension != "safetensors") {
            ensure!(
                method.is_none(),
                "--method chooses one of a run's, and {} is {}",
                path.display(),
                if path.exists() { "a file" } else { "neither a run nor a file: there is nothing of this name" }
            );
            return Ok(None);
        }
        let folder = path.parent().map_or(PathBuf::from("."), Path::to_path_buf);
        let own = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        ensure!(
            RunFiles::settings_file(&folder).is_some(),
            "{} is a checkpoint outside its run: the config.toml (of a cell: cell.toml) beside it tells which network it is of",
            path.display()
        );
        if method.is_some() && method != own {
            bail!("--method {} is another one than {}", method.unwrap_or_default(), path.display());
        }
        Ok(Some(OfRun { folder, method: own }))
    }

    /// The run's settings file.
    pub fn settings(&self) -> PathBuf {
        RunFiles::settings_file(&self.folder).unwrap_or_else(|| self.folder.clone())
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
        Ok(RunControls { network: run.network, controls, initial: run.initial })
    }
}

/// Meshes and their phases, each read when it is asked for where they are in a file.
pub enum Phases {
    /// A phase file.
    File(PhaseFile),
    /// Those of a run, and all that it has trained.
    Run(Vec<ProgrammedMesh>, RunControls),
}

impl Phases {
    /// Opens what `path` names; `convention` as for a phase file, `method` of a run.
    pub fn open(path: &Path, convention: Option<Convention>, method: Option<&str>) -> Result<Self> {
        let Some(run) = OfRun::named(path, method)? else {
            return Ok(Phases::File(PhaseFile::open(path, convention)?));
        };
        let native = convention.is_none_or(|convention| convention == Convention::Native);
        ensure!(native, "the phases of a run are in the native convention; leave the convention out");
        let own = run.load(None)?;
        let meshes = programmed(&own.network, &own.controls)?;
        ensure!(!meshes.is_empty(), "{}: its network has no mesh", path.display());
        Ok(Phases::Run(meshes, own))
    }

    /// Number of meshes.
    pub fn count(&self) -> usize {
        match self {
            Phases::File(file) => file.meshes(),
            Phases::Run(meshes, _) => meshes.len(),
        }
    }

    /// Mesh number `index`, which is there.
    pub fn mesh(&self, index: usize) -> Result<ProgrammedMesh> {
        Ok(match self {
            Phases::File(file) => file.mesh(index)?,
            Phases::Run(meshes, _) => meshes[index].clone(),
        })
    }

    /// The geometries of all meshes.
    pub fn geometries(&self) -> Result<Vec<Mesh>> {
        Ok(match self {
            Phases::File(file) => file.geometries()?,
            Phases::Run(meshes, _) => meshes.iter().map(|own| own.mesh.clone()).collect(),
        })
    }

    /// What a whole chip is told: of a file, that of its meshes one behind the other.
    pub fn whole(self) -> Result<RunControls> {
        let file = match self {
            Phases::Run(_, own) => return Ok(own),
            Phases::File(file) => file,
        };
        let meshes = (0..file.meshes()).map(|index| file.mesh(index)).collect::<at_core::Result<Vec<_>>>()?;
        let last = meshes.last().context("a phase file has a mesh")?.mesh.modes();
        let stages = meshes.iter().map(|own| Stage::Mesh(own.mesh.clone()));
        let layers = stages.chain([Stage::detection(last, Detection::Intensity)]).map(|stage| vec![stage]).collect();
        let network =
            Network::new(layers).context("the meshes of the file do not follow each other; name their run")?;
        let controls = meshes.into_iter().flat_map(|own| own.controls).collect::<Vec<f64>>();
        Ok(RunControls { network, initial: controls.clone(), controls })
    }
}

/// The settings of a run without what leads to a chip on a bench: the run's result is looked at elsewhere.
pub fn without_bench(settings: RunSettings) -> RunSettings {
    RunSettings { chip_command: None, chip_address: None, chip_park: None, chip_timeout: None, ..settings }
}
