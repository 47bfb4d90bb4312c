//! How the dies of tiled layers are dealt out to ranks: the part of a network that one of them has, and of a chip's errors.
//!
//! A tiled layer is `splitters > meshes (> attenuators > meshes) > combiners` ([`crate::tiled`]). Of its D dies, rank r of R has those of
//! [`super::share`], in a row; its splitters lead to these dies alone, and its combiners start from them:
//!
//! ```text
//! y = Σ_r C_r U_r S_r x        a_x = Σ_r S_rᵀ U_rᴴ C_rᵀ a_y
//! ```
//!
//! so that what leaves the layer, and the error that leaves it backwards, are one sum over the ranks each. A layer with fewer dies than
//! there are ranks, and every stage that is no tile, is on all of them.

use super::cut::{Cut, Holder};
use super::share;
use crate::fabrication::Fabrication;
use crate::fabrication::control::ControlPath;
use crate::fabrication::coupling::Coupling;
use crate::network::{Layer, Network, Stage};
use crate::optics::Mesh;
use crate::stage::{Combiner, Order, Part, Splitter, StageErrors};
use crate::{Error, Result};
use std::ops::Range;

/// What one rank has of a network.
#[derive(Debug)]
pub(super) struct Deal {
    rank: usize,
    /// The design of all ranks together.
    pub whole: Network,
    /// What this rank has: layers of the whole are cut where the ranks meet.
    pub own: Network,
    /// Layers of `own` that are a layer of `whole`.
    pub layers: Vec<Range<usize>>,
    /// Of every layer of `own` whether it is one of tiles: what leaves it either way is a sum over the ranks.
    pub tiled: Vec<bool>,
    /// The controls.
    pub controls: Cut,
    /// Of every layer of `own`, the controls (as this rank counts them) that all ranks have and each has a part of the gradient of.
    pub partial: Vec<Vec<usize>>,
    /// For every stage of `own`, the stage of `whole` that it is a part of, where it is one.
    sources: Vec<Option<usize>>,
}

/// The stages of a tiled layer.
struct Tiles<'a> {
    /// Of the layer's stages.
    stages: Range<usize>,
    die: &'a Mesh,
    dies: usize,
    /// p and q: blocks of outputs and of inputs.
    rows: usize,
    columns: usize,
}

impl<'a> Tiles<'a> {
    /// Those that begin with stage number `first` of `layer`.
    fn of(layer: &'a [Stage], first: usize) -> Option<Self> {
        let mut next = first;
        let mut rows = 1;
        if let Some(Stage::Splitter(own)) = layer.get(next) {
            (rows, next) = (own.copies, next + 1);
        }
        let Some(Stage::Mesh(die)) = layer.get(next) else { return None };
        next += 1;
        if let (Some(Stage::Attenuators(between)), Some(Stage::Mesh(left))) = (layer.get(next), layer.get(next + 1))
            && (between.inputs, between.outputs) == (die.modes(), die.modes())
            && (left.modes(), left.dies()) == (die.modes(), die.dies())
        {
            next += 2;
        }
        let mut columns = 1;
        if let Some(Stage::Combiner(own)) = layer.get(next)
            && own.block == die.die_modes()
        {
            (columns, next) = (own.parts, next + 1);
        }
        let dies = die.dies();
        (dies > 1 && rows * columns == dies).then_some(Tiles { stages: first..next, die, dies, rows, columns })
    }
}

impl Deal {
    /// The part of rank number `rank` of `ranks`. Errs where no layer has as many tiles as there are ranks.
    pub fn new(whole: &Network, rank: usize, ranks: usize) -> Result<Self> {
        if whole.recurrence().is_some() {
            let what = "a network whose output is fed back, shared by tiles".to_string();
            return Err(Error::Unsupported { what, instead: "share batches".into() });
        }
        let mut deal = Dealing { rank, ranks, ..Dealing::default() };
        deal.controls = Cut::new(ranks);
        let mut layers = Vec::new();
        for layer in whole.layers() {
            let first = deal.layers.len();
            deal.layer(layer)?;
            layers.push(first..deal.layers.len());
        }
        let Dealing { layers: own, tiled, controls, partial, sources, most, .. } = deal;
        if !tiled.contains(&true) {
            let what = format!("a network whose layers have {most} tiles at most, shared by tiles on {ranks} ranks");
            let instead = "use at least as many tiles as ranks (`/TILE` in the notation of networks), or share batches";
            return Err(Error::Unsupported { what, instead: instead.into() });
        }
        let own = Network::new(own)?;
        Ok(Deal { rank, whole: whole.clone(), own, layers, tiled, controls, partial, sources })
    }

    /// The part of this rank in a chip's errors. Errs where a heater warms another rank's, and on noise of writing.
    pub fn fabrication(&self, whole: &Fabrication) -> Result<Fabrication> {
        if (whole.write_noise > 0.0 || whole.cycle_spread > 0.0)
            && self.whole.has(crate::imperfections::Part::PhaseChange)
        {
            // it is drawn by the number of a control, which is another one on every rank
            return Err(Error::Unsupported {
                what: "noise of writing cells beside tiles that ranks share".into(),
                instead: "share the batch instead of the tiles".into(),
            });
        }
        let stages = self.own.stages().zip(&self.sources).map(|(stage, source)| {
            source.map_or(StageErrors::NONE, |source| {
                let design = self.whole.stages().nth(source).expect("sources are stages of the whole");
                self.errors(design, stage, whole.stage(source))
            })
        });
        let of_controls = |all: &[f64]| if all.is_empty() { Vec::new() } else { self.controls.take(self.rank, all) };
        let mut perturbation =
            vec![Vec::new(); if whole.perturbation.is_empty() { 0 } else { self.own.layers().len() }];
        for (layer, own) in self.layers.iter().enumerate().filter(|_| !whole.perturbation.is_empty()) {
            perturbation[own.end - 1] = whole.perturbation(layer).to_vec();
        }
        let ControlPath { shifters, quartic, levels, coupling } = &whole.control;
        let shifters = if shifters.is_empty() { Vec::new() } else { self.controls.take(self.rank, shifters) };
        Ok(Fabrication {
            stages: if whole.stages.is_empty() { Vec::new() } else { stages.collect() },
            update_error: of_controls(&whole.update_error),
            perturbation,
            amplified: whole.amplified,
            control: ControlPath {
                shifters,
                quartic: *quartic,
                levels: *levels,
                coupling: self.coupling(coupling)?.into(),
            },
            noise: whole.noise,
            drift: whole.drift,
            write_noise: whole.write_noise,
            cycle_spread: whole.cycle_spread,
            seed: whole.seed,
        })
    }

    /// Of the `errors` of the stage `design` those of its part `own`.
    fn errors(&self, design: &Stage, own: &Stage, errors: &StageErrors) -> StageErrors {
        let (Stage::Mesh(mesh), Stage::Mesh(part), Some(page)) = (design, own, own.element().imperfect()) else {
            return errors.clone();
        };
        if errors.is_none() || mesh == part {
            return errors.clone();
        }
        let dies = share(mesh.dies(), self.rank, self.controls.ranks());
        let of_controls: Vec<bool> = mesh.die_controls().into_iter().map(|(die, _)| dies.contains(&die)).collect();
        let vectors = design.errors().into_iter().zip(errors.iter()).map(|(vector, (_, values))| match vector.order {
            Order::Stage => values.to_vec(),
            Order::Controls | Order::ControlsFrom(_) => {
                let chosen = values.iter().zip(&of_controls).filter(|(_, own)| **own);
                chosen.map(|(value, _)| *value).collect()
            }
            Order::Waveguides { modes, die_modes } => {
                let own = dies.start * die_modes..dies.end * die_modes;
                values.chunks_exact(modes).flat_map(|column| column[own.clone()].iter().copied()).collect()
            }
        });
        StageErrors::new(page, vectors.collect())
    }

    /// Of the crosstalk between all controls that between this rank's.
    fn coupling(&self, whole: &Coupling) -> Result<Coupling> {
        if whole.starts.is_empty() {
            return Ok(Coupling::default());
        }
        let indices: Vec<u32> = (0..self.controls.len() as u32).collect();
        let mut place = vec![u32::MAX; indices.len()];
        let held = self.controls.take(self.rank, &indices);
        held.iter().enumerate().for_each(|(own, &whole)| place[whole as usize] = own as u32);
        let mut own = Coupling { starts: vec![0], ..Coupling::default() };
        for control in held {
            let entries = whole.starts[control as usize] as usize..whole.starts[control as usize + 1] as usize;
            for entry in entries {
                let neighbour = place[whole.neighbours[entry] as usize];
                if neighbour == u32::MAX {
                    let what =
                        "crosstalk between attenuators of different tiles, shared by tiles on several ranks".into();
                    let instead = "set `crosstalk` to 0, use tiles without attenuators, or share batches".into();
                    return Err(Error::Unsupported { what, instead });
                }
                own.neighbours.push(neighbour);
                own.strengths.push(whole.strengths[entry]);
            }
            own.starts.push(own.neighbours.len() as u32);
        }
        Ok(own)
    }
}

/// A deal in the making.
#[derive(Default)]
struct Dealing {
    rank: usize,
    ranks: usize,
    layers: Vec<Layer>,
    tiled: Vec<bool>,
    controls: Cut,
    partial: Vec<Vec<usize>>,
    sources: Vec<Option<usize>>,
    /// Stages of the whole so far.
    stages: usize,
    /// Tiles of the layer that has most.
    most: usize,
}

impl Dealing {
    /// Begins a layer.
    fn open(&mut self, tiled: bool) {
        self.layers.push(Vec::new());
        self.tiled.push(tiled);
        self.partial.push(Vec::new());
    }

    /// Adds `stage` to the layer at hand.
    fn add(&mut self, stage: Stage, source: Option<usize>) {
        self.layers.last_mut().expect("a layer was begun").push(stage);
        self.sources.push(source);
    }

    fn layer(&mut self, layer: &[Stage]) -> Result<()> {
        let (mut next, mut open) = (0, false);
        while next < layer.len() {
            let tiles = Tiles::of(layer, next);
            self.most = self.most.max(tiles.as_ref().map_or(1, |tiles| tiles.dies));
            if let Some(tiles) = tiles.filter(|tiles| tiles.dies >= self.ranks) {
                self.tiles(&layer[tiles.stages.clone()], &tiles)?;
                next = tiles.stages.end;
                open = false;
                continue;
            }
            if !open {
                self.open(false);
                open = true;
            }
            (0..layer[next].controls()).for_each(|_| self.controls.push(Holder::All));
            self.add(layer[next].clone(), Some(self.stages));
            self.stages += 1;
            next += 1;
        }
        Ok(())
    }

    /// This rank's dies of `tiles`, which are these `stages`.
    fn tiles(&mut self, stages: &[Stage], tiles: &Tiles) -> Result<()> {
        let Tiles { die, dies, rows, columns, .. } = *tiles;
        let modes = die.die_modes();
        let own = share(dies, self.rank, self.ranks);
        let part = Part { first: own.start * modes, modes: own.len() * modes };
        // of die d
        let mut holder = vec![0; dies];
        (0..self.ranks).for_each(|rank| holder[share(dies, rank, self.ranks)].fill(rank));
        self.open(true);
        self.add(Stage::Splitter(Splitter { inputs: columns * modes, copies: rows, part }), None);
        for (stage, source) in stages.iter().zip(self.stages..) {
            if let Stage::Mesh(mesh) = stage {
                mesh.die_controls().into_iter().for_each(|(die, _)| self.controls.push(Holder::Rank(holder[die])));
                self.add(Stage::Mesh(mesh.on_dies(own.len())?), Some(source));
            }
            if let Stage::Attenuators(_) = stage {
                (0..dies * modes).for_each(|mode| self.controls.push(Holder::Rank(holder[mode / modes])));
                // one gain for all dies
                let gain = self.controls.held(self.rank);
                self.controls.push(Holder::All);
                self.partial.last_mut().expect("a layer was begun").push(gain);
                self.add(Stage::attenuators(part.modes, part.modes), Some(source));
            }
        }
        self.add(Stage::Combiner(Combiner { outputs: rows * modes, parts: columns, block: modes, part }), None);
        self.stages += stages.len();
        Ok(())
    }
}
