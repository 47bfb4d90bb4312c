//! The gain at which a softmax begins unsaturated, on the model as designed and on a chip as built.
//!
//! ```text
//! s² = mean over samples and classes k of (x̃_k − mean_k x̃_k)²      gain = min(1, size/max s)
//! ```
//!
//! with the scaled readouts x̃ of the K classes. A gain is an inverse temperature: the softmax sees z = gain·x̃, and its error
//! `p(z) − y` follows z with the slope `diag(p) − p pᵀ`, which is gone where one p is near 1. Chips whose weights have errors of their own
//! begin with logits many times as large as their model's, by a factor per layer, and with a saturated softmax. There the errors of chip and
//! model have little in common, and nothing takes back what the two differ by.

use crate::Result;
use crate::engine::Loss;
use crate::fabrication::Fabrication;
use crate::network::{Layer, Network};
use crate::propagator::{Propagator, Simulator};

/// Root mean square of the first logits, of the model's or of the chip's where those are larger, with one hidden layer or none.
pub const LOGITS: f64 = 1.5;

/// The share of it that each further hidden layer leaves. Weights that grow in training make logits of L layers grow with their L-th power, so that
/// deeper networks can begin with smaller ones, and must: while they are small, chip and model have the same errors and stay alike.
pub const PER_LAYER: f64 = 0.5;

/// The size that the first logits of `network` get.
pub fn first_logits(network: &Network) -> f64 {
    let with_controls = |layer: &&Layer| layer.iter().any(|stage| stage.controls() > 0);
    let hidden = network.layers().iter().filter(with_controls).count().saturating_sub(1);
    LOGITS * PER_LAYER.powi(hidden.saturating_sub(1).min(MOST) as i32)
}

/// Further hidden layers that count.
const MOST: usize = 8;

/// Samples that are looked at.
pub const SAMPLES: usize = 500;

/// The gain for a cross-entropy `loss` on readouts of `network`, at its first `controls`, from encoded samples `signals [sample, input]`: by the
/// larger of the logits of `all` these chips, which may be a model's. Rounded to two digits, so that it is the same on every machine; 1
/// where readouts are dark, or beyond what 32 bits hold.
pub fn unsaturated_gain<E: Simulator>(
    engine: &E,
    network: &Network,
    all: &[&Fabrication],
    controls: &[f64],
    signals: &[f32],
    loss: &Loss,
) -> Result<f64> {
    let (samples, outputs) = (signals.len() / network.input().width(), network.outputs());
    let mut largest: f64 = 0.0;
    for fabrication in all {
        let mut light = engine.build(network, fabrication)?;
        light.program(&engine.upload(controls)?)?;
        let mut readout = engine.zeros(outputs * samples)?;
        light.propagate(&engine.upload(signals)?, samples, &mut readout)?;
        largest = largest.max(logit_size(loss, &engine.download(&readout)?, outputs));
    }
    Ok(gain_of(largest, first_logits(network)))
}

/// Below this a gain is none in 32 bits; readouts so large are beyond help.
const LEAST: f64 = 1e-30;

/// The gain for logits of this size at a gain of 1, which are to have the size `wanted`.
fn gain_of(size: f64, wanted: f64) -> f64 {
    let gain = wanted / size;
    if !(LEAST..1.0).contains(&gain) {
        return 1.0;
    }
    format!("{gain:.1e}").parse().expect("a number as it was written")
}

/// Root mean square over samples and classes of `readouts [sample, outputs]` as `loss` compares them at a gain of 1, less each sample's mean.
pub fn logit_size(loss: &Loss, readouts: &[f64], outputs: usize) -> f64 {
    let loss = Loss { gain: 1.0, ..*loss };
    let squares = |readout: &[f64]| {
        let logits = loss.compared(readout);
        let mean = logits.iter().sum::<f64>() / logits.len() as f64;
        logits.iter().map(|z| (z - mean) * (z - mean)).sum::<f64>()
    };
    let total: f64 = readouts.chunks_exact(outputs).map(squares).sum();
    (total / (readouts.len() / outputs * loss.classes) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Cpu;
    use crate::engine::Normalization;
    use crate::imperfections::Imperfections;
    use crate::network::Stage;

    #[test]
    fn logits_are_measured_from_their_mean_and_of_classes_alone() {
        let loss = Loss { gain: 7.0, ..Loss::cross_entropy(2) };
        let readouts = [5.0, 7.0, 100.0, -3.0, 3.0, -100.0];
        assert!((logit_size(&loss, &readouts, 3) - ((1.0 + 1.0 + 9.0 + 9.0) / 4.0_f64).sqrt()).abs() < 1e-15);
        let scaled = Loss { normalization: Normalization::L2, ..loss };
        assert!((logit_size(&scaled, &[3.0, 4.0], 2) - 0.1).abs() < 1e-15);
    }

    #[test]
    fn the_gain_brings_first_logits_to_their_size_and_never_raises_them() {
        assert_eq!(gain_of(3.0, 1.5), 0.5);
        assert_eq!(gain_of(1.0 / 0.123456, 1.0), 0.12);
        assert_eq!([0.75, 0.0, f64::NAN, f64::INFINITY, 1e40].map(|size| gain_of(size, 1.5)), [1.0; 5]);
    }

    #[test]
    fn each_hidden_layer_beyond_the_first_begins_with_smaller_logits() {
        let of = |count: usize| {
            first_logits(&Network::new(vec![vec![Stage::matrix(2, 2), Stage::rectifier(2, 0.0)]; count]).unwrap())
        };
        assert_eq!([1, 2].map(of), [LOGITS; 2]);
        assert!((of(3) - LOGITS * PER_LAYER).abs() < 1e-15 && (of(5) - LOGITS * PER_LAYER.powi(3)).abs() < 1e-15);
        assert_eq!(of(10), of(12));
    }

    #[test]
    fn a_readout_ten_times_as_large_gets_a_tenth_of_the_gain() {
        let (engine, network) = (Cpu::<f64>::new(), Network::new(vec![vec![Stage::matrix(2, 2)]]).unwrap());
        let of = |scale: f32| {
            let signals = [1.0, 0.0, 0.0, 1.0].map(|signal: f32| scale * signal);
            let (ideal, controls) = (Fabrication::ideal(), [40.0, 0.0, 0.0, 40.0, 0.0, 0.0]);
            unsaturated_gain(&engine, &network, &[&ideal], &controls, &signals, &Loss::cross_entropy(2)).unwrap()
        };
        assert_eq!([of(1.0), of(10.0)], [LOGITS / 20.0, LOGITS / 200.0]);
    }

    #[test]
    fn a_chip_that_is_brighter_than_its_model_decides() {
        let (engine, network) = (Cpu::<f64>::new(), Network::new(vec![vec![Stage::weight_bank(4, 3)]]).unwrap());
        let kind = Imperfections { response_offset: 0.5, ..Imperfections::NONE };
        let (ideal, chip) = (Fabrication::ideal(), kind.fabricate(&network, 1).unwrap());
        let controls = [2.0, 0.1, 0.1, 0.1, 0.1, 2.0, 0.1, 0.1, 0.1, 0.1, 2.0, 0.1, 0.0, 0.0, 0.0];
        let of = |all: &[&Fabrication]| {
            unsaturated_gain(&engine, &network, all, &controls, &[9.0; 4], &Loss::cross_entropy(3)).unwrap()
        };
        let [model, built] = [of(&[&ideal]), of(&[&chip])];
        assert!(model != built && of(&[&ideal, &chip]) == model.min(built), "{model} {built}");
    }
}
