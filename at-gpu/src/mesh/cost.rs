//! Which kernels carry light through a mesh: the ones with the shortest expected time for one pass forward and one backward.
//!
//! Times are those of a large GPU (an NVIDIA H200: 67 TFLOP/s in f32, 132 multiprocessors, 4 µs from one dispatch to the next that needs
//! its result), because only there the choice matters. Shares of the peak are reasoned, not measured: a product with 8 x 8 sums per
//! invocation needs 0.4 bytes of workgroup memory per operation where the hardware gives 0.5; column by column an MZI moves 32 bytes
//! for 28 operations on the way forward and 64 for 76 on the way back, with a barrier and a read of coefficients per column.

use super::blocks::Blocks;
use super::lanes::Lanes;
use crate::engine::Gpu;
use crate::preferences::{Crossing, MeshVariant};
use at_core::optics::{Layout, Mesh};

impl MeshVariant {
    /// Whether a device can carry `modes` modes so.
    pub fn is_possible(self, gpu: &Gpu, modes: usize) -> bool {
        self.crossing() != Crossing::Lanes || Lanes::of(gpu, modes, true).is_some()
    }

    /// The kernels that a device takes for `batch` samples where nobody insists on others.
    pub fn chosen(gpu: &Gpu, mesh: &Mesh, batch: usize) -> Self {
        let context = &gpu.commands.context;
        choose(mesh, batch, context.limits.max_storage_buffer_binding_size, context.subgroup)
    }

    /// Whether a binding of the device holds each part for `batch` samples.
    pub fn fits(self, gpu: &Gpu, mesh: &Mesh, batch: usize) -> bool {
        self.fits_in(mesh, batch, gpu.commands.context.limits.max_storage_buffer_binding_size)
    }

    fn fits_in(self, mesh: &Mesh, batch: usize, binding: u64) -> bool {
        let modes = mesh.modes() as u64;
        let whole = if self.is_whole() { 16 * modes * modes.max(batch as u64) } else { 0 };
        let level = if self.crossing() == Crossing::Blocks { Blocks::of(mesh).bytes_of_a_level() } else { 0 };
        whole.max(level) <= binding
    }

    /// Real operations of the matrix products in one pass forward whose matrices are known: 8 per entry and sample, 0 column by column.
    pub fn product_operations(self, mesh: &Mesh, batch: usize) -> f64 {
        let entries = if self.is_whole() {
            mesh.modes().pow(2)
        } else if self.crossing() == Crossing::Blocks {
            Blocks::of(mesh).entries()
        } else {
            0
        };
        8.0 * (entries * batch) as f64
    }

    /// Whether it knows where the MZIs of `mesh` stand. Lanes and blocks need neighbours on rows of one parity in every column, as they are
    /// on all dies of an even number of modes; blocks that of the column.
    pub(crate) fn carries(self, mesh: &Mesh) -> bool {
        let one_parity = mesh.joins_neighbours() && (mesh.dies() == 1 || mesh.die_modes().is_multiple_of(2));
        match self.crossing() {
            Crossing::Stream => true,
            Crossing::Lanes => one_parity,
            Crossing::Blocks => one_parity && mesh.layout() != Layout::Diamond,
        }
    }
}

/// Operations per second at best.
const PEAK: f64 = 67e12;
/// Seconds from a dispatch to the next that needs its result.
const DISPATCH: f64 = 4e-6;
/// Multiprocessors.
const PROCESSORS: f64 = 132.0;
/// Share of the peak that matrix products reach.
const PRODUCT: f64 = 0.5;
/// Shares of the peak column by column, forward and backward.
const FORWARD: f64 = 0.12;
const BACKWARD: f64 = 0.15;
/// Seconds that a column takes at least: a barrier, coefficients from the second-level cache.
const COLUMN: f64 = 0.5e-6;
/// Fields that the workgroups of a multiprocessor hold: 228 KiB of 8 or 16 bytes.
const FIELDS: f64 = 228.0 * 128.0;

/// Seconds from a column to the next in registers at least: coefficients from the second-level cache, an exchange between lanes.
const LATENCY: f64 = 0.2e-6;
/// Instructions per second of one scheduler.
const CLOCK: f64 = 1.9e9;
/// Bytes of an MZI's coefficients, and bytes per second of the second-level cache that gives them.
const COEFFICIENTS: f64 = 32.0;
const CACHE: f64 = 5.0e12;
/// Bytes per second of the device's memory.
const BANDWIDTH: f64 = 4.0e12;

/// The variant for `batch` samples, of those whose parts a binding of so many bytes holds.
/// `subgroup` is the size of its subgroups, where they can be used.
pub(crate) fn choose(mesh: &Mesh, batch: usize, binding: u64, subgroup: Option<usize>) -> MeshVariant {
    let cost = |variant: MeshVariant| {
        let possible = variant.carries(mesh) && variant.fits_in(mesh, batch, binding);
        if possible { seconds(variant, mesh, batch, subgroup) } else { f64::INFINITY }
    };
    MeshVariant::ALL.into_iter().min_by(|&a, &b| cost(a).total_cmp(&cost(b))).expect("there are variants")
}

/// Waveguides of meshes that lie side by side at most: more no longer help a device that is busy.
const WIDEST: usize = 8192;

/// Operations beside the mesh's own that a layer costs: its activation or detection, and the loss.
const OTHERS: f64 = 4.0;

/// How many meshes like this one are best laid side by side for `samples` samples: as many as together take less time than one
/// after the other, 1 where none do.
pub(crate) fn side_by_side(gpu: &Gpu, mesh: &Mesh, samples: usize) -> usize {
    let limits = &gpu.commands.context.limits;
    let (binding, subgroup) = (limits.max_storage_buffer_binding_size, gpu.commands.context.subgroup);
    let count = WIDEST / mesh.modes();
    let Ok(wide) = Mesh::truncated(count.max(1) * mesh.modes(), mesh.columns().len()) else { return 1 };
    let time =
        |mesh: &Mesh| seconds(choose(mesh, samples, binding, subgroup), mesh, samples, subgroup) + OTHERS * DISPATCH;
    if time(&wide) < count as f64 * time(mesh) { count } else { 1 }
}

/// Expected seconds of one pass forward and one backward, matrices included.
pub(crate) fn seconds(variant: MeshVariant, mesh: &Mesh, batch: usize, subgroup: Option<usize>) -> f64 {
    let crossing = |batch| match variant.crossing() {
        Crossing::Stream => stream(mesh, batch),
        Crossing::Lanes => subgroup.map_or(f64::INFINITY, |subgroup| lanes(mesh, batch, subgroup)),
        Crossing::Blocks => blocks(mesh, batch),
    };
    if variant.is_whole() { crossing(mesh.modes()) + whole(mesh, batch) } else { crossing(batch) }
}

fn stream(mesh: &Mesh, batch: usize) -> f64 {
    let (mzis, samples, columns) = (mesh.mzis() as f64, batch as f64, mesh.columns().len() as f64);
    let way = |operations: f64, share: f64, fields: f64| {
        let waves = (samples * mesh.modes() as f64 / (PROCESSORS * fields)).ceil();
        DISPATCH + (operations * mzis * samples / (share * PEAK)).max(waves * columns * COLUMN)
    };
    way(28.0, FORWARD, FIELDS) + way(76.0, BACKWARD, 0.5 * FIELDS) + 3.0 * DISPATCH
}

fn lanes(mesh: &Mesh, batch: usize, subgroup: usize) -> f64 {
    let way = |backward, instructions: f64| {
        let Some(lanes) = Lanes::on(subgroup, mesh.modes(), backward) else { return f64::INFINITY };
        // Instructions of a column wait for each other in one subgroup; the four schedulers of a multiprocessor take turns.
        let pairs = (lanes.modes() / 2) as f64;
        let column = LATENCY + pairs * (20.0 + instructions * lanes.samples() as f64) / CLOCK;
        let each = (lanes.subgroups(batch) as f64 / (4.0 * PROCESSORS)).ceil();
        let columns = mesh.columns().len() as f64;
        // Every subgroup reads all coefficients.
        let read = COEFFICIENTS * (mesh.mzis() * lanes.subgroups(batch)) as f64 / CACHE;
        // Phase gradients of every subgroup are written and read once.
        let partial = if backward { 16.0 * (mesh.mzis() * lanes.subgroups(batch)) as f64 / BANDWIDTH } else { 0.0 };
        DISPATCH
            + (columns * column.max(each * pairs * (20.0 + instructions * lanes.samples() as f64) / CLOCK)).max(read)
            + partial
    };
    way(false, 16.0) + way(true, 44.0) + 3.0 * DISPATCH
}

fn blocks(mesh: &Mesh, batch: usize) -> f64 {
    let blocks = Blocks::of(mesh);
    let (levels, windows) = (blocks.levels() as f64, blocks.windows as f64);
    let tiles = batch.div_ceil(128) as f64;
    // 8 operations for each of 64 x 64 entries and 128 samples; a tile takes at least as long as one multiprocessor needs for it.
    let product =
        |tiles: f64| (tiles * windows / PROCESSORS).ceil() * 8.0 * 64.0 * 64.0 * 128.0 * PROCESSORS / PEAK / PRODUCT;
    let places = levels * windows * 1024.0;
    let make = 64.0 * places * 28.0 / (FORWARD * PEAK) + 63.0 * COLUMN + DISPATCH;
    let gradient = 64.0 * places * 76.0 / (BACKWARD * PEAK) + 63.0 * COLUMN + 2.0 * DISPATCH;
    let forward = levels * (DISPATCH + product(tiles));
    let backward = levels * (2.0 * DISPATCH + product(2.0 * tiles) + product(tiles));
    make + forward + gradient + backward + 3.0 * DISPATCH
}

/// Beside the crossing: three products of N² entries and `batch` samples.
fn whole(mesh: &Mesh, batch: usize) -> f64 {
    let windows = mesh.modes().div_ceil(64) as f64;
    let tiles = (batch.div_ceil(128) as f64 * windows / PROCESSORS).ceil();
    let product = tiles * 8.0 * 64.0 * 128.0 * mesh.modes() as f64 * PROCESSORS / PEAK / PRODUCT;
    3.0 * product + 7.0 * DISPATCH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_follows_size_and_batch() {
        let chosen = |modes, batch| choose(&Mesh::rectangular(modes).unwrap(), batch, 1 << 31, Some(32));
        assert_eq!(chosen(8, 1), MeshVariant::Lanes);
        assert_eq!(chosen(64, 64), MeshVariant::Lanes);
        assert_eq!(chosen(64, 100_000), MeshVariant::WholeByLanes);
        assert_eq!(chosen(1024, 1), MeshVariant::Stream);
        assert_eq!(chosen(1024, 1024), MeshVariant::Blocks);
        assert_eq!(chosen(4096, 1024), MeshVariant::Blocks);
        assert_eq!(chosen(1024, 100_000), MeshVariant::WholeByBlocks);
        // Whatever does not fit is not chosen, and samples that stream fit everywhere.
        assert_eq!(choose(&Mesh::rectangular(1024).unwrap(), 100_000, 1 << 24, None), MeshVariant::Blocks);
        assert_eq!(choose(&Mesh::rectangular(1024).unwrap(), 100_000, 1 << 16, None), MeshVariant::Stream);
    }
}
