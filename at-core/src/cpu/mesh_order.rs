//! The order in which the loops treat the MZIs of a mesh.

use super::mesh_rotations::Run;
use crate::optics::Mesh;
use std::ops::Range;

/// An MZI in the order of the loops: its control index, its upper and its lower row.
pub type Place = (u32, [u32; 2]);

/// The order in which the loops treat MZIs.
///
/// In sweep s, the column at distance d from the first of its block treats the MZI at row s - d, whose neighbours the column
/// before it has just treated. Read backwards, the order serves the backward pass. Blocks have `columns` columns; with one
/// it is the plain order. With more, light crosses die after die. MZIs that do not join neighbours have no sweeps and follow
/// [`as_soon_as_lit`].
pub fn schedule(mesh: &Mesh, columns: usize) -> Vec<Place> {
    let mut order = Vec::with_capacity(mesh.mzis());
    if columns == 1 {
        order.extend(places(mesh));
        return order;
    }
    if !mesh.joins_neighbours() {
        return as_soon_as_lit(mesh);
    }
    for die in 0..mesh.dies() {
        let low = die * mesh.die_modes();
        for block in mesh.columns().chunks(columns) {
            for sweep in (block[0].first_row..mesh.die_modes() + block.len()).step_by(2) {
                for (distance, column) in block.iter().enumerate() {
                    let offset = sweep.checked_sub(distance).and_then(|row| row.checked_sub(column.first_row));
                    if let Some(offset) = offset.filter(|offset| *offset < 2 * column.per_die) {
                        let row = low + column.first_row + offset;
                        order.push((column.mzi(row) as u32, [row as u32, row as u32 + 1]));
                    }
                }
            }
        }
    }
    order
}

/// The waveguides of four MZIs that follow each other as `(0, 1), (2, 3), (0, 2), (1, 3)`.
fn quad(rows: &[[u32; 2]]) -> Option<[u32; 4]> {
    let &[[a, b], [c, d], first, second] = rows.get(..4)? else { return None };
    (first == [a, c] && second == [b, d]).then_some([a, b, c, d])
}

/// What MZIs of `mesh` in these places, one after the other, are to the loops of a mesh of rotations.
pub fn runs(mesh: &Mesh, places: &[Place]) -> Vec<Run> {
    let column = |mzi: u32| mesh.columns().partition_point(|column| column.first_mzi <= mzi as usize) as u32 - 1;
    let follows = |&(mzi, [upper, _]): &Place, &(behind, [next, shared]): &Place| {
        next + 1 == upper && shared == upper && (!mesh.joins_neighbours() || column(behind) == column(mzi) + 1)
    };
    let rows: Vec<[u32; 2]> = places.iter().map(|place| place.1).collect();
    let (mut runs, mut at) = (Vec::new(), 0);
    while let Some(&(mzi, [row, lower])) = places.get(at) {
        let (run, count) = match quad(&rows[at..]) {
            Some(waveguides) => (Run::Quad(waveguides), 4),
            None => {
                let count = 1 + places[at..].windows(2).take_while(|pair| follows(&pair[0], &pair[1])).count();
                (Run::Sweep { row, lower, count: count as u32, column: column(mzi) }, count)
            }
        };
        runs.push(run);
        at += count;
    }
    runs
}

/// Every MZI in the order of the controls.
fn places(mesh: &Mesh) -> impl Iterator<Item = Place> {
    mesh.positions().enumerate().map(|(mzi, (_, rows))| (mzi as u32, rows.map(|row| row as u32)))
}

/// The order in which MZIs follow as soon as all their inputs are lit, the last lit ones first: in a butterfly, blocks of modes that the
/// nearest cache holds cross all columns that join nothing else before the next block enters. A [`quad`] of two columns' MZIs follows as one, so that
/// light is fetched once for both.
fn as_soon_as_lit(mesh: &Mesh) -> Vec<Place> {
    let all: Vec<Place> = places(mesh).collect();
    // of every MZI and its two waveguides, the next MZI there
    let mut next = vec![[None; 2]; all.len()];
    let mut first = vec![None; mesh.modes()];
    for (index, &(_, rows)) in all.iter().enumerate().rev() {
        next[index] = rows.map(|row| first[row as usize].replace(index));
    }
    let (members, groups) = grouped(&all, &next);
    let mut group_of = vec![0; all.len()];
    for (group, range) in groups.iter().enumerate() {
        members[range.clone()].iter().for_each(|&mzi| group_of[mzi] = group);
    }
    // of every group, the groups behind it, once for every waveguide that leads there
    let behind = |group: usize| {
        let own = members[groups[group].clone()].iter().flat_map(|&mzi| next[mzi]).flatten();
        own.map(|mzi: usize| group_of[mzi]).filter(move |&other| other != group)
    };
    let mut waits_for = vec![0_u8; groups.len()];
    (0..groups.len()).flat_map(behind).for_each(|group| waits_for[group] += 1);
    let mut order = Vec::with_capacity(all.len());
    let mut ready = Vec::new();
    let entrances: Vec<usize> = (0..groups.len()).filter(|&group| waits_for[group] == 0).collect();
    for entrance in entrances {
        ready.push(entrance);
        while let Some(group) = ready.pop() {
            order.extend(members[groups[group].clone()].iter().map(|&mzi| all[mzi]));
            let mut lit = Vec::new();
            for other in behind(group) {
                waits_for[other] -= 1;
                if waits_for[other] == 0 {
                    lit.push(other);
                }
            }
            ready.extend(lit.into_iter().rev());
        }
    }
    order
}

/// All MZIs in groups, quads where there are some, in the order of their first ones; `next` has those behind every MZI.
fn grouped(all: &[Place], next: &[[Option<usize>; 2]]) -> (Vec<usize>, Vec<Range<usize>>) {
    let mut before = vec![Vec::new(); all.len()];
    for (index, next) in next.iter().enumerate() {
        next.iter().flatten().for_each(|&mzi: &usize| before[mzi].push(index));
    }
    let mut taken = vec![false; all.len()];
    let (mut members, mut groups) = (Vec::with_capacity(all.len()), Vec::new());
    for index in 0..all.len() {
        if taken[index] {
            continue;
        }
        let start = members.len();
        members.push(index);
        let beside = |(upper, lower): (usize, usize)| {
            let other = before[upper].iter().copied().find(|&other| other != index)?;
            let four = [index, other, upper, lower];
            let free = four.iter().all(|&mzi| !taken[mzi]) && before[lower].contains(&other);
            (free && quad(&four.map(|mzi| all[mzi].1)).is_some()).then_some([other, upper, lower])
        };
        if let [Some(upper), Some(lower)] = next[index]
            && let Some(others) = beside((upper, lower))
        {
            members.extend(others);
        }
        members[start..].iter().for_each(|&mzi| taken[mzi] = true);
        groups.push(start..members.len());
    }
    (members, groups)
}

#[cfg(test)]
mod tests {
    use super::super::mesh_kernel::BLOCK;
    use super::*;

    /// Light meets the MZIs of every waveguide in the order of columns, and every one once.
    #[test]
    fn a_schedule_keeps_the_order_of_light() {
        let custom = Mesh::of_columns(7, &[vec![[0, 6]], vec![[2, 3], [0, 5]], vec![[1, 4]], vec![[3, 6]]]).unwrap();
        let twice = Mesh::of_columns(4, &[vec![[0, 1], [2, 3]], vec![[0, 2], [1, 3]], vec![[0, 2], [1, 3]]]).unwrap();
        let named = [Mesh::rectangular(9), Mesh::triangular(6), Mesh::diamond(8), Mesh::butterfly(16), Mesh::benes(8)];
        let meshes = named.map(|mesh| mesh.unwrap()).into_iter().chain([custom, twice]);
        for mesh in meshes.flat_map(|mesh| [mesh.on_dies(3).unwrap(), mesh]) {
            for columns in [1, BLOCK, 2 * BLOCK] {
                let order = schedule(&mesh, columns);
                let ways = |places: &mut dyn Iterator<Item = Place>| {
                    let mut ways = vec![Vec::new(); mesh.modes()];
                    for (mzi, rows) in places {
                        rows.iter().for_each(|&row| ways[row as usize].push((mzi, rows)));
                    }
                    ways
                };
                assert_eq!(ways(&mut order.iter().copied()), ways(&mut places(&mesh)));
                assert_eq!(order.len(), mesh.mzis());
            }
        }
    }

    #[test]
    fn blocks_of_a_butterfly_cross_their_columns_together() {
        let order = schedule(&Mesh::butterfly(64).unwrap(), BLOCK);
        let rows: Vec<[u32; 2]> = order.iter().map(|place| place.1).collect();
        assert!(rows[..32].iter().flatten().all(|&row| row < 16), "{rows:?}");
        assert!(rows.chunks(4).all(|rows| quad(rows).is_some()), "{rows:?}");
    }

    #[test]
    fn a_benes_mesh_is_all_quads_but_for_one_column() {
        let order = schedule(&Mesh::benes(16).unwrap(), BLOCK);
        let mut rows: Vec<[u32; 2]> = order.iter().map(|place| place.1).collect();
        let mut quads = 0;
        while !rows.is_empty() {
            let found = quad(&rows).is_some();
            quads += usize::from(found);
            rows.drain(..if found { 4 } else { 1 });
        }
        assert_eq!(quads, 4 * 3);
    }
}
