//! The way of light through a loop: which layer comes next, and what enters there.

use crate::engine::{Columns, Engine};
use crate::network::{Network, Recurrence, Signal, Visit};
use crate::{Error, Result};

/// Visits, and memory for what is between them.
pub(super) struct Way<E: Engine> {
    pub(super) engine: E,
    pub(super) visits: Vec<Visit>,
    /// Steps of the loop.
    pub(super) steps: usize,
    /// Reals of a sample.
    pub(super) inputs: usize,
    /// Reals that leave every visit.
    pub(super) outputs: Vec<usize>,
    /// Reals that enter the looped layers, the part of the sample and the state among them.
    entered: usize,
    part: usize,
    state: usize,
    /// The widest signal between two visits.
    widest: usize,
    room: Option<Room<E>>,
    between: Option<[E::Buffer; 2]>,
    /// The error at what enters beside a state.
    error: Option<E::Buffer>,
    /// Samples that these have room for.
    samples: [usize; 2],
    /// The looped layers' part of a gradient at one step, a vector of all controls each, and of the imperfections.
    pub(super) sums: Vec<[Option<E::Buffer>; 2]>,
    /// Steps whose gradient every layer's part holds.
    pub(super) added: Vec<Vec<bool>>,
}

/// Memory for what enters beside a state.
struct Room<E: Engine> {
    samples: usize,
    /// The samples of which layer 0 was lit last, `[batch, inputs]`, and how many.
    fields: E::Buffer,
    held: usize,
    /// A part beside the state.
    joined: E::Buffer,
    /// Nothing, for a state that is dark.
    dark: E::Buffer,
}

impl<E: Engine> Way<E> {
    pub(super) fn new(engine: &E, network: &Network, recurrence: &Recurrence) -> Result<Self> {
        let visits = network.visits();
        let outputs: Vec<usize> = network.visited_outputs().map(|leaves| leaves.width()).collect();
        let input = network.input();
        let part = Signal { modes: recurrence.entering().unwrap_or(0), ..input }.width();
        let state = network.state(recurrence).width();
        let widest = outputs.iter().copied().max().unwrap_or(0).max(input.width());
        let layers = network.layers().len();
        Ok(Way {
            engine: engine.clone(),
            steps: recurrence.steps,
            inputs: input.width(),
            outputs,
            entered: part + state,
            part,
            state,
            widest,
            room: None,
            between: None,
            error: None,
            samples: [0; 2],
            sums: (0..layers).map(|_| [None, None]).collect(),
            added: vec![vec![false; recurrence.steps]; layers],
            visits,
        })
    }

    /// A visit; errs where there is none of this number.
    pub(super) fn visit(&self, number: usize) -> Result<Visit> {
        let none = || Error::invalid("layer", number, format!("the network crosses {} layers", self.visits.len()));
        self.visits.get(number).copied().ok_or_else(none)
    }

    /// Two buffers for signals of `batch` samples between visits.
    pub(super) fn take_between(&mut self, batch: usize) -> Result<[E::Buffer; 2]> {
        match self.between.take() {
            Some(between) if self.samples[0] >= batch => Ok(between),
            _ => {
                self.samples[0] = batch;
                let room = || self.engine.zeros(batch * self.widest);
                Ok([room()?, room()?])
            }
        }
    }

    /// Gives them back.
    pub(super) fn keep_between(&mut self, between: [E::Buffer; 2]) {
        self.between = Some(between);
    }

    /// What enters at visit `number`, of which the visit before left `input`; at the first the samples.
    pub(super) fn enter<'a>(&'a mut self, number: usize, input: &'a E::Buffer, batch: usize) -> Result<&'a E::Buffer> {
        let Visit { part: Some(part), again, .. } = self.visit(number)? else { return Ok(input) };
        let Way { inputs, entered, part: width, state, .. } = *self;
        if self.room.as_ref().is_none_or(|room| room.samples < batch) {
            if again {
                return Err(self.unlit(batch));
            }
            let zeros = |reals: usize| self.engine.zeros(batch * reals);
            let (fields, joined, dark) = (zeros(inputs)?, zeros(entered)?, zeros(state)?);
            self.room = Some(Room { samples: batch, fields, held: 0, joined, dark });
        }
        let unlit = self.unlit(batch);
        let Some(room) = &mut self.room else { return Err(unlit) };
        let at = |width, first| Columns { width, first };
        if again {
            if room.held != batch {
                return Err(unlit);
            }
            let leaves = self.outputs[number - 1];
            let from = at(leaves, leaves - state);
            self.engine.copy_columns([batch, state], from, input, at(entered, width), &mut room.joined)?;
        } else {
            self.engine.copy_columns([batch, inputs], at(inputs, 0), input, at(inputs, 0), &mut room.fields)?;
            room.held = batch;
            self.engine.copy_columns([batch, state], at(state, 0), &room.dark, at(entered, width), &mut room.joined)?;
        }
        let from = at(inputs, part * width);
        self.engine.copy_columns([batch, width], from, &room.fields, at(entered, 0), &mut room.joined)?;
        Ok(&room.joined)
    }

    fn unlit(&self, batch: usize) -> Error {
        let reason = format!("parts of a sample enter on the way: light layer 0 with the {batch} samples first");
        Error::invalid("batch", batch, reason)
    }

    /// Room for the error at what enters visit `number`, where it is another than that at what the visit before left.
    pub(super) fn take_error(&mut self, number: usize, batch: usize) -> Result<Option<E::Buffer>> {
        if self.visits[number].part.is_none() {
            return Ok(None);
        }
        match self.error.take() {
            Some(error) if self.samples[1] >= batch => Ok(Some(error)),
            _ => {
                self.samples[1] = batch;
                self.engine.zeros(batch * self.entered).map(Some)
            }
        }
    }

    /// Gives it back.
    pub(super) fn keep_error(&mut self, error: E::Buffer) {
        self.error = Some(error);
    }

    /// From the error `[batch, …]` at what entered visit `number` to that at what the visit before left; at the first at the samples.
    pub(super) fn leave(&self, number: usize, batch: usize, entered: &E::Buffer, error: &mut E::Buffer) -> Result<()> {
        let at = |width, first| Columns { width, first };
        let Visit { part: Some(part), again, .. } = self.visits[number] else { return Ok(()) };
        let width = if number == 0 { self.inputs } else { self.outputs[number - 1] };
        let (from, to, count) = match again {
            true => (at(self.entered, self.part), width - self.state, self.state),
            false => (at(self.entered, 0), part * self.part, self.part),
        };
        if count < width {
            let dark = self.engine.zeros(batch * width)?;
            self.engine.copy_columns([batch, width], at(width, 0), &dark, at(width, 0), error)?;
        }
        self.engine.copy_columns([batch, count], from, entered, at(width, to), error)
    }
}
