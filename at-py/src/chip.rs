//! A simulated chip, and its model: what light does in it, matrix by matrix and layer by layer.

use crate::arrays::{Kind, Scalar, array, samples, table, vector};
use crate::failure::{Raised, usage};
use crate::model::Model;
use at_cli::library::{self, Failure, Outcome, Plan};
use at_core::chip::{Chip as Simulated, Physical};
use at_core::cpu::Cpu;
use at_core::fabrication::Fabrication;
use at_core::files::chip_file::write_chip;
use at_core::network::{Network, Signal};
use at_core::propagator::{Bidirectional, Direction, Monitor, Propagator, TapAccess};
use numpy::{PyArray1, PyArray2};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A chip of a network, drawn from a kind.
#[pyclass(frozen, module = "asyt._asyt")]
pub struct Chip {
    plan: Plan,
    network: Network,
    fabrication: Fabrication,
    inside: Inside,
}

/// The simulation, in one of two precisions.
enum Inside {
    F32(Mutex<Simulated<Cpu<f32>>>),
    F64(Mutex<Simulated<Cpu<f64>>>),
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does the same with a chip of either precision.
macro_rules! either {
    ($inside:expr, $function:ident ( $($argument:expr),* )) => {
        match $inside {
            Inside::F32(chip) => $function::<f32>(chip, $($argument),*),
            Inside::F64(chip) => $function::<f64>(chip, $($argument),*),
        }
    };
}

#[pymethods]
impl Chip {
    /// The chip of these settings (TOML), whose network needs no data to be known. `double` computes in f64.
    #[new]
    fn new(py: Python<'_>, settings: &str, double: bool) -> PyResult<Self> {
        py.detach(|| {
            let given = library::parse(settings).map_err(Failure::Usage)?;
            let (mut plan, network) = library::design(library::resolved(&given)?.0)?;
            plan.read_files(&network)?;
            let fabrication = plan.fabricate(&network, plan.settings.chip_seed.unwrap_or_default())?;
            let inside = if double {
                Inside::F64(Mutex::new(Simulated::new(&Cpu::new(), &network, &fabrication)?))
            } else {
                Inside::F32(Mutex::new(Simulated::new(&Cpu::new(), &network, &fabrication)?))
            };
            Outcome::Ok(Chip { plan, network, fabrication, inside })
        })
        .raised()
    }

    /// Numbers that describe it.
    fn facts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let facts = PyDict::new(py);
        let input = self.network.input();
        facts.set_item("controls", self.network.controls())?;
        facts.set_item("inputs", input.modes)?;
        facts.set_item("complex_inputs", input.complex)?;
        facts.set_item("outputs", self.network.outputs())?;
        facts.set_item("layers", self.network.layers().len())?;
        facts.set_item("meshes", self.network.meshes().map(|mesh| mesh.modes()).collect::<Vec<_>>())?;
        facts.set_item("kind", self.plan.chip())?;
        facts.set_item("seed", self.plan.settings.chip_seed.unwrap_or_default())?;
        let imperfections = self.plan.imperfections_of(&self.network).map_err(Failure::Usage).raised()?;
        facts.set_item("imperfections", imperfections)?;
        facts.set_item("notes", self.plan.notes.clone())?;
        Ok(facts)
    }

    /// The controls from which a training with these settings starts.
    fn initial_controls<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        Ok(PyArray1::from_vec(py, py.detach(|| self.plan.initial_controls(&self.network)).raised()?))
    }

    /// Sets all controls.
    fn program(&self, py: Python<'_>, controls: &Bound<'_, PyAny>) -> PyResult<()> {
        let controls = vector::<f64>(controls, self.network.controls(), "controls")?;
        let controls = &controls[..];
        py.detach(|| either!(&self.inside, program(controls))).raised()
    }

    /// Sends fields `[batch, modes]` and reads `[batch, outputs]`; with `hidden` what leaves every layer, the last one's is the readout.
    fn propagate<'py>(
        &self,
        py: Python<'py>,
        fields: &Bound<'py, PyAny>,
        hidden: bool,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        either!(&self.inside, propagate(py, &self.network, fields, hidden))
    }

    /// What every mesh does to fields, `[output, input]`, as it is programmed now: with its errors and losses.
    fn transfer_matrices<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        either!(&self.inside, transfer_matrices(py, &self.network))
    }

    /// Voltages as a share of full scale, per control; `nan` where a control is no heater with a range.
    fn voltages<'py>(&self, py: Python<'py>, controls: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let controls = vector::<f64>(controls, self.network.controls(), "controls")?;
        let voltage =
            |(index, &control): (usize, &f64)| self.fabrication.control.voltage(index, control).unwrap_or(f64::NAN);
        Ok(PyArray1::from_vec(py, controls.iter().enumerate().map(voltage).collect()))
    }

    /// The imperfections of this individual: of every stage its vectors by name. A simulator may look; methods do not.
    fn errors<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let stage = |index: usize| {
            let errors = PyDict::new(py);
            for (name, values) in self.fabrication.stage(index).iter() {
                errors.set_item(name, PyArray1::from_slice(py, values))?;
            }
            Ok(errors)
        };
        (0..self.network.stages().count()).map(stage).collect()
    }

    /// Per mesh (θ, φ, γ) of `controls`: tables `[column, pair]` with `nan` where there is no interferometer, and a vector.
    fn phases<'py>(&self, py: Python<'py>, controls: &Bound<'py, PyAny>) -> PyResult<Vec<MeshPhases<'py>>> {
        let controls = vector::<f64>(controls, self.network.controls(), "controls")?;
        let (mut offset, mut all) = (0, Vec::new());
        for stage in self.network.stages() {
            let own = &controls[offset..offset + stage.controls()];
            offset += stage.controls();
            let at_core::network::Stage::Mesh(mesh) = stage else { continue };
            let (theta, phi, gamma) = mesh.split(own);
            let shape = [mesh.columns().len(), mesh.modes() / 2];
            let grid = |values: &[f64]| {
                let mut grid = vec![f64::NAN; shape[0] * shape[1]];
                for (&value, [column, pair]) in values.iter().zip(mesh.table_places()) {
                    grid[column * shape[1] + pair] = value;
                }
                table(py, grid, shape)
            };
            all.push((grid(theta)?, grid(phi)?, PyArray1::from_slice(py, gamma)));
        }
        Ok(all)
    }

    /// Writes this individual, for `chip_file`.
    fn save(&self, path: PathBuf) -> PyResult<()> {
        write_chip(&path, &self.network, &self.fabrication).raised()
    }

    /// The network with this chip's imperfections, or none (`ideal`), with the way back.
    fn model(&self, ideal: bool, double: bool) -> PyResult<Model> {
        let none = Fabrication::ideal();
        Model::new(&self.network, if ideal { &none } else { &self.fabrication }, double)
    }
}

/// θ, φ and γ of a mesh.
type MeshPhases<'py> = (Bound<'py, PyArray2<f64>>, Bound<'py, PyArray2<f64>>, Bound<'py, PyArray1<f64>>);

fn program<T: Scalar>(chip: &Mutex<Simulated<Cpu<T>>>, controls: &[f64]) -> at_core::Result<()> {
    locked(chip).program(&controls.iter().map(|&control| T::of(control)).collect())
}

fn propagate<'py, T: Scalar>(
    chip: &Mutex<Simulated<Cpu<T>>>,
    py: Python<'py>,
    network: &Network,
    fields: &Bound<'py, PyAny>,
    hidden: bool,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let input = network.input();
    let kind = Kind { what: "fields", width: input.width(), complex: input.complex };
    let (fields, batch) = samples::<T>(fields, kind)?;
    let fields = fields.values().to_vec(); // chips take vectors of their engine's own
    let outputs: Vec<Signal> = network.visited_outputs().collect();
    let mut read: Vec<Vec<T>> = outputs.iter().map(|own| vec![T::zero(); batch * own.width()]).collect();
    py.detach(|| {
        let mut chip = locked(chip);
        let Some((readout, taps)) = read.split_last_mut() else { return Ok(()) };
        if hidden {
            chip.propagate_tapped(&fields, batch, taps, readout)
        } else {
            chip.propagate(&fields, batch, readout)
        }
    })
    .raised()?;
    let first = if hidden { 0 } else { outputs.len() - 1 };
    let shown = read.into_iter().enumerate().skip(first);
    shown.map(|(layer, values)| array(py, &values, batch, outputs[layer].complex)).collect()
}

fn transfer_matrices<'py, T: Scalar>(
    chip: &Mutex<Simulated<Cpu<T>>>,
    py: Python<'py>,
    network: &Network,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let mut all = Vec::new();
    for (number, mesh) in network.all_meshes().enumerate() {
        let modes = mesh.modes();
        let mut unit = vec![T::zero(); 2 * modes * modes];
        (0..modes).for_each(|mode| unit[2 * (mode * modes + mode)] = T::one());
        let mut rows = vec![T::zero(); 2 * modes * modes];
        py.detach(|| {
            let mut chip = locked(chip);
            chip.unmetered(|chip| {
                chip.send(number, Direction::Forward, &unit, modes, Some(&mut rows), Monitor::Nothing)
            })
        })
        .raised()?;
        // row k is what light in mode k becomes: column k of the matrix
        let matrix = array(py, &rows, modes, true)?;
        all.push(matrix.getattr("T")?);
    }
    if all.is_empty() {
        Err(usage("the network has no mesh, and its stages no transfer matrix of fields"))
    } else {
        Ok(all)
    }
}
