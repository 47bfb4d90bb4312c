//! A lossless mesh, or one whose waveguides all lose the same, on the CPU. It runs as rotations ([`super::mesh_rotations`]), also where
//! couplers have angles of their own ([`super::mesh_couplers`]).

use super::memory::Held;
use super::mesh::MeshStage;
use super::mesh_couplers::{Turned, turn_all};
use super::mesh_order::{self, Place};
use super::mesh_rotated_tiles::{Backward, Forward, Light, Part};
use super::mesh_rotations::{BLOCK, COUPLED, IDEAL, Rotation, Run};
use super::sines::sines_and_cosines;
use super::stage::{CpuStage, Kept, Recorded, Slopes};
use super::tiles;
use crate::optics::mzi::Coupler;
use crate::optics::waveguide_phases::{control_errors, waveguide_gradient};
use crate::optics::{Mesh, MeshLoss};
use crate::stage::StageErrors;
use crate::{Real, Result};
use num_complex::Complex64;
use rayon::prelude::*;
use std::f64::consts::{FRAC_PI_2, PI, TAU};
use std::sync::Arc;

/// Slopes of all parts together stay below this many bytes, unless there would be fewer than two parts.
const SLOPE_BYTES: usize = 48 << 20;

/// No more parts than this, so that few-core machines do not add up many vectors.
const MAX_PARTS: usize = 32;

/// MZIs whose coefficients are computed together.
const CHUNK: usize = 32;

/// MZIs of which one thread adds up the slopes of all parts at a time.
const SUMMED: usize = 4096;

/// A mesh whose waveguides all lose the same.
pub struct RotatedMesh<T> {
    pub(super) mesh: Mesh,
    phase_errors: Option<Arc<Vec<f64>>>,
    /// Field transmission of all columns together.
    pub(super) transmission: T,
    /// The same of each column; empty without loss.
    columns: Vec<f64>,
    pub(super) runs: Vec<Run>,
    /// Every MZI in the order of the loops.
    places: Vec<Place>,
    pub(super) rotations: Vec<Rotation<T>>,
    /// Where couplers have angles of their own.
    coupled: Option<Coupled>,
    /// `e^{i(γ + σ)}`.
    pub(super) output_phases: Vec<[T; 2]>,
    /// One value per waveguide while walking through the mesh: σ, later `Σ Im a* y`.
    walk: Vec<f64>,
    /// One per waveguide: 1, or -1 where half a turn is to be added to σ.
    signs: Vec<f64>,
    /// Every ideal MZI, in the order of the loops: whether its outputs differ by a sign from each other in what the loops hold.
    mirrored: Vec<bool>,
    parts: Vec<Part<T>>,
    /// As programmed.
    controls: Vec<T>,
    /// What light is sent through in either direction ([`CpuStage::as_mesh`]).
    lit: Option<Box<MeshStage<T>>>,
}

/// MZIs with couplers of their own that are programmed at a time where nothing is carried back.
const PROGRAMMED: usize = 8192;

/// What MZIs need whose couplers have angles of their own.
struct Coupled {
    /// Of every MZI, those that light meets first and second, in the order of the controls.
    couplers: Vec<[Coupler<f64>; 2]>,
    /// Every MZI as programmed, in the order of the loops, from the first adjoint on that is carried back: a chip that only light crosses does
    /// without. Until then room for [`PROGRAMMED`] of them.
    turned: Vec<Turned>,
    /// `turned` has every MZI.
    whole: bool,
    /// One phase per waveguide while walking through the mesh.
    walk: Vec<Complex64>,
}

impl Coupled {
    fn new(couplers: Vec<[Coupler<f64>; 2]>, modes: usize) -> Self {
        Coupled { couplers, turned: Vec::new(), whole: false, walk: vec![Complex64::ONE; modes] }
    }
}

impl<T: Real> RotatedMesh<T> {
    /// The mesh, if its `errors` leave it as described.
    pub fn new(mesh: &Mesh, errors: &StageErrors) -> Result<Option<Self>> {
        if mesh.losses_unknown() {
            return Ok(None);
        }
        let (mut phase_errors, mut transmission, mut columns, mut couplers) = (None, T::one(), Vec::new(), None);
        let own = errors.get(["first_coupler", "second_coupler", "phases", "loss_db"]);
        if let Some([first_coupler, second_coupler, phases, loss_db]) = own {
            let loss = MeshLoss::new(mesh, loss_db)?;
            if loss.imbalance.is_some() {
                return Ok(None);
            }
            (transmission, columns) = (T::of(loss.transmission), loss.columns);
            phase_errors = errors.shared("phases").filter(|_| phases.iter().any(|&phase| phase != 0.0));
            if first_coupler.iter().chain(second_coupler).any(|&delta| delta != 0.0) {
                let pairs = first_coupler.iter().zip(second_coupler);
                couplers = Some(pairs.map(|(&first, &second)| [first, second].map(Coupler::new)).collect());
            }
        }
        let places = mesh_order::schedule(mesh, BLOCK);
        Ok(Some(RotatedMesh {
            phase_errors,
            transmission,
            columns,
            runs: mesh_order::runs(mesh, &places),
            rotations: vec![Rotation { turn: [T::zero(); 2], split: [T::zero(); 2] }; places.len()],
            coupled: couplers.map(|couplers| Coupled::new(couplers, mesh.modes())),
            places,
            output_phases: vec![[T::zero(); 2]; mesh.modes()],
            walk: vec![0.0; mesh.modes()],
            signs: vec![1.0; mesh.modes()],
            mirrored: Vec::new(),
            parts: Vec::new(),
            mesh: mesh.clone(),
            controls: Vec::new(),
            lit: None,
        }))
    }

    pub(super) fn width(&self) -> usize {
        2 * self.mesh.modes()
    }

    /// Whether couplers have angles of their own.
    pub(super) fn is_coupled(&self) -> bool {
        self.coupled.is_some()
    }

    /// Samples per part for a batch.
    fn share(&self, batch: usize) -> usize {
        share(&self.mesh, size_of::<T>(), batch)
    }

    /// Takes out `count` parts.
    fn take_parts(&mut self, count: usize) -> Vec<Part<T>> {
        let mut parts = std::mem::take(&mut self.parts);
        if parts.len() < count {
            parts.resize_with(count, Part::default);
        }
        parts
    }

    /// Rotations of MZIs with ideal couplers.
    fn program_ideal(&mut self) {
        let (theta, phi, gamma) = self.mesh.split(&self.controls);
        let mzis = self.mesh.mzis();
        let errors = self.phase_errors.as_ref();
        let error = |index: usize| errors.map_or(0.0, |errors| errors[index]);
        self.walk.fill(0.0);
        self.signs.fill(1.0);
        let [mut angles, mut sines, mut cosines] = [[0.0; 2 * CHUNK]; 3];
        self.mirrored.resize(mzis, false);
        let own = self.rotations.chunks_mut(CHUNK).zip(self.mirrored.chunks_mut(CHUNK));
        for (places, (rotations, mirrored)) in self.places.chunks(CHUNK).zip(own) {
            for (angles, &(mzi, rows)) in angles.chunks_exact_mut(2).zip(places) {
                let (mzi, [upper, lower]) = (mzi as usize, rows.map(|row| row as usize));
                let half = 0.5 * (theta[mzi].wide() + error(mzi));
                let turn = phi[mzi].wide() + error(mzis + mzi) + self.walk[upper] - self.walk[lower];
                (angles[0], angles[1]) = (half, turn);
                let pushed = self.walk[lower] + half + FRAC_PI_2;
                let pushed = if pushed > PI { pushed - TAU } else { pushed };
                (self.walk[upper], self.walk[lower]) = (pushed, pushed);
            }
            sines_and_cosines(&angles, &mut sines, &mut cosines);
            for (k, (rotation, &(_, rows))) in rotations.iter_mut().zip(places).enumerate() {
                let [upper, lower] = rows.map(|row| row as usize);
                let sign = self.signs[upper] * self.signs[lower];
                let turn = Complex64::new(sign * cosines[2 * k + 1], sign * sines[2 * k + 1]);
                let (own, signs) = Rotation::new(turn, [sines[2 * k], cosines[2 * k]]);
                *rotation = own;
                mirrored[k] = signs[0] != signs[1];
                [self.signs[upper], self.signs[lower]] = signs.map(|sign| sign * self.signs[lower]);
            }
        }
        let (walk, signs) = (&self.walk, &self.signs);
        let angle = |mode: usize| gamma[mode].wide() + error(2 * mzis + mode) + walk[mode];
        set_phases(&mut self.output_phases, angle, |phase, mode| phase * signs[mode]);
    }

    /// Rotations of MZIs whose couplers have angles of their own.
    fn program_coupled(&mut self) {
        let Some(Coupled { couplers, turned, whole, walk }) = &mut self.coupled else { return };
        let (theta, phi, gamma) = self.mesh.split(&self.controls);
        let mzis = self.mesh.mzis();
        let errors = self.phase_errors.as_ref();
        let error = |index: usize| errors.map_or(0.0, |errors| errors[index]);
        let phases = |mzi: usize| [theta[mzi].wide() + error(mzi), phi[mzi].wide() + error(mzis + mzi)];
        walk.fill(Complex64::ONE);
        let at_once = if *whole { mzis } else { PROGRAMMED.min(mzis) }.max(1);
        turned.resize(at_once, Turned::default());
        for (places, rotations) in self.places.chunks(at_once).zip(self.rotations.chunks_mut(at_once)) {
            let turned = &mut turned[..places.len()];
            turn_all(places, phases, couplers, turned);
            for ((rotation, turned), &(_, rows)) in rotations.iter_mut().zip(turned).zip(places) {
                let [upper, lower] = rows.map(|row| row as usize);
                let turn = turned.turn * walk[upper] * walk[lower].conj();
                let (own, signs) = Rotation::new(turn, turned.split);
                *rotation = own;
                for (leaving, sign) in turned.leaving.iter_mut().zip(signs) {
                    *leaving *= sign;
                }
                [walk[upper], walk[lower]] = turned.leaving.map(|phase| phase * walk[lower]);
            }
        }
        let angle = |mode: usize| gamma[mode].wide() + error(2 * mzis + mode);
        set_phases(&mut self.output_phases, angle, |phase, mode| phase * walk[mode]);
    }

    /// Light through the mesh: any, or one unit of it on every mode in turn.
    fn cross(&mut self, input: &[T], batch: usize, units: bool, output: &mut [T]) {
        let width = self.width();
        let share = self.share(batch);
        let mut parts = self.take_parts(batch.div_ceil(share));
        let mesh = &*self;
        parts
            .par_iter_mut()
            .enumerate()
            .zip(input[..batch * width].par_chunks(share * width))
            .zip(output[..batch * width].par_chunks_mut(share * width))
            .for_each(|(((index, part), input), output)| {
                let light = if units { Light::Units { from: index * share } } else { Light::Any };
                pulp::Arch::new().dispatch(Forward { mesh, light, part, input, output });
            });
        self.parts = parts;
    }

    /// Fields and adjoints back through the mesh, and the gradient.
    fn carry_back(&mut self, pass: &Recorded<T>, units: bool, slopes: Slopes<T>) {
        let Recorded { output, adjoint, batch, .. } = *pass;
        let Slopes { adjoint_in, all_the_way, gradient, imperfections } = slopes;
        let width = self.width();
        let share = self.share(batch);
        let count = batch.div_ceil(share);
        let mut parts = self.take_parts(count);
        self.keep_turned();
        let mesh = &*self;
        parts
            .par_iter_mut()
            .enumerate()
            .zip(output[..batch * width].par_chunks(share * width))
            .zip(adjoint[..batch * width].par_chunks(share * width))
            .zip(adjoint_in[..batch * width].par_chunks_mut(share * width))
            .for_each(|((((index, part), output), adjoint), adjoint_in)| {
                let light = if units { Light::Units { from: index * share } } else { Light::Any };
                pulp::Arch::new().dispatch(Backward { mesh, light, part, output, adjoint, adjoint_in, all_the_way });
            });
        self.walk_back(&mut parts[..count], gradient, imperfections);
        self.parts = parts;
    }

    /// Keeps every MZI with couplers of its own as it is programmed, from now on.
    fn keep_turned(&mut self) {
        if self.coupled.as_ref().is_some_and(|coupled| !coupled.whole) {
            if let Some(coupled) = &mut self.coupled {
                coupled.whole = true;
            }
            self.program_coupled();
        }
    }

    /// Gradients from the sums of all parts.
    fn walk_back(&mut self, parts: &mut [Part<T>], gradient: &mut [T], imperfections: Option<&mut [T]>) {
        let mzis = self.mesh.mzis();
        for (mode, (sum, gamma)) in self.walk.iter_mut().zip(&mut gradient[2 * mzis..]).enumerate() {
            *sum = parts.iter().map(|part| part.output_slopes[mode].wide()).sum();
            *gamma = T::of(-2.0 * *sum);
        }
        let (theta, phi) = gradient[..2 * mzis].split_at_mut(mzis);
        let Some(Coupled { couplers, turned, .. }) = &self.coupled else {
            let slopes = add_up(parts, |part| &mut part.slopes);
            let places = self.places.iter().zip(&self.mirrored);
            for ((&(mzi, rows), &mirrored), &[mixed, entering]) in places.zip(slopes).rev() {
                let (mzi, [upper, lower]) = (mzi as usize, rows.map(|row| row as usize));
                let both = self.walk[upper] + self.walk[lower];
                let mixed = if mirrored { -mixed.wide() } else { mixed.wide() };
                theta[mzi] = T::of(mixed - both);
                phi[mzi] = T::of(-2.0 * entering.wide());
                (self.walk[upper], self.walk[lower]) = (entering.wide(), both - entering.wide());
            }
            return;
        };
        let mut none: [T; 0] = [];
        let (own, waveguides) = match imperfections {
            Some(imperfections) => {
                let (own, waveguides) = imperfections.split_at_mut(3 * mzis);
                (own, Some(waveguides))
            }
            None => (&mut none[..], None),
        };
        let slopes = add_up(parts, |part| &mut part.coupled);
        for ((&(mzi, rows), turned), &[mixed, entering, swapped]) in self.places.iter().zip(turned).zip(slopes).rev() {
            let (mzi, [upper, lower]) = (mzi as usize, rows.map(|row| row as usize));
            let powers = [self.walk[upper], self.walk[lower]];
            let [of_theta, of_first, of_second] = turned.slopes(couplers[mzi][1], powers, mixed.wide(), swapped.wide());
            theta[mzi] = T::of(of_theta);
            phi[mzi] = T::of(-2.0 * entering.wide());
            if waveguides.is_some() {
                own[mzi] = T::of(of_first);
                own[mzis + mzi] = T::of(of_second);
                own[2 * mzis + mzi] = theta[mzi];
            }
            (self.walk[upper], self.walk[lower]) = (entering.wide(), powers[0] + powers[1] - entering.wide());
        }
        if let Some(waveguides) = waveguides {
            waveguide_gradient(&self.mesh, &gradient[mzis..], waveguides);
        }
    }
}

/// `e^{iα}` of every mode, times what `times` multiplies it by.
fn set_phases<T: Real>(
    slots: &mut [[T; 2]],
    angle: impl Fn(usize) -> f64,
    times: impl Fn(Complex64, usize) -> Complex64,
) {
    let [mut angles, mut sines, mut cosines] = [[0.0; CHUNK]; 3];
    for (chunk, slots) in slots.chunks_mut(CHUNK).enumerate() {
        let first = chunk * CHUNK;
        (first..first + slots.len()).zip(&mut angles).for_each(|(mode, slot)| *slot = angle(mode));
        sines_and_cosines(&angles, &mut sines, &mut cosines);
        for (k, slot) in slots.iter_mut().enumerate() {
            let phase = times(Complex64::new(cosines[k], sines[k]), first + k);
            *slot = [phase.re, phase.im].map(T::of);
        }
    }
}

/// Samples per part for a batch of reals of so many bytes.
fn share(mesh: &Mesh, real: usize, batch: usize) -> usize {
    tiles::share(batch, (SLOPE_BYTES / (mesh.controls() * real)).clamp(2, MAX_PARTS)).max(1)
}

/// Bytes that a [`RotatedMesh`] keeps of batches of so many samples beside a copy of its controls.
pub(super) fn bytes(mesh: &Mesh, held: &Held, batch: usize) -> usize {
    let Held { real, errors, back, estimated, .. } = *held;
    let (couplers, turned) = (size_of::<[Coupler<f64>; 2]>(), size_of::<Turned>());
    let of_each = size_of::<Place>() + 4 * real // its place and its rotation
        + if errors { couplers } else { size_of::<bool>() }
        + if errors && back { turned } else { 0 }
        + if estimated { 2 * size_of::<f64>() } else { 0 };
    let programmed = if errors && !back { turned * PROGRAMMED.min(mesh.mzis()) } else { 0 };
    let slopes = real * if errors { COUPLED } else { IDEAL };
    let parts = batch.div_ceil(share(mesh, real, batch));
    let tiles = (1 + usize::from(back)) * 2 * mesh.modes() * tiles::TILE * real;
    mesh.mzis() * of_each + programmed + parts * (if back { mesh.mzis() * slopes } else { 0 } + tiles)
}

/// The slopes of all parts, added up in the first.
fn add_up<T: Real, const SLOPES: usize>(
    parts: &mut [Part<T>],
    own: impl Fn(&mut Part<T>) -> &mut Vec<[T; SLOPES]>,
) -> &[[T; SLOPES]] {
    let mut all = parts.iter_mut().map(own);
    let total = all.next().expect("a batch is not empty");
    let others: Vec<_> = all.collect();
    total.par_chunks_mut(SUMMED).enumerate().for_each(|(chunk, total)| {
        for part in &others {
            for (slot, more) in total.iter_mut().zip(&part[chunk * SUMMED..]) {
                slot.iter_mut().zip(more).for_each(|(slot, &more)| *slot += more);
            }
        }
    });
    total
}

impl<T: Real> CpuStage<T> for RotatedMesh<T> {
    /// Rotations keep no fields at the shifters, so the general mesh takes over.
    fn as_mesh(&mut self) -> Option<&mut MeshStage<T>> {
        if self.lit.is_none() {
            let (couplers, phases) = (self.coupled.as_ref().map(|own| own.couplers.clone()), self.phase_errors.clone());
            let (transmission, columns) = (self.transmission, self.columns.clone());
            let mut lit = MeshStage::even(&self.mesh, couplers, phases, transmission, columns).ok()?; // they have been checked
            lit.program(&self.controls);
            self.lit = Some(Box::new(lit));
        }
        self.lit.as_deref_mut()
    }

    fn program(&mut self, controls: &[T]) {
        self.controls.clear();
        self.controls.extend_from_slice(controls);
        if let Some(lit) = &mut self.lit {
            lit.program(controls);
        }
        if self.is_coupled() {
            self.program_coupled();
        } else {
            self.program_ideal();
        }
    }

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        self.cross(input, batch, false, output);
    }

    fn reads_input(&self, _kept: &Kept<T>) -> bool {
        false
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        self.carry_back(pass, false, slopes);
    }

    fn forward_units(&mut self, units: &[T], count: usize, output: &mut [T]) {
        self.cross(units, count, true, output);
    }

    fn backward_units(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        self.carry_back(pass, true, slopes);
    }

    fn set_imperfections(&mut self, estimate: &[T]) {
        let mzis = self.mesh.mzis();
        let (couplers, rest) = estimate.split_at(2 * mzis);
        let (theta, waveguides) = rest.split_at(mzis);
        let pair = |mzi: usize| [couplers[mzi], couplers[mzis + mzi]].map(|delta| Coupler::new(delta.wide()));
        let couplers = (0..mzis).map(pair).collect();
        match &mut self.coupled {
            Some(coupled) => coupled.couplers = couplers,
            none => *none = Some(Coupled::new(couplers, self.mesh.modes())),
        }
        let waveguides: Vec<f64> = waveguides.iter().map(|error| error.wide()).collect();
        let theta = theta.iter().map(|error| error.wide());
        self.phase_errors = Some(Arc::new(theta.chain(control_errors(&self.mesh, &waveguides)).collect()));
        if let Some(lit) = &mut self.lit {
            lit.set_imperfections(estimate);
        }
    }
}

#[cfg(test)]
#[path = "mesh_rotated_tests.rs"]
mod tests;
