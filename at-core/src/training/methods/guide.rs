//! Random directions that lie mostly in a subspace, which the methods that own it learn as they go.
//!
//! ```text
//! u = √(1−s)·z + √(s·D/k)·U w        z ~ N(0, I_D), w ~ N(0, I_k), U [D, k] orthonormal: the guides
//! E u uᵀ = (1−s)·I + s·(D/k)·U Uᵀ    of trace D whatever s is
//! ĝ = 1/((1−s) + s·D/k) · mean over the draws of (L(Θ + μu) − L(Θ))/μ · u
//! ```
//!
//! Within the guides E ĝ = ∇L + O(μ), so that a learning rate means what it means for a gradient; across them it is smaller by
//! `(1−s)/((1−s) + s·D/k)`, and so is its noise. With s = 0, and before there is a guide, u is that of [`super::zeroth_order`].
//!
//! Source: Maheswaranathan et al., "Guided evolutionary strategies: augmenting random search with surrogate gradients", ICML (2019),
//! arXiv 1806.10230, with s = 1 − α. There ĝ has the factor β/D instead, and both signs of u are measured.

use super::probe::Explorer;
use super::{Ingredients, MethodOption, OptionRange};
use crate::Result;
use crate::engine::{Engine, Optimizer};
use crate::propagator::{Propagator, Simulator};
use crate::training::draws::{Purpose, normals, stream};
use crate::training::{Batch, Parameters};

/// What of a guide must be left beside the others, so that it counts as one: below it there is rounding only.
const LEFT: f64 = 1e-5;

/// k at most.
pub const GUIDE_DIRECTIONS: MethodOption = MethodOption {
    name: "guide-directions",
    help: "latest guides that span the subspace of random directions [default: 8]",
    range: OptionRange::AtLeastOne,
    read: |options| Some(options.guide_directions as f64),
    multiplies_passes: false,
};

/// s.
pub const GUIDE_SHARE: MethodOption = MethodOption {
    name: "guide-share",
    help: "share of the directions' variance in that subspace; 0 is zeroth-order [default: 0.5]",
    range: OptionRange::Share,
    read: |options| Some(options.guide_share),
    multiplies_passes: false,
};

/// The subspace.
pub struct Guide<E: Engine> {
    directions: usize,
    share: f64,
    /// The latest guides, `[directions, controls]`, one after the other in turn; as many were kept as steps are counted.
    kept: Parameters<E>,
    controls: usize,
}

impl<E: Engine> Guide<E> {
    /// For a method of these parts.
    pub(super) fn of(from: &Ingredients<'_, E>) -> Result<Self>
    where
        E: Simulator,
    {
        let (directions, controls) = (from.options.guide_directions.min(from.initial.len()), from.initial.len());
        let kept = Parameters::new(from.engine, Optimizer::Sgd, &vec![0.0; directions * controls])?;
        Ok(Guide { directions, share: from.options.guide_share, kept, controls })
    }

    /// What a checkpoint needs of it.
    pub fn parameters(&self) -> (&'static str, &Parameters<E>) {
        ("guides", &self.kept)
    }

    /// The same, to be restored.
    pub fn parameters_mut(&mut self) -> (&'static str, &mut Parameters<E>) {
        ("guides", &mut self.kept)
    }

    /// Takes `vector` in the place of the oldest.
    pub fn keep(&mut self, engine: &E, vector: &E::Buffer) -> Result<()> {
        let mut all = engine.download(&self.kept.values)?;
        let place = (self.kept.memory.step % self.directions as u64) as usize * self.controls;
        all[place..place + self.controls].copy_from_slice(&engine.download(vector)?[..self.controls]);
        self.kept.values = engine.upload(&all)?;
        self.kept.memory.step += 1;
        Ok(())
    }

    /// U, column by column, from the latest guide back.
    fn basis(&self, engine: &E) -> Result<Vec<Vec<f64>>> {
        let (all, count) = (engine.download(&self.kept.values)?, self.kept.memory.step);
        let mut basis: Vec<Vec<f64>> = Vec::new();
        for age in 1..=count.min(self.directions as u64) {
            let place = ((count - age) % self.directions as u64) as usize * self.controls;
            let mut vector = all[place..place + self.controls].to_vec();
            let whole = norm(&vector);
            // twice, so that what rounding has left is taken off as well
            for own in basis.iter().chain(&basis) {
                let along: f64 = own.iter().zip(&vector).map(|(a, b)| a * b).sum();
                vector.iter_mut().zip(own).for_each(|(x, own)| *x -= along * own);
            }
            let left = norm(&vector);
            if left > LEFT * whole {
                vector.iter_mut().for_each(|x| *x /= left);
                basis.push(vector);
            }
        }
        Ok(basis)
    }

    /// Fills the explorer's gradient with ĝ of `batch` at `controls`, number `step`, where the loss is `here`.
    pub fn explore<C: Propagator<Engine = E>>(
        &self,
        explorer: &mut Explorer<E>,
        chip: &mut C,
        controls: &Parameters<E>,
        batch: &Batch<E>,
        here: f64,
        tally: &mut E::Buffer,
    ) -> Result<()> {
        let basis = self.basis(&explorer.probe.engine)?;
        let share = if basis.is_empty() { 0.0 } else { self.share };
        let stretch = if basis.is_empty() { 0.0 } else { share * self.controls as f64 / basis.len() as f64 };
        let (seed, step) = (explorer.probing.seed, controls.memory.step);
        // of their own stream, so that z is what it is without guides
        let (mut across, mut along) = (stream(seed, Purpose::Directions, step), stream(seed, Purpose::Guides, step));
        let direction = || {
            let mut u = normals(&mut across, self.controls, 1.0);
            u.iter_mut().for_each(|z| *z *= (1.0 - share).sqrt());
            if stretch > 0.0 {
                for (own, w) in basis.iter().zip(normals(&mut along, basis.len(), stretch.sqrt())) {
                    u.iter_mut().zip(own).for_each(|(x, own)| *x += w * own);
                }
            }
            u
        };
        let scale = 1.0 / (1.0 - share + stretch);
        explorer.one_way(chip, &controls.values, batch, (here, scale), direction, tally)
    }
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum::<f64>().sqrt()
}
