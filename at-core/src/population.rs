//! Many chips of one kind under the same controls: how accurate they are, and how many are good enough.

use crate::Result;
use crate::chip::Chip;
use crate::engine::Loss;
use crate::fabrication::Fabrication;
use crate::fabrication::side_by_side::{self, SideBySide};
use crate::network::Network;
use crate::propagator::{Propagator, Simulator};
use crate::training::{Batch, Evaluation, Order, Score, Split, Workspace, evaluate};
use crate::turns::turn_first;
use serde::Serialize;
use std::ops::Range;

/// Samples that cross a chip together.
const BATCH: usize = 2000;

/// Signals of all chips that lie side by side together: 64 MB of complex ones in 32 bits.
const SIGNALS: usize = 8 << 20;

/// z of a two-sided interval of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// What many chips are put to.
#[derive(Clone, Copy)]
pub struct Examination<'a, E: Simulator> {
    /// Where the numbers live.
    pub engine: &'a E,
    /// The design.
    pub network: &'a Network,
    /// What every chip is programmed with.
    pub controls: &'a [f64],
    /// The samples.
    pub split: &'a Split<E>,
    /// By what they are judged.
    pub loss: &'a Loss,
}

impl<E: Simulator> Examination<'_, E> {
    /// Evaluates the chips with these `numbers`, which `fabricate` makes: on several threads at once where the engine has them,
    /// side by side as one network where it prefers that. Whatever the way, a chip's result is that of [`Self::one`], on a GPU
    /// up to rounding.
    pub fn all(
        &self,
        numbers: Range<u64>,
        fabricate: impl Fn(u64) -> Result<Fabrication> + Sync,
    ) -> Result<Vec<Evaluation>> {
        let numbers: Vec<u64> = numbers.collect();
        let first = numbers.first().map(|&number| fabricate(number)).transpose()?;
        let abreast =
            match first.as_ref().filter(|chip| side_by_side::fits(self.network) && side_by_side::is_still(chip)) {
                Some(_) => self.abreast().min(numbers.len()),
                None => 1,
            };
        if abreast < 2 {
            let all = self.engine.for_each(numbers, |number| self.one(&fabricate(number)?));
            return all.into_iter().collect();
        }
        let mut all = Vec::with_capacity(numbers.len());
        for numbers in numbers.chunks(abreast) {
            let chips = numbers.iter().map(|&number| fabricate(number)).collect::<Result<Vec<_>>>()?;
            all.extend(self.beside(&chips)?);
        }
        Ok(all)
    }

    /// Evaluates one chip.
    pub fn one(&self, fabrication: &Fabrication) -> Result<Evaluation> {
        let Examination { engine, network, controls, split, loss } = *self;
        let mut chip = Chip::new(engine, network, fabrication)?;
        chip.program(&engine.upload(&told(network, fabrication, controls)?)?)?;
        let mut workspace = Workspace::new(engine, &chip, BATCH.min(split.samples()))?;
        evaluate(&mut chip, engine, split, loss, &mut workspace)
    }

    /// Chips that the engine would lay side by side.
    fn abreast(&self) -> usize {
        let mesh = self.network.meshes().next();
        mesh.map_or(1, |mesh| self.engine.side_by_side(mesh, self.split.samples()))
    }

    /// Evaluates `chips`, which [`SideBySide`] must accept, as one network: every sample enters all of them.
    pub fn beside(&self, chips: &[Fabrication]) -> Result<Vec<Evaluation>> {
        let Examination { engine, network, controls, split, loss } = *self;
        let wide = SideBySide::new(network, chips)?;
        split.check(network.input().width(), loss)?;
        let mut chip = Chip::new(engine, &wide.network, &wide.fabrication)?;
        let told = chips.iter().map(|own| told(network, own, controls)).collect::<Result<Vec<_>>>()?;
        chip.program(&engine.upload(&wide.controls(|index| &told[index]))?)?;
        let (count, samples, outputs) = (chips.len(), split.samples(), network.outputs());
        let capacity = (SIGNALS / chip.inputs()).clamp(1, samples);
        let every = (0..samples as u32).flat_map(|sample| std::iter::repeat_n(sample, count));
        let order = Order::new(engine, every.collect())?;
        let mut batch = Batch::new(engine, split.width(), capacity * count)?;
        let mut readout = engine.zeros(capacity * count * outputs)?;
        let mut tally = engine.zeros(3 * count)?;
        for start in (0..samples).step_by(capacity) {
            let size = capacity.min(samples - start);
            batch.gather(engine, split, &order, start * count, size * count)?;
            chip.propagate(batch.signals(), size, &mut readout)?;
            // a readout of the wide network is one of every chip in turn
            engine.loss(loss, &readout, outputs, batch.targets(), size * count, None, &mut tally)?;
        }
        Evaluation::of_groups(engine, &tally, split.judge())
    }
}

/// `controls` as the chip with this fabrication is told them, without whole turns that mean nothing to it.
fn told(network: &Network, fabrication: &Fabrication, controls: &[f64]) -> Result<Vec<f64>> {
    let mut told = controls.to_vec();
    turn_first(network, &[fabrication], &mut told)?;
    Ok(told)
}

/// A share of chips with its interval of confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Yield {
    /// Score that a good chip reaches.
    pub threshold: f64,
    /// Share of the chips that do.
    pub share: f64,
    /// Interval of 95 % by Wilson's score.
    pub interval: [f64; 2],
}

/// The share of `values` of a `score` that reach `threshold`, with the interval of Wilson, J. Am. Stat. Assoc. 22, 209 (1927):
/// `(p + z²/2n ± z√(p(1-p)/n + z²/4n²))/(1 + z²/n)`, which holds for few chips and for shares of 0 and 1.
pub fn good_chips(score: Score, values: &[f64], threshold: f64) -> Yield {
    let n = values.len() as f64;
    let share = values.iter().filter(|&&value| score.reaches(value, threshold)).count() as f64 / n;
    let centre = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    let interval = [(centre - half) / scale, (centre + half) / scale].map(|end| end.clamp(0.0, 1.0));
    Yield { threshold, share, interval }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Cpu;
    use crate::engine::Normalization;
    use crate::imperfections::{Control, Imperfections, Noise};
    use crate::network::{Detection, Stage};
    use crate::optics::{Activation, Mesh};

    #[test]
    fn yields_have_wilsons_interval() {
        let accuracies: Vec<f64> = (0..10).map(|k| f64::from(k) / 10.0).collect();
        let found = good_chips(Score::Accuracy, &accuracies, 0.75);
        assert_eq!(found.share, 0.2);
        // 2 of 10: the textbook interval 0.0567 … 0.5098
        assert!((found.interval[0] - 0.0567).abs() < 1e-4 && (found.interval[1] - 0.5098).abs() < 1e-4, "{found:?}");
        assert!(good_chips(Score::Accuracy, &accuracies, 2.0).interval[0].abs() < 1e-12);
        assert!((good_chips(Score::Accuracy, &accuracies, -1.0).interval[1] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn every_chip_is_its_own_and_the_same_again() {
        let mesh = Mesh::rectangular(4).unwrap();
        let detection = Stage::detection(4, Detection::Intensity);
        let network = Network::new(vec![vec![Stage::Mesh(mesh), detection]]).unwrap();
        let engine = Cpu::<f64>::new();
        let signals: Vec<f32> = (0..80).map(|k| (k as f32 * 0.7).sin()).collect();
        let labels: Vec<u32> = (0..10).map(|k| k % 4).collect();
        let split = Split::new(&engine, &signals, &labels).unwrap();
        let controls = vec![0.3; network.controls()];
        let kind = Imperfections { phase: 0.5, ..Imperfections::NONE };
        let loss = Loss::cross_entropy(4);
        let examination =
            Examination { engine: &engine, network: &network, controls: &controls, split: &split, loss: &loss };
        let run = || examination.all(0..5, |seed| kind.fabricate(&network, seed)).unwrap();
        let first = run();
        assert_eq!(first, run());
        for (seed, evaluation) in (0..5).zip(&first) {
            assert_eq!(*evaluation, examination.one(&kind.fabricate(&network, seed).unwrap()).unwrap());
        }
        assert!(first.windows(2).all(|pair| pair[0].loss != pair[1].loss));
    }

    /// Everything that a still chip can have, on meshes with what may stand between them.
    #[test]
    fn chips_side_by_side_are_what_they_are_alone() {
        let mesh = |depth| Stage::Mesh(Mesh::truncated(6, depth).unwrap());
        let layers = vec![
            vec![mesh(6), Stage::activation(6, Activation::Spm { gain: 0.7 })],
            vec![mesh(3), Stage::detection(6, Detection::Amplitude)],
            vec![Stage::rectifier(6, 0.05), Stage::modulation(6)],
            vec![mesh(7), Stage::detection(6, Detection::Balanced)],
        ];
        let network = Network::new(layers).unwrap();
        let engine = Cpu::<f64>::new();
        let signals: Vec<f32> = (0..12 * 11).map(|k| (k as f32 * 0.7).sin()).collect();
        let labels: Vec<u32> = (0..11).map(|k| k % 3).collect();
        let split = Split::new(&engine, &signals, &labels).unwrap();
        let controls: Vec<f64> = (0..network.controls()).map(|k| (k as f64).sqrt()).collect();
        let loss = Loss { normalization: Normalization::L2, ..Loss::cross_entropy(3) };
        let examination =
            Examination { engine: &engine, network: &network, controls: &controls, split: &split, loss: &loss };
        let control =
            Control { control_range: 12.0, control_bits: 8, heater_spread: 0.1, crosstalk: 0.05, ..Control::NONE };
        let plain =
            Imperfections { splitter_angle: 0.1, phase: 0.5, loss_db: 0.3, loss_spread_db: 0.2, ..Imperfections::NONE };
        for kind in [Imperfections { control, ..plain }, plain, Imperfections { update_error: 0.5, ..plain }] {
            let chips: Vec<Fabrication> = (0..4).map(|seed| kind.fabricate(&network, seed).unwrap()).collect();
            let beside = examination.beside(&chips).unwrap();
            for (chip, beside) in chips.iter().zip(&beside) {
                let alone = examination.one(chip).unwrap();
                assert_eq!((beside.correct, beside.samples), (alone.correct, 11));
                assert!((beside.loss - alone.loss).abs() < 1e-12, "{beside:?} for {alone:?}");
            }
            assert!(beside.windows(2).all(|pair| pair[0].loss != pair[1].loss));
        }
        let noisy = Noise { thermal_noise: 0.1, ..Noise::NONE };
        let noisy = Imperfections { noise: noisy, ..plain }.fabricate(&network, 1).unwrap();
        assert!(examination.beside(&[noisy]).unwrap_err().to_string().contains("one after the other"));
        assert!(examination.beside(&[]).is_err());
    }
}
