//! A rank: what it exchanges with the others, and how vectors move between places.

use super::place::Seen;
use super::{Collective, Place, RankedBuffer, RankedIndices, share};
use crate::engine::Engine;
use crate::error::same_size;
use crate::{Error, Result};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// An engine whose batches are shared among ranks; see [`crate::ranks`]. Everything in it is called by all ranks alike.
#[derive(Clone)]
pub struct Ranked<E> {
    pub(super) engine: E,
    pub(super) collective: Arc<dyn Collective>,
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

    pub(super) fn timed<R>(&self, values: usize, work: impl FnOnce(&dyn Collective) -> Result<R>) -> Result<R> {
        let began = Instant::now();
        let done = work(&*self.collective);
        self.count(|traffic| {
            traffic.operations += 1;
            traffic.values += values as u64;
            traffic.time += began.elapsed();
        });
        done
    }

    pub(super) fn fetched(&self, values: &E::Buffer) -> Result<Vec<f64>> {
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
    pub(super) fn entries(&self, buffer: &Own<E>) -> Result<Vec<f64>> {
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
    pub(super) fn at<'a>(&self, buffer: &'a Own<E>, place: Place) -> Result<Seen<'a, E::Buffer>> {
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

    /// From where on this rank takes its rows of `order[start..start + count]`, and how many.
    pub(super) fn places(
        &self,
        order: &RankedIndices<E::Indices>,
        start: usize,
        count: usize,
    ) -> Result<(usize, usize)> {
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
