//! A finished run: its controls, and its chip made again.

use crate::arrays::table;
use crate::data::Data;
use crate::failure::{Raised, usage};
use at_cli::library::{Failure, RunFiles, TrainedChip};
use numpy::{PyArray1, PyArray2};
use pyo3::prelude::*;
use std::path::PathBuf;

/// What was trained in a folder of `asyt train`.
#[pyclass(frozen, module = "asyt._asyt")]
pub struct Trained(TrainedChip);

#[pymethods]
impl Trained {
    /// Loads the data, unless they are given, and makes the chip of the run in `folder` again.
    #[new]
    fn new(py: Python<'_>, folder: PathBuf, data: Option<Bound<'_, Data>>) -> PyResult<Self> {
        let data = data.map(|data| data.get().0.clone());
        let loaded = py.detach(|| {
            let files = RunFiles::read(&folder)?;
            match data {
                Some(data) => TrainedChip::with_data(&folder, &files, data),
                None => TrainedChip::load(&folder, &files, None),
            }
        });
        loaded.map_err(Failure::Run).raised().map(Trained)
    }

    /// The trained controls of `method`.
    fn controls<'py>(&self, py: Python<'py>, method: &str) -> PyResult<Bound<'py, PyArray1<f64>>> {
        Ok(PyArray1::from_slice(py, self.of(method)?))
    }

    /// The controls from which every method started.
    fn initial<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_slice(py, &self.0.initial)
    }

    /// What the chip as `method` trained it gives for every test sample `[sample, output]`, without noise of evaluations before.
    fn readouts<'py>(&self, py: Python<'py>, method: &str) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let controls = self.of(method)?;
        let readouts = py.detach(|| self.0.readouts(controls)).map_err(Failure::Run).raised()?;
        let samples = self.0.data.test.len();
        table(py, readouts, [samples, self.0.network.outputs()])
    }

    /// The labels of the test samples, and how many classes there are.
    fn labels<'py>(&self, py: Python<'py>) -> (Bound<'py, PyArray1<u32>>, usize) {
        (PyArray1::from_slice(py, &self.0.data.test.labels), self.0.data.classes)
    }

    /// The settings of the run's chip as TOML, with which it can be made again.
    fn network(&self) -> PyResult<String> {
        serde_json::to_string(&self.0.plan.settings.network).map_err(|error| usage(error.to_string()))
    }
}

impl Trained {
    fn of(&self, method: &str) -> PyResult<&[f64]> {
        let found = self.0.controls.iter().find(|(own, _)| own.as_str() == method);
        found.map(|(_, controls)| &controls[..]).ok_or_else(|| {
            let known: Vec<&str> = self.0.controls.iter().map(|(own, _)| own.as_str()).collect();
            usage(format!("method {method} is none of this run; it has {}", known.join(", ")))
        })
    }
}
