//! The errors of coherent meshes found column by column, from the detectors towards the light: for chips so far off that the whole
//! of a nominal model shares no field with them.
//!
//! Behind a window of [`WINDOW`] columns everything stands at the bar state as it is estimated so far, where light passes almost
//! straight to the detectors, and the model knows by how much it does not. In front everything stays as it is, so that the complex
//! fields which enter the window are unknown, but the same for every setting of the window's controls. Some settings tell both:
//!
//! ```text
//! x, ε of the window ← Adam on Σ_settings D(r_d(x, ε, Ψ), r_p(Ψ))
//! ```
//!
//! The window then moves by two columns, and x, carried back through them and through nonlinearities, is the next window's first
//! guess. Phases in front of a window's first column are those of x. Where the chain ends, x is known up to one phase per mode,
//! which is the waveguide's in front of the first column, and one per sample, which nothing tells.

use super::calibration::{Known, Reading, worth};
use super::chain::Chain;
use super::probes::Probes;
use super::window::{Answers, Window};
use crate::Result;
use crate::engine::{Engine, Optimizer};
use crate::network::Network;
use crate::propagator::{Propagator, Tunable};
use crate::training::Parameters;
use num_complex::Complex64;
use rand::RngExt;
use std::f64::consts::{PI, TAU};
use std::ops::Range;

/// Columns of a window, and by how many it moves.
const WINDOW: usize = 6;
const STRIDE: usize = 2;
/// Samples that stay the same through the search, and settings of each window: together twice a probe of 64 modes. With 12 settings chips whose
/// couplers and phases are both off are lost on the way.
const SAMPLES: usize = 40;
const SETTINGS: usize = 24;
/// Steps of Adam at a window, and at the first, whose fields are guessed from nothing.
const STEPS: usize = 60;
const FIRST_STEPS: usize = 400;
/// Steps of a further fit from where one ended, how many there are at most, and the misfit in logarithms of powers below which none is
/// needed. Behind a nonlinearity fields that are carried back can be on the wrong side of its maximum: 60 steps do not mend them, and each window
/// would hand them to the next.
const MORE_STEPS: usize = 200;
const MORE: usize = 5;
const GOOD: f64 = 0.1;
/// Share of its misfit that a further fit must take away to be worth another.
const WORTH: f64 = 0.3;
/// Turns of the fit of one phase per mode and one per sample.
const TURNS: usize = 100;
/// Numbers of probes that no course reaches: their random numbers are the search's.
const FIRST_NUMBER: u64 = 1 << 40;
const FIRST_CALIBRATION: u64 = FIRST_NUMBER + (1 << 32);
/// Power of the light that calibrates, of what nonlinearities bear: behind columns at random settings hardly a waveguide has ten times the mean.
const DIM: f64 = 0.25;

/// Makes the model of a part of the network.
pub type Maker<M> = Box<dyn Fn(&Network) -> Result<M>>;

/// The search on a chip of one network.
pub struct ColumnSearch<M: Tunable> {
    engine: M::Engine,
    chain: Chain,
    network: Network,
    maker: Maker<M>,
    /// x, `[sample, mode, (re, im)]`.
    pub fields: Parameters<M::Engine>,
}

impl<M: Tunable> ColumnSearch<M> {
    /// On chips of `network`; none where it has no chain or one shorter than a window.
    pub fn new(engine: &M::Engine, network: &Network, maker: Maker<M>) -> Result<Option<Self>> {
        let Some(chain) = Chain::of(network).filter(|chain| chain.columns() >= WINDOW) else { return Ok(None) };
        let fields = Parameters::new(engine, Optimizer::Sgd, &vec![0.0; 2 * SAMPLES * 2 * chain.modes()])?;
        Ok(Some(ColumnSearch { engine: engine.clone(), chain, network: network.clone(), maker, fields }))
    }

    /// Steps that it takes.
    pub fn windows(&self) -> usize {
        (self.chain.columns() - WINDOW) / STRIDE + 1
    }

    /// Columns, each of which is a step where the chip is calibrated.
    pub fn columns(&self) -> usize {
        self.chain.columns()
    }

    /// Reads column number `number` from the detectors on `chip`, as [`super::calibration`] says, whose phases in `estimate` it replaces. Returns
    /// whether that is worth going on with.
    pub fn calibrate<C: Propagator<Engine = M::Engine>>(
        &mut self,
        chip: &mut C,
        probes: &Probes,
        number: usize,
        power: f64,
        estimate: &mut [f64],
    ) -> Result<bool> {
        let (column, modes) = (self.columns() - 1 - number, self.chain.modes());
        let mut random = probes.random(FIRST_CALIBRATION);
        let inputs = probes.fields(&mut random, SAMPLES, 1.0, DIM * probes.bright(power));
        let front: Vec<f64> = (0..self.network.controls()).map(|_| TAU * random.random::<f64>()).collect();
        let answers = self.ask(
            chip,
            probes,
            FIRST_CALIBRATION + 1 + number as u64,
            column..column + 1,
            &inputs,
            &front,
            estimate,
        )?;
        let inputs = complex(&inputs);
        let reading = Reading {
            column,
            settings: &answers.controls,
            readouts: &answers.readouts,
            front: &front,
            inputs: &inputs,
        };
        let kept = complex(&self.engine.download(&self.fields.values)?);
        let (fields, pairs) = kept.split_at(SAMPLES * modes);
        let mut known = Known { fields: if number < 2 { Vec::new() } else { fields.to_vec() }, pairs: pairs.to_vec() };
        let askew = reading.learn(&self.chain, estimate, &mut known);
        if column == 0 {
            self.enter(&inputs, &known.fields, estimate);
        }
        known.fields.resize(SAMPLES * modes, Complex64::default());
        let all: Vec<f64> = known.fields.iter().chain(&known.pairs).flat_map(|z| [z.re, z.im]).collect();
        self.fields.values = self.engine.upload(&all)?;
        Ok(worth(&self.chain, (column + 1).min(self.columns() - 1), estimate, askew))
    }

    /// Controls at which the chip does what its design does at `controls`, as far as `estimate` knows its phases.
    pub fn as_designed(&self, controls: &[f64], estimate: &[f64]) -> Vec<f64> {
        let mut own = controls.to_vec();
        let within = |phase: f64| phase - TAU * (phase / TAU).round();
        for column in 0..self.columns() {
            let waveguides = self.chain.waveguides(column);
            for place in self.chain.places(column) {
                let upper = waveguides + place.row;
                own[place.theta] -= within(estimate[place.error]);
                own[place.phi] -= within(estimate[upper] - estimate[upper + 1]);
            }
        }
        own
    }

    /// Phases in front of the first column, which `fields` enter where `inputs` were sent.
    fn enter(&self, inputs: &[Complex64], fields: &[Complex64], estimate: &mut [f64]) {
        let phases = phases_between(inputs, fields, self.chain.modes());
        let entrance = self.chain.entrance();
        estimate[entrance..].iter_mut().zip(phases).for_each(|(error, phase)| *error += phase);
    }

    /// Window number `number` on `chip`, whose errors in `estimate` it replaces, where the data have `power` per sample.
    pub fn step<C: Propagator<Engine = M::Engine>>(
        &mut self,
        chip: &mut C,
        probes: &Probes,
        number: usize,
        power: f64,
        estimate: &mut [f64],
    ) -> Result<()> {
        let column = (self.windows() - 1 - number) * STRIDE;
        let mut random = probes.random(FIRST_NUMBER);
        let bright = probes.bright(power);
        let inputs = probes.fields(&mut random, SAMPLES, 0.0, bright);
        let mut front: Vec<f64> = (0..self.network.controls()).map(|_| TAU * random.random::<f64>()).collect();
        self.chain.shifters().for_each(|([theta, _], ..)| front[theta] = PI);

        let columns = column..column + WINDOW;
        let own = FIRST_NUMBER + 1 + number as u64;
        let answers = self.ask(chip, probes, own, columns.clone(), &inputs, &front, estimate)?;
        let first = if number == 0 {
            // the same for every chip; what it is does not matter
            probes.fields(&mut probes.random(FIRST_NUMBER - 1), SAMPLES, 1.0, 2.0 * self.chain.modes() as f64)
        } else {
            let mut fields = complex(&self.engine.download(&self.fields.values)?);
            fields.truncate(SAMPLES * self.chain.modes());
            self.chain.carry_back(column, &front, estimate, &mut fields);
            fields.iter().flat_map(|z| [z.re, z.im]).collect()
        };
        let modulus = (bright / self.chain.modes() as f64).sqrt();
        let root = 0.5 / self.chain.steepness(column, modulus);
        let steps = if number == 0 { FIRST_STEPS } else { STEPS };
        let mut window = Window::new(&self.engine, &self.chain, &self.maker, columns, &answers, root, estimate)?;
        let (mut fitted, mut misfit) = window.fit(&first, steps, estimate)?;
        for _ in 0..MORE {
            let before = misfit;
            if misfit <= GOOD * root * root {
                break;
            }
            (fitted, misfit) = window.fit(&fitted, MORE_STEPS, estimate)?;
            if misfit > (1.0 - WORTH) * before {
                break;
            }
        }
        if column == 0 {
            self.enter(&complex(&inputs), &complex(&fitted), estimate);
        }
        fitted.resize(2 * fitted.len(), 0.0);
        self.fields.values = self.engine.upload(&fitted)?;
        Ok(())
    }

    /// Reads settings of `columns`, drawn as probe number `number`: the first one is the bar state, the others are anything.
    fn ask<C: Propagator<Engine = M::Engine>>(
        &self,
        chip: &mut C,
        probes: &Probes,
        number: u64,
        columns: Range<usize>,
        inputs: &[f64],
        front: &[f64],
        estimate: &[f64],
    ) -> Result<Answers> {
        let mut random = probes.random(number);
        let fields = self.engine.upload(inputs)?;
        let mut readout = self.engine.zeros(SAMPLES * chip.outputs())?;
        let mut answers = Answers { controls: Vec::new(), readouts: Vec::new() };
        let mut moved: Vec<usize> = Vec::new();
        for setting in 0..SETTINGS {
            let mut controls = front.to_vec();
            moved.clear();
            for ([theta, phi], error, place) in self.chain.shifters() {
                if place >= columns.end {
                    (controls[theta], controls[phi]) = (PI - estimate[error], 0.0);
                } else if place >= columns.start {
                    let any = TAU * random.random::<f64>() - PI;
                    controls[theta] = if setting == 0 { PI - estimate[error] } else { any };
                    controls[phi] = TAU * random.random::<f64>();
                    moved.extend([theta, phi]);
                }
            }
            let buffer = self.engine.upload(&controls)?;
            if setting == 0 {
                chip.program(&buffer)?
            } else {
                chip.reprogram(&buffer, &moved)?
            }
            chip.propagate(&fields, SAMPLES, &mut readout)?;
            answers.readouts.push(self.engine.download(&readout)?);
            answers.controls.push(controls);
        }
        Ok(answers)
    }
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
mod tests {
    use super::*;

    #[test]
    fn phases_of_modes_are_found_whatever_those_of_samples() {
        let wanted = [0.3, -2.0, 1.2];
        let from: Vec<Complex64> =
            (0..30).map(|k| Complex64::new((1.3 * f64::from(k)).sin(), (0.7 * f64::from(k)).cos())).collect();
        let to: Vec<Complex64> =
            from.iter().enumerate().map(|(k, z)| z * Complex64::cis(wanted[k % 3] + (k / 3) as f64)).collect();
        let found = phases_between(&from, &to, 3);
        for mode in 1..3 {
            let apart = (found[mode] - found[0]) - (wanted[mode] - wanted[0]);
            assert!((Complex64::cis(apart) - 1.0).norm() < 1e-6, "{found:?}");
        }
    }
}
