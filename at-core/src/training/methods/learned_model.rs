//! The model that `at-adaptive` fits to a chip: the data sheet's, with unknowns in place of what individuals differ in.
//!
//! What the estimate of every mesh has, [`Tunable`] says. Where the chip's kind has a spread of more, the estimate has that too:
//!
//! ```text
//! losses     of every waveguide in every column (dB), beside that of the data sheet     Mesh::with_unknown_losses
//! heaters    h = (1 + s)·f(c),  s = √6·u/2π                                             f: as the data sheet has it
//! ```
//!
//! f is the way from a control to its heat ([`crate::fabrication::control`]) with range, converter and whole turns, and h is what the
//! model inside is told, whose crosstalk it makes itself. With the gradient G of h:
//!
//! ```text
//! dL/dc = (1 + s)·f'(c)·G        dL/du = √6/2π·f(c)·G
//! ```
//!
//! u is the root mean square of what s adds to the way between two controls anywhere within a turn (radians). In that unit, and with losses in dB,
//! steps of one size suit all unknowns. Losses in nepers, a dB of which is 0.115, would take steps that put more noise into a model of three meshes
//! than it bears (docs/results/coherent-meshes.md).
//!
//! Controls that are followed as `c₀ + (1 + E)(c − c₀)` have s = E, and −E·c₀ among the errors of their phases.
//!
//! The common deviation of all heaters is the mean of theirs. Weight cells, rings and pairs of cells have slopes of their own among their
//! imperfections; their heaters are not asked for.

use super::chain::Chain;
use super::heater_path::{HeaterPath, SPREAD, Ways};
use super::{DigitalModel, MethodOptions};
use crate::Result;
use crate::engine::{Columns, Engine};
use crate::error::same_size;
use crate::fabrication::Fabrication;
use crate::fabrication::control::Shifter;
use crate::imperfections::Imperfections;
use crate::network::Network;
use crate::propagator::{Buffer, Propagator, Tunable};
use crate::stage::{Estimable, StageErrors};

/// What a [`LearnedModel`] is made of.
pub struct Design {
    /// The chip's, with what is estimated besides.
    pub network: Network,
    /// What its stages are built with.
    pub fabrication: Fabrication,
    /// The way to the heat of every control, where heaters are estimated.
    path: Option<HeaterPath>,
    ways: Ways,
    chain: Option<Chain>,
}

impl Design {
    /// Probes tell something of chips of `network`.
    fn is_probed(network: &Network) -> bool {
        network.stages().any(|stage| matches!(stage.estimable(), Estimable::ByProbes(_)))
    }

    /// Whether the losses of waveguides and the heaters of chips of `network` are estimated besides.
    pub fn asks(network: &Network, options: &MethodOptions) -> [bool; 2] {
        let Imperfections { loss_spread_db, update_error, passive, control, .. } = &options.imperfections;
        let wide = Self::is_probed(network) && options.digital_model == DigitalModel::DataSheet;
        let losses = *loss_spread_db > 0.0 || passive.path_imbalance > 0.0;
        let heaters = control.heater_spread > 0.0 || control.dead_shifters > 0.0 || *update_error > 0.0;
        [losses, heaters].map(|own| wide && own)
    }

    /// Of chips of `network`, as far as digital models know them by `options`: what individuals differ in is what their statistics say.
    pub fn of(network: &Network, options: &MethodOptions) -> Result<Self> {
        let [losses, heaters] = Self::asks(network, options);
        let network = if losses { network.with_unknown_losses() } else { network.clone() };
        let mut fabrication = options.known(&network)?;
        let first = heaters.then(|| network.imperfections());
        let ways = if Self::is_probed(&network) { Ways::of(&network, &fabrication, first) } else { Ways::AS_TOLD };
        let path = heaters.then(|| HeaterPath::taken(&network, &mut fabrication));
        let chain = Chain::of(&network, &fabrication);
        Ok(Design { network, fabrication, path, ways, chain })
    }

    /// Steps that it takes to calibrate the columns of a chip; none where they cannot be read.
    pub(super) fn steps_of_calibration(&self) -> Option<usize> {
        self.chain.as_ref().map(|chain| chain.columns() / 2)
    }

    /// Length of an estimate.
    pub fn unknowns(&self) -> usize {
        self.network.imperfections() + if self.path.is_some() { self.network.controls() } else { 0 }
    }

    /// The chip that an `estimate` of this model describes: what is estimated as it says, all else as the data sheet has it.
    pub fn described(&self, estimate: &[f64]) -> Result<Fabrication> {
        same_size("estimate", self.unknowns(), estimate.len())?;
        let mut rest = estimate;
        let stages = self.network.stages().enumerate().map(|(index, stage)| {
            let (own, behind) = rest.split_at(stage.imperfections());
            rest = behind;
            let known = self.fabrication.stage(index);
            stage.element().imperfect().map_or(StageErrors::NONE, |page| page.estimated(known, own))
        });
        let mut described = Fabrication { stages: stages.collect(), ..self.fabrication.clone() };
        if let Some(path) = &self.path {
            path.put_back(rest, &mut described.control);
        }
        Ok(described)
    }

    /// Of every control whether the gain of its heater is estimated.
    pub fn heaters(&self) -> Vec<bool> {
        self.path.as_ref().map_or(vec![false; self.network.controls()], HeaterPath::heaters)
    }

    /// The heaters whose gains are estimated as the data sheet has them, by control; none where no gains are.
    pub(super) fn sheet_of_heaters(&self) -> Option<&[Option<Shifter>]> {
        self.path.as_ref().map(HeaterPath::sheet)
    }

    /// The model, around one of its network with its fabrication.
    pub fn model<M: Tunable>(&self, engine: &M::Engine, inside: M) -> Result<LearnedModel<M>> {
        let heaters = self.path.clone().map(|path| {
            let own = inside.controls();
            Ok(Heaters {
                engine: engine.clone(),
                path,
                deviations: vec![0.0; own],
                known: engine.zeros(inside.imperfections())?,
                heat: engine.zeros(own)?,
                follows: engine.zeros(own)?,
                slopes: engine.zeros(own)?,
            })
        });
        Ok(LearnedModel { inside, heaters: heaters.transpose()?, ways: self.ways.clone(), chain: self.chain.clone() })
    }
}

/// The heaters of a model.
struct Heaters<E: Engine> {
    engine: E,
    path: HeaterPath,
    /// s of every control.
    deviations: Vec<f64>,
    /// The imperfections of the stages, later their gradient.
    known: E::Buffer,
    /// h, later the gradient of u.
    heat: E::Buffer,
    /// `dh/dc` and `dh/du` as programmed.
    follows: E::Buffer,
    slopes: E::Buffer,
}

impl<E: Engine> Heaters<E> {
    /// What the model inside is told where this one is told `controls`.
    fn told(&mut self, controls: &E::Buffer) -> Result<&E::Buffer> {
        let controls = self.engine.download(controls)?;
        same_size("controls", self.deviations.len(), controls.len())?;
        let [mut heat, mut follows, mut slopes] = [(); 3].map(|()| Vec::with_capacity(controls.len()));
        for (index, (c, s)) in controls.iter().zip(&self.deviations).enumerate() {
            let [h, slope, unit] = self.path.heat(index, *c, *s);
            heat.push(h);
            follows.push(slope);
            slopes.push(unit / SPREAD);
        }
        self.heat = self.engine.upload(&heat)?;
        self.follows = self.engine.upload(&follows)?;
        self.slopes = self.engine.upload(&slopes)?;
        Ok(&self.heat)
    }
}

/// A model with an estimate: first the imperfections of its stages, as [`Tunable`] orders them, then u of every control, where heaters are
/// estimated.
pub struct LearnedModel<M: Tunable> {
    inside: M,
    heaters: Option<Heaters<M::Engine>>,
    ways: Ways,
    chain: Option<Chain>,
}

impl<M: Tunable> LearnedModel<M> {
    /// Length of an estimate.
    pub fn unknowns(&self) -> usize {
        self.inside.imperfections() + self.heaters.as_ref().map_or(0, |heaters| heaters.deviations.len())
    }

    /// The ways from controls to phases, as far as an estimate of this model knows them.
    pub fn ways(&self) -> &Ways {
        &self.ways
    }

    /// Its columns; none where it has no [`Chain`].
    pub(super) fn chain(&self) -> Option<&Chain> {
        self.chain.as_ref()
    }

    /// Takes on an estimate, which counts from the next [`Propagator::program`] on.
    pub fn set_estimate(&mut self, estimate: &Buffer<M>) -> Result<()> {
        let all = self.unknowns();
        let Some(Heaters { engine, deviations, known, .. }) = &mut self.heaters else {
            return self.inside.set_imperfections(estimate);
        };
        let values = engine.download(estimate)?;
        same_size("estimate", all, values.len())?;
        let (own, heaters) = values.split_at(self.inside.imperfections());
        deviations.iter_mut().zip(heaters).for_each(|(s, u)| *s = u / SPREAD);
        *known = engine.upload(own)?;
        self.inside.set_imperfections(known)
    }

    /// The model inside, for the room that it takes.
    pub fn inside(&self) -> &M {
        &self.inside
    }

    /// [`crate::propagator::Adjoint::record`].
    pub fn record(
        &mut self,
        fields: &Buffer<M>,
        batch: usize,
        trace: &mut M::Trace,
        readout: &mut Buffer<M>,
    ) -> Result<()> {
        self.inside.record(fields, batch, trace, readout)
    }

    /// [`crate::propagator::Adjoint::backpropagate`].
    pub fn backpropagate(
        &mut self,
        trace: &M::Trace,
        readout_error: &Buffer<M>,
        gradient: &mut Buffer<M>,
    ) -> Result<()> {
        self.inside.backpropagate(trace, readout_error, gradient)?;
        match &self.heaters {
            Some(Heaters { engine, follows, .. }) => engine.multiply(follows, gradient),
            None => Ok(()),
        }
    }

    /// The same that also fills the gradient of the estimate.
    pub fn backpropagate_estimate(
        &mut self,
        trace: &M::Trace,
        readout_error: &Buffer<M>,
        gradient: &mut Buffer<M>,
        estimate_gradient: &mut Buffer<M>,
    ) -> Result<()> {
        let (first, all) = (self.inside.imperfections(), self.unknowns());
        let Some(Heaters { engine, known, heat, follows, slopes, .. }) = &mut self.heaters else {
            return self.inside.backpropagate_imperfections(trace, readout_error, gradient, estimate_gradient);
        };
        self.inside.backpropagate_imperfections(trace, readout_error, gradient, known)?;
        engine.combine(1.0, gradient, 0.0, heat)?;
        engine.multiply(slopes, heat)?;
        engine.multiply(follows, gradient)?;
        let whole = |first| Columns { width: all, first };
        let row = |width| Columns { width, first: 0 };
        engine.copy_columns([1, first], row(first), known, whole(0), estimate_gradient)?;
        engine.copy_columns([1, all - first], row(all - first), heat, whole(first), estimate_gradient)
    }
}

impl<M: Tunable> Propagator for LearnedModel<M> {
    type Engine = M::Engine;

    fn controls(&self) -> usize {
        self.inside.controls()
    }

    fn inputs(&self) -> usize {
        self.inside.inputs()
    }

    fn outputs(&self) -> usize {
        self.inside.outputs()
    }

    fn program(&mut self, controls: &Buffer<Self>) -> Result<()> {
        match &mut self.heaters {
            Some(heaters) => self.inside.program(heaters.told(controls)?),
            None => self.inside.program(controls),
        }
    }

    fn propagate(&mut self, fields: &Buffer<Self>, batch: usize, readout: &mut Buffer<Self>) -> Result<()> {
        self.inside.propagate(fields, batch, readout)
    }
}

#[cfg(test)]
#[path = "learned_model_tests.rs"]
mod tests;
