//! A real matrix and bias whose entries are the controls.

use super::memory::Held;
use super::stage::{CpuStage, OnCpu};
use super::weights::{self, Response, WeightStage, one_by_one};
use crate::real::SERIAL;
use crate::stage::{Matrix, StageErrors};
use crate::{Real, Result};
use rayon::prelude::*;

/// `w = s·c` with the stage's slopes; `w = c` where it has none.
struct Linear;

impl OnCpu for Matrix {
    fn on_cpu<T: Real>(&self, errors: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        let spread = errors.get(["spread"]).map_or(&[][..], |[spread]| spread);
        let slopes = spread.iter().map(|spread| T::of(1.0 + spread)).collect();
        Ok(Box::new(WeightStage::new(self.inputs, self.outputs, Linear, slopes)))
    }

    fn bytes(&self, held: &Held) -> usize {
        weights::bytes(self.inputs, self.outputs, held)
    }
}

impl<T: Real> Response<T> for Linear {
    fn program(&mut self, controls: &[T], weights: &mut [T], slopes: &mut [T]) {
        if slopes.is_empty() {
            return weights.copy_from_slice(controls);
        }
        let products = weights.par_iter_mut().zip(slopes).zip(controls);
        products.with_min_len(SERIAL).for_each(|((weight, slope), &control)| *weight = *slope * control);
    }

    fn to_controls(&mut self, slopes: &[T], gradient: &mut [T]) {
        one_by_one(slopes, gradient);
    }

    /// None can be estimated.
    fn set_imperfections(&mut self, _: &[T]) {}

    fn slope_of_imperfections(&mut self, _: &[T], _: &mut [T]) {}
}
