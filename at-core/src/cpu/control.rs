//! The way from controls to phases on the CPU, and back for a gradient.

use crate::Real;
use crate::fabrication::{ControlPath, Fabrication};
use crate::real::SERIAL;
use rayon::prelude::*;
use std::ops::Range;

/// A voltage takes some tens of operations.
const SERIAL_SHIFTERS: usize = SERIAL / 16;

/// What a chip's controls become.
pub struct Follower<T> {
    /// `1 + E` of every control; empty without update errors.
    slopes: Vec<T>,
    /// The controls first programmed.
    origin: Option<Vec<T>>,
    path: ControlPath,
    heat: Vec<f64>,
    /// d(heat)/d(control), update errors included; empty where all are 1.
    derivative: Vec<T>,
    /// What stands in the chip.
    effective: Vec<T>,
    /// The gradient before neighbours were added.
    gradient: Vec<T>,
}

impl<T: Real> Follower<T> {
    /// As `fabrication` has it.
    pub fn new(fabrication: &Fabrication) -> Self {
        Follower {
            slopes: fabrication.update_error.iter().map(|error| T::of(1.0 + error)).collect(),
            origin: None,
            path: fabrication.control.clone(),
            heat: Vec::new(),
            derivative: Vec::new(),
            effective: Vec::new(),
            gradient: Vec::new(),
        }
    }

    /// Whether controls were programmed before.
    pub fn programmed(&self) -> bool {
        self.origin.is_some()
    }

    /// What stands in the chip when it is told `controls`, with `drift` added.
    pub fn follow<'a>(&'a mut self, controls: &'a [T], drift: Option<&[T]>) -> &'a [T] {
        let Follower { slopes, origin, path, heat, derivative, effective, .. } = self;
        let origin = &*origin.get_or_insert_with(|| if slopes.is_empty() { Vec::new() } else { controls.to_vec() });
        if slopes.is_empty() && path.is_direct() && drift.is_none() {
            return controls;
        }
        effective.resize(controls.len(), T::zero());
        if !path.is_direct() {
            derivative.resize(controls.len(), T::zero());
        } else if derivative.len() != slopes.len() {
            derivative.clone_from(slopes);
        }
        if path.is_direct() && path.coupling.is_empty() && drift.is_none() {
            let followed = effective.par_iter_mut().zip(&*slopes).zip(origin).zip(controls);
            followed.with_min_len(SERIAL).for_each(|(((slot, &slope), &origin), &control)| {
                *slot = origin + slope * (control - origin);
            });
            return effective;
        }
        heat.resize(controls.len(), 0.0);
        let followed = |k: usize| match slopes.get(k) {
            Some(&slope) => origin[k] + slope * (controls[k] - origin[k]),
            None => controls[k],
        };
        if path.is_direct() {
            heat.par_iter_mut().enumerate().with_min_len(SERIAL).for_each(|(k, heat)| *heat = followed(k).wide());
        } else {
            let both = heat.par_iter_mut().zip(derivative.par_iter_mut()).enumerate();
            both.with_min_len(SERIAL_SHIFTERS).for_each(|(k, (heat, derivative))| {
                let (phase, slope) = path.shifters[k].heat(followed(k).wide(), path.quartic, path.levels);
                *heat = phase;
                *derivative = T::of(slope * slopes.get(k).map_or(1.0, |slope| slope.wide()));
            });
        }
        effective.par_iter_mut().enumerate().with_min_len(SERIAL).for_each(|(k, slot)| {
            let base = path.shifters.get(k).map_or(0.0, |shifter| shifter.base);
            let drift = drift.map_or(0.0, |drift| drift[k].wide());
            *slot = T::of(base + heat[k] + path.coupling.row(k, |other| heat[other]) + drift);
        });
        effective
    }

    /// From the gradient at what stands in the chip to that at what it was told, in a range of whole stages; the coupling is
    /// symmetric, and none is between stages.
    pub fn carry_back(&mut self, range: Range<usize>, gradient: &mut [T]) {
        let Follower { path, derivative, gradient: before, .. } = self;
        let start = range.start;
        if !path.coupling.is_empty() {
            before.clear();
            before.extend_from_slice(gradient);
            gradient[range.clone()].par_iter_mut().enumerate().with_min_len(SERIAL).for_each(|(k, slot)| {
                *slot += T::of(path.coupling.row(start + k, |other| before[other].wide()));
            });
        }
        if !derivative.is_empty() {
            let slopes = gradient[range.clone()].par_iter_mut().zip(&derivative[range]).with_min_len(SERIAL);
            slopes.for_each(|(slot, &slope)| *slot *= slope);
        }
    }
}
