//! What a network lets through at given controls: whether its readout can be told apart, and whether a gradient comes back.
//!
//! Nonlinearities of third order make weak light weaker from layer to layer: with a mean power of 15 at the input, three meshes
//! with electro-optic activations leave 5e-12, which no softmax tells from darkness. The model of a chip says so in one pass.

use super::methods::rounded_up;
use super::{Batch, Split};
use crate::Result;
use crate::engine::{Loss, LossKind, Normalization};
use crate::fabrication::Fabrication;
use crate::imperfections::Noise;
use crate::network::Network;
use crate::propagator::{Adjoint, LayerAccess, Propagator, Simulator};

/// Samples that are looked at, the first ones.
const SAMPLES: usize = 64;

/// Class outputs, as the loss sees them, that differ by less than this are the same to a softmax: its loss stays within a
/// thousandth of that of guessing.
const SAME: f64 = 1e-3;

/// Class outputs that differ by more than this are all or nothing to a softmax, in 32 bits too.
const MOST_CONTRAST: f64 = 1e4;

/// Slopes below this move no control: it is Adam's ε, and less than the rounding of a step in 32 bits.
const NO_SLOPE: f64 = 1e-8;

/// Share of the readouts beyond a converter's range from which on they are doubted: the brightest are those that tell classes, and training makes them
/// brighter.
const MOST_CLIPPED: f64 = 0.1;

/// One look at the model of a chip.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Outlook {
    /// Mean over samples and modes of what enters and of what leaves every layer: `|z|²` of fields, `|x|` of real signals.
    pub powers: Vec<f64>,
    /// Greatest difference between two class outputs of one sample, as the loss sees them: scaled, and times its gain; infinite
    /// where nothing is told apart: targets are real, or there is one output.
    pub contrast: f64,
    /// Greatest `|∂L/∂control|`; infinite where there is one output of classes, of which none could be learned.
    pub slope: f64,
    /// Share of the readouts beyond the range of the chip's converters; 0 where they are ideal.
    pub clipped: f64,
    /// The greatest readout.
    pub greatest: f64,
    /// The mean readout in steps of these converters; infinite where they are ideal.
    pub steps: f64,
}

impl Outlook {
    /// Sends the first samples of `split` through a model with the imperfections `known`, programmed with `controls`, and their
    /// error back. `noise` is that of the chip, of which the converters count.
    pub fn of<E: Simulator>(
        engine: &E,
        network: &Network,
        known: &Fabrication,
        noise: &Noise,
        controls: &[f64],
        split: &Split<E>,
        loss: &Loss,
    ) -> Result<Self> {
        let size = SAMPLES.min(split.samples());
        let mut model = engine.build(network, known)?;
        model.program(&engine.upload(controls)?)?;
        let mut batch = Batch::new(engine, split.width(), size)?;
        batch.gather(engine, split, split.in_order(), 0, size)?;

        let mut powers = vec![mean(&engine.download(batch.signals())?, network.input().complex)];
        let mut signal = None;
        for (layer, leaves) in network.visited_outputs().enumerate() {
            let mut output = engine.zeros(leaves.width() * size)?;
            model.propagate_layer(layer, signal.as_ref().unwrap_or(batch.signals()), size, &mut output)?;
            powers.push(mean(&engine.download(&output)?, leaves.complex));
            signal = Some(output);
        }

        let outputs = network.outputs();
        let mut trace = model.trace(size)?;
        let mut readout = engine.zeros(outputs * size)?;
        let (mut error, mut gradient) = (engine.zeros(outputs * size)?, engine.zeros(network.controls())?);
        model.record(batch.signals(), size, &mut trace, &mut readout)?;
        engine.loss(loss, &readout, outputs, batch.targets(), size, Some(&mut error), &mut engine.zeros(3)?)?;
        model.backpropagate(&trace, &error, &mut gradient)?;

        let readouts = engine.download(&readout)?;
        let one_class = outputs == 1 && !split.is_real();
        let contrast = match split.is_real() || one_class {
            true => f64::INFINITY,
            false => readouts.chunks_exact(outputs).map(|sample| contrast(loss, sample)).fold(0.0, f64::max),
        };
        let slope = match one_class {
            true => f64::INFINITY,
            false => engine.download(&gradient)?.iter().fold(0.0, |most: f64, slope| most.max(slope.abs())),
        };
        let size = readouts.len() as f64;
        let (range, bits) = (noise.adc_range, noise.adc_bits);
        let beyond = readouts.iter().filter(|value| value.abs() > range).count() as f64 / size;
        let average = readouts.iter().map(|value| value.abs()).sum::<f64>() / size;
        let (clipped, steps) = match bits {
            0 => (0.0, f64::INFINITY),
            bits => (beyond, average / (range / f64::from(1_u32 << bits))),
        };
        let greatest = readouts.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
        Ok(Outlook { powers, contrast, slope, clipped, greatest, steps })
    }

    /// The powers, as `0.34 → 0.01 → 3e-9`.
    pub fn light(&self) -> String {
        let number = |&power: &f64| match power {
            0.0 => "0".to_string(),
            power if (1e-2..1e4).contains(&power) => format!("{}", (power * 1e3).round() / 1e3),
            power => format!("{power:.0e}"),
        };
        self.powers.iter().map(number).collect::<Vec<_>>().join(" → ")
    }

    /// What makes one doubt that a training can begin here, a sentence each, with the settings that mend it.
    pub fn doubts(&self, loss: &Loss) -> Vec<String> {
        let mut doubts = Vec::new();
        let light = format!("mean power per layer {}", self.light());
        let more = "more light (`encoding` amplitude), another activation= in `network`, or amplifiers (`amplified`) on a \
                    lossy chip";
        let scale = match (loss.normalization, loss.kind) {
            (Normalization::None, LossKind::CrossEntropy | LossKind::MeanSquare) => {
                "`loss-normalization` l2, which compares the outputs whatever their power, or "
            }
            (Normalization::Total | Normalization::L2, _) => "",
        };
        let dark = self.contrast.is_nan() || self.contrast < SAME;
        let gain = loss.gain;
        if dark && gain < 1.0 && self.contrast / gain >= SAME {
            doubts.push(format!(
                "the loss sees nothing: times `loss-gain` {gain:e} class outputs differ by at most {:.0e}, which it cannot tell from                  guessing; raise `loss-gain`",
                self.contrast
            ));
        } else if gain > 1.0 && !(self.contrast < MOST_CONTRAST || (self.contrast / gain).is_infinite()) {
            doubts.push(format!(
                "the loss is saturated: times `loss-gain` {gain:e} class outputs differ by up to {:.0e}, where a softmax has no slope                  left; lower `loss-gain`",
                self.contrast
            ));
        } else if dark {
            doubts.push(format!(
                "the readout is dark: {light}, and class outputs differ by at most {:.0e}, which the loss cannot tell from \
                 guessing; try {scale}{more}",
                self.contrast
            ));
        } else if self.slope.is_nan() || self.slope < NO_SLOPE {
            doubts.push(format!(
                "the gradient vanishes: no control has a slope above {:.0e} ({light}); try {scale}{more}, or other first \
                 controls (`seed`)",
                self.slope
            ));
        }
        if self.clipped > MOST_CLIPPED {
            doubts.push(format!(
                "the readout is beyond its converters: {:.0} % of the readouts exceed adc-range ({light}); raise `adc-range` \
                 to {} or more, which would hold these, or send less light (`encoding` l2)",
                100.0 * self.clipped,
                rounded_up(self.greatest)
            ));
        }
        if self.steps < 1.0 {
            doubts.push(format!(
                "the readout is below the first step of its converters: its mean is {:.0e} of a step ({light}); lower \
                 `adc-range`, raise `adc-bits`, or send {more}",
                self.steps
            ));
        }
        doubts
    }
}

fn mean(values: &[f64], complex: bool) -> f64 {
    let (sum, modes) = match complex {
        true => (values.iter().map(|x| x * x).sum::<f64>(), values.len() / 2),
        false => (values.iter().map(|x| x.abs()).sum::<f64>(), values.len()),
    };
    sum / modes.max(1) as f64
}

/// Greatest difference between the class outputs of one sample, scaled as by [`Loss::sample`].
fn contrast(loss: &Loss, readout: &[f64]) -> f64 {
    let norm = match loss.normalization {
        Normalization::None => 1.0,
        Normalization::Total => readout.iter().sum::<f64>() / readout.len() as f64,
        Normalization::L2 => readout.iter().map(|x| x * x).sum::<f64>().sqrt(),
    };
    let scale = loss.gain / if norm == 0.0 { 1.0 } else { norm };
    let ends = readout[..loss.classes].iter().map(|x| x * scale);
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    high - low
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Cpu;
    use crate::network::{Detection, Stage};
    use crate::optics::{Activation, Mesh};
    use crate::training::{Initialization, initial_controls};

    fn look(depth: usize, power: f32, loss: Loss, noise: Noise) -> Outlook {
        let mesh = || Stage::Mesh(Mesh::rectangular(8).unwrap());
        let mut layers = vec![vec![mesh(), Stage::activation(8, Activation::ELECTRO_OPTIC)]; depth - 1];
        layers.push(vec![mesh(), Stage::detection(8, Detection::Intensity)]);
        let network = Network::new(layers).unwrap();
        let engine = Cpu::<f64>::new();
        let fields: Vec<f32> = (0..16 * 20).map(|k| (power / 2.0).sqrt() * (k as f32 * 0.7).sin().signum()).collect();
        let labels: Vec<u32> = (0..20).map(|k| k % 4).collect();
        let split = Split::new(&engine, &fields, &labels).unwrap();
        let controls = initial_controls(&network, 1, &Initialization::FanIn).unwrap();
        Outlook::of(&engine, &network, &Fabrication::ideal(), &noise, &controls, &split, &loss).unwrap()
    }

    fn l2() -> Loss {
        Loss { normalization: Normalization::L2, ..Loss::cross_entropy(4) }
    }

    #[test]
    fn light_that_dies_on_the_way_is_named_with_what_mends_it() {
        let dark = look(3, 0.1, Loss::cross_entropy(4), Noise::NONE);
        assert_eq!(dark.powers.len(), 4);
        assert!((dark.powers[0] - 0.1).abs() < 1e-6 && dark.powers[3] < 1e-12, "{dark:?}");
        let doubts = dark.doubts(&Loss::cross_entropy(4));
        assert!(
            doubts.len() == 1 && doubts[0].contains("dark") && doubts[0].contains("`loss-normalization` l2"),
            "{doubts:?}"
        );
        assert!(doubts[0].contains("0.1 → "), "{doubts:?}");
        assert_eq!(look(3, 0.1, l2(), Noise::NONE).doubts(&l2()), Vec::<String>::new(), "scaled, it can be told apart");
        assert!(look(1, 4.0, Loss::cross_entropy(4), Noise::NONE).doubts(&l2()).is_empty());
    }

    #[test]
    fn a_gain_that_leaves_the_loss_nothing_to_see_is_named_and_not_the_light() {
        for (gain, part) in [(1e-12, "raise `loss-gain`"), (1e38, "lower `loss-gain`"), (1e300, "lower `loss-gain`")] {
            let loss = Loss { gain, ..Loss::cross_entropy(4) };
            let doubts = look(1, 4.0, loss, Noise::NONE).doubts(&loss);
            assert!(doubts.len() == 1 && doubts[0].contains(part) && !doubts[0].contains("dark"), "{doubts:?}");
        }
        // weak light stays weak light whatever the gain
        let loss = Loss { gain: 0.5, ..Loss::cross_entropy(4) };
        assert!(look(3, 0.1, loss, Noise::NONE).doubts(&loss)[0].contains("dark"));
    }

    #[test]
    fn a_readout_that_its_converters_do_not_see_is_named() {
        let noise = |adc_range| Noise { adc_bits: 8, adc_range, ..Noise::NONE };
        let named = |range, part: &str| {
            let doubts = look(1, 4.0, l2(), noise(range)).doubts(&l2());
            assert!(doubts.len() == 1 && doubts[0].contains(part) && doubts[0].contains("adc-range"), "{doubts:?}");
        };
        named(0.5, "beyond its converters");
        // a seventh of the readouts, which were silent before
        named(8.0, "would hold these");
        named(1e4, "below the first step");
        assert!(look(1, 4.0, l2(), noise(20.0)).doubts(&l2()).is_empty());
        assert!(
            look(1, 4.0, l2(), Noise { adc_range: 0.5, ..Noise::NONE }).doubts(&l2()).is_empty(),
            "ideal converters"
        );
    }

    #[test]
    fn one_output_is_not_dark_for_want_of_another() {
        let network = Network::new(vec![vec![Stage::matrix(3, 1)]]).unwrap();
        let engine = Cpu::<f64>::new();
        let controls = initial_controls(&network, 1, &Initialization::FanIn).unwrap();
        let look = |fields: &[f32], adc_range: f64| {
            let split = Split::new(&engine, fields, &[0, 0]).unwrap();
            let (loss, noise) = (Loss::cross_entropy(1), Noise { adc_bits: 8, adc_range, ..Noise::NONE });
            let outlook = Outlook::of(&engine, &network, &Fabrication::ideal(), &noise, &controls, &split, &loss);
            outlook.unwrap().doubts(&loss)
        };
        for fields in [[9.0; 6], [1e-9; 6]] {
            assert_eq!(look(&fields, 1e-15).iter().filter(|doubt| !doubt.contains("converters")).count(), 0);
        }
        assert!(look(&[9.0; 6], 1e-3)[0].contains("beyond its converters"), "what is wrong with it is still named");
    }

    #[test]
    fn a_gradient_that_does_not_come_back_is_named() {
        let outlook = Outlook {
            powers: vec![1.0, 1.0],
            contrast: 1.0,
            slope: 0.0,
            clipped: 0.0,
            greatest: 1.0,
            steps: f64::INFINITY,
        };
        let doubts = outlook.doubts(&l2());
        assert!(doubts.len() == 1 && doubts[0].contains("the gradient vanishes"), "{doubts:?}");
        let lost = Outlook { contrast: f64::NAN, ..outlook };
        assert!(lost.doubts(&l2())[0].contains("dark"), "what is no number is no contrast");
    }
}
