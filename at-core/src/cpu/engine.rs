//! Flat vectors on the CPU.

use super::drift::advance;
use super::instruction_set::instruction_set;
use super::network::CpuNetwork;
use super::noise::disturb;
use super::product::{Matrix, product};
use crate::engine::{Columns, Engine, Factor, Loss, Optimizer, OptimizerState, Targets, groups, product_sizes};
use crate::error::same_size;
use crate::fabrication::Fabrication;
use crate::fabrication::drift::DriftStep;
use crate::fabrication::noise::{Draw, SignalNoise};
use crate::looped::Looped;
use crate::network::Network;
use crate::propagator::Simulator;
use crate::real::SERIAL;
use crate::{Error, Real, Result};
use rayon::prelude::*;
use std::marker::PhantomData;

/// Most pieces of a batch whose losses are taken side by side.
const LOSS_PIECES: usize = 32;

/// Samples below which a piece of a batch is not worth a second thread.
const SMALLEST_LOSS_PIECE: usize = 64;

/// The CPU with reals of type `T`: `f64` for truth, `f32` for speed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu<T>(PhantomData<T>);

impl<T: Real> Cpu<T> {
    /// The CPU; threads are those of rayon's global pool (`RAYON_NUM_THREADS`).
    pub fn new() -> Self {
        Cpu(PhantomData)
    }

    /// Runs `work` on one of the pool's threads. Operations that start there are not handed over first, which for small
    /// networks takes longer than the operation.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        rayon::scope(|_| work())
    }
}

/// Loss and second sum of sample number `index`, whose `error` is filled; the label where it is no class.
fn judged<T: Real>(
    loss: &Loss,
    targets: Targets<'_, Cpu<T>>,
    index: usize,
    readout: &[T],
    weight: T,
    error: &mut [T],
) -> std::result::Result<(T, T), usize> {
    match targets {
        Targets::Classes(labels) => {
            let label = labels[index] as usize;
            if label >= loss.classes {
                return Err(label);
            }
            let (value, best) = loss.sample(readout, label, weight, error);
            Ok((value, T::of(f64::from(u8::from(best == label)))))
        }
        Targets::Values(values) => {
            let own = &values[index * loss.classes..][..loss.classes];
            Ok(loss.sample_of_values(readout, own, weight, error))
        }
    }
}

fn no_class(loss: &Loss, label: usize) -> Error {
    Error::invalid("label", label, format!("there are {} classes, from 0", loss.classes))
}

/// [`Engine::loss`] of several groups, one sample after the other.
fn grouped_loss<T: Real>(
    loss: &Loss,
    readout: &[T],
    outputs: usize,
    targets: Targets<'_, Cpu<T>>,
    weight: T,
    error: &mut [T],
    tally: &mut [T],
) -> Result<()> {
    let groups = tally.len() / 3;
    let rows = readout.chunks_exact(outputs).zip(error.chunks_exact_mut(outputs));
    for (index, (readout, error)) in rows.enumerate() {
        let judged = judged(loss, targets, index, readout, weight, error);
        let (value, second) = judged.map_err(|label| no_class(loss, label))?;
        let own = &mut tally[3 * (index % groups)..][..3];
        own[0] += value;
        own[1] += second;
        own[2] += T::one();
    }
    Ok(())
}

impl<T: Real> Engine for Cpu<T> {
    type Buffer = Vec<T>;
    type Indices = Vec<u32>;

    fn describe(&self) -> String {
        format!("cpu {}, {} threads", T::NAME, rayon::current_num_threads())
    }

    fn arithmetic(&self) -> String {
        format!("cpu {}, {}", T::NAME, instruction_set())
    }

    fn zeros(&self, len: usize) -> Result<Vec<T>> {
        let mut buffer = Vec::new();
        buffer.try_reserve_exact(len).map_err(|_| Error::Device {
            device: "cpu".into(),
            reason: format!("no memory for {len} values of {} bytes", size_of::<T>()),
        })?;
        buffer.resize(len, T::zero());
        Ok(buffer)
    }

    fn upload<R: Real>(&self, values: &[R]) -> Result<Vec<T>> {
        let mut buffer = self.zeros(values.len())?;
        for (slot, value) in buffer.iter_mut().zip(values) {
            *slot = T::of(value.wide());
        }
        Ok(buffer)
    }

    fn download(&self, buffer: &Vec<T>) -> Result<Vec<f64>> {
        Ok(buffer.iter().map(|value| value.wide()).collect())
    }

    fn upload_indices(&self, values: &[u32]) -> Result<Vec<u32>> {
        Ok(values.to_vec())
    }

    fn combine(&self, a: f64, x: &Vec<T>, b: f64, y: &mut Vec<T>) -> Result<()> {
        same_size("vectors to combine", y.len(), x.len())?;
        let (a, b) = (T::of(a), T::of(b));
        let pairs = y.par_iter_mut().zip(x).with_min_len(SERIAL);
        pairs.for_each(|(y, &x)| *y = if b == T::zero() { a * x } else { a * x + b * *y });
        Ok(())
    }

    fn multiply(&self, x: &Vec<T>, y: &mut Vec<T>) -> Result<()> {
        same_size("vectors to multiply", y.len(), x.len())?;
        y.par_iter_mut().zip(x).with_min_len(SERIAL).for_each(|(y, &x)| *y *= x);
        Ok(())
    }

    fn product(&self, sizes: [usize; 3], a: Factor<Vec<T>>, b: Factor<Vec<T>>, target: &mut Vec<T>) -> Result<()> {
        let [rows, inner, columns] = product_sizes(sizes)?;
        for (what, values, needed) in
            [("first factor", a.values, rows * inner), ("second factor", b.values, inner * columns)]
        {
            check_range(what, values.len(), 0, needed)?;
        }
        check_range("room for a product", target.len(), 0, rows * columns)?;
        let lhs = Matrix { values: a.values, rows, columns: inner, stride: a.stride(rows, inner) };
        let rhs = Matrix { values: b.values, rows: inner, columns, stride: b.stride(inner, columns) };
        product(lhs, rhs, false, target);
        Ok(())
    }

    fn gather(
        &self,
        source: &Vec<T>,
        width: usize,
        order: &Vec<u32>,
        start: usize,
        count: usize,
        target: &mut Vec<T>,
    ) -> Result<()> {
        check_range("samples to gather", order.len(), start, count)?;
        check_range("room for gathered samples", target.len(), 0, count * width)?;
        let rows = target.par_chunks_exact_mut(width).zip(&order[start..start + count]).with_min_len(16);
        rows.try_for_each(|(row, &index)| {
            let from = index as usize * width;
            check_range("samples of the data set", source.len(), from, width)?;
            row.copy_from_slice(&source[from..from + width]);
            Ok(())
        })
    }

    fn gather_indices(
        &self,
        source: &Vec<u32>,
        order: &Vec<u32>,
        start: usize,
        count: usize,
        target: &mut Vec<u32>,
    ) -> Result<()> {
        check_range("labels to gather", order.len(), start, count)?;
        check_range("room for gathered labels", target.len(), 0, count)?;
        for (slot, &index) in target.iter_mut().zip(&order[start..start + count]) {
            check_range("labels of the data set", source.len(), index as usize, 1)?;
            *slot = source[index as usize];
        }
        Ok(())
    }

    fn copy_columns(
        &self,
        [rows, count]: [usize; 2],
        from: Columns,
        source: &Vec<T>,
        to: Columns,
        target: &mut Vec<T>,
    ) -> Result<()> {
        from.check("columns to copy", [rows, count], source.len())?;
        to.check("room for copied columns", [rows, count], target.len())?;
        let pairs = target.par_chunks_exact_mut(to.width).zip(source.par_chunks_exact(from.width));
        pairs.take(rows).with_min_len(16).for_each(|(target, source)| {
            target[to.first..to.first + count].copy_from_slice(&source[from.first..from.first + count]);
        });
        Ok(())
    }

    fn loss(
        &self,
        loss: &Loss,
        readout: &Vec<T>,
        outputs: usize,
        targets: Targets<'_, Self>,
        batch: usize,
        error: Option<&mut Vec<T>>,
        tally: &mut Vec<T>,
    ) -> Result<()> {
        match targets {
            Targets::Classes(labels) => check_range("labels of the batch", labels.len(), 0, batch)?,
            Targets::Values(values) => {
                loss.check_real()?;
                check_range("targets of the batch", values.len(), 0, batch * loss.classes)?;
            }
        }
        let groups = groups(tally.len(), batch)?;
        loss.check(outputs)?;
        check_range("readouts of the batch", readout.len(), 0, batch * outputs)?;
        let mut scratch;
        let error = match error {
            Some(error) => error,
            None => {
                scratch = vec![T::zero(); batch * outputs];
                &mut scratch
            }
        };
        check_range("room for errors", error.len(), 0, batch * outputs)?;
        let weight = T::of(loss.weight(batch));
        if groups > 1 {
            let readout = &readout[..batch * outputs];
            return grouped_loss(loss, readout, outputs, targets, weight, error, tally);
        }
        // Pieces depend on the batch alone, so that their sum does not depend on the number of threads.
        let mut pieces = [(0.0, 0.0, None); LOSS_PIECES];
        let piece = batch.div_ceil(LOSS_PIECES).max(SMALLEST_LOSS_PIECE);
        let samples = readout[..batch * outputs].par_chunks(piece * outputs);
        let samples = samples.zip(error[..batch * outputs].par_chunks_mut(piece * outputs)).enumerate();
        samples.zip(&mut pieces).for_each(|((number, (readouts, errors)), (total, second, absurd))| {
            let rows = readouts.chunks_exact(outputs).zip(errors.chunks_exact_mut(outputs));
            for (index, (readout, error)) in rows.enumerate() {
                match judged(loss, targets, number * piece + index, readout, weight, error) {
                    Ok((value, own)) => {
                        *total += value.wide();
                        *second += own.wide();
                    }
                    Err(label) => {
                        *absurd = Some(label);
                        return;
                    }
                }
            }
        });
        let (mut total, mut second) = (0.0, 0.0);
        for (value, own, absurd) in pieces {
            if let Some(label) = absurd {
                return Err(no_class(loss, label));
            }
            total += value;
            second += own;
        }
        for (slot, value) in tally.iter_mut().zip([total, second, batch as f64]) {
            *slot += T::of(value);
        }
        Ok(())
    }

    fn for_each<I: Send, R: Send>(&self, items: Vec<I>, work: impl Fn(I) -> R + Send + Sync) -> Vec<R> {
        items.into_par_iter().map(work).collect()
    }

    fn optimize(
        &self,
        optimizer: &Optimizer,
        learning_rate: f64,
        gradient: &Vec<T>,
        state: &mut OptimizerState<Self>,
        parameters: &mut Vec<T>,
    ) -> Result<()> {
        same_size("gradient", parameters.len(), gradient.len())?;
        same_size("optimizer moments", optimizer.moments(), state.moments.len())?;
        for moment in &state.moments {
            same_size("optimizer moment", parameters.len(), moment.len())?;
        }
        state.step += 1;
        optimizer.apply(learning_rate, state.step, gradient, &mut state.moments, parameters);
        Ok(())
    }
}

impl<T: Real> Simulator for Cpu<T> {
    type Network = Looped<CpuNetwork<T>>;

    fn build(&self, network: &Network, fabrication: &Fabrication) -> Result<Self::Network> {
        Looped::new(self, network, |plain| CpuNetwork::new(plain, fabrication))
    }

    fn advance(&self, step: &DriftStep, drift: &mut Vec<T>) -> Result<()> {
        advance(step, drift);
        Ok(())
    }

    fn disturb(&self, noise: &SignalNoise, draw: &Draw, batch: usize, signal: &mut Vec<T>) -> Result<()> {
        check_range("signals to disturb", signal.len(), 0, batch * noise.signal.width())?;
        disturb(noise, draw, batch, signal);
        Ok(())
    }
}

/// Errs unless `start..start+count` lies in `0..len`.
fn check_range(what: &str, len: usize, start: usize, count: usize) -> Result<()> {
    match start.checked_add(count) {
        Some(end) if end <= len => Ok(()),
        end => same_size(what, end.unwrap_or(usize::MAX), len),
    }
}
