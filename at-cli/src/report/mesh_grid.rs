//! Where the modes and columns of a mesh lie on a picture. A mesh on several dies is drawn as the tiles of its layer's matrix, with an
//! empty cell between them.

use at_core::network::Stage;
use at_core::optics::Mesh;

/// The cells of a picture.
#[derive(Clone, Copy, Debug)]
pub struct MeshGrid {
    die_modes: usize,
    die_columns: usize,
    dies: usize,
    /// Dies in a row.
    across: usize,
}

impl MeshGrid {
    /// `columns` values for every mode of `mesh`; `next` is the stage behind it, whose parts stand in a row.
    pub fn new(mesh: &Mesh, columns: usize, next: Option<&Stage>) -> Self {
        let across = if let Some(Stage::Combiner(own)) = next { own.parts.clamp(1, mesh.dies()) } else { 1 };
        MeshGrid { die_modes: mesh.die_modes(), die_columns: columns, dies: mesh.dies(), across }
    }

    /// Cells from top to bottom.
    pub fn rows(&self) -> usize {
        self.dies.div_ceil(self.across) * (self.die_modes + 1) - 1
    }

    /// Cells from left to right.
    pub fn columns(&self) -> usize {
        self.across * (self.die_columns + 1) - 1
    }

    /// The cell of a mode's value in a column, counted row by row.
    pub fn cell(&self, mode: usize, column: usize) -> usize {
        let (die, mode) = (mode / self.die_modes, mode % self.die_modes);
        let row = die / self.across * (self.die_modes + 1) + mode;
        row * self.columns() + die % self.across * (self.die_columns + 1) + column
    }

    /// What the two sides of the picture count, of which `column` says it for one die.
    pub fn labels(&self, column: &str) -> [String; 2] {
        if self.dies == 1 {
            return [column.into(), "mode".into()];
        }
        [format!("die beside die: {column}"), "die below die: mode".into()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dies_are_drawn_as_the_tiles_of_the_layer() {
        let mesh = Mesh::rectangular(3).unwrap().on_dies(4).unwrap();
        let combiner = Stage::combiner(6, 2, 3);
        let grid = MeshGrid::new(&mesh, 4, Some(&combiner));
        assert_eq!((grid.rows(), grid.columns()), (7, 9));
        assert_eq!(grid.cell(0, 0), 0);
        assert_eq!(grid.cell(3, 0), 5, "die 1 stands beside die 0, an empty cell between");
        assert_eq!(grid.cell(6, 3), 4 * 9 + 3, "die 2 below it");
        assert_eq!(grid.cell(11, 3), 6 * 9 + 8);
        let stacked = MeshGrid::new(&mesh, 4, None);
        assert_eq!((stacked.rows(), stacked.columns()), (15, 4));
        let single = MeshGrid::new(&Mesh::rectangular(3).unwrap(), 4, Some(&combiner));
        assert_eq!((single.rows(), single.columns(), single.cell(2, 1)), (3, 4, 9));
    }
}
