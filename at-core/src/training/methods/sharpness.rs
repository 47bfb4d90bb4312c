//! Sharpness-aware gradients: that of the loss not at the controls, but where it is greatest near them, to first order.
//!
//! ```text
//! ε = ρ·g/‖g‖,  g = ∂L/∂Θ at Θ          ‖·‖: over all controls together
//! the gradient is ∂L/∂Θ at Θ + ε
//! ```
//!
//! Descended, it leads to minima that are flat within ρ: a chip whose controls act at another place than told, by errors or by drift,
//! loses less there. Errors of deviation σ of D controls, each its own, have the length σ√D, of which the part along g is σ.
//!
//! Source: Foret et al., "Sharpness-aware minimization for efficiently improving generalization", ICLR (2021).

use super::{Gradient, MethodFacts, MethodOption, OptionRange};
use crate::Result;
use crate::engine::{Engine, Optimizer};
use crate::propagator::{Buffer, Propagator};
use crate::training::{Batch, Parameters};

/// ρ.
pub const SHARPNESS_RADIUS: MethodOption = MethodOption {
    name: "sharpness-radius",
    help: "length of the ascent over all controls, at whose end the gradient is taken; 0 is none [default: 0.05]",
    range: OptionRange::NotNegative,
    read: |options| Some(options.sharpness_radius),
    multiplies_passes: false,
};

/// The sharpness-aware gradient of the loss whose plain gradient `G` makes.
pub struct Sharpness<E: Engine, G> {
    facts: &'static MethodFacts,
    engine: E,
    radius: f64,
    plain: G,
    /// Θ + ε.
    ascended: Parameters<E>,
}

impl<E: Engine, G> Sharpness<E, G> {
    /// That of the method with these `facts`, for so many `controls`. Errs where the `radius` is negative or not finite.
    pub fn new(facts: &'static MethodFacts, engine: &E, radius: f64, controls: usize, plain: G) -> Result<Self> {
        SHARPNESS_RADIUS.check(radius)?;
        // no optimizer moves them
        let ascended = Parameters::new(engine, Optimizer::Sgd, &vec![0.0; controls])?;
        Ok(Sharpness { facts, engine: engine.clone(), radius, plain, ascended })
    }
}

impl<E: Engine, C: Propagator<Engine = E>, G: Gradient<C>> Gradient<C> for Sharpness<E, G> {
    fn facts(&self) -> &'static MethodFacts {
        self.facts
    }

    /// `tally` takes the loss at Θ.
    fn gradient(
        &mut self,
        chip: &mut C,
        controls: &Parameters<C::Engine>,
        batch: &Batch<C::Engine>,
        tally: &mut Buffer<C>,
    ) -> Result<&Buffer<C>> {
        let Sharpness { engine, radius, plain, ascended, .. } = self;
        if *radius == 0.0 {
            return plain.gradient(chip, controls, batch, tally);
        }
        let here = plain.gradient(chip, controls, batch, tally)?;
        // added up here, in f64, so that all ranks have the same
        let norm = engine.download(here)?.iter().map(|slope| slope * slope).sum::<f64>().sqrt();
        let scale = if norm > 0.0 { *radius / norm } else { 0.0 };
        engine.combine(1.0, &controls.values, 0.0, &mut ascended.values)?;
        engine.combine(scale, here, 1.0, &mut ascended.values)?;
        ascended.memory.step = controls.memory.step;
        plain.gradient(chip, ascended, batch, &mut engine.zeros(3)?)
    }

    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)> {
        self.plain.parameters()
    }

    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)> {
        self.plain.parameters_mut()
    }
}
