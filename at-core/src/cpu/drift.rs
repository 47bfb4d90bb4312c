//! A chip's drift on the CPU.

use crate::Real;
use crate::fabrication::drift::DriftStep;
use crate::imperfections::random::normals;
use crate::real::SERIAL;
use rayon::prelude::*;

/// `ε ← keep·ε + own·ξ + common`, four controls per draw.
pub fn advance<T: Real>(step: &DriftStep, drift: &mut [T]) {
    let groups = drift.par_chunks_mut(4).enumerate().with_min_len(SERIAL / 64);
    groups.for_each(|(group, slots)| {
        let draws = normals(step.key, step.counter(group));
        for (slot, draw) in slots.iter_mut().zip(draws) {
            *slot = T::of(step.keep * slot.wide() + step.own * draw + step.common);
        }
    });
}
