//! A method of one's own: the gradient from differences of the loss, control by control.

use at_core::Result;
use at_core::engine::{Engine, Loss};
use at_core::propagator::{Buffer, Propagator};
use at_core::training::methods::probe::Probe;
use at_core::training::methods::{Dash, Gradient, Marker, MethodFacts, MethodName, Model, Reach};
use at_core::training::{Batch, Parameters};

/// How far a control is moved.
const STEP: f64 = 1e-3;

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("differences"),
    title: "central differences",
    uses: "its output",
    reach: Reach::Output,
    summary: "no model: the loss at two settings of every control",
    manner: "reads the chip's output twice per control",
    colour: [120, 60, 180],
    dash: Dash::Dotted,
    marker: Marker::Circle,
    model: Model::None,
    needs_classes: false,
    options: &[],
    passes: |_, network| 2.0 * network.controls() as f64,
    check: MethodFacts::any_network,
};

/// The gradient.
pub struct Differences<E: Engine> {
    probe: Probe<E>,
    gradient: E::Buffer,
}

impl<E: Engine> Differences<E> {
    /// For so many `controls` of a chip with `outputs` readouts, and batches of up to `capacity`.
    pub fn new(engine: &E, controls: usize, outputs: usize, loss: Loss, capacity: usize) -> Result<Self> {
        Ok(Differences { probe: Probe::new(engine, outputs, loss, capacity)?, gradient: engine.zeros(controls)? })
    }
}

impl<E: Engine, C: Propagator<Engine = E>> Gradient<C> for Differences<E> {
    fn facts(&self) -> &'static MethodFacts {
        &FACTS
    }

    fn gradient(
        &mut self,
        chip: &mut C,
        controls: &Parameters<E>,
        batch: &Batch<E>,
        tally: &mut Buffer<C>,
    ) -> Result<&Buffer<C>> {
        let engine = self.probe.engine.clone();
        let mut values = engine.download(&controls.values)?;
        let mut slopes = vec![0.0; values.len()];
        for (index, slope) in slopes.iter_mut().enumerate() {
            let here = values[index];
            for sign in [1.0, -1.0] {
                values[index] = here + sign * STEP;
                chip.program(&engine.upload(&values)?)?;
                *slope += sign * self.probe.measure(chip, batch, tally)? / (2.0 * STEP);
            }
            values[index] = here;
        }
        self.gradient = engine.upload(&slopes)?;
        Ok(&self.gradient)
    }
}
