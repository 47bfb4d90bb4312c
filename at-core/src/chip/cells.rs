//! Non-volatile cells of a chip: which of them a programming writes, how often each was written, and the noise of its last writing.
//!
//! A weight is a pair of cells, of which the first stands at the level of a positive weight and the second at that of a negative one; the
//! other is at rest. Only cells whose level changes are written. Every writing of a cell to the level ℓ ends at `(1 + σ_c·ξ_c)·ℓ + σ·ξ`, in units of
//! the whole range, with draws of N(0, 1) that are functions of chip, cell and the number of the writing. Fresh cells are at rest.

use crate::fabrication::Fabrication;
use crate::fabrication::control::Shifter;
use crate::imperfections::random::{key, normals, site};
use crate::network::{Network, Stage};
use crate::stage::Meaning;
use std::collections::HashSet;

/// The cells of one chip.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    key: [u32; 2],
    /// σ.
    noise: f64,
    /// σ_c.
    spread: f64,
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
        let meanings =
            network.stages().flat_map(Stage::runs).flat_map(|run| std::iter::repeat_n(run.meaning, run.count));
        let pair = |control| {
            let shifter = fabrication.control.shifters.get(control).copied().unwrap_or(Shifter::AS_TOLD);
            Pair { control, shifter, level: 0.0, writes: [0; 2] }
        };
        let cells = meanings.enumerate().filter(|(_, meaning)| *meaning == Meaning::Cells);
        let mut pairs: Vec<Pair> = cells.map(|(control, _)| pair(control)).collect();
        pairs.shrink_to_fit(); // one that was lengthened has room for twice as many
        let (key, noise, spread) = (key(fabrication.seed), fabrication.write_noise, fabrication.cycle_spread);
        (!pairs.is_empty()).then(|| Cells { key, noise, spread, controls: network.controls(), pairs })
    }

    /// Writes `told`, of which only the controls `changed` are new, where it is said; where the writing is not `kept`, the cells are
    /// afterwards what they were before.
    pub fn write(&mut self, told: &[f64], changed: Option<&[usize]>, kept: bool) -> Writing {
        let beside = self.noise > 0.0 || self.spread > 0.0;
        let mut writing = Writing { written: 0, pairs: 0, noise: beside.then(|| vec![0.0; self.controls]) };
        let told_anew: Option<HashSet<usize>> = changed.map(|changed| changed.iter().copied().collect());
        for pair in &mut self.pairs {
            writing.pairs += usize::from(told_anew.as_ref().is_none_or(|anew| anew.contains(&pair.control)));
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
                    count => {
                        let counter = [pair.control as u32, count as u32, cell as u32, site::WRITING];
                        let [own, of_cycle, ..] = normals(self.key, counter);
                        self.noise * own + self.spread * of_cycle * ends(level)[cell]
                    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chip::{Chip, Physical};
    use crate::cpu::Cpu;
    use crate::imperfections::{Imperfections, Memory};
    use crate::propagator::Propagator;

    /// A control that is no cell, and three pairs.
    fn network() -> Network {
        Network::new(vec![vec![Stage::matrix(1, 1)], vec![Stage::phase_change(1, 1)], vec![Stage::phase_change(1, 1)]])
            .unwrap()
    }

    fn kind(pcm_levels: u32, pcm_write_noise: f64) -> Imperfections {
        let memory = Memory { pcm_levels, pcm_write_noise, ..Memory::NONE };
        Imperfections { memory, ..Imperfections::NONE }
    }

    fn chip(pcm_levels: u32, pcm_write_noise: f64) -> Chip<Cpu<f64>> {
        let fabrication = kind(pcm_levels, pcm_write_noise).fabricate(&network(), 3).unwrap();
        Chip::new(&Cpu::new(), &network(), &fabrication).unwrap()
    }

    /// Controls of two matrix entries, which come first, and of four pairs.
    fn told(pairs: [f64; 4]) -> Vec<f64> {
        [[1.0, 0.0].to_vec(), pairs.to_vec()].concat()
    }

    #[test]
    fn only_cells_whose_level_changes_are_written() {
        let mut chip = chip(5, 0.0); // levels 0, 1/4 .. 1
        let mut writes = |pairs: [f64; 4]| {
            let before = chip.accesses();
            chip.program(&told(pairs)).unwrap();
            let after = chip.accesses();
            (after.control_writes - before.control_writes, after.cell_writes - before.cell_writes)
        };
        assert_eq!(
            writes([0.0; 4]),
            (2, 0),
            "fresh cells are at rest; both entries of the matrix are written each time"
        );
        assert_eq!(writes([0.5, -0.5, 0.1, 0.9]), (2 + 3, 3), "0.1 is nearest to rest");
        assert_eq!(writes([0.55, -0.45, 0.1, 2.0]), (2, 0), "the same levels: beyond 1 is 1");
        assert_eq!(writes([-0.5, -0.5, 0.1, 1.0]), (2 + 2, 2), "a change of sign writes both cells of a pair");
        assert_eq!(chip.cell_writes(), [2, 1, 0, 1, 0, 0, 1, 0]);
        chip.set_metered(false);
        chip.program(&told([1.0; 4])).unwrap();
        chip.set_metered(true);
        assert_eq!(chip.cell_writes(), [2, 1, 0, 1, 0, 0, 1, 0], "an evaluation takes no endurance");
        let before = chip.accesses().control_writes;
        chip.reprogram(&told([0.0, -0.5, 0.1, 1.0]), &[0, 2]).unwrap();
        assert_eq!(chip.accesses().control_writes - before, 1 + 1);
    }

    #[test]
    fn cells_stand_at_their_levels() {
        let read = |levels: u32, pair: f64| {
            let (mut chip, mut readout) = (chip(levels, 0.0), vec![0.0]);
            chip.program(&told([pair, 0.0, 1.0, 0.0])).unwrap();
            chip.propagate(&vec![1.0], 1, &mut readout).unwrap();
            readout[0]
        };
        for (levels, pair, expected) in [
            (0, 0.3, 0.3),
            (5, 0.3, 0.25),
            (5, -0.9, -1.0),
            (2, 0.4, 0.0),
            (2, 0.6, 1.0),
            (3, -0.3, -0.5),
            (5, 1.7, 1.0),
        ] {
            assert!((read(levels, pair) - expected).abs() < 1e-12, "{levels} levels, {pair}: {}", read(levels, pair));
        }
    }

    #[test]
    fn a_writing_ends_beside_its_level_and_stays_there_until_the_next() {
        let fabrication = kind(9, 0.02).fabricate(&network(), 3).unwrap();
        let mut cells = Cells::of(&network(), &fabrication).unwrap();
        let mut noise = |pairs| cells.write(&told(pairs), None, true).noise.unwrap();
        let first = noise([0.5, 0.0, 0.5, 0.0]);
        assert!(first[..2] == [0.0; 2] && first[3] == 0.0, "what is not written has no noise: {first:?}");
        let second = noise([0.5, 0.0, -0.5, 0.0]);
        assert!(second[2] == first[2] && second[4] != first[4]);
        let mut sum = 0.0;
        for step in 0..2000 {
            let level = if step % 2 == 0 { 1.0 } else { 0.5 };
            sum += (noise([level, 0.0, 0.0, 0.0])[2]).powi(2) / 2000.0;
        }
        assert!((sum.sqrt() / 0.02 - 1.0).abs() < 0.05, "{}", sum.sqrt());
    }

    #[test]
    fn what_a_cycle_reaches_spreads_in_proportion_to_the_level() {
        let memory = Memory { pcm_levels: 9, pcm_cycle_spread: 0.02, ..Memory::NONE };
        let fabrication = Imperfections { memory, ..Imperfections::NONE }.fabricate(&network(), 3).unwrap();
        let mut cells = Cells::of(&network(), &fabrication).unwrap();
        let mut beside = |level: f64| cells.write(&told([level, 0.0, 0.0, 0.0]), None, true).noise.unwrap()[2];
        let mut squares = [0.0; 3];
        for _ in 0..1000 {
            for (sum, level) in squares.iter_mut().zip([1.0, 0.5, 0.0]) {
                *sum += beside(level).powi(2) / 1000.0;
            }
        }
        let [whole, half, rest] = squares.map(f64::sqrt);
        assert!((whole / 0.02 - 1.0).abs() < 0.06 && (half / 0.01 - 1.0).abs() < 0.06, "{whole} {half}");
        assert_eq!(rest, 0.0, "a cell at rest has been changed by nothing");
    }

    #[test]
    fn a_chip_goes_on_with_the_noise_and_the_counts_that_its_cells_had() {
        let settings = [[0.5, -0.5, 0.2, 0.0], [0.1, 0.5, 0.2, -1.0], [0.1, 0.5, 0.9, -1.0]];
        let read = |chip: &mut Chip<Cpu<f64>>| {
            let mut readout = vec![0.0];
            chip.propagate(&vec![1.0], 1, &mut readout).unwrap();
            readout[0]
        };
        let mut whole = chip(9, 0.05);
        settings[..2].iter().for_each(|pairs| whole.program(&told(*pairs)).unwrap());
        let mut other = chip(9, 0.05);
        other.resume(&whole.state().unwrap()).unwrap();
        for chip in [&mut whole, &mut other] {
            chip.program(&told(settings[2])).unwrap();
        }
        assert_eq!(whole.cell_writes(), other.cell_writes());
        assert_eq!(read(&mut whole), read(&mut other));
        assert!(chip(9, 0.05).resume(&crate::chip::State::default()).is_err());
    }

    #[test]
    fn a_chip_without_cells_counts_none() {
        let network = Network::new(vec![vec![Stage::matrix(2, 1)]]).unwrap();
        assert!(Cells::of(&network, &Fabrication::ideal()).is_none());
    }
}
