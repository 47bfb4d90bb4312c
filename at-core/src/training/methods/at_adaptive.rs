//! Asymmetrical training with a model that learns the chip's imperfections from the readouts of the output layer.
//!
//! Plain `at` fails on coherent meshes: the error comes from the chip, the phase of the light from a model that is not the
//! chip's, and the two drift apart. Here the model is asked to explain the very readouts. With controls Θ, which chip and model
//! share, the model's estimate ε of the imperfections, readouts r_p and r_d of chip and model, and a misfit D between them:
//!
//! ```text
//! measuring, the first steps:   random controls Ψ and random inputs on chip and model, growing (`probes.rs`)
//!     ε ← ε − κ·∂D(r_d(ε, Ψ), r_p)/∂ε            Adam, κ falling
//!     Θ ← Θ − η·BP(e_d)                          on the model alone, with the batch that is due
//! training, the rest:           controls Θ and the batch on chip and model
//!     ε ← ε − κ'·∂D(r_d(ε, Θ), r_p)/∂ε
//!     Θ ← Θ − min(1, τ/D)·η·BP(e_p)              the chip's error, carried back through the model with its estimate
//! ```
//!
//! The misfit of probes from which nothing was learned yet decides how long the chip is measured, whether its columns are calibrated
//! one by one, and whether the estimate is trusted at the end (`measuring.rs`). An estimate that is not is put away: from
//! its first controls on the method is then output-only physics-aware training, and says so.
//!
//! While the model misses the readouts by more than τ (receivers' noise, drift, a chip outside its class), its gradient is worth
//! less and the controls wait for it. An estimate of many weakly seen imperfections drifts where readouts say nothing; the prior λ takes it back, `ε ← (1 − κλ)ε` after each of
//! its steps.
//!
//! Where the kind of chip has a spread of heaters' gains or of losses, the estimate has these too (`learned_model.rs`).
//!
//! Readouts of ring banks are kept and compared again, seven for each that is new (`kept_probes.rs`): a ring answers alike on both sides of
//! its resonance, and only the same estimate at many settings tells them apart.
//!
//! Where converters read the output layer, probes and the light of calibrating are no brighter than their range holds, and what they made of it is counted (`receiver.rs`).
//!
//! A step writes every control once, measuring or not, and only the output layer is read; a probe has its own number of samples,
//! whatever the task's batches are. A network without imperfections to estimate has nothing to measure: there the method is
//! output-only physics-aware training.

use super::calibration::Calibration;
use super::kept_probes::KeptProbes;
use super::learned_model::{Design, LearnedModel};
use super::measuring::{Budget, FINAL_RATE, MEASURING, Phase, Progress};
use super::misfit::Misfit;
use super::probes::{FADES, Probes};
use super::receiver::{Heard, Listened, Receiver};
use super::{
    Dash, Ingredients, Marker, Method, MethodFacts, MethodName, MethodOption, Model, OptionRange, Reach, Room,
};
use crate::engine::{Engine, Optimizer};
use crate::fabrication::Fabrication;
use crate::imperfections::Noise;
use crate::network::Network;
use crate::propagator::{Buffer, Propagator, Simulator, Tunable};
use crate::stage::Estimable;
use crate::training::{Batch, Digital, Parameters, Settings};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// [`Estimation::measuring_steps`].
pub const MEASURING_STEPS: MethodOption = MethodOption {
    name: "measuring-steps",
    help: "most steps that measure the chip with random light before the controls train on it; fewer where its model explains it sooner [default: half of the run with meshes or ring banks, else 0]",
    range: OptionRange::Count,
    read: |options| options.estimation.measuring_steps.map(|steps| steps as f64),
    multiplies_passes: false,
};

/// [`Estimation::rate`].
pub const ESTIMATE_RATE: MethodOption = MethodOption {
    name: "estimate-rate",
    help: "first rate of the estimate of the chip's imperfections (radians) [default: 0.004 with meshes, 0.02 with ring banks, 0.2 with diffractive planes alone, else 0.04]",
    range: OptionRange::NotNegative,
    read: |options| options.estimation.rate,
    multiplies_passes: false,
};

/// [`Estimation::trust`].
pub const ESTIMATE_TRUST: MethodOption = MethodOption {
    name: "estimate-trust",
    help: "relative misfit of the readouts beyond which the controls slow down in proportion [default: 0.01 with meshes, 0.1 with ring banks, else inf]",
    range: OptionRange::PositiveOrInfinite,
    read: |options| options.estimation.trust,
    multiplies_passes: false,
};

/// [`Estimation::prior`].
pub const ESTIMATE_PRIOR: MethodOption = MethodOption {
    name: "estimate-prior",
    help: "how fast the estimate returns to a perfect chip, per unit of its rate [default: 0 with meshes or ring banks, 0.3 with diffractive planes alone, else 1]",
    range: OptionRange::NotNegative,
    read: |options| options.estimation.prior,
    multiplies_passes: false,
};

/// The vector of a checkpoint that keeps the estimate.
pub const ESTIMATE: &str = "estimate";

/// Numbers of probes that no run reaches: their random numbers say which kept probes are compared again.
const FIRST_AGAIN: u64 = 1 << 41;

/// The number of the probe that the chip as designed is lit with.
const AS_DESIGNED: u64 = 1 << 42;

/// Samples of it, which are enough to see how bright readouts are.
const LOOKED_AT: usize = 64;

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("at-adaptive"),
    title: "adaptive asymmetrical training",
    uses: "its output",
    reach: Reach::Output,
    summary: "the model also learns the chip's imperfections from its readouts: for coherent meshes and deep weight banks",
    manner: super::facts::OUTPUT_ONLY,
    colour: [230, 159, 0],
    dash: Dash::Solid,
    marker: Marker::Square,
    model: Model::DataSheet,
    needs_classes: false,
    options: &[MEASURING_STEPS, ESTIMATE_RATE, ESTIMATE_TRUST, ESTIMATE_PRIOR],
    passes: MethodFacts::one_pass,
    check,
};

/// Errs where there is nothing to estimate.
fn check(network: &Network) -> Result<()> {
    if network.imperfections() > 0 {
        return Ok(());
    }
    Err(Error::Unsupported {
        what: "at-adaptive on a network that has neither meshes nor weight banks".into(),
        instead: "it estimates the imperfections of these; choose the method at".into(),
    })
}

/// The method from its parts.
pub fn build<E: Simulator, C: Propagator<Engine = E> + 'static>(
    from: &Ingredients<'_, E>,
) -> Result<Box<dyn Method<C>>> {
    let design = Design::of(from.network, from.options)?;
    let (engine, meter) = (from.engine.clone(), from.meter.clone());
    let make = move |network: &Network, known: &Fabrication| -> Result<_> {
        Ok(Digital::new(engine.build(network, known)?, network, &meter))
    };
    let model = design.model(from.engine, make(&design.network, &design.fabrication)?)?;
    let (estimation, initial) = (from.options.estimation, from.initial);
    let mut method = AdaptiveAsymmetric::new(from.engine, model, &design.network, estimation, initial, from.settings)?;
    method.read_with(&design.network, &from.options.imperfections.noise)?;
    Ok(Box::new(method))
}

/// How the estimate is learned. What is not set follows the stages of the network: 480 steps, 4e-3 and 0 where there are meshes,
/// 480 steps, 2e-2 and 0 where there are ring banks, else 0 steps, 4e-2 and 1; where there are meshes, controls trust a misfit of 0.01,
/// where there are ring banks, of 0.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Estimation {
    /// Steps that measure before the controls meet the chip, at most.
    pub measuring_steps: Option<usize>,
    /// κ, Adam's rate of the estimate at first (radians). It falls to a twentieth by a half cosine while the chip is measured, and
    /// from there on as the learning rate of the controls does.
    pub rate: Option<f64>,
    /// τ, the misfit D up to which the controls move at the full rate; beyond, they slow down by τ/D.
    pub trust: Option<f64>,
    /// λ, the rate at which the estimate returns to a perfect chip, per unit of its rate: `ε ← (1 − κλ)ε` after each step.
    pub prior: Option<f64>,
}

impl Estimation {
    /// The most steps of a training on `network` that measure before the controls meet the chip, 0 where nothing is estimated.
    pub fn measures(&self, network: &Network) -> usize {
        if network.imperfections() == 0 { 0 } else { Pace::of(self, network).measuring_steps }
    }

    /// τ of a training on `network`.
    pub(super) fn trust_of(&self, network: &Network) -> f64 {
        Pace::of(self, network).trust
    }

    /// Errs unless rate and prior are finite and not negative, and the trust is positive.
    pub fn validate(&self) -> Result<()> {
        let values = [(ESTIMATE_TRUST, self.trust), (ESTIMATE_RATE, self.rate), (ESTIMATE_PRIOR, self.prior)];
        for (option, value) in values {
            value.map_or(Ok(()), |value| option.check(value))?;
        }
        Ok(())
    }
}

/// What [`Estimation`] comes to for a network.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pace {
    measuring_steps: usize,
    rate: f64,
    trust: f64,
    prior: f64,
}

impl Pace {
    /// Meshes are measured first, and without a prior: in 130 to 480 steps random light tells their errors almost entirely.
    const BY_PROBES: Pace = Pace { measuring_steps: 480, rate: 4e-3, trust: 1e-2, prior: 0.0 };

    /// Weight banks have three unknowns per cell, more than random light tells in any such time: they are estimated on the batches
    /// that are due, ten times faster than meshes there, and held near the design where these batches tell nothing.
    const BY_BATCHES: Pace = Pace { measuring_steps: 0, rate: 4e-2, trust: f64::INFINITY, prior: 1.0 };

    /// Phases of pixels and planes, which light adds up before it is read, are told by fewer batches than weights are, and need less of a prior.
    const PHASES_BY_BATCHES: Pace = Pace { rate: 2e-1, prior: 0.3, ..Pace::BY_BATCHES };

    /// Rings are measured first, too, at many settings each: in units of half a linewidth they move five times as far as the phases of
    /// meshes, and every probe teaches as often as it is compared again. Those that are not measured first are as banks.
    const BY_SETTINGS: Pace = Pace { measuring_steps: 480, rate: 2e-2, trust: 1e-1, prior: 0.0 };

    fn of(estimation: &Estimation, network: &Network) -> Self {
        let any = |is: fn(Estimable) -> bool| network.stages().any(|stage| is(stage.estimable()));
        let usual = if any(|own| matches!(own, Estimable::ByProbes(_))) {
            Pace::BY_PROBES
        } else if any(|own| matches!(own, Estimable::BySettings(_))) && estimation.measuring_steps != Some(0) {
            Pace::BY_SETTINGS
        } else if any(|own| matches!(own, Estimable::PhasesByBatches(_)))
            && !any(|own| matches!(own, Estimable::ByBatches(_)))
        {
            Pace::PHASES_BY_BATCHES
        } else {
            Pace::BY_BATCHES
        };
        Pace {
            measuring_steps: estimation.measuring_steps.unwrap_or(usual.measuring_steps),
            rate: estimation.rate.unwrap_or(usual.rate),
            trust: estimation.trust.unwrap_or(usual.trust),
            prior: estimation.prior.unwrap_or(usual.prior),
        }
    }

    /// The share of their rate at which controls move where the model misses the readouts by `misfit`.
    fn trusted(&self, misfit: f64) -> f64 {
        if misfit > self.trust { self.trust / misfit } else { 1.0 }
    }
}

/// What the converters of a chip are known to bear, and what they have read.
struct Reading<E: Engine> {
    receiver: Receiver,
    /// Greatest power per sample of data for which probes are drawn, and light to calibrate with.
    brightest: [f64; 2],
    /// [`Heard`] of probes and of calibrating.
    heard: Parameters<E>,
}

/// What a [`Reading`] tells apart, as a person is told of it.
const LIT: [&str; 2] = ["its probes", "the light that calibrates"];

/// The method with its model.
pub struct AdaptiveAsymmetric<M: Tunable> {
    model: LearnedModel<M>,
    pace: Pace,
    /// η of the first epoch, against which the schedule of κ' goes.
    first_rate: f64,
    misfit: Misfit,
    probes: Probes,
    calibration: Option<Calibration<M::Engine>>,
    kept: Option<KeptProbes<M::Engine>>,
    reading: Option<Reading<M::Engine>>,
    budget: Budget,
    /// The first controls, from which it starts again where no estimate is trusted.
    first: Vec<f64>,
    optimizer: Optimizer,
    /// [`Progress`] in its saved form, which is the only one: what a resumed run reads is what the run itself went on with.
    measuring: Parameters<M::Engine>,
    controls: Parameters<M::Engine>,
    estimate: Parameters<M::Engine>,
    room: Room<M>,
    /// The light of the last probe, and the data's power per sample.
    sent: Option<(Buffer<M>, f64)>,
    /// Readout of the chip, `[batch, outputs]`.
    measured: Buffer<M>,
    /// Slope of the misfit, `[batch, outputs]`.
    fit_error: Buffer<M>,
    estimate_gradient: Buffer<M>,
    /// The gradient with respect to the controls that the fit does not need.
    unused: Buffer<M>,
}

impl<M: Tunable> AdaptiveAsymmetric<M> {
    /// Starts from the `initial` controls and from the estimate that the chip of `network`, which is the model's, is as its data sheet has it.
    pub fn new(
        engine: &M::Engine,
        mut model: LearnedModel<M>,
        network: &Network,
        estimation: Estimation,
        initial: &[f64],
        settings: &Settings,
    ) -> Result<Self> {
        estimation.validate()?;
        let (pace, probes) = (Pace::of(&estimation, network), Probes::new(network, settings.seed));
        let steps = if network.imperfections() == 0 { 0 } else { pace.measuring_steps };
        let chain = model.chain().filter(|_| steps > 0);
        let calibration =
            chain.map(|chain| Calibration::new(engine, chain.clone(), model.ways().clone())).transpose()?;
        let budget = Budget { steps, calibration: calibration.as_ref().map(Calibration::steps), trust: pace.trust };
        let kept = steps > 0 && probes.kept();
        let kept = kept.then(|| KeptProbes::new(engine, probes.samples() * model.outputs())).transpose()?;
        let capacity = if steps > 0 { settings.batch_size.max(probes.samples()) } else { settings.batch_size };
        let controls = Parameters::new(engine, settings.optimizer, initial)?;
        let perfect = vec![0.0; model.unknowns()];
        let estimate = Parameters::new(engine, Optimizer::ADAM, &perfect)?;
        model.set_estimate(&estimate.values)?;
        model.program(&controls.values)?;
        Ok(AdaptiveAsymmetric {
            pace,
            first_rate: settings.learning_rate,
            misfit: Misfit::of(network),
            probes,
            calibration,
            kept,
            reading: None,
            budget,
            first: initial.to_vec(),
            optimizer: settings.optimizer,
            measuring: Parameters::new(engine, Optimizer::Sgd, &Progress::new(&budget).saved())?,
            room: Room::new(engine, model.inside(), settings.loss, capacity)?,
            sent: None,
            measured: engine.zeros(model.outputs() * capacity)?,
            fit_error: engine.zeros(model.outputs() * capacity)?,
            estimate_gradient: engine.zeros(perfect.len())?,
            unused: engine.zeros(model.controls())?,
            controls,
            estimate,
            model,
        })
    }

    /// Takes what reads the output layer of chips of `network` for what its data sheet says, `noise`.
    fn read_with(&mut self, network: &Network, noise: &Noise) -> Result<()> {
        let Some(receiver) = Receiver::of(network, noise).filter(|_| self.budget.steps > 0) else { return Ok(()) };
        let engine = self.room.engine.clone();
        // the brightest light goes anywhere in a chip whose errors are large
        let anywhere = (1.0, FADES);
        let lit: &[(f64, f64)] = if self.kept.is_some() { &[(1.0, 1.0)] } else { &[(0.0, 1.0), anywhere, (1.0, 1.0)] };
        let probes = receiver.best(|power| self.as_designed(power, lit))?;
        let calibrating = match self.calibration {
            Some(_) => receiver.best(|power| self.as_designed(power, &[anywhere]))?,
            None => f64::INFINITY,
        };
        let heard = Parameters::new(&engine, Optimizer::Sgd, &[0.0; LIT.len() * Heard::LEN])?;
        self.reading = Some(Reading { receiver, brightest: [probes, calibrating], heard });
        self.model.program(&self.controls.values)
    }

    /// Readouts of the chip as designed of probes with these reaches for data of so many times the `power`, and the misfit that compares them.
    fn as_designed(&mut self, power: f64, lit: &[(f64, f64)]) -> Result<(Misfit, Vec<Vec<f64>>)> {
        let (engine, samples) = (self.room.engine.clone(), self.probes.samples().min(LOOKED_AT));
        let estimate = vec![0.0; self.estimate.len()];
        let len = samples * self.model.outputs();
        let readouts = lit.iter().map(|&(reach, times)| {
            let (controls, fields) = self.probes.draw(&engine, AS_DESIGNED, reach, &estimate, times * power)?;
            self.model.program(&controls)?;
            self.model.record(&fields, samples, &mut self.room.trace, &mut self.room.readout)?;
            let mut readout = engine.download(&self.room.readout)?;
            readout.truncate(len);
            Ok(readout)
        });
        let readouts = readouts.collect::<Result<Vec<_>>>()?;
        Ok((self.misfit.at(self.probes.root(power)), readouts))
    }

    /// The estimate of the imperfections so far, ordered as [`LearnedModel`] says.
    pub fn estimate(&self) -> &Buffer<M> {
        &self.estimate.values
    }

    /// `misfit` between `self.measured` and the model's readout in `self.room`; its slope is left in `self.fit_error`.
    fn compare(&mut self, misfit: Misfit, batch: usize) -> Result<f64> {
        let chip = self.room.engine.download(&self.measured)?;
        self.compare_with(misfit, &chip, batch)
    }

    /// The same against the readouts `chip`.
    fn compare_with(&mut self, misfit: Misfit, chip: &[f64], batch: usize) -> Result<f64> {
        let Room { engine, readout, .. } = &self.room;
        let len = batch * self.model.outputs();
        let model = engine.download(readout)?;
        let mut error = vec![0.0; model.len()];
        let misfit = misfit.compare(&model[..len], &chip[..len], self.model.outputs(), &mut error);
        self.fit_error = engine.upload(&error)?;
        Ok(misfit)
    }

    /// The loss of a sample of `batch` where the chip is dark.
    fn dark(&self, batch: &Batch<M::Engine>) -> Result<f64> {
        let (Room { engine, loss, .. }, size) = (&self.room, batch.size());
        let (dark, mut tally) = (engine.zeros(self.model.outputs() * size)?, engine.zeros(3)?);
        engine.loss(loss, &dark, self.model.outputs(), batch.targets(), size, None, &mut tally)?;
        Ok(engine.download(&tally)?[0] / size as f64)
    }

    /// Moves the estimate against the slope that [`AdaptiveAsymmetric::compare`] left, of the light in the room's trace.
    fn learn(&mut self, rate: f64) -> Result<()> {
        let Room { engine, trace, .. } = &self.room;
        let gradient = &mut self.estimate_gradient;
        self.model.backpropagate_estimate(trace, &self.fit_error, &mut self.unused, gradient)?;
        self.estimate.descend(engine, rate, gradient)?;
        let back = (rate * self.pace.prior).min(1.0);
        if back == 0.0 { Ok(()) } else { engine.combine(0.0, gradient, 1.0 - back, &mut self.estimate.values) }
    }

    fn progress(&self) -> Result<Progress> {
        Ok(Progress::restored(&self.room.engine.download(&self.measuring.values)?))
    }

    fn keep(&mut self, progress: &Progress) -> Result<()> {
        self.measuring.values = self.room.engine.upload(&progress.saved())?;
        Ok(())
    }

    /// The power per sample of data for which probes are drawn, or light to calibrate with, and the estimate so far.
    fn known(&self, batch: &Batch<M::Engine>, calibrating: bool) -> Result<(f64, Vec<f64>)> {
        let engine = &self.room.engine;
        let power = mean_power(&engine.download(batch.signals())?, batch.size());
        let brightest = self.reading.as_ref().map_or(f64::INFINITY, |own| own.brightest[usize::from(calibrating)]);
        Ok((power.min(brightest), engine.download(&self.estimate.values)?))
    }

    /// What was read of probes and of calibrating, where converters read.
    fn heard(&self) -> Result<Option<(Receiver, [Heard; 2])>> {
        let Some(reading) = &self.reading else { return Ok(None) };
        let saved = self.room.engine.download(&reading.heard.values)?;
        let (probes, calibrating) = saved.split_at(Heard::LEN);
        Ok(Some((reading.receiver, [probes, calibrating].map(Heard::restored))))
    }

    fn keep_heard(&mut self, heard: [Heard; 2]) -> Result<()> {
        let saved: Vec<f64> = heard.iter().flat_map(Heard::saved).collect();
        if let Some(reading) = &mut self.reading {
            reading.heard.values = self.room.engine.upload(&saved)?;
        }
        Ok(())
    }

    /// One probe through chip and model, from which the estimate learns at `rate`. Returns the misfit before.
    fn probe<C: Propagator<Engine = M::Engine>>(
        &mut self,
        chip: &mut C,
        batch: &Batch<M::Engine>,
        progress: &Progress,
        reach: f64,
        rate: f64,
    ) -> Result<f64> {
        let (engine, samples) = (self.room.engine.clone(), self.probes.samples());
        let (power, estimate) = self.known(batch, false)?;
        let (controls, fields) = self.probes.draw(&engine, progress.probes, reach, &estimate, power)?;
        chip.program(&controls)?;
        chip.propagate(&fields, samples, &mut self.measured)?;
        self.model.set_estimate(&self.estimate.values)?;
        self.model.program(&controls)?;
        self.model.record(&fields, samples, &mut self.room.trace, &mut self.room.readout)?;
        let misfit = self.compare(self.misfit.at(self.probes.root(power)), samples)?;
        if let Some((receiver, mut heard)) = self.heard()? {
            let len = samples * self.model.outputs();
            let [chip, model] = [&self.measured, &self.room.readout].map(|own| engine.download(own));
            heard[0].hear(&receiver, &chip?[..len], Some(&model?[..len]));
            self.keep_heard(heard)?;
        }
        self.learn(rate)?;
        self.sent = Some((fields, power));
        if let Some(kept) = &mut self.kept {
            kept.keep(&engine, progress.probes, power, &engine.download(&self.measured)?)?;
            self.compare_again(progress.probes, rate)?;
        }
        Ok(misfit)
    }

    /// Learns at `rate` from what was kept of probes up to number `latest`, which the chip is not asked again.
    fn compare_again(&mut self, latest: u64, rate: f64) -> Result<()> {
        let (engine, samples) = (self.room.engine.clone(), self.probes.samples());
        let Some(kept) = &self.kept else { return Ok(()) };
        let readouts = kept.all(&engine)?;
        for number in KeptProbes::<M::Engine>::again(&mut self.probes.random(FIRST_AGAIN + latest), latest) {
            let (power, chip) = readouts.of(number);
            let (controls, fields) = self.probes.draw(&engine, number, 1.0, &[], power)?;
            self.model.set_estimate(&self.estimate.values)?;
            self.model.program(&controls)?;
            self.model.record(&fields, samples, &mut self.room.trace, &mut self.room.readout)?;
            self.compare_with(self.misfit.at(self.probes.root(power)), chip, samples)?;
            self.learn(rate)?;
        }
        Ok(())
    }

    /// How far a second readout of the last probe lies from the first.
    fn noise<C: Propagator<Engine = M::Engine>>(&mut self, chip: &mut C) -> Result<f64> {
        let Some((fields, power)) = self.sent.take() else { return Ok(0.0) };
        let (engine, samples) = (&self.room.engine, self.probes.samples());
        let len = samples * self.model.outputs();
        let first = engine.download(&self.measured)?;
        chip.propagate(&fields, samples, &mut self.measured)?;
        let second = engine.download(&self.measured)?;
        let misfit = self.misfit.at(self.probes.root(power));
        Ok(misfit.compare(&second[..len], &first[..len], self.model.outputs(), &mut vec![0.0; len]))
    }

    /// A step that measures.
    fn measure<C: Propagator<Engine = M::Engine>>(
        &mut self,
        chip: &mut C,
        batch: &Batch<M::Engine>,
        progress: &mut Progress,
    ) -> Result<()> {
        let budget = self.budget;
        let reach = if self.kept.is_some() { 1.0 } else { progress.reach() };
        let misfit = self.probe(chip, batch, progress, reach, self.pace.rate * progress.rate())?;
        progress.probed(misfit, &budget, || self.noise(chip))?;
        match progress.phase {
            Phase::OutputOnly => self.give_up(),
            Phase::Calibrating => self.estimated(&vec![0.0; self.estimate.len()]),
            Phase::Growing | Phase::Training => Ok(()),
        }
    }

    /// A step that calibrates; behind the last the controls start from what the first ones were meant to be.
    fn calibrate<C: Propagator<Engine = M::Engine>>(
        &mut self,
        chip: &mut C,
        batch: &Batch<M::Engine>,
        progress: &mut Progress,
    ) -> Result<()> {
        let (power, mut estimate) = self.known(batch, true)?;
        let mut all = self.heard()?;
        let Some(calibration) = &mut self.calibration else { return Ok(()) };
        let heard = all.as_mut().map(|(receiver, heard)| (*receiver, &mut heard[1]));
        let mut listened = Listened { chip, engine: self.room.engine.clone(), heard };
        calibration.step(&mut listened, &self.probes, progress.calibrated, power, &mut estimate)?;
        all.map_or(Ok(()), |(_, heard)| self.keep_heard(heard))?;
        let Some(calibration) = &self.calibration else { return Ok(()) };
        progress.calibrated(&self.budget);
        if progress.phase == Phase::Growing {
            // first controls are drawn for the design: on a chip with phases of its own they would be anything
            let first = calibration.as_designed(&self.first, &estimate);
            self.controls = Parameters::new(&self.room.engine, self.optimizer, &first)?;
        }
        self.estimated(&estimate)
    }

    /// Goes on from another estimate.
    fn estimated(&mut self, estimate: &[f64]) -> Result<()> {
        self.estimate = Parameters::new(&self.room.engine, Optimizer::ADAM, estimate)?;
        Ok(())
    }

    /// Puts the estimate away, and begins again from the first controls.
    fn give_up(&mut self) -> Result<()> {
        self.estimated(&vec![0.0; self.estimate.len()])?;
        self.controls = Parameters::new(&self.room.engine, self.optimizer, &self.first)?;
        Ok(())
    }
}

/// The mean over the samples of the first `size` `signals [size, width]` of the sum of their squares.
fn mean_power(signals: &[f64], size: usize) -> f64 {
    signals.iter().map(|x| x * x).sum::<f64>() / size as f64
}

impl<M: Tunable, C: Propagator<Engine = M::Engine>> Method<C> for AdaptiveAsymmetric<M> {
    fn facts(&self) -> &'static MethodFacts {
        &FACTS
    }

    fn step(
        &mut self,
        chip: &mut C,
        batch: &Batch<C::Engine>,
        learning_rate: f64,
        tally: &mut Buffer<C>,
    ) -> Result<()> {
        let (size, targets) = (batch.size(), batch.targets());
        let mut progress = self.progress()?;
        let share = learning_rate / self.first_rate;
        let phase = progress.phase;
        let on_chip = match phase {
            Phase::Growing => {
                self.measure(chip, batch, &mut progress)?;
                false
            }
            Phase::Calibrating => {
                self.calibrate(chip, batch, &mut progress)?;
                false
            }
            Phase::Training | Phase::OutputOnly => {
                chip.program(&self.controls.values)?;
                chip.propagate(batch.signals(), size, &mut self.measured)?;
                true
            }
        };
        self.model.set_estimate(&self.estimate.values)?;
        self.model.program(&self.controls.values)?;
        self.model.record(batch.signals(), size, &mut self.room.trace, &mut self.room.readout)?;
        let fitting = phase == Phase::Training && self.model.unknowns() > 0;
        let misfit = if fitting { self.compare(self.misfit, size)? } else { 0.0 };
        let Room { engine, loss, trace, readout, error, gradient } = &mut self.room;
        let judged = if on_chip { &self.measured } else { &*readout };
        let lost = |tally: &Buffer<C>| -> Result<f64> { Ok(engine.download(tally)?.iter().step_by(3).sum()) };
        let so_far = if fitting { lost(tally)? } else { 0.0 };
        engine.loss(loss, judged, self.model.outputs(), targets, size, Some(error), tally)?;
        let lost = if fitting { lost(tally)? - so_far } else { 0.0 };
        self.model.backpropagate(trace, error, gradient)?;
        self.controls.descend(engine, self.pace.trusted(misfit) * learning_rate, gradient)?;
        if fitting {
            self.learn(FINAL_RATE * self.pace.rate * share)?;
            let (own, budget) = (lost / size as f64, self.budget);
            progress.trained(misfit, own, &budget, || self.dark(batch))?;
            if progress.phase == Phase::OutputOnly {
                self.give_up()?;
            }
        }
        self.keep(&progress)
    }

    fn controls(&self) -> &Buffer<C> {
        &self.controls.values
    }

    /// Where an engine has lost its memory, the next step says so.
    fn measuring(&self) -> bool {
        self.progress().is_ok_and(|progress| progress.measures())
    }

    fn notes(&self) -> Vec<String> {
        let Ok(progress) = self.progress() else { return Vec::new() };
        let heard = self.heard().ok().flatten().map(|(_, heard)| heard).unwrap_or_default();
        let range = heard[0].range();
        let doubts = heard.iter().zip(LIT).filter_map(|(own, what)| own.doubt(what, range));
        let standing = match progress.phase {
            Phase::OutputOnly => {
                let calibrating = self.budget.calibration.filter(|&steps| self.budget.is_short_of(steps)).map(|steps| {
                    format!(
                        "; its columns were not calibrated, which takes {steps} steps: the {} that may measure do not leave so many; \
                         pass more `epochs`, or `measuring-steps`",
                        self.budget.steps
                    )
                });
                vec![format!(
                    "at-adaptive did not find this chip: after {} measuring steps its model misses the readouts by \
                     {:.2} (0 is none, 1 is all of it); it went on as pat-output, from its first controls{}",
                    progress.spent,
                    progress.misfit,
                    calibrating.unwrap_or_default()
                )]
            }
            Phase::Growing | Phase::Calibrating => {
                vec!["at-adaptive was still measuring this chip when the run ended, and never trained on it".into()]
            }
            Phase::Training => Vec::new(),
        };
        standing.into_iter().chain(doubts).collect()
    }

    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)> {
        let light = self.calibration.iter().map(|own| ("light", &own.light));
        let kept = self.kept.iter().map(|kept| ("probes", &kept.readouts));
        let read = self.reading.iter().map(|own| ("read", &own.heard));
        let own = [("controls", &self.controls), (ESTIMATE, &self.estimate), (MEASURING, &self.measuring)];
        own.into_iter().chain(light).chain(kept).chain(read).collect()
    }

    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)> {
        let light = self.calibration.iter_mut().map(|own| ("light", &mut own.light));
        let kept = self.kept.iter_mut().map(|kept| ("probes", &mut kept.readouts));
        let read = self.reading.iter_mut().map(|own| ("read", &mut own.heard));
        let own = [("controls", &mut self.controls), (ESTIMATE, &mut self.estimate), (MEASURING, &mut self.measuring)];
        own.into_iter().chain(light).chain(kept).chain(read).collect()
    }
}
