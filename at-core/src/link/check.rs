//! A look at an unknown chip with a few hundred batches: what an experimenter wants to know before training it.
//!
//! ```text
//! noise       var(y) = a² + (b·⟨y⟩)² over repeats of one batch; a absolute, b relative to the readout
//! power       Σ_k ⟨y_k⟩ of a sample over Σ|z|² that entered, less five standard errors
//! response    r_c = rms(y(c + Δ) − y(c)), Δ a quarter of a turn or of the control's range, with the noise's share taken out
//! drift       rms(⟨y⟩ at the end − ⟨y⟩ at the start), with the noise's share taken out, over the time and the writes between
//! ```

use super::exchange::Link;
use crate::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::Serialize;
use std::f64::consts::{FRAC_PI_2, TAU};
use std::ops::ControlFlow;
use std::time::Instant;

/// Standard errors by which the brightest of all samples must exceed what went in: 64 samples are looked at, at two settings.
const ERRORS: f64 = 5.0;

/// So many repeats tell the error of their mean; fewer only where more are not asked for.
const FEWEST: usize = 10;

/// What a check may cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
    /// Samples in the batch that is sent again and again.
    pub samples: usize,
    /// Times that it is sent at one setting, to see the noise.
    pub repeats: usize,
    /// Controls that are moved, each by itself; a random choice where the chip has more.
    pub controls: usize,
    /// Mean power of an input mode, |z|²; of real inputs the largest value.
    pub power: f64,
    /// Of settings, inputs and the choice.
    pub seed: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Effort { samples: 64, repeats: 24, controls: 400, power: 1.0, seed: 0 }
    }
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Check {
    /// rms of the readouts at the base setting.
    pub signal: f64,
    /// a: noise that does not depend on the readout, in its units.
    pub absolute_noise: f64,
    /// b: noise relative to the readout.
    pub relative_noise: f64,
    /// rms of all noise at the base setting.
    pub noise: f64,
    /// rms difference of two means of the base setting with another setting in between, beyond what noise explains, relative to
    /// the signal.
    pub repeatability: f64,
    /// rms change over the whole check, beyond what noise explains, relative to the signal, per minute; 0 where noise explains it.
    pub drift_per_minute: f64,
    /// Less drift per minute than this is not told from noise in a check of this length.
    pub least_drift_per_minute: f64,
    /// The same per 100 times that controls were written.
    pub drift_per_100_writes: f64,
    /// Of each control that was moved: which, and its response relative to the signal.
    pub responses: Vec<(usize, f64)>,
    /// Those among them whose response is not told from noise.
    pub silent: Vec<usize>,
    /// Less response than this, relative to the signal, is not told from noise.
    pub least_response: f64,
    /// Least and greatest readout seen.
    pub range: [f64; 2],
    /// Greatest sum of a sample's mean readouts over its input power, as far as noise lets that be told; above 1 the chip makes light, or
    /// its readouts are no powers.
    pub power: f64,
    /// Seconds for one writing of all controls, settling included.
    pub write_seconds: f64,
    /// Seconds for one batch of [`Effort::samples`].
    pub batch_seconds: f64,
}

/// Means and variances of repeats, readout by readout.
struct Repeats {
    mean: Vec<f64>,
    variance: Vec<f64>,
    count: f64,
}

fn rms(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value * value, count + 1.0));
    (sum / f64::max(count, 1.0)).sqrt()
}

/// The root of what is left of `square` without `noise`.
fn beyond(square: f64, noise: f64) -> f64 {
    (square - noise).max(0.0).sqrt()
}

/// One check under way.
struct Checking<'a> {
    link: &'a mut Link,
    fields: Vec<f32>,
    samples: usize,
    range: [f64; 2],
    power: f64,
    /// Of the input, per sample.
    input_power: Vec<f64>,
    /// Repeats that a look has.
    asked: usize,
}

impl Checking<'_> {
    fn send(&mut self) -> Result<Vec<f64>> {
        let read = self.link.send(&self.fields, self.samples, true)?;
        let read: Vec<f64> = read.into_iter().map(f64::from).collect();
        for &value in &read {
            self.range = [self.range[0].min(value), self.range[1].max(value)];
        }
        Ok(read)
    }

    fn repeats(&mut self, count: usize) -> Result<Repeats> {
        let all = (0..count).map(|_| self.send()).collect::<Result<Vec<_>>>()?;
        let len = all[0].len();
        let outputs = self.link.description().outputs;
        // few repeats tell no error of their mean
        let judged = if count < FEWEST && count < self.asked { 0 } else { self.input_power.len() };
        for (sample, input) in self.input_power.iter().take(judged).enumerate() {
            let sum = |read: &Vec<f64>| read[sample * outputs..][..outputs].iter().sum::<f64>();
            let mean = all.iter().map(sum).sum::<f64>() / count as f64;
            let square = all.iter().map(|read| (sum(read) - mean).powi(2)).sum::<f64>() / (count as f64 - 1.0);
            let error = (square / count as f64).sqrt();
            self.power = self.power.max((mean - ERRORS * error) / input);
        }
        let mean: Vec<f64> = (0..len).map(|k| all.iter().map(|read| read[k]).sum::<f64>() / count as f64).collect();
        let variance = (0..len)
            .map(|k| all.iter().map(|read| (read[k] - mean[k]).powi(2)).sum::<f64>() / (count as f64 - 1.0))
            .collect();
        Ok(Repeats { mean, variance, count: count as f64 })
    }
}

/// a² and b² of `variance = a² + b² mean²`, neither negative, by least squares of residuals relative to the fitted variance.
fn noise_law(repeats: &Repeats) -> (f64, f64) {
    if repeats.variance.iter().all(|&variance| variance == 0.0) {
        return (0.0, 0.0); // of a driver in numpy, say; weights that follow the variance would not be finite
    }
    // each variance is known to within its own size, so that residuals count relative to the variance of a first, plain fit
    let fit = |weights: &dyn Fn(f64) -> f64| {
        let (mut s, mut sx, mut sxx, mut sy, mut sxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (mean, variance) in repeats.mean.iter().zip(&repeats.variance) {
            let (x, w) = (mean * mean, weights(mean * mean));
            s += w;
            sx += w * x;
            sxx += w * x * x;
            sy += w * variance;
            sxy += w * x * variance;
        }
        let determinant = s * sxx - sx * sx;
        let (a, b) = ((sxx * sy - sx * sxy) / determinant, (s * sxy - sx * sy) / determinant);
        match (a >= 0.0 && a.is_finite(), b >= 0.0 && b.is_finite()) {
            (true, true) => (a, b),
            (true, false) => (sy / s, 0.0),
            (false, _) => (0.0, if sxx > 0.0 { sxy / sxx } else { 0.0 }),
        }
    };
    let (mut a, mut b) = fit(&|_| 1.0);
    for _ in 0..5 {
        let floor = 1e-12 * repeats.variance.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        (a, b) = fit(&|x| (a + b * x + floor).powi(-2));
    }
    (a, b)
}

/// Looks at the chip behind `link`. `progress` is told how many of how many controls were moved, and may end the check.
pub fn check(
    link: &mut Link,
    effort: &Effort,
    mut progress: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Option<Check>> {
    if !(effort.power > 0.0 && effort.power < 1e12) {
        return Err(Error::invalid("input-power", effort.power, "must be positive, below 1e12"));
    }
    if effort.samples == 0 || effort.repeats < 2 {
        return Err(Error::invalid("repeats", effort.repeats, "must be at least 2, with at least one sample"));
    }
    let chip = link.description().clone();
    let mut random = ChaCha8Rng::seed_from_u64(effort.seed);
    let samples = effort.samples.min(chip.largest_batch);
    let (fields, input_power) = inputs(&mut random, &chip, samples, effort.power);
    let setting = |random: &mut ChaCha8Rng| -> Vec<f32> {
        (0..chip.controls).map(|control| anywhere(random, chip.limits.of(control))).collect()
    };
    let base = setting(&mut random);
    let other = setting(&mut random);
    let chosen = {
        let mut all: Vec<usize> = (0..chip.controls).collect();
        for index in 0..effort.controls.min(all.len()) {
            let with = random.random_range(index..all.len());
            all.swap(index, with);
        }
        all.truncate(effort.controls);
        all.sort_unstable();
        all
    };

    let mut checking = Checking {
        link,
        fields,
        samples,
        range: [f64::INFINITY, f64::NEG_INFINITY],
        power: 0.0,
        input_power,
        asked: effort.repeats,
    };
    checking.link.program(&base, base.len(), true)?;
    let started = (Instant::now(), checking.link.times());
    let first = checking.repeats(effort.repeats)?;
    let (absolute, relative) = noise_law(&first);
    let noise = first.variance.iter().sum::<f64>() / first.variance.len() as f64; // of a readout, squared
    let signal = rms(first.mean.iter().copied());

    checking.link.program(&other, other.len(), true)?;
    checking.send()?;
    checking.link.program(&base, base.len(), true)?;
    let again = checking.repeats(effort.repeats)?;
    let mean_noise = noise / first.count + noise / again.count;
    let change = rms(again.mean.iter().zip(&first.mean).map(|(a, b)| a - b)).powi(2);
    let repeatability = beyond(change, mean_noise) / signal;

    let mut responses = Vec::with_capacity(chosen.len());
    let mut at_base = again.mean;
    let mut base_noise = noise / again.count;
    for (done, &control) in chosen.iter().enumerate() {
        if progress(done, chosen.len()).is_break() {
            return Ok(None);
        }
        if done % 20 == 19 {
            // what drifts is followed
            checking.link.program(&base, 1, true)?;
            at_base = checking.repeats(4)?.mean;
            base_noise = noise / 4.0;
        }
        let mut moved = base.clone();
        moved[control] = aside(base[control], chip.limits.of(control));
        checking.link.program(&moved, 1, true)?;
        let read = checking.send()?;
        let square = rms(read.iter().zip(&at_base).map(|(a, b)| a - b)).powi(2);
        responses.push((control, square, noise + base_noise));
    }
    checking.link.program(&base, 1, true)?;
    let last = checking.repeats(effort.repeats)?;
    let (elapsed, ended) = (started.0.elapsed(), checking.link.times());
    let change = rms(last.mean.iter().zip(&first.mean).map(|(a, b)| a - b)).powi(2);
    // noise of the light is the same in all outputs of a sample, so that samples count and not values
    let explained = (noise / first.count + noise / last.count) * (1.0 + 5.0 * (2.0 / samples as f64).sqrt());
    let drift = beyond(change, explained) / signal;
    let least_drift = explained.sqrt() / signal;
    let writes = (ended.programs - started.1.programs).max(1) as f64;

    // noise alone gives squares that spread about their mean by a part in sqrt(values / 2); drift between two looks adds to them
    let values = (samples * chip.outputs) as f64;
    let slow = (drift * signal).powi(2) * 20.0 / chosen.len().max(20) as f64;
    let floor = |expected: f64| expected * (1.0 + 5.0 * (2.0 / values).sqrt()) + slow + (1e-6 * signal).powi(2);
    let least = responses.iter().map(|(_, _, expected)| beyond(floor(*expected), *expected)).fold(0.0, f64::max);
    let silent =
        responses.iter().filter(|(_, square, expected)| *square < floor(*expected)).map(|(control, ..)| *control);
    let silent = silent.collect();
    let responses = responses.iter().map(|(control, square, expected)| (*control, beyond(*square, *expected) / signal));
    let per = |duration: std::time::Duration, count: u64| duration.as_secs_f64() / count.max(1) as f64;
    Ok(Some(Check {
        signal,
        absolute_noise: absolute.sqrt(),
        relative_noise: relative.sqrt(),
        noise: noise.sqrt(),
        repeatability,
        drift_per_minute: drift / (elapsed.as_secs_f64() / 60.0),
        least_drift_per_minute: least_drift / (elapsed.as_secs_f64() / 60.0),
        drift_per_100_writes: drift / writes * 100.0,
        responses: responses.collect(),
        silent,
        least_response: least / signal,
        range: checking.range,
        power: checking.power,
        write_seconds: per(ended.programming, ended.programs),
        batch_seconds: per(ended.sending, ended.batches),
    }))
}

/// Random fields with so much power per mode in every sample (reals: between 0 and that), and the power of each.
fn inputs(random: &mut ChaCha8Rng, chip: &super::Description, samples: usize, per_mode: f64) -> (Vec<f32>, Vec<f64>) {
    let mut fields = Vec::with_capacity(samples * chip.inputs);
    let mut powers = Vec::with_capacity(samples);
    let wanted = per_mode * (chip.inputs / 2) as f64;
    for _ in 0..samples {
        let mut sample: Vec<f64> = (0..chip.inputs)
            .map(|_| if chip.complex { StandardNormal.sample(random) } else { per_mode * random.random::<f64>() })
            .collect();
        let power: f64 = sample.iter().map(|value| value * value).sum();
        if chip.complex {
            sample.iter_mut().for_each(|value| *value *= (wanted / power).sqrt());
        }
        powers.push(if chip.complex { wanted } else { power });
        fields.extend(sample.iter().map(|&value| value as f32));
    }
    (fields, powers)
}

/// The part of a range that is used: a turn where it has no end.
fn used([lower, upper]: [f32; 2]) -> [f64; 2] {
    let (lower, upper) = (f64::from(lower), f64::from(upper));
    match (lower.is_finite(), upper.is_finite()) {
        (true, true) => [lower, upper],
        (true, false) => [lower, lower + TAU],
        (false, true) => [upper - TAU, upper],
        (false, false) => [0.0, TAU],
    }
}

fn anywhere(random: &mut ChaCha8Rng, range: [f32; 2]) -> f32 {
    let [lower, upper] = used(range);
    (lower + (upper - lower) * random.random::<f64>()) as f32
}

/// `control` moved by a quarter of a turn, or by less where its range has less, to the side with more room.
fn aside(control: f32, range: [f32; 2]) -> f32 {
    let [lower, upper] = used(range);
    let step = ((upper - lower) / 4.0).min(FRAC_PI_2);
    let control = f64::from(control);
    (if control + step <= upper { control + step } else { control - step }) as f32
}
