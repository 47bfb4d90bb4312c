//! Which kernels carry light through a mesh: the ones with the shortest expected time for one pass forward and one backward, by what
//! is known of the device ([`MeshCosts`]).

use super::blocks::Blocks;
use super::lanes::Lanes;
use crate::costs::MeshCosts;
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
        gpu.costs.choose(mesh, batch, context.limits.max_storage_buffer_binding_size, context.subgroup)
    }

    /// Seconds that one pass forward and one backward are expected to take, matrices included; infinite where a device cannot carry a mesh so.
    pub fn expected_seconds(self, gpu: &Gpu, mesh: &Mesh, batch: usize) -> f64 {
        gpu.costs.seconds(self, mesh, batch, gpu.commands.context.subgroup)
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

/// Bytes of an MZI's coefficients.
const COEFFICIENTS: f64 = 32.0;

/// Waveguides of meshes that lie side by side at most: more no longer help a device that is busy.
const WIDEST: usize = 8192;

/// Operations beside the mesh's own that a layer costs: its activation or detection, and the loss.
const OTHERS: f64 = 4.0;

/// How many meshes like this one are best laid side by side for `samples` samples: as many as together take less time than one
/// after the other, 1 where none do.
pub(crate) fn side_by_side(gpu: &Gpu, mesh: &Mesh, samples: usize) -> usize {
    let limits = &gpu.commands.context.limits;
    let (binding, subgroup) = (limits.max_storage_buffer_binding_size, gpu.commands.context.subgroup);
    let costs = &gpu.costs;
    let count = WIDEST / mesh.modes();
    let Ok(wide) = Mesh::truncated(count.max(1) * mesh.modes(), mesh.columns().len()) else { return 1 };
    let time = |mesh: &Mesh| {
        let variant = costs.choose(mesh, samples, binding, subgroup);
        costs.seconds(variant, mesh, samples, subgroup) + OTHERS * costs.dispatch_seconds
    };
    if time(&wide) < count as f64 * time(mesh) { count } else { 1 }
}

impl MeshCosts {
    /// Instructions per MZI and sample in registers, forward and backward, and per MZI whatever the samples.
    pub(super) const LANES_FORWARD: f64 = 16.0;
    const LANES_BACKWARD: f64 = 44.0;

    /// The variant for `batch` samples, of those whose parts a binding of so many bytes holds.
    /// `subgroup` is the size of its subgroups, where they can be used.
    pub(crate) fn choose(&self, mesh: &Mesh, batch: usize, binding: u64, subgroup: Option<usize>) -> MeshVariant {
        let cost = |variant: MeshVariant| {
            let possible = variant.carries(mesh) && variant.fits_in(mesh, batch, binding);
            if possible { self.seconds(variant, mesh, batch, subgroup) } else { f64::INFINITY }
        };
        MeshVariant::ALL.into_iter().min_by(|&a, &b| cost(a).total_cmp(&cost(b))).expect("there are variants")
    }

    /// Expected seconds of one pass forward and one backward, matrices included.
    fn seconds(&self, variant: MeshVariant, mesh: &Mesh, batch: usize, subgroup: Option<usize>) -> f64 {
        let crossing = |batch| match variant.crossing() {
            Crossing::Stream => self.stream(mesh, batch),
            Crossing::Lanes => subgroup.map_or(f64::INFINITY, |subgroup| self.lanes(mesh, batch, subgroup)),
            Crossing::Blocks => self.blocks(mesh, batch),
        };
        if variant.is_whole() { crossing(mesh.modes()) + self.whole(mesh, batch) } else { crossing(batch) }
    }

    fn stream(&self, mesh: &Mesh, batch: usize) -> f64 {
        let (mzis, samples, columns) = (mesh.mzis() as f64, batch as f64, mesh.columns().len() as f64);
        let way = |operations: f64, rate: f64, fields: f64| {
            let waves = (samples * mesh.modes() as f64 / (self.processors * fields)).ceil();
            self.dispatch_seconds + (operations * mzis * samples / rate).max(waves * columns * self.column_seconds)
        };
        way(28.0, self.forward_flops, self.fields)
            + way(76.0, self.backward_flops, 0.5 * self.fields)
            + 3.0 * self.dispatch_seconds
    }

    fn lanes(&self, mesh: &Mesh, batch: usize, subgroup: usize) -> f64 {
        let way = |backward, instructions: f64| {
            let Some(lanes) = Lanes::on(subgroup, mesh.modes(), backward) else { return f64::INFINITY };
            // Instructions of a column wait for each other in one subgroup; the four schedulers of a multiprocessor take turns.
            let work = lanes.instructions(instructions) / self.lane_instructions;
            let column = self.lane_column_seconds + work;
            let subgroups = lanes.subgroups(batch);
            let each = (subgroups as f64 / (4.0 * self.processors)).ceil();
            let columns = mesh.columns().len() as f64;
            // Every subgroup reads all coefficients.
            let read = COEFFICIENTS * (mesh.mzis() * subgroups) as f64 / self.cache_bandwidth;
            // Phase gradients of every subgroup are written and read once.
            let partial = if backward { 16.0 * (mesh.mzis() * subgroups) as f64 / self.bandwidth } else { 0.0 };
            self.dispatch_seconds + (columns * column.max(each * work)).max(read) + partial
        };
        way(false, Self::LANES_FORWARD) + way(true, Self::LANES_BACKWARD) + 3.0 * self.dispatch_seconds
    }

    fn blocks(&self, mesh: &Mesh, batch: usize) -> f64 {
        let blocks = Blocks::of(mesh);
        let (levels, windows) = (blocks.levels() as f64, blocks.windows as f64);
        let tiles = batch.div_ceil(128) as f64;
        // 8 operations for each of 64 x 64 entries and 128 samples; a tile takes at least as long as one multiprocessor needs for it.
        let product = |tiles: f64| {
            (tiles * windows / self.processors).ceil() * 8.0 * 64.0 * 64.0 * 128.0 * self.processors
                / self.product_flops
        };
        let dispatch = self.dispatch_seconds;
        let places = levels * windows * 1024.0;
        let make = 64.0 * places * 28.0 / self.forward_flops + 63.0 * self.column_seconds + dispatch;
        let gradient = 64.0 * places * 76.0 / self.backward_flops + 63.0 * self.column_seconds + 2.0 * dispatch;
        let forward = levels * (dispatch + product(tiles));
        let backward = levels * (2.0 * dispatch + product(2.0 * tiles) + product(tiles));
        make + forward + gradient + backward + 3.0 * dispatch
    }

    /// Beside the crossing: three products of N² entries and `batch` samples.
    fn whole(&self, mesh: &Mesh, batch: usize) -> f64 {
        let windows = mesh.modes().div_ceil(64) as f64;
        let tiles = (batch.div_ceil(128) as f64 * windows / self.processors).ceil();
        let product = tiles * 8.0 * 64.0 * 128.0 * mesh.modes() as f64 * self.processors / self.product_flops;
        3.0 * product + 7.0 * self.dispatch_seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_follows_size_and_batch() {
        let costs = MeshCosts::default();
        let chosen = |modes, batch| costs.choose(&Mesh::rectangular(modes).unwrap(), batch, 1 << 31, Some(32));
        assert_eq!(chosen(8, 1), MeshVariant::Lanes);
        assert_eq!(chosen(64, 64), MeshVariant::Lanes);
        assert_eq!(chosen(64, 100_000), MeshVariant::WholeByLanes);
        assert_eq!(chosen(1024, 1), MeshVariant::Stream);
        assert_eq!(chosen(1024, 1024), MeshVariant::Blocks);
        assert_eq!(chosen(4096, 1024), MeshVariant::Blocks);
        assert_eq!(chosen(1024, 100_000), MeshVariant::WholeByBlocks);
        // Whatever does not fit is not chosen, and samples that stream fit everywhere.
        assert_eq!(costs.choose(&Mesh::rectangular(1024).unwrap(), 100_000, 1 << 24, None), MeshVariant::Blocks);
        assert_eq!(costs.choose(&Mesh::rectangular(1024).unwrap(), 100_000, 1 << 16, None), MeshVariant::Stream);
    }
    #[test]
    fn what_a_device_is_slow_at_is_not_chosen_there() {
        let mesh = Mesh::rectangular(1024).unwrap();
        let chosen = |costs: MeshCosts| costs.choose(&mesh, 1024, 1 << 31, Some(32));
        let costs = MeshCosts::default();
        assert_eq!(chosen(costs), MeshVariant::Blocks);
        let slow_products = MeshCosts { product_flops: 1e-3 * costs.product_flops, ..costs };
        assert_eq!(chosen(slow_products), MeshVariant::Stream);
        let slow_dispatches = MeshCosts { dispatch_seconds: 1.0, ..costs };
        assert_eq!(chosen(slow_dispatches), MeshVariant::Stream);
        let slow_barriers = MeshCosts { column_seconds: 1e-3, ..costs };
        assert_eq!(chosen(slow_barriers), MeshVariant::Lanes);
    }
}
