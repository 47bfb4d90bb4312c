//! The converters that read the output layer, as their data sheet has them: how much light their range holds, and what they made of what was sent.
//!
//! Probes are brighter than data. A converter reads what is beyond its range as the end of it, and what is below half a step as nothing; a model explains
//! neither. With the readouts r of the chip as designed, lit as for data of the power P, and Q(r) what a converter makes of them,
//!
//! ```text
//! P* = argmin_P D(Q(r), r)        D: the misfit of probes (`misfit.rs`)
//! ```
//!
//! is the power at which converters spoil least. Probes are drawn for data of no more than that.

use super::misfit::Misfit;
use crate::Result;
use crate::engine::Engine;
use crate::fabrication::noise::{Converter, SignalNoise};
use crate::imperfections::Noise;
use crate::network::Network;
use crate::propagator::{Buffer, Propagator};

/// Shares of what was read, at an end of the range and below half a step, from which on it is said.
const ENDS: f64 = 0.1;
const DARK: f64 = 0.5;

/// Powers of two, around that at which every mode has the range, among which P* is looked for.
const BRIGHTEST: i32 = 12;
const DIMMEST: i32 = -24;

/// The misfit, relative to the least, and how often in turn, at which dimmer light is looked at no more.
const WORSE: f64 = 1.2;
const TIMES: usize = 3;

/// The share of the readouts of a probe that a range has to hold to be named.
const HELD: f64 = 0.999;

/// What reads the output layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Receiver {
    converter: Converter,
    /// P of [`Receiver::best`] at which every mode has the range.
    whole: f64,
    outputs: usize,
}

impl Receiver {
    /// Of chips of `network` with this `noise`; none where it is read in full.
    pub fn of(network: &Network, noise: &Noise) -> Option<Self> {
        let SignalNoise { converter, .. } = noise.readout(network);
        let whole = noise.adc_range * network.input().modes as f64;
        converter.map(|converter| Receiver { converter, whole, outputs: network.outputs() })
    }

    /// P*, where `readouts` tells the misfit that counts and the readouts of the chip as designed at a power, by reach. What no light saturates has
    /// the brightest.
    pub fn best(&self, mut readouts: impl FnMut(f64) -> Result<(Misfit, Vec<Vec<f64>>)>) -> Result<f64> {
        let (mut best, mut least, mut worse) = (f64::INFINITY, f64::INFINITY, 0);
        for power in (DIMMEST..=BRIGHTEST).rev().map(|octave| self.whole * f64::from(octave).exp2()) {
            let (misfit, readouts) = readouts(power)?;
            let own = readouts.iter().map(|ideal| self.spoils(misfit, ideal)).sum::<f64>();
            if own < least {
                (best, least) = (power, own);
            }
            worse = if own > WORSE * least { worse + 1 } else { 0 };
            if worse == TIMES {
                break;
            }
        }
        Ok(best)
    }

    /// The misfit between readouts and what is read of them.
    fn spoils(&self, misfit: Misfit, ideal: &[f64]) -> f64 {
        let read: Vec<f64> = ideal.iter().map(|&x| self.converter.read(x)).collect();
        misfit.compare(&read, ideal, self.outputs, &mut vec![0.0; ideal.len()])
    }

    /// Counts `readouts` of the chip.
    fn count(&self, readouts: &[f64]) -> Heard {
        let count = |is: &dyn Fn(f64) -> bool| readouts.iter().filter(|x| is(**x)).count() as f64;
        let Converter { low, step, codes } = self.converter;
        let ends = |x: f64| x > low + (codes - 1.5) * step || low < 0.0 && x < low + 0.5 * step;
        Heard { values: readouts.len() as f64, ends: count(&ends), dark: count(&|x| x.abs() < 0.5 * step), range: 0.0 }
    }
}

/// What was read of what: the counts that a checkpoint keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Heard {
    values: f64,
    ends: f64,
    dark: f64,
    /// A range that would have held it, as far as the model tells.
    range: f64,
}

impl Heard {
    /// Reals of the saved form.
    pub const LEN: usize = 4;

    /// As a checkpoint keeps it.
    pub fn saved(&self) -> [f64; Self::LEN] {
        [self.values, self.ends, self.dark, self.range]
    }

    /// From the saved form.
    pub fn restored(saved: &[f64]) -> Self {
        Heard { values: saved[0], ends: saved[1], dark: saved[2], range: saved[3] }
    }

    /// Adds what `receiver` read as `chip`, and what the model reads there, if it does.
    pub fn hear(&mut self, receiver: &Receiver, chip: &[f64], model: Option<&[f64]>) {
        let own = receiver.count(chip);
        self.values += own.values;
        self.ends += own.ends;
        self.dark += own.dark;
        let mut sizes: Vec<f64> = model.into_iter().flatten().map(|x| x.abs()).collect();
        sizes.sort_unstable_by(f64::total_cmp);
        let held = sizes.get((HELD * sizes.len() as f64) as usize).copied().unwrap_or_default();
        self.range = self.range.max(held);
    }

    /// A range that would have held it, 0 where that is not known.
    pub fn range(&self) -> f64 {
        self.range
    }

    /// A sentence where much of `what` was not read for what it was; `range` is one that would have held it, if that is known.
    pub fn doubt(&self, what: &str, range: f64) -> Option<String> {
        let [ends, dark] = [self.ends, self.dark].map(|count| count / self.values.max(1.0));
        let fits = (range > 0.0 && range.is_finite()).then(|| format!("`adc-range` {}", rounded_up(range)));
        if ends > ENDS {
            return Some(format!(
                "at-adaptive read {what} with saturated converters: {:.0} % of the values stood at an end of `adc-range`, and tell its model \
                 nothing{}",
                100.0 * ends,
                fits.map_or(String::new(), |fits| format!("; {fits} would hold them"))
            ));
        }
        (dark > DARK).then(|| {
            let fits = fits.map_or(String::new(), |fits| format!("{fits} or "));
            format!(
                "at-adaptive read little of {what}: {:.0} % of the values were below half a step of the converters, which is read as 0; {fits}more \
                 `adc-bits` would tell more of them",
                100.0 * dark
            )
        })
    }
}

/// `value` with two digits, rounded up.
pub fn rounded_up(value: f64) -> f64 {
    if !(value.is_normal() && value > 0.0) {
        return value;
    }
    let unit = 10_f64.powi(value.log10().floor() as i32 - 1);
    let digits = (value / unit).ceil();
    if unit < 1.0 { digits / (1.0 / unit).round() } else { digits * unit }
}

/// A chip whose readouts are counted.
pub struct Listened<'a, C: Propagator> {
    /// The chip.
    pub chip: &'a mut C,
    /// Its engine.
    pub engine: C::Engine,
    /// What reads it, and what it has read so far, where that is to be counted.
    pub heard: Option<(Receiver, &'a mut Heard)>,
}

impl<C: Propagator> Propagator for Listened<'_, C> {
    type Engine = C::Engine;

    fn controls(&self) -> usize {
        self.chip.controls()
    }

    fn inputs(&self) -> usize {
        self.chip.inputs()
    }

    fn outputs(&self) -> usize {
        self.chip.outputs()
    }

    fn program(&mut self, controls: &Buffer<C>) -> Result<()> {
        self.chip.program(controls)
    }

    fn reprogram(&mut self, controls: &Buffer<C>, changed: &[usize]) -> Result<()> {
        self.chip.reprogram(controls, changed)
    }

    fn propagate(&mut self, fields: &Buffer<C>, batch: usize, readout: &mut Buffer<C>) -> Result<()> {
        self.chip.propagate(fields, batch, readout)?;
        if let Some((receiver, heard)) = &mut self.heard {
            let len = batch * self.chip.outputs();
            heard.hear(receiver, &self.engine.download(readout)?[..len], None);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Detection, Stage};

    fn receiver(adc_bits: u32, adc_range: f64) -> Receiver {
        let network = Network::new(vec![vec![Stage::detection(4, Detection::Intensity)]]).unwrap();
        Receiver::of(&network, &Noise { adc_bits, adc_range, ..Noise::NONE }).unwrap()
    }

    #[test]
    fn light_is_neither_so_bright_that_it_saturates_nor_dimmer_than_steps_tell() {
        let network = Network::new(vec![vec![Stage::detection(4, Detection::Intensity)]]).unwrap();
        assert_eq!(Receiver::of(&network, &Noise::NONE), None);
        for (bits, range) in [(4, 1.0), (8, 1.0), (8, 1e-3), (12, 50.0)] {
            // powers that spread as those of random light
            let best = receiver(bits, range).best(|power| {
                let readouts = (1..397).map(|k| -power / 4.0 * (f64::from(149 * k % 397) / 397.0).ln()).collect();
                Ok((Misfit::Amplitude, vec![readouts]))
            });
            let mean = best.unwrap() / 4.0 / range;
            assert!((0.05..0.6).contains(&mean), "{bits} bits, range {range}: {mean}");
        }
        let unbounded = receiver(8, 1.0).best(|_| Ok((Misfit::Amplitude, vec![vec![0.5, 0.25, 0.1, 0.2]]))).unwrap();
        assert_eq!(unbounded, 4.0 * f64::from(BRIGHTEST).exp2(), "what no light saturates");
    }

    #[test]
    fn readouts_at_the_end_of_the_range_and_below_a_step_are_said_with_a_range_that_fits() {
        let receiver = receiver(8, 1.0);
        let mut heard = Heard::default();
        let read = |x: f64| receiver.converter.read(x);
        heard.hear(&receiver, &[0.2, 0.3, 0.4, 0.99].map(read), Some(&[0.2, 0.3, 0.4, 0.9]));
        assert_eq!(heard.doubt("its probes", heard.range), None);
        heard.hear(&receiver, &[1.0, 3.0, 12.2, 0.5].map(read), Some(&[1.0, 3.0, 12.2, 0.5]));
        let doubt = heard.doubt("its probes", heard.range).unwrap();
        assert!(
            doubt.contains("saturated converters: 38 %") && doubt.ends_with("`adc-range` 13 would hold them"),
            "{doubt}"
        );
        assert_eq!(Heard::restored(&heard.saved()), heard);
        let mut dark = Heard::default();
        dark.hear(&receiver, &[1e-3, 1e-4, 0.0, 0.2].map(read), Some(&[1e-3, 1e-4, 0.0, 0.00203]));
        let doubt = dark.doubt("its probes", dark.range).unwrap();
        assert!(doubt.contains("75 %") && doubt.contains("; `adc-range` 0.0021 or more"), "{doubt}");
    }

    #[test]
    fn both_ends_of_signed_readouts_count() {
        let network = Network::new(vec![vec![Stage::matrix(2, 2)]]).unwrap();
        let receiver = Receiver::of(&network, &Noise { adc_bits: 8, adc_range: 1.0, ..Noise::NONE }).unwrap();
        let own = receiver.count(&[-3.0, 2.0, 0.0, -0.5].map(|x| receiver.converter.read(x)));
        assert_eq!(own, Heard { values: 4.0, ends: 2.0, dark: 1.0, range: 0.0 });
    }
}
