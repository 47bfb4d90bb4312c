//! Where a stage's phase shifters lie on its die: what crosstalk and correlated process variation depend on.

use crate::network::Stage;

/// Places (along the light, across it) of every control's heater, in units of the pitch, the distance of nearest heaters; none
/// for a control that is no heater.
///
/// Mesh: an MZI's φ and θ lie one pitch apart along the light and share a column of two pitches; its neighbours in the column are
/// one pitch away, two waveguides. The output phases γ stand in two staggered columns behind. Weight bank: cells on a square grid,
/// rows are outputs, the biases last. Every stage is a die of its own.
pub fn places(stage: &Stage) -> Vec<Option<[f64; 2]>> {
    match stage {
        Stage::Mesh(mesh) => {
            let mzis = |ahead: f64| {
                mesh.positions().map(move |(column, row)| Some([2.0 * column as f64 + ahead, 0.5 * row as f64]))
            };
            let end = 2 * mesh.columns().len();
            let outputs = (0..mesh.modes()).map(|mode| Some([(end + mode % 2) as f64, 0.5 * mode as f64]));
            mzis(1.0).chain(mzis(0.0)).chain(outputs).collect()
        }
        Stage::Attenuators { .. } => {
            let angles = stage.controls() - 1;
            (0..angles).map(|k| Some([0.0, k as f64])).chain([None]).collect()
        }
        &Stage::WeightBank { inputs, outputs } => {
            let cells = (0..outputs).flat_map(|row| (0..inputs).map(move |column| Some([column as f64, row as f64])));
            cells.chain((0..outputs).map(|row| Some([inputs as f64, row as f64]))).collect()
        }
        _ => vec![None; stage.controls()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optics::{Layout, Mesh};

    #[test]
    fn nearest_heaters_are_one_pitch_apart_and_every_control_has_its_place() {
        let meshes = [(6, Layout::Rectangular), (5, Layout::Triangular)]
            .map(|(modes, layout)| Stage::Mesh(Mesh::universal(modes, layout).unwrap()));
        let bank = Stage::WeightBank { inputs: 3, outputs: 2 };
        for stage in meshes.iter().chain([&bank, &Stage::Attenuators { inputs: 4, outputs: 3 }]) {
            let places = places(stage);
            assert_eq!(places.len(), stage.controls());
            let heaters: Vec<[f64; 2]> = places.into_iter().flatten().collect();
            let distance = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
            let pairs = (0..heaters.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
            let nearest = pairs.map(|(i, j)| distance(heaters[i], heaters[j])).fold(f64::MAX, f64::min);
            assert_eq!(nearest, 1.0, "{stage:?}");
        }
    }
}
