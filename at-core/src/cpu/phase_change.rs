//! A crossbar of phase-change cells.

use super::memory::Held;
use super::stage::{CpuStage, OnCpu};
use super::weights::{self, Response, WeightStage, one_by_one};
use crate::real::SERIAL;
use crate::stage::{PhaseChange, StageErrors};
use crate::{Real, Result};
use rayon::prelude::*;

/// `w = (1 + p)·e` or `(1 + n)·e`, plus o, per pair.
struct Pairs<T> {
    /// `(p, n, o)` per pair; ideal where empty.
    errors: Vec<[f64; 3]>,
    /// The controls, where the errors are estimated; else empty.
    controls: Vec<T>,
}

impl OnCpu for PhaseChange {
    fn on_cpu<T: Real>(&self, errors: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        let errors =
            errors.get(["positive", "negative", "offset"]).map_or(Vec::new(), |[positive, negative, offset]| {
                positive.iter().zip(negative).zip(offset).map(|((&p, &n), &o)| [p, n, o]).collect()
            });
        let (inputs, outputs) = (self.inputs, self.outputs);
        let slopes = vec![T::zero(); outputs * (inputs + 1)];
        Ok(Box::new(WeightStage::new(inputs, outputs, Pairs { errors, controls: Vec::new() }, slopes)))
    }

    /// What all weights keep, and three errors of every pair, with its control where they are estimated.
    fn bytes(&self, held: &Held) -> usize {
        let own = 3 * size_of::<f64>() + if held.estimated { held.real } else { 0 };
        weights::bytes(self.inputs, self.outputs, held) + own * self.outputs * (self.inputs + 1)
    }
}

impl<T: Real> Response<T> for Pairs<T> {
    fn program(&mut self, controls: &[T], weights: &mut [T], slopes: &mut [T]) {
        if !self.controls.is_empty() {
            self.controls.copy_from_slice(controls);
        }
        let errors = &self.errors;
        let values = weights.par_iter_mut().zip(slopes).zip(controls).enumerate();
        values.with_min_len(SERIAL).for_each(|(index, ((weight, slope), control))| {
            let [positive, negative, offset] = errors.get(index).copied().unwrap_or_default();
            let told = control.wide();
            let contrast = 1.0 + if told < 0.0 { negative } else { positive };
            let within = (-1.0..=1.0).contains(&told);
            *weight = T::of(contrast * told.clamp(-1.0, 1.0) + offset);
            *slope = T::of(if within { contrast } else { 0.0 });
        });
    }

    fn to_controls(&mut self, slopes: &[T], gradient: &mut [T]) {
        one_by_one(slopes, gradient);
    }

    fn set_imperfections(&mut self, estimate: &[T]) {
        let count = estimate.len() / 3;
        let [positive, negative, offset] = [0, 1, 2].map(|kind| &estimate[kind * count..][..count]);
        let values = positive.iter().zip(negative).zip(offset);
        self.errors.clear();
        self.errors.extend(values.map(|((p, n), o)| [p.wide(), n.wide(), o.wide()]));
        self.controls.resize(count, T::zero());
    }

    /// `[∂L/∂p.., ∂L/∂n.., ∂L/∂o..]`: of p and n the one whose cell is told something.
    fn slope_of_imperfections(&mut self, weight_gradient: &[T], slopes: &mut [T]) {
        let count = self.errors.len();
        let (positive, rest) = slopes.split_at_mut(count);
        let (negative, offset) = rest.split_at_mut(count);
        for (index, (error, told)) in weight_gradient.iter().zip(&self.controls).enumerate() {
            let of_contrast = error.wide() * told.wide().clamp(-1.0, 1.0);
            positive[index] = T::of(if told.wide() > 0.0 { of_contrast } else { 0.0 });
            negative[index] = T::of(if told.wide() < 0.0 { of_contrast } else { 0.0 });
            offset[index] = *error;
        }
    }
}
