//! One open device: limits, faults, buffers, and waiting that always ends.

use crate::adapter::{self, AdapterDescription, Selection};
use at_core::{Error, Result};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Longest wait for one submission; a device that takes longer counts as hung.
const PATIENCE: Duration = Duration::from_secs(180);

/// Loop turns that every driver grants one invocation in total; kernels are dispatched so that they stay below.
pub const LOOP_CAP: usize = 65_535;

/// What is used where the adapter has it: clocks for measurements, exchange between the lanes of a subgroup.
const WANTED: wgpu::Features = wgpu::Features::TIMESTAMP_QUERY.union(wgpu::Features::SUBGROUP);

/// Which limits a device is opened with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LimitChoice {
    /// All that the adapter offers.
    #[default]
    Adapter,
    /// What every WebGPU adapter offers, and no feature beyond: 16 KiB of workgroup memory, 128 MiB bindings. For tests of
    /// small adapters.
    WebGpu,
    /// The same with bindings of at most so many bytes.
    Binding(u64),
}

/// A device, its queue, and the first thing that went wrong with it.
pub(crate) struct Context {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub limits: wgpu::Limits,
    pub adapter: AdapterDescription,
    /// Lanes of every subgroup, where shaders may use them and there is one size only.
    pub subgroup: Option<usize>,
    fault: Arc<Mutex<Option<Fault>>>,
}

/// What went wrong first; but a loss explains all other errors, which can come before it is told.
#[derive(Clone, Debug)]
struct Fault {
    message: String,
    lost: bool,
}

impl Context {
    /// Opens the adapter meant by `selection`.
    pub fn open(selection: &Selection, choice: LimitChoice) -> Result<Self> {
        let (index, adapter) = adapter::choose(selection)?;
        let description = adapter::describe(index, &adapter);
        let limits = match choice {
            LimitChoice::Adapter => adapter.limits(),
            LimitChoice::WebGpu => wgpu::Limits::defaults(),
            LimitChoice::Binding(bytes) => {
                wgpu::Limits { max_storage_buffer_binding_size: bytes, ..wgpu::Limits::defaults() }
            }
        };
        let features = match choice {
            LimitChoice::Adapter => WANTED & adapter.features(),
            LimitChoice::WebGpu | LimitChoice::Binding(_) => wgpu::Features::empty(),
        };
        let info = adapter.get_info();
        let one_size = info.subgroup_min_size == info.subgroup_max_size && info.subgroup_min_size > 1;
        let subgroup =
            (features.contains(wgpu::Features::SUBGROUP) && one_size).then_some(info.subgroup_min_size as usize);
        let opened = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("at-gpu"),
            required_limits: limits.clone(),
            required_features: features,
            memory_hints: wgpu::MemoryHints::Performance,
            ..Default::default()
        }));
        let (device, queue) = opened.map_err(|error| Error::Device {
            device: description.name.clone(),
            reason: format!("does not open: {error}; use `engine` cpu"),
        })?;
        let fault = Arc::new(Mutex::new(None));
        let note = |fault: &Arc<Mutex<Option<Fault>>>, lost: bool| {
            let fault = fault.clone();
            move |message: String| {
                let message = explained(&message.split_whitespace().collect::<Vec<_>>().join(" "));
                let mut fault = lock(&fault);
                if fault.as_ref().is_none_or(|fault| lost && !fault.lost) {
                    *fault = Some(Fault { message, lost });
                }
            }
        };
        let (lost, uncaptured) = (note(&fault, true), note(&fault, false));
        device.set_device_lost_callback(move |reason, message| {
            lost(format!("the device was lost ({reason:?}): {message}"))
        });
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| uncaptured(error.to_string())));
        let context = Context { device, queue, limits, adapter: description, subgroup, fault };
        if context.limits.max_compute_invocations_per_workgroup < 256 {
            return Err(context.error("offers fewer than the 256 invocations per workgroup that WebGPU promises"));
        }
        Ok(context)
    }

    /// An error of this device, with the advice that always works.
    pub fn error(&self, reason: impl std::fmt::Display) -> Error {
        Error::Device {
            device: self.adapter.name.clone(),
            reason: format!("{reason}; use `engine` cpu to go on without it"),
        }
    }

    /// Errs when the device was lost or refused something since it was opened.
    pub fn check(&self) -> Result<()> {
        let Some(mut fault) = lock(&self.fault).clone() else { return Ok(()) };
        if !fault.lost && self.device.poll(wgpu::PollType::Poll).is_ok() {
            fault = lock(&self.fault).clone().unwrap_or(fault);
        }
        Err(self.error(fault.message))
    }

    /// A zeroed buffer of `bytes` (at least 16).
    pub fn buffer(&self, label: &str, bytes: u64, usage: wgpu::BufferUsages) -> Result<wgpu::Buffer> {
        let largest = if usage.contains(wgpu::BufferUsages::STORAGE) {
            self.limits.max_buffer_size.min(self.limits.max_storage_buffer_binding_size)
        } else {
            self.limits.max_buffer_size
        };
        self.create(label, bytes, usage, largest)
    }

    /// A zeroed buffer that is bound in parts, and can exceed what one binding holds.
    pub fn buffer_in_parts(&self, label: &str, bytes: u64, usage: wgpu::BufferUsages) -> Result<wgpu::Buffer> {
        self.create(label, bytes, usage, self.limits.max_buffer_size)
    }

    fn create(&self, label: &str, bytes: u64, usage: wgpu::BufferUsages, largest: u64) -> Result<wgpu::Buffer> {
        self.check()?;
        let size = bytes.max(16).next_multiple_of(16);
        if size > largest {
            return Err(self.error(format!(
                "`{label}` needs {:.1} MiB, and this device binds at most {:.1} MiB at once: use a smaller network or batch",
                mebibytes(size),
                mebibytes(largest)
            )));
        }
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size,
            usage,
            mapped_at_creation: false,
        });
        let invalid = pollster::block_on(validation.pop());
        let exhausted = pollster::block_on(memory.pop());
        if exhausted.is_some() {
            let need = mebibytes(size);
            return Err(
                self.error(format!("is out of memory: `{label}` needs {need:.1} MiB more; use a smaller batch"))
            );
        }
        match invalid {
            Some(error) => Err(self.error(format!("`{label}`: {error}"))),
            None => Ok(buffer),
        }
    }

    /// Waits until `submission`, or the last one, is done.
    pub fn wait(&self, submission: Option<wgpu::SubmissionIndex>) -> Result<()> {
        let done = self.device.poll(wgpu::PollType::Wait { submission_index: submission, timeout: Some(PATIENCE) });
        self.check()?;
        done.map(|_| ())
            .map_err(|error| self.error(format!("did not finish within {} s ({error})", PATIENCE.as_secs())))
    }
}

/// A driver that has no memory left for a transfer or a list of commands takes the device away with it: what is said is why.
fn explained(message: &str) -> String {
    let said = message.to_lowercase();
    if ["out of memory", "not enough memory"].iter().any(|words| said.contains(words)) {
        return "is out of memory for transfers and commands, and the driver gave the device up: use a smaller batch"
            .into();
    }
    message.to_string()
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The content, also after a panic elsewhere: it is replaced as a whole, so it is never half written.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
