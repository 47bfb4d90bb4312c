//! A mesh of ideal couplers on the CPU: the digital model. It runs as rotations ([`super::mesh_rotations`]).

use super::mesh::MeshStage;
use super::mesh_ideal_tiles::{Backward, Forward, Part};
use super::mesh_kernel::{self, Place};
use super::mesh_rotations::{BLOCK, Rotation, Sweep};
use super::sines::sines_and_cosines;
use super::stage::{CpuStage, Kept, Recorded, Slopes};
use super::tiles;
use crate::optics::{Mesh, MeshLoss};
use crate::stage::StageErrors;
use crate::{Real, Result};
use rayon::prelude::*;
use std::f64::consts::{FRAC_PI_2, PI, TAU};

/// Slopes of all parts together stay below this many bytes, unless there would be fewer than two parts.
const SLOPE_BYTES: usize = 48 << 20;

/// No more parts than this, so that few-core machines do not add up many vectors.
const MAX_PARTS: usize = 32;

/// MZIs whose coefficients are computed together.
const CHUNK: usize = 32;

/// A mesh whose couplers all split evenly and whose waveguides all lose the same. Phases may be off.
pub struct IdealMesh<T> {
    pub(super) mesh: Mesh,
    phase_errors: Option<Vec<f64>>,
    /// Field transmission of all columns together.
    pub(super) transmission: T,
    pub(super) sweeps: Vec<Sweep>,
    /// Every MZI in the order of the loops.
    places: Vec<Place>,
    pub(super) rotations: Vec<Rotation<T>>,
    /// `e^{i(γ + σ)}`.
    pub(super) output_phases: Vec<[T; 2]>,
    /// One value per waveguide while walking through the mesh: σ, later `Σ Im a* y`.
    walk: Vec<f64>,
    parts: Vec<Part<T>>,
    errors: StageErrors,
    /// What takes over when couplers are estimated and so no longer ideal.
    tuned: Option<Box<MeshStage<T>>>,
    /// As programmed.
    controls: Vec<T>,
    /// What light is sent through in either direction ([`CpuStage::as_mesh`]).
    lit: Option<Box<MeshStage<T>>>,
}

impl<T: Real> IdealMesh<T> {
    /// The mesh, if its `errors` leave it as described.
    pub fn new(mesh: &Mesh, errors: &StageErrors) -> Result<Option<Self>> {
        let (mut phase_errors, mut transmission) = (None, T::one());
        let own = errors.get(["first_coupler", "second_coupler", "phases", "loss_db"]);
        if let Some([first_coupler, second_coupler, phases, loss_db]) = own {
            let loss = MeshLoss::new(mesh, loss_db)?;
            if loss.imbalance.is_some() || first_coupler.iter().chain(second_coupler).any(|&delta| delta != 0.0) {
                return Ok(None);
            }
            transmission = T::of(loss.transmission);
            phase_errors = phases.iter().any(|&phase| phase != 0.0).then(|| phases.to_vec());
        }
        let places = mesh_kernel::schedule(mesh, BLOCK);
        let rows: Vec<[u32; 2]> = places.iter().map(|&(_, rows)| rows).collect();
        let runs = rows.chunk_by(|[upper, _], [next, shared]| next + 1 == *upper && shared == upper);
        Ok(Some(IdealMesh {
            phase_errors,
            transmission,
            sweeps: runs.map(|run| Sweep { row: run[0][0], lower: run[0][1], count: run.len() as u32 }).collect(),
            rotations: vec![Rotation { turn: [T::zero(); 2], split: [T::zero(); 2] }; places.len()],
            places,
            output_phases: vec![[T::zero(); 2]; mesh.modes()],
            walk: vec![0.0; mesh.modes()],
            parts: Vec::new(),
            mesh: mesh.clone(),
            errors: errors.clone(),
            tuned: None,
            controls: Vec::new(),
            lit: None,
        }))
    }

    pub(super) fn width(&self) -> usize {
        2 * self.mesh.modes()
    }

    /// Samples per part for a batch.
    fn share(&self, batch: usize) -> usize {
        let bytes = self.mesh.controls() * size_of::<T>();
        tiles::share(batch, (SLOPE_BYTES / bytes).clamp(2, MAX_PARTS))
    }

    /// Takes out `count` parts.
    fn take_parts(&mut self, count: usize) -> Vec<Part<T>> {
        let mut parts = std::mem::take(&mut self.parts);
        if parts.len() < count {
            parts.resize_with(count, Part::default);
        }
        parts
    }

    /// Fields and adjoints back through the mesh, and the gradient.
    fn carry_back(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let Recorded { output, adjoint, batch, .. } = *pass;
        let Slopes { adjoint_in, all_the_way, gradient, .. } = slopes;
        let width = self.width();
        let share = self.share(batch);
        let count = batch.div_ceil(share);
        let mut parts = self.take_parts(count);
        let mesh = &*self;
        parts
            .par_iter_mut()
            .zip(output[..batch * width].par_chunks(share * width))
            .zip(adjoint[..batch * width].par_chunks(share * width))
            .zip(adjoint_in[..batch * width].par_chunks_mut(share * width))
            .for_each(|(((part, output), adjoint), adjoint_in)| {
                pulp::Arch::new().dispatch(Backward { mesh, part, output, adjoint, adjoint_in, all_the_way });
            });
        self.walk_back(&mut parts[..count], gradient);
        self.parts = parts;
    }

    /// Gradients from the sums of all parts: see [`super::mesh_rotations`].
    fn walk_back(&mut self, parts: &mut [Part<T>], gradient: &mut [T]) {
        let (total, others) = parts.split_first_mut().expect("a batch is not empty");
        total.slopes.par_chunks_mut(4096).enumerate().for_each(|(chunk, total)| {
            for part in &*others {
                for (slot, more) in total.iter_mut().zip(&part.slopes[chunk * 4096..]) {
                    *slot = [slot[0] + more[0], slot[1] + more[1]];
                }
            }
        });
        let mzis = self.mesh.mzis();
        let (theta, rest) = gradient.split_at_mut(mzis);
        let (phi, gamma) = rest.split_at_mut(mzis);
        for (mode, (sum, gamma)) in self.walk.iter_mut().zip(gamma).enumerate() {
            *sum = total.output_slopes[mode].wide();
            *sum += others.iter().map(|part| part.output_slopes[mode].wide()).sum::<f64>();
            *gamma = T::of(-2.0 * *sum);
        }
        for (&(mzi, rows), &[mixed, entering]) in self.places.iter().zip(&total.slopes).rev() {
            let (mzi, [upper, lower]) = (mzi as usize, rows.map(|row| row as usize));
            let both = self.walk[upper] + self.walk[lower];
            theta[mzi] = T::of(mixed.wide() - both);
            phi[mzi] = T::of(-2.0 * entering.wide());
            (self.walk[upper], self.walk[lower]) = (entering.wide(), both - entering.wide());
        }
    }
}

impl<T: Real> CpuStage<T> for IdealMesh<T> {
    /// Rotations keep no fields at the shifters, so the general mesh takes over.
    fn as_mesh(&mut self) -> Option<&mut MeshStage<T>> {
        if self.tuned.is_some() {
            return self.tuned.as_deref_mut();
        }
        if self.lit.is_none() {
            let mut lit = MeshStage::new(&self.mesh, &self.errors).ok()?; // they have been checked
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
        if let Some(tuned) = &mut self.tuned {
            return tuned.program(controls);
        }
        let (theta, phi, gamma) = self.mesh.split(controls);
        let mzis = self.mesh.mzis();
        let errors = self.phase_errors.as_deref();
        let error = |index: usize| errors.map_or(0.0, |errors| errors[index]);
        self.walk.fill(0.0);
        let [mut angles, mut sines, mut cosines] = [[0.0; 2 * CHUNK]; 3];
        for (places, rotations) in self.places.chunks(CHUNK).zip(self.rotations.chunks_mut(CHUNK)) {
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
            for (k, rotation) in rotations.iter_mut().enumerate() {
                rotation.split = [sines[2 * k], cosines[2 * k]].map(T::of);
                rotation.turn = [cosines[2 * k + 1], sines[2 * k + 1]].map(T::of);
            }
        }
        for (mode, (slot, gamma)) in self.output_phases.iter_mut().zip(gamma).enumerate() {
            let (sin, cos) = (gamma.wide() + error(2 * mzis + mode) + self.walk[mode]).sin_cos();
            *slot = [T::of(cos), T::of(sin)];
        }
    }

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        if let Some(tuned) = &mut self.tuned {
            return tuned.forward(input, batch, output);
        }
        let width = self.width();
        let share = self.share(batch);
        let mut parts = self.take_parts(batch.div_ceil(share));
        let mesh = &*self;
        parts
            .par_iter_mut()
            .zip(input[..batch * width].par_chunks(share * width))
            .zip(output[..batch * width].par_chunks_mut(share * width))
            .for_each(|((part, input), output)| {
                pulp::Arch::new().dispatch(Forward { mesh, part, input, output });
            });
        self.parts = parts;
    }

    fn reads_input(&self, _kept: &Kept<T>) -> bool {
        false
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        match &mut self.tuned {
            Some(tuned) => tuned.backward(pass, slopes),
            None => self.carry_back(pass, slopes),
        }
    }

    fn set_imperfections(&mut self, estimate: &[T]) {
        let (mesh, errors) = (&self.mesh, &self.errors);
        let stage = || Box::new(MeshStage::new(mesh, errors).expect("these errors were possible before"));
        self.tuned.get_or_insert_with(stage).set_imperfections(estimate);
    }
}
