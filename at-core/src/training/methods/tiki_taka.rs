//! Training with two arrays, for chips whose writing is noisy, coarse or wears cells out: a fast one gathers gradients, and from time to time
//! a slow one, which is the chip, takes of it.
//!
//! ```text
//! every step:         A ← (1−d)·A − η·direction(BP(e_p))                                             at the controls C
//! every n-th step:    C ← C + r·A                                                                         τ = 0
//!                     H ← H + r·A,  C ← C + τ·trunc(H/τ),  H ← H − τ·trunc(H/τ)                           τ > 0
//! ```
//!
//! A forgets by d per step, as the published fast array does by the asymmetry of its cells, and remembers about 1/d gradients: with
//! r = n·d the slow array moves by about η times the gradient per step. With a threshold τ, the granularity of a cell, only controls
//! whose H has passed it are written. A and H are the computer's, in its precision; published, A is an array of cells, part of whose light
//! may count (γ; here 0, as in the second version), and a transfer takes one column of it in turn, where here it takes all.
//!
//! Per step one pass and readouts of P values per sample; D control writes every n-th step, with a threshold as many as have passed it,
//! and none in between. With n = r = d = 1 and τ = 0 it is [`super::pat_output`].
//!
//! Source: Gokmen & Haensch, Front. Neurosci. 14, 103 (2020); H: Gokmen, Front. Artif. Intell. 4, 699148 (2021).

use super::pat_output::carried_back;
use super::{
    Dash, Ingredients, Marker, Method, MethodFacts, MethodName, MethodOption, Model, OptionRange, Reach, Room,
};
use crate::Result;
use crate::engine::{Engine, Optimizer};
use crate::propagator::{Adjoint, Buffer, Propagator, Simulator};
use crate::training::{Batch, Parameters};
use serde::{Deserialize, Serialize};

/// n.
pub const TRANSFER_EVERY: MethodOption = MethodOption {
    name: "transfer-every",
    help: "steps between two transfers from the fast array to the chip [default: 10]",
    range: OptionRange::AtLeastOne,
    read: |options| Some(options.transfer.every as f64),
    multiplies_passes: false,
};

/// r.
pub const TRANSFER_RATE: MethodOption = MethodOption {
    name: "transfer-rate",
    help: "how much of the fast array a transfer adds to the chip [default: 1]",
    range: OptionRange::Positive,
    read: |options| Some(options.transfer.rate),
    multiplies_passes: false,
};

/// d.
pub const FAST_DECAY: MethodOption = MethodOption {
    name: "fast-decay",
    help: "share of the fast array that is forgotten in every step [default: 0.1]",
    range: OptionRange::Share,
    read: |options| Some(options.transfer.decay),
    multiplies_passes: false,
};

/// τ.
pub const TRANSFER_THRESHOLD: MethodOption = MethodOption {
    name: "transfer-threshold",
    help: "grain in which transfers write, once so much is due; 0 writes all of everything [default: 0]",
    range: OptionRange::NotNegative,
    read: |options| Some(options.transfer.threshold),
    multiplies_passes: false,
};

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("tiki-taka"),
    title: "training with a fast and a slow array",
    uses: "its output",
    reach: Reach::Output,
    summary: "as pat-output, gathered by a fast array, of which the chip takes rare and large steps",
    manner: super::facts::OUTPUT_ONLY,
    colour: [180, 60, 225],
    dash: Dash::DashDotted,
    marker: Marker::Cross,
    model: Model::DataSheet,
    needs_classes: false,
    options: &[TRANSFER_EVERY, TRANSFER_RATE, FAST_DECAY, TRANSFER_THRESHOLD],
    passes: MethodFacts::one_pass,
    check: MethodFacts::any_network,
};

/// How the fast array goes into the slow one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Transfer {
    /// n, steps between two transfers.
    pub every: usize,
    /// r, what of the fast array a transfer takes.
    pub rate: f64,
    /// d, what the fast array forgets per step.
    pub decay: f64,
    /// τ, the grain of what is written; 0 for none.
    pub threshold: f64,
}

impl Default for Transfer {
    fn default() -> Self {
        Transfer { every: 10, rate: 1.0, decay: 0.1, threshold: 0.0 }
    }
}

/// The method from its parts.
pub fn build<E: Simulator, C: Propagator<Engine = E> + 'static>(
    from: &Ingredients<'_, E>,
) -> Result<Box<dyn Method<C>>> {
    let (settings, transfer, zeros) = (from.settings, from.options.transfer, vec![0.0; from.initial.len()]);
    let room = |optimizer| Parameters::new(from.engine, optimizer, &zeros);
    let model = from.nominal()?;
    let due = match transfer.threshold > 0.0 {
        true => Some(Due { waiting: room(Optimizer::Sgd)?, changed: room(Optimizer::Sgd)? }),
        false => None,
    };
    Ok(Box::new(TikiTaka {
        transfer,
        // no optimizer moves it
        slow: Parameters::new(from.engine, Optimizer::Sgd, from.initial)?,
        fast: room(settings.optimizer)?,
        due,
        room: Room::new(from.engine, &model, settings.loss, settings.batch_size)?,
        model,
    }))
}

/// The method with its model.
pub struct TikiTaka<M: Adjoint> {
    transfer: Transfer,
    /// C.
    slow: Parameters<M::Engine>,
    /// A.
    fast: Parameters<M::Engine>,
    /// With a threshold.
    due: Option<Due<M::Engine>>,
    model: M,
    room: Room<M>,
}

/// What waits to be written, and what was changed by the last transfer.
struct Due<E: Engine> {
    /// H.
    waiting: Parameters<E>,
    /// 1 for each control that the last transfer has changed, else 0.
    changed: Parameters<E>,
}

impl<E: Engine> Due<E> {
    /// Moves whole grains from the `fast` array to the `slow` one.
    fn transfer(&mut self, engine: &E, transfer: Transfer, fast: &E::Buffer, slow: &mut E::Buffer) -> Result<()> {
        let Transfer { rate, threshold, .. } = transfer;
        engine.combine(rate, fast, 1.0, &mut self.waiting.values)?;
        let mut waiting = engine.download(&self.waiting.values)?;
        let mut moved = vec![0.0; waiting.len()];
        let mut changed = vec![0.0; waiting.len()];
        for ((waiting, moved), changed) in waiting.iter_mut().zip(&mut moved).zip(&mut changed) {
            let grains = (*waiting / threshold).trunc();
            *moved = grains * threshold;
            *waiting -= *moved;
            *changed = f64::from(u8::from(grains != 0.0));
        }
        self.waiting.values = engine.upload(&waiting)?;
        self.changed.values = engine.upload(&changed)?;
        engine.combine(1.0, &engine.upload(&moved)?, 1.0, slow)
    }
}

impl<M: Adjoint> TikiTaka<M> {
    /// Writes what the last transfer has changed: everything before the first step, and nothing between transfers.
    fn write<C: Propagator<Engine = M::Engine>>(&self, chip: &mut C) -> Result<()> {
        let TikiTaka { transfer, slow, fast, due, room, .. } = self;
        let step = fast.memory.step;
        if step > 0 && !step.is_multiple_of(transfer.every as u64) {
            return chip.reprogram(&slow.values, &[]);
        }
        match due.as_ref().filter(|_| step > 0) {
            None => chip.program(&slow.values),
            Some(due) => {
                let changed = room.engine.download(&due.changed.values)?.into_iter().enumerate();
                let changed: Vec<usize> = changed.filter(|(_, mark)| *mark != 0.0).map(|(index, _)| index).collect();
                chip.reprogram(&slow.values, &changed)
            }
        }
    }
}

impl<M: Adjoint, C: Propagator<Engine = M::Engine>> Method<C> for TikiTaka<M> {
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
        self.write(chip)?;
        let TikiTaka { transfer, slow, fast, due, model, room } = self;
        carried_back(chip, model, &slow.values, batch, room, tally)?;
        let engine = &room.engine;
        engine.combine(0.0, &room.gradient, 1.0 - transfer.decay, &mut fast.values)?;
        fast.descend(engine, learning_rate, &room.gradient)?;
        if !fast.memory.step.is_multiple_of(transfer.every as u64) {
            return Ok(());
        }
        match due {
            None => engine.combine(transfer.rate, &fast.values, 1.0, &mut slow.values),
            Some(due) => due.transfer(engine, *transfer, &fast.values, &mut slow.values),
        }
    }

    fn controls(&self) -> &Buffer<C> {
        &self.slow.values
    }

    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)> {
        let due = self.due.iter().flat_map(|due| [("waiting", &due.waiting), ("changed", &due.changed)]);
        [("controls", &self.slow), ("fast", &self.fast)].into_iter().chain(due).collect()
    }

    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)> {
        let due = self.due.iter_mut().flat_map(|due| [("waiting", &mut due.waiting), ("changed", &mut due.changed)]);
        [("controls", &mut self.slow), ("fast", &mut self.fast)].into_iter().chain(due).collect()
    }
}
