//! The shapes of meshes: which pairs of modes every column joins, and which waveguides cross between the columns.

use super::Mesh;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// How the MZIs of a mesh are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Clements, Optica 3, 1460 (2016): column ℓ holds MZIs on rows ℓ mod 2, +2, …; N columns make any unitary, more are redundant.
    Rectangular,
    /// Reck, PRL 73, 58 (1994): 2N-3 columns; column ℓ holds rows i ≡ ℓ mod 2 with i ≤ min(ℓ, 2N-4-ℓ).
    Triangular,
    /// Shokraneh, Opt. Express 28, 23495 (2020): N-1 columns of 1, 2, …, N/2, …, 2, 1 MZIs, centred; N is even. It holds the triangular mesh of
    /// N/2+1 modes and its mirror image.
    Diamond,
    /// N = 2^k: column ℓ of k joins modes 2^ℓ apart, as a fast Fourier transform does. Every input reaches every output on one way.
    Butterfly,
    /// Beneš, 1965, N = 2^k: 2k-1 columns that join modes N/2, N/4, …, 2, 1, 2, …, N/4, N/2 apart. It makes every permutation.
    Benes,
    /// Any other: a list of pairs for every column.
    Custom,
}

/// Every layout that its name and a number of modes tell whole.
pub const NAMED: [Layout; 5] =
    [Layout::Rectangular, Layout::Triangular, Layout::Diamond, Layout::Butterfly, Layout::Benes];

impl Layout {
    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Layout::Rectangular => "rectangular",
            Layout::Triangular => "triangular",
            Layout::Diamond => "diamond",
            Layout::Butterfly => "butterfly",
            Layout::Benes => "benes",
            Layout::Custom => "custom",
        }
    }

    /// The layout of a name, [`Layout::Custom`] too.
    pub fn named(name: &str) -> Option<Layout> {
        NAMED.into_iter().chain([Layout::Custom]).find(|layout| layout.name() == name)
    }

    /// Whether a mesh of this layout makes every unitary on its modes, and [`decompose`](super::decompose) finds the phases.
    pub fn is_universal(self) -> bool {
        match self {
            Layout::Rectangular | Layout::Triangular => true,
            Layout::Diamond | Layout::Butterfly | Layout::Benes | Layout::Custom => false,
        }
    }
}

/// Upper and lower mode of every MZI, column by column.
pub type Columns = Vec<Vec<[usize; 2]>>;

/// `0-1.2-3/1-2`: pairs behind dots, columns behind strokes.
pub fn columns_text(columns: &[Vec<[usize; 2]>]) -> String {
    let pair = |[upper, lower]: &[usize; 2]| format!("{upper}-{lower}");
    let column = |column: &Vec<[usize; 2]>| column.iter().map(pair).collect::<Vec<_>>().join(".");
    columns.iter().map(column).collect::<Vec<_>>().join("/")
}

/// What [`columns_text`] writes, read again. Errs with the place of what is no pair of modes.
pub fn columns_of(text: &str) -> Result<Columns> {
    let pair = |column: usize, word: &str| {
        let modes = word.split_once('-').and_then(|(upper, lower)| Some([upper.parse().ok()?, lower.parse().ok()?]));
        modes.ok_or_else(|| {
            let reason = format!(
                "{word:?} is no pair of modes, as 0-1; pairs stand behind dots, columns behind strokes: 0-1.2-3/1-2"
            );
            Error::invalid("columns", format!("column {column}"), reason)
        })
    };
    text.split('/')
        .enumerate()
        .map(|(index, column)| column.split('.').map(|word| pair(index, word)).collect())
        .collect()
}

/// Errs where a diamond has no such number of modes.
pub(super) fn check_diamond(modes: usize) -> Result<()> {
    if modes.is_multiple_of(2) {
        return Ok(());
    }
    let reason = format!("a diamond has an even number of modes; use {} or {}", modes - 1, modes + 1);
    Err(Error::invalid("modes", modes, reason))
}

/// The columns of a butterfly.
pub(super) fn butterfly(modes: usize) -> Result<Columns> {
    let exponent = exponent(modes, "butterfly")?;
    Ok((0..exponent).map(|column| stride(modes, 1 << column)).collect())
}

/// The columns of a Beneš mesh.
pub(super) fn benes(modes: usize) -> Result<Columns> {
    let exponent = exponent(modes, "Beneš mesh")?;
    let halves = (0..exponent).rev().chain(1..exponent);
    Ok(halves.map(|power| stride(modes, 1 << power)).collect())
}

/// log2 of a power of two.
fn exponent(modes: usize, what: &str) -> Result<u32> {
    if modes.is_power_of_two() {
        return Ok(modes.ilog2());
    }
    let above = modes.next_power_of_two();
    let reason = format!("a {what} has 2^k modes; use {} or {above}", above / 2);
    Err(Error::invalid("modes", modes, reason))
}

/// All pairs of modes that are `apart`, a power of two.
fn stride(modes: usize, apart: usize) -> Vec<[usize; 2]> {
    (0..modes).filter(|mode| mode & apart == 0).map(|mode| [mode, mode + apart]).collect()
}

/// Errs where the pairs of a column are none.
pub(super) fn check_columns(modes: usize, columns: &[Vec<[usize; 2]>]) -> Result<()> {
    let mut used = vec![usize::MAX; modes];
    for (index, column) in columns.iter().enumerate() {
        if column.is_empty() {
            return Err(Error::invalid("columns", format!("column {index}"), "it joins no modes; leave it out"));
        }
        for &[upper, lower] in column {
            let pair = || format!("{upper}-{lower} in column {index}");
            if let Some(beyond) = [upper, lower].into_iter().find(|&mode| mode >= modes) {
                let reason = format!("there is no mode {beyond}: the mesh has modes 0 to {}", modes - 1);
                return Err(Error::invalid("columns", pair(), reason));
            }
            if upper == lower {
                return Err(Error::invalid("columns", pair(), "an MZI joins two modes, and these are one"));
            }
            if upper > lower {
                let reason = format!("a pair names its upper mode, on which phi and theta act, first: {lower}-{upper}");
                return Err(Error::invalid("columns", pair(), reason));
            }
            for mode in [upper, lower] {
                if used[mode] == index {
                    let reason =
                        format!("mode {mode} is joined twice in this column; put one pair into a column of its own");
                    return Err(Error::invalid("columns", pair(), reason));
                }
                used[mode] = index;
            }
        }
    }
    Ok(())
}

/// The order from top to bottom, `[column][place] = mode of a die`, in which waveguides stand at every column so that those of every MZI are
/// neighbours: each pair where its upper mode would be, all else in the order of modes.
pub fn standing_order(mesh: &Mesh) -> Vec<Vec<usize>> {
    let modes = mesh.die_modes();
    let order = |column: Vec<[usize; 2]>| {
        let mut lower_of = vec![None; modes];
        let mut is_lower = vec![false; modes];
        for [upper, lower] in column {
            (lower_of[upper], is_lower[lower]) = (Some(lower), true);
        }
        let uppers = (0..modes).filter(|&mode| !is_lower[mode]);
        uppers.flat_map(|mode| [Some(mode), lower_of[mode]]).flatten().collect()
    };
    mesh.die_columns().into_iter().map(order).collect()
}

/// How many other waveguides each one crosses behind every column, `[column, mode]` of all dies: as few as bring them from the order of one
/// column to that of the next. Ports stand in the order of the column beside them, so none cross behind the last.
pub fn crossings(mesh: &Mesh) -> Vec<u32> {
    let mut counts = vec![0; mesh.columns().len() * mesh.modes()];
    if mesh.joins_neighbours() {
        return counts;
    }
    let order = standing_order(mesh);
    let modes = mesh.die_modes();
    for (index, orders) in order.windows(2).enumerate() {
        let mut place = vec![0; modes];
        orders[1].iter().enumerate().for_each(|(at, &mode)| place[mode] = at);
        let next: Vec<usize> = orders[0].iter().map(|&mode| place[mode]).collect();
        for (&mode, count) in orders[0].iter().zip(inversions(&next)) {
            for die in 0..mesh.dies() {
                counts[index * mesh.modes() + die * modes + mode] = count;
            }
        }
    }
    counts
}

/// Of every entry of a permutation, how many others stand on the other side of it than their values do.
fn inversions(places: &[usize]) -> Vec<u32> {
    // a tree of sums over the values met so far
    let mut tree = vec![0; places.len() + 1];
    let count = |(met, &value): (usize, &usize)| {
        let mut below = 0;
        let mut at = value;
        while at > 0 {
            below += tree[at];
            at &= at - 1;
        }
        let mut at = value + 1;
        while at < tree.len() {
            tree[at] += 1;
            at += at & at.wrapping_neg();
        }
        // greater ones on the left, and smaller ones on the right
        ((met - below) + (value - below)) as u32
    };
    places.iter().enumerate().map(count).collect()
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
