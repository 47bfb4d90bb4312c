//! Fast noise: drawn anew for every pass, sample and mode. It belongs to the chip, never to a model or an oracle.
//!
//! A signal x that leaves a layer becomes
//!
//! ```text
//! x' = x·(1 + g ξ_pass)·(1 + r ξ_sample)·(1 + ρ ξ) + √(α² + s²|x|)·ξ'       then the converter's range and steps
//! ```
//!
//! with ξ drawn from N(0, 1). Of a complex field, ρ ξ and α ξ' are complex, `(ξ₁ + iξ₂)/√2`; shot noise is a real signal's.

use crate::imperfections::{Noise, random};
use crate::network::{Network, Signal, Stage};

/// Elementary charge (C) and Boltzmann's constant (J/K), exact in the SI.
const CHARGE: f64 = 1.602_176_634e-19;
const BOLTZMANN: f64 = 1.380_649e-23;

impl Noise {
    /// What happens to a hidden signal on its way.
    pub fn hidden(&self, signal: Signal) -> SignalNoise {
        SignalNoise {
            gain: self.gain_noise,
            relative: self.hidden_relative_noise,
            absolute: self.hidden_absolute_noise,
            ..SignalNoise::none(signal)
        }
    }

    /// What happens to a signal where it is read. `signed` signals may be negative.
    pub fn read(&self, signal: Signal, signed: bool) -> SignalNoise {
        let range = self.adc_range;
        let low = if signed || signal.complex { -range } else { 0.0 };
        let codes = f64::from(1_u32 << self.adc_bits);
        SignalNoise {
            sample: self.laser_noise,
            shot: if signal.complex { 0.0 } else { self.shot_noise },
            absolute: self.thermal_noise,
            converter: (self.adc_bits > 0).then(|| Converter { low, step: (range - low) / codes, codes }),
            ..SignalNoise::none(signal)
        }
    }

    /// Both: the readout of the last layer, whose signals are not hidden but share the gain.
    pub fn readout(&self, network: &Network) -> SignalNoise {
        let last = network.layers().len() - 1;
        let noise = self.read(network.layer_output(last), signed(network, last));
        SignalNoise { gain: self.gain_noise, ..noise }
    }
}

/// Whether what leaves a layer may be negative. Pooling keeps the sign of what enters it.
pub(crate) fn signed(network: &Network, layer: usize) -> bool {
    let mut stages = network.layers()[layer].iter().rev();
    stages.find(|stage| !matches!(stage, Stage::Pooling(_))).is_none_or(|stage| stage.element().signed())
}

/// What happens to the signal `[batch, mode]` of one layer; the symbols are those of this module's formula.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignalNoise {
    /// Modes and their kind.
    pub signal: Signal,
    /// g, one draw per pass.
    pub gain: f64,
    /// r, one draw per sample.
    pub sample: f64,
    /// ρ, per sample and mode.
    pub relative: f64,
    /// α, per sample and mode.
    pub absolute: f64,
    /// s, per sample and mode; of real signals.
    pub shot: f64,
    /// The converter that reads.
    pub converter: Option<Converter>,
}

/// An analogue-digital converter: `low + step·k`, k the nearest of `0 … codes - 1`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Converter {
    /// The lowest value.
    pub low: f64,
    /// Full scale over `codes`.
    pub step: f64,
    /// `2^bits`.
    pub codes: f64,
}

impl Converter {
    /// The value of the code that `x` is read as.
    pub fn read(&self, x: f64) -> f64 {
        self.low + self.step * ((x - self.low) / self.step + 0.5).floor().clamp(0.0, self.codes - 1.0)
    }
}

/// Which draws: of one chip, pass and place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// The chip's key.
    pub key: [u32; 2],
    /// Number of the pass.
    pub pass: u64,
    /// Where: twice the layer, plus 1 where it is read.
    pub site: u32,
    /// Number in the whole batch of the first sample at hand.
    pub first: u32,
}

impl Draw {
    /// The counter of a mode of a sample at hand. Passes beyond 2³² begin anew.
    pub fn counter(&self, sample: usize, mode: usize) -> [u32; 4] {
        [mode as u32, self.first.wrapping_add(sample as u32), self.pass as u32, self.site]
    }

    /// ξ of a whole sample.
    pub fn of_sample(&self, sample: usize) -> f64 {
        random::normals(self.key, self.counter(sample, u32::MAX as usize))[0]
    }

    /// ξ of the pass.
    pub fn of_pass(&self) -> f64 {
        random::normals(self.key, [0, 0, self.pass as u32, self.site | random::site::GAIN])[0]
    }
}

impl SignalNoise {
    /// Nothing happens.
    pub fn none(signal: Signal) -> Self {
        SignalNoise { signal, gain: 0.0, sample: 0.0, relative: 0.0, absolute: 0.0, shot: 0.0, converter: None }
    }

    /// Whether nothing happens.
    pub fn is_none(&self) -> bool {
        *self == Self::none(self.signal)
    }

    /// Whether every mode of every sample needs its own draws.
    pub fn per_mode(&self) -> bool {
        self.relative != 0.0 || self.absolute != 0.0 || self.shot != 0.0
    }
}

/// A photoreceiver in SI units, from which the noise of read powers follows.
///
/// Currents of a power P: `σ² = 2q(RP + I_d)B + 4kTB/R_L`, and `σ = RP√(RIN·B)` of the laser.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Receiver {
    /// Optical power that a signal of 1 stands for (W).
    pub unit_power: f64,
    /// Responsivity R (A/W).
    pub responsivity: f64,
    /// Dark current I_d (A).
    pub dark_current: f64,
    /// Bandwidth B (Hz).
    pub bandwidth: f64,
    /// Temperature T (K).
    pub temperature: f64,
    /// Load R_L (Ω).
    pub load: f64,
    /// Relative intensity noise of the laser (dBc/Hz).
    pub laser_db: f64,
}

impl Receiver {
    /// The noise in units of the signal; gain, hidden noise and converters as in `rest`.
    pub fn noise(&self, rest: Noise) -> Noise {
        let unit_current = self.responsivity * self.unit_power;
        let dark = 2.0 * CHARGE * self.dark_current * self.bandwidth;
        let johnson = 4.0 * BOLTZMANN * self.temperature * self.bandwidth / self.load;
        Noise {
            laser_noise: (10f64.powf(self.laser_db / 10.0) * self.bandwidth).sqrt(),
            shot_noise: (2.0 * CHARGE * self.bandwidth / unit_current).sqrt(),
            thermal_noise: (dark + johnson).sqrt() / unit_current,
            ..rest
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_has_the_textbook_currents() {
        let receiver = Receiver {
            unit_power: 1e-3,
            responsivity: 0.8,
            dark_current: 1e-8,
            bandwidth: 1e10,
            temperature: 300.0,
            load: 50.0,
            laser_db: -150.0,
        };
        let noise = receiver.noise(Noise::NONE);
        // 0.8 mA: shot 1.60 µA, 50 Ω at 300 K: 1.82 µA, laser √(1e-15·1e10)
        assert!((noise.shot_noise * 0.8e-3 - 1.601e-6).abs() < 1e-9);
        assert!((noise.thermal_noise * 0.8e-3 - 1.8203e-6).abs() < 1e-9);
        assert!((noise.laser_noise - 3.1623e-3).abs() < 1e-6);
    }

    #[test]
    fn a_converter_rounds_to_its_codes_and_saturates() {
        let noise = Noise { adc_bits: 3, adc_range: 2.0, ..Noise::NONE };
        let unsigned = noise.read(Signal::reals(1), false).converter.unwrap();
        let read = [-1.0, 0.0, 0.124, 0.126, 1.0, 1.74, 9.0].map(|x| unsigned.read(x));
        assert_eq!(read, [0.0, 0.0, 0.0, 0.25, 1.0, 1.75, 1.75]);
        let signed = noise.read(Signal::reals(1), true).converter.unwrap();
        assert_eq!([-9.0, -0.3, 0.0, 9.0].map(|x| signed.read(x)), [-2.0, -0.5, 0.0, 1.5]);
        assert!(signed.read(f64::NAN).is_nan());
    }
}
