//! Stages one behind the other as one: what a network does with its stages, inside a stage.

use super::memory::{Held, bytes};
use super::mesh::MeshStage;
use super::stage::{CpuStage, Kept, OnCpu, Recorded, Slopes, build};
use crate::stage::{Series, Stage, StageErrors};
use crate::{Real, Result};
use std::ops::Range;

/// What a forward pass through a series leaves for the way back: what left every stage, and what each keeps besides.
#[derive(Debug)]
pub struct Inside<T> {
    signals: Vec<Vec<T>>,
    kept: Vec<Kept<T>>,
    /// Samples of the pass.
    batch: usize,
}

impl<T> Default for Inside<T> {
    fn default() -> Self {
        Inside { signals: Vec::new(), kept: Vec::new(), batch: 0 }
    }
}

/// A stage of the series, and where its numbers lie among those of the series.
struct Part<T> {
    stage: Box<dyn CpuStage<T>>,
    controls: Range<usize>,
    imperfections: Range<usize>,
    inputs: usize,
    outputs: usize,
}

/// The stages.
pub struct SeriesStage<T> {
    parts: Vec<Part<T>>,
    /// Signals or adjoints between stages, from one to the other.
    between: [Vec<T>; 2],
    /// A pass that nobody else keeps.
    inside: Inside<T>,
}

impl OnCpu for Series {
    fn on_cpu<T: Real>(&self, errors: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        Ok(Box::new(SeriesStage::of(self, errors)?))
    }

    /// Those of the stages, with their controls; of a batch two signals between them, and on the way back all.
    fn bytes(&self, held: &Held) -> usize {
        let own = |stage: &Stage| bytes(stage, held).saturating_add(held.real * stage.controls());
        let (all, widest) = self.widths();
        let reals = (2 * widest).saturating_add(if held.back { all } else { 0 });
        let signals = held.real.saturating_mul(held.batch.saturating_mul(reals));
        self.stages.iter().map(own).fold(signals, usize::saturating_add)
    }
}

impl<T: Real> SeriesStage<T> {
    /// The stages of `page` with their errors.
    pub fn of(page: &Series, errors: &StageErrors) -> Result<Self> {
        let (controls, imperfections) = (page.first_controls(), page.first_imperfections());
        let errors = page.errors_of_stages(errors);
        let part = |(index, stage): (usize, &Stage)| {
            Ok(Part {
                stage: build(stage, &errors[index])?,
                controls: controls[index]..controls[index + 1],
                imperfections: imperfections[index]..imperfections[index + 1],
                inputs: stage.input().width(),
                outputs: stage.output().width(),
            })
        };
        let parts = page.stages.iter().enumerate().map(part).collect::<Result<_>>()?;
        Ok(SeriesStage { parts, between: [Vec::new(), Vec::new()], inside: Inside::default() })
    }

    fn reserve(&mut self, batch: usize) {
        let widest = self.parts.iter().map(|part| part.inputs.max(part.outputs)).max().unwrap_or(0);
        for room in &mut self.between {
            if room.len() < batch * widest {
                room.resize(batch * widest, T::zero());
            }
        }
    }

    /// A pass that keeps all that the way back needs in `inside`.
    fn keep(&mut self, input: &[T], batch: usize, inside: &mut Inside<T>) {
        inside.signals.resize_with(self.parts.len(), Vec::new);
        inside.kept.resize_with(self.parts.len(), Kept::default);
        inside.batch = batch;
        for (index, part) in self.parts.iter_mut().enumerate() {
            let (before, behind) = inside.signals.split_at_mut(index);
            let entering = before.last().map_or(input, Vec::as_slice);
            if behind[0].len() < batch * part.outputs {
                behind[0].resize(batch * part.outputs, T::zero());
            }
            let output = &mut behind[0][..batch * part.outputs];
            part.stage.record(&entering[..batch * part.inputs], batch, output, &mut inside.kept[index]);
        }
    }

    /// The way back of a pass that `inside` keeps.
    fn carry_back(&mut self, pass: &Recorded<T>, inside: &Inside<T>, slopes: Slopes<T>) {
        let Recorded { input, adjoint, batch, .. } = *pass;
        let Slopes { adjoint_in, all_the_way, gradient, mut imperfections } = slopes;
        self.reserve(batch);
        let [mut source, mut target] = std::mem::take(&mut self.between);
        let last = self.parts.len() - 1;
        for (index, part) in self.parts.iter_mut().enumerate().rev() {
            let entering = if index == 0 { input } else { &inside.signals[index - 1][..] };
            let arrives = if index == last { adjoint } else { &source[..] };
            let leaves = if index == 0 { &mut *adjoint_in } else { &mut target[..] };
            part.stage.backward(
                &Recorded {
                    input: &entering[..batch * part.inputs],
                    output: &inside.signals[index][..batch * part.outputs],
                    adjoint: &arrives[..batch * part.outputs],
                    batch,
                    kept: &inside.kept[index],
                },
                Slopes {
                    adjoint_in: &mut leaves[..batch * part.inputs],
                    all_the_way: index > 0 || all_the_way,
                    gradient: &mut gradient[part.controls.clone()],
                    imperfections: imperfections.as_deref_mut().map(|all| &mut all[part.imperfections.clone()]),
                },
            );
            std::mem::swap(&mut source, &mut target);
        }
        self.between = [source, target];
    }
}

impl<T: Real> CpuStage<T> for SeriesStage<T> {
    fn program(&mut self, controls: &[T]) {
        self.parts.iter_mut().for_each(|part| part.stage.program(&controls[part.controls.clone()]));
    }

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        self.reserve(batch);
        let [mut source, mut target] = std::mem::take(&mut self.between);
        let last = self.parts.len() - 1;
        for (index, part) in self.parts.iter_mut().enumerate() {
            let from = if index == 0 { input } else { &source[..] };
            let to = if index == last { &mut *output } else { &mut target[..] };
            part.stage.forward(&from[..batch * part.inputs], batch, &mut to[..batch * part.outputs]);
            std::mem::swap(&mut source, &mut target);
        }
        self.between = [source, target];
    }

    fn record(&mut self, input: &[T], batch: usize, output: &mut [T], kept: &mut Kept<T>) {
        let inside = kept.inside.get_or_insert_default();
        self.keep(input, batch, inside);
        let leaves = inside.signals.last().expect("a series has stages");
        let reals = output.len().min(leaves.len());
        output[..reals].copy_from_slice(&leaves[..reals]);
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        match &pass.kept.inside {
            Some(inside) if inside.batch == pass.batch => self.carry_back(pass, inside, slopes),
            Some(_) | None => {
                let mut inside = std::mem::take(&mut self.inside);
                self.keep(pass.input, pass.batch, &mut inside);
                self.carry_back(pass, &inside, slopes);
                self.inside = inside;
            }
        }
    }

    fn meshes(&mut self) -> Vec<&mut MeshStage<T>> {
        self.parts.iter_mut().flat_map(|part| part.stage.meshes()).collect()
    }

    fn set_imperfections(&mut self, estimate: &[T]) {
        self.parts.iter_mut().for_each(|part| part.stage.set_imperfections(&estimate[part.imperfections.clone()]));
    }
}
