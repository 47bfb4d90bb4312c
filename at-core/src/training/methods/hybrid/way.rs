//! The way of a sample step by step: which meshes of the chip it crosses, and what the computer does between them. Convolutions, series and
//! residual connections around meshes are taken apart, so that every mesh is lit by itself:
//!
//! ```text
//! convolution around a series    patches cut from the image, which are samples of what follows; the series; outputs [patch, output] joined to an image
//! residual connection            x ← s·x, which is kept; the branch; y ← s·(kept + x)
//! ```

use crate::Result;
use crate::network::{Network, Stage, Visit};
use crate::stage::{Element, Patches, Pool, Pooling};
use std::ops::Range;

/// One crossing of one mesh of the chip.
#[derive(Clone, Debug)]
pub struct MeshPlace {
    /// Its number, as light meets it first: that of [`Network::all_meshes`].
    pub index: usize,
    /// The number of this crossing, of all of all meshes: a looped mesh is crossed at every step.
    pub crossing: usize,
    /// Where its controls lie.
    pub controls: Range<usize>,
    /// Reals per sample that enter and leave; where patches cross it, per patch.
    pub width: usize,
    /// Patches of a sample that cross it in turn, each of which it takes for a sample; 1 where samples cross it as a whole.
    pub patches: usize,
}

impl MeshPlace {
    /// Reals that enter and leave of so many samples.
    pub fn reals(&self, samples: usize) -> usize {
        samples * self.patches * self.width
    }
}

/// One step of the way, with a `C` that cuts images and a `J` that joins them.
pub(super) enum Step<C, J> {
    /// Light crosses a mesh of the chip.
    Mesh(MeshPlace),
    /// The computer works out layer `layer` of its part number `part`.
    Electronics { part: usize, layer: usize },
    /// Images become patches.
    Cut(C),
    /// `[patch, output]` of every sample becomes an image `[output, patch]`.
    Join(J),
    /// What enters both arms: s·x. They meet again at step `add`.
    Split { share: f64, add: usize },
    /// s·(x + what left step `split`).
    Add { share: f64, split: usize },
}

impl<C, J> Step<C, J> {
    /// The mesh, if it is one.
    pub fn mesh(&self) -> Option<&MeshPlace> {
        if let Step::Mesh(mesh) = self { Some(mesh) } else { None }
    }

    /// The same with what cuts and joins.
    pub fn equipped<D, K>(self, cut: impl Fn(C) -> Result<D>, join: impl Fn(J) -> Result<K>) -> Result<Step<D, K>> {
        Ok(match self {
            Step::Mesh(mesh) => Step::Mesh(mesh),
            Step::Electronics { part, layer } => Step::Electronics { part, layer },
            Step::Cut(own) => Step::Cut(cut(own)?),
            Step::Join(own) => Step::Join(join(own)?),
            Step::Split { share, add } => Step::Split { share, add },
            Step::Add { share, split } => Step::Add { share, split },
        })
    }
}

/// A step as planned: patches that are cut, and how many patches of how many outputs are joined.
type Planned = Step<Patches, [usize; 2]>;

/// Neighbouring stages as a network of its own, of which the computer works out what is no mesh.
pub(super) struct Part {
    pub network: Network,
    /// Where its controls lie among those of the whole network.
    pub controls: Range<usize>,
    /// Where controls of what is no mesh lie among its own.
    pub electronic: Vec<Range<usize>>,
    /// Patches of a sample, each of which it takes for a sample; 1 where samples cross it as a whole.
    pub patches: usize,
}

impl Part {
    /// Whether the stage that is its layer `layer` has any; of a looped network that of a visit.
    pub fn has_controls(&self, layer: usize) -> bool {
        let visited = self.network.visits()[layer].layer;
        self.network.layers()[visited].iter().any(|stage| stage.controls() > 0)
    }
}

/// All steps of a network's way.
pub(super) struct Way {
    pub steps: Vec<Planned>,
    /// Reals per sample in front of every step, and behind the last.
    pub widths: Vec<usize>,
    pub parts: Vec<Part>,
}

impl Way {
    /// That of `network`, which [`super::check`] lets pass.
    pub fn of(network: &Network) -> Result<Self> {
        if network.recurrence().is_some() {
            return Way::looped(network);
        }
        let mut way = Building::default();
        for stage in network.stages() {
            way.cross(stage)?;
        }
        way.close()?;
        let Building { steps, mut widths, parts, .. } = way;
        widths.push(network.outputs());
        Ok(Way { steps, widths, parts })
    }

    /// Stages as often as light crosses them, no mesh inside another.
    fn looped(network: &Network) -> Result<Self> {
        let network = network.single_stages()?;
        let (mut places, mut end, mut index) = (Vec::new(), 0, 0);
        for own in network.stages() {
            let start = end;
            end += own.controls();
            places.push((index, start..end));
            index += usize::from(matches!(own, Stage::Mesh(_)));
        }
        let mut crossing = 0;
        let mut step = |(number, (visit, own)): (usize, (&Visit, &Stage))| {
            let Stage::Mesh(mesh) = own else { return Step::Electronics { part: 0, layer: number } };
            let (index, controls) = places[visit.layer].clone();
            crossing += 1;
            Step::Mesh(MeshPlace { index, crossing: crossing - 1, controls, width: 2 * mesh.modes(), patches: 1 })
        };
        let visits = network.visits();
        let steps = visits.iter().zip(network.crossed_stages()).enumerate().map(&mut step).collect();
        let widths = network.crossed_stages().map(|stage| stage.input().width()).chain([network.outputs()]).collect();
        let electronic = electronic(network.stages());
        let part = Part { controls: 0..network.controls(), electronic, network, patches: 1 };
        Ok(Way { steps, widths, parts: vec![part] })
    }
}

/// Where controls of what is no mesh lie among those of `stages`.
fn electronic<'a>(stages: impl Iterator<Item = &'a Stage>) -> Vec<Range<usize>> {
    let (mut ranges, mut end) = (Vec::new(), 0);
    for stage in stages {
        let own = end..end + stage.controls();
        end = own.end;
        if !own.is_empty() && !matches!(stage, Stage::Mesh(_)) {
            ranges.push(own);
        }
    }
    ranges
}

/// A way under construction.
#[derive(Default)]
struct Building {
    steps: Vec<Planned>,
    widths: Vec<usize>,
    parts: Vec<Part>,
    /// Stages of the part that is under way.
    open: Vec<Stage>,
    /// Patches of a sample that are under way, where it was cut.
    patches: Option<usize>,
    meshes: usize,
    /// Controls of the stages so far.
    controls: usize,
}

impl Building {
    fn step(&mut self, step: Planned, width: usize) {
        self.steps.push(step);
        self.widths.push(width);
    }

    fn cross(&mut self, stage: &Stage) -> Result<()> {
        if !stage.hides_a_mesh() {
            self.single(stage);
            return Ok(());
        }
        if let Stage::Convolution(own) = stage {
            let (patches, outputs) = (own.patches.positions(), own.element.output().width());
            self.close()?;
            self.step(Step::Cut(own.patches), own.input().width());
            self.patches = Some(patches);
            self.cross(&own.element)?;
            self.close()?;
            self.patches = None;
            self.step(Step::Join([patches, outputs]), own.output().width());
            return Ok(());
        }
        let inside = stage.inside().unwrap_or_default();
        if let Stage::Residual(own) = stage {
            let (share, width, split) = (own.share(), own.input().width(), self.steps.len());
            self.step(Step::Split { share, add: split }, width);
            inside.iter().try_for_each(|stage| self.cross(stage))?;
            let add = self.steps.len();
            self.step(Step::Add { share, split }, width);
            self.steps[split] = Step::Split { share, add };
            return Ok(());
        }
        inside.iter().try_for_each(|stage| self.cross(stage))
    }

    fn single(&mut self, stage: &Stage) {
        let patches = self.patches.unwrap_or(1);
        let controls = self.controls..self.controls + stage.controls();
        self.controls = controls.end;
        let width = stage.input().width();
        let step = if let Stage::Mesh(_) = stage {
            self.meshes += 1;
            let number = self.meshes - 1;
            Step::Mesh(MeshPlace { index: number, crossing: number, controls, width, patches })
        } else {
            Step::Electronics { part: self.parts.len(), layer: self.open.len() }
        };
        self.step(step, patches.saturating_mul(width));
        let stage = match stage {
            // the computer pools what it worked out itself; a part may begin so
            Stage::Pooling(own) if own.pool == Pool::Detectors => {
                Stage::Pooling(Pooling { pool: Pool::Average, ..*own })
            }
            same => same.clone(),
        };
        self.open.push(stage);
    }

    /// Makes a network of the stages so far, where there are some: numbers leave the last of them.
    fn close(&mut self) -> Result<()> {
        if self.open.is_empty() {
            return Ok(());
        }
        let stages = std::mem::take(&mut self.open);
        let electronic = electronic(stages.iter());
        let network = Network::new(stages.into_iter().map(|stage| vec![stage]).collect())?;
        let controls = self.controls - network.controls()..self.controls;
        self.parts.push(Part { network, controls, electronic, patches: self.patches.unwrap_or(1) });
        Ok(())
    }
}

#[cfg(test)]
#[path = "way_tests.rs"]
mod tests;
