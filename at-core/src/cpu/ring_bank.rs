//! A bank of microrings.

use super::memory::Held;
use super::stage::{CpuStage, OnCpu};
use super::weights::{Response, WeightStage};
use crate::stage::{RingBank, StageErrors};
use crate::{Real, Result};
use rayon::prelude::*;
use std::f64::consts::PI;

/// Rings whose weights one thread makes at least: each meets all channels of its bus.
const SERIAL_RINGS: usize = 256;

/// The balance of every channel behind the rings of its bus.
struct Rings {
    bank: RingBank,
    /// Errors of every ring.
    errors: Vec<RingErrors>,
    /// Cosine and sine of `πn/C`: half the phase between channels n apart.
    steps: Vec<[f64; 2]>,
    /// Cosine and sine of half the phase `φ + o` of every ring.
    turns: Vec<[f64; 2]>,
    /// `[output][input, the bias last]`.
    room: Vec<Along>,
}

/// A ring as one channel meets it, and what is summed over the channels of its bus.
#[derive(Clone, Copy, Default)]
struct Along {
    /// L, and dL/dφ.
    share: f64,
    slope: f64,
    /// Power that arrives.
    power: f64,
    /// `∂L/∂φ` and `∂L/∂s`.
    of_phase: f64,
    of_linewidth: f64,
}

#[derive(Clone, Copy)]
struct RingErrors {
    offset: f64,
    /// u².
    width: f64,
    /// What multiplies L of what goes through and of what is dropped.
    taken: f64,
    dropped: f64,
}

impl OnCpu for RingBank {
    fn on_cpu<T: Real>(&self, errors: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        let RingBank { inputs, outputs, channels, .. } = *self;
        let count = outputs * (inputs + 1);
        let own = errors.get(["offset", "linewidth", "leak", "loss_db"]);
        let ring = |k: usize| {
            let [offset, linewidth, leak, loss] = own.map_or([0.0; 4], |own| own.map(|vector| vector[k]));
            let taken = 1.0 - leak;
            let dropped = taken * 10_f64.powf(-0.1 * loss);
            RingErrors { offset, width: width(self, linewidth), taken, dropped }
        };
        let step = |n: usize| {
            let (sin, cos) = (PI * n as f64 / channels as f64).sin_cos();
            [cos, sin]
        };
        let response = Rings {
            bank: *self,
            errors: (0..count).map(ring).collect(),
            steps: (0..channels.min(inputs + 1)).map(step).collect(),
            turns: vec![[1.0, 0.0]; count],
            room: Vec::new(),
        };
        Ok(Box::new(WeightStage::new(inputs, outputs, response, Vec::new())))
    }

    /// The transposed matrix; of every ring its numbers, its turn and the room of its way back, in double precision.
    fn bytes(&self, held: &Held) -> usize {
        held.real * 23 * self.outputs * (self.inputs + 1)
    }
}

/// u² of a ring.
fn width(bank: &RingBank, linewidth: f64) -> f64 {
    (bank.half_width() * linewidth.exp()).powi(2)
}

impl Rings {
    /// Half the phase that ring number `place` of a bus has for `channel`: its cosine and sine.
    fn meets(&self, ring: usize, place: usize, channel: usize) -> [f64; 2] {
        let [cos, sin] = self.turns[ring];
        let [c, s] = self.steps[channel.abs_diff(place)];
        match channel > place {
            true => [cos * c + sin * s, sin * c - cos * s],
            false => [cos * c - sin * s, sin * c + cos * s],
        }
    }

    /// What is dropped of a channel less what is left.
    fn balance(&self, output: usize, first: usize, count: usize, channel: usize) -> f64 {
        let (mut power, mut dropped) = (1.0, 0.0);
        for place in 0..count {
            let ring = self.bank.ring(output, first + place);
            let own = self.errors[ring];
            let [_, sin] = self.meets(ring, place, channel);
            let share = own.width / (own.width + sin * sin);
            dropped += power * own.dropped * share;
            power *= 1.0 - own.taken * share;
        }
        dropped - power
    }

    /// Of one output, whose rings and then bias are `slots`: the sums of [`Along`] over the channels of every bus, from `∂L/∂w`.
    fn sum<T: Real>(&self, of_weights: &[T], output: usize, slots: &mut [Along]) {
        slots.fill(Along::default());
        for bus in self.bank.buses() {
            let slots = &mut slots[bus.clone()];
            for channel in 0..slots.len() {
                let error = of_weights[self.bank.ring(output, bus.start + channel)].wide();
                let mut power = 1.0;
                for (place, slot) in slots.iter_mut().enumerate() {
                    let ring = self.bank.ring(output, bus.start + place);
                    let own = self.errors[ring];
                    let [cos, sin] = self.meets(ring, place, channel);
                    slot.share = own.width / (own.width + sin * sin);
                    slot.slope = -slot.share * slot.share * sin * cos / own.width;
                    slot.power = power;
                    power *= 1.0 - own.taken * slot.share;
                }
                // what the detectors make of power that leaves a ring
                let mut behind = -1.0;
                for (place, slot) in slots.iter_mut().enumerate().rev() {
                    let own = self.errors[self.bank.ring(output, bus.start + place)];
                    let change = error * slot.power * (own.dropped - own.taken * behind);
                    slot.of_phase += change * slot.slope;
                    slot.of_linewidth += change * 2.0 * slot.share * (1.0 - slot.share);
                    behind = own.dropped * slot.share + (1.0 - own.taken * slot.share) * behind;
                }
            }
        }
    }

    /// [`Rings::sum`] of all outputs, into `self.room`.
    fn sum_all<T: Real>(&mut self, of_weights: &[T]) {
        let row = self.bank.inputs + 1;
        let mut room = std::mem::take(&mut self.room);
        room.resize(self.bank.outputs * row, Along::default());
        let rows = room.par_chunks_exact_mut(row).enumerate().with_min_len(SERIAL_RINGS.div_ceil(row));
        rows.for_each(|(output, slots)| self.sum(of_weights, output, slots));
        self.room = room;
    }

    /// The control that the entry `index` of `self.room` belongs to.
    fn ring(&self, index: usize) -> usize {
        let row = self.bank.inputs + 1;
        self.bank.ring(index / row, index % row)
    }
}

impl<T: Real> Response<T> for Rings {
    fn program(&mut self, controls: &[T], weights: &mut [T], _: &mut [T]) {
        let turns = self.turns.par_iter_mut().zip(&self.errors).zip(controls).with_min_len(SERIAL_RINGS);
        turns.for_each(|((turn, own), control)| {
            let (sin, cos) = (0.5 * (control.wide() + own.offset)).sin_cos();
            *turn = [cos, sin];
        });
        let RingBank { inputs, outputs, .. } = self.bank;
        let (weights, biases) = weights.split_at_mut(inputs * outputs);
        let rows = weights.par_chunks_exact_mut(inputs).zip(biases).enumerate();
        rows.with_min_len(SERIAL_RINGS.div_ceil(inputs)).for_each(|(output, (row, bias))| {
            for bus in self.bank.buses() {
                for (channel, input) in bus.clone().enumerate() {
                    let slot = row.get_mut(input).unwrap_or(&mut *bias);
                    *slot = T::of(self.balance(output, bus.start, bus.len(), channel));
                }
            }
        });
    }

    /// Every control moves the weights of all channels of its bus.
    fn to_controls(&mut self, _: &[T], gradient: &mut [T]) {
        self.sum_all(gradient);
        for (index, slot) in self.room.iter().enumerate() {
            gradient[self.ring(index)] = T::of(slot.of_phase);
        }
    }

    /// `[o in half linewidths.., s..]`.
    fn set_imperfections(&mut self, estimate: &[T]) {
        let (offsets, linewidths) = estimate.split_at(self.errors.len());
        for ((own, offset), linewidth) in self.errors.iter_mut().zip(offsets).zip(linewidths) {
            own.offset = offset.wide() * self.bank.half_linewidth();
            own.width = width(&self.bank, linewidth.wide());
        }
    }

    fn slope_of_imperfections(&mut self, weight_gradient: &[T], slopes: &mut [T]) {
        self.sum_all(weight_gradient);
        let (offsets, linewidths) = slopes.split_at_mut(self.errors.len());
        for (index, slot) in self.room.iter().enumerate() {
            let ring = self.ring(index);
            offsets[ring] = T::of(slot.of_phase * self.bank.half_linewidth());
            linewidths[ring] = T::of(slot.of_linewidth);
        }
    }
}
