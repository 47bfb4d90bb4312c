//! Layers larger than one physical module, by using one module again: temporal copies share its errors.
//!
//! A matrix or weight bank is cut into blocks of `module × module` cells, whose partial sums are added electronically; all blocks,
//! and all layers of the same shape, are the same cells at different times. Meshes of the same geometry are one mesh, and so are all
//! tiles of a tiled layer ([`crate::tiled`]). Without that, every block and mesh is a spatial copy with errors of its own.
//!
//! Source of the two ways to scale: Wang et al., Nat. Commun. 16, 2143 (2025), Fig. 4.

use crate::network::{Network, Stage};
use crate::stage::{Order, StageErrors};

/// For every control, the control whose hardware it uses: itself, or one of a lower index.
pub fn hardware(network: &Network, module: usize) -> Vec<usize> {
    homes(network, module)
        .into_iter()
        .flat_map(|home| home.cells.into_iter().map(move |cell| home.first + cell))
        .collect()
}

/// The stage whose hardware does the work of another one.
struct Home<'a> {
    /// The number of the one that works.
    source: usize,
    stage: &'a Stage,
    /// Its first control.
    first: usize,
    /// For every control of the one that it works for, its own that does.
    cells: Vec<usize>,
}

/// Of every stage with controls its home: the first stage that shares hardware with it, be it itself.
fn homes(network: &Network, module: usize) -> Vec<Home<'_>> {
    let mut homes: Vec<Home> = Vec::new();
    let mut offset = 0;
    for (number, stage) in network.stages().enumerate() {
        let Some(own) = stage.element().controlled() else { continue };
        let shared = |home: &Home| own.shares(home.stage, module).map(|cells| (home.source, home.first, cells));
        let (source, first, cells) = match homes.iter().find_map(shared) {
            Some(found) => found,
            None => (number, offset, own.shares(stage, module).expect("a stage shares its own hardware")),
        };
        let home = network.stages().nth(source).expect("it was met before");
        homes.push(Home { source, stage: home, first, cells });
        offset += stage.controls();
    }
    homes
}

/// Gives every control the value of the hardware that it uses.
pub(super) fn share<T: Copy>(values: &mut [T], hardware: &[usize]) {
    for k in 0..values.len() {
        values[k] = values[hardware[k]];
    }
}

/// The same for the errors of stages: those of their homes' cells and dies.
pub(super) fn share_stages(network: &Network, errors: &mut [StageErrors], module: usize) {
    let controlled = network.stages().enumerate().filter(|(_, stage)| stage.element().controlled().is_some());
    for ((number, stage), home) in controlled.zip(homes(network, module)) {
        let Some(own) = stage.element().imperfect() else { continue };
        let source = errors[home.source].clone();
        let vectors = own.errors().into_iter().zip(home.stage.errors()).zip(source.iter());
        let shared = vectors.map(|((own, theirs), (_, values))| match (own.order, theirs.order) {
            (Order::Controls | Order::ControlsFrom(_), _) => {
                let (first, theirs) = (own.order.first_control(), theirs.order.first_control());
                home.cells[first..first + own.length].iter().map(|&cell| values[cell - theirs]).collect()
            }
            (Order::Waveguides { modes, .. }, Order::Waveguides { modes: theirs, die_modes }) => {
                let dies = values.chunks_exact(theirs).map(|column| &column[..die_modes]);
                dies.flat_map(|die| die.iter().cycle().take(modes)).copied().collect()
            }
            (Order::Stage, _) => values.to_vec(),
            (Order::Waveguides { .. }, Order::Controls | Order::ControlsFrom(_) | Order::Stage) => {
                unreachable!("stages that share hardware have one schema")
            }
        });
        errors[number] = StageErrors::new(own, shared.collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imperfections::Imperfections;
    use crate::network::Detection;
    use crate::optics::Mesh;

    #[test]
    fn blocks_and_layers_of_one_shape_use_the_same_cells() {
        let bank = |inputs, outputs| vec![Stage::weight_bank(inputs, outputs)];
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
        let detection = Stage::detection(6, Detection::Intensity);
        let combiner = Stage::combiner(6, 2, 3);
        let network = Network::new(vec![vec![mesh(4), combiner], vec![mesh(2), detection]]).unwrap();
        let imperfections =
            Imperfections { splitter_angle: 0.1, phase: 0.2, loss_spread_db: 0.3, loss_db: 1.0, ..Imperfections::NONE };
        let own = imperfections.fabricate(&network, 5).unwrap();
        let chip = Imperfections { module: 3, update_error: 0.1, ..imperfections }.fabricate(&network, 5).unwrap();
        let names = ["first_coupler", "phases", "loss_db"];
        let [drawn, drawn_phases, drawn_loss] = own.stages[0].get(names).unwrap();
        for (stage, dies) in [(0, 4), (2, 2)] {
            let [first_coupler, phases, loss_db] = chip.stages[stage].get(names).unwrap();
            let mesh = die.on_dies(dies).unwrap();
            // with one MZI per die and column, the first die's are every fourth of those drawn
            for (mzi, (column, [row, _])) in mesh.positions().enumerate() {
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
