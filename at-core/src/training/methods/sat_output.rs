//! Sharpness-aware training with the chip in the loop: both gradients are those of output-only physics-aware training.
//!
//! ```text
//! Θ ← Θ − η·BP(e_p) at Θ + ρ·g/‖g‖,  g = BP(e_p) at Θ
//! ```
//!
//! Per step two passes of a batch, 2·P readouts per sample, and 2·D control writes: the chip stands at Θ, then at Θ + ε. With ρ = 0 it is
//! [`super::pat_output`].
//!
//! Source: Xu et al., Nat. Commun. (2026), as [`super::sat`], in its variant in situ, with the gradient that needs the output only.

use super::sharpness::{SHARPNESS_RADIUS, Sharpness};
use super::{Dash, Ingredients, Marker, Method, MethodFacts, MethodName, Model, Reach, pat_output};
use crate::Result;
use crate::propagator::{Propagator, Simulator};

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("sat-output"),
    title: "output-only sharpness-aware training",
    uses: "its output",
    reach: Reach::Output,
    summary: "as pat-output, to a minimum that is flat against errors of controls",
    manner: super::facts::OUTPUT_ONLY,
    colour: [145, 0, 55],
    dash: Dash::DashDotted,
    marker: Marker::Triangle,
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
    let plain = pat_output::maker(from)?;
    let maker = Sharpness::new(&FACTS, from.engine, from.options.sharpness_radius, from.initial.len(), plain)?;
    Ok(Box::new(from.descent(maker)?))
}
