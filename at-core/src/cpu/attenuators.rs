//! The attenuators between the two meshes of a singular-value stage.

use super::memory::Held;
use super::stage::{CpuStage, OnCpu, Recorded, Slopes};
use crate::stage::{Attenuators, StageErrors};
use crate::{Real, Result};

/// `y_k = g·sin(θ_k/2)·x_k` for k < min(inputs, outputs); dark above.
struct AttenuatorStage<T> {
    inputs: usize,
    outputs: usize,
    sines: Vec<T>,
    cosines: Vec<T>,
    gain: T,
}

impl OnCpu for Attenuators {
    fn on_cpu<T: Real>(&self, _: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        let (inputs, outputs, count) = (self.inputs, self.outputs, self.passed());
        let (sines, cosines) = (vec![T::zero(); count], vec![T::zero(); count]);
        Ok(Box::new(AttenuatorStage { inputs, outputs, sines, cosines, gain: T::one() }))
    }

    /// Sines and cosines.
    fn bytes(&self, held: &Held) -> usize {
        held.real * 2 * self.passed()
    }
}

impl<T: Real> CpuStage<T> for AttenuatorStage<T> {
    fn program(&mut self, controls: &[T]) {
        let (angles, gain) = controls.split_at(self.sines.len());
        for ((angle, sine), cosine) in angles.iter().zip(&mut self.sines).zip(&mut self.cosines) {
            let (s, c) = (0.5 * angle.wide()).sin_cos();
            (*sine, *cosine) = (T::of(s), T::of(c));
        }
        self.gain = gain[0];
    }

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        let inputs = input.chunks_exact(2 * self.inputs);
        for (y, x) in output.chunks_exact_mut(2 * self.outputs).zip(inputs).take(batch) {
            y[2 * self.sines.len()..].fill(T::zero());
            for ((y, x), &sine) in y.chunks_exact_mut(2).zip(x.chunks_exact(2)).zip(&self.sines) {
                let transmission = self.gain * sine;
                (y[0], y[1]) = (transmission * x[0], transmission * x[1]);
            }
        }
    }

    /// With real t = g sin(θ/2): `a_x = t a_y`, `dL/dt = 2 Re Σ a_y* x`.
    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let Recorded { input, adjoint, batch, .. } = *pass;
        let Slopes { adjoint_in, gradient, .. } = slopes;
        gradient.fill(T::zero());
        let two = T::one() + T::one();
        let half = T::of(0.5);
        let count = self.sines.len();
        let (angles, gain) = gradient.split_at_mut(count);
        let samples = input.chunks_exact(2 * self.inputs).zip(adjoint.chunks_exact(2 * self.outputs));
        for (slots, (x, a)) in adjoint_in.chunks_exact_mut(2 * self.inputs).zip(samples).take(batch) {
            slots[2 * count..].fill(T::zero());
            let modes = slots.chunks_exact_mut(2).zip(x.chunks_exact(2).zip(a.chunks_exact(2)));
            for (k, (slot, (x, a))) in modes.take(count).enumerate() {
                let transmission = self.gain * self.sines[k];
                (slot[0], slot[1]) = (transmission * a[0], transmission * a[1]);
                let slope = two * (a[0] * x[0] + a[1] * x[1]);
                angles[k] += slope * self.gain * half * self.cosines[k];
                gain[0] += slope * self.sines[k];
            }
        }
    }
}
