//! Non-volatile cells of a chip: which of them a programming writes, how often each was written, and the noise of its last writing.
//!
//! A weight is a pair of cells, of which the first stands at the level of a positive weight and the second at that of a negative one; the
//! other is at rest. Only cells whose level changes are written. Every writing of a cell ends `σ·ξ` beside its level, in units of the
//! whole range, with a draw of N(0, 1) that is a function of chip, cell and the number of the writing. Fresh cells are at rest.

use crate::fabrication::Fabrication;
use crate::fabrication::control::Shifter;
use crate::imperfections::random::{key, normals, site};
use crate::network::{Network, Stage};
use crate::stage::Meaning;

/// The cells of one chip.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    key: [u32; 2],
    /// σ.
    noise: f64,
    /// Controls of the chip.
    controls: usize,
    pairs: Vec<Pair>,
}

/// The two cells of a weight.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pair {
    control: usize,
    /// How it is written; as told where cells have any level.
    shifter: Shifter,
    /// What was last written: above 0 in the first cell, below 0 in the second.
    level: f64,
    writes: [u64; 2],
}

/// What a programming does to cells.
pub(super) struct Writing {
    /// Cells that are written.
    pub written: u64,
    /// Controls that are pairs of cells, among those that are told.
    pub pairs: usize,
    /// What noise adds to every control; none where writing has no noise.
    pub noise: Option<Vec<f64>>,
}

impl Cells {
    /// Those of a chip of `network`; none where it has none.
    pub fn of(network: &Network, fabrication: &Fabrication) -> Option<Self> {
        let meanings = network.stages().flat_map(Stage::runs).flat_map(|run| std::iter::repeat_n(run.meaning, run.count));
        let pair = |control| {
            let shifter = fabrication.control.shifters.get(control).copied().unwrap_or(Shifter::AS_TOLD);
            Pair { control, shifter, level: 0.0, writes: [0; 2] }
        };
        let cells = meanings.enumerate().filter(|(_, meaning)| *meaning == Meaning::Cells);
        let pairs: Vec<Pair> = cells.map(|(control, _)| pair(control)).collect();
        let (key, noise) = (key(fabrication.seed), fabrication.write_noise);
        (!pairs.is_empty()).then(|| Cells { key, noise, controls: network.controls(), pairs })
    }

    /// Writes `told`, of which only the controls `changed` are new, where it is said; where the writing is not `kept`, the cells are
    /// afterwards what they were before.
    pub fn write(&mut self, told: &[f64], changed: Option<&[usize]>, kept: bool) -> Writing {
        let mut writing = Writing { written: 0, pairs: 0, noise: (self.noise > 0.0).then(|| vec![0.0; self.controls]) };
        for pair in &mut self.pairs {
            writing.pairs += usize::from(changed.is_none_or(|changed| changed.contains(&pair.control)));
            let level = pair.shifter.level(told[pair.control]);
            let mut now = Pair { level, ..*pair };
            let ends = |level: f64| [level.max(0.0), (-level).max(0.0)];
            for ((count, before), after) in now.writes.iter_mut().zip(ends(pair.level)).zip(ends(level)) {
                let written = u64::from(before != after);
                *count += written;
                writing.written += written;
            }
            if let Some(noise) = &mut writing.noise {
                let draw = |cell: usize| match now.writes[cell] {
                    0 => 0.0,
                    count => self.noise * normals(self.key, [pair.control as u32, count as u32, cell as u32, site::WRITING])[0],
                };
                noise[pair.control] = draw(0) - draw(1);
            }
            if kept {
                *pair = now;
            }
        }
        writing
    }

    /// How often every cell was written, the two of a pair side by side.
    pub fn writes(&self) -> Vec<u64> {
        self.pairs.iter().flat_map(|pair| pair.writes).collect()
    }

    /// Reals of [`Cells::state`].
    pub fn state_len(&self) -> usize {
        3 * self.pairs.len()
    }

    /// Level and writings of every pair.
    pub fn state(&self) -> impl Iterator<Item = f64> + '_ {
        self.pairs.iter().flat_map(|pair| [pair.level, pair.writes[0] as f64, pair.writes[1] as f64])
    }

    /// Goes on from such a state.
    pub fn resume(&mut self, state: &[f64]) {
        for (pair, own) in self.pairs.iter_mut().zip(state.chunks_exact(3)) {
            (pair.level, pair.writes) = (own[0], [own[1] as u64, own[2] as u64]);
        }
    }
}
