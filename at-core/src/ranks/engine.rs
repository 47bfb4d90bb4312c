//! What an engine does, on ranks.

use super::{Place, Ranked, RankedBuffer, RankedIndices, RankedNetwork};
use crate::engine::{Columns, Engine, Factor, Loss, Optimizer, OptimizerState, Reduction, Targets};
use crate::fabrication::Fabrication;
use crate::fabrication::drift::DriftStep;
use crate::fabrication::noise::{Draw, SignalNoise};
use crate::looped::Looped;
use crate::network::Network;
use crate::propagator::Simulator;
use crate::{Error, Real, Result};

/// Where the sum of two vectors lies.
fn common(one: Place, other: Place) -> Place {
    match (one, other) {
        (Place::Whole, Place::Whole) => Place::Whole,
        (Place::Partial, Place::Partial | Place::Whole) | (Place::Whole, Place::Partial) => Place::Partial,
        (rows @ Place::Rows { .. }, Place::Whole) | (Place::Whole, rows @ Place::Rows { .. }) => rows,
        (rows @ Place::Rows { .. }, same @ Place::Rows { .. }) if rows == same => rows,
        (Place::Tiles, Place::Tiles | Place::Whole) | (Place::Whole, Place::Tiles) => Place::Tiles,
        (Place::Rows { .. }, Place::Rows { .. } | Place::Partial) | (Place::Partial, Place::Rows { .. }) => {
            Place::Whole
        }
        (Place::Tiles, Place::Rows { .. } | Place::Partial) | (Place::Rows { .. } | Place::Partial, Place::Tiles) => {
            Place::Whole
        }
    }
}

impl<E: Engine> Engine for Ranked<E> {
    type Buffer = RankedBuffer<E::Buffer>;
    type Indices = RankedIndices<E::Indices>;

    fn describe(&self) -> String {
        let by = if self.deal.is_some() { ", by tiles" } else { "" };
        format!("{} on each of {} ranks{by}", self.engine.describe(), self.collective.ranks())
    }

    fn arithmetic(&self) -> String {
        let by = if self.deal.is_some() { ", by tiles" } else { "" };
        format!("{} on each of {} ranks{by}", self.engine.arithmetic(), self.collective.ranks())
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
        let mut values = self.fetched(&buffer.values)?;
        if let (Place::Tiles, Some(deal)) = (buffer.place, &self.deal) {
            values = deal.controls.split(self.collective.rank(), &values, false);
        }
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
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

    fn finish(&self) -> Result<()> {
        self.engine.finish()
    }

    fn zeros(&self, len: usize) -> Result<Self::Buffer> {
        if let Some(deal) = self.deal_of(len) {
            let values = self.engine.zeros(deal.controls.held(self.collective.rank()))?;
            return Ok(RankedBuffer { values, len, place: Place::Tiles });
        }
        Ok(RankedBuffer::whole(self.engine.zeros(len)?, len))
    }

    fn upload<R: Real>(&self, values: &[R]) -> Result<Self::Buffer> {
        if let Some(deal) = self.deal_of(values.len()) {
            let own = self.engine.upload(&deal.controls.take(self.collective.rank(), values))?;
            return Ok(RankedBuffer { values: own, len: values.len(), place: Place::Tiles });
        }
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
        if b == 0.0 {
            self.lay(y, place)?;
        } else {
            self.bring(y, place)?;
        }
        self.engine.combine(a, &*self.at(x, place)?, b, &mut y.values)
    }

    fn multiply(&self, x: &Self::Buffer, y: &mut Self::Buffer) -> Result<()> {
        let place = match common(x.place, y.place) {
            Place::Partial => Place::Whole,
            place @ (Place::Whole | Place::Rows { .. } | Place::Tiles) => place,
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
            self.lay(target, of(rows, columns))?;
            if own > 0 {
                let b = Factor { values: &*b_whole, transposed: b.transposed };
                self.engine.product([own, inner, columns], Factor::plain(&a.values.values), b, &mut target.values)?;
            }
            return Ok(());
        }
        let (a_whole, b_whole) = (self.whole(a.values)?, self.whole(b.values)?);
        let a = Factor { values: &*a_whole, transposed: a.transposed };
        let b = Factor { values: &*b_whole, transposed: b.transposed };
        self.lay(target, Place::Whole)?;
        self.engine.product([rows, inner, columns], a, b, &mut target.values)
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
        self.lay(target, self.batch(count, width))?;
        if own > 0 {
            self.engine.gather(&source, width, &order.values, start, own, &mut target.values)?;
        }
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

    fn copy_columns(
        &self,
        [rows, count]: [usize; 2],
        from: Columns,
        source: &Self::Buffer,
        to: Columns,
        target: &mut Self::Buffer,
    ) -> Result<()> {
        self.bring(target, self.batch(rows, to.width))?;
        let own = self.rows(rows).len();
        if own > 0 {
            let source = self.own_rows(source, rows, from.width)?;
            self.engine.copy_columns([own, count], from, &source, to, &mut target.values)?;
        }
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
        self.bring(tally, if self.deal.is_some() { Place::Whole } else { Place::Partial })?;
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
        let error = match error {
            Some(error) => {
                self.lay(error, self.batch(batch, outputs))?;
                Some(&mut error.values)
            }
            None => None,
        };
        if own > 0 {
            self.engine.loss(loss, &readout, outputs, targets, own, error, &mut tally.values)?;
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
        let tiles = [parameters.place, gradient.place].contains(&Place::Tiles);
        let place = if tiles { Place::Tiles } else { Place::Whole };
        self.bring(parameters, place)?;
        let gradient = self.at(gradient, place)?;
        state.moments.iter_mut().try_for_each(|moment| self.bring(moment, place))?;
        let lens: Vec<usize> = state.moments.iter().map(|moment| moment.len).collect();
        let moments = state.moments.drain(..).map(|moment| moment.values).collect();
        let mut own = OptimizerState { step: state.step, moments };
        let done = self.engine.optimize(optimizer, learning_rate, &gradient, &mut own, &mut parameters.values);
        state.step = own.step;
        state.moments =
            own.moments.into_iter().zip(lens).map(|(values, len)| RankedBuffer { values, len, place }).collect();
        done
    }
}

impl<E: Simulator> Simulator for Ranked<E> {
    type Network = Looped<RankedNetwork<E>>;

    fn build(&self, network: &Network, fabrication: &Fabrication) -> Result<Self::Network> {
        Looped::new(self, network, |plain| RankedNetwork::new(self, plain, fabrication))
    }

    fn advance(&self, step: &DriftStep, drift: &mut Self::Buffer) -> Result<()> {
        self.bring(drift, Place::Whole)?;
        self.engine.advance(step, &mut drift.values)
    }

    fn disturb(&self, noise: &SignalNoise, draw: &Draw, batch: usize, signal: &mut Self::Buffer) -> Result<()> {
        self.bring(signal, self.batch(batch, noise.signal.width()))?;
        let rows = self.rows(batch);
        if rows.is_empty() {
            return Ok(());
        }
        // a sample's noise is that of its number in the whole batch
        let draw = Draw { first: draw.first + rows.start as u32, ..*draw };
        self.engine.disturb(noise, &draw, rows.len(), &mut signal.values)
    }
}
