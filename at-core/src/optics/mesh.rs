//! The geometry of a mesh: which MZI stands where, and how its controls are ordered.

use super::layout::{self, Layout};
use crate::{Error, Result};
use std::sync::Arc;

/// The MZIs that light crosses together, on every die the same ones. In a mesh of neighbours they join rows (first, first+1),
/// (first+2, first+3), …; in others [`Mesh::rows`] tells which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Upper row of the topmost MZI, in a mesh of neighbours.
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
    /// Upper row of MZI number `pair` of the column of a mesh of neighbours, counted from the top; `pair` is below [`Column::count`].
    fn row(&self, pair: usize) -> usize {
        self.first_row + pair / self.per_die * self.die_modes + 2 * (pair % self.per_die)
    }

    /// Index among all MZIs of a mesh of neighbours of the one whose upper row is `row`; the column must have one there.
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
    /// Upper and lower row of every MZI of one die, where they are not neighbours in the order of [`Column`].
    pairs: Option<Arc<[[u32; 2]]>>,
    losses_unknown: bool,
}

/// More waveguides than this are refused: the phases alone would take 8 TiB.
const MAX_MODES: usize = 1 << 20;

fn check_modes(modes: usize) -> Result<()> {
    if (2..=MAX_MODES).contains(&modes) {
        return Ok(());
    }
    Err(Error::invalid("modes", modes, format!("a mesh has 2 to {MAX_MODES} modes")))
}

fn check_depth(depth: usize) -> Result<()> {
    if (1..=MAX_MODES).contains(&depth) {
        return Ok(());
    }
    Err(Error::invalid("depth", depth, format!("a mesh has 1 to {MAX_MODES} columns")))
}

impl Mesh {
    /// The rectangular mesh with `modes` columns, which reaches every unitary.
    pub fn rectangular(modes: usize) -> Result<Self> {
        Self::truncated(modes, modes)
    }

    /// The rectangular mesh with `depth` columns; fewer than `modes` reach only part of the unitaries, more are redundant.
    pub fn truncated(modes: usize, depth: usize) -> Result<Self> {
        check_modes(modes)?; // first, because the depth may be told by it
        check_depth(depth)?;
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

    /// The diamond mesh: columns of 1, 2, …, N/2, …, 2, 1 MZIs, centred.
    pub fn diamond(modes: usize) -> Result<Self> {
        check_modes(modes)?;
        layout::check_diamond(modes)?;
        let half = modes / 2;
        Self::from_rows(modes, Layout::Diamond, modes - 1, |column| {
            let count = column.min(modes - 2 - column) + 1;
            (half - count, count)
        })
    }

    /// The butterfly of log2 N columns, as in a fast Fourier transform.
    pub fn butterfly(modes: usize) -> Result<Self> {
        check_modes(modes)?;
        Self::from_pairs(modes, Layout::Butterfly, layout::butterfly(modes)?)
    }

    /// The Beneš mesh of 2 log2 N - 1 columns.
    pub fn benes(modes: usize) -> Result<Self> {
        check_modes(modes)?;
        Self::from_pairs(modes, Layout::Benes, layout::benes(modes)?)
    }

    /// Any other mesh: of every column the MZIs, each with its upper and its lower mode. φ and θ act on the upper one.
    ///
    /// Errs where there is no column or an empty one, where a mode is not one of `modes` or stands in a column twice, and where a pair
    /// does not name its upper mode first.
    pub fn of_columns(modes: usize, columns: &[Vec<[usize; 2]>]) -> Result<Self> {
        check_modes(modes)?;
        check_depth(columns.len())?;
        layout::check_columns(modes, columns)?;
        Self::from_pairs(modes, Layout::Custom, columns.to_vec())
    }

    /// The mesh of `layout` with as many columns as it has by its nature. Errs where it has none of `modes` modes, and for a custom one,
    /// which [`Mesh::of_columns`] makes.
    pub fn universal(modes: usize, layout: Layout) -> Result<Self> {
        match layout {
            Layout::Rectangular => Self::rectangular(modes),
            Layout::Triangular => Self::triangular(modes),
            Layout::Diamond => Self::diamond(modes),
            Layout::Butterfly => Self::butterfly(modes),
            Layout::Benes => Self::benes(modes),
            Layout::Custom => {
                Err(Error::invalid("layout", "custom", "its columns have to be told: a list of pairs each"))
            }
        }
    }

    /// Columns of pairs that have been checked.
    fn from_pairs(modes: usize, layout: Layout, columns: Vec<Vec<[usize; 2]>>) -> Result<Self> {
        let mut mesh = Self::from_rows(modes, layout, columns.len(), |column| (0, columns[column].len()))?;
        mesh.pairs = Some(columns.iter().flatten().map(|pair| pair.map(|mode| mode as u32)).collect());
        Ok(mesh)
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
        Ok(Mesh { modes, dies: 1, layout, columns, mzis, pairs: None, losses_unknown: false })
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
            pairs: self.pairs.clone(),
            losses_unknown: self.losses_unknown,
        })
    }

    /// The same mesh as a model of one whose losses are not known: its imperfections that can be estimated
    /// ([`crate::propagator::Tunable`]) have the loss of every waveguide among them.
    pub fn with_unknown_losses(self) -> Self {
        Mesh { losses_unknown: true, ..self }
    }

    /// Whether it is [`Mesh::with_unknown_losses`].
    pub fn losses_unknown(&self) -> bool {
        self.losses_unknown
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

    /// Whether every MZI joins neighbours, (first, first+1), (first+2, first+3), … of its column, so that [`Column`] alone tells where it is.
    pub fn joins_neighbours(&self) -> bool {
        self.pairs.is_none()
    }

    /// Upper and lower row of MZI number `pair` of one of the mesh's columns; `pair` is below [`Column::count`].
    pub fn rows(&self, column: &Column, pair: usize) -> [usize; 2] {
        let Some(pairs) = &self.pairs else {
            let row = column.row(pair);
            return [row, row + 1];
        };
        let (die, own) = (pair / column.per_die, pair % column.per_die);
        pairs[column.first_mzi / self.dies + own].map(|row| die * column.die_modes + row as usize)
    }

    /// Every MZI as its column, and its upper and lower row, in the order of its controls.
    pub fn positions(&self) -> impl Iterator<Item = (usize, [usize; 2])> + '_ {
        self.columns
            .iter()
            .enumerate()
            .flat_map(move |(index, column)| (0..column.count).map(move |pair| (index, self.rows(column, pair))))
    }

    /// Where every MZI stands in tables `[column, pair]` of ⌊N/2⌋ pairs: in a mesh of neighbours by half its upper row, rounded down, in others by
    /// its number in the column.
    pub fn table_places(&self) -> impl Iterator<Item = [usize; 2]> + '_ {
        self.columns.iter().enumerate().flat_map(move |(index, column)| {
            let place = move |pair| if self.joins_neighbours() { column.row(pair) / 2 } else { pair };
            (0..column.count).map(move |pair| [index, place(pair)])
        })
    }

    /// The columns of one die, each as its MZIs' upper and lower modes.
    pub fn die_columns(&self) -> Vec<Vec<[usize; 2]>> {
        let column = |column: &Column| (0..column.per_die).map(|pair| self.rows(column, pair)).collect();
        self.columns.iter().map(column).collect()
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
                assert!(mesh.positions().all(|(_, [upper, lower])| upper + 1 == lower && lower < modes));
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
        let crossing = Mesh::of_columns(5, &[vec![[0, 3], [1, 4]], vec![[2, 3]]]).unwrap();
        let neighbours = [Mesh::rectangular(2).unwrap(), Mesh::triangular(5).unwrap(), Mesh::truncated(6, 3).unwrap()];
        let others = [Mesh::diamond(6).unwrap(), Mesh::butterfly(8).unwrap(), Mesh::benes(4).unwrap(), crossing];
        for die in neighbours.into_iter().chain(others) {
            let mesh = die.on_dies(3).unwrap();
            assert_eq!((mesh.modes(), mesh.dies(), mesh.die_modes()), (3 * die.modes(), 3, die.modes()));
            assert_eq!((mesh.mzis(), mesh.controls()), (3 * die.mzis(), 3 * die.controls()));
            let single: Vec<_> = die.positions().collect();
            for (mzi, (column, rows)) in mesh.positions().enumerate() {
                if mesh.joins_neighbours() {
                    assert_eq!(mesh.columns()[column].mzi(rows[0]), mzi);
                }
                let (place, own) = mesh.die_controls()[mzi];
                assert_eq!((column, rows.map(|row| row - place * die.modes())), single[own]);
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
