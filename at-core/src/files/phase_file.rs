//! Phase files: the meshes of a network as an npz, in any known convention; and files of one chip's errors.
//!
//! | array | shape | what |
//! | --- | --- | --- |
//! | `meshK.theta`, `meshK.phi` | `[columns, ⌊N/2⌋]` | radians; an MZI's pair index is half its upper row, rounded down |
//! | `meshK.gamma` | `[N]` | radians |
//! | `convention` | text | `native`, `neurophox` or `dat-mpnn`; published files lack it |
//! | `meshK.layout` | text | `rectangular` or `triangular`; without it the mesh is rectangular |
//! | `meshK.dies` | `[1]` | dies of equal meshes side by side; without it one |
//!
//! K counts from 0. Entries without an MZI are written as 0 and not read. f32 and f64 are read, f64 is written.
//! A file of errors holds, for each mesh, any of `meshK.theta`, `meshK.phi`, `meshK.gamma` (added to the phases, radians) and
//! `meshK.split_left`, `meshK.split_right` (first and second coupler, in the convention's unit); what it lacks is zero.

use super::npz::{Npz, add_text};
use super::{Draft, atomic_write};
use crate::optics::{Convention, Layout, Mesh, MeshErrors};
use crate::{Error, Result};
use ndarray::{Array1, Array2};
use ndarray_npy::{NpzWriter, WriteNpzError};
use std::fmt::Debug;
use std::io::Error as IoError;
use std::path::Path;

/// A mesh and the phases it is told.
#[derive(Clone, Debug, PartialEq)]
pub struct ProgrammedMesh {
    /// Its geometry.
    pub mesh: Mesh,
    /// Native controls `[θ, φ, γ]` (radians).
    pub controls: Vec<f64>,
}

/// Reads the meshes of a phase file into native controls.
///
/// `convention` is needed where the file does not record one, and must not contradict it. Errs with [`Error::Malformed`],
/// naming the array, where something is missing, of wrong shape or not finite, or where an array is not known.
pub fn read_phases(path: &Path, convention: Option<Convention>) -> Result<Vec<ProgrammedMesh>> {
    let file = Npz::open(path)?;
    let convention = convention_of(&file, convention)?;
    let count = meshes_named(&file, &["theta", "phi", "gamma", "layout", "dies"])?;
    if count == 0 {
        return Err(Error::malformed(path, "it holds no mesh: array mesh0.gamma is missing"));
    }
    (0..count)
        .map(|index| {
            let gamma_name = format!("mesh{index}.gamma");
            let array = file.array(&gamma_name)?;
            let gamma = array.reals().map_err(|reason| file.malformed(&gamma_name, &reason))?;
            let &[modes] = array.shape() else {
                return Err(file.malformed(&gamma_name, &format!("expected one axis, got shape {:?}", array.shape())));
            };
            all_finite(&file, &gamma_name, gamma.iter().copied().enumerate())?;
            let mesh = geometry(&file, index, modes)?;
            let mut phases = table(&file, &format!("mesh{index}.theta"), &mesh)?;
            phases.extend(table(&file, &format!("mesh{index}.phi"), &mesh)?);
            phases.extend(gamma);
            let controls = convention.to_native(&mesh, &phases)?;
            Ok(ProgrammedMesh { mesh, controls })
        })
        .collect()
}

/// Writes native controls as a phase file in `convention`, atomically.
pub fn write_phases(path: &Path, convention: Convention, meshes: &[ProgrammedMesh]) -> Result<()> {
    let converted: Vec<Vec<f64>> =
        meshes.iter().map(|own| convention.from_native(&own.mesh, &own.controls)).collect::<Result<_>>()?;
    write(path, convention, |file| {
        for (index, (own, phases)) in meshes.iter().zip(&converted).enumerate() {
            let (theta, phi, gamma) = own.mesh.split(phases);
            file.add_array(format!("mesh{index}.theta"), &to_table(&own.mesh, theta))?;
            file.add_array(format!("mesh{index}.phi"), &to_table(&own.mesh, phi))?;
            file.add_array(format!("mesh{index}.gamma"), &Array1::from(gamma.to_vec()))?;
            add_geometry(file, index, &own.mesh)?;
        }
        Ok(())
    })
}

/// Reads a file of errors of the chip that `meshes` make, into native errors, one per mesh.
///
/// `convention` as for [`read_phases`]. Errs where an array is not known, belongs to a mesh that there is not, has a wrong
/// shape, is not finite, or where there is none at all.
pub fn read_errors(path: &Path, convention: Option<Convention>, meshes: &[&Mesh]) -> Result<Vec<MeshErrors>> {
    let file = Npz::open(path)?;
    let convention = convention_of(&file, convention)?;
    let count = meshes_named(&file, &["theta", "phi", "gamma", "split_left", "split_right", "layout", "dies"])?;
    if count == 0 || count > meshes.len() {
        let reason = format!("it holds errors of {count} meshes, the network has {}", meshes.len());
        return Err(Error::malformed(path, reason));
    }
    let has = |name: &str| file.names().any(|other| other == name);
    let mut all = Vec::with_capacity(meshes.len());
    for (index, mesh) in meshes.iter().enumerate() {
        if has(&format!("mesh{index}.layout")) {
            let recorded = geometry(&file, index, mesh.modes())?;
            if recorded.layout() != mesh.layout() {
                let reason = format!("the chip is {}", layout_name(mesh.layout()));
                return Err(file.malformed(&format!("mesh{index}.layout"), &reason));
            }
        }
        if has(&format!("mesh{index}.dies")) && dies(&file, index, mesh.modes())? != mesh.dies() {
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
            if has(&name) {
                *list = table(&file, &name, mesh)?;
            }
        }
        let name = format!("mesh{index}.gamma");
        if has(&name) {
            errors.gamma = shaped(&file, &name, &[mesh.modes()])?;
            all_finite(&file, &name, errors.gamma.iter().copied().enumerate())?;
        }
        let native = convention.errors_to_native(mesh, &errors);
        all.push(native.map_err(|failure| Error::malformed(path, format!("mesh{index}: {failure}")))?);
    }
    Ok(all)
}

/// Reads the errors of one chip from several files, which add up; none make a perfect chip. As [`read_errors`] otherwise.
pub fn read_chip(
    files: &[impl AsRef<Path>],
    convention: Option<Convention>,
    meshes: &[&Mesh],
) -> Result<Vec<MeshErrors>> {
    let mut chip: Vec<MeshErrors> = meshes.iter().map(|mesh| MeshErrors::none(mesh)).collect();
    for file in files {
        let errors = read_errors(file.as_ref(), convention, meshes)?;
        chip.iter_mut().zip(&errors).try_for_each(|(own, more)| own.add(more))?;
    }
    Ok(chip)
}

/// Writes native errors, one per mesh, as a file of errors in `convention` that [`read_errors`] reads, atomically.
pub fn write_errors(path: &Path, convention: Convention, chip: &[(&Mesh, &MeshErrors)]) -> Result<()> {
    let converted: Vec<MeshErrors> =
        chip.iter().map(|(mesh, errors)| convention.errors_from_native(mesh, errors)).collect::<Result<_>>()?;
    write(path, convention, |file| {
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
    arrays: impl FnOnce(&mut Writer) -> std::result::Result<(), WriteNpzError>,
) -> Result<()> {
    atomic_write(path, |writer| {
        let mut file = NpzWriter::new(writer);
        add_text(&mut file, "convention", convention.name()).map_err(IoError::other)?;
        arrays(&mut file).map_err(IoError::other)?;
        file.finish().map(drop).map_err(IoError::other)
    })
}

/// The convention of a file: recorded, given, or both and the same.
fn convention_of(file: &Npz, given: Option<Convention>) -> Result<Convention> {
    let name = "convention";
    if !file.names().any(|other| other == name) {
        let missing = "it does not record a convention; give one: --convention native, neurophox or dat-mpnn";
        return given.ok_or_else(|| Error::malformed(file.path(), missing));
    }
    let text = file.array(name)?.text().map_err(|reason| file.malformed(name, &reason))?;
    let recorded: Convention = text.parse().map_err(|failure: Error| file.malformed(name, &failure.to_string()))?;
    match given {
        Some(given) if given != recorded => Err(file.malformed(name, &format!("it is {recorded}, not {given}"))),
        _ => Ok(recorded),
    }
}

/// Checks that every array is `convention` or `meshK.` with one of `kinds`; returns 1 + the largest K, or 0.
fn meshes_named(file: &Npz, kinds: &[&str]) -> Result<usize> {
    let mut seen = std::collections::BTreeSet::new();
    for name in file.names().filter(|&name| name != "convention") {
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
    let layout = if file.names().any(|other| other == name) {
        let text = file.array(&name)?.text().map_err(|reason| file.malformed(&name, &reason))?;
        let known = [Layout::Rectangular, Layout::Triangular].into_iter().find(|&layout| layout_name(layout) == text);
        known.ok_or_else(|| file.malformed(&name, &format!("{text} is no layout; rectangular and triangular are")))?
    } else {
        Layout::Rectangular
    };
    let dies = dies(file, index, modes)?;
    let fit = |mesh: Result<Mesh>| {
        let mesh = mesh.and_then(|mesh| mesh.on_dies(dies));
        mesh.map_err(|failure| Error::malformed(file.path(), format!("mesh{index}: {failure}")))
    };
    if layout == Layout::Triangular || modes < 2 {
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
    if !file.names().any(|other| other == name) {
        return Ok(1);
    }
    let count = shaped(file, &name, &[1])?[0];
    if count >= 1.0 && count.fract() == 0.0 && modes.is_multiple_of(count as usize) {
        return Ok(count as usize);
    }
    Err(file.malformed(&name, &format!("{count} dies do not share {modes} modes evenly")))
}

fn add_geometry(file: &mut Writer, index: usize, mesh: &Mesh) -> std::result::Result<(), WriteNpzError> {
    if mesh.dies() > 1 {
        file.add_array(format!("mesh{index}.dies"), &Array1::from(vec![mesh.dies() as f64]))?;
    }
    add_text(file, &format!("mesh{index}.layout"), layout_name(mesh.layout()))
}

fn layout_name(layout: Layout) -> &'static str {
    match layout {
        Layout::Rectangular => "rectangular",
        Layout::Triangular => "triangular",
    }
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
    let used: Vec<f64> = mesh.positions().map(|(column, row)| values[column * pairs + row / 2]).collect();
    let places = mesh.positions().map(|(column, row)| (column, row / 2));
    all_finite(file, name, places.zip(used.iter().copied()))?;
    Ok(used)
}

fn to_table(mesh: &Mesh, values: &[f64]) -> Array2<f64> {
    let mut table = Array2::zeros((mesh.columns().len(), mesh.modes() / 2));
    for ((column, row), &value) in mesh.positions().zip(values) {
        table[[column, row / 2]] = value;
    }
    table
}

fn all_finite(file: &Npz, name: &str, mut values: impl Iterator<Item = (impl Debug, f64)>) -> Result<()> {
    match values.find(|(_, value)| !value.is_finite()) {
        Some((place, value)) => Err(file.malformed(name, &format!("its entry {place:?} is {value}"))),
        None => Ok(()),
    }
}
