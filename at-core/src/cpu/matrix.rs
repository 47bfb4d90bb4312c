//! A real matrix and bias whose entries are the controls.

use super::weights::{Response, WeightStage};
use crate::Real;
use crate::chip::StageErrors;
use crate::real::SERIAL;
use rayon::prelude::*;

/// `w = s·c` with the stage's slopes; `w = c` where it has none.
pub struct Linear;

/// A matrix with its errors.
pub fn stage<T: Real>(inputs: usize, outputs: usize, errors: &StageErrors) -> WeightStage<T, Linear> {
    let spread = errors.get(["spread"]).map_or(&[][..], |[spread]| spread);
    let slopes = spread.iter().map(|spread| T::of(1.0 + spread)).collect();
    WeightStage::new(inputs, outputs, Linear, slopes)
}

impl<T: Real> Response<T> for Linear {
    fn program(&mut self, controls: &[T], weights: &mut [T], slopes: &mut [T]) {
        if slopes.is_empty() {
            return weights.copy_from_slice(controls);
        }
        let products = weights.par_iter_mut().zip(slopes).zip(controls);
        products.with_min_len(SERIAL).for_each(|((weight, slope), &control)| *weight = *slope * control);
    }

    /// None can be estimated.
    fn set_imperfections(&mut self, _: &[T]) {}

    fn slope_of_imperfections(&self, _: &[T], _: &mut [T]) {}
}
