//! A bank of balanced MZI cells.

use super::memory::Held;
use super::stage::{CpuStage, OnCpu};
use super::weights::{self, Response, WeightStage, one_by_one};
use crate::real::SERIAL;
use crate::stage::{StageErrors, WeightBank};
use crate::{Real, Result};
use rayon::prelude::*;

/// `w = (1 + a)·sin((1 + s)·φ + o)` per cell.
struct Cells<T> {
    /// `(a, s, o)` per cell; ideal where empty.
    errors: Vec<[f64; 3]>,
    /// The controls, where the errors are estimated; else empty.
    controls: Vec<T>,
}

impl OnCpu for WeightBank {
    fn on_cpu<T: Real>(&self, errors: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        let errors = errors.get(["amplitude", "slope", "offset"]).map_or(Vec::new(), |[amplitude, slope, offset]| {
            amplitude.iter().zip(slope).zip(offset).map(|((&a, &s), &o)| [a, s, o]).collect()
        });
        let (inputs, outputs) = (self.inputs, self.outputs);
        let slopes = vec![T::zero(); outputs * (inputs + 1)];
        Ok(Box::new(WeightStage::new(inputs, outputs, Cells { errors, controls: Vec::new() }, slopes)))
    }

    /// What all weights keep, and three errors of every cell, with its control where they are estimated.
    fn bytes(&self, held: &Held) -> usize {
        let own = 3 * size_of::<f64>() + if held.estimated { held.real } else { 0 };
        weights::bytes(self.inputs, self.outputs, held) + own * self.outputs * (self.inputs + 1)
    }
}

impl<T: Real> Response<T> for Cells<T> {
    fn program(&mut self, controls: &[T], weights: &mut [T], slopes: &mut [T]) {
        if !self.controls.is_empty() {
            self.controls.copy_from_slice(controls);
        }
        let errors = &self.errors;
        let values = weights.par_iter_mut().zip(slopes).zip(controls).enumerate();
        values.with_min_len(1024).for_each(|(index, ((weight, slope), control))| {
            let [amplitude, stretch, offset] = errors.get(index).copied().unwrap_or_default();
            let (sin, cos) = ((1.0 + stretch) * control.wide() + offset).sin_cos();
            *weight = T::of((1.0 + amplitude) * sin);
            *slope = T::of((1.0 + amplitude) * (1.0 + stretch) * cos);
        });
    }

    fn to_controls(&mut self, slopes: &[T], gradient: &mut [T]) {
        one_by_one(slopes, gradient);
    }

    fn set_imperfections(&mut self, estimate: &[T]) {
        let count = estimate.len() / 3;
        let [amplitude, slope, offset] = [0, 1, 2].map(|kind| &estimate[kind * count..][..count]);
        let values = amplitude.iter().zip(slope).zip(offset);
        self.errors.clear();
        self.errors.extend(values.map(|((a, s), o)| [a.wide(), s.wide(), o.wide()]));
        self.controls.resize(count, T::zero());
    }

    /// `[∂L/∂a.., ∂L/∂s.., ∂L/∂o..]`: with `ψ = (1 + s)·φ + o`, `∂w/∂a = sin ψ`, `∂w/∂o = (1 + a)·cos ψ` and `∂w/∂s = φ·∂w/∂o`.
    fn slope_of_imperfections(&mut self, weight_gradient: &[T], slopes: &mut [T]) {
        let count = self.errors.len();
        let (amplitude, rest) = slopes.split_at_mut(count);
        let (slope, offset) = rest.split_at_mut(count);
        let of_cell = |index: usize| {
            let [a, s, o] = self.errors[index];
            let (error, control) = (weight_gradient[index].wide(), self.controls[index].wide());
            let (sin, cos) = ((1.0 + s) * control + o).sin_cos();
            let turn = error * (1.0 + a) * cos;
            [error * sin, turn * control, turn].map(T::of)
        };
        let slots = amplitude.par_iter_mut().zip(slope).zip(offset).enumerate().with_min_len(SERIAL);
        slots.for_each(|(index, ((amplitude, slope), offset))| [*amplitude, *slope, *offset] = of_cell(index));
    }
}
