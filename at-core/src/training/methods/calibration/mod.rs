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

mod asking;
mod column;
mod least_squares;
mod light;
mod losses;
mod mzi_fit;
mod straight;

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
/// and where half turns are told.
const SAMPLES: usize = 40;
const ALONE: usize = 18;
const TOGETHER: usize = 24;
const TELLING: usize = 36;
/// What is left of an MZI's readouts, as a share of their root mean square, above which as many more are read: of most MZIs, and of any. Power splits
/// and phases both 0.2 off need it.
const ROUGH: [f64; 2] = [0.25, 0.5];
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
            if column.tells() {
                let base = self.straight(column, number + 2, Some(number + 1), estimate);
                let answers = asking.ask(base, column.shifters(number), TELLING, estimate)?;
                column.tell(&answers, estimate, light);
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
        let within = |phase: f64| phase - TAU * (phase / TAU).round();
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
        estimate[entrance..].iter_mut().zip(phases).for_each(|(error, phase)| *error += phase);
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
    use super::super::MethodOptions;
    use super::super::learned_model::Design;
    use super::super::misfit::Misfit;
    use super::super::probes::Probes;
    use super::*;
    use crate::chip::Chip;
    use crate::cpu::Cpu;
    use crate::fabrication::Fabrication;
    use crate::imperfections::{Control, Imperfections, Passive};
    use crate::network::{Detection, Network, Stage};
    use crate::optics::{Activation, Layout, Mesh};
    use crate::propagator::{Propagator, Simulator};

    /// Phases over a whole turn, and power splits off by `split`.
    fn uncalibrated(split: f64) -> Imperfections {
        let passive = Passive { uncalibrated: true, splitter_split: split, ..Passive::NONE };
        Imperfections { passive, ..Imperfections::NONE }
    }

    /// How far a model with the errors that calibrating found is from a chip of `meshes` meshes and this `kind`.
    fn misfit<E: Simulator>(engine: &E, modes: usize, meshes: usize, kind: Imperfections) -> f64 {
        let layers = (0..meshes).map(|number| {
            let behind = if number + 1 < meshes {
                Stage::activation(modes, Activation::ELECTRO_OPTIC)
            } else {
                Stage::detection(modes, Detection::Intensity)
            };
            vec![Stage::Mesh(Mesh::universal(modes, Layout::Rectangular).unwrap()), behind]
        });
        let network = Network::new(layers.collect()).unwrap();
        let mut chip = Chip::new(engine, &network, &kind.fabricate(&network, 6).unwrap()).unwrap();
        let options = MethodOptions { imperfections: kind, ..MethodOptions::default() };
        let design = Design::of(&network, &options).unwrap();
        let mut model = design.model(engine, engine.build(&design.network, &design.fabrication).unwrap()).unwrap();
        let mut calibration = Calibration::new(engine, model.chain().unwrap().clone(), model.ways().clone()).unwrap();
        let (probes, power) = (Probes::new(&network, 3), modes as f64);
        let mut estimate = vec![0.0; model.unknowns()];
        for number in 0..calibration.steps() {
            calibration.step(&mut chip, &probes, number, power, &mut estimate).unwrap();
        }
        let (controls, fields) = probes.draw(engine, 0, 1.0, &estimate, power).unwrap();
        model.set_estimate(&engine.upload(&estimate).unwrap()).unwrap();
        model.program(&controls).unwrap();
        chip.program(&controls).unwrap();
        let read = |chip: &mut dyn FnMut(&mut E::Buffer)| {
            let mut readout = engine.zeros(probes.samples() * modes).unwrap();
            chip(&mut readout);
            engine.download(&readout).unwrap()
        };
        let theirs = read(&mut |readout| chip.propagate(&fields, probes.samples(), readout).unwrap());
        let ours = read(&mut |readout| model.propagate(&fields, probes.samples(), readout).unwrap());
        Misfit::Amplitude.compare(&ours, &theirs, modes, &mut vec![0.0; ours.len()])
    }

    #[test]
    fn dark_light_tells_nothing_and_ends() {
        let layer = |last| vec![Stage::Mesh(Mesh::universal(4, Layout::Rectangular).unwrap()), last];
        let (lit, read) = (Stage::activation(4, Activation::ELECTRO_OPTIC), Stage::detection(4, Detection::Intensity));
        let network = Network::new(vec![layer(lit), layer(read)]).unwrap();
        let engine = Cpu::<f64>::new();
        let mut chip = Chip::new(&engine, &network, &Fabrication::ideal()).unwrap();
        let mut calibration =
            Calibration::new(&engine, Chain::of(&network, &Fabrication::ideal()).unwrap(), Ways::AS_TOLD).unwrap();
        let mut estimate = vec![0.0; network.imperfections()];
        for number in 0..calibration.steps() {
            calibration.step(&mut chip, &Probes::new(&network, 3), number, 0.0, &mut estimate).unwrap();
        }
        assert!(estimate.iter().all(|error| error.is_finite()));
    }

    #[test]
    fn phases_over_a_whole_turn_are_found() {
        for (modes, meshes) in [(8, 1), (8, 2), (6, 3)] {
            let misfit = misfit(&Cpu::<f64>::new(), modes, meshes, uncalibrated(0.0));
            assert!(misfit < 1e-3, "{modes} modes, {meshes} meshes: {misfit}");
        }
    }

    #[test]
    fn couplers_that_are_off_are_found_with_them() {
        for (modes, meshes, split) in [(8, 1, 0.2), (8, 2, 0.1), (6, 3, 0.06)] {
            let misfit = misfit(&Cpu::<f64>::new(), modes, meshes, uncalibrated(split));
            assert!(misfit < 0.05, "{modes} modes, {meshes} meshes, {split}: {misfit}");
        }
    }

    #[test]
    fn heaters_that_differ_or_act_on_others_and_updates_that_fall_short_are_found_with_them() {
        let heaters = Control { heater_spread: 0.05, control_range: 7.0, ..Control::NONE };
        for kind in [
            Imperfections { control: heaters, ..uncalibrated(0.06) },
            Imperfections { update_error: 0.05, ..uncalibrated(0.06) },
            Imperfections { control: Control { crosstalk: 0.02, ..heaters }, ..uncalibrated(0.06) },
        ] {
            let misfit = misfit(&Cpu::<f64>::new(), 8, 2, kind);
            assert!(misfit < 0.05, "{kind:?}: {misfit}");
        }
    }

    #[test]
    fn neighbours_that_are_heated_keep_their_phases_while_columns_are_read() {
        let control = Control { crosstalk: 0.02, ..Control::NONE };
        let misfit = misfit(&Cpu::<f64>::new(), 8, 2, Imperfections { control, ..uncalibrated(0.0) });
        assert!(misfit < 1e-3, "{misfit}: 0.1 and more where they change");
    }

    /// Behind a nonlinearity that shows of how much power it is, and in front of the first mesh, too.
    #[test]
    fn losses_that_differ_are_found_with_them() {
        for (modes, meshes, passive) in [
            (8, 1, uncalibrated(0.0).passive),
            (8, 1, Passive { propagation_db_cm: 4.0, ..uncalibrated(0.0).passive }),
            (8, 2, uncalibrated(0.0).passive),
        ] {
            let kind = Imperfections { loss_spread_db: 0.2, passive, ..Imperfections::NONE };
            let misfit = misfit(&Cpu::<f64>::new(), modes, meshes, kind);
            assert!(misfit < 1e-3, "{modes} modes, {meshes} meshes, {passive:?}: {misfit}");
        }
    }

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
