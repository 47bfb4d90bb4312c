//! How a mesh is cut into passes and workgroups: by the adapter's workgroup memory, the loop cap, and room for gradients.

use crate::context::LOOP_CAP;
use at_core::optics::Mesh;
use std::ops::Range;

/// Invocations of a workgroup: as many as WebGPU promises.
pub(crate) const GROUP: usize = 256;

/// Phase gradients of single workgroups take at most this many bytes, unless one column needs more.
pub(crate) const PARTIAL_BYTES: usize = 64 << 20;

/// Where every workgroup of a pass stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Windows that share the modes.
    pub windows: usize,
    /// Modes that a window writes.
    pub tile: usize,
    /// Modes that it reads on either side of them, and then the most columns of a pass; 0 where no MZI joins two windows.
    pub halo: usize,
    /// Samples of a workgroup.
    pub samples: usize,
    /// Lanes that share the MZIs of a column; the others share the samples.
    pub pair_lanes: usize,
    /// Fields that a workgroup holds.
    pub slots: usize,
}

/// What a pass may need.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    /// MZIs whose coefficients are bound together.
    pub mzis: usize,
    /// Columns whose losses are bound together.
    pub columns: usize,
    /// Bytes of the phase gradients of single workgroups, unless one column needs more.
    pub partial: usize,
}

impl Plan {
    /// A plan for `batch` samples on `modes` modes, `die_modes` of each die, where workgroups hold `capacity` fields.
    pub fn new(modes: usize, die_modes: usize, batch: usize, capacity: usize) -> Self {
        let (windows, tile, halo) = if modes <= capacity {
            (1, modes, 0)
        } else if die_modes <= capacity {
            let tile = capacity / die_modes * die_modes;
            (modes.div_ceil(tile), tile, 0)
        } else {
            let halo = capacity / 8;
            let tile = capacity - 2 * halo;
            (modes.div_ceil(tile), tile, halo)
        };
        let width = modes.min(tile + 2 * halo);
        Self::of_windows([windows, tile, halo], width, batch, capacity)
    }

    /// A plan for `batch` samples on so many windows that gather at most `width` modes each from anywhere.
    pub fn gathered(windows: usize, width: usize, batch: usize, capacity: usize) -> Self {
        Self::of_windows([windows, width, 0], width, batch, capacity)
    }

    fn of_windows([windows, tile, halo]: [usize; 3], width: usize, batch: usize, capacity: usize) -> Self {
        let pair_lanes = GROUP.min((width / 2).max(1).next_power_of_two());
        let samples = (capacity / width).min(8 * (GROUP / pair_lanes)).min(batch).max(1);
        Plan { windows, tile, halo, samples, pair_lanes, slots: samples * width }
    }

    fn sample_lanes(&self) -> usize {
        GROUP / self.pair_lanes
    }

    /// Workgroups of one pass.
    pub fn groups(&self, batch: usize) -> usize {
        self.windows * batch.div_ceil(self.samples)
    }

    /// Rows of phase gradients: one per workgroup and lane of samples.
    pub fn partial_rows(&self, batch: usize) -> usize {
        batch.div_ceil(self.samples) * self.sample_lanes()
    }

    /// The columns of every pass, in the order of light, none across the ends of `parts`. With `rows` of phase gradients to keep, passes are shorter.
    pub fn passes(&self, mesh: &Mesh, parts: &[Range<usize>], rows: usize, most: Most) -> Vec<Range<usize>> {
        let width = self.slots / self.samples;
        let turns = 4
            + (width / 2).div_ceil(self.pair_lanes) * (1 + self.samples.div_ceil(self.sample_lanes()))
            + self.slots.div_ceil(GROUP);
        let mut longest = ((LOOP_CAP - 1 - 2 * self.slots.div_ceil(GROUP)) / turns).max(1);
        if self.halo > 0 {
            longest = longest.min(self.halo);
        }
        if rows > 0 {
            longest = longest.min((most.partial / (rows * 4 * mesh.modes())).max(1));
        }
        longest = longest.min(most.columns).min(most.mzis / (mesh.modes() / 2)).max(1);
        let cut = |part: &Range<usize>| {
            let end = part.end;
            part.clone().step_by(longest).map(move |first| first..end.min(first + longest))
        };
        parts.iter().flat_map(cut).collect()
    }
}

/// MZIs of some columns.
pub(crate) fn mzis(mesh: &Mesh, columns: &Range<usize>) -> usize {
    mesh.columns()[columns.clone()].iter().map(|column| column.count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_fit_their_memory_and_cover_every_mode_and_column() {
        for capacity in [64, 1024, 3072] {
            for (die, dies) in [(2, 1), (3, 1), (64, 1), (65, 1), (1000, 1), (4096, 1), (5, 700), (16, 256), (1500, 3)]
            {
                for batch in [1, 7, 300] {
                    let modes = die * dies;
                    let plan = Plan::new(modes, die, batch, capacity);
                    assert!(plan.slots <= capacity && plan.samples >= 1, "{plan:?}");
                    assert!(plan.windows * plan.tile >= modes && (plan.windows - 1) * plan.tile < modes, "{plan:?}");
                    assert!(plan.halo > 0 || plan.windows == 1 || plan.tile.is_multiple_of(die), "{plan:?}");
                    let mesh = Mesh::truncated(die, 300).unwrap().on_dies(dies).unwrap();
                    for rows in [0, plan.partial_rows(batch)] {
                        let most = Most { mzis: usize::MAX, columns: usize::MAX, partial: 64 << 20 };
                        let whole = 0..300;
                        let passes = plan.passes(&mesh, &[whole], rows, most);
                        assert_eq!(
                            passes.iter().flat_map(Clone::clone).collect::<Vec<_>>(),
                            (0..300).collect::<Vec<_>>()
                        );
                        let longest = passes.iter().map(ExactSizeIterator::len).max().unwrap();
                        assert!(plan.halo == 0 || longest <= plan.halo, "{plan:?}");
                        let total: usize = passes.iter().map(|pass| mzis(&mesh, pass)).sum();
                        assert_eq!(total, mesh.mzis());
                    }
                }
            }
        }
    }
}
