//! A rank: what it exchanges with the others, and how vectors move between places.

use super::deal::Deal;
use super::place::Seen;
use super::{Collective, Place, RankedBuffer, RankedIndices, share};
use crate::engine::Engine;
use crate::error::same_size;
use crate::network::Network;
use crate::{Error, Real, Result};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// An engine whose batches, or whose tiles, are shared among ranks; see [`crate::ranks`]. Everything in it is called by all ranks alike.
#[derive(Clone)]
pub struct Ranked<E> {
    pub(super) engine: E,
    pub(super) collective: Arc<dyn Collective>,
    traffic: Arc<Mutex<Traffic>>,
    /// Where tiles are shared.
    pub(super) deal: Option<Arc<Deal>>,
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
    /// Time of those copies, where vectors are summed or gathered; what a device still has to do is waited for before.
    pub copies: Duration,
}

type Own<E> = RankedBuffer<<E as Engine>::Buffer>;

impl<E: Engine> Ranked<E> {
    /// This rank's part of `collective`, on its own `engine`: batches are shared.
    pub fn new(engine: E, collective: Arc<dyn Collective>) -> Self {
        Ranked { engine, collective, traffic: Arc::default(), deal: None }
    }

    /// The same where the dies of the tiled layers of `network` are shared, and every rank has all samples. Errs where no layer has as many
    /// tiles as there are ranks.
    pub fn by_tiles(engine: E, collective: Arc<dyn Collective>, network: &Network) -> Result<Self> {
        let deal = Deal::new(network, collective.rank(), collective.ranks())?;
        Ok(Ranked { deal: Some(Arc::new(deal)), ..Self::new(engine, collective) })
    }

    /// Of `network`, controls that this rank has, and those that it alone has; all and none where batches are shared.
    pub fn controls(&self, network: &Network) -> [usize; 2] {
        let rank = self.collective.rank();
        match self.deal.as_ref().filter(|deal| deal.whole == *network) {
            Some(deal) => [deal.controls.held(rank), deal.controls.dealt(rank)],
            None => [network.controls(), 0],
        }
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
        if self.deal.is_some() { 0..batch } else { share(batch, self.collective.rank(), self.collective.ranks()) }
    }

    /// How a batch of rows of so many entries lies.
    pub(super) fn batch(&self, batch: usize, width: usize) -> Place {
        if self.deal.is_some() { Place::Whole } else { Place::Rows { batch, width } }
    }

    /// Rows of the largest share in a batch.
    pub(super) fn most_rows(&self, batch: usize) -> usize {
        if self.deal.is_some() { batch } else { batch.div_ceil(self.collective.ranks()) }
    }

    /// This rank's deal of vectors of so many entries, where they may be controls: if they are none, no harm is done.
    pub(super) fn deal_of(&self, len: usize) -> Option<&Deal> {
        self.deal.as_deref().filter(|deal| deal.controls.len() == len)
    }

    /// The deal of controls that lie by tiles.
    fn dealt(&self) -> &Deal {
        self.deal.as_deref().expect("only where tiles are shared do vectors lie so")
    }

    /// Makes `buffer` one that lies at `place`, whatever it holds.
    pub(super) fn lay(&self, buffer: &mut Own<E>, place: Place) -> Result<()> {
        if (buffer.place == Place::Tiles) != (place == Place::Tiles) {
            let own = place == Place::Tiles;
            let len = if own { self.dealt().controls.held(self.collective.rank()) } else { buffer.len };
            buffer.values = self.engine.zeros(len)?;
        }
        buffer.place = place;
        Ok(())
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
        self.engine.finish()?;
        let began = Instant::now();
        let fetched = self.engine.download(values);
        self.count(|traffic| traffic.copies += began.elapsed());
        fetched
    }

    pub(super) fn put<R: Real>(&self, values: &[R]) -> Result<E::Buffer> {
        let began = Instant::now();
        let put = self.engine.upload(values);
        self.count(|traffic| traffic.copies += began.elapsed());
        put
    }

    /// `values ← Σ_rank values` of the entries `range`; the others stay as they are.
    pub(super) fn add_up(&self, values: &mut E::Buffer, range: Option<Range<usize>>) -> Result<()> {
        let mut sums = self.fetched(values)?;
        let range = range.unwrap_or(0..sums.len());
        self.timed(range.len(), |all| all.sum(&mut sums[range]))?;
        *values = self.put(&sums)?;
        Ok(())
    }

    /// The same of the entries with these `indices`.
    pub(super) fn add_up_entries(&self, values: &mut E::Buffer, indices: &[usize]) -> Result<()> {
        if indices.is_empty() {
            return Ok(());
        }
        let mut all_values = self.fetched(values)?;
        let mut sums: Vec<f64> = indices.iter().map(|&index| all_values[index]).collect();
        self.timed(sums.len(), |all| all.sum(&mut sums))?;
        indices.iter().zip(sums).for_each(|(&index, sum)| all_values[index] = sum);
        *values = self.put(&all_values)?;
        Ok(())
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
            Place::Tiles => {
                let (cut, rank) = (&self.dealt().controls, self.collective.rank());
                let counts: Vec<usize> = (0..cut.ranks()).map(|rank| cut.dealt(rank)).collect();
                let own = cut.split(rank, &values, true);
                let alone = self.timed(counts.iter().sum(), |all| all.gather(&own, &counts))?;
                values = cut.join(rank, &values, &alone);
            }
        }
        Ok(values)
    }

    /// `buffer` on every rank.
    pub(super) fn whole<'a>(&self, buffer: &'a Own<E>) -> Result<Seen<'a, E::Buffer>> {
        Ok(match buffer.place {
            Place::Whole => Seen::There(&buffer.values),
            Place::Rows { .. } | Place::Partial | Place::Tiles => Seen::Made(self.put(&self.entries(buffer)?)?),
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
        if self.deal.is_some() {
            return self.whole(buffer);
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
            Place::Rows { .. } | Place::Tiles => {
                let whole = self.whole(buffer)?;
                Ok(if self.collective.rank() == 0 { whole } else { Seen::Made(self.engine.zeros(buffer.len)?) })
            }
        }
    }

    /// The controls of this rank's dies in `buffer`.
    pub(super) fn tiles<'a>(&self, buffer: &'a Own<E>) -> Result<Seen<'a, E::Buffer>> {
        if buffer.place == Place::Tiles {
            return Ok(Seen::There(&buffer.values));
        }
        let cut = &self.dealt().controls;
        same_size("controls", cut.len(), buffer.len)?;
        Ok(Seen::Made(self.put(&cut.take(self.collective.rank(), &self.entries(buffer)?))?))
    }

    /// `buffer` as it would lie at `place`.
    pub(super) fn at<'a>(&self, buffer: &'a Own<E>, place: Place) -> Result<Seen<'a, E::Buffer>> {
        match place {
            Place::Whole => self.whole(buffer),
            Place::Rows { batch, width } => self.own_rows(buffer, batch, width),
            Place::Partial => self.part(buffer),
            Place::Tiles => self.tiles(buffer),
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
