//! The inside of the chip, stage by stage: what it was told and what is wrong with it.

use super::mesh_grid::MeshGrid;
use crate::export::heat_map::{Colours, HeatMap};
use at_core::network::Stage;
use at_core::optics::Mesh;
use at_core::stage::{Grid, Map, Span, StageErrors};

/// More cells than this in a row or column are not drawn.
pub const MOST_CELLS: usize = 300;

/// A picture of a stage.
pub struct Picture {
    /// For its file: `phases-theta`.
    pub name: &'static str,
    /// The map.
    pub map: HeatMap,
    /// What it shows.
    pub caption: &'static str,
}

/// Maps of the stage that its errors have a part in: what it does with them, and they themselves.
pub fn of_errors(stage: &Stage, errors: &StageErrors, controls: &[f64]) -> Vec<Map> {
    let Some(drawn) = stage.element().drawn() else { return Vec::new() };
    let told = drawn.maps(&StageErrors::NONE, controls);
    let mut maps = drawn.maps(errors, controls);
    maps.retain(|map| told.iter().all(|other| other.name != map.name));
    maps
}

/// Pictures of the stage's controls, `[as the stage orders them]`, and of its errors, as its page has them; `next` is the stage behind it.
pub fn pictures(stage: &Stage, errors: &StageErrors, controls: &[f64], next: Option<&Stage>) -> Vec<Picture> {
    let Some(drawn) = stage.element().drawn() else { return Vec::new() };
    let maps = || drawn.maps(errors, controls).into_iter();
    match drawn.grid() {
        Grid::Mesh(mesh) => {
            let whole = MeshGrid::new(mesh, mesh.columns().len(), next);
            let small = whole.rows().max(whole.columns()) <= MOST_CELLS;
            if small { maps().map(|map| of_mesh(mesh, next, map)).collect() } else { Vec::new() }
        }
        Grid::Pixels { rows, columns } => {
            let small = rows.max(columns) <= 4 * MOST_CELLS;
            if small { maps().map(|map| of_pixels(rows, columns, map)).collect() } else { Vec::new() }
        }
        Grid::Weights { inputs, outputs } => {
            let small = inputs.max(outputs) <= 4 * MOST_CELLS;
            if small { maps().map(|map| of_weights(inputs, outputs, map)).collect() } else { Vec::new() }
        }
    }
}

/// A value per MZI on the grid of modes and columns; an MZI covers the rows of its two modes. `last`, a value per mode, is a further column.
fn on_mesh(mesh: &Mesh, grid: &MeshGrid, per_mzi: &[f64], last: Option<&[f64]>) -> Vec<Option<f64>> {
    let mut values = vec![None; grid.rows() * grid.columns()];
    for ((column, rows), &value) in mesh.positions().zip(per_mzi) {
        rows.iter().for_each(|&row| values[grid.cell(row, column)] = Some(value));
    }
    for (mode, &value) in last.into_iter().flatten().enumerate() {
        values[grid.cell(mode, mesh.columns().len())] = Some(value);
    }
    values
}

fn of_mesh(mesh: &Mesh, next: Option<&Stage>, map: Map) -> Picture {
    let (per_mzi, last) = map.values.split_at(mesh.mzis());
    let last = (!last.is_empty()).then_some(last);
    let grid = MeshGrid::new(mesh, mesh.columns().len() + usize::from(last.is_some()), next);
    let values = on_mesh(mesh, &grid, per_mzi, last);
    picture(&map, grid.labels("column, in the direction of light"), [grid.rows(), grid.columns()], values)
}

fn of_weights(inputs: usize, outputs: usize, map: Map) -> Picture {
    let values = map.values.iter().copied().map(Some).collect();
    picture(&map, ["input".into(), "output".into()], [outputs, inputs], values)
}

fn of_pixels(rows: usize, columns: usize, map: Map) -> Picture {
    let values = map.values.iter().copied().map(Some).collect();
    picture(&map, ["x, pixel".into(), "y, pixel".into()], [rows, columns], values)
}

fn picture(map: &Map, labels: [String; 2], [rows, columns]: [usize; 2], values: Vec<Option<f64>>) -> Picture {
    let [x_label, y_label] = labels;
    let drawn = HeatMap {
        title: map.title.into(),
        x_label,
        y_label,
        scale_label: map.scale.into(),
        rows,
        columns,
        values,
        colours: match map.span {
            Span::Phase => Colours::Phase,
            Span::AroundZero { limit } => Colours::diverging([limit]),
        },
        numbers: false,
        names: None,
        block: 1,
        frames: Vec::new(),
    };
    Picture { name: map.name, map: drawn, caption: map.caption }
}

#[cfg(test)]
mod tests {
    use super::*;
    use at_core::stage::{Matrix, WeightBank};

    #[test]
    fn an_mzi_lies_on_its_two_rows_and_output_phases_behind_the_mesh() {
        let mesh = Mesh::rectangular(3).unwrap(); // columns join (0,1), (1,2), (0,1)
        let values = on_mesh(&mesh, &MeshGrid::new(&mesh, 4, None), &[1.0, 2.0, 3.0], Some(&[7.0, 8.0, 9.0]));
        let expected = [1.0, 0.0, 3.0, 7.0, 1.0, 2.0, 3.0, 8.0, 0.0, 2.0, 0.0, 9.0];
        let found: Vec<f64> = values.into_iter().map(|value| value.unwrap_or(0.0)).collect();
        assert_eq!(found, expected);
        let mesh = Mesh::butterfly(4).unwrap(); // columns join (0,1) and (2,3), then (0,2) and (1,3)
        let values = on_mesh(&mesh, &MeshGrid::new(&mesh, 2, None), &[1.0, 2.0, 3.0, 4.0], None);
        let found: Vec<f64> = values.into_iter().flatten().collect();
        assert_eq!(found, [1.0, 3.0, 1.0, 4.0, 2.0, 3.0, 2.0, 4.0]);
    }

    #[test]
    fn stages_have_the_pictures_of_their_kind() {
        let names = |stage: Stage, errors: StageErrors| {
            let controls = vec![0.5; stage.controls()];
            pictures(&stage, &errors, &controls, None).into_iter().map(|picture| picture.name).collect::<Vec<_>>()
        };
        let mesh = Mesh::rectangular(4).unwrap();
        let errors = StageErrors::zeros(&mesh);
        assert_eq!(names(Stage::Mesh(mesh.clone()), StageErrors::NONE), ["theta", "phi"]);
        assert_eq!(names(Stage::Mesh(mesh), errors).len(), 6);
        assert_eq!(names(Stage::weight_bank(3, 2), StageErrors::NONE), ["weights"]);
        let bank = WeightBank { inputs: 3, outputs: 2 };
        let of_chip = ["weights", "held", "amplitude-error", "slope-error", "offset-error"];
        assert_eq!(names(Stage::weight_bank(3, 2), StageErrors::zeros(&bank)), of_chip);
        assert_eq!(names(Stage::attenuators(3, 2), StageErrors::NONE), ["transmission"]);
        let spread = StageErrors::new(&Matrix { inputs: 3, outputs: 2 }, vec![vec![0.1; 8]]);
        assert_eq!(names(Stage::matrix(3, 2), spread), ["weights", "spread"]);
        assert!(names(Stage::Mesh(Mesh::truncated(MOST_CELLS + 1, 2).unwrap()), StageErrors::NONE).is_empty());
    }
}
