//! A network with its way back, layer by layer: what automatic differentiation in PyTorch and JAX stands on.

use crate::arrays::{Scalar, array, samples, vector};
use crate::failure::{Raised, usage};
use at_core::cpu::{Cpu, CpuNetwork, CpuTrace};
use at_core::fabrication::Fabrication;
use at_core::network::Network;
use at_core::propagator::{Adjoint, Propagator, Simulator};
use numpy::PyArray1;
use pyo3::prelude::*;
use std::sync::{Mutex, PoisonError};

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
    controls: Vec<T>,
}

/// What the way back needs of a way forth.
#[pyclass(frozen, module = "asyt._asyt")]
pub struct Trace(Kept);

enum Kept {
    F32(Pass<f32>),
    F64(Pass<f64>),
}

struct Pass<T> {
    trace: CpuTrace<T>,
    controls: Vec<T>,
    batch: usize,
}

impl Model {
    /// `network` with the errors of `fabrication`.
    pub fn new(network: &Network, fabrication: &Fabrication, double: bool) -> PyResult<Self> {
        let inside = if double {
            Inside::F64(Mutex::new(Lit {
                network: Cpu::new().build(network, fabrication).raised()?,
                controls: Vec::new(),
            }))
        } else {
            Inside::F32(Mutex::new(Lit {
                network: Cpu::new().build(network, fabrication).raised()?,
                controls: Vec::new(),
            }))
        };
        Ok(Model { network: network.clone(), inside })
    }
}

impl<T: Scalar> Lit<T> {
    /// Sets the controls, unless they are those already.
    fn program(&mut self, controls: &[T]) -> at_core::Result<()> {
        if self.controls != controls {
            self.controls = controls.to_vec();
            self.network.program(&self.controls)?;
        }
        Ok(())
    }
}

#[pymethods]
impl Model {
    /// Sends `fields [batch, modes]` through the first layer at `controls`; gives what leaves it, and a trace for the way back.
    fn forward<'py>(
        &self,
        py: Python<'py>,
        controls: &Bound<'py, PyAny>,
        fields: &Bound<'py, PyAny>,
    ) -> PyResult<(Bound<'py, PyAny>, Trace)> {
        match &self.inside {
            Inside::F32(lit) => {
                forward(py, &self.network, lit, controls, fields).map(|(y, pass)| (y, Trace(Kept::F32(pass))))
            }
            Inside::F64(lit) => {
                forward(py, &self.network, lit, controls, fields).map(|(y, pass)| (y, Trace(Kept::F64(pass))))
            }
        }
    }

    /// From `∂L/∂x` of real outputs, or `∂L/∂(re) + i ∂L/∂(im)` of complex ones, to the same of the inputs where that is wanted, and
    /// `∂L/∂controls`.
    fn backward<'py>(
        &self,
        py: Python<'py>,
        trace: &Bound<'py, Trace>,
        error: &Bound<'py, PyAny>,
        wants_input: bool,
    ) -> PyResult<(Option<Bound<'py, PyAny>>, Bound<'py, PyAny>)> {
        match (&self.inside, &trace.get().0) {
            (Inside::F32(lit), Kept::F32(pass)) => backward(py, &self.network, lit, pass, error, wants_input),
            (Inside::F64(lit), Kept::F64(pass)) => backward(py, &self.network, lit, pass, error, wants_input),
            (Inside::F32(_), Kept::F64(_)) | (Inside::F64(_), Kept::F32(_)) => {
                Err(usage("the trace is of another precision than the model"))
            }
        }
    }
}

fn forward<'py, T: Scalar>(
    py: Python<'py>,
    network: &Network,
    lit: &Mutex<Lit<T>>,
    controls: &Bound<'py, PyAny>,
    fields: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyAny>, Pass<T>)> {
    let (input, output) = (network.input(), network.layer_output(0));
    let controls = vector::<T>(controls, network.controls(), "controls")?;
    let fields = samples::<T>(fields, input.width(), input.complex, "fields")?;
    let batch = fields.batch;
    let trace = py
        .detach(|| {
            let mut lit = lit.lock().unwrap_or_else(PoisonError::into_inner);
            lit.program(&controls)?;
            let mut trace = lit.network.trace(batch)?;
            lit.network.record_layer(0, &fields.values, batch, &mut trace)?;
            at_core::Result::Ok(trace)
        })
        .raised()?;
    let leaves = array(py, &trace.output(0)[..batch * output.width()], batch, output.complex)?;
    Ok((leaves, Pass { trace, controls, batch }))
}

fn backward<'py, T: Scalar>(
    py: Python<'py>,
    network: &Network,
    lit: &Mutex<Lit<T>>,
    pass: &Pass<T>,
    error: &Bound<'py, PyAny>,
    wants_input: bool,
) -> PyResult<(Option<Bound<'py, PyAny>>, Bound<'py, PyAny>)> {
    let (input, output) = (network.input(), network.layer_output(0));
    let mut error = samples::<T>(error, output.width(), output.complex, "error")?;
    let batch = pass.batch;
    if error.batch != batch {
        return Err(usage(format!("error is of {} samples, the trace of {batch}", error.batch)));
    }
    let half = T::of(0.5);
    let (entered, gradient) = py
        .detach(|| {
            if output.complex {
                error.values.iter_mut().for_each(|value| *value *= half); // ours is ∂L/∂z*
            }
            let mut lit = lit.lock().unwrap_or_else(PoisonError::into_inner);
            lit.program(&pass.controls)?;
            let mut gradient = vec![T::zero(); network.controls()];
            let mut entered = wants_input.then(|| vec![T::zero(); batch * input.width()]);
            lit.network.backpropagate_layer(0, &pass.trace, &error.values, entered.as_mut(), &mut gradient)?;
            if input.complex {
                entered.iter_mut().flatten().for_each(|value| *value += *value);
            }
            at_core::Result::Ok((entered, gradient))
        })
        .raised()?;
    let entered = entered.map(|entered| array(py, &entered, batch, input.complex)).transpose()?;
    Ok((entered, PyArray1::from_vec(py, gradient).into_any()))
}
