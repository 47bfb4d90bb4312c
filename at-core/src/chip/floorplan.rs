//! Where a stage's phase shifters lie on its die: what crosstalk and correlated process variation depend on.

use crate::network::Stage;

/// Where a heater lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Its die, of those of its stage: nothing passes from one to another.
    pub die: usize,
    /// Along the light and across it, in units of the pitch, the distance of nearest heaters.
    pub at: [f64; 2],
}

/// The place of every control's heater; none for a control that is no heater.
///
/// Mesh: an MZI's φ and θ lie one pitch apart along the light and share a column of two pitches; its neighbours in the column are
/// one pitch away, two waveguides. The output phases γ stand in two staggered columns behind. Weight bank: cells on a square grid,
/// rows are outputs, the biases last. Every stage is a die of its own, and a mesh can have several.
pub fn places(stage: &Stage) -> Vec<Option<Place>> {
    let only = |along: usize, across: usize| Some(Place { die: 0, at: [along as f64, across as f64] });
    match stage {
        Stage::Mesh(mesh) => {
            let modes = mesh.die_modes();
            let place = |along: usize, mode: usize| {
                Some(Place { die: mode / modes, at: [along as f64, 0.5 * (mode % modes) as f64] })
            };
            let mzis = |ahead: usize| mesh.positions().map(move |(column, row)| place(2 * column + ahead, row));
            let end = 2 * mesh.columns().len();
            let outputs = (0..mesh.modes()).map(|mode| place(end + mode % modes % 2, mode));
            mzis(1).chain(mzis(0)).chain(outputs).collect()
        }
        Stage::Attenuators { .. } => {
            let angles = stage.controls() - 1;
            (0..angles).map(|k| only(0, k)).chain([None]).collect()
        }
        &Stage::WeightBank { inputs, outputs } => {
            let cells = (0..outputs).flat_map(|row| (0..inputs).map(move |column| only(column, row)));
            cells.chain((0..outputs).map(|row| only(inputs, row))).collect()
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
        let meshes = [(6, Layout::Rectangular, 1), (5, Layout::Triangular, 1), (5, Layout::Rectangular, 3)]
            .map(|(modes, layout, dies)| Stage::Mesh(Mesh::universal(modes, layout).unwrap().on_dies(dies).unwrap()));
        let bank = Stage::WeightBank { inputs: 3, outputs: 2 };
        for stage in meshes.iter().chain([&bank, &Stage::Attenuators { inputs: 4, outputs: 3 }]) {
            let places = places(stage);
            assert_eq!(places.len(), stage.controls());
            let heaters: Vec<Place> = places.into_iter().flatten().collect();
            let distance = |a: Place, b: Place| (a.at[0] - b.at[0]).hypot(a.at[1] - b.at[1]);
            let pairs = (0..heaters.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
            let pairs = pairs.filter(|&(i, j)| heaters[i].die == heaters[j].die);
            let nearest = pairs.map(|(i, j)| distance(heaters[i], heaters[j])).fold(f64::MAX, f64::min);
            assert_eq!(nearest, 1.0, "{stage:?}");
        }
    }
}
