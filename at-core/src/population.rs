//! Many chips of one kind under the same controls: how accurate they are, and how many are good enough.

use crate::Result;
use crate::chip::{Chip, Fabrication};
use crate::network::Network;
use crate::propagator::{Engine, Propagator};
use crate::training::{Evaluation, Loss, Split, Workspace, evaluate};
use serde::Serialize;

/// Samples that cross a chip together.
const BATCH: usize = 2000;

/// z of a two-sided interval of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// Evaluates every one of `chips` with the same `controls` on `split`, in turn; data and memory are shared.
pub fn evaluate_chips<E: Engine>(
    engine: &E,
    network: &Network,
    controls: &[f64],
    chips: impl IntoIterator<Item = Result<Fabrication>>,
    split: &Split<E>,
    loss: &Loss,
) -> Result<Vec<Evaluation>> {
    let controls = engine.upload(controls)?;
    let mut workspace = None;
    let run = |fabrication: Result<Fabrication>| {
        let mut chip = Chip::new(engine, network, &fabrication?)?;
        chip.program(&controls)?;
        if workspace.is_none() {
            workspace = Some(Workspace::new(engine, &chip, BATCH.min(split.samples()))?);
        }
        let workspace = workspace.as_mut().expect("was made above");
        evaluate(&mut chip, engine, split, loss, workspace)
    };
    chips.into_iter().map(run).collect()
}

/// A share of chips with its interval of confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Yield {
    /// Accuracy that a good chip reaches.
    pub threshold: f64,
    /// Share of the chips that do.
    pub share: f64,
    /// Interval of 95 % by Wilson's score.
    pub interval: [f64; 2],
}

/// The share of `accuracies` that are at least `threshold`, with the interval of Wilson, J. Am. Stat. Assoc. 22, 209 (1927):
/// `(p + z²/2n ± z√(p(1-p)/n + z²/4n²))/(1 + z²/n)`, which holds for few chips and for shares of 0 and 1.
pub fn good_chips(accuracies: &[f64], threshold: f64) -> Yield {
    let n = accuracies.len() as f64;
    let share = accuracies.iter().filter(|accuracy| **accuracy >= threshold).count() as f64 / n;
    let centre = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    let interval = [(centre - half) / scale, (centre + half) / scale].map(|end| end.clamp(0.0, 1.0));
    Yield { threshold, share, interval }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chip::Imperfections;
    use crate::cpu::Cpu;
    use crate::network::{Detection, Stage};
    use crate::optics::Mesh;

    #[test]
    fn yields_have_wilsons_interval() {
        let accuracies: Vec<f64> = (0..10).map(|k| f64::from(k) / 10.0).collect();
        let found = good_chips(&accuracies, 0.75);
        assert_eq!(found.share, 0.2);
        // 2 of 10: the textbook interval 0.0567 … 0.5098
        assert!((found.interval[0] - 0.0567).abs() < 1e-4 && (found.interval[1] - 0.5098).abs() < 1e-4, "{found:?}");
        assert!(good_chips(&accuracies, 2.0).interval[0].abs() < 1e-12);
        assert!((good_chips(&accuracies, -1.0).interval[1] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn every_chip_is_its_own_and_the_same_again() {
        let mesh = Mesh::rectangular(4).unwrap();
        let detection = Stage::Detection { modes: 4, detection: Detection::Intensity };
        let network = Network::new(vec![vec![Stage::Mesh(mesh), detection]]).unwrap();
        let engine = Cpu::<f64>::new();
        let signals: Vec<f32> = (0..80).map(|k| (k as f32 * 0.7).sin()).collect();
        let labels: Vec<u32> = (0..10).map(|k| k % 4).collect();
        let split = Split::new(&engine, &signals, &labels).unwrap();
        let controls = vec![0.3; network.controls()];
        let kind = Imperfections { phase: 0.5, ..Imperfections::NONE };
        let run = || {
            let chips = (0..5).map(|seed| kind.fabricate(&network, seed));
            evaluate_chips(&engine, &network, &controls, chips, &split, &Loss::cross_entropy(4)).unwrap()
        };
        let first = run();
        assert_eq!(first, run());
        assert!(first.windows(2).all(|pair| pair[0].loss != pair[1].loss));
    }
}
