//! The digital model of dual adaptive training: nominal stages, and error-prediction networks behind its meshes.

use super::sepn::{Maps, Sepn};
use crate::Result;
use crate::chip::Meter;
use crate::engine::Engine;
use crate::flops::Flops;
use crate::propagator::{Adjoint, Buffer, LayerAccess};
use num_complex::Complex64;

/// The network behind one mesh.
pub(super) struct Correction {
    /// The stage that is the mesh.
    pub(super) stage: usize,
    pub(super) sepn: Sepn,
    /// Where its parameters begin.
    pub(super) start: usize,
    /// The maps of the last forward pass.
    pub(super) maps: Maps,
}

/// The digital model: nominal stages one by one, a network behind each mesh. Networks are the host's work, in f32.
pub(super) struct Corrected<M: Adjoint> {
    pub(super) engine: M::Engine,
    pub(super) stages: M,
    pub(super) corrections: Vec<Correction>,
    /// Ω, as the networks read them.
    pub(super) weights: Vec<f32>,
    pub(super) trace: M::Trace,
    /// Output of every stage.
    pub(super) signals: Vec<Buffer<M>>,
    /// Reals per sample that leave each stage.
    pub(super) widths: Vec<usize>,
    /// Adjoints, wide enough for every stage.
    pub(super) adjoints: [Buffer<M>; 2],
    /// Operations of the stages, per sample.
    pub(super) flops: Flops,
    pub(super) meter: Meter,
}

impl<M: Adjoint + LayerAccess> Corrected<M> {
    /// Fills signals and trace; `corrected` is κ. Behind every mesh of which `fused` has measured powers, light goes on with their
    /// amplitudes and its own phases.
    pub(super) fn forward(
        &mut self,
        fields: &Buffer<M>,
        size: usize,
        corrected: bool,
        fused: &[Buffer<M>],
    ) -> Result<()> {
        let networks: u64 = if corrected { self.corrections.iter().map(|own| own.sepn.flops()).sum() } else { 0 };
        self.meter.count(|accesses| {
            accesses.digital_passes += size as u64;
            accesses.digital_flops += size as u64 * (self.flops.forward + networks);
        });
        let mut corrections = self.corrections.iter_mut().peekable();
        let mut fused = fused.iter();
        for stage in 0..self.widths.len() {
            let (before, after) = self.signals.split_at_mut(stage);
            let input = before.last().unwrap_or(fields);
            self.stages.record_layer(stage, input, size, &mut self.trace)?;
            self.stages.propagate_layer(stage, input, size, &mut after[0])?;
            let Some(own) = corrections.next_if(|own| own.stage == stage) else { continue };
            if corrected {
                let field = single(self.engine.download(&after[0])?);
                let mut sum = field.clone();
                let reals = size * self.widths[stage];
                let weights = &self.weights[own.start..own.start + own.sepn.reals()];
                own.sepn.forward(weights, &field[..reals], &mut sum[..reals], &mut own.maps);
                after[0] = self.engine.upload(&sum)?;
            }
            if let Some(powers) = fused.next() {
                after[0] = fusion(&self.engine, &after[0], powers)?;
            }
        }
        Ok(())
    }

    /// Carries an error of the readout, and those of the `hidden` powers behind the first meshes, back through everything.
    /// `gradient` takes that of the controls, the networks' goes to `weights` where that is asked for; nothing is carried further
    /// than to the first of them unless `to_controls`.
    pub(super) fn backward(
        &mut self,
        readout_error: &Buffer<M>,
        hidden: &[Vec<f64>],
        size: usize,
        corrected: bool,
        mut weights: Option<&mut [f32]>,
        to_controls: bool,
        gradient: &mut Buffer<M>,
    ) -> Result<()> {
        let Corrected { engine, stages, corrections, trace, signals, widths, adjoints, flops, meter, .. } = self;
        let [adjoint, next] = adjoints;
        meter.count(|accesses| {
            accesses.digital_backward_passes += size as u64;
            accesses.digital_flops += size as u64 * flops.backward;
        });
        let mut corrections = corrections.iter().enumerate().rev().peekable();
        for stage in (0..widths.len()).rev() {
            if let Some((mesh, own)) = corrections.next_if(|(_, own)| own.stage == stage)
                && corrected
            {
                let range = own.start..own.start + own.sepn.reals();
                let mut error = single(engine.download(adjoint)?);
                if let Some(slopes) = hidden.get(mesh) {
                    // of a power |z|²: ∂L/∂z* = (∂L/∂|z|²) z
                    let fields = engine.download(&signals[stage])?;
                    let pairs = error.chunks_exact_mut(2).zip(fields.chunks_exact(2)).zip(slopes);
                    for ((error, z), slope) in pairs.take(size * widths[stage] / 2) {
                        error[0] += (slope * z[0]) as f32;
                        error[1] += (slope * z[1]) as f32;
                    }
                }
                let slopes = weights.as_deref_mut().map(|all| &mut all[range.clone()]);
                let done = !to_controls && corrections.peek().is_none();
                own.sepn.backward(&self.weights[range], &own.maps, &mut error[..size * widths[stage]], slopes);
                let products = if weights.is_some() { 2 } else { 1 }; // for the fields, and for the parameters
                meter.count(|accesses| accesses.digital_flops += size as u64 * products * own.sepn.flops());
                if done {
                    return Ok(());
                }
                *adjoint = engine.upload(&error)?;
            }
            let from = if stage + 1 == widths.len() { readout_error } else { &*adjoint };
            let to = if stage == 0 { None } else { Some(&mut *next) };
            stages.backpropagate_layer(stage, trace, from, to, gradient)?;
            std::mem::swap(adjoint, next);
        }
        Ok(())
    }
}

/// `fields` with the amplitudes of `powers` and phases of their own.
pub(super) fn fusion<E: Engine>(engine: &E, fields: &E::Buffer, powers: &E::Buffer) -> Result<E::Buffer> {
    let mut fields = engine.download(fields)?;
    let powers = engine.download(powers)?;
    for (z, power) in fields.chunks_exact_mut(2).zip(powers) {
        let fused = Complex64::from_polar(power.max(0.0).sqrt(), z[1].atan2(z[0]));
        (z[0], z[1]) = (fused.re, fused.im);
    }
    engine.upload(&fields)
}

pub(super) fn single(values: Vec<f64>) -> Vec<f32> {
    values.into_iter().map(|value| value as f32).collect()
}
