//! A network with its way back, layer by layer: what automatic differentiation in PyTorch and JAX stands on.

use crate::arrays::{Kind, Room, Scalar, room, samples, vector, vector_room};
use crate::failure::{Raised, usage};
use crate::seat::compute;
use at_core::cpu::{CpuInner, CpuNetwork, Passed};
use at_core::fabrication::Fabrication;
use at_core::network::Network;
use at_core::propagator::Propagator;
use numpy::PyArray1;
use pyo3::prelude::*;
use std::sync::{Arc, Mutex, PoisonError};

/// A network of which the first layer is lit, and errors are carried back through it.
#[pyclass(frozen, module = "asyt._asyt")]
pub struct Model {
    network: Network,
    inside: Inside,
}

enum Inside {
    F32(Mutex<Lit<f32>>),
    F64(Mutex<Lit<f64>>),
}

struct Lit<T> {
    network: CpuNetwork<T>,
    /// As programmed; passes share them.
    controls: Arc<Vec<T>>,
}

/// What the way back needs of a way forth besides what entered and what left, which are the caller's.
#[pyclass(frozen, module = "asyt._asyt")]
pub struct Trace(Kept);

enum Kept {
    F32(Pass<f32>),
    F64(Pass<f64>),
}

struct Pass<T> {
    inner: CpuInner<T>,
    controls: Arc<Vec<T>>,
    batch: usize,
}

impl Model {
    /// `network` with the errors of `fabrication`.
    pub fn new(network: &Network, fabrication: &Fabrication, double: bool) -> PyResult<Self> {
        let inside = if double {
            Inside::F64(Mutex::new(Lit {
                network: CpuNetwork::new(network, fabrication).raised()?,
                controls: Arc::default(),
            }))
        } else {
            Inside::F32(Mutex::new(Lit {
                network: CpuNetwork::new(network, fabrication).raised()?,
                controls: Arc::default(),
            }))
        };
        Ok(Model { network: network.clone(), inside })
    }
}

impl<T: Scalar> Lit<T> {
    /// Sets the controls, unless they are those already.
    fn program(&mut self, controls: &[T]) -> at_core::Result<()> {
        if self.controls[..] != *controls {
            self.again(&Arc::new(controls.to_vec()))?;
        }
        Ok(())
    }

    /// Sets controls that were set before.
    fn again(&mut self, controls: &Arc<Vec<T>>) -> at_core::Result<()> {
        if !Arc::ptr_eq(&self.controls, controls) {
            self.network.program(controls)?;
            self.controls = Arc::clone(controls);
        }
        Ok(())
    }
}

#[pymethods]
impl Model {
    /// Number of controls.
    #[getter]
    fn controls(&self) -> usize {
        self.network.controls()
    }

    /// Sends `fields [batch, modes]` through the first layer at `controls` and writes what leaves it into `leaves`; gives what the way back
    /// needs besides these arrays.
    fn forward(
        &self,
        py: Python<'_>,
        controls: &Bound<'_, PyAny>,
        fields: &Bound<'_, PyAny>,
        leaves: &Bound<'_, PyAny>,
    ) -> PyResult<Trace> {
        match &self.inside {
            Inside::F32(lit) => self.sent(py, lit, [controls, fields, leaves]).map(|pass| Trace(Kept::F32(pass))),
            Inside::F64(lit) => self.sent(py, lit, [controls, fields, leaves]).map(|pass| Trace(Kept::F64(pass))),
        }
    }

    /// From the `error` at what left, `∂L/∂x` of reals or `∂L/∂(re) + i ∂L/∂(im)` of complex fields, to the same at what entered, written into
    /// `entered` where that is given, and to `∂L/∂controls`, written into `gradient`. `fields` and `leaves` are those of the way forth.
    fn backward(
        &self,
        py: Python<'_>,
        trace: &Bound<'_, Trace>,
        fields: &Bound<'_, PyAny>,
        leaves: &Bound<'_, PyAny>,
        error: &Bound<'_, PyAny>,
        entered: Option<&Bound<'_, PyAny>>,
        gradient: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        match (&self.inside, &trace.get().0) {
            (Inside::F32(lit), Kept::F32(pass)) => {
                self.carried_back(py, lit, pass, [fields, leaves, error], entered, gradient)
            }
            (Inside::F64(lit), Kept::F64(pass)) => {
                self.carried_back(py, lit, pass, [fields, leaves, error], entered, gradient)
            }
            (Inside::F32(_), Kept::F64(_)) | (Inside::F64(_), Kept::F32(_)) => {
                Err(usage("the trace is of another precision than the model"))
            }
        }
    }
}

#[pymethods]
impl Trace {
    /// The controls that light met.
    fn controls<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        match &self.0 {
            Kept::F32(pass) => PyArray1::from_slice(py, &pass.controls).into_any(),
            Kept::F64(pass) => PyArray1::from_slice(py, &pass.controls).into_any(),
        }
    }
}

impl Model {
    fn entering<'a>(&self, what: &'a str) -> Kind<'a> {
        Kind { what, width: self.network.input().width(), complex: self.network.input().complex }
    }

    fn leaving<'a>(&self, what: &'a str) -> Kind<'a> {
        let output = self.network.layer_output(0);
        Kind { what, width: output.width(), complex: output.complex }
    }

    fn sent<T: Scalar>(
        &self,
        py: Python<'_>,
        lit: &Mutex<Lit<T>>,
        [controls, fields, leaves]: [&Bound<'_, PyAny>; 3],
    ) -> PyResult<Pass<T>> {
        let controls = vector::<T>(controls, self.network.controls(), "controls")?;
        let (fields, batch) = samples::<T>(fields, self.entering("fields"))?;
        let mut leaves = room::<T>(leaves, batch, self.leaving("leaves"))?;
        let (controls, fields, leaves) = (&controls[..], fields.values(), leaves.values());
        py.detach(|| {
            // taken out here: whoever waits for it on a thread of the pool could be kept from ever giving it back
            let mut lit = lit.lock().unwrap_or_else(PoisonError::into_inner);
            let lit = &mut *lit;
            compute::<T, _>(move || {
                lit.program(controls)?;
                let mut inner = CpuInner::default();
                lit.network.light_layer(0, fields, batch, leaves, &mut inner)?;
                at_core::Result::Ok(Pass { inner, controls: Arc::clone(&lit.controls), batch })
            })
        })
        .raised()
    }

    fn carried_back<T: Scalar>(
        &self,
        py: Python<'_>,
        lit: &Mutex<Lit<T>>,
        pass: &Pass<T>,
        [fields, leaves, error]: [&Bound<'_, PyAny>; 3],
        entered: Option<&Bound<'_, PyAny>>,
        gradient: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (entering, leaving) = (self.entering("fields"), self.leaving("leaves"));
        let (fields, came) = samples::<T>(fields, entering)?;
        let (leaves, left) = samples::<T>(leaves, leaving)?;
        let (error, batch) = samples::<T>(error, Kind { what: "error", ..leaving })?;
        if [came, left, batch] != [pass.batch; 3] {
            return Err(usage(format!(
                "error is of {batch} samples, fields of {came}, leaves of {left}, and the trace of {}",
                pass.batch
            )));
        }
        let entered = entered.map(|array| room::<T>(array, batch, Kind { what: "entered", ..entering }));
        let mut entered = entered.transpose()?;
        let mut gradient = vector_room::<T>(gradient, self.network.controls(), "gradient")?;
        let (fields, leaves, error) = (fields.values(), leaves.values(), error.values());
        let (mut entered, gradient) = (entered.as_mut().map(Room::values), gradient.values());
        // the engine's error of a complex field is ∂L/∂z*, half of this; all is linear in it, so that halves cancel or are taken at the end
        let scale = match (leaving.complex, entering.complex) {
            (true, false) => Some(T::of(0.5)),
            (false, true) => Some(T::of(2.0)),
            (true, true) | (false, false) => None,
        };
        py.detach(|| {
            let mut lit = lit.lock().unwrap_or_else(PoisonError::into_inner);
            let lit = &mut *lit;
            compute::<T, _>(move || {
                lit.again(&pass.controls)?;
                gradient.fill(T::zero());
                let passed = Passed { input: fields, output: leaves, inner: &pass.inner, batch };
                lit.network.carry_layer_back(0, passed, error, entered.as_deref_mut(), gradient)?;
                if leaving.complex {
                    gradient.iter_mut().for_each(|slope| *slope *= T::of(0.5));
                }
                if let (Some(scale), Some(entered)) = (scale, entered) {
                    entered.iter_mut().for_each(|value| *value *= scale);
                }
                at_core::Result::Ok(())
            })
        })
        .raised()
    }
}
