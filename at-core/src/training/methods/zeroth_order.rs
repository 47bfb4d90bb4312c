//! Zeroth-order gradient: the chip's loss at the controls and at random points around them, and no model at all.
//!
//! ```text
//! u ~ N(0, I), drawn anew Q times per step
//! ĝ = mean over the draws of (L(Θ + μu) − L(Θ))/μ · u                 E ĝ = ∇L + O(μ)
//! Θ ← Θ − η·ĝ
//! ```
//!
//! Per step Q + 1 passes, readouts of P values each, and (Q + 1)·D control writes. The published method draws u ~ N(0, σ²I) and
//! so has its ĝ scaled by σ²; here σ is part of μ, so that the learning rate means what it means for a gradient.
//!
//! Source: Gu et al., "FLOPS: efficient on-chip learning for optical neural networks through stochastic zeroth-order
//! optimization", DAC (2020).

use super::probe::Explorer;
use super::{Method, MethodName};
use crate::Result;
use crate::propagator::{Buffer, Engine, Propagator};
use crate::training::draws::{Purpose, normals, stream};
use crate::training::{Batch, Parameters};

/// The method.
pub struct ZerothOrder<E: Engine>(pub Explorer<E>);

impl<E: Engine, C: Propagator<Engine = E>> Method<C> for ZerothOrder<E> {
    fn name(&self) -> MethodName {
        MethodName::ZerothOrder
    }

    fn step(
        &mut self,
        chip: &mut C,
        batch: &Batch<C::Engine>,
        learning_rate: f64,
        tally: &mut Buffer<C>,
    ) -> Result<()> {
        let explorer = &mut self.0;
        let (engine, probing) = (explorer.probe.engine.clone(), explorer.probing);
        let mut random = stream(probing.seed, Purpose::Directions, explorer.controls.memory.step);
        chip.program(&explorer.controls.values)?;
        let here = explorer.probe.measure(chip, batch, tally)?;
        for draw in 0..probing.draws {
            let direction = engine.upload(&normals(&mut random, explorer.controls.len(), 1.0))?;
            let there = explorer.loss_along(chip, batch, &direction, probing.step, tally)?;
            explorer.add(draw, (there - here) / (probing.step * probing.draws as f64), &direction)?;
        }
        explorer.descend(learning_rate)
    }

    fn controls(&self) -> &Buffer<C> {
        &self.0.controls.values
    }

    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)> {
        vec![("controls", &self.0.controls)]
    }

    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)> {
        vec![("controls", &mut self.0.controls)]
    }
}
