//! Dispatches on their way to the device: collected into one pass, submitted in batches, never waited for without need.

use crate::context::{Context, lock};
use crate::layout::Parameters;
use at_core::Result;
use at_shaders::Kernel;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Dispatches per submission: long enough to hide the submission, short enough for a display driver's watchdog.
const BATCH: usize = 128;
/// Submissions that may be under way before the host waits; bounds both memory and the time until a fault shows.
const IN_FLIGHT: usize = 3;
/// Distance of two parameter blocks: the largest offset alignment that WebGPU allows.
const PARAMETER_STRIDE: usize = 256;

/// A compiled kernel.
pub(crate) struct Pipeline {
    kernel: Kernel,
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

/// Constants that specialise a kernel: override name and value.
pub(crate) type Constants = Vec<(&'static str, u32)>;

/// A buffer, or the part of one that a kernel sees.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span<'a> {
    pub buffer: &'a wgpu::Buffer,
    /// First byte; a multiple of 256, the largest alignment that WebGPU allows.
    pub start: u64,
    /// `None` for all that follow.
    pub bytes: Option<u64>,
}

impl<'a> From<&'a wgpu::Buffer> for Span<'a> {
    fn from(buffer: &'a wgpu::Buffer) -> Self {
        Span { buffer, start: 0, bytes: None }
    }
}

/// What is recorded and not yet submitted, and what is submitted and not yet known to be done.
struct Pending {
    encoder: Option<wgpu::CommandEncoder>,
    pass: Option<wgpu::ComputePass<'static>>,
    parameters: Vec<u8>,
    submitted: VecDeque<wgpu::SubmissionIndex>,
    /// Takes the device's clock at both ends of the next pass.
    clock: Option<wgpu::QuerySet>,
}

/// The queue of one device.
pub(crate) struct Commands {
    pub context: Context,
    arena: wgpu::Buffer,
    pending: Mutex<Pending>,
    pipelines: Mutex<HashMap<(Kernel, Constants), Arc<Pipeline>>>,
    dispatches: AtomicU64,
}

impl Commands {
    pub fn new(context: Context) -> Result<Self> {
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let arena = context.buffer("parameters", (BATCH * PARAMETER_STRIDE) as u64, usage)?;
        let pending = Pending {
            encoder: None,
            pass: None,
            parameters: Vec::new(),
            submitted: VecDeque::with_capacity(IN_FLIGHT + 1),
            clock: None,
        };
        let dispatches = AtomicU64::new(0);
        Ok(Commands { context, arena, pending: Mutex::new(pending), pipelines: Mutex::default(), dispatches })
    }

    /// Dispatches so far.
    pub fn dispatches(&self) -> u64 {
        self.dispatches.load(Ordering::Relaxed)
    }

    /// The pipeline of `kernel` with `constants`, compiled at its first use.
    pub fn pipeline(&self, kernel: Kernel, constants: &[(&'static str, u32)]) -> Result<Arc<Pipeline>> {
        let key = (kernel, constants.to_vec());
        let mut pipelines = lock(&self.pipelines);
        if let Some(pipeline) = pipelines.get(&key) {
            return Ok(pipeline.clone());
        }
        let pipeline = Arc::new(self.compile(kernel, constants)?);
        pipelines.insert(key, pipeline.clone());
        Ok(pipeline)
    }

    fn compile(&self, kernel: Kernel, constants: &[(&'static str, u32)]) -> Result<Pipeline> {
        let device = &self.context.device;
        let name = kernel.name();
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let text = wgpu::ShaderModuleDescriptor {
            label: Some(name),
            source: wgpu::ShaderSource::Wgsl(kernel.source().into()),
        };
        let module = if kernel.is_hot() && !cfg!(debug_assertions) {
            // SAFETY: the loops of these kernels are bounded by parameters, their indices by tests in the text and by what the
            // host checked; the tests run them with the checks, which cost registers and keep drivers from unrolling.
            unsafe { device.create_shader_module_trusted(text, wgpu::ShaderRuntimeChecks::unchecked()) }
        } else {
            device.create_shader_module(text)
        };
        let buffer =
            |ty, dynamic| wgpu::BindingType::Buffer { ty, has_dynamic_offset: dynamic, min_binding_size: None };
        let entry = |binding, ty| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty,
            count: None,
        };
        let mut entries = vec![entry(0, buffer(wgpu::BufferBindingType::Uniform, true))];
        entries.extend(kernel.bindings().bytes().zip(1..).map(|(access, binding)| {
            entry(binding, buffer(wgpu::BufferBindingType::Storage { read_only: access == b'r' }, false))
        }));
        let layout =
            device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(name), entries: &entries });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(name),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let constants: Vec<_> = constants.iter().map(|&(name, value)| (name, f64::from(value))).collect();
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(name),
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some(name),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        });
        match pollster::block_on(scope.pop()) {
            Some(error) => Err(self.context.error(format!("does not accept the kernel `{name}`: {error}"))),
            None => Ok(Pipeline { kernel, pipeline, layout }),
        }
    }

    /// Errs where a kernel would see more of a buffer than the device lets it.
    fn fits_a_binding(&self, pipeline: &Pipeline, Span { buffer, start, bytes }: Span) -> Result<()> {
        let (bytes, most) =
            (bytes.unwrap_or(buffer.size() - start), self.context.limits.max_storage_buffer_binding_size);
        if bytes <= most {
            return Ok(());
        }
        let name = pipeline.kernel.name();
        let reason = format!(
            "binds at most {most} bytes at once, and `{name}` asks for {bytes}: use a smaller network or batch"
        );
        Err(self.context.error(reason))
    }

    /// Records one dispatch of `groups` workgroups; more than one dimension holds are folded into two, and the kernel counts
    /// `x + y·num_workgroups.x`. Zero groups record nothing.
    pub fn dispatch<'a, P: Parameters, S: Into<Span<'a>> + Copy>(
        &self,
        pipeline: &Pipeline,
        parameters: &P,
        buffers: &[S],
        groups: usize,
    ) -> Result<()> {
        debug_assert_eq!(pipeline.kernel.bindings().len(), buffers.len(), "{}", pipeline.kernel.name());
        debug_assert_eq!(pipeline.kernel.parameters(), P::NAME, "{}", pipeline.kernel.name());
        if groups == 0 {
            return Ok(());
        }
        self.dispatches.fetch_add(1, Ordering::Relaxed);
        let most = self.context.limits.max_compute_workgroups_per_dimension as usize;
        let (x, y) = (groups.min(most), groups.div_ceil(most));
        if y > most {
            let name = pipeline.kernel.name();
            return Err(self.context.error(format!("cannot run {groups} workgroups of `{name}`: use a smaller batch")));
        }
        for &span in buffers {
            self.fits_a_binding(pipeline, span.into())?;
        }
        let size = wgpu::BufferSize::new(std::mem::size_of::<P>() as u64).expect("parameters are never empty");
        let mut entries = vec![wgpu::BindGroupEntry {
            binding: 0,
            resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: &self.arena,
                offset: 0,
                size: Some(size),
            }),
        }];
        entries.extend(buffers.iter().zip(1..).map(|(&span, binding)| {
            let Span { buffer, start, bytes } = span.into();
            let size = bytes.and_then(wgpu::BufferSize::new);
            let resource = wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset: start, size });
            wgpu::BindGroupEntry { binding, resource }
        }));
        let device = &self.context.device;
        let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(pipeline.kernel.name()),
            layout: &pipeline.layout,
            entries: &entries,
        });
        let mut pending = lock(&self.pending);
        let offset = pending.parameters.len();
        pending.parameters.extend_from_slice(bytemuck::bytes_of(parameters));
        pending.parameters.resize(offset + PARAMETER_STRIDE, 0);
        let pass = pending.pass(device);
        pass.set_pipeline(&pipeline.pipeline);
        pass.set_bind_group(0, &group, &[offset as u32]);
        pass.dispatch_workgroups(x as u32, y as u32, 1);
        if pending.parameters.len() >= BATCH * PARAMETER_STRIDE { self.submit(&mut pending) } else { Ok(()) }
    }

    /// Records a copy of the first `bytes`.
    pub fn copy(&self, source: &wgpu::Buffer, target: &wgpu::Buffer, bytes: u64) {
        self.copy_part(source, 0, target, bytes);
    }

    /// Records a copy of `bytes` from byte `start` on to the beginning of `target`.
    pub fn copy_part(&self, source: &wgpu::Buffer, start: u64, target: &wgpu::Buffer, bytes: u64) {
        let mut pending = lock(&self.pending);
        pending.pass = None;
        pending.encoder(&self.context.device).copy_buffer_to_buffer(source, start, target, 0, bytes);
    }

    /// Hands everything recorded to the device.
    pub fn flush(&self) -> Result<()> {
        self.submit(&mut lock(&self.pending))
    }

    /// Hands everything recorded to the device, and waits until it is done.
    pub fn finish(&self) -> Result<()> {
        self.flush()?;
        self.context.wait(None)
    }

    fn submit(&self, pending: &mut Pending) -> Result<()> {
        pending.pass = None;
        if let Some(encoder) = pending.encoder.take() {
            if !pending.parameters.is_empty() {
                self.context.queue.write_buffer(&self.arena, 0, &pending.parameters);
                pending.parameters.clear();
            }
            pending.submitted.push_back(self.context.queue.submit([encoder.finish()]));
        }
        while pending.submitted.len() > IN_FLIGHT {
            let oldest = pending.submitted.pop_front();
            self.context.wait(oldest)?;
        }
        self.context.check()
    }

    /// How long the device takes for what `record` dispatches, without waiting for the host: by its own clock where it has one that
    /// was read, else by the host's, which counts the submission too. `record` dispatches less than one submission holds, and copies nothing.
    pub fn elapsed(&self, record: impl FnOnce() -> Result<()>) -> Result<Duration> {
        self.finish()?;
        let device = &self.context.device;
        let start = Instant::now();
        if !device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            record()?;
            self.finish()?;
            return Ok(start.elapsed());
        }
        let clock = device.create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("clock"),
            ty: wgpu::QueryType::Timestamp,
            count: 2,
        });
        lock(&self.pending).clock = Some(clock.clone());
        record()?;
        let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
        let ticks = self.context.buffer("clock", 16, usage)?;
        {
            let mut pending = lock(&self.pending);
            pending.pass = None;
            pending.clock = None;
            pending.encoder(device).resolve_query_set(&clock, 0..2, &ticks, 0);
        }
        let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&self.read(&ticks, 16)?);
        let period = self.context.queue.get_timestamp_period();
        Ok(between([ticks[0], ticks[1]], period).unwrap_or_else(|| start.elapsed()))
    }

    /// The first `bytes` of `source`, once everything recorded before is done.
    pub fn read(&self, source: &wgpu::Buffer, bytes: u64) -> Result<Vec<u8>> {
        if bytes == 0 {
            self.flush()?;
            return Ok(Vec::new());
        }
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let staging = self.context.buffer("read-back", bytes, usage)?;
        self.copy(source, &staging, bytes);
        self.flush()?;
        staging.map_async(wgpu::MapMode::Read, .., |_| {});
        self.context.wait(None)?;
        let range = staging.get_mapped_range(..bytes).map_err(|error| self.context.error(format!("{error:?}")))?;
        Ok(range.to_vec())
    }
}

/// The time between two ticks of a clock (`period`: nanoseconds of one). None where it was not read: a busy software device resolves its
/// queries before they are written, as zeros.
fn between([first, last]: [u64; 2], period: f32) -> Option<Duration> {
    let ticks = last.checked_sub(first).filter(|&ticks| ticks > 0)?;
    Some(Duration::from_secs_f64(1e-9 * ticks as f64 * f64::from(period)))
}

impl Pending {
    fn encoder(&mut self, device: &wgpu::Device) -> &mut wgpu::CommandEncoder {
        self.encoder.get_or_insert_with(|| {
            device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("at-gpu batch") })
        })
    }

    fn pass(&mut self, device: &wgpu::Device) -> &mut wgpu::ComputePass<'static> {
        if self.pass.is_none() {
            let clock = self.clock.take();
            let timestamp_writes = clock.as_ref().map(|query_set| wgpu::ComputePassTimestampWrites {
                query_set,
                beginning_of_pass_write_index: Some(0),
                end_of_pass_write_index: Some(1),
            });
            let descriptor = wgpu::ComputePassDescriptor { label: Some("at-gpu"), timestamp_writes };
            self.pass = Some(self.encoder(device).begin_compute_pass(&descriptor).forget_lifetime());
        }
        self.pass.as_mut().expect("was made above")
    }
}

#[cfg(test)]
mod tests {
    use super::between;
    use std::time::Duration;

    #[test]
    fn a_clock_that_was_not_read_tells_no_time() {
        assert_eq!(between([100, 350], 2.0), Some(Duration::from_nanos(500)));
        assert_eq!(between([0, 0], 1.0), None);
        assert_eq!(between([350, 100], 1.0), None);
    }
}
