//! Sharpness-aware training in silico: the model is trained to a minimum that is flat against errors of controls; the chip gets the
//! result once, at the end.
//!
//! ```text
//! Θ ← Θ − η·BP(e_d) at Θ + ρ·g/‖g‖,  g = BP(e_d) at Θ
//! ```
//!
//! Two passes through the model and back per batch; the chip is never read. With ρ = 0 it is in-silico training.
//!
//! Source: Xu et al., "Physical neural networks using sharpness-aware training", Nat. Commun. (2026), doi
//! 10.1038/s41467-026-68470-9, arXiv 2411.12352, in its variant in silico. It takes phases and weights as they are told, without scaling;
//! which ρ it uses could not be read.

use super::sharpness::{SHARPNESS_RADIUS, Sharpness};
use super::{Dash, Ingredients, Marker, Method, MethodFacts, MethodName, Model, Modelled, Reach};
use crate::Result;
use crate::propagator::{Propagator, Simulator};

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("sat"),
    title: "sharpness-aware training",
    uses: "nothing",
    reach: Reach::Output,
    summary: "as in-silico, to a minimum that is flat against errors of controls",
    manner: "never reads the chip, and trains against errors of any controls",
    colour: [0, 0, 255],
    dash: Dash::DashDotted,
    marker: Marker::Square,
    model: Model::DataSheet,
    needs_classes: false,
    options: &[SHARPNESS_RADIUS],
    passes: |_, _| 2.0,
    check: MethodFacts::any_network,
};

/// The method from its parts.
pub fn build<E: Simulator, C: Propagator<Engine = E> + 'static>(
    from: &Ingredients<'_, E>,
) -> Result<Box<dyn Method<C>>> {
    let (engine, settings, initial) = (from.engine, from.settings, from.engine.upload(from.initial)?);
    let plain = Modelled::new(&FACTS, engine, from.nominal()?, &initial, settings.loss, settings.batch_size)?;
    let maker = Sharpness::new(&FACTS, engine, from.options.sharpness_radius, from.initial.len(), plain)?;
    Ok(Box::new(from.descent(maker)?))
}
