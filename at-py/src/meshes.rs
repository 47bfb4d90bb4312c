//! The mesh tools: phases from matrices, matrices from phases, one convention from another.

use crate::failure::{Raised, usage};
use at_core::files::phase_file::{ProgrammedMesh, read_phases, write_phases};
use at_core::optics::fit::Search;
use at_core::optics::layout::{Columns, Layout, NAMED};
use at_core::optics::{self, Convention, Mesh};
use ndarray::Array2;
use num_complex::Complex64;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use std::path::PathBuf;

fn layout(text: &str) -> PyResult<Layout> {
    let unknown = || usage(format!("unknown layout {text:?}; known: {}, custom", NAMED.map(Layout::name).join(", ")));
    Layout::named(text).ok_or_else(unknown)
}

fn convention(text: &str) -> PyResult<Convention> {
    text.parse::<Convention>().map_err(|error| usage(error.to_string()))
}

/// A mesh of so many modes; a rectangular one may have `columns` of its own, a custom one has the `pairs` of every column.
fn geometry(modes: usize, named: &str, columns: Option<usize>, pairs: Option<&Columns>) -> PyResult<Mesh> {
    match (layout(named)?, columns, pairs) {
        (Layout::Custom, _, Some(pairs)) => Mesh::of_columns(modes, pairs).raised(),
        (Layout::Custom, _, None) => Err(usage("a custom mesh needs the pairs of modes of every column")),
        (_, _, Some(_)) => Err(usage("only a custom mesh is told its pairs")),
        (Layout::Rectangular, Some(columns), None) => Mesh::truncated(modes, columns).raised(),
        (_, Some(_), None) => Err(usage("only a rectangular mesh can have a number of columns")),
        (layout, None, None) => Mesh::universal(modes, layout).raised(),
    }
}

/// Controls `[θ, φ, γ]` with which a mesh makes `unitary`, as phases of `named`; a rectangular one may have `columns` of its own. With `embed`
/// the mesh is a diamond that has `unitary` on its lower modes.
#[pyfunction]
pub fn decompose<'py>(
    py: Python<'py>,
    unitary: PyReadonlyArray2<'py, Complex64>,
    layout_named: &str,
    columns: Option<usize>,
    embed: bool,
    named: &str,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let (layout, convention, mut unitary) = (layout(layout_named)?, convention(named)?, unitary.as_array().to_owned());
    if embed {
        if layout != Layout::Diamond {
            return Err(usage("embed is about the layout diamond; the others make every unitary of their modes"));
        }
        unitary = optics::embedded_in_diamond(&unitary).raised()?;
    }
    let deep = columns.map(|columns| geometry(unitary.nrows(), layout_named, Some(columns), None)).transpose()?;
    let phases = py.detach(|| match &deep {
        Some(mesh) => convention.from_native(mesh, &optics::decompose_onto(&unitary, mesh)?),
        None => {
            let controls = optics::decompose(&unitary, layout)?;
            convention.from_native(&Mesh::universal(unitary.nrows(), layout)?, &controls)
        }
    });
    Ok(PyArray1::from_vec(py, phases.raised()?))
}

/// The matrix of a mesh at these phases of `named`.
#[pyfunction]
pub fn mesh_matrix<'py>(
    py: Python<'py>,
    phases: PyReadonlyArray1<'py, f64>,
    modes: usize,
    layout_named: &str,
    columns: Option<usize>,
    pairs: Option<Columns>,
    named: &str,
) -> PyResult<Bound<'py, PyArray2<Complex64>>> {
    let (mesh, convention, phases) =
        (geometry(modes, layout_named, columns, pairs.as_ref())?, convention(named)?, phases.as_array().to_vec());
    let matrix: at_core::Result<Array2<Complex64>> =
        py.detach(|| optics::transfer_matrix(&mesh, &convention.to_native(&mesh, &phases)?, None));
    Ok(matrix.raised()?.into_pyarray(py))
}

/// The same mesh, whose phases are of `named`, in the convention `to`.
#[pyfunction]
pub fn convert<'py>(
    py: Python<'py>,
    phases: PyReadonlyArray1<'py, f64>,
    modes: usize,
    layout_named: &str,
    columns: Option<usize>,
    pairs: Option<Columns>,
    named: &str,
    to: &str,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let (mesh, from, to) =
        (geometry(modes, layout_named, columns, pairs.as_ref())?, convention(named)?, convention(to)?);
    let phases = phases.as_array().to_vec();
    let converted = py.detach(|| to.from_native(&mesh, &from.to_native(&mesh, &phases)?));
    Ok(PyArray1::from_vec(py, converted.raised()?))
}

/// Native controls with which a mesh comes nearest to `target`, and the fidelity.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "they are the settings of the search")]
pub fn fit<'py>(
    py: Python<'py>,
    target: PyReadonlyArray2<'py, Complex64>,
    layout_named: &str,
    columns: Option<usize>,
    pairs: Option<Columns>,
    steps: usize,
    starts: usize,
    seed: u64,
) -> PyResult<(Bound<'py, PyArray1<f64>>, f64)> {
    let target = target.as_array().to_owned();
    let mesh = geometry(target.nrows(), layout_named, columns, pairs.as_ref())?;
    let search = Search { steps, starts, seed };
    let found = py.detach(|| optics::fit::fit(&mesh, &target, &search, |_, _, _| ())).raised()?;
    Ok((PyArray1::from_vec(py, found.controls), found.fidelity))
}

/// Controls of the mesh for Vᴴ, of the attenuators and of the mesh for U, and the gain, with which they make `matrix`.
#[pyfunction]
pub fn singular_values<'py>(
    py: Python<'py>,
    matrix: PyReadonlyArray2<'py, Complex64>,
    layout_named: &str,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let (layout, matrix) = (layout(layout_named)?, matrix.as_array().to_owned());
    Ok(PyArray1::from_vec(py, py.detach(|| optics::singular_value_controls(&matrix, layout)).raised()?))
}

/// A mesh as Python gets it: modes, layout, columns, the pairs of a custom one, and native controls.
type ReadMesh<'py> = (usize, &'static str, usize, Option<Columns>, Bound<'py, PyArray1<f64>>);

/// The meshes of a phase file.
#[pyfunction]
pub fn read_meshes<'py>(py: Python<'py>, path: PathBuf, named: Option<&str>) -> PyResult<Vec<ReadMesh<'py>>> {
    let read = read_phases(&path, named.map(convention).transpose()?).raised()?;
    if let Some(own) = read.iter().find(|own| own.mesh.dies() > 1) {
        return Err(usage(format!(
            "{}: a mesh on {} dies is not read here; use asyt mesh",
            path.display(),
            own.mesh.dies()
        )));
    }
    let shown = |own: ProgrammedMesh| {
        let ProgrammedMesh { mesh, controls } = own;
        let pairs = (mesh.layout() == Layout::Custom).then(|| mesh.die_columns());
        (mesh.modes(), mesh.layout().name(), mesh.columns().len(), pairs, PyArray1::from_vec(py, controls))
    };
    Ok(read.into_iter().map(shown).collect())
}

/// Modes, layout, columns, the pairs of a custom mesh, and native controls, as Python gives them.
type WrittenMesh<'py> = (usize, String, usize, Option<Columns>, PyReadonlyArray1<'py, f64>);

/// Writes meshes as a phase file in the convention `named`.
#[pyfunction]
pub fn write_meshes(path: PathBuf, named: &str, meshes: Vec<WrittenMesh<'_>>) -> PyResult<()> {
    let programmed = meshes.into_iter().map(|(modes, named, columns, pairs, controls)| {
        let columns = (named == "rectangular").then_some(columns);
        Ok(ProgrammedMesh {
            mesh: geometry(modes, &named, columns, pairs.as_ref())?,
            controls: controls.as_array().to_vec(),
        })
    });
    let programmed = programmed.collect::<PyResult<Vec<_>>>()?;
    write_phases(&path, convention(named)?, &programmed).raised()
}
