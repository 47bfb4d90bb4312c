//! The controls from which training starts.

use crate::Result;
use crate::network::Network;
use crate::stage::Start;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::mem::discriminant;

pub use crate::stage::Initialization;

/// Controls of every stage, in the network's order. Stage k draws from the k-th ChaCha8 stream of `seed`, so that a change of
/// one stage leaves the others as they were.
pub fn initial_controls(network: &Network, seed: u64, initialization: &Initialization) -> Result<Vec<f64>> {
    initialization.validate()?;
    let mut controls = Vec::with_capacity(network.controls());
    for (index, stage) in network.stages().enumerate() {
        let Some(controlled) = stage.element().controlled() else { continue };
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(index as u64);
        let same = |other: &&crate::stage::Stage| discriminant(*other) == discriminant(stage);
        let earlier = network.stages().take(index).filter(same).count() as u64;
        controls.extend(controlled.first(Start { initialization, seed, earlier, random })?);
    }
    debug_assert_eq!(controls.len(), network.controls());
    Ok(controls)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Stage;
    use crate::network::{Detection, singular_value_stages};
    use crate::optics::Layout;
    use std::f64::consts::PI;

    fn deviation(values: &[f64]) -> f64 {
        (values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64).sqrt()
    }

    #[test]
    fn each_stage_starts_as_documented() {
        let svd = singular_value_stages(4, 6, Layout::Rectangular).unwrap();
        let detection = Stage::detection(6, Detection::Intensity);
        let bank = Stage::weight_bank(6, 300);
        let matrix = Stage::matrix(300, 8);
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
        let network = Network::new(vec![vec![Stage::matrix(100, 100)]]).unwrap();
        let controls = initial_controls(&network, 1, &Initialization::Normal { weight: 0.1, bias: 0.5 }).unwrap();
        assert!((deviation(&controls[..10_000]) - 0.1).abs() < 0.003);
        assert!((deviation(&controls[10_000..]) - 0.5).abs() < 0.15);
        assert!(initial_controls(&network, 1, &Initialization::Normal { weight: f64::NAN, bias: 0.0 }).is_err());
    }

    #[test]
    fn a_stage_does_not_disturb_the_others() {
        let matrix = Stage::matrix(3, 3);
        let wide = Stage::matrix(5, 3);
        let one = Network::new(vec![vec![matrix.clone()], vec![matrix.clone()]]).unwrap();
        let other = Network::new(vec![vec![wide], vec![matrix]]).unwrap();
        let one = initial_controls(&one, 9, &Initialization::FanIn).unwrap();
        let other = initial_controls(&other, 9, &Initialization::FanIn).unwrap();
        assert_eq!(one[12..], other[18..]);
        assert_ne!(one[..12], one[12..]);
    }
}
