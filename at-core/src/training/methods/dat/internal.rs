//! Dual adaptive training with internal readouts: detectors behind the hidden meshes give powers, which correct networks and states.
//!
//! ```text
//! p_l   the chip's powers behind mesh l, for all meshes but the last
//! (i)   Ω ← Ω − η·∂/∂Ω [ mean (Ĩ − Ĩ_p)² + Σ_l mean (|x_l|²/‖|x_l|²‖ − p_l/‖p_l‖)² ]
//! (ii)  x_l ← √p_l·e^{i arg x_l} behind mesh l, from where the model's light goes on; the rest as without
//! ```
//!
//! Nothing is injected, and no phase of the chip's light is read. In the published code fusion changes what automatic differentiation
//! has kept of a pass that is over; here light goes on from the fused state. Source: as [`super`], internal states "unitary".

use super::model::Correction;
use super::readout::prediction_error;
use super::{Dash, Dat, Ingredients, Marker, Method, MethodFacts, MethodName, Model, OPTIONS, Reach};
use crate::Result;
use crate::engine::{Engine, Loss, Normalization};
use crate::propagator::{Adjoint, Buffer, LayerAccess, PowerTapAccess, Simulator};
use crate::training::{Batch, Parameters};

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("dat-internal"),
    title: "dual adaptive training with internal readouts",
    uses: "its output, power behind every mesh",
    reach: Reach::Powers,
    summary: "the same, with internal readouts",
    manner: "reads the power behind every mesh of the chip",
    colour: [30, 180, 210],
    dash: Dash::Dashed,
    marker: Marker::Wedge,
    model: Model::DataSheet,
    needs_classes: false,
    options: OPTIONS,
    passes: MethodFacts::one_pass,
    check: super::check,
};

/// The method from its parts.
pub fn build<E: Simulator, C: PowerTapAccess<Engine = E> + 'static>(
    from: &Ingredients<'_, E>,
) -> Result<Box<dyn Method<C>>> {
    Ok(Box::new(DatInternal::new(Dat::<E::Network>::of(from)?, from.settings.batch_size)?))
}

/// The method with its model.
pub struct DatInternal<M: Adjoint>(pub(super) Dat<M>);

impl<M: Adjoint + LayerAccess> DatInternal<M> {
    /// Reads hidden powers for `dat`, for batches of up to `capacity`.
    pub fn new(mut dat: Dat<M>, capacity: usize) -> Result<Self> {
        let model = &dat.model;
        let hidden = model.corrections.iter().rev().skip(1).rev();
        let powers = hidden.map(|own| model.engine.zeros(model.widths[own.stage] / 2 * capacity));
        dat.hidden = powers.collect::<Result<_>>()?;
        Ok(DatInternal(dat))
    }
}

impl<M: Adjoint + LayerAccess> Dat<M> {
    /// The slopes of (i) with respect to the powers behind every mesh whose own are read, at the model's present signals.
    pub(super) fn hidden_errors(&self, size: usize) -> Result<Vec<Vec<f64>>> {
        let model = &self.model;
        let error = |(own, measured): (&Correction, &Buffer<M>)| {
            let fields = model.engine.download(&model.signals[own.stage])?;
            let powers: Vec<f64> = fields.chunks_exact(2).map(|z| z[0] * z[0] + z[1] * z[1]).collect();
            let modes = model.widths[own.stage] / 2;
            let all = Loss { normalization: Normalization::L2, ..Loss::cross_entropy(modes) };
            Ok(prediction_error(&all, &powers, &model.engine.download(measured)?, modes, size))
        };
        model.corrections.iter().zip(&self.hidden).map(error).collect()
    }
}

impl<M: Adjoint + LayerAccess, C: PowerTapAccess<Engine = M::Engine>> Method<C> for DatInternal<M> {
    fn facts(&self) -> &'static MethodFacts {
        &FACTS
    }

    fn begin_epoch(&mut self, epoch: usize, epochs: usize) {
        Method::<C>::begin_epoch(&mut self.0, epoch, epochs);
    }

    fn step(
        &mut self,
        chip: &mut C,
        batch: &Batch<C::Engine>,
        learning_rate: f64,
        tally: &mut Buffer<C>,
    ) -> Result<()> {
        let Dat { controls, measured, hidden, .. } = &mut self.0;
        chip.program(&controls.values)?;
        chip.propagate_watched(batch.signals(), batch.size(), hidden, measured)?;
        self.0.learn(batch, learning_rate, tally)
    }

    fn controls(&self) -> &Buffer<C> {
        Method::<C>::controls(&self.0)
    }

    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)> {
        Method::<C>::parameters(&self.0)
    }

    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)> {
        Method::<C>::parameters_mut(&mut self.0)
    }
}
