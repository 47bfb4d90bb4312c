//! The one way to train: chips are made here, methods are built here, and doubts about what came out are found here.

use super::misfit::{Learned, misfit};
use super::{Driver, Fingerprint, Task, doubts, split};
use crate::plan::Plan;
use anyhow::{Context, Result, ensure};
use at_core::chip::{AnyChip, Chip, Meter, Physical};
use at_core::data::{Chance, Dataset};
use at_core::fabrication::Fabrication;
use at_core::link::{Outside, Times};
use at_core::network::Network;
use at_core::propagator::{Propagator, Simulator};
use at_core::training::{
    Alignment, Checkpoint, Checkpoints, MethodName, Observer, Oracle, Outcome, Record, Split, Trainer, methods,
};
use std::path::Path;

/// A task on an engine, from which the trial of each of its methods begins.
pub struct Trials<'a, E: Simulator> {
    engine: &'a E,
    plan: &'a Plan,
    network: &'a Network,
    /// Of a chip from outside.
    driver: Option<&'a Driver>,
    train: Split<E>,
    test: Split<E>,
    fabrication: Fabrication,
    initial: Vec<f64>,
    fingerprint: Fingerprint,
    chance: Option<Chance>,
}

/// The place where a trial keeps its state after epochs, and what an earlier process has left there.
pub struct Kept<'a> {
    /// None on a rank that follows another one, which alone keeps anything.
    path: Option<&'a Path>,
    every: usize,
    earlier: Option<Checkpoint>,
    /// What makes one doubt that it may go on.
    pub doubt: Option<String>,
}

/// What a trial gave.
pub struct TrialResult {
    /// One per chip: several where they share a digital model, from the plan's chip seed on.
    pub outcomes: Vec<Outcome>,
    /// What makes one doubt the outcomes beside their own notes: they are at chance.
    pub doubts: Vec<String>,
    /// Where the time went at a chip from outside, since this process began with it.
    pub times: Option<Times>,
    /// How far the method's model lies from each of the chips ([`misfit`]); none where it has no model, and of a chip from outside, which is
    /// asked for nothing that the training does not need.
    pub misfits: Vec<Option<f64>>,
}

impl Kept<'_> {
    /// Nothing is kept here, and `earlier` is what rank 0 goes on from.
    #[cfg(feature = "mpi")]
    pub fn of_rank_0(earlier: Option<Checkpoint>) -> Self {
        Kept { path: None, every: 1, earlier, doubt: None }
    }

    /// The file of what an earlier process has left, with all its records; nothing where it has left nothing.
    pub fn file(&self) -> Result<Vec<u8>> {
        let Some(earlier) = &self.earlier else { return Ok(Vec::new()) };
        let folder = tempfile::tempdir().context("a checkpoint for other ranks")?;
        let path = folder.path().join("checkpoint.safetensors");
        earlier.save(&path)?;
        std::fs::read(&path).context("a checkpoint for other ranks")
    }

    /// The epochs that are done.
    pub fn records(&self) -> &[Record] {
        self.earlier.as_ref().map_or(&[], |checkpoint| &checkpoint.records)
    }
}

impl<'a, E: Simulator> Trials<'a, E> {
    /// Encodes the `data` of `task`, and fabricates its chip, unless a `driver` has it.
    pub fn new(engine: &'a E, task: &'a Task, data: &Dataset, driver: Option<&'a Driver>) -> Result<Self> {
        let Task { plan, network, contents, .. } = task;
        ensure!(
            plan.settings.has_outside_chip() == driver.is_some(),
            "a chip from outside is trained by asyt train, one method after the other, and here it is not reached"
        );
        let mut contents = contents.clone();
        if let Some(driver) = driver {
            contents.files.chip = Some(driver.identity());
        }
        Ok(Trials {
            engine,
            plan,
            network,
            driver,
            train: split(engine, plan, network, data, &data.train).context("training samples")?,
            test: split(engine, plan, network, data, &data.test).context("test samples")?,
            fabrication: plan.fabricate(network, first(plan))?,
            initial: plan.initial_controls(network)?,
            fingerprint: Fingerprint::new(plan, contents)?,
            chance: doubts::chance(data),
        })
    }

    /// Of all that the numbers depend on.
    pub fn fingerprint(&self) -> String {
        self.fingerprint.text()
    }

    /// What guessing reaches on the test samples; nothing where targets are real.
    pub fn chance(&self) -> Option<Chance> {
        self.chance
    }

    /// What the model of the chip lets through at the first controls: a line, and doubts.
    pub fn light(&self) -> (String, Vec<String>) {
        self.light_at(&self.initial)
    }

    fn light_at(&self, controls: &[f64]) -> (String, Vec<String>) {
        doubts::of_light(self.engine, self.plan, self.network, &self.fabrication, controls, &self.train)
    }

    /// The state of a trial at `path`, to be kept after `every` so many epochs. Errs where it is that of another one.
    pub fn open<'k>(&self, path: &'k Path, every: usize) -> Result<Kept<'k>> {
        let (earlier, doubt) = self.fingerprint.open(path)?;
        Ok(Kept { path: Some(path), every, earlier, doubt })
    }

    /// Trains with `method`, on from what is `kept`; `aligned` with an oracle that judges the first step of every epoch
    /// ([`Record::alignment`]), which changes nothing else.
    pub fn run(
        &self,
        method: MethodName,
        kept: Option<&Kept>,
        aligned: bool,
        observer: &mut dyn Observer,
    ) -> Result<TrialResult> {
        let Trials { engine, plan, network, ref fabrication, ref initial, .. } = *self;
        let fingerprint = &self.fingerprint.text()[..];
        let checkpoints =
            kept.and_then(|&Kept { path, every, .. }| Some(Checkpoints { path: path?, every, fingerprint, network }));
        let earlier = kept.and_then(|kept| kept.earlier.as_ref());
        let mut times = None;
        let (outcomes, misfits, trained) = if let Some(driver) = self.driver {
            let (chip, _parking) = driver.chip(engine, network)?;
            let mut chip = AnyChip::new(chip);
            let (outcome, trained, _) = self.train(&mut chip, method, false, earlier, checkpoints, observer)?;
            times = chip.kind::<Outside<E>>().map(Outside::times);
            (vec![outcome], vec![None], Some(trained))
        } else if method == MethodName::At && plan.fleet() > 1 {
            let seeds = first(plan)..first(plan) + plan.fleet() as u64;
            let mut chips =
                seeds.map(|seed| self.chip(&plan.fabricate(network, seed)?, seed)).collect::<Result<Vec<_>>>()?;
            let shared = Meter::default();
            let (training, options) = (&plan.training, &plan.options);
            let mut fleet = methods::build_fleet(engine, network, chips.len(), initial, training, options, &shared)?;
            let outcomes = self.trainer().run_fleet(&mut chips, &mut fleet, earlier, checkpoints, observer)?;
            let parameters = fleet.parameters();
            let model = parameters.iter().find(|(name, _)| name == "model").map(|(_, own)| &own.values);
            let learned = model.map(|controls| Learned::controls(engine, controls)).transpose()?;
            drop(fleet);
            let each = outcomes.iter().zip(&mut chips);
            let misfits = each.map(|(outcome, chip)| self.misfit(outcome, learned.as_ref(), chip));
            let misfits = misfits.collect::<Result<_>>()?;
            (outcomes, misfits, None)
        } else {
            let mut chip = AnyChip::new(self.chip(fabrication, first(plan))?);
            let (outcome, trained, misfit) = self.train(&mut chip, method, aligned, earlier, checkpoints, observer)?;
            (vec![outcome], vec![misfit], Some(trained))
        };
        let controls = trained.as_deref().unwrap_or(initial);
        let mut doubts = Vec::new();
        for outcome in outcomes.iter().filter(|outcome| outcome.complete) {
            let light = || self.light_at(controls).1;
            doubts.extend(doubts::of_chance(method, &outcome.test, self.chance.as_ref(), light));
        }
        doubts.extend(times.and_then(|times| doubts::of_range(method, &times)));
        Ok(TrialResult { outcomes, doubts, times, misfits })
    }

    fn trainer(&self) -> Trainer<'_, E> {
        Trainer { engine: self.engine, settings: &self.plan.training, train: &self.train, test: &self.test }
    }

    /// Trains one chip, of whatever kind. Gives the controls too, and the misfit of the model of a simulated one.
    fn train(
        &self,
        chip: &mut AnyChip<E>,
        method: MethodName,
        aligned: bool,
        earlier: Option<&Checkpoint>,
        checkpoints: Option<Checkpoints>,
        observer: &mut dyn Observer,
    ) -> Result<(Outcome, Vec<f64>, Option<f64>)> {
        let Trials { engine, plan, network, ref fabrication, ref initial, .. } = *self;
        let (training, options) = (&plan.training, &plan.options);
        let mut method =
            methods::build(method, engine, network, fabrication, initial, training, options, chip.meter())?;
        let trainer = self.trainer();
        let capacity = training.batch_size.min(trainer.train.samples());
        let oracle = || Alignment::new(engine, network, fabrication, training.loss, capacity);
        let mut oracle = aligned.then(oracle).transpose()?;
        let oracle = oracle.as_mut().map(|oracle| oracle as &mut dyn Oracle<E>);
        let outcome = trainer.run_aligned(chip, &mut *method, oracle, earlier, checkpoints, observer)?;
        let controls = engine.download(method.controls())?;
        let learned = Learned::of(engine, &*method)?;
        drop(method);
        let misfit = self.misfit(&outcome, learned.as_ref(), chip)?;
        Ok((outcome, controls, misfit))
    }

    /// Of the model that has `learned`, where it has and the training is over.
    fn misfit<C: Propagator<Engine = E>>(
        &self,
        outcome: &Outcome,
        learned: Option<&Learned<E>>,
        chip: &mut C,
    ) -> Result<Option<f64>> {
        match learned.filter(|_| outcome.complete && self.driver.is_none()) {
            Some(learned) => {
                let Plan { options, training, .. } = self.plan;
                Ok(misfit(self.engine, self.network, options, training, learned, chip, &self.test)?)
            }
            None => Ok(None),
        }
    }

    /// The chip of this `fabrication`, with all that the plan says of it besides.
    fn chip(&self, fabrication: &Fabrication, seed: u64) -> Result<Chip<E>> {
        Ok(Chip::new(self.engine, self.network, fabrication)?.with_tap_noise(self.plan.tap_noise(seed))?)
    }
}

/// The number of the chip, or of the first one where several share a digital model.
fn first(plan: &Plan) -> u64 {
    plan.settings.chip_seed.unwrap_or_default()
}
