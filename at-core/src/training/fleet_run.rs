//! The training loop of chips that share one digital model.

use super::checkpoint::SavedParameters;
use super::evaluation::{Evaluation, Workspace, evaluate};
use super::journal::Journal;
use super::methods::fleet::Fleet;
use super::trainer::{arithmetic, losses, moved};
use super::{Batch, Checkpoint, Checkpoints, MethodName, Observer, Outcome, Record, Split, Trainer};
use crate::chip::{Meter, Physical};
use crate::engine::Engine;
use crate::error::same_size;
use crate::propagator::Adjoint;
use crate::{Error, Result};

impl<E: Engine> Trainer<'_, E> {
    /// Trains fresh `chips` with one fresh model, or goes on from `resume`. Otherwise [`Trainer::run`], with an outcome per chip,
    /// which counts the chip's own work and its share of the model's; the observer hears of every chip after every epoch.
    pub fn run_fleet<C: Physical<Engine = E>, M: Adjoint<Engine = E>>(
        &self,
        chips: &mut [C],
        fleet: &mut Fleet<M>,
        resume: Option<&Checkpoint>,
        checkpoints: Option<Checkpoints<'_>>,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Outcome>> {
        let epochs = self.settings.epochs;
        same_size("chips of the fleet", fleet.chips(), chips.len())?;
        for (index, chip) in chips.iter_mut().enumerate() {
            self.check(chip)?;
            chip.unmetered(|chip| chip.program(fleet.controls(index)))?;
        }
        let mut records = Vec::new();
        if let Some(checkpoint) = resume {
            self.resume_fleet(checkpoint, chips, fleet)?;
            records.clone_from(&checkpoint.records);
        }
        let arithmetic = arithmetic(self.engine, resume, records.len() < epochs * chips.len());
        let mut journal = checkpoints.map(|to| Journal::open(to.path, &records)).transpose()?;
        let capacity = self.settings.batch_size.min(self.train.samples());
        let mut batch = Batch::new(self.engine, self.train.width(), capacity)?;
        let mut workspace = Workspace::new(self.engine, &chips[0], capacity)?;
        let mut stopped = false;
        while records.len() < epochs * chips.len() && !stopped {
            let epoch = records.len() / chips.len();
            let new = self.fleet_epoch(epoch, chips, fleet, &mut batch, &mut workspace, observer)?;
            for record in &new {
                stopped |= observer.epoch(record).is_break();
            }
            stopped = self.engine.agree(stopped)?;
            records.extend(new);
            let done = epoch + 1;
            let due = |to: Checkpoints| stopped || done == epochs || done.is_multiple_of(to.every.max(1));
            // ranks put the state together, of which one keeps it
            if self.engine.agree(checkpoints.is_some_and(due))? {
                let mut state = self.fleet_state(chips, fleet)?;
                if let (Some(Checkpoints { fingerprint, network, .. }), Some(journal)) = (checkpoints, &mut journal) {
                    state.belongs_to(network, fingerprint);
                    (state.epoch, state.arithmetic) = (done, arithmetic.clone());
                    journal.keep(&state, &records)?;
                }
            }
        }
        let complete = records.len() == epochs * chips.len();
        let outcome = |(index, chip): (usize, &mut C)| {
            if complete {
                chip.program(fleet.controls(index))?;
            }
            let train = self.judge_member(chip, fleet, index, self.train, &mut workspace)?;
            let test = self.judge_member(chip, fleet, index, self.test, &mut workspace)?;
            let records = records.iter().filter(|record| record.chip == index).copied().collect();
            Ok(Outcome {
                records,
                train,
                test,
                accesses: fleet.accesses_of_one(chip.accesses()),
                complete,
                notes: moved(&arithmetic).into_iter().collect(),
            })
        };
        chips.iter_mut().enumerate().map(outcome).collect()
    }

    /// Epoch number `epoch` from 0: a record per chip.
    fn fleet_epoch<C: Physical<Engine = E>, M: Adjoint<Engine = E>>(
        &self,
        epoch: usize,
        chips: &mut [C],
        fleet: &mut Fleet<M>,
        batch: &mut Batch<E>,
        workspace: &mut Workspace<E>,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Record>> {
        let meters: Vec<Meter> = chips.iter().map(|chip| chip.meter().clone()).collect();
        fleet.begin_epoch(epoch);
        let mut tallies = chips.iter().map(|_| self.engine.zeros(3)).collect::<Result<Vec<_>>>()?;
        let learning_rate = self.batches(epoch, batch, observer, |batch, learning_rate, wanted| {
            fleet.step(chips, &meters, batch, learning_rate, &mut tallies)?;
            if wanted { losses(self.engine, &tallies) } else { Ok(Vec::new()) }
        })?;
        for (name, own) in fleet.parameters() {
            self.engine.require_same(&name, &own.values)?;
        }
        let record = |(index, (chip, tally)): (usize, (&mut C, &E::Buffer))| {
            let diverged = |reason| Error::Diverged { method: MethodName::At.to_string(), epoch: epoch + 1, reason };
            if let Some(reason) = chip.astray(fleet.controls(index))? {
                return Err(diverged(reason));
            }
            let train = Evaluation::from_tally(self.engine, tally, self.train.judge())?;
            let test = self.judge_member(chip, fleet, index, self.test, workspace)?;
            if !(train.loss.is_finite() && test.loss.is_finite()) {
                return Err(diverged("the loss is not finite".to_string()));
            }
            Ok(Record {
                method: MethodName::At,
                chip: index,
                epoch: epoch + 1,
                learning_rate,
                train_loss: train.loss,
                judged_by: test.judged_by,
                train_score: train.score,
                test_loss: test.loss,
                test_score: test.score,
                accesses: fleet.accesses_of_one(chip.accesses()),
                alignment: None,
                measuring: false,
            })
        };
        chips.iter_mut().zip(&tallies).enumerate().map(record).collect()
    }

    /// How chip number `index` does on `split` with its controls, unmetered.
    fn judge_member<C: Physical<Engine = E>, M: Adjoint<Engine = E>>(
        &self,
        chip: &mut C,
        fleet: &Fleet<M>,
        index: usize,
        split: &Split<E>,
        workspace: &mut Workspace<E>,
    ) -> Result<Evaluation> {
        chip.unmetered(|chip| {
            chip.program(fleet.controls(index))?;
            evaluate(chip, self.engine, split, &self.settings.loss, workspace)
        })
    }

    /// The state of all, without what they belong to.
    fn fleet_state<C: Physical<Engine = E>, M: Adjoint<Engine = E>>(
        &self,
        chips: &mut [C],
        fleet: &Fleet<M>,
    ) -> Result<Checkpoint> {
        let save = |(name, parameters)| SavedParameters::of(self.engine, name, parameters);
        Ok(Checkpoint {
            chip: chips[0].state()?,
            others: chips[1..].iter_mut().map(Physical::state).collect::<Result<_>>()?,
            shared: fleet.shared().read(),
            parameters: fleet.parameters().into_iter().map(save).collect::<Result<_>>()?,
            ..Checkpoint::of(MethodName::At, self.engine.ranks())
        })
    }

    fn resume_fleet<C: Physical<Engine = E>, M: Adjoint<Engine = E>>(
        &self,
        checkpoint: &Checkpoint,
        chips: &mut [C],
        fleet: &mut Fleet<M>,
    ) -> Result<()> {
        if checkpoint.method != MethodName::At || checkpoint.epoch > self.settings.epochs {
            let reason = "belongs to another method, or to a run with fewer epochs than it has";
            return Err(Error::invalid(
                "checkpoint",
                format!("{}, {} epochs", checkpoint.method, checkpoint.epoch),
                reason,
            ));
        }
        checkpoint.require_ranks(self.engine)?;
        same_size("chips of the checkpoint", chips.len(), 1 + checkpoint.others.len())?;
        checkpoint.restore_parameters(self.engine, fleet.parameters_mut())?;
        fleet.shared().count(|count| *count = checkpoint.shared);
        let states = std::iter::once(&checkpoint.chip).chain(&checkpoint.others);
        chips.iter_mut().zip(states).try_for_each(|(chip, state)| chip.resume(state))
    }
}
