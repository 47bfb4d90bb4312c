//! Windows of modes that MZIs join across: how a mesh whose MZIs join any two modes is cut where workgroup memory does not hold them all.
//!
//! The MZIs of some columns in a row join modes to groups that nothing else joins: 2^k modes of the first k columns of a butterfly. A pass takes as many
//! columns as leave every group no larger than a window, and a window gathers whole groups, from wherever their modes are. No MZI joins two windows then, and
//! between the passes all modes lie in their own order.

use crate::vectors::count;
use at_core::Result;
use at_core::optics::Mesh;
use std::ops::Range;

/// How a mesh is cut into passes, and every pass into windows.
pub(crate) struct Gathered {
    passes: Vec<Pass>,
    /// Windows of the pass that has most.
    pub windows: usize,
    /// Modes of the widest window.
    pub width: usize,
}

/// Some columns, and which modes each window gathers.
struct Pass {
    columns: Range<usize>,
    windows: Vec<Vec<usize>>,
}

/// Modes joined to groups.
#[derive(Clone)]
struct Groups {
    /// Of every mode another of its group, itself where there is none before it.
    parent: Vec<usize>,
    size: Vec<usize>,
}

impl Groups {
    fn alone(modes: usize) -> Self {
        Groups { parent: (0..modes).collect(), size: vec![1; modes] }
    }

    fn first(&mut self, mode: usize) -> usize {
        let mut at = mode;
        while self.parent[at] != at {
            self.parent[at] = self.parent[self.parent[at]];
            at = self.parent[at];
        }
        at
    }

    /// Joins these, and tells how many modes are together then.
    fn join(&mut self, [a, b]: [usize; 2]) -> usize {
        let (a, b) = (self.first(a), self.first(b));
        if a != b {
            let (under, over) = if self.size[a] < self.size[b] { (a, b) } else { (b, a) };
            self.parent[under] = over;
            self.size[over] += self.size[under];
            return self.size[over];
        }
        self.size[a]
    }

    /// Whole groups, in the order of their first modes, in windows of at most `capacity` modes.
    fn windows(&mut self, capacity: usize) -> Vec<Vec<usize>> {
        let modes = self.parent.len();
        let mut members = vec![Vec::new(); modes];
        let mut order = Vec::new();
        for mode in 0..modes {
            let group = self.first(mode);
            if members[group].is_empty() {
                order.push(group);
            }
            members[group].push(mode);
        }
        let mut windows = vec![Vec::new()];
        for group in order {
            if windows.last().is_some_and(|window| window.len() + members[group].len() > capacity) {
                windows.push(Vec::new());
            }
            windows.last_mut().expect("there is one").append(&mut members[group]);
        }
        windows
    }
}

impl Gathered {
    /// Windows of at most `capacity` modes, two or more.
    pub fn new(mesh: &Mesh, capacity: usize) -> Self {
        let (mut passes, mut first) = (Vec::new(), 0);
        let mut groups = Groups::alone(mesh.modes());
        for (index, column) in mesh.columns().iter().enumerate() {
            let pairs = || (0..column.count).map(|pair| mesh.rows(column, pair));
            let mut joined = groups.clone();
            let largest = pairs().map(|pair| joined.join(pair)).max().unwrap_or(1);
            if largest > capacity {
                passes.push(Pass { columns: first..index, windows: groups.windows(capacity) });
                first = index;
                joined = Groups::alone(mesh.modes());
                for pair in pairs() {
                    joined.join(pair);
                }
            }
            groups = joined;
        }
        passes.push(Pass { columns: first..mesh.columns().len(), windows: groups.windows(capacity) });
        let windows = passes.iter().map(|pass| pass.windows.len()).max().unwrap_or(1);
        let width = passes.iter().flat_map(|pass| &pass.windows).map(Vec::len).max().unwrap_or(1);
        Gathered { passes, windows, width }
    }

    /// The columns of every pass.
    pub fn columns(&self) -> Vec<Range<usize>> {
        self.passes.iter().map(|pass| pass.columns.clone()).collect()
    }

    /// Where in the [`table`](Self::table) the windows of these columns stand, which lie in one pass.
    pub fn windows_of(&self, mesh: &Mesh, columns: &Range<usize>) -> usize {
        let before = |pass: &&Pass| pass.columns.end <= columns.start;
        mesh.columns().len() + self.windows * self.passes.iter().take_while(before).count()
    }

    /// Of every column `(where its windows' MZIs stand in this table, count, first MZI, what is the column's own)`. Behind the columns, of every window
    /// of every pass `(first place, end of its places, 0, 0)`; places are the modes themselves, four in an entry. Then, of every window of every column,
    /// `(first, end, 0, 0)` of its MZIs' entries `(upper place, lower place, number in the column, 0)`.
    pub fn table(&self, mesh: &Mesh, own: impl Fn(usize) -> u32) -> Result<Vec<[u32; 4]>> {
        let columns = mesh.columns().len();
        let mut table = vec![[0; 4]; columns + self.windows * self.passes.len()];
        let mut place_of = vec![0; mesh.modes()];
        let mut window_of = vec![0; mesh.modes()];
        for (index, pass) in self.passes.iter().enumerate() {
            for (number, window) in pass.windows.iter().enumerate() {
                let first = 4 * table.len();
                table[columns + index * self.windows + number] = [count(first)?, count(first + window.len())?, 0, 0];
                for (k, &mode) in window.iter().enumerate() {
                    (place_of[mode], window_of[mode]) = (first + k, number);
                }
                for modes in window.chunks(4) {
                    let mut entry = [0; 4];
                    for (slot, &mode) in entry.iter_mut().zip(modes) {
                        *slot = count(mode)?;
                    }
                    table.push(entry);
                }
            }
            for number in pass.columns.clone() {
                let column = &mesh.columns()[number];
                let mut of_windows = vec![Vec::new(); self.windows];
                for k in 0..column.count {
                    let [upper, lower] = mesh.rows(column, k);
                    let places = [count(place_of[upper])?, count(place_of[lower])?];
                    of_windows[window_of[upper]].push([places[0], places[1], count(k)?, 0]);
                }
                let start = table.len();
                table[number] = [count(start)?, count(column.count)?, count(column.first_mzi)?, own(number)];
                let mut first = start + self.windows;
                for entries in &of_windows {
                    table.push([count(first)?, count(first + entries.len())?, 0, 0]);
                    first += entries.len();
                }
                of_windows.into_iter().for_each(|entries| table.extend(entries));
            }
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mzi_stands_in_the_window_of_both_its_modes() {
        let custom = Mesh::of_columns(9, &[vec![[0, 8], [2, 3]], vec![[1, 8]], vec![[1, 3], [4, 6]], vec![[0, 2]]]);
        let meshes = [Mesh::butterfly(64).unwrap(), Mesh::benes(32).unwrap(), custom.unwrap()];
        for mesh in meshes.into_iter().flat_map(|mesh| [mesh.on_dies(2).unwrap(), mesh]) {
            for capacity in [2, 3, 8, 13] {
                let gathered = Gathered::new(&mesh, capacity);
                let table = gathered.table(&mesh, |column| column as u32).unwrap();
                let mode = |place: u32| table[place as usize / 4][place as usize % 4] as usize;
                assert_eq!(gathered.columns().into_iter().flatten().collect::<Vec<_>>().len(), mesh.columns().len());
                for pass in &gathered.passes {
                    let at = gathered.windows_of(&mesh, &pass.columns);
                    let windows = &table[at..at + gathered.windows];
                    let mut modes: Vec<usize> = windows.iter().flat_map(|own| (own[0]..own[1]).map(mode)).collect();
                    modes.sort_unstable();
                    assert_eq!(modes, (0..mesh.modes()).collect::<Vec<_>>());
                    assert!(windows.iter().all(|own| (own[1] - own[0]) as usize <= capacity.min(gathered.width)));
                    for number in pass.columns.clone() {
                        let column = &mesh.columns()[number];
                        let mut seen = vec![false; column.count];
                        for (window, own) in windows.iter().enumerate() {
                            let [first, end, ..] = table[table[number][0] as usize + window];
                            for [upper, lower, k, _] in &table[first as usize..end as usize] {
                                assert!([upper, lower].iter().all(|place| (own[0]..own[1]).contains(place)));
                                assert_eq!([mode(*upper), mode(*lower)], mesh.rows(column, *k as usize));
                                assert!(!std::mem::replace(&mut seen[*k as usize], true));
                            }
                        }
                        assert!(seen.into_iter().all(|seen| seen));
                    }
                }
            }
        }
    }

    #[test]
    fn a_butterfly_needs_two_passes_for_a_window_of_half_its_columns() {
        let mesh = Mesh::butterfly(4096).unwrap();
        assert_eq!(Gathered::new(&mesh, 64).columns(), [0..6, 6..12]);
        assert_eq!(Gathered::new(&mesh, 1024).columns(), [0..10, 10..12]);
    }
}
