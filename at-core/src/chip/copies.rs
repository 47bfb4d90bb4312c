//! Layers larger than one physical module, by using one module again: temporal copies share its errors.
//!
//! A matrix or weight bank is cut into blocks of `module × module` cells, whose partial sums are added electronically; all blocks,
//! and all layers of the same shape, are the same cells at different times. Meshes of the same geometry are one mesh. Without
//! that, every block and mesh is a spatial copy with errors of its own.
//!
//! Source of the two ways to scale: Wang et al., Nat. Commun. 16, 2143 (2025), Fig. 4.

use crate::network::{Network, Stage};

/// For every control, the control whose hardware it uses: itself, or one of a lower index.
pub fn hardware(network: &Network, module: usize) -> Vec<usize> {
    let mut hardware = Vec::with_capacity(network.controls());
    let mut seen: Vec<(&Stage, usize)> = Vec::new();
    for stage in network.stages().filter(|stage| stage.controls() > 0) {
        let offset = hardware.len();
        let home = match seen.iter().find(|(other, _)| *other == stage) {
            Some((_, home)) => *home,
            None => {
                seen.push((stage, offset));
                offset
            }
        };
        hardware.extend((0..stage.controls()).map(|k| home + cell(stage, k, module)));
    }
    hardware
}

/// The cell of a stage's first block that does the work of its control k. A module has a column of biases of its own.
fn cell(stage: &Stage, k: usize, module: usize) -> usize {
    let (Stage::Matrix { inputs, outputs } | Stage::WeightBank { inputs, outputs }) = *stage else { return k };
    let weights = inputs * outputs;
    if k >= weights { weights + (k - weights) % module } else { k / inputs % module * inputs + k % inputs % module }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
