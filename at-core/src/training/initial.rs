//! The controls from which training starts.

use crate::network::{Network, Stage};
use crate::numpy_random::LegacyNormal;
use crate::optics::haar::haar_phases;
use crate::{Error, Result};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// The greatest initial weight of a weight bank: at |w| = 1 a cell's response `sin φ` has no slope and would not learn.
const GREATEST_CELL_WEIGHT: f64 = 0.95;

/// How the weights of matrices and weight banks are drawn. Meshes start Haar-random, attenuators transparent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Initialization {
    /// Matrices N(0, 2/inputs) (He et al., 2015, for rectifiers), weight banks N(0, 1/inputs); biases 0.
    #[default]
    FanIn,
    /// As the published demonstration draws them ([`crate::chip::demonstration`]): weights N(0, 0.1²), biases N(0, 0.5²), both
    /// from NumPy's stream of the seed plus the layer's number. Matrices only; weight banks as with [`Initialization::FanIn`].
    Demonstration,
    /// Weights N(0, weight²), biases N(0, bias²).
    Normal {
        /// Standard deviation of the weights.
        weight: f64,
        /// Standard deviation of the biases.
        bias: f64,
    },
}

impl Initialization {
    /// Errs where a standard deviation is negative or not finite.
    pub fn validate(&self) -> Result<()> {
        let Initialization::Normal { weight, bias } = *self else { return Ok(()) };
        for (name, value) in [("weight", weight), ("bias", bias)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(Error::invalid(name, value, "must be finite and not negative"));
            }
        }
        Ok(())
    }

    /// Standard deviations (weight, bias) of a stage whose fan-in rule is N(0, `numerator`/`inputs`).
    fn deviations(&self, numerator: f64, inputs: usize) -> (f64, f64) {
        match *self {
            Initialization::FanIn | Initialization::Demonstration => ((numerator / inputs as f64).sqrt(), 0.0),
            Initialization::Normal { weight, bias } => (weight, bias),
        }
    }
}

/// Controls of every stage, in the network's order. Stage k draws from the k-th ChaCha8 stream of `seed`, so that a change of
/// one stage leaves the others as they were.
pub fn initial_controls(network: &Network, seed: u64, initialization: &Initialization) -> Result<Vec<f64>> {
    initialization.validate()?;
    let mut controls = Vec::with_capacity(network.controls());
    let mut matrices = 0..;
    for (index, stage) in network.stages().enumerate() {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(index as u64);
        match *stage {
            Stage::Mesh(ref mesh) => controls.extend(haar_phases(mesh, &mut random)),
            Stage::Attenuators { inputs, outputs } => {
                controls.extend(std::iter::repeat_n(PI, inputs.min(outputs)));
                controls.push(1.0);
            }
            Stage::Matrix { inputs, outputs } if *initialization == Initialization::Demonstration => {
                let layer = matrices.next().unwrap_or_default();
                controls.extend(LegacyNormal::seed(numpy_seed(seed, layer)?).draw(inputs * outputs, 0.1));
                controls.extend(LegacyNormal::seed(numpy_seed(seed, layer)?).draw(outputs, 0.5));
            }
            Stage::Matrix { inputs, outputs } => {
                let deviations = initialization.deviations(2.0, inputs);
                controls.extend(weights(&mut random, inputs, outputs, deviations));
            }
            Stage::WeightBank { inputs, outputs } => {
                let deviations = initialization.deviations(1.0, inputs);
                let limit = GREATEST_CELL_WEIGHT;
                controls
                    .extend(weights(&mut random, inputs, outputs, deviations).map(|w| w.clamp(-limit, limit).asin()));
            }
            Stage::Splitter { .. } | Stage::Combiner { .. } => {}
            Stage::Activation { .. } | Stage::Detection { .. } | Stage::Modulation { .. } | Stage::Rectifier { .. } => {
            }
        }
    }
    debug_assert_eq!(controls.len(), network.controls());
    Ok(controls)
}

/// The demonstration's seed of layer `layer`. Errs where NumPy would refuse it.
fn numpy_seed(seed: u64, layer: u64) -> Result<u32> {
    let reason = "the demonstration seeds NumPy with it, which takes numbers below 2^32";
    let own = seed.checked_add(layer).and_then(|own| u32::try_from(own).ok());
    own.ok_or_else(|| Error::invalid("seed", seed, reason))
}

/// `outputs·inputs` weights, then `outputs` biases.
fn weights(
    random: &mut impl Rng,
    inputs: usize,
    outputs: usize,
    (weight, bias): (f64, f64),
) -> impl Iterator<Item = f64> {
    (0..outputs * (inputs + 1)).map(move |index| {
        let draw: f64 = StandardNormal.sample(random);
        draw * if index < outputs * inputs { weight } else { bias }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Detection, singular_value_stages};
    use crate::optics::Layout;

    fn deviation(values: &[f64]) -> f64 {
        (values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64).sqrt()
    }

    #[test]
    fn each_stage_starts_as_documented() {
        let svd = singular_value_stages(4, 6, Layout::Rectangular).unwrap();
        let detection = Stage::Detection { modes: 6, detection: Detection::Intensity };
        let bank = Stage::WeightBank { inputs: 6, outputs: 300 };
        let matrix = Stage::Matrix { inputs: 300, outputs: 8 };
        let network = Network::new(vec![svd.into_iter().chain([detection, bank, matrix]).collect()]).unwrap();
        let controls = initial_controls(&network, 5, &Initialization::FanIn).unwrap();
        assert_eq!(controls.len(), network.controls());
        assert_eq!(controls[16..21], [PI, PI, PI, PI, 1.0]);
        let (bank, matrix) = controls[16 + 5 + 36..].split_at(300 * 7);
        let cells: Vec<f64> = bank[..1800].iter().map(|phi| phi.sin()).collect();
        assert!((deviation(&cells) * 6.0_f64.sqrt() - 1.0).abs() < 0.1);
        assert!(bank[1800..].iter().all(|&phi| phi == 0.0));
        assert!((deviation(&matrix[..2400]) * 150.0_f64.sqrt() - 1.0).abs() < 0.1);
        assert!(matrix[2400..].iter().all(|&bias| bias == 0.0));
    }

    #[test]
    fn the_demonstrations_deviations_are_kept() {
        let network = Network::new(vec![vec![Stage::Matrix { inputs: 100, outputs: 100 }]]).unwrap();
        let controls = initial_controls(&network, 1, &Initialization::Normal { weight: 0.1, bias: 0.5 }).unwrap();
        assert!((deviation(&controls[..10_000]) - 0.1).abs() < 0.003);
        assert!((deviation(&controls[10_000..]) - 0.5).abs() < 0.15);
        assert!(initial_controls(&network, 1, &Initialization::Normal { weight: f64::NAN, bias: 0.0 }).is_err());
    }

    #[test]
    fn a_stage_does_not_disturb_the_others() {
        let matrix = Stage::Matrix { inputs: 3, outputs: 3 };
        let wide = Stage::Matrix { inputs: 5, outputs: 3 };
        let one = Network::new(vec![vec![matrix.clone()], vec![matrix.clone()]]).unwrap();
        let other = Network::new(vec![vec![wide], vec![matrix]]).unwrap();
        let one = initial_controls(&one, 9, &Initialization::FanIn).unwrap();
        let other = initial_controls(&other, 9, &Initialization::FanIn).unwrap();
        assert_eq!(one[12..], other[18..]);
        assert_ne!(one[..12], one[12..]);
    }
}
