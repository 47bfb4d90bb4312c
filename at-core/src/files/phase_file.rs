//! Phase files: the meshes of a network as an npz, in any known convention; and files of one chip's errors.
//!
//! | array | shape | what |
//! | --- | --- | --- |
//! | `meshK.theta`, `meshK.phi` | `[columns, ⌊N/2⌋]` | radians; an MZI's pair index is half its upper row, rounded down; its number in the column where the layout crosses waveguides |
//! | `meshK.gamma` | `[N]` | radians; `[1, N]` and `[N, 1]` are read too |
//! | `convention` | text | `native`, `neurophox` or `dat-mpnn`; published files lack it |
//! | `meshK.layout` | text | [`Layout::name`]; without it the mesh is rectangular |
//! | `meshK.pairs` | `[MZIs of a die, 3]` | of a custom layout: column, upper and lower mode of every MZI, column by column |
//! | `meshK.dies` | `[1]` | dies of equal meshes side by side; without it one |
//! | `attenuators0.attenuation` | `[M]` | radians; of a matrix by its singular values, what stands between mesh 0 and mesh 1: field transmission `gain sin(θ/2)` |
//! | `attenuators0.gain` | `[1]` | its gain |
//! | `network` | text | JSON: which meshes these are ([`Identity::of_meshes`]); published files lack it |
//!
//! K counts from 0. Entries without an MZI are written as 0 and not read. Numbers of every kind are read, f64 is written.
//! A file of errors holds, for each mesh, any of `meshK.theta`, `meshK.phi`, `meshK.gamma` (added to the phases, radians) and
//! `meshK.split_left`, `meshK.split_right` (first and second coupler, in the convention's unit); what it lacks is zero.

use super::npz::Npz;
use super::npz_draft::{NpzWriter, write_npz};
use super::whole::shown;
use super::{Draft, atomic_write};
use crate::network::{Identity, Owner};
use crate::optics::layout::{Layout, NAMED};
use crate::optics::{Convention, Mesh, MeshErrors};
use crate::{Error, Result};
use ndarray::{Array1, Array2};
use std::fmt::Debug;
use std::io;
use std::path::Path;

const CONVENTION: &str = "convention";
const NETWORK: &str = "network";
const ATTENUATION: &str = "attenuators0.attenuation";
const GAIN: &str = "attenuators0.gain";

/// A mesh and the phases it is told.
#[derive(Clone, Debug, PartialEq)]
pub struct ProgrammedMesh {
    /// Its geometry.
    pub mesh: Mesh,
    /// Native controls `[θ, φ, γ]` (radians).
    pub controls: Vec<f64>,
}

/// An open phase file, of which each mesh is read when it is asked for.
#[derive(Debug)]
pub struct PhaseFile {
    file: Npz,
    convention: Convention,
    meshes: usize,
}

impl PhaseFile {
    /// Opens a file and looks what it holds.
    ///
    /// `convention` is needed where the file does not record one, and must not contradict it. Errs with [`Error::Malformed`],
    /// naming the array, where an array is not known, or where there is no mesh.
    pub fn open(path: &Path, convention: Option<Convention>) -> Result<Self> {
        let file = Npz::open(path)?;
        let convention = convention_of(&file, convention)?;
        let meshes = meshes_named(&file, &["theta", "phi", "gamma", "layout", "pairs", "dies"])?;
        if meshes == 0 {
            return Err(Error::malformed(path, "it holds no mesh: array mesh0.gamma is missing"));
        }
        Ok(PhaseFile { file, convention, meshes })
    }

    /// Number of meshes.
    pub fn meshes(&self) -> usize {
        self.meshes
    }

    /// Reads mesh number `index`, its geometry and its native controls, and no other. Errs with [`Error::Malformed`], naming
    /// the array, where something is missing, of wrong shape or not finite.
    pub fn mesh(&self, index: usize) -> Result<ProgrammedMesh> {
        let (mesh, gamma) = self.geometry_and_gamma(index)?;
        let mut phases = table(&self.file, &format!("mesh{index}.theta"), &mesh)?;
        phases.extend(table(&self.file, &format!("mesh{index}.phi"), &mesh)?);
        phases.extend(gamma);
        let controls = self.convention.to_native(&mesh, &phases)?;
        Ok(ProgrammedMesh { mesh, controls })
    }

    /// The geometries of all meshes.
    pub fn geometries(&self) -> Result<Vec<Mesh>> {
        (0..self.meshes).map(|index| self.geometry_and_gamma(index).map(|(mesh, _)| mesh)).collect()
    }

    fn geometry_and_gamma(&self, index: usize) -> Result<(Mesh, Vec<f64>)> {
        let name = format!("mesh{index}.gamma");
        let array = self.file.array(&name)?;
        let modes = length(array.shape()).ok_or_else(|| {
            let wanted = format!("expected a vector of shape [N], [1, N] or [N, 1], got {:?}", array.shape());
            self.file.malformed(&name, &wanted)
        })?;
        let gamma = array.reals().map_err(|reason| self.file.malformed(&name, &reason))?;
        all_finite(&self.file, &name, gamma.iter().copied().enumerate())?;
        Ok((geometry(&self.file, index, modes)?, gamma))
    }
}

/// Reads all meshes of a phase file into native controls; errs as [`PhaseFile::open`] and [`PhaseFile::mesh`] do.
pub fn read_phases(path: &Path, convention: Option<Convention>) -> Result<Vec<ProgrammedMesh>> {
    let file = PhaseFile::open(path, convention)?;
    let read: Vec<ProgrammedMesh> = (0..file.meshes()).map(|index| file.mesh(index)).collect::<Result<_>>()?;
    let held = Identity::of_meshes(read.iter().map(|own| &own.mesh));
    match recorded_meshes(&file.file)? {
        Some(recorded) if !recorded.is(&held) => {
            Err(file.file.malformed(NETWORK, &format!("it says {recorded}, but the arrays are those of {held}")))
        }
        Some(_) | None => Ok(read),
    }
}

/// The controls `[θ_k.., g]` of the attenuators between the first two meshes of a phase file, where it holds some.
pub fn read_attenuators(path: &Path) -> Result<Option<Vec<f64>>> {
    let file = Npz::open(path)?;
    if !file.has(ATTENUATION) && !file.has(GAIN) {
        return Ok(None);
    }
    let array = file.array(ATTENUATION)?;
    let wrong = || file.malformed(ATTENUATION, &format!("expected a vector, got {:?}", array.shape()));
    let mut controls = vector(&file, ATTENUATION, length(array.shape()).ok_or_else(wrong)?)?;
    controls.extend(vector(&file, GAIN, 1)?);
    all_finite(&file, ATTENUATION, controls.iter().copied().enumerate())?;
    Ok(Some(controls))
}

/// Writes native controls as a phase file in `convention`, atomically.
pub fn write_phases(path: &Path, convention: Convention, meshes: &[ProgrammedMesh]) -> Result<()> {
    write_with_attenuators(path, convention, meshes, None)
}

/// [`write_phases`], with the controls `[θ_k.., g]` of attenuators between the first two meshes, where there are some.
pub fn write_with_attenuators(
    path: &Path,
    convention: Convention,
    meshes: &[ProgrammedMesh],
    attenuators: Option<&[f64]>,
) -> Result<()> {
    let converted: Vec<Vec<f64>> =
        meshes.iter().map(|own| convention.from_native(&own.mesh, &own.controls)).collect::<Result<_>>()?;
    write(path, convention, Identity::of_meshes(meshes.iter().map(|own| &own.mesh)), |file| {
        for (index, (own, phases)) in meshes.iter().zip(&converted).enumerate() {
            let (theta, phi, gamma) = own.mesh.split(phases);
            file.add_array(format!("mesh{index}.theta"), &to_table(&own.mesh, theta))?;
            file.add_array(format!("mesh{index}.phi"), &to_table(&own.mesh, phi))?;
            file.add_array(format!("mesh{index}.gamma"), &Array1::from(gamma.to_vec()))?;
            add_geometry(file, index, &own.mesh)?;
        }
        if let Some((gain, angles)) = attenuators.and_then(<[f64]>::split_last) {
            file.add_array(ATTENUATION, &Array1::from(angles.to_vec()))?;
            file.add_array(GAIN, &Array1::from(vec![*gain]))?;
        }
        Ok(())
    })
}

/// Reads a file of errors of the chip that `meshes` make, into native errors, one per mesh.
///
/// `convention` as for [`PhaseFile::open`]. Errs where an array is not known, belongs to a mesh that there is not, has a wrong
/// shape, is not finite, where there is none at all, and, unless the `owner` may be another network, where the file says that
/// it is of other meshes or holds fewer: those that it lacks are then perfect.
pub fn read_errors(
    path: &Path,
    convention: Option<Convention>,
    meshes: &[&Mesh],
    owner: Owner,
) -> Result<Vec<MeshErrors>> {
    let file = ErrorFile::open(path, convention, meshes, owner)?;
    meshes.iter().enumerate().map(|(index, mesh)| file.errors(index, mesh)).collect()
}

/// An open file of errors.
struct ErrorFile {
    file: Npz,
    convention: Convention,
}

impl ErrorFile {
    fn open(path: &Path, convention: Option<Convention>, meshes: &[&Mesh], owner: Owner) -> Result<Self> {
        let file = Npz::open(path)?;
        let convention = convention_of(&file, convention)?;
        let own = Identity::of_meshes(meshes.iter().copied());
        let count = meshes_of(&file)?;
        if let (Owner::ThisNetwork, Some(other)) = (owner, recorded_meshes(&file)?.filter(|other| !other.is(&own))) {
            let ours = meshes.len();
            let reason = format!(
                "it holds errors of {count} meshes, {other}, the network has {ours}, {own}; pass `chip-of-other-network` to \
                 take what fits"
            );
            return Err(Error::malformed(path, reason));
        }
        let fewer = count < meshes.len();
        if count == 0 || count > meshes.len() || (fewer && owner == Owner::ThisNetwork) {
            let remedy =
                if fewer && count > 0 { "; pass `chip-of-other-network` to leave the others perfect" } else { "" };
            let reason = format!("it holds errors of {count} meshes, the network has {}, {own}{remedy}", meshes.len());
            return Err(Error::malformed(path, reason));
        }
        Ok(ErrorFile { file, convention })
    }

    /// Native errors of mesh number `index`.
    fn errors(&self, index: usize, mesh: &Mesh) -> Result<MeshErrors> {
        let file = &self.file;
        if file.has(&format!("mesh{index}.layout")) {
            let recorded = geometry(file, index, mesh.modes())?;
            if recorded.layout() != mesh.layout() {
                let reason = format!("the chip is {}", mesh.layout().name());
                return Err(file.malformed(&format!("mesh{index}.layout"), &reason));
            }
        }
        if file.has(&format!("mesh{index}.dies")) && dies(file, index, mesh.modes())? != mesh.dies() {
            let reason = format!("the chip has {}", mesh.dies());
            return Err(file.malformed(&format!("mesh{index}.dies"), &reason));
        }
        let mut errors = MeshErrors::none(mesh);
        let lists = [
            ("split_left", &mut errors.first_coupler),
            ("split_right", &mut errors.second_coupler),
            ("theta", &mut errors.theta),
            ("phi", &mut errors.phi),
        ];
        for (kind, list) in lists {
            let name = format!("mesh{index}.{kind}");
            if file.has(&name) {
                *list = table(file, &name, mesh)?;
            }
        }
        let name = format!("mesh{index}.gamma");
        if file.has(&name) {
            errors.gamma = vector(file, &name, mesh.modes())?;
            all_finite(file, &name, errors.gamma.iter().copied().enumerate())?;
        }
        let native = self.convention.errors_to_native(mesh, &errors);
        native.map_err(|failure| Error::malformed(file.path(), format!("mesh{index}: {failure}")))
    }
}

/// Reads the errors of one chip from several files, which add up; none make a perfect chip. As [`read_errors`] otherwise.
pub fn read_chip(
    files: &[impl AsRef<Path>],
    convention: Option<Convention>,
    meshes: &[&Mesh],
    owner: Owner,
) -> Result<Vec<MeshErrors>> {
    let mut chip: Vec<MeshErrors> = meshes.iter().map(|mesh| MeshErrors::none(mesh)).collect();
    for file in files {
        let errors = read_errors(file.as_ref(), convention, meshes, owner)?;
        chip.iter_mut().zip(&errors).try_for_each(|(own, more)| own.add(more))?;
    }
    Ok(chip)
}

/// The errors of mesh number `index` alone, of a chip of `meshes`, as [`read_chip`] reads those of all.
pub fn read_mesh_errors(
    files: &[impl AsRef<Path>],
    convention: Option<Convention>,
    (index, mesh): (usize, &Mesh),
    meshes: &[&Mesh],
    owner: Owner,
) -> Result<MeshErrors> {
    let mut own = MeshErrors::none(mesh);
    for file in files {
        own.add(&ErrorFile::open(file.as_ref(), convention, meshes, owner)?.errors(index, mesh)?)?;
    }
    Ok(own)
}

/// Writes native errors, one per mesh, as a file of errors in `convention` that [`read_errors`] reads, atomically.
pub fn write_errors(path: &Path, convention: Convention, chip: &[(&Mesh, &MeshErrors)]) -> Result<()> {
    let converted: Vec<MeshErrors> =
        chip.iter().map(|(mesh, errors)| convention.errors_from_native(mesh, errors)).collect::<Result<_>>()?;
    write(path, convention, Identity::of_meshes(chip.iter().map(|(mesh, _)| *mesh)), |file| {
        for (index, ((mesh, _), errors)) in chip.iter().zip(&converted).enumerate() {
            let tables = [
                ("split_left", &errors.first_coupler),
                ("split_right", &errors.second_coupler),
                ("theta", &errors.theta),
                ("phi", &errors.phi),
            ];
            for (kind, list) in tables {
                file.add_array(format!("mesh{index}.{kind}"), &to_table(mesh, list))?;
            }
            file.add_array(format!("mesh{index}.gamma"), &Array1::from(errors.gamma.clone()))?;
            add_geometry(file, index, mesh)?;
        }
        Ok(())
    })
}

type Writer<'a, 'b> = NpzWriter<&'a mut Draft<'b>>;

fn write(
    path: &Path,
    convention: Convention,
    meshes: Identity,
    arrays: impl FnOnce(&mut Writer) -> io::Result<()>,
) -> Result<()> {
    let meshes = serde_json::to_string(&meshes).map_err(|failure| Error::file(path, failure.into()))?;
    atomic_write(path, |writer| {
        write_npz(writer, |file| {
            file.add_text(CONVENTION, convention.name())?;
            file.add_text(NETWORK, &meshes)?;
            arrays(file)
        })
    })
}

/// The convention of a file: recorded, given, or both and the same.
fn convention_of(file: &Npz, given: Option<Convention>) -> Result<Convention> {
    let name = CONVENTION;
    if !file.has(name) {
        let missing = "it does not record a convention; give one: `convention` native, neurophox or dat-mpnn";
        return given.ok_or_else(|| Error::malformed(file.path(), missing));
    }
    let text = file.array(name)?.text().map_err(|reason| file.malformed(name, &reason))?;
    let recorded: Convention =
        shown(&text).parse().map_err(|failure: Error| file.malformed(name, &failure.to_string()))?;
    match given {
        Some(given) if given != recorded => Err(file.malformed(name, &format!("it is {recorded}, not {given}"))),
        _ => Ok(recorded),
    }
}

/// The meshes to which the file says that it belongs, where it does.
fn recorded_meshes(file: &Npz) -> Result<Option<Identity>> {
    if !file.names().any(|name| name == NETWORK) {
        return Ok(None);
    }
    let text = file.array(NETWORK)?.text().map_err(|reason| file.malformed(NETWORK, &reason))?;
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|failure| file.malformed(NETWORK, &failure.to_string().replace('`', "'")))
}

/// Meshes of which a file has errors, as in [`meshes_named`].
fn meshes_of(file: &Npz) -> Result<usize> {
    meshes_named(file, &["theta", "phi", "gamma", "split_left", "split_right", "layout", "pairs", "dies"])
}

/// Checks that every array is `convention`, `network` or `meshK.` with one of `kinds`; returns 1 + the largest K, or 0.
fn meshes_named(file: &Npz, kinds: &[&str]) -> Result<usize> {
    let mut seen = std::collections::BTreeSet::new();
    for name in file.names().filter(|&name| ![CONVENTION, NETWORK, ATTENUATION, GAIN].contains(&name)) {
        let known =
            name.strip_prefix("mesh").and_then(|rest| rest.split_once('.')).filter(|(_, kind)| kinds.contains(kind));
        let index =
            known.and_then(|(index, _)| index.parse::<usize>().ok().filter(|number| number.to_string() == index));
        let expected = || format!("not known here; expected mesh0.{{{}}}, mesh1…, convention", kinds.join(","));
        seen.insert(index.ok_or_else(|| file.malformed(name, &expected()))?);
    }
    Ok(seen.last().map_or(0, |last| last.saturating_add(1)))
}

/// The mesh number `index`, whose columns are counted by theta's rows.
fn geometry(file: &Npz, index: usize, modes: usize) -> Result<Mesh> {
    let name = format!("mesh{index}.layout");
    let layout = if file.has(&name) {
        let text = file.array(&name)?.text().map_err(|reason| file.malformed(&name, &reason))?;
        Layout::named(&text).ok_or_else(|| {
            let known = NAMED.map(Layout::name).join(", ");
            file.malformed(&name, &format!("{} is no layout; {known} and custom are", shown(&text)))
        })?
    } else {
        Layout::Rectangular
    };
    let dies = dies(file, index, modes)?;
    let fit = |mesh: Result<Mesh>| {
        let mesh = mesh.and_then(|mesh| mesh.on_dies(dies));
        mesh.map_err(|failure| Error::malformed(file.path(), format!("mesh{index}: {failure}")))
    };
    if layout == Layout::Custom {
        return fit(Mesh::of_columns(modes / dies, &listed_columns(file, index)?));
    }
    if layout != Layout::Rectangular || modes < 2 {
        return fit(Mesh::universal(modes / dies, layout));
    }
    let name = format!("mesh{index}.theta");
    match *file.array(&name)?.shape() {
        [columns, pairs] if pairs == modes / 2 => fit(Mesh::truncated(modes / dies, columns)),
        ref got => Err(file.malformed(&name, &format!("expected shape [columns, {}], got {got:?}", modes / 2))),
    }
}

/// The number of dies of mesh `index`: a divisor of its modes.
fn dies(file: &Npz, index: usize, modes: usize) -> Result<usize> {
    let name = format!("mesh{index}.dies");
    if !file.has(&name) {
        return Ok(1);
    }
    let count = vector(file, &name, 1)?[0];
    if count >= 1.0 && count.fract() == 0.0 && modes.is_multiple_of(count as usize) {
        return Ok(count as usize);
    }
    Err(file.malformed(&name, &format!("{count} dies do not share {modes} modes evenly")))
}

fn add_geometry(file: &mut Writer, index: usize, mesh: &Mesh) -> io::Result<()> {
    if mesh.dies() > 1 {
        file.add_array(format!("mesh{index}.dies"), &Array1::from(vec![mesh.dies() as f64]))?;
    }
    if mesh.layout() == Layout::Custom {
        let columns = mesh.die_columns().into_iter().enumerate();
        let rows = columns.flat_map(|(column, pairs)| pairs.into_iter().flat_map(move |[a, b]| [column, a, b]));
        let rows: Vec<f64> = rows.map(|number| number as f64).collect();
        let table = Array2::from_shape_fn((rows.len() / 3, 3), |(row, column)| rows[3 * row + column]);
        file.add_array(format!("mesh{index}.pairs"), &table)?;
    }
    file.add_text(&format!("mesh{index}.layout"), mesh.layout().name())
}

/// The columns of a custom mesh.
fn listed_columns(file: &Npz, index: usize) -> Result<Vec<Vec<[usize; 2]>>> {
    let name = format!("mesh{index}.pairs");
    let array = file.array(&name)?;
    let &[_, 3] = array.shape() else {
        return Err(file.malformed(&name, &format!("expected shape [MZIs, 3], got {:?}", array.shape())));
    };
    let numbers = array.reals().map_err(|reason| file.malformed(&name, &reason))?;
    let mut columns: Vec<Vec<[usize; 2]>> = Vec::new();
    for (place, row) in numbers.chunks_exact(3).enumerate() {
        if let Some(number) = row.iter().find(|number| !(**number >= 0.0 && number.fract() == 0.0 && **number < 1e9)) {
            return Err(file.malformed(&name, &format!("its row {place} holds {number}, which counts nothing")));
        }
        let [column, upper, lower] = [row[0], row[1], row[2]].map(|number| number as usize);
        if column == columns.len() {
            columns.push(Vec::new());
        }
        if column + 1 != columns.len() {
            return Err(file.malformed(&name, &format!("its row {place} leaves the order of columns")));
        }
        columns[column].push([upper, lower]);
    }
    Ok(columns)
}

/// The length of a vector, which may lie in a matrix of one row or one column, or be a single number.
fn length(shape: &[usize]) -> Option<usize> {
    match *shape {
        [] => Some(1),
        [length] | [1, length] | [length, 1] => Some(length),
        _ => None,
    }
}

/// A vector of so many numbers.
fn vector(file: &Npz, name: &str, expected: usize) -> Result<Vec<f64>> {
    let array = file.array(name)?;
    if length(array.shape()) != Some(expected) {
        return Err(file.malformed(name, &format!("expected shape [{expected}], got {:?}", array.shape())));
    }
    array.reals().map_err(|reason| file.malformed(name, &reason))
}

/// An array that must have `shape`.
fn shaped(file: &Npz, name: &str, shape: &[usize]) -> Result<Vec<f64>> {
    let array = file.array(name)?;
    if array.shape() != shape {
        return Err(file.malformed(name, &format!("expected shape {shape:?}, got {:?}", array.shape())));
    }
    array.reals().map_err(|reason| file.malformed(name, &reason))
}

/// The entries of a [column, pair] table that belong to an MZI, in the order of the mesh.
fn table(file: &Npz, name: &str, mesh: &Mesh) -> Result<Vec<f64>> {
    let pairs = mesh.modes() / 2;
    let values = shaped(file, name, &[mesh.columns().len(), pairs])?;
    let used: Vec<f64> = mesh.table_places().map(|[column, pair]| values[column * pairs + pair]).collect();
    let places = mesh.table_places().map(|[column, pair]| (column, pair));
    all_finite(file, name, places.zip(used.iter().copied()))?;
    Ok(used)
}

fn to_table(mesh: &Mesh, values: &[f64]) -> Array2<f64> {
    let mut table = Array2::zeros((mesh.columns().len(), mesh.modes() / 2));
    for (place, &value) in mesh.table_places().zip(values) {
        table[place] = value;
    }
    table
}

fn all_finite(file: &Npz, name: &str, mut values: impl Iterator<Item = (impl Debug, f64)>) -> Result<()> {
    match values.find(|(_, value)| !value.is_finite()) {
        Some((place, value)) => Err(file.malformed(name, &format!("its entry {place:?} is {value}"))),
        None => Ok(()),
    }
}
