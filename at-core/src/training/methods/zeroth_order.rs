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

use super::probe::Probe;
use super::spsa::Probing;
use super::{Method, MethodName};
use crate::Result;
use crate::propagator::{Buffer, Engine, Propagator};
use crate::training::draws::{Purpose, normals, stream};
use crate::training::{Batch, Loss, Optimizer, Parameters};

/// The method.
pub struct ZerothOrder<E: Engine> {
    probing: Probing,
    controls: Parameters<E>,
    probe: Probe<E>,
    moved: E::Buffer,
    gradient: E::Buffer,
}

impl<E: Engine> ZerothOrder<E> {
    /// Starts from the `initial` values, on a chip with `outputs` readouts.
    pub fn new(
        engine: &E,
        outputs: usize,
        probing: Probing,
        initial: &[f64],
        optimizer: Optimizer,
        loss: Loss,
        capacity: usize,
    ) -> Result<Self> {
        probing.validate()?;
        Ok(ZerothOrder {
            probing,
            controls: Parameters::new(engine, optimizer, initial)?,
            probe: Probe::new(engine, outputs, loss, capacity)?,
            moved: engine.zeros(initial.len())?,
            gradient: engine.zeros(initial.len())?,
        })
    }
}

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
        let ZerothOrder { probing, controls, probe, moved, gradient } = self;
        let engine = probe.engine.clone();
        let mut random = stream(probing.seed, Purpose::Directions, controls.memory.step);
        chip.program(&controls.values)?;
        let here = probe.measure(chip, batch, tally)?;
        for draw in 0..probing.draws {
            let direction = engine.upload(&normals(&mut random, controls.len(), 1.0))?;
            engine.combine(1.0, &controls.values, 0.0, moved)?;
            engine.combine(probing.step, &direction, 1.0, moved)?;
            chip.program(moved)?;
            let slope = (probe.measure(chip, batch, tally)? - here) / (probing.step * probing.draws as f64);
            engine.combine(slope, &direction, if draw == 0 { 0.0 } else { 1.0 }, gradient)?;
        }
        controls.descend(&engine, learning_rate, gradient)
    }

    fn controls(&self) -> &Buffer<C> {
        &self.controls.values
    }

    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)> {
        vec![("controls", &self.controls)]
    }

    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)> {
        vec![("controls", &mut self.controls)]
    }
}
