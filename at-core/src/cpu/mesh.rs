//! A mesh on the CPU: coefficients from controls, tiles of samples over threads, gradients by rebuilding fields backwards.

use super::memory::Held;
use super::mesh_kernel::{self, COUPLERS_TOO, Element, Imbalance, LANES, LOSSES_TOO, MeshView, PHASES, Waveguide};
use super::mesh_order;
use super::stage::{CpuStage, Kept, Recorded, Slopes};
use crate::optics::mzi::{Coupler, mzi_transfer};
use crate::optics::waveguide_phases::{control_errors, waveguide_gradient, waveguides};
use crate::optics::{Mesh, MeshLoss, NEPERS};
use crate::stage::StageErrors;
use crate::{Real, Result};
use num_complex::Complex;
use rayon::prelude::*;
use std::sync::Arc;

/// Gradient accumulators of all threads together stay below this many bytes, unless there would be fewer than two.
const ACCUMULATOR_BYTES: usize = 32 << 20;

/// No more parts than this, so that few-core machines do not add up many vectors.
const MAX_PARTS: usize = 16;

/// A mesh, its fabrication errors, and its coefficients at the programmed controls.
pub struct MeshStage<T> {
    pub(super) mesh: Mesh,
    phase_errors: Option<Arc<Vec<f64>>>,
    /// Couplers that light meets first and second; one entry when all are ideal.
    pub(super) couplers: Vec<[Coupler<f64>; 2]>,
    /// Field transmission of all columns together: the mean loss, pulled out of the columns as a scalar.
    pub(super) transmission: T,
    /// The same of each column; empty without loss.
    pub(super) columns: Vec<f64>,
    imbalance: Option<Vec<T>>,
    /// The imbalance that it was built with, where its losses are estimated: `[column, mode]`.
    known_imbalance: Vec<f64>,
    /// MZIs in each column.
    counts: Vec<usize>,
    /// Control index of every element.
    pub(super) order: Vec<u32>,
    elements: Vec<Element<T>>,
    /// `(cos φ, sin φ)` of every element, where the mesh's imperfections are estimated; else empty.
    external: Vec<[T; 2]>,
    pub(super) output_phases: Vec<Complex<T>>,
    pub(super) parts: Vec<Workspace<T>>,
}

/// One thread's tile and gradient.
#[derive(Default)]
pub(super) struct Workspace<T> {
    pub(super) fields: Vec<Waveguide<T>>,
    adjoints: Vec<Waveguide<T>>,
    /// The slopes of a plain backward pass, in the order of the elements.
    pub(super) slopes: Vec<[T; PHASES]>,
    /// Those of a backward pass that also asks for the couplers.
    more_slopes: Vec<[T; COUPLERS_TOO]>,
    /// Those of one that also asks for the losses.
    loss_slopes: Vec<[T; LOSSES_TOO]>,
    pub(super) output_slopes: Vec<T>,
    /// `Σ Re a* y` of every output, where losses are asked for.
    output_in_phase: Vec<T>,
}

impl<T: Real> MeshStage<T> {
    /// The mesh with the given errors.
    pub fn new(mesh: &Mesh, errors: &StageErrors) -> Result<Self> {
        let ideal = [Coupler::new(0.0); 2];
        let mut stage = MeshStage {
            phase_errors: None,
            couplers: vec![ideal],
            transmission: T::one(),
            columns: Vec::new(),
            imbalance: None,
            known_imbalance: Vec::new(),
            counts: mesh.columns().iter().map(|column| column.count).collect(),
            order: Vec::new(),
            elements: Vec::new(),
            external: Vec::new(),
            output_phases: vec![Complex::default(); mesh.modes()],
            parts: Vec::new(),
            mesh: mesh.clone(),
        };
        let own = errors.get(["first_coupler", "second_coupler", "phases", "loss_db"]);
        if let Some([first_coupler, second_coupler, phases, loss_db]) = own {
            if first_coupler.iter().chain(second_coupler).any(|&delta| delta != 0.0) {
                let pairs = first_coupler.iter().zip(second_coupler);
                stage.couplers = pairs.map(|(&first, &second)| [Coupler::new(first), Coupler::new(second)]).collect();
            }
            if phases.iter().any(|&phase| phase != 0.0) {
                stage.phase_errors = errors.shared("phases");
            }
            let loss = MeshLoss::new(mesh, loss_db)?;
            stage.transmission = T::of(loss.transmission);
            stage.columns = loss.columns;
            stage.known_imbalance = loss.imbalance.unwrap_or_default();
        }
        if mesh.losses_unknown() && stage.known_imbalance.is_empty() {
            stage.known_imbalance = vec![1.0; mesh.columns().len() * mesh.modes()];
        }
        if !stage.known_imbalance.is_empty() {
            stage.imbalance = Some(stage.known_imbalance.iter().map(|&factor| T::of(factor)).collect());
        }
        stage.place();
        Ok(stage)
    }

    /// One whose waveguides all lose the same: `transmission` in all and `columns` each ([`MeshLoss`]); two couplers per MZI, or none where all are ideal.
    pub(super) fn even(
        mesh: &Mesh,
        couplers: Option<Vec<[Coupler<f64>; 2]>>,
        phase_errors: Option<Arc<Vec<f64>>>,
        transmission: T,
        columns: Vec<f64>,
    ) -> Result<Self> {
        let ideal = MeshStage::new(mesh, &StageErrors::NONE)?;
        let couplers = couplers.unwrap_or(ideal.couplers);
        let mut stage = MeshStage { phase_errors, couplers, transmission, columns, ..ideal };
        stage.place();
        Ok(stage)
    }

    /// Puts the MZIs into the order of the loops.
    fn place(&mut self) {
        let schedule = mesh_order::schedule(&self.mesh, if self.imbalance.is_some() { 1 } else { mesh_kernel::BLOCK });
        self.order = schedule.iter().map(|place| place.0).collect();
        let element = |(mzi, rows): mesh_order::Place| {
            let [_, second] = coupler_pair(&self.couplers, mzi as usize);
            Element { transfer: [T::zero(); 8], second_coupler: squares(second).map(T::of), rows }
        };
        self.elements = schedule.into_iter().map(element).collect();
    }

    pub(super) fn view(&self) -> MeshView<'_, T> {
        let imbalance = self.imbalance.as_deref();
        MeshView {
            elements: &self.elements,
            external: &self.external,
            imbalance: imbalance.map(|transmission| Imbalance { counts: &self.counts, transmission }),
        }
    }

    /// Samples per part for a batch.
    pub(super) fn samples_per_part(&self, batch: usize) -> usize {
        samples_per_part(&self.mesh, size_of::<T>(), batch)
    }

    pub(super) fn prepare(&mut self, parts: usize, slopes: usize) {
        if self.parts.len() < parts {
            self.parts.resize_with(parts, Workspace::default);
        }
        let (modes, mzis) = (self.mesh.modes(), self.mesh.mzis());
        for part in &mut self.parts[..parts] {
            part.fields.resize(modes, Waveguide::default());
            if slopes > 0 {
                part.adjoints.resize(modes, Waveguide::default());
                part.slopes.clear();
                part.more_slopes.clear();
                part.loss_slopes.clear();
                match slopes {
                    LOSSES_TOO => part.loss_slopes.resize(mzis, [T::zero(); LOSSES_TOO]),
                    COUPLERS_TOO => part.more_slopes.resize(mzis, [T::zero(); COUPLERS_TOO]),
                    _ => part.slopes.resize(mzis, [T::zero(); PHASES]),
                }
                part.output_slopes.clear();
                part.output_slopes.resize(modes, T::zero());
                part.output_in_phase.clear();
                part.output_in_phase.resize(if slopes == LOSSES_TOO { modes } else { 0 }, T::zero());
            }
        }
    }
}

/// Bytes that a [`MeshStage`] keeps of batches of so many samples beside a copy of its controls.
pub(super) fn bytes(mesh: &Mesh, held: &Held, batch: usize) -> usize {
    let Held { real, errors, back, estimated, .. } = *held;
    let (mzis, waveguides) = (mesh.mzis(), mesh.columns().len() * mesh.modes());
    // the block of an MZI with its coupler and its rows, and its place in the order
    let element = (11 * real + 8).next_multiple_of(real) + 4;
    let couplers = if errors { size_of::<[Coupler<f64>; 2]>() } else { 0 };
    let estimate = if estimated { 2 * real + 2 * size_of::<f64>() } else { 0 };
    let slopes = match (back, estimated, mesh.losses_unknown()) {
        (false, ..) => 0,
        (true, false, _) => PHASES,
        (true, true, false) => COUPLERS_TOO,
        (true, true, true) => LOSSES_TOO,
    };
    let losses = if held.uneven || mesh.losses_unknown() { size_of::<f64>() + real } else { 0 };
    let parts = batch.div_ceil(samples_per_part(mesh, real, batch));
    let tiles = (1 + usize::from(back)) * 2 * mesh.modes() * LANES * real;
    mzis * (element + couplers + estimate) + waveguides * losses + parts * (mzis * slopes * real + tiles)
}

/// Samples per part for a batch of reals of so many bytes: whole tiles, evenly.
fn samples_per_part(mesh: &Mesh, real: usize, batch: usize) -> usize {
    let parts = (ACCUMULATOR_BYTES / (mesh.controls() * real)).clamp(2, MAX_PARTS);
    batch.div_ceil(LANES).div_ceil(parts).max(1) * LANES
}

/// `cos², sin², cos·sin` of a coupler's angle.
fn squares(coupler: Coupler<f64>) -> [f64; 3] {
    [coupler.c * coupler.c, coupler.s * coupler.s, coupler.c * coupler.s]
}

pub(super) fn coupler_pair(couplers: &[[Coupler<f64>; 2]], mzi: usize) -> [Coupler<f64>; 2] {
    couplers[if couplers.len() == 1 { 0 } else { mzi }]
}

impl<T: Real> CpuStage<T> for MeshStage<T> {
    fn as_mesh(&mut self) -> Option<&mut MeshStage<T>> {
        Some(self)
    }

    fn program(&mut self, controls: &[T]) {
        let (theta, phi, gamma) = self.mesh.split(controls);
        let (couplers, mzis) = (&self.couplers, self.mesh.mzis());
        let errors = self.phase_errors.as_ref();
        let error = |index: usize| errors.map_or(0.0, |errors| errors[index]);
        self.elements.par_iter_mut().zip(&self.order).with_min_len(1024).for_each(|(element, &mzi)| {
            let mzi = mzi as usize;
            let [first, second] = coupler_pair(couplers, mzi);
            let theta = theta[mzi].wide() + error(mzi);
            let phi = phi[mzi].wide() + error(mzis + mzi);
            let [[a, b], [c, d]] = mzi_transfer(theta, phi, first, second);
            element.transfer = [a.re, a.im, b.re, b.im, c.re, c.im, d.re, d.im].map(T::of);
        });
        for (slot, &mzi) in self.external.iter_mut().zip(&self.order) {
            let (sin, cos) = (phi[mzi as usize].wide() + error(mzis + mzi as usize)).sin_cos();
            *slot = [T::of(cos), T::of(sin)];
        }
        for (mode, (slot, gamma)) in self.output_phases.iter_mut().zip(gamma).enumerate() {
            let turn = Complex::cis(gamma.wide() + error(2 * mzis + mode));
            *slot = Complex::new(T::of(turn.re), T::of(turn.im));
        }
    }

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        let width = 2 * self.mesh.modes();
        let share = self.samples_per_part(batch);
        self.prepare(batch.div_ceil(share), 0);
        let mut parts = std::mem::take(&mut self.parts);
        let (view, phases, transmission) = (self.view(), &self.output_phases, self.transmission);
        parts
            .par_iter_mut()
            .zip(input[..batch * width].par_chunks(share * width))
            .zip(output[..batch * width].par_chunks_mut(share * width))
            .for_each(|((part, input), output)| {
                let tiles = input.chunks(LANES * width).zip(output.chunks_mut(LANES * width));
                for (input, output) in tiles {
                    load(input, width, &mut part.fields, |_, z| z);
                    mesh_kernel::forward(view, &mut part.fields);
                    store(&part.fields, width, output, |mode, z| (z * phases[mode]).scale(transmission));
                }
            });
        self.parts = parts;
    }

    fn reads_input(&self, _kept: &Kept<T>) -> bool {
        false
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let Recorded { output, adjoint, batch, .. } = *pass;
        let Slopes { adjoint_in, gradient, imperfections, .. } = slopes;
        let Some(imperfections) = imperfections else {
            let parts = self.uncross(output, adjoint, batch, PHASES, adjoint_in);
            return self.collect(parts, gradient, |part, element| part.slopes[element]);
        };
        debug_assert_eq!(self.external.len(), self.elements.len(), "an estimate is set and programmed");
        let mzis = self.mesh.mzis();
        let with_losses = self.mesh.losses_unknown();
        let asked = if with_losses { LOSSES_TOO } else { COUPLERS_TOO };
        let parts = self.uncross(output, adjoint, batch, asked, adjoint_in);
        // dL/dθ, dL/dφ, dL/dδ1, dL/dδ2
        let slopes = |part: &Workspace<T>, element: usize| -> [T; COUPLERS_TOO] {
            if !with_losses {
                return part.more_slopes[element];
            }
            let [theta, phi, first, second, _] = part.loss_slopes[element];
            [theta, phi, first, second]
        };
        self.collect(parts, gradient, |part, element| {
            let [theta, phi, ..] = slopes(part, element);
            [theta, phi]
        });
        let (first, rest) = imperfections.split_at_mut(mzis);
        let (second, rest) = rest.split_at_mut(mzis);
        let (theta, rest) = rest.split_at_mut(mzis);
        let (pieces, losses) = rest.split_at_mut(waveguides(&self.mesh));
        for (element, &mzi) in self.order.iter().enumerate() {
            let own = || self.parts[..parts].iter().map(|part| slopes(part, element));
            first[mzi as usize] = own().map(|[.., slope, _]| slope).sum();
            second[mzi as usize] = own().map(|[.., slope]| slope).sum();
        }
        theta.copy_from_slice(&gradient[..mzis]);
        waveguide_gradient(&self.mesh, &gradient[mzis..], pieces);
        if with_losses {
            self.collect_losses(parts, losses);
        }
    }

    fn set_imperfections(&mut self, estimate: &[T]) {
        let (first, rest) = estimate.split_at(self.mesh.mzis());
        let (second, rest) = rest.split_at(self.mesh.mzis());
        let (theta, rest) = rest.split_at(self.mesh.mzis());
        let (waveguides, losses) = rest.split_at(waveguides(&self.mesh));
        let pairs = first.iter().zip(second);
        self.couplers = pairs.map(|(first, second)| [first, second].map(|d| Coupler::new(d.wide()))).collect();
        let waveguides: Vec<f64> = waveguides.iter().map(|error| error.wide()).collect();
        let theta = theta.iter().map(|error| error.wide());
        self.phase_errors = Some(Arc::new(theta.chain(control_errors(&self.mesh, &waveguides)).collect()));
        for (element, &mzi) in self.elements.iter_mut().zip(&self.order) {
            element.second_coupler = squares(self.couplers[mzi as usize][1]).map(T::of);
        }
        self.external.resize(self.elements.len(), [T::zero(); 2]);
        if self.mesh.losses_unknown() {
            let factors = self.known_imbalance.iter().zip(losses);
            self.imbalance = Some(factors.map(|(known, loss)| T::of(known * (-NEPERS * loss.wide()).exp())).collect());
        }
    }
}

impl<T: Real> MeshStage<T> {
    /// Carries fields and adjoints back through the mesh; the slopes stay with the parts, whose number is returned.
    fn uncross(&mut self, output: &[T], adjoint: &[T], batch: usize, slopes: usize, adjoint_in: &mut [T]) -> usize {
        let width = 2 * self.mesh.modes();
        let share = self.samples_per_part(batch);
        let count = batch.div_ceil(share);
        self.prepare(count, slopes);
        let mut parts = std::mem::take(&mut self.parts);
        let (view, phases, transmission) = (self.view(), &self.output_phases, self.transmission);
        let rebuild = transmission.recip();
        let two = T::one() + T::one();
        parts
            .par_iter_mut()
            .zip(output[..batch * width].par_chunks(share * width))
            .zip(adjoint[..batch * width].par_chunks(share * width))
            .zip(adjoint_in[..batch * width].par_chunks_mut(share * width))
            .for_each(|(((part, output), adjoint), adjoint_in)| {
                let tiles = output.chunks(LANES * width).zip(adjoint.chunks(LANES * width));
                for ((output, adjoint), adjoint_in) in tiles.zip(adjoint_in.chunks_mut(LANES * width)) {
                    for (y, a) in output.chunks_exact(width).zip(adjoint.chunks_exact(width)) {
                        for (mode, slot) in part.output_slopes.iter_mut().enumerate() {
                            let (re, im) = (2 * mode, 2 * mode + 1);
                            *slot -= two * (a[re] * y[im] - a[im] * y[re]);
                        }
                        for (mode, slot) in part.output_in_phase.iter_mut().enumerate() {
                            let (re, im) = (2 * mode, 2 * mode + 1);
                            *slot += a[re] * y[re] + a[im] * y[im];
                        }
                    }
                    load(output, width, &mut part.fields, |mode, z| (z * phases[mode].conj()).scale(rebuild));
                    load(adjoint, width, &mut part.adjoints, |mode, z| (z * phases[mode].conj()).scale(transmission));
                    let (fields, adjoints) = (&mut part.fields, &mut part.adjoints);
                    match slopes {
                        LOSSES_TOO => mesh_kernel::backward(view, fields, adjoints, &mut part.loss_slopes),
                        COUPLERS_TOO => mesh_kernel::backward(view, fields, adjoints, &mut part.more_slopes),
                        _ => mesh_kernel::backward(view, fields, adjoints, &mut part.slopes),
                    }
                    store(&part.adjoints, width, adjoint_in, |_, z| z);
                }
            });
        self.parts = parts;
        count
    }

    /// The gradient of the losses `[column, mode]` (dB), from what the first `parts` parts found.
    ///
    /// A loss of ρ nepers makes `e^{-ρ}` of a field, as a phase makes `e^{iα}` of it: `dL/dρ = -2 Re Σ a* y` where `dL/dα = -2 Im Σ a* y`. A loss common to
    /// both inputs of an MZI leaves by both outputs, as a phase does, so that the sums in front of φ and at the outputs tell all of them.
    fn collect_losses(&self, parts: usize, losses: &mut [T]) {
        let (mzis, modes) = (self.mesh.mzis(), self.mesh.modes());
        let two = T::of(2.0 * NEPERS);
        let mut sums = vec![T::zero(); mzis + modes];
        for part in &self.parts[..parts] {
            for (&mzi, slopes) in self.order.iter().zip(&part.loss_slopes) {
                sums[mzi as usize] -= two * slopes[LOSSES_TOO - 1];
            }
            for (slot, &sum) in sums[mzis..].iter_mut().zip(&part.output_in_phase) {
                *slot -= two * sum;
            }
        }
        let mut pieces = vec![T::zero(); waveguides(&self.mesh)];
        waveguide_gradient(&self.mesh, &sums, &mut pieces);
        losses.copy_from_slice(&pieces[modes..]); // in front of the first column nothing is lost
    }

    /// Adds up what the first `parts` parts found, where `slopes` gives dL/dθ and dL/dφ of an element.
    fn collect(&self, parts: usize, gradient: &mut [T], slopes: impl Fn(&Workspace<T>, usize) -> [T; 2]) {
        let parts = &self.parts[..parts];
        let mzis = self.mesh.mzis();
        let (theta, rest) = gradient.split_at_mut(mzis);
        let (phi, gamma) = rest.split_at_mut(mzis);
        for (element, &mzi) in self.order.iter().enumerate() {
            let total = parts.iter().fold([T::zero(); 2], |[theta, phi], part| {
                let [more_theta, more_phi] = slopes(part, element);
                [theta + more_theta, phi + more_phi]
            });
            [theta[mzi as usize], phi[mzi as usize]] = total;
        }
        for (mode, slot) in gamma.iter_mut().enumerate() {
            *slot = parts.iter().map(|part| part.output_slopes[mode]).sum();
        }
    }
}

/// Fills a tile from up to [`LANES`] samples `[sample, mode]`; lanes without a sample are dark.
pub(super) fn load<T: Real>(
    samples: &[T],
    width: usize,
    tile: &mut [Waveguide<T>],
    map: impl Fn(usize, Complex<T>) -> Complex<T>,
) {
    if samples.len() < LANES * width {
        tile.fill(Waveguide::default());
    }
    for (lane, sample) in samples.chunks_exact(width).enumerate() {
        for (mode, (field, z)) in tile.iter_mut().zip(sample.chunks_exact(2)).enumerate() {
            let z = map(mode, Complex::new(z[0], z[1]));
            field.re[lane] = z.re;
            field.im[lane] = z.im;
        }
    }
}

/// Writes a tile to up to [`LANES`] samples `[sample, mode]`.
pub(super) fn store<T: Real>(
    tile: &[Waveguide<T>],
    width: usize,
    samples: &mut [T],
    map: impl Fn(usize, Complex<T>) -> Complex<T>,
) {
    for (lane, sample) in samples.chunks_exact_mut(width).enumerate() {
        for (mode, (field, slot)) in tile.iter().zip(sample.chunks_exact_mut(2)).enumerate() {
            let z = map(mode, Complex::new(field.re[lane], field.im[lane]));
            slot[0] = z.re;
            slot[1] = z.im;
        }
    }
}
