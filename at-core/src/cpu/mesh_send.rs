//! Light through one mesh on the CPU in either direction: tiles over threads, detectors' powers summed, or fields kept.

use super::mesh::{MeshStage, coupler_pair, load, store};
use super::mesh_kernel::{LANES, PHASES, Waveguide, sum};
use super::mesh_monitor::{self, Watch};
use crate::Real;
use crate::propagator::{Direction, Monitor};
use rayon::prelude::*;

/// Powers summed over a part's samples.
struct Powers<'a, T>(&'a mut [[T; 2]]);

impl<T: Real> Watch<T> for Powers<'_, T> {
    #[inline(always)]
    fn see(&mut self, element: usize, theta: &Waveguide<T>, phi: &Waveguide<T>) {
        let [sum_theta, sum_phi] = &mut self.0[element];
        *sum_theta += power(theta);
        *sum_phi += power(phi);
    }
}

#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "all arrays run over the same lanes")]
fn power<T: Real>(field: &Waveguide<T>) -> T {
    let mut power = [T::zero(); LANES];
    for lane in 0..LANES {
        power[lane] = field.re[lane] * field.re[lane] + field.im[lane] * field.im[lane];
    }
    sum(power)
}

/// Fields of one tile, `[sample, control]` as (re, im).
struct Fields<'a, T> {
    samples: &'a mut [T],
    /// Reals per sample.
    width: usize,
    mzis: usize,
    order: &'a [u32],
    scales: &'a [T],
}

impl<T: Real> Watch<T> for Fields<'_, T> {
    #[inline(always)]
    fn see(&mut self, element: usize, theta: &Waveguide<T>, phi: &Waveguide<T>) {
        let (mzi, scale) = (self.order[element] as usize, self.scales[element]);
        for (lane, sample) in self.samples.chunks_exact_mut(self.width).enumerate() {
            for (control, field) in [(mzi, theta), (self.mzis + mzi, phi)] {
                sample[2 * control] = scale * field.re[lane];
                sample[2 * control + 1] = scale * field.im[lane];
            }
        }
    }
}

impl<T: Real> MeshStage<T> {
    /// Number of modes.
    pub fn modes(&self) -> usize {
        self.mesh.modes()
    }

    /// Number of controls, one per shifter.
    pub fn shifters(&self) -> usize {
        self.mesh.controls()
    }

    /// The mean loss on the way to each element, which the kernels leave out: field transmission, in the schedule's order.
    fn losses_before(&self, direction: Direction) -> Vec<T> {
        if self.columns.is_empty() {
            return vec![T::one(); self.order.len()];
        }
        // loss stands behind each column's MZIs
        let crossed = |column: usize| match direction {
            Direction::Forward => &self.columns[..column],
            Direction::Backward => &self.columns[column..],
        };
        let left: Vec<f64> = (0..self.columns.len()).map(|column| crossed(column).iter().product()).collect();
        let of_mzi: Vec<T> = self.mesh.positions().map(|(column, _)| T::of(left[column])).collect();
        self.order.iter().map(|&mzi| of_mzi[mzi as usize]).collect()
    }

    /// Sends light through, as [`crate::propagator::Bidirectional::send`] says. Sizes have been checked.
    pub fn send(
        &mut self,
        direction: Direction,
        input: &[T],
        batch: usize,
        output: Option<&mut [T]>,
        monitor: Monitor<'_, Vec<T>>,
    ) {
        let (modes, mzis, controls) = (self.mesh.modes(), self.mesh.mzis(), self.mesh.controls());
        let width = 2 * modes;
        let share = self.samples_per_part(batch);
        let count = batch.div_ceil(share);
        self.prepare(count, PHASES);
        let mut parts = std::mem::take(&mut self.parts);
        let scales = self.losses_before(direction);
        let pairs = self.order.iter().map(|&mzi| coupler_pair(&self.couplers, mzi as usize)[1]);
        let couplers: Vec<[T; 2]> = pairs.map(|coupler| [T::of(coupler.c), T::of(coupler.s)]).collect();
        let mut unread = Vec::new();
        let output = output.unwrap_or_else(|| {
            unread.resize(batch * width, T::zero());
            &mut unread
        });
        let (mut powers, mut fields) = (None, None);
        match monitor {
            Monitor::Nothing => {}
            Monitor::Powers(buffer) => powers = Some(buffer),
            Monitor::Fields(buffer) => fields = Some(buffer),
        }
        let mut watched: Vec<Option<&mut [T]>> = match fields {
            Some(fields) => fields[..batch * 2 * controls].chunks_mut(share * 2 * controls).map(Some).collect(),
            None => (0..count).map(|_| None).collect(),
        };
        let (view, phases, transmission, order) =
            (self.view(), &self.output_phases, self.transmission, self.order.as_slice());
        parts
            .par_iter_mut()
            .zip(input[..batch * width].par_chunks(share * width))
            .zip(output[..batch * width].par_chunks_mut(share * width))
            .zip(&mut watched)
            .for_each(|(((part, input), output), watched)| {
                let tiles = input.chunks(LANES * width).zip(output.chunks_mut(LANES * width));
                for (index, (input, output)) in tiles.enumerate() {
                    let samples = input.len() / width;
                    let mut own = watched.as_deref_mut().map(|all| {
                        let start = index * LANES * 2 * controls;
                        &mut all[start..start + samples * 2 * controls]
                    });
                    let tile = &mut part.fields;
                    let mut watch = match own.as_deref_mut() {
                        Some(samples) => {
                            Sight::Fields(Fields { samples, width: 2 * controls, mzis, order, scales: &scales })
                        }
                        None => Sight::Powers(Powers(&mut part.slopes)),
                    };
                    if direction == Direction::Forward {
                        load(input, width, tile, |_, z| z);
                        match &mut watch {
                            Sight::Fields(watch) => mesh_monitor::forward(view, &couplers, tile, watch),
                            Sight::Powers(watch) => mesh_monitor::forward(view, &couplers, tile, watch),
                        }
                        store(tile, width, output, |mode, z| (z * phases[mode]).scale(transmission));
                    } else {
                        load(input, width, tile, |mode, z| z * phases[mode]);
                        match &mut watch {
                            Sight::Fields(watch) => mesh_monitor::backward(view, &couplers, tile, watch),
                            Sight::Powers(watch) => mesh_monitor::backward(view, &couplers, tile, watch),
                        }
                        store(tile, width, output, |_, z| z.scale(transmission));
                    }
                    // γ is the last thing in the mesh: behind it is the light that leaves, or the light that enters backwards
                    let end: &[T] = if direction == Direction::Forward { output } else { input };
                    for (sample, z) in end.chunks_exact(width).enumerate() {
                        if let Some(own) = own.as_deref_mut() {
                            own[sample * 2 * controls + 4 * mzis..][..width].copy_from_slice(z);
                        }
                        for (slot, z) in part.output_slopes.iter_mut().zip(z.chunks_exact(2)) {
                            *slot += z[0] * z[0] + z[1] * z[1];
                        }
                    }
                }
            });
        if let Some(powers) = powers {
            let (theta, rest) = powers[..controls].split_at_mut(mzis);
            let (phi, gamma) = rest.split_at_mut(mzis);
            for (element, (&mzi, &scale)) in self.order.iter().zip(&scales).enumerate() {
                let mzi = mzi as usize;
                let total = |which: usize| parts[..count].iter().map(|part| part.slopes[element][which]).sum::<T>();
                (theta[mzi], phi[mzi]) = (scale * scale * total(0), scale * scale * total(1));
            }
            for (mode, slot) in gamma.iter_mut().enumerate() {
                *slot = parts[..count].iter().map(|part| part.output_slopes[mode]).sum();
            }
        }
        self.parts = parts;
    }
}

/// What is being looked at.
enum Sight<'a, T> {
    Powers(Powers<'a, T>),
    Fields(Fields<'a, T>),
}
