//! Layers larger than one physical module, by using one module again: temporal copies share its errors.
//!
//! A matrix or weight bank is cut into blocks of `module × module` cells, whose partial sums are added electronically; all blocks,
//! and all layers of the same shape, are the same cells at different times. Meshes of the same geometry are one mesh, and so are all
//! tiles of a tiled layer ([`crate::tiled`]). Without that, every block and mesh is a spatial copy with errors of its own.
//!
//! Source of the two ways to scale: Wang et al., Nat. Commun. 16, 2143 (2025), Fig. 4.

use super::StageErrors;
use crate::network::{Network, Stage};
use crate::optics::Mesh;

/// For every control, the control whose hardware it uses: itself, or one of a lower index.
pub fn hardware(network: &Network, module: usize) -> Vec<usize> {
    let mut hardware = Vec::with_capacity(network.controls());
    let mut seen: Vec<(&Stage, usize)> = Vec::new();
    for stage in network.stages().filter(|stage| stage.controls() > 0) {
        let offset = hardware.len();
        let (original, home) = match seen.iter().find(|(other, _)| same_module(other, stage)) {
            Some(&(other, home)) => (other, home),
            None => {
                seen.push((stage, offset));
                (stage, offset)
            }
        };
        match (stage, original) {
            (Stage::Mesh(mesh), Stage::Mesh(original)) => {
                hardware.extend(first_die(mesh, original).into_iter().map(|cell| home + cell));
            }
            _ => hardware.extend((0..stage.controls()).map(|k| home + cell(stage, k, module))),
        }
    }
    hardware
}

/// Whether one module does the work of both: of one shape, or meshes whose dies are of one geometry.
fn same_module(one: &Stage, other: &Stage) -> bool {
    match (one, other) {
        (Stage::Mesh(one), Stage::Mesh(other)) => {
            let dies = [one, other].map(|mesh| mesh.on_dies(1).ok());
            dies[0] == dies[1]
        }
        _ => one == other,
    }
}

/// For every control of `mesh`, the one on the first die of `original`, whose dies have the same geometry.
fn first_die(mesh: &Mesh, original: &Mesh) -> Vec<usize> {
    let mut first = vec![0; original.controls() / original.dies()];
    for (control, (die, own)) in original.die_controls().into_iter().enumerate() {
        if die == 0 {
            first[own] = control;
        }
    }
    mesh.die_controls().into_iter().map(|(_, own)| first[own]).collect()
}

/// The cell of a stage's first block that does the work of its control k. A module has a column of biases of its own.
fn cell(stage: &Stage, k: usize, module: usize) -> usize {
    let (Stage::Matrix { inputs, outputs } | Stage::WeightBank { inputs, outputs }) = *stage else { return k };
    let weights = inputs * outputs;
    if k >= weights { weights + (k - weights) % module } else { k / inputs % module * inputs + k % inputs % module }
}

/// Gives every control the value of the hardware that it uses.
pub(super) fn share<T: Copy>(values: &mut [T], hardware: &[usize]) {
    for k in 0..values.len() {
        values[k] = values[hardware[k]];
    }
}

/// The same for the errors of stages, of which the dies of meshes are whole copies.
pub(super) fn share_stages(network: &Network, errors: &mut [StageErrors], hardware: &[usize]) {
    let mut homes: Vec<(usize, &Stage, usize)> = Vec::new(); // first control, stage and index of every stage with controls
    let mut offset = 0;
    for (index, stage) in network.stages().enumerate() {
        let controls = offset..offset + stage.controls();
        offset = controls.end;
        if controls.is_empty() {
            continue;
        }
        let home = hardware[controls.start];
        let (_, original, source) = match homes.iter().find(|(start, ..)| *start == home) {
            Some(&found) => found,
            None => {
                homes.push((controls.start, stage, index));
                (home, stage, index)
            }
        };
        if let (Stage::Mesh(mesh), Stage::Mesh(original)) = (stage, original) {
            errors[index] = of_first_die(mesh, original, &errors[source]);
            continue;
        }
        if source != index {
            errors[index] = errors[source].clone();
            continue;
        }
        let own: Vec<usize> = hardware[controls.clone()].iter().map(|k| k - controls.start).collect();
        match &mut errors[index] {
            StageErrors::Matrix { spread } => share(spread, &own),
            StageErrors::WeightBank { amplitude, slope, offset } => {
                [amplitude, slope, offset].into_iter().for_each(|values| share(values, &own));
            }
            _ => {}
        }
    }
}

/// The errors of `mesh` where every die has those of the first die of `original`.
fn of_first_die(mesh: &Mesh, original: &Mesh, errors: &StageErrors) -> StageErrors {
    let StageErrors::Mesh { first_coupler, second_coupler, phases, loss_db } = errors else { return errors.clone() };
    let source = first_die(mesh, original);
    let of = |values: &[f64], count: usize| source[..count].iter().map(|&control| values[control]).collect();
    let columns = loss_db.chunks_exact(original.modes()).map(|column| &column[..original.die_modes()]);
    StageErrors::Mesh {
        first_coupler: of(first_coupler, mesh.mzis()),
        second_coupler: of(second_coupler, mesh.mzis()),
        phases: of(phases, mesh.controls()),
        loss_db: columns.flat_map(|own| own.iter().cycle().take(mesh.modes())).copied().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chip::Imperfections;
    use crate::network::Detection;

    #[test]
    fn blocks_and_layers_of_one_shape_use_the_same_cells() {
        let bank = |inputs, outputs| vec![Stage::WeightBank { inputs, outputs }];
        let network = Network::new(vec![bank(5, 5), bank(5, 5), bank(5, 3)]).unwrap();
        let uses = hardware(&network, 2);
        assert_eq!(&uses[..5], [0, 1, 0, 1, 0], "the first row");
        assert_eq!(uses[5 * 3 + 3], 6, "row 3, column 3 is row 1, column 1");
        assert_eq!(&uses[25..30], [25, 26, 25, 26, 25], "biases");
        assert_eq!(uses[30..60], uses[..30], "the same shape again");
        assert_eq!(uses[60], 60, "another shape");
        assert!(uses.iter().all(|&k| uses[k] == k));
    }

    #[test]
    fn all_tiles_of_one_geometry_are_the_first_die() {
        let die = Mesh::rectangular(3).unwrap();
        let mesh = |dies: usize| Stage::Mesh(die.on_dies(dies).unwrap());
        let detection = Stage::Detection { modes: 6, detection: Detection::Intensity };
        let combiner = Stage::Combiner { outputs: 6, parts: 2, block: 3 };
        let network = Network::new(vec![vec![mesh(4), combiner], vec![mesh(2), detection]]).unwrap();
        let imperfections =
            Imperfections { splitter_angle: 0.1, phase: 0.2, loss_spread_db: 0.3, loss_db: 1.0, ..Imperfections::NONE };
        let own = imperfections.fabricate(&network, 5).unwrap();
        let chip = Imperfections { module: 3, update_error: 0.1, ..imperfections }.fabricate(&network, 5).unwrap();
        let StageErrors::Mesh { first_coupler: drawn, phases: drawn_phases, loss_db: drawn_loss, .. } = &own.stages[0]
        else {
            panic!("a mesh")
        };
        for (stage, dies) in [(0, 4), (2, 2)] {
            let StageErrors::Mesh { first_coupler, phases, loss_db, .. } = &chip.stages[stage] else {
                panic!("a mesh")
            };
            let mesh = die.on_dies(dies).unwrap();
            // with one MZI per die and column, the first die's are every fourth of those drawn
            for (mzi, (column, row)) in mesh.positions().enumerate() {
                assert_eq!(first_coupler[mzi], drawn[4 * column]);
                assert_eq!(phases[mzi], drawn_phases[4 * column]);
                assert_eq!(loss_db[column * mesh.modes() + row], drawn_loss[column * 12 + row % 3]);
            }
        }
        assert_eq!(chip.update_error[0], chip.update_error[3]);
        assert_eq!(chip.update_error[0], chip.update_error[4 * 9]);
        assert!(drawn.iter().enumerate().all(|(k, x)| !drawn[..k].contains(x)), "spatial copies are independent");
        chip.check(&network).unwrap();
    }
}
