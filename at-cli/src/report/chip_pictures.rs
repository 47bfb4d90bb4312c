//! The inside of the chip, stage by stage: what it was told and what is wrong with it.

use super::mesh_grid::MeshGrid;
use crate::export::heat_map::{Colours, HeatMap};
use at_core::chip::StageErrors;
use at_core::network::Stage;
use at_core::optics::Mesh;
use at_core::stage::{Matrix, WeightBank};

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

/// Pictures of the stage's controls, `[as the stage orders them]`, and of its errors; `next` is the stage behind it.
pub fn pictures(stage: &Stage, errors: &StageErrors, controls: &[f64], next: Option<&Stage>) -> Vec<Picture> {
    match *stage {
        Stage::Mesh(ref mesh) => {
            let grid = |columns| MeshGrid::new(mesh, columns, next);
            let whole = grid(mesh.columns().len());
            let drawn = whole.rows().max(whole.columns()) <= MOST_CELLS;
            if drawn { mesh_pictures(mesh, &grid, errors, controls) } else { Vec::new() }
        }
        Stage::Matrix(Matrix { inputs, outputs }) | Stage::WeightBank(WeightBank { inputs, outputs }) => {
            let drawn = inputs.max(outputs) <= 4 * MOST_CELLS;
            let bank = matches!(stage, Stage::WeightBank(_));
            if drawn { matrix_pictures(bank, inputs, outputs, errors, controls) } else { Vec::new() }
        }
        Stage::Attenuators(_)
        | Stage::Splitter(_)
        | Stage::Combiner(_)
        | Stage::Activation(_)
        | Stage::Detection(_)
        | Stage::Modulation(_)
        | Stage::Rectifier(_)
        | Stage::Own(_) => Vec::new(), // nobody here knows how to draw it
    }
}

/// A value per MZI on the grid of modes and columns; an MZI covers its two rows. `last`, a value per mode, is a further column.
fn on_mesh(mesh: &Mesh, grid: &MeshGrid, per_mzi: &[f64], last: Option<&[f64]>) -> Vec<Option<f64>> {
    let mut values = vec![None; grid.rows() * grid.columns()];
    for ((column, row), &value) in mesh.positions().zip(per_mzi) {
        values[grid.cell(row, column)] = Some(value);
        values[grid.cell(row + 1, column)] = Some(value);
    }
    for (mode, &value) in last.into_iter().flatten().enumerate() {
        values[grid.cell(mode, mesh.columns().len())] = Some(value);
    }
    values
}

fn mesh_pictures(
    mesh: &Mesh,
    grid: &dyn Fn(usize) -> MeshGrid,
    errors: &StageErrors,
    controls: &[f64],
) -> Vec<Picture> {
    let picture = |name, title: &str, caption, colours: Colours, per_mzi: &[f64], last: Option<&[f64]>| {
        let grid = grid(mesh.columns().len() + usize::from(last.is_some()));
        let [x_label, y_label] = grid.labels("column, in the direction of light");
        let scale_label = if name == "theta" || name == "phi" { "phase (rad)" } else { "error (rad)" };
        let map = HeatMap {
            title: title.into(),
            x_label,
            y_label,
            scale_label: scale_label.into(),
            rows: grid.rows(),
            columns: grid.columns(),
            values: on_mesh(mesh, &grid, per_mzi, last),
            colours,
            numbers: false,
            names: None,
            block: 1,
        };
        Picture { name, map, caption }
    };
    let (theta, phi, gamma) = mesh.split(controls);
    let mut pictures = vec![
        picture("theta", "Internal phases θ", THETA, Colours::Phase, theta, None),
        picture("phi", "External phases φ; output phases γ last", PHI, Colours::Phase, phi, Some(gamma)),
    ];
    if let Some([first_coupler, second_coupler, phases]) = errors.get(["first_coupler", "second_coupler", "phases"]) {
        let couplers = Colours::diverging(first_coupler.iter().chain(second_coupler).copied());
        pictures.push(picture("coupler-1", "Error of the first couplers", COUPLER, couplers, first_coupler, None));
        pictures.push(picture("coupler-2", "Error of the second couplers", COUPLER, couplers, second_coupler, None));
        let (theta, phi, gamma) = mesh.split(phases);
        let shifts = Colours::diverging(phases.iter().copied());
        pictures.push(picture("theta-error", "Error of θ", SHIFT, shifts, theta, None));
        pictures.push(picture("phi-error", "Error of φ; of γ last", SHIFT, shifts, phi, Some(gamma)));
    }
    pictures
}

const THETA: &str = "Every MZI as a block of two rows. θ = 0 (or 2π) crosses its waveguides, θ = π keeps them apart.";
const PHI: &str = "The phase on the upper arm before each MZI; the last column holds the output phase of every mode.";
const COUPLER: &str = "What the trainer does not know: the angle by which each coupler misses an equal split.";
const SHIFT: &str = "What the trainer does not know: the phase that stands in each shifter beside the one it was told.";

fn matrix_pictures(bank: bool, inputs: usize, outputs: usize, errors: &StageErrors, controls: &[f64]) -> Vec<Picture> {
    let picture = |name, title: &str, scale: &str, caption, values: &[f64]| {
        let map = HeatMap {
            title: title.into(),
            x_label: "input".into(),
            y_label: "output".into(),
            scale_label: scale.into(),
            rows: outputs,
            columns: inputs,
            values: values[..inputs * outputs].iter().copied().map(Some).collect(),
            colours: Colours::diverging(values[..inputs * outputs].iter().copied()),
            numbers: false,
            names: None,
            block: 1,
        };
        Picture { name, map, caption }
    };
    if !bank {
        let mut pictures = vec![picture("weights", "Weights as programmed", "weight", WEIGHTS, controls)];
        if let Some([spread]) = errors.get(["spread"]) {
            pictures.push(picture("spread", "Spread of the weights", "relative error", SPREAD, spread));
        }
        return pictures;
    }
    let nominal: Vec<f64> = controls.iter().map(|phase| phase.sin()).collect();
    let mut pictures = vec![picture("weights", "Weights as the trainer sees them", "weight sin φ", NOMINAL, &nominal)];
    if let Some([amplitude, slope, offset]) = errors.get(["amplitude", "slope", "offset"]) {
        let held = |k: usize| (1.0 + amplitude[k]) * ((1.0 + slope[k]) * controls[k] + offset[k]).sin();
        let held: Vec<f64> = (0..controls.len()).map(held).collect();
        pictures.push(picture("held", "Weights that the chip holds", "weight", HELD, &held));
    }
    pictures
}

const WEIGHTS: &str = "The weights that the chip was told; biases are left out.";
const SPREAD: &str = "What the trainer does not know: the relative error of every weight.";
const NOMINAL: &str = "The weight that each control would set in a perfect cell; biases are left out.";
const HELD: &str = "What the trainer does not know: the weight that each cell really holds, by its own response.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_mzi_lies_on_its_two_rows_and_output_phases_behind_the_mesh() {
        let mesh = Mesh::rectangular(3).unwrap(); // columns join (0,1), (1,2), (0,1)
        let values = on_mesh(&mesh, &MeshGrid::new(&mesh, 4, None), &[1.0, 2.0, 3.0], Some(&[7.0, 8.0, 9.0]));
        let expected = [1.0, 0.0, 3.0, 7.0, 1.0, 2.0, 3.0, 8.0, 0.0, 2.0, 0.0, 9.0];
        let found: Vec<f64> = values.into_iter().map(|value| value.unwrap_or(0.0)).collect();
        assert_eq!(found, expected);
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
        let spread = StageErrors::new(&Matrix { inputs: 3, outputs: 2 }, vec![vec![0.1; 8]]);
        assert_eq!(names(Stage::matrix(3, 2), spread), ["weights", "spread"]);
        assert!(names(Stage::Mesh(Mesh::truncated(MOST_CELLS + 1, 2).unwrap()), StageErrors::NONE).is_empty());
    }
}
