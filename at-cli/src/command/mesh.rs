//! `asyt mesh`: phases become a matrix, a matrix becomes phases, and phases change their convention.

mod decompose;
mod fit;

use crate::activity;
use crate::failure::{OrUsage, Outcome};
use crate::memory::Need;
use crate::network_files;
use crate::notes::Notes;
use crate::phase_source::{Phases, RunControls};
use crate::progress::say;
use crate::results;
use crate::words::word;
use crate::work::{duration, say_expected};
use anyhow::{Context, Result, anyhow};
use at_core::files::npy::write_matrix;
use at_core::files::phase_file::{
    ProgrammedMesh, read_attenuators, read_mesh_errors, read_phases, write_with_attenuators,
};
use at_core::network::{Owner, Stage};
use at_core::optics::fit::Search;
use at_core::optics::{Convention, Layout, Mesh, imperfect_transfer_matrix, transfer_matrix};
use at_core::reference::Reference;
use clap::{Args, Subcommand};
use ndarray::Array2;
use num_complex::Complex64;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Modes of the mesh from which the time of a larger one is told. Smaller ones take no time.
const SAMPLE: usize = 128;

/// Bytes of a complex number.
const COMPLEX: f64 = 16.0;

/// How `--help` explains the files.
pub const HELP: &str = "\
A phase file is an npz with meshK.theta and meshK.phi (columns x pairs) and meshK.gamma, radians, K from 0.
Conventions: native (phi on the upper input, gamma at the outputs), neurophox (its defaults), dat-mpnn (neurophox with
power-split errors). Files written here record theirs; for others, say it. docs/conventions.md has the formulas.

Examples:
  asyt mesh matrix phases.npz --mesh 0 --convention dat-mpnn --out U.npy
  asyt mesh decompose U.npy --layout rectangular --out phases.npz
  asyt mesh decompose designs.mat --variable U --out phases.npz
  asyt mesh decompose W.npy --svd --tile 8 --out singular.npz
  asyt mesh decompose U.npy --depth 80 --out redundant.npz
  asyt mesh decompose U.npy --layout diamond --embed --out diamond.npz
  asyt mesh fit U.npy --layout butterfly --out phases.npz
  asyt mesh convert phases.npz --from native --to neurophox --out theirs.npz
  asyt mesh matrix runs/mesh-1 --method at-adaptive --mesh 2 --out U.npy
  asyt mesh matrix runs/mesh-1 --method at-adaptive --chip-file measured.toml --out U.npy";

/// `asyt mesh`.
#[derive(Debug, Args)]
pub struct MeshArguments {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What can be done with a mesh.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Write the transfer matrix of a mesh
    Matrix(MatrixArguments),
    /// Find the phases with which an ideal mesh makes a unitary matrix, or with --svd meshes and attenuators any matrix
    Decompose(DecomposeArguments),
    /// Find by gradient the phases with which an ideal mesh of any layout comes nearest to a matrix
    Fit(FitArguments),
    /// Write phases in another convention; the matrices stay the same
    Convert(ConvertArguments),
}

/// `asyt mesh matrix`.
#[derive(Debug, Args)]
pub struct MatrixArguments {
    /// Phase file (npz), run folder of asyt train, or a METHOD.safetensors in one
    #[arg(value_name = "PHASES")]
    pub phases: PathBuf,
    /// Method of a run, where it has trained several
    #[arg(long)]
    pub method: Option<String>,
    /// Which mesh of the file, from 0
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub mesh: usize,
    /// Convention of the phases, where the file does not record it: native, neurophox, dat-mpnn
    #[arg(long, value_name = "C")]
    pub convention: Option<Convention>,
    /// Errors of the chip (npz); those of several files add up
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub chip_errors: Vec<PathBuf>,
    /// The chip: a file of --save-chip, or what was measured of it (toml or npz; docs/imperfections.md), where the rest is as designed
    #[arg(long, value_name = "FILE", conflicts_with = "chip_errors")]
    pub chip_file: Option<PathBuf>,
    /// Take a chip or errors of fewer or other meshes than the phases are of, as far as they fit
    #[arg(long)]
    pub chip_of_other_network: bool,
    /// Convention of the errors, where their file does not record it [default: that of --convention]
    #[arg(long, value_name = "C")]
    pub errors_convention: Option<Convention>,
    /// Where the matrix goes: complex128 npy [output, input], acting on column vectors
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// `asyt mesh decompose`.
#[derive(Debug, Args)]
pub struct DecomposeArguments {
    /// Unitary matrix, complex or real: npy, or mat of MATLAB 5 to 7
    #[arg(value_name = "MATRIX")]
    pub matrix: PathBuf,
    /// Which matrix of a MATLAB file, where it holds several
    #[arg(long, value_name = "NAME")]
    pub variable: Option<String>,
    /// rectangular (N columns, or --depth), triangular (2N-3 columns) or diamond (N-1 columns, which make a part of the unitaries)
    #[arg(long, value_name = "LAYOUT", default_value = "rectangular", value_parser = layout)]
    pub layout: Layout,
    /// Columns of a rectangular mesh, N or more; those beyond lead light straight on
    #[arg(long, value_name = "COLUMNS", conflicts_with = "svd")]
    pub depth: Option<usize>,
    /// Put any unitary of N modes on the lower N of a diamond of 2N-2 modes, which leads the others straight on
    #[arg(long, conflicts_with_all = ["svd", "depth"])]
    pub embed: bool,
    /// Any matrix W = U diag(s) V^H: mesh0 for V^H, attenuators0, mesh1 for U
    #[arg(long)]
    pub svd: bool,
    /// Cut it into tiles of so many modes, each with its own singular values; tile (i, j) is a die of the meshes
    #[arg(long, value_name = "MODES", requires = "svd")]
    pub tile: Option<usize>,
    /// Convention of the phases that are written
    #[arg(long, value_name = "C", default_value = "native")]
    pub convention: Convention,
    /// Where the phases go (npz, mesh0)
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// `asyt mesh fit`.
#[derive(Debug, Args)]
pub struct FitArguments {
    /// Square matrix, complex or real: npy, or mat of MATLAB 5 to 7
    #[arg(value_name = "MATRIX")]
    pub matrix: PathBuf,
    /// Which matrix of a MATLAB file, where it holds several
    #[arg(long, value_name = "NAME")]
    pub variable: Option<String>,
    /// rectangular, triangular, diamond, butterfly, benes, or a file of columns: a line of pairs 0-1 2-3 each, or a list as JSON
    #[arg(long, value_name = "LAYOUT")]
    pub layout: String,
    /// Columns of a rectangular mesh
    #[arg(long, value_name = "COLUMNS")]
    pub depth: Option<usize>,
    /// Losses and gradients that every start may ask for
    #[arg(long, value_name = "N", default_value_t = Search::DEFAULT.steps)]
    pub steps: usize,
    /// Random starts, of which the best is taken
    #[arg(long, value_name = "N", default_value_t = Search::DEFAULT.starts)]
    pub starts: usize,
    /// Seed of the starts
    #[arg(long, value_name = "SEED", default_value_t = Search::DEFAULT.seed)]
    pub seed: u64,
    /// Where the phases go (npz, mesh0)
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// `asyt mesh convert`.
#[derive(Debug, Args)]
pub struct ConvertArguments {
    /// Phase file (npz), run folder of asyt train, or a METHOD.safetensors in one
    #[arg(value_name = "PHASES")]
    pub phases: PathBuf,
    /// Method of a run, where it has trained several
    #[arg(long)]
    pub method: Option<String>,
    /// Convention of the phases that are read; may be left out where the file records it
    #[arg(long, value_name = "C")]
    pub from: Option<Convention>,
    /// Convention of the phases that are written
    #[arg(long, value_name = "C")]
    pub to: Convention,
    /// Where they go (npz)
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

fn layout(text: &str) -> Result<Layout> {
    word("layout", text)
}

/// Runs the command.
pub fn mesh(arguments: &MeshArguments) -> Outcome {
    activity::watch(false);
    match &arguments.action {
        Action::Matrix(arguments) => matrix(arguments),
        Action::Decompose(arguments) if arguments.svd => decompose::by_singular_values(arguments),
        Action::Decompose(arguments) => decompose::on_one_mesh(arguments),
        Action::Fit(arguments) => fit::fitted(arguments),
        Action::Convert(arguments) => convert(arguments),
    }
}

fn matrix(arguments: &MatrixArguments) -> Outcome {
    if arguments.chip_of_other_network && arguments.chip_file.is_none() && arguments.chip_errors.is_empty() {
        return Err(anyhow!("--chip-of-other-network is about --chip-file or --chip-errors; pass one of them"))
            .or_usage();
    }
    let phases = Phases::open(&arguments.phases, arguments.convention, arguments.method.as_deref())?;
    let own = chosen(&phases, arguments.mesh, &arguments.phases)?;
    let modes = own.mesh.modes() as f64;
    room("the matrix while its columns are multiplied", 2.0 * COMPLEX * modes * modes).or_usage()?;
    let share = own.mesh.mzis() as f64 * modes / ((SAMPLE * SAMPLE * (SAMPLE - 1) / 2) as f64);
    expected(&format!("multiplying the columns of {}", described(&own.mesh)), share, |mesh| {
        transfer_matrix(mesh, &vec![0.0; mesh.controls()], None).map(drop)
    })?;
    let described = described(&own.mesh);
    let matrix = if let Some(file) = &arguments.chip_file {
        of_chip(phases, arguments.mesh, file, network_files::owner(Some(arguments.chip_of_other_network)))?
    } else if arguments.chip_errors.is_empty() {
        transfer_matrix(&own.mesh, &own.controls, None)?
    } else {
        let convention = arguments.errors_convention.or(arguments.convention);
        let mesh = (arguments.mesh, &own.mesh);
        let owner = network_files::owner(Some(arguments.chip_of_other_network));
        let geometries = phases.geometries()?;
        let meshes: Vec<&Mesh> = geometries.iter().collect();
        let errors = read_mesh_errors(&arguments.chip_errors, convention, mesh, &meshes, owner)?;
        imperfect_transfer_matrix(&own.mesh, &own.controls, &errors)?
    };
    write_matrix(&arguments.out, &matrix)?;
    say(false, &format!("{}: {described}", arguments.out.display()));
    Ok(())
}

/// What mesh number `index` of the chip in `file` makes of `phases`.
fn of_chip(phases: Phases, index: usize, file: &Path, owner: Owner) -> Result<Array2<Complex64>> {
    let RunControls { network, controls, initial } = phases.whole()?;
    let mut notes = Notes::default();
    let fabrication = network_files::chip_of(file, &network, owner, &mut notes)?;
    let chip = Reference { network: &network, fabrication: &fabrication, first_controls: &initial, drift: &[] };
    let effective = chip.effective_controls(&controls)?;
    let (number, _) = network.placed_meshes().nth(index).context("a mesh")?;
    let start: usize = network.stages().take(number).map(Stage::controls).sum();
    let stage = network.stages().nth(number).context("a stage")?;
    let own = &effective[start..start + stage.controls()];
    results::field_matrix(stage, fabrication.stage(number), own).context("a mesh is linear")
}

fn chosen(phases: &Phases, index: usize, file: &Path) -> Outcome<ProgrammedMesh> {
    let known = match phases.count() {
        1 => "mesh 0 only".to_string(),
        count => format!("meshes 0 to {}", count - 1),
    };
    if index >= phases.count() {
        return Err(anyhow!("--mesh {index}: {} holds {known}", file.display())).or_usage();
    }
    Ok(phases.mesh(index)?)
}

/// Errs where so many bytes are not there.
fn room(what: &'static str, bytes: f64) -> Result<()> {
    let mut need = Need::default();
    need.fixed(what, bytes);
    need.check_or("run it where more is free")
}

/// Says what begins, and how long it takes where a person would wait: `share` times as long as `work` for a universal mesh of
/// [`SAMPLE`] modes.
fn expected(what: &str, share: f64, work: impl FnOnce(&Mesh) -> at_core::Result<()>) -> Result<()> {
    let mut seconds = 0.0;
    if share > 1.0 {
        let mesh = Mesh::rectangular(SAMPLE)?;
        let began = Instant::now();
        work(&mesh)?;
        seconds = share * began.elapsed().as_secs_f64();
    }
    say_expected(seconds, &mut Notes::default());
    let time = if seconds > 2.0 { format!(", about {} or more in all", duration(seconds)) } else { String::new() };
    activity::now(format!("{what}{time}"));
    Ok(())
}

fn convert(arguments: &ConvertArguments) -> Outcome {
    let opened = Phases::open(&arguments.phases, arguments.from, arguments.method.as_deref())?;
    let from_file = matches!(opened, Phases::File(_));
    let phases = match opened {
        Phases::File(_) => read_phases(&arguments.phases, arguments.from)?, // which also looks whose they are
        Phases::Run(meshes, _) => meshes,
    };
    let attenuators = if from_file { read_attenuators(&arguments.phases)? } else { None };
    write_with_attenuators(&arguments.out, arguments.to, &phases, attenuators.as_deref())?;
    say(false, &format!("{}: {} meshes in convention {}", arguments.out.display(), phases.len(), arguments.to));
    Ok(())
}

fn described(mesh: &Mesh) -> String {
    let layout = mesh.layout().name();
    format!("{layout} mesh of {} modes in {} columns", mesh.modes(), mesh.columns().len())
}
