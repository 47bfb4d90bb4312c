//! The costs of a device, measured with the kernels themselves.
//!
//! Every number comes from the case in which the model of costs (`cost.rs`) has nothing else in it: products of blocks with a single workgroup and
//! with many, columns of a single sample and of many. Batches grow until a case is long enough for a clock, or holds 32 MiB.

use super::blocks::Blocks;
use super::lanes::Lanes;
use crate::costs::MeshCosts;
use crate::engine::Gpu;
use crate::layout::Length;
use crate::measure::{best, copy_rate};
use crate::preferences::{MeshVariant, Preferences};
use crate::scratch::Scratch;
use crate::stage::{self, Backward, GpuStage};
use crate::vectors::{Vector, count};
use at_core::Result;
use at_core::fabrication::Fabrication;
use at_core::optics::Mesh;
use at_core::stage::Stage;
use at_shaders::Kernel;

/// Seconds before which no device begins a dispatch, however coarse its clock.
const SOONEST: f64 = 1e-9;

/// Dispatches that are timed together, fewer than one submission holds, and as many bytes as hardly count.
const DISPATCHES: usize = 100;
const FEW_BYTES: usize = 16;

/// Bytes of a copy that a large GPU's second-level cache holds, read and written, and how many copies are timed together.
const CACHED_BYTES: usize = 16 << 20;
const CACHED_COPIES: usize = 10;

/// Bytes of a batch's fields at most.
const FIELDS_BYTES: usize = 32 << 20;

/// Operations of a workgroup of a product of blocks: 64 x 64 entries, 128 samples.
const TILE: f64 = 8.0 * 64.0 * 64.0 * 128.0;
const ROWS: usize = 128;

/// What dispatches take off a time leaves at least this share of it: a clock is not exact.
const LEAST: f64 = 0.1;

/// Measures a device, which takes seconds; `tell` is told what comes next.
///
/// What this device cannot do (subgroups), and what is not measured ([`MeshCosts::fields`]), is as in the default.
pub fn measure_mesh_costs(gpu: &Gpu, tell: &mut dyn FnMut(&str)) -> Result<MeshCosts> {
    tell("dispatches and copies");
    let dispatch_seconds = repeated_copy(gpu, FEW_BYTES, DISPATCHES)?.max(SOONEST);
    let bandwidth = 1e9 * copy_rate(gpu)?;
    let cached = repeated_copy(gpu, CACHED_BYTES, CACHED_COPIES)?;
    let cache_bandwidth = (2.0 * CACHED_BYTES as f64 / beyond(cached, dispatch_seconds)).max(bandwidth);
    let mut costs = MeshCosts { dispatch_seconds, bandwidth, cache_bandwidth, ..MeshCosts::default() };
    tell("products of blocks");
    products(gpu, &mut costs)?;
    tell("columns in workgroup memory");
    columns(gpu, &mut costs)?;
    if MeshVariant::Lanes.is_possible(gpu, LANES_MODES) {
        tell("columns in registers");
        lanes(gpu, &mut costs)?;
    }
    costs.check()?;
    Ok(costs)
}

/// What of `seconds` is left without `overhead`.
fn beyond(seconds: f64, overhead: f64) -> f64 {
    (seconds - overhead).max(LEAST * seconds)
}

/// Seconds of one of so many copies of so many bytes, each of which waits for the one before.
fn repeated_copy(gpu: &Gpu, bytes: usize, copies: usize) -> Result<f64> {
    let context = &gpu.commands.context;
    let source = Vector::zeros(context, "source of a copy", bytes / 4)?;
    let target = Vector::zeros(context, "target of a copy", bytes / 4)?;
    let parameters = Length { len: count(bytes / 16)? };
    let copy =
        |from: &Vector, to: &Vector| gpu.each(Kernel::Copy, &parameters, &[&from.buffer, &to.buffer], bytes / 16);
    let (seconds, _) =
        best(gpu, || (0..copies / 2).try_for_each(|_| copy(&source, &target).and_then(|()| copy(&target, &source))))?;
    Ok(seconds / copies as f64)
}

/// A mesh with kernels of one kind and a batch of darkness, whose way does not depend on its light.
struct Trial {
    gpu: Gpu,
    stage: Box<dyn GpuStage>,
    scratch: Scratch,
    batch: usize,
    signals: [Vector; 4],
    gradient: Vector,
}

impl Trial {
    fn new(gpu: &Gpu, mesh: &Mesh, variant: MeshVariant, batch: usize) -> Result<Self> {
        let gpu = gpu.preferring(Preferences { mesh: Some(variant), ..Preferences::default() });
        let context = &gpu.commands.context;
        let stage = stage::build(&gpu, &Stage::Mesh(mesh.clone()), Fabrication::ideal().stage(0), 0)?;
        let mut scratch = Scratch::default();
        scratch.reserve(context, &stage.needs(batch, true))?;
        let vector = |name, len| Vector::zeros(context, name, len);
        let fields = |name| vector(name, 2 * batch * mesh.modes());
        let signals = [fields("input")?, fields("output")?, fields("adjoint")?, fields("adjoint of the input")?];
        let gradient = vector("gradient", mesh.controls())?;
        stage.program(&vector("controls", mesh.controls())?.buffer)?;
        Ok(Trial { stage, scratch, batch, signals, gradient, gpu })
    }

    fn forward(&self) -> Result<()> {
        let [input, output, ..] = &self.signals;
        self.stage.forward(&input.buffer, self.batch, &output.buffer, &self.scratch)
    }

    fn backward(&self) -> Result<()> {
        let [input, output, adjoint, adjoint_in] = &self.signals;
        self.stage.backward(&Backward {
            input: &input.buffer,
            output: &output.buffer,
            adjoint: &adjoint.buffer,
            batch: self.batch,
            adjoint_in: &adjoint_in.buffer,
            gradient: &self.gradient.buffer,
            imperfections: None,
            scratch: &self.scratch,
        })
    }

    /// Seconds of `work` beyond those of its dispatches, how many these are, and whether the whole was long.
    fn timed(&self, costs: &MeshCosts, work: impl Fn(&Self) -> Result<()>) -> Result<(f64, bool)> {
        work(self)?; // makes what is made once
        let before = self.gpu.dispatches();
        work(self)?;
        let dispatches = (self.gpu.dispatches() - before) as f64;
        let (seconds, long) = best(&self.gpu, || work(self))?;
        Ok((beyond(seconds, dispatches * costs.dispatch_seconds), long))
    }

    /// The same with a batch that is doubled from `batch` on until it is long or as large as it may be; the last trial with its time.
    fn grown(
        gpu: &Gpu,
        costs: &MeshCosts,
        mesh: &Mesh,
        variant: MeshVariant,
        mut batch: usize,
    ) -> Result<(Trial, f64)> {
        loop {
            let trial = Trial::new(gpu, mesh, variant, batch)?;
            let (seconds, long) = trial.timed(costs, Trial::forward)?;
            if long || 2 * batch * mesh.modes() * 8 > FIELDS_BYTES {
                return Ok((trial, seconds));
            }
            batch *= 2;
        }
    }
}

/// Products with one workgroup beside another, then with so many that all processors are busy.
fn products(gpu: &Gpu, costs: &mut MeshCosts) -> Result<()> {
    let few = Mesh::truncated(64, 32)?;
    let levels = |mesh: &Mesh| Blocks::of(mesh).levels() as f64;
    let (seconds, _) = Trial::new(gpu, &few, MeshVariant::Blocks, ROWS)?.timed(costs, Trial::forward)?;
    let alone = seconds / levels(&few);
    let many = Mesh::truncated(1024, 32)?;
    let (trial, seconds) = Trial::grown(gpu, costs, &many, MeshVariant::Blocks, ROWS)?;
    let tiles = (Blocks::of(&many).windows * trial.batch.div_ceil(ROWS)) as f64;
    costs.product_flops = tiles * TILE * levels(&many) / seconds;
    costs.processors = (costs.product_flops * alone / TILE).max(1.0);
    Ok(())
}

/// Columns of so many samples that only their number counts, forward and backward, and of a single one.
fn columns(gpu: &Gpu, costs: &mut MeshCosts) -> Result<()> {
    let mesh = Mesh::truncated(256, 64)?;
    let (trial, forward) = Trial::grown(gpu, costs, &mesh, MeshVariant::Stream, 16)?;
    let (backward, _) = trial.timed(costs, Trial::backward)?;
    let crossed = (mesh.mzis() * trial.batch) as f64;
    (costs.forward_flops, costs.backward_flops) = (28.0 * crossed / forward, 76.0 * crossed / backward);
    let deep = Mesh::truncated(64, 512)?;
    let (seconds, _) = Trial::new(gpu, &deep, MeshVariant::Stream, 1)?.timed(costs, Trial::forward)?;
    costs.column_seconds = seconds / deep.columns().len() as f64;
    Ok(())
}

/// Modes of the mesh in registers.
const LANES_MODES: usize = 64;

/// Columns in registers of so many samples that only their number counts, and of a single one.
fn lanes(gpu: &Gpu, costs: &mut MeshCosts) -> Result<()> {
    let mesh = Mesh::truncated(LANES_MODES, 512)?;
    let columns = mesh.columns().len() as f64;
    let Some(lanes) = Lanes::of(gpu, LANES_MODES, false) else { return Ok(()) };
    let work = lanes.instructions(MeshCosts::LANES_FORWARD);
    let first = 4 * lanes.samples();
    let (trial, many) = Trial::grown(gpu, costs, &mesh, MeshVariant::Lanes, first)?;
    let each = (lanes.subgroups(trial.batch) as f64 / (4.0 * costs.processors)).ceil();
    costs.lane_instructions = columns * each * work / many;
    let (alone, _) = Trial::new(gpu, &mesh, MeshVariant::Lanes, 1)?.timed(costs, Trial::forward)?;
    costs.lane_column_seconds = beyond(alone / columns, work / costs.lane_instructions);
    Ok(())
}
