//! The engine of a rank.

use super::place::Seen;
use super::{Collective, Place, RankedBuffer, RankedIndices, RankedNetwork, share};
use crate::engine::{Engine, Factor, Loss, Optimizer, OptimizerState, Reduction, Targets};
use crate::error::same_size;
use crate::fabrication::Fabrication;
use crate::fabrication::drift::DriftStep;
use crate::fabrication::noise::{Draw, SignalNoise};
use crate::network::Network;
use crate::propagator::Simulator;
use crate::{Error, Real, Result};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// An engine whose batches are shared among ranks; see [`crate::ranks`]. Everything in it is called by all ranks alike.
#[derive(Clone)]
pub struct Ranked<E> {
    engine: E,
    collective: Arc<dyn Collective>,
    traffic: Arc<Mutex<Traffic>>,
}

/// What a rank has exchanged with the others so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traffic {
    /// Operations.
    pub operations: u64,
    /// Values that were summed or gathered.
    pub values: u64,
    /// Time in them: waiting for other ranks included, copies to and from a device not.
    pub time: Duration,
    /// Time of those copies, where vectors are summed or gathered; a device first ends what it still has to do.
    pub copies: Duration,
}

type Own<E> = RankedBuffer<<E as Engine>::Buffer>;

impl<E: Engine> Ranked<E> {
    /// This rank's part of `collective`, on its own `engine`.
    pub fn new(engine: E, collective: Arc<dyn Collective>) -> Self {
        Ranked { engine, collective, traffic: Arc::default() }
    }

    /// This rank's own engine.
    pub fn engine(&self) -> &E {
        &self.engine
    }

    /// The group of ranks.
    pub fn collective(&self) -> &dyn Collective {
        &*self.collective
    }

    /// What was exchanged so far.
    pub fn traffic(&self) -> Traffic {
        *self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rows of this rank in a batch.
    pub(super) fn rows(&self, batch: usize) -> Range<usize> {
        share(batch, self.collective.rank(), self.collective.ranks())
    }

    /// Rows of the largest share in a batch.
    pub(super) fn most_rows(&self, batch: usize) -> usize {
        batch.div_ceil(self.collective.ranks())
    }

    fn count(&self, add: impl FnOnce(&mut Traffic)) {
        add(&mut self.traffic.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn timed<R>(&self, values: usize, work: impl FnOnce(&dyn Collective) -> Result<R>) -> Result<R> {
        let began = Instant::now();
        let done = work(&*self.collective);
        self.count(|traffic| {
            traffic.operations += 1;
            traffic.values += values as u64;
            traffic.time += began.elapsed();
        });
        done
    }

    fn fetched(&self, values: &E::Buffer) -> Result<Vec<f64>> {
        let began = Instant::now();
        let fetched = self.engine.download(values);
        self.count(|traffic| traffic.copies += began.elapsed());
        fetched
    }

    fn put(&self, values: &[f64]) -> Result<E::Buffer> {
        let began = Instant::now();
        let put = self.engine.upload(values);
        self.count(|traffic| traffic.copies += began.elapsed());
        put
    }

    /// The sum over all ranks of the entries `range` of `values`; the others stay as they are.
    pub(super) fn sum(&self, values: &E::Buffer, range: Option<Range<usize>>) -> Result<E::Buffer> {
        let mut sums = self.fetched(values)?;
        let range = range.unwrap_or(0..sums.len());
        self.timed(range.len(), |all| all.sum(&mut sums[range]))?;
        self.put(&sums)
    }

    /// The entries of `buffer` on all ranks, in memory.
    fn entries(&self, buffer: &Own<E>) -> Result<Vec<f64>> {
        let mut values = self.fetched(&buffer.values)?;
        match buffer.place {
            Place::Whole => {}
            Place::Partial => self.timed(values.len(), |all| all.sum(&mut values))?,
            Place::Rows { batch, width } => {
                let ranks = self.collective.ranks();
                let counts: Vec<usize> = (0..ranks).map(|rank| width * share(batch, rank, ranks).len()).collect();
                let own = &values[..counts[self.collective.rank()]];
                let mut all = self.timed(batch * width, |all| all.gather(own, &counts))?;
                all.resize(values.len(), 0.0);
                values = all;
            }
        }
        Ok(values)
    }

    /// `buffer` on every rank.
    pub(super) fn whole<'a>(&self, buffer: &'a Own<E>) -> Result<Seen<'a, E::Buffer>> {
        Ok(match buffer.place {
            Place::Whole => Seen::There(&buffer.values),
            Place::Rows { .. } | Place::Partial => Seen::Made(self.put(&self.entries(buffer)?)?),
        })
    }

    /// This rank's rows of a batch in `buffer`.
    pub(super) fn own_rows<'a>(&self, buffer: &'a Own<E>, batch: usize, width: usize) -> Result<Seen<'a, E::Buffer>> {
        if batch * width > buffer.len {
            same_size("values of a batch", batch * width, buffer.len)?;
        }
        if buffer.place == (Place::Rows { batch, width }) {
            return Ok(Seen::There(&buffer.values));
        }
        let rows = self.rows(batch);
        let mut own = self.engine.zeros(buffer.len)?;
        let all = self.whole(buffer)?;
        if !rows.is_empty() {
            let order: Vec<u32> = rows.clone().map(|row| row as u32).collect();
            self.engine.gather(&all, width, &self.engine.upload_indices(&order)?, 0, rows.len(), &mut own)?;
        }
        Ok(Seen::Made(own))
    }

    /// The part of this rank of a sum that is `buffer`.
    fn part<'a>(&self, buffer: &'a Own<E>) -> Result<Seen<'a, E::Buffer>> {
        match buffer.place {
            Place::Partial => Ok(Seen::There(&buffer.values)),
            Place::Whole if self.collective.rank() == 0 => Ok(Seen::There(&buffer.values)),
            Place::Whole => Ok(Seen::Made(self.engine.zeros(buffer.len)?)),
            Place::Rows { .. } => {
                let whole = self.whole(buffer)?;
                Ok(if self.collective.rank() == 0 { whole } else { Seen::Made(self.engine.zeros(buffer.len)?) })
            }
        }
    }

    /// `buffer` as it would lie at `place`.
    fn at<'a>(&self, buffer: &'a Own<E>, place: Place) -> Result<Seen<'a, E::Buffer>> {
        match place {
            Place::Whole => self.whole(buffer),
            Place::Rows { batch, width } => self.own_rows(buffer, batch, width),
            Place::Partial => self.part(buffer),
        }
    }

    /// Brings `buffer` to `place`.
    pub(super) fn bring(&self, buffer: &mut Own<E>, place: Place) -> Result<()> {
        let moved = match self.at(buffer, place)? {
            Seen::There(_) => None,
            Seen::Made(values) => Some(values),
        };
        if let Some(values) = moved {
            buffer.values = values;
        }
        buffer.place = place;
        Ok(())
    }
}

/// Where the sum of two vectors lies.
fn common(one: Place, other: Place) -> Place {
    match (one, other) {
        (Place::Whole, Place::Whole) => Place::Whole,
        (Place::Partial, Place::Partial | Place::Whole) | (Place::Whole, Place::Partial) => Place::Partial,
        (rows @ Place::Rows { .. }, Place::Whole) | (Place::Whole, rows @ Place::Rows { .. }) => rows,
        (rows @ Place::Rows { .. }, same @ Place::Rows { .. }) if rows == same => rows,
        (Place::Rows { .. }, Place::Rows { .. } | Place::Partial) | (Place::Partial, Place::Rows { .. }) => {
            Place::Whole
        }
    }
}

impl<E: Engine> Engine for Ranked<E> {
    type Buffer = RankedBuffer<E::Buffer>;
    type Indices = RankedIndices<E::Indices>;

    fn describe(&self) -> String {
        format!("{} on each of {} ranks", self.engine.describe(), self.collective.ranks())
    }

    fn arithmetic(&self) -> String {
        format!("{} on each of {} ranks", self.engine.arithmetic(), self.collective.ranks())
    }

    fn ranks(&self) -> usize {
        self.collective.ranks()
    }

    fn agree(&self, own: bool) -> Result<bool> {
        let mut decision = vec![u8::from(own)];
        self.timed(1, |all| all.broadcast(&mut decision))?;
        Ok(decision == [1])
    }

    fn require_same(&self, what: &str, buffer: &Self::Buffer) -> Result<()> {
        let bytes: Vec<u8> = self.fetched(&buffer.values)?.iter().flat_map(|value| value.to_le_bytes()).collect();
        let (own, ranks) = (f64::from(crc32fast::hash(&bytes)), self.collective.ranks());
        let all = self.timed(ranks, |all| all.gather(&[own], &vec![1; ranks]))?;
        match all.iter().position(|other| *other != all[0]) {
            None => Ok(()),
            Some(other) => {
                let reason = format!(
                    "{what} of rank {other} have other bits than those of rank 0; all ranks must run the same program on the same                      kind of device with the same files"
                );
                Err(Error::Device { device: "ranks".to_string(), reason })
            }
        }
    }

    fn zeros(&self, len: usize) -> Result<Self::Buffer> {
        Ok(RankedBuffer::whole(self.engine.zeros(len)?, len))
    }

    fn upload<R: Real>(&self, values: &[R]) -> Result<Self::Buffer> {
        Ok(RankedBuffer::whole(self.engine.upload(values)?, values.len()))
    }

    fn download(&self, buffer: &Self::Buffer) -> Result<Vec<f64>> {
        self.entries(buffer)
    }

    fn upload_indices(&self, values: &[u32]) -> Result<Self::Indices> {
        Ok(RankedIndices { values: self.engine.upload_indices(values)?, rows: None })
    }

    fn combine(&self, a: f64, x: &Self::Buffer, b: f64, y: &mut Self::Buffer) -> Result<()> {
        let place = if b == 0.0 { x.place } else { common(x.place, y.place) };
        if b != 0.0 {
            self.bring(y, place)?;
        }
        self.engine.combine(a, &*self.at(x, place)?, b, &mut y.values)?;
        y.place = place;
        Ok(())
    }

    fn multiply(&self, x: &Self::Buffer, y: &mut Self::Buffer) -> Result<()> {
        let place = match common(x.place, y.place) {
            Place::Partial => Place::Whole,
            place @ (Place::Whole | Place::Rows { .. }) => place,
        };
        self.bring(y, place)?;
        self.engine.multiply(&*self.at(x, place)?, &mut y.values)
    }

    fn product(
        &self,
        [rows, inner, columns]: [usize; 3],
        a: Factor<'_, Self::Buffer>,
        b: Factor<'_, Self::Buffer>,
        target: &mut Self::Buffer,
    ) -> Result<()> {
        let of = |batch, width| Place::Rows { batch, width };
        let by_sample = !a.transposed && a.values.place == of(rows, inner);
        if by_sample && !matches!(b.values.place, Place::Rows { .. }) {
            let b_whole = self.whole(b.values)?;
            let own = self.rows(rows).len();
            if own > 0 {
                let b = Factor { values: &*b_whole, transposed: b.transposed };
                self.engine.product([own, inner, columns], Factor::plain(&a.values.values), b, &mut target.values)?;
            }
            target.place = of(rows, columns);
            return Ok(());
        }
        let (a_whole, b_whole) = (self.whole(a.values)?, self.whole(b.values)?);
        let a = Factor { values: &*a_whole, transposed: a.transposed };
        let b = Factor { values: &*b_whole, transposed: b.transposed };
        self.engine.product([rows, inner, columns], a, b, &mut target.values)?;
        target.place = Place::Whole;
        Ok(())
    }

    fn gather(
        &self,
        source: &Self::Buffer,
        width: usize,
        order: &Self::Indices,
        start: usize,
        count: usize,
        target: &mut Self::Buffer,
    ) -> Result<()> {
        let source = self.whole(source)?;
        let (start, own) = self.places(order, start, count)?;
        if own > 0 {
            self.engine.gather(&source, width, &order.values, start, own, &mut target.values)?;
        }
        target.place = Place::Rows { batch: count, width };
        Ok(())
    }

    fn gather_indices(
        &self,
        source: &Self::Indices,
        order: &Self::Indices,
        start: usize,
        count: usize,
        target: &mut Self::Indices,
    ) -> Result<()> {
        if source.rows.is_some() {
            return Err(Error::invalid("indices", "of a batch", "are not gathered from: they lie on their ranks"));
        }
        let (start, own) = self.places(order, start, count)?;
        if own > 0 {
            self.engine.gather_indices(&source.values, &order.values, start, own, &mut target.values)?;
        }
        target.rows = Some(count);
        Ok(())
    }

    fn loss(
        &self,
        loss: &Loss,
        readout: &Self::Buffer,
        outputs: usize,
        targets: Targets<'_, Self>,
        batch: usize,
        error: Option<&mut Self::Buffer>,
        tally: &mut Self::Buffer,
    ) -> Result<()> {
        if tally.len != 3 {
            let what = "losses of several groups on ranks".to_string();
            return Err(Error::Unsupported { what, instead: "train one chip after the other".into() });
        }
        let reduction = match loss.reduction {
            Reduction::Mean => Reduction::MeanOf(batch),
            same @ (Reduction::Sum | Reduction::MeanOf(_)) => same,
        };
        let loss = &Loss { reduction, ..*loss };
        self.bring(tally, Place::Partial)?;
        let own = self.rows(batch).len();
        let readout = self.own_rows(readout, batch, outputs)?;
        let made;
        let targets = match targets {
            Targets::Classes(labels) if labels.rows == Some(batch) => Targets::Classes(&labels.values),
            Targets::Classes(_) => {
                let reason = format!("must be those of a batch of {batch}, taken by gather_indices");
                return Err(Error::invalid("labels", "of another batch", reason));
            }
            Targets::Values(values) => {
                made = self.own_rows(values, batch, loss.classes)?;
                Targets::Values(&*made)
            }
        };
        let (error, place) = match error {
            Some(error) => (Some(&mut error.values), Some(&mut error.place)),
            None => (None, None),
        };
        if own > 0 {
            self.engine.loss(loss, &readout, outputs, targets, own, error, &mut tally.values)?;
        }
        if let Some(place) = place {
            *place = Place::Rows { batch, width: outputs };
        }
        Ok(())
    }

    fn optimize(
        &self,
        optimizer: &Optimizer,
        learning_rate: f64,
        gradient: &Self::Buffer,
        state: &mut OptimizerState<Self>,
        parameters: &mut Self::Buffer,
    ) -> Result<()> {
        self.bring(parameters, Place::Whole)?;
        let gradient = self.whole(gradient)?;
        let lens: Vec<usize> = state.moments.iter().map(|moment| moment.len).collect();
        let moments = state.moments.drain(..).map(|moment| moment.values).collect();
        let mut own = OptimizerState { step: state.step, moments };
        let done = self.engine.optimize(optimizer, learning_rate, &gradient, &mut own, &mut parameters.values);
        state.step = own.step;
        state.moments =
            own.moments.into_iter().zip(lens).map(|(values, len)| RankedBuffer::whole(values, len)).collect();
        done
    }
}

impl<E: Engine> Ranked<E> {
    /// From where on this rank takes its rows of `order[start..start + count]`, and how many.
    fn places(&self, order: &RankedIndices<E::Indices>, start: usize, count: usize) -> Result<(usize, usize)> {
        let rows = self.rows(count);
        match order.rows {
            None => Ok((start + rows.start, rows.len())),
            Some(batch) if start == 0 && batch == count => Ok((0, rows.len())),
            Some(batch) => {
                let reason = format!("has the rows of a batch of {batch}, which is taken as a whole");
                Err(Error::invalid("order", format!("{start}..{}", start + count), reason))
            }
        }
    }
}

impl<E: Simulator> Simulator for Ranked<E> {
    type Network = RankedNetwork<E>;

    fn build(&self, network: &Network, fabrication: &Fabrication) -> Result<Self::Network> {
        RankedNetwork::new(self, network, fabrication)
    }

    fn advance(&self, step: &DriftStep, drift: &mut Self::Buffer) -> Result<()> {
        self.bring(drift, Place::Whole)?;
        self.engine.advance(step, &mut drift.values)
    }

    fn disturb(&self, noise: &SignalNoise, draw: &Draw, batch: usize, signal: &mut Self::Buffer) -> Result<()> {
        self.bring(signal, Place::Rows { batch, width: noise.signal.width() })?;
        let rows = self.rows(batch);
        if rows.is_empty() {
            return Ok(());
        }
        // a sample's noise is that of its number in the whole batch
        let draw = Draw { first: draw.first + rows.start as u32, ..*draw };
        self.engine.disturb(noise, &draw, rows.len(), &mut signal.values)
    }
}
