//! The geometry of a mesh: which MZI stands where, and how its controls are ordered.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// How the MZIs of a mesh are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Clements, Optica 3, 1460 (2016): column ℓ holds MZIs on rows ℓ mod 2, +2, …; N columns make any unitary.
    Rectangular,
    /// Reck, PRL 73, 58 (1994): 2N-3 columns; column ℓ holds rows i ≡ ℓ mod 2 with i ≤ min(ℓ, 2N-4-ℓ).
    Triangular,
}

/// The MZIs that light crosses together: they join rows (first, first+1), (first+2, first+3), …, on every die the same ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Upper row of the topmost MZI.
    pub first_row: usize,
    /// Number of MZIs, of all dies together.
    pub count: usize,
    /// Index of the topmost MZI among all MZIs of the mesh.
    pub first_mzi: usize,
    /// Number of MZIs on each die.
    pub per_die: usize,
    /// Number of waveguides of each die.
    pub die_modes: usize,
}

impl Column {
    /// Upper row of MZI number `pair` of the column, counted from the top; `pair` is below [`Column::count`].
    pub fn row(&self, pair: usize) -> usize {
        self.first_row + pair / self.per_die * self.die_modes + 2 * (pair % self.per_die)
    }

    /// Index among all MZIs of the mesh of the one whose upper row is `row`; the column must have one there.
    pub fn mzi(&self, row: usize) -> usize {
        self.first_mzi + row / self.die_modes * self.per_die + (row % self.die_modes - self.first_row) / 2
    }
}

/// A mesh of MZIs on `modes` waveguides, followed by one output phase γ per waveguide.
///
/// It can be made of several equal meshes side by side that no MZI joins, each on a die of its own: its matrix is then
/// block-diagonal, and die d has the modes from `d·die_modes` on.
///
/// Its controls are ordered `[θ of every MZI, φ of every MZI, γ of every mode]`, MZIs column by column, top to bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mesh {
    modes: usize,
    dies: usize,
    layout: Layout,
    columns: Vec<Column>,
    mzis: usize,
}

/// More waveguides than this are refused: the phases alone would take 8 TiB.
const MAX_MODES: usize = 1 << 20;

fn check_modes(modes: usize) -> Result<()> {
    if (2..=MAX_MODES).contains(&modes) {
        return Ok(());
    }
    Err(Error::invalid("modes", modes, format!("a mesh has 2 to {MAX_MODES} modes")))
}

impl Mesh {
    /// The rectangular mesh with `modes` columns, which reaches every unitary.
    pub fn rectangular(modes: usize) -> Result<Self> {
        Self::truncated(modes, modes)
    }

    /// The rectangular mesh with `depth` columns; fewer than `modes` reach only part of the unitaries, more are redundant.
    pub fn truncated(modes: usize, depth: usize) -> Result<Self> {
        check_modes(modes)?; // first, because the depth may be told by it
        if depth == 0 || depth > MAX_MODES {
            return Err(Error::invalid("depth", depth, format!("a mesh has 1 to {MAX_MODES} columns")));
        }
        Self::from_rows(modes, Layout::Rectangular, depth, |column| (column % 2, (modes - column % 2) / 2))
    }

    /// The triangular mesh, which reaches every unitary.
    pub fn triangular(modes: usize) -> Result<Self> {
        let depth = modes.saturating_mul(2).saturating_sub(3);
        Self::from_rows(modes, Layout::Triangular, depth, |column| {
            let first = column % 2;
            (first, (column.min(2 * modes - 4 - column) - first) / 2 + 1)
        })
    }

    /// The universal mesh of `layout`.
    pub fn universal(modes: usize, layout: Layout) -> Result<Self> {
        match layout {
            Layout::Rectangular => Self::rectangular(modes),
            Layout::Triangular => Self::triangular(modes),
        }
    }

    fn from_rows(modes: usize, layout: Layout, depth: usize, rows: impl Fn(usize) -> (usize, usize)) -> Result<Self> {
        check_modes(modes)?;
        let mut mzis = 0;
        let columns = (0..depth)
            .map(|column| {
                let (first_row, count) = rows(column);
                let first_mzi = mzis;
                mzis += count;
                Column { first_row, count, first_mzi, per_die: count, die_modes: modes }
            })
            .collect();
        Ok(Mesh { modes, dies: 1, layout, columns, mzis })
    }

    /// `dies` times the mesh of one die of this one, side by side.
    pub fn on_dies(&self, dies: usize) -> Result<Self> {
        let die_modes = self.die_modes();
        if dies == 0 || dies > MAX_MODES / die_modes {
            let reason = format!("a mesh has 1 to {MAX_MODES} modes on all its dies, and each has {die_modes}");
            return Err(Error::invalid("dies", dies, reason));
        }
        let resized = |column: &Column| Column {
            count: column.per_die * dies,
            first_mzi: column.first_mzi / self.dies * dies,
            ..*column
        };
        Ok(Mesh {
            modes: die_modes * dies,
            dies,
            layout: self.layout,
            columns: self.columns.iter().map(resized).collect(),
            mzis: self.mzis / self.dies * dies,
        })
    }

    /// Number of waveguides N, of all dies together.
    pub fn modes(&self) -> usize {
        self.modes
    }

    /// Number of dies.
    pub fn dies(&self) -> usize {
        self.dies
    }

    /// Number of waveguides of each die.
    pub fn die_modes(&self) -> usize {
        self.modes / self.dies
    }

    /// The arrangement.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The columns, in the order in which light meets them.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Number of MZIs.
    pub fn mzis(&self) -> usize {
        self.mzis
    }

    /// Number of controls: θ and φ of every MZI and γ of every mode.
    pub fn controls(&self) -> usize {
        2 * self.mzis + self.modes
    }

    /// Every MZI as (column, upper row), in the order of its controls.
    pub fn positions(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.columns
            .iter()
            .enumerate()
            .flat_map(|(index, column)| (0..column.count).map(move |pair| (index, column.row(pair))))
    }

    /// For every control its die, and the control of the die's own mesh that it is.
    pub fn die_controls(&self) -> Vec<(usize, usize)> {
        let (modes, mzis) = (self.die_modes(), self.mzis / self.dies);
        let own = |shift: usize| {
            self.columns.iter().flat_map(move |column| {
                let first = shift + column.first_mzi / self.dies;
                (0..column.count).map(move |pair| (pair / column.per_die, first + pair % column.per_die))
            })
        };
        let outputs = (0..self.modes).map(|mode| (mode / modes, 2 * mzis + mode % modes));
        own(0).chain(own(mzis)).chain(outputs).collect()
    }

    /// Splits a control vector into (θ, φ, γ). `controls` has [`Mesh::controls`] entries.
    pub fn split<'a, T>(&self, controls: &'a [T]) -> (&'a [T], &'a [T], &'a [T]) {
        let (theta, rest) = controls.split_at(self.mzis);
        let (phi, gamma) = rest.split_at(self.mzis);
        (theta, phi, gamma)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn universal_meshes_have_half_n_times_n_minus_one_mzis() {
        for modes in 2..20 {
            for layout in [Layout::Rectangular, Layout::Triangular] {
                let mesh = Mesh::universal(modes, layout).unwrap();
                assert_eq!(mesh.mzis(), modes * (modes - 1) / 2, "{layout:?} {modes}");
                assert_eq!(mesh.positions().count(), mesh.mzis());
                assert!(mesh.positions().all(|(_, row)| row + 1 < modes));
            }
        }
    }

    #[test]
    fn of_a_mesh_without_size_the_modes_are_named() {
        for modes in [0, 1, MAX_MODES + 1] {
            for layout in [Layout::Rectangular, Layout::Triangular] {
                let error = Mesh::universal(modes, layout).unwrap_err().to_string();
                assert!(error.starts_with(&format!("modes = {modes} ")), "{error}");
            }
            assert!(Mesh::truncated(modes, 0).unwrap_err().to_string().starts_with("modes = "));
        }
        assert!(Mesh::truncated(4, 0).unwrap_err().to_string().starts_with("depth = 0 "));
    }

    #[test]
    fn dies_lie_side_by_side_and_nothing_joins_them() {
        for die in [Mesh::rectangular(2).unwrap(), Mesh::triangular(5).unwrap(), Mesh::truncated(6, 3).unwrap()] {
            let mesh = die.on_dies(3).unwrap();
            assert_eq!((mesh.modes(), mesh.dies(), mesh.die_modes()), (3 * die.modes(), 3, die.modes()));
            assert_eq!((mesh.mzis(), mesh.controls()), (3 * die.mzis(), 3 * die.controls()));
            let single: Vec<_> = die.positions().collect();
            for (mzi, (column, row)) in mesh.positions().enumerate() {
                assert_eq!(mesh.columns()[column].mzi(row), mzi);
                let (place, own) = mesh.die_controls()[mzi];
                assert_eq!((column, row - place * die.modes()), single[own]);
            }
            assert_eq!(mesh.on_dies(1).unwrap(), die);
            let mut controls = mesh.die_controls();
            controls.sort_unstable();
            let all = (0..3).flat_map(|place| (0..die.controls()).map(move |own| (place, own)));
            assert!(controls.into_iter().eq(all), "every control once");
        }
        assert!(Mesh::rectangular(2).unwrap().on_dies(0).is_err());
        assert!(Mesh::rectangular(2).unwrap().on_dies(usize::MAX).is_err());
    }

    #[test]
    fn impossible_sizes_are_errors() {
        assert!(Mesh::rectangular(0).is_err());
        assert!(Mesh::triangular(1).is_err());
        assert!(Mesh::truncated(4, 0).is_err());
        assert!(Mesh::rectangular(usize::MAX).is_err());
    }
}
