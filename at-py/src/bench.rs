//! A chip that is an object in Python, driven as a chip on a bench is: over the protocol, so that limits and checks are the same.

use crate::arrays::array;
use crate::failure::{failed, usage};
use at_cli::library::Connect;
use at_core::Error;
use at_core::link::{Access, Description, Driven, Limits, PROTOCOL, Transport, serve as answer};
use numpy::{PyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use std::io::{BufReader, BufWriter, pipe};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::Builder;
use std::time::Duration;

/// How often the calling thread looks for Ctrl-C.
const TICK: Duration = Duration::from_millis(50);

/// What a chip that is served has to end the answer under way.
const CLOSING: Duration = Duration::from_secs(2);

/// An object with `program(controls)` and `send(x)`, and what it says of itself.
pub struct PythonChip {
    object: Py<PyAny>,
    description: Description,
}

impl PythonChip {
    /// Takes `object` for a chip. Errs where an attribute is missing or makes no sense.
    pub fn new(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let needed = |name: &str| {
            object.getattr(name).map_err(|_| {
                usage(format!(
                    "a chip has controls, inputs, outputs, program(controls) and send(x), and this object has no {name}"
                ))
            })
        };
        let size = |name: &str| {
            needed(name)?.extract::<usize>().map_err(|_| usage(format!("the chip's {name} must be a whole number")))
        };
        ["program", "send"].into_iter().try_for_each(|name| needed(name).map(drop))?;
        let optional = |name: &str| object.getattr_opt(name).map(|value| value.filter(|value| !value.is_none()));
        let controls = size("controls")?;
        let class = object.get_type().name()?.to_string();
        let description = Description {
            protocol: PROTOCOL,
            name: optional("name")?.map_or(Ok(class), |name| name.extract())?,
            controls,
            unit: optional("unit")?.map_or(Ok("rad".to_string()), |unit| unit.extract())?,
            limits: optional("limits")?.map_or(Ok(Limits::None), |limits| limits_of(&limits, controls))?,
            period: optional("period")?.map(|period| period.extract()).transpose()?,
            inputs: size("inputs")?
                * if optional("complex")?.is_some_and(|complex| complex.is_truthy().unwrap_or(false)) { 2 } else { 1 },
            complex: optional("complex")?.map_or(Ok(false), |complex| complex.is_truthy())?,
            outputs: size("outputs")?,
            layers: Vec::new(),
            largest_batch: optional("largest_batch")?.map_or(Ok(1 << 20), |batch| batch.extract())?,
            settle_ms: optional("settle_ms")?.map_or(Ok(0.0), |settle| settle.extract())?,
            access: vec![Access::Output],
        };
        description.validate().map_err(|error| usage(error.to_string()))?;
        Ok(PythonChip { object: object.clone().unbind(), description })
    }

    fn again(&self) -> Self {
        PythonChip { object: Python::attach(|py| self.object.clone_ref(py)), description: self.description.clone() }
    }

    /// The exception as what the chip's driver says.
    fn fault(&self, py: Python<'_>, error: &PyErr) -> Error {
        let kind = error.get_type(py).name().map_or("error".to_string(), |name| name.to_string());
        let text = error.value(py).str().map_or(String::new(), |text| text.to_string());
        Error::Device { device: self.description.name.clone(), reason: format!("{kind}: {text}") }
    }
}

/// `(lower, upper)` of all controls, or two vectors.
fn limits_of(limits: &Bound<'_, PyAny>, controls: usize) -> PyResult<Limits> {
    let wrong =
        || usage("the chip's limits are (lower, upper), two numbers for all controls or two vectors of one each");
    if let Ok((lower, upper)) = limits.extract::<(f64, f64)>() {
        return Ok(Limits::All([lower, upper]));
    }
    let (lower, upper): (Vec<f32>, Vec<f32>) = limits.extract().map_err(|_| wrong())?;
    if lower.len() != controls || upper.len() != controls {
        return Err(wrong());
    }
    Ok(Limits::Each { lower, upper })
}

impl Driven for PythonChip {
    fn description(&self) -> Description {
        self.description.clone()
    }

    fn program(&mut self, controls: &[f32], _counted: bool) -> at_core::Result<()> {
        Python::attach(|py| {
            let called = self.object.call_method1(py, "program", (PyArray1::from_slice(py, controls),));
            called.map(drop).map_err(|error| self.fault(py, &error))
        })
    }

    fn send(&mut self, fields: &[f32], batch: usize, _counted: bool) -> at_core::Result<Vec<f32>> {
        Python::attach(|py| {
            let sent = || {
                let fields = array(py, fields, batch, self.description.complex)?;
                let read = self.object.bind(py).call_method1("send", (fields,))?;
                let read = py.import("numpy")?.call_method1("ascontiguousarray", (read, "float32"))?;
                let read: PyReadonlyArray2<'_, f32> =
                    read.extract().map_err(|_| usage("send(x) must give [batch, outputs]"))?;
                let expected = [batch, self.description.outputs];
                if read.shape() != expected {
                    return Err(usage(format!(
                        "send(x) gave an array of shape {:?}, expected {expected:?}",
                        read.shape()
                    )));
                }
                Ok(read.as_array().iter().copied().collect())
            };
            sent().map_err(|error| self.fault(py, &error))
        })
    }
}

/// The way to `chip` in this process: two pipes, and a thread that answers.
pub fn way(chip: PythonChip) -> Box<Connect> {
    let chip = Arc::new(chip);
    Box::new(move |_| {
        let mut driven = chip.again();
        let name = format!("chip {}", driven.description.name);
        let failed = |error: std::io::Error| Error::Device { device: name.clone(), reason: error.to_string() };
        let (their_end, to) = pipe().map_err(failed)?;
        let (from, their_way) = pipe().map_err(failed)?;
        let answers = move || {
            let _ = answer(&mut BufReader::new(their_end), &mut BufWriter::new(their_way), &mut driven);
        };
        Builder::new().name("asyt chip".to_string()).spawn(answers).map_err(failed)?;
        Ok(Transport::streams(&name, from, to))
    })
}

/// Where somebody comes in, one after the other, until it is closed.
#[derive(Default)]
struct Door {
    closed: AtomicBool,
    inside: Mutex<Option<TcpStream>>,
}

impl Door {
    fn meet(&self, listener: &TcpListener, chip: &mut PythonChip) -> std::io::Result<()> {
        listener.set_nonblocking(true)?;
        while !self.closed.load(Ordering::SeqCst) {
            let stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    std::thread::sleep(TICK);
                    continue;
                }
                Err(error) => return Err(error),
            };
            stream.set_nonblocking(false)?;
            stream.set_nodelay(true)?;
            *self.inside() = Some(stream.try_clone()?);
            let (mut from, mut to) = (BufReader::new(stream.try_clone()?), BufWriter::new(stream));
            // who leaves in the middle, or speaks otherwise, is followed by the next one
            drop(answer(&mut from, &mut to, chip));
            *self.inside() = None;
        }
        Ok(())
    }

    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        if let Some(stream) = &*self.inside() {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }

    fn inside(&self) -> std::sync::MutexGuard<'_, Option<TcpStream>> {
        self.inside.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Serves the chip `object` to the program: at `address`, `HOST:PORT`, to one after the other until Ctrl-C, or, without one, over the
/// standard streams of this process until the other side ends. `ready(address)` is called when somebody can connect.
#[pyfunction]
pub fn serve(
    py: Python<'_>,
    object: &Bound<'_, PyAny>,
    address: Option<String>,
    ready: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let mut chip = PythonChip::new(object)?;
    let (sender, mut over) = std::sync::mpsc::channel();
    let listener = match &address {
        Some(address) => Some(
            TcpListener::bind(address)
                .map_err(|error| failed(format!("{address}: {error}; choose another address")))?,
        ),
        None => None,
    };
    if let Some(listener) = &listener {
        ready.call1((listener.local_addr().map_err(|error| failed(error.to_string()))?.to_string(),))?;
    }
    let door = Arc::new(Door::default());
    let theirs = Arc::clone(&door);
    let work = move || {
        let ended = match listener {
            None => answer(&mut BufReader::new(std::io::stdin()), &mut std::io::stdout(), &mut chip),
            Some(listener) => theirs.meet(&listener, &mut chip).map_err(|error| error.to_string()),
        };
        let _ = sender.send(ended);
    };
    Builder::new().name("asyt serve".to_string()).spawn(work).map_err(|error| failed(error.to_string()))?;
    loop {
        let ours = &mut over; // another thread must not have it meanwhile
        match py.detach(move || ours.recv_timeout(TICK)) {
            Ok(ended) => return ended.map_err(failed),
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                if let Err(interrupt) = py.check_signals() {
                    door.close();
                    let ours = &mut over;
                    let _ = py.detach(move || ours.recv_timeout(CLOSING)); // until the address is free for another time
                    return Err(interrupt);
                }
            }
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => {
                return Err(failed("the driver panicked, which is a fault of asyt"));
            }
        }
    }
}
