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

/// The MZIs that light crosses together: they join rows (first, first+1), (first+2, first+3), …
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Upper row of the topmost MZI.
    pub first_row: usize,
    /// Number of MZIs.
    pub count: usize,
    /// Index of the topmost MZI among all MZIs of the mesh.
    pub first_mzi: usize,
}

/// A mesh of MZIs on `modes` waveguides, followed by one output phase γ per waveguide.
///
/// Its controls are ordered `[θ of every MZI, φ of every MZI, γ of every mode]`, MZIs column by column, top to bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mesh {
    modes: usize,
    layout: Layout,
    columns: Vec<Column>,
    mzis: usize,
}

/// More waveguides than this are refused: the phases alone would take 8 TiB.
const MAX_MODES: usize = 1 << 20;

impl Mesh {
    /// The rectangular mesh with `modes` columns, which reaches every unitary.
    pub fn rectangular(modes: usize) -> Result<Self> {
        Self::truncated(modes, modes)
    }

    /// The rectangular mesh with `depth` columns; fewer than `modes` reach only part of the unitaries, more are redundant.
    pub fn truncated(modes: usize, depth: usize) -> Result<Self> {
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
        if !(2..=MAX_MODES).contains(&modes) {
            return Err(Error::invalid("modes", modes, format!("a mesh has 2 to {MAX_MODES} modes")));
        }
        let mut mzis = 0;
        let columns = (0..depth)
            .map(|column| {
                let (first_row, count) = rows(column);
                let first_mzi = mzis;
                mzis += count;
                Column { first_row, count, first_mzi }
            })
            .collect();
        Ok(Mesh { modes, layout, columns, mzis })
    }

    /// Number of waveguides N.
    pub fn modes(&self) -> usize {
        self.modes
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
            .flat_map(|(index, column)| (0..column.count).map(move |k| (index, column.first_row + 2 * k)))
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
    fn impossible_sizes_are_errors() {
        assert!(Mesh::rectangular(0).is_err());
        assert!(Mesh::triangular(1).is_err());
        assert!(Mesh::truncated(4, 0).is_err());
        assert!(Mesh::rectangular(usize::MAX).is_err());
    }
}
