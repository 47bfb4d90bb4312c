//! Convolutions: patches of some samples at a time, as samples of the element that all of them cross.

use super::memory::{Held, bytes};
use super::mesh::MeshStage;
use super::patches::Windows;
use super::stage::{CpuStage, Kept, OnCpu, Recorded, Slopes, build};
use crate::stage::{Convolution, StageErrors};
use crate::{Real, Result};
use rayon::prelude::*;

/// Reals of the patches that are made at a time: they stay in the cache, and memory does not grow with the batch.
const PATCHES: usize = 1 << 18;

/// The element, and where its patches lie.
struct ConvolutionStage<T> {
    windows: Windows,
    positions: usize,
    /// Reals that leave the element.
    outputs: usize,
    element: Box<dyn CpuStage<T>>,
    room: Room<T>,
}

/// Memory for the patches of a piece, kept from call to call.
#[derive(Default)]
struct Room<T> {
    /// `[sample, position, entry]`: what enters the element, and its adjoint.
    patches: Vec<T>,
    adjoint_in: Vec<T>,
    /// `[sample, position, output]`: what leaves the element, or its adjoint.
    leaves: Vec<T>,
    /// Gradients of a piece: of the controls, of the imperfections.
    gradient: Vec<T>,
    imperfections: Vec<T>,
}

impl OnCpu for Convolution {
    fn on_cpu<T: Real>(&self, errors: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        Ok(Box::new(ConvolutionStage {
            windows: Windows::new(self.patches),
            positions: self.patches.positions(),
            outputs: self.element.output().width(),
            element: build(&self.element, errors)?,
            room: Room::default(),
        }))
    }

    /// Those of the element, and the patches of a piece.
    fn bytes(&self, held: &Held) -> usize {
        let positions = self.patches.positions();
        let sample = positions.saturating_mul(self.element.input().width());
        let leaves = positions.saturating_mul(self.element.output().width());
        let piece = samples_of(sample).min(held.batch);
        let ways = 1 + usize::from(held.back);
        let reals = piece.saturating_mul(ways * sample + leaves).saturating_add(ways * self.element.controls());
        let batch = piece.saturating_mul(positions);
        let held = Held { batch, still: held.still.saturating_mul(positions), ..*held };
        bytes(&self.element, &held).saturating_add(held.real.saturating_mul(reals))
    }
}

/// Samples of a piece whose patches have so many reals each.
fn samples_of(sample: usize) -> usize {
    (PATCHES / sample.max(1)).max(1)
}

impl<T: Real> ConvolutionStage<T> {
    /// Samples of a piece.
    fn piece(&self) -> usize {
        samples_of(self.windows.entries)
    }

    /// Reals of a sample that leave.
    fn leaving(&self) -> usize {
        self.positions * self.outputs
    }
}

impl<T: Real> Room<T> {
    fn reserve(&mut self, patches: usize, leaves: usize) {
        for (room, reals) in [(&mut self.patches, patches), (&mut self.leaves, leaves)] {
            if room.len() < reals {
                room.resize(reals, T::zero());
            }
        }
    }
}

impl<T: Real> CpuStage<T> for ConvolutionStage<T> {
    fn program(&mut self, controls: &[T]) {
        self.element.program(controls);
    }

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        let (features, leaving, piece) = (self.windows.features, self.leaving(), self.piece());
        let pieces = input[..batch * features].chunks(piece * features);
        for (input, output) in pieces.zip(output[..batch * leaving].chunks_mut(piece * leaving)) {
            let samples = input.len() / features;
            self.room.reserve(samples * self.windows.entries, samples * leaving);
            let patches = &mut self.room.patches[..samples * self.windows.entries];
            self.windows.take(input, patches);
            let leaves = &mut self.room.leaves[..samples * leaving];
            self.element.forward(patches, samples * self.positions, leaves);
            turn(leaves, self.positions, self.outputs, output);
        }
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let Recorded { input, adjoint, batch, .. } = *pass;
        let Slopes { adjoint_in, all_the_way, gradient, mut imperfections } = slopes;
        let (features, leaving, piece) = (self.windows.features, self.leaving(), self.piece());
        gradient.fill(T::zero());
        if let Some(imperfections) = &mut imperfections {
            imperfections.fill(T::zero());
        }
        let kept = Kept::default();
        let pieces = input[..batch * features]
            .chunks(piece * features)
            .zip(adjoint[..batch * leaving].chunks(piece * leaving))
            .zip(adjoint_in[..batch * features].chunks_mut(piece * features));
        for ((input, adjoint), adjoint_in) in pieces {
            let samples = input.len() / features;
            let entries = samples * self.windows.entries;
            self.room.reserve(entries, samples * leaving);
            let Room { patches, adjoint_in: back, leaves, gradient: own, imperfections: own_imperfections } =
                &mut self.room;
            let (patches, leaves) = (&mut patches[..entries], &mut leaves[..samples * leaving]);
            self.windows.take(input, patches);
            turn(adjoint, self.outputs, self.positions, leaves);
            back.resize(back.len().max(entries), T::zero());
            own.resize(gradient.len(), T::zero());
            own_imperfections.resize(imperfections.as_deref().map_or(0, <[T]>::len), T::zero());
            let asked = imperfections.is_some();
            self.element.backward(
                // stages between numbers ask for what entered and not for what left
                &Recorded {
                    input: patches,
                    output: &[],
                    adjoint: leaves,
                    batch: samples * self.positions,
                    kept: &kept,
                },
                Slopes {
                    adjoint_in: &mut back[..entries],
                    all_the_way,
                    gradient: own,
                    imperfections: asked.then_some(own_imperfections),
                },
            );
            add(own, gradient);
            if let Some(imperfections) = &mut imperfections {
                add(own_imperfections, imperfections);
            }
            if all_the_way {
                self.windows.bring_back(&back[..entries], adjoint_in);
            }
        }
    }

    fn meshes(&mut self) -> Vec<&mut MeshStage<T>> {
        self.element.meshes()
    }

    fn set_imperfections(&mut self, estimate: &[T]) {
        self.element.set_imperfections(estimate);
    }
}

/// `sum += part`.
fn add<T: Real>(part: &[T], sum: &mut [T]) {
    sum.iter_mut().zip(part).for_each(|(slot, &value)| *slot += value);
}

/// `target [sample, column, row] ← source [sample, row, column]`, with so many rows and columns.
fn turn<T: Real>(source: &[T], rows: usize, columns: usize, target: &mut [T]) {
    let size = rows * columns;
    target.par_chunks_exact_mut(size).zip(source.par_chunks_exact(size)).for_each(|(target, source)| {
        // a short row is read at once, a long one is written at once
        if columns <= rows {
            for (row, values) in source.chunks_exact(columns).enumerate() {
                values.iter().enumerate().for_each(|(column, &value)| target[column * rows + row] = value);
            }
        } else {
            for (column, slots) in target.chunks_exact_mut(rows).enumerate() {
                slots.iter_mut().enumerate().for_each(|(row, slot)| *slot = source[row * columns + column]);
            }
        }
    });
}
