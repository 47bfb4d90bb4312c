//! Coherent meshes whose errors may be anything, found column by column from the detectors towards the light: for chips that the model of a perfect
//! one shares no field with, and for those that nobody has calibrated.
//!
//! Behind the columns that are read light passes straight ([`straight`]), and each waveguide leads to a detector of its own. What an MZI makes of the light
//! that enters it is then read directly, at random θ and φ, the same light again and again: from that follow its errors and the
//! light ([`mzi_fit`]). A column is read alone, and then together with the second behind it, whose MZIs are on the same waveguides. The last two columns of a mesh have none:
//! for these half a turn of θ, which exchanges bar and cross, is told by the column in front, whose MZIs light the one output or the other.
//!
//! Fields that enter column c + 1 as they are known, x, and those that leave the MZIs of column c, y, are the same but for phases:
//! one per MZI and sample, χ, which nothing behind tells, and one per waveguide, D, that of the imperfections,
//!
//! ```text
//! x = y·e^{i(χ + D)}         D of the upper output of an MZI against the lower: arg Σ_samples x1 x2* (y1 y2*)*
//! ```
//!
//! so that the fields which enter column c follow, up to a phase per sample.

mod anew;
mod around;
mod asking;
mod clear;
mod column;
mod dark;
mod diagonal;
mod halved;
mod in_front;
mod least_squares;
mod light;
mod losses;
mod mend;
mod mzi_fit;
mod reading;
mod straight;
mod turned;

use super::chain::Chain;
use super::heater_path::Ways;
use super::probes::Probes;
use crate::Result;
use crate::engine::{Engine, Optimizer};
use crate::propagator::Propagator;
use crate::training::Parameters;
use asking::{Answers, Asking};
use column::Column;
use light::Light;
use num_complex::Complex64;
use rand::RngExt;
use std::f64::consts::TAU;

/// Columns of a step.
const STRIDE: usize = 2;
/// Samples that stay the same through all columns, and settings at which these are read: of a column alone, of a column with the second behind it,
/// where half turns are told, and where it is told which θ of an MZI is its bar state.
const SAMPLES: usize = 40;
const ALONE: usize = 18;
const TOGETHER: usize = 24;
const TELLING: usize = 36;
const TURNING: usize = 72;
/// What is left of an MZI's readouts, as a share of their root mean square, above which as many more are read: of most MZIs, and of any. Power splits
/// and phases both 0.2 off need it.
const ROUGH: [f64; 2] = [0.25, 0.5];
/// How often a column in front of a mesh is read once more: what inputs of that lose is told by phases that its heaters make, and these by what is lost.
const ROUNDS: usize = 4;
/// Turns of the fit of one phase per mode and one per sample.
const TURNS: usize = 100;
/// Numbers of probes that no course reaches: their random numbers are these columns'.
const FIRST_NUMBER: u64 = 1 << 40;
const ATTEMPT: u32 = 32;
/// Power of the light, of what nonlinearities bear: behind columns at random settings hardly a waveguide has ten times the mean.
const DIM: f64 = 0.5;

/// Calibrates chips of one network.
pub struct Calibration<E: Engine> {
    engine: E,
    chain: Chain,
    ways: Ways,
    /// [`Light`] between two steps: its fields, then its pairs, `[sample, mode, (re, im)]`.
    pub light: Parameters<E>,
}

impl<E: Engine> Calibration<E> {
    /// On chips with columns as in `chain`, and with the `ways` of their controls to their phases.
    pub fn new(engine: &E, chain: Chain, ways: Ways) -> Result<Self> {
        let light = Parameters::new(engine, Optimizer::Sgd, &vec![0.0; 2 * SAMPLES * 2 * chain.modes()])?;
        Ok(Calibration { engine: engine.clone(), chain, ways, light })
    }

    /// Steps that it takes.
    pub fn steps(&self) -> usize {
        self.chain.columns() / STRIDE
    }

    /// Step number `number` on `chip`, from the last columns to the first and again by other light, which replaces their errors in `estimate`, where the data have `power` per
    /// sample.
    pub fn step<C: Propagator<Engine = E>>(
        &mut self,
        chip: &mut C,
        probes: &Probes,
        number: usize,
        power: f64,
        estimate: &mut [f64],
    ) -> Result<()> {
        let (attempt, number) = ((number / self.steps()) as u64, number % self.steps());
        let mut random = probes.random(FIRST_NUMBER + (attempt << ATTEMPT));
        let inputs = probes.fields(&mut random, SAMPLES, 1.0, DIM * probes.bright(power));
        let front: Vec<f64> = (0..self.chain.controls()).map(|_| TAU * random.random::<f64>()).collect();
        let sent = complex(&inputs);
        let kept = complex(&self.engine.download(&self.light.values)?);
        let (fields, pairs) = kept.split_at(kept.len() / 2);
        let fields = if number == 0 { Vec::new() } else { fields.to_vec() };
        let mut light = Light { fields, pairs: pairs.to_vec() };
        let mut asking = Asking {
            chip,
            ways: &self.ways,
            engine: self.engine.clone(),
            light: self.engine.upload(&inputs)?,
            samples: SAMPLES,
            random: probes.random(FIRST_NUMBER + (attempt << ATTEMPT) + 1 + number as u64),
        };
        for column in (0..self.chain.columns() - STRIDE * number).rev().take(STRIDE) {
            let column = Column { chain: &self.chain, ways: &self.ways, column, inputs: &sent, front: &front };
            self.read(&mut asking, &column, estimate, &mut light)?;
            if column.column == 0 {
                self.enter(&sent, &light.fields, estimate);
            }
        }
        light.fields.resize(kept.len() / 2, Complex64::default());
        let all: Vec<f64> = light.fields.iter().chain(&light.pairs).flat_map(|z| [z.re, z.im]).collect();
        self.light.values = self.engine.upload(&all)?;
        Ok(())
    }

    /// Reads one column, and the one behind it once more, the fields at which it tells.
    fn read<C: Propagator<Engine = E>>(
        &self,
        asking: &mut Asking<'_, C>,
        column: &Column<'_>,
        estimate: &mut [f64],
        light: &mut Light,
    ) -> Result<()> {
        let number = column.column;
        if number + 1 < self.chain.columns() {
            if column.tells(estimate) {
                let base = self.straight(column, number + 2, Some(number + 1), estimate);
                let answers = asking.ask(base, column.shifters(number), TELLING, estimate)?;
                column.tell(&answers, estimate, light);
            }
            let turned = column.turned(estimate);
            if !turned.is_empty() {
                // none of them stands against one behind it
                let base = self.straight(column, number + 2, Some(number + 1), estimate);
                let moved = column.shifters(number).into_iter().chain(turned.iter().map(|place| place.theta)).collect();
                let answers = asking.ask(base, moved, TURNING, estimate)?;
                column.turn_back(&turned, &answers, estimate, light);
            }
            column.enter(number + 1, estimate, light);
            self.mend(asking, &Column { column: number + 1, ..*column }, estimate, light)?;
        }
        let base = self.straight(column, number + 1, None, estimate);
        let alone = asking.ask(base, column.shifters(number), ALONE, estimate)?;
        if column.has_second() {
            // what is read of the column itself is no part of how it is asked
            let before = estimate.to_vec();
            let mut together = self.together(asking, column, &before)?;
            let mut times = 0;
            while rough(column.read(&alone, Some(&together), estimate, light), times) {
                together.extend(self.together(asking, column, &before)?);
                times += 1;
            }
        } else {
            column.read(&alone, None, estimate, light);
            for _ in 0..if column.finds_inputs() { ROUNDS } else { 0 } {
                column.read(&alone, None, estimate, light);
            }
        }
        if number == 0 {
            column.arrive(estimate, light);
            self.mend(asking, column, estimate, light)?;
        }
        Ok(())
    }

    /// Reads a column once more at whose fields `light` is known.
    fn mend<C: Propagator<Engine = E>>(
        &self,
        asking: &mut Asking<'_, C>,
        column: &Column<'_>,
        estimate: &mut [f64],
        light: &Light,
    ) -> Result<()> {
        if column.column + 1 == self.chain.mesh(column.column).end {
            return Ok(()); // nothing strays between it and the detectors
        }
        let before = estimate.to_vec();
        let mut answers = self.together(asking, column, &before)?;
        if rough(column.mend(&answers, estimate, light), 0) {
            answers.extend(self.together(asking, column, &before)?);
            column.mend(&answers, estimate, light);
        }
        Ok(())
    }

    /// Controls at which light passes straight from column `behind` on, and through MZIs of column `bar`, which is in front of it; phases of columns in front of
    /// `column` are as they always are.
    fn straight(&self, column: &Column<'_>, behind: usize, bar: Option<usize>, estimate: &[f64]) -> Vec<f64> {
        let mut phases = vec![0.0; self.chain.controls()];
        let known = column.known(estimate);
        known.straighten(behind, &mut phases);
        bar.into_iter().for_each(|bar| known.bar(bar, &mut phases));
        let following = (column.column + 1..self.chain.columns()).flat_map(|own| column.shifters(own));
        let still: Vec<(usize, f64)> =
            column.in_front(estimate).into_iter().chain(following.map(|index| (index, phases[index]))).collect();
        let mut controls = column.front.to_vec();
        self.ways.hold(&still, &mut controls, estimate);
        controls
    }

    /// Asks a column together with the second behind it, where that is in its mesh.
    fn together<C: Propagator<Engine = E>>(
        &self,
        asking: &mut Asking<'_, C>,
        column: &Column<'_>,
        estimate: &[f64],
    ) -> Result<Answers> {
        let number = column.column;
        let second = column.has_second().then_some(number + 2);
        let base = self.straight(column, second.unwrap_or(number) + 1, Some(number + 1), estimate);
        let mut moved = column.shifters(number);
        moved.extend(second.into_iter().flat_map(|second| column.shifters(second)));
        // what strays from neighbours meets this light at any phase
        moved.extend(self.chain.places(number + 1).iter().map(|place| place.phi));
        asking.ask(base, moved, TOGETHER, estimate)
    }

    /// Controls at which the chip does what its design does at `controls`, as far as `estimate` knows its phases.
    pub fn as_designed(&self, controls: &[f64], estimate: &[f64]) -> Vec<f64> {
        let phases = |column: usize| {
            let waveguides = self.chain.waveguides(column);
            self.chain.places(column).into_iter().flat_map(move |place| {
                let upper = waveguides + place.row;
                let error = within(estimate[upper] - estimate[upper + 1]);
                [
                    (place.theta, controls[place.theta] - within(estimate[place.error])),
                    (place.phi, controls[place.phi] - error),
                ]
            })
        };
        let all: Vec<(usize, f64)> = (0..self.chain.columns()).flat_map(phases).collect();
        let mut own = controls.to_vec();
        self.ways.hold(&all, &mut own, estimate);
        own
    }

    /// Phases in front of the first column, which `fields` enter where `inputs` were sent.
    fn enter(&self, inputs: &[Complex64], fields: &[Complex64], estimate: &mut [f64]) {
        let phases = phases_between(inputs, fields, self.chain.modes());
        let entrance = self.chain.entrance();
        estimate[entrance..].iter_mut().zip(phases).for_each(|(error, phase)| *error = phase);
    }
}

/// Whether more is to be read of a column where so much is left of its MZIs, the median and the most, which was done so many times before.
fn rough([usual, most]: [f64; 2], times: usize) -> bool {
    match times {
        0 => usual > ROUGH[0] || most > ROUGH[1],
        1 => most > ROUGH[1],
        _ => false,
    }
}

/// `phase` within half a turn.
fn within(phase: f64) -> f64 {
    phase - TAU * (phase / TAU).round()
}

fn complex(reals: &[f64]) -> Vec<Complex64> {
    reals.chunks_exact(2).map(|z| Complex64::new(z[0], z[1])).collect()
}

/// The phase of every mode by which `to [sample, mode]` is ahead of `from`, each sample up to a phase of its own.
fn phases_between(from: &[Complex64], to: &[Complex64], modes: usize) -> Vec<f64> {
    let turn = |z: Complex64| if z.norm() > 0.0 { z / z.norm() } else { Complex64::new(1.0, 0.0) };
    let mut own = vec![Complex64::new(1.0, 0.0); modes];
    for _ in 0..TURNS {
        let mut sums = vec![Complex64::new(0.0, 0.0); modes];
        for (from, to) in from.chunks_exact(modes).zip(to.chunks_exact(modes)) {
            let ahead: Vec<Complex64> = from.iter().zip(to).map(|(from, to)| to * from.conj()).collect();
            let common = turn(ahead.iter().zip(&own).map(|(ahead, own)| ahead * own.conj()).sum());
            sums.iter_mut().zip(&ahead).for_each(|(sum, ahead)| *sum += ahead * common.conj());
        }
        own = sums.into_iter().map(turn).collect();
    }
    own.into_iter().map(|z| z.arg()).collect()
}

#[cfg(test)]
mod tests;
